// Jobs submitted, watched and steered with the mouse.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { markDocument, scene } from "./lib/scenes.js";

const BIN = resolve(process.env.FRAMEQ_BIN ?? new URL("../../build/dev/bin", import.meta.url).pathname);
const button = (page, name) => page.getByRole("button", { name, exact: true });

scene("a job is submitted by the form and its frames turn done by themselves", async ({ farm, show }) => {
  await farm.broker();
  await farm.agent({ frameMs: 5 });
  const page = await show("/submit");
  await page.getByLabel("Frames", { exact: true }).fill("1-30");
  await page.getByText("30 frames", { exact: true }).waitFor();
  await page.getByLabel("Name").fill("shot_010");
  await button(page, "Submit").click();
  const same = await markDocument(page);
  await page.getByRole("heading", { name: "shot_010" }).waitFor();
  await page.locator("main .state", { hasText: "completed" }).waitFor();
  await page.getByRole("button", { name: "1-30 30 done" }).waitFor();
  await page.getByRole("link", { name: "Jobs", exact: true }).first().click();
  await page.getByRole("img", { name: "30 of 30 frames done" }).waitFor();
  assert.ok(await same(), "the document was loaded again");
});

scene("a job that others submit shows up, and the list can be filtered", async ({ farm, show }) => {
  await farm.broker();
  const page = await show("/");
  await page.getByText("No jobs yet").waitFor();
  await farm.submit({ frames: "1-5", name: "one" });
  await farm.submit({ frames: "1-5", name: "two", paused: true });
  await page.getByRole("link", { name: "one" }).waitFor();
  await page.getByRole("link", { name: /paused 1/ }).click();
  await page.getByRole("link", { name: "one" }).waitFor({ state: "detached" });
  assert.match(page.url(), /\/jobs\?state=paused$/);
  await page.getByLabel("Search by name or id").fill("nothing like it");
  await page.getByText("No job is like that.").waitFor();
});

scene("pause, resume, another priority", async ({ farm, show }) => {
  await farm.broker();
  const { id } = await farm.submit({ frames: "1-100", name: "shot" });
  const page = await show(`/jobs/${id}`);
  await button(page, "Pause").click();
  await button(page, "Resume").waitFor();
  assert.equal((await farm.job(id)).state, "paused");
  await button(page, "Resume").click();
  await button(page, "Pause").waitFor();
  await page.getByRole("spinbutton", { name: "Priority" }).fill("90");
  await button(page, "Set").click();
  await page.getByText("Priority is now 90 for shot").waitFor();
  assert.equal((await farm.job(id)).priority, 90);
});

scene("what the lines for a terminal say is what the buttons do", async ({ farm, show }) => {
  await farm.broker();
  const { id } = await farm.submit({ frames: "1-100", name: "shot" });
  const page = await show(`/jobs/${id}`);
  const run = (line) => execFileSync("bash", ["-c", line], { env: { ...process.env, PATH: `${BIN}:${process.env.PATH}` } });
  await page.getByText("The same from a terminal").first().click();
  run(await page.locator(".command code", { hasText: /^frameq pause/ }).textContent());
  await button(page, "Resume").waitFor();
  run(await page.locator(".command code", { hasText: /^curl .*"paused":false/ }).textContent());
  await button(page, "Pause").waitFor();
  run(await page.locator(".command code", { hasText: /^frameq cancel/ }).textContent());
  await page.locator("main .state", { hasText: "cancelled" }).waitFor();
});

scene("a range is dragged in the grid and cancelled", async ({ farm, show }) => {
  await farm.broker();
  const { id } = await farm.submit({ frames: "1-100", name: "shot" });
  const page = await show(`/jobs/${id}`);
  const box = await page.getByRole("application").boundingBox();
  await page.mouse.move(box.x + 60, box.y + 10); // frame 1
  await page.mouse.down();
  await page.mouse.move(box.x + 60 + 4 * 22, box.y + 10);
  await page.mouse.up();
  assert.equal(await page.getByLabel("Selected frames").getByRole("textbox").inputValue(), "1-5");
  assert.match(page.url(), /\?frames=1-5$/);
  await button(page, "Cancel 5 frames").click();
  await page.getByRole("button", { name: "1-5 5 cancelled" }).waitFor();
  assert.equal((await farm.job(id)).counts.cancelled, 5);
});

scene("a selection that the job has not is said to be none", async ({ farm, show }) => {
  await farm.broker();
  const { id } = await farm.submit({ frames: "1-100x5" });
  const page = await show(`/jobs/${id}?frames=2`);
  await page.getByText("The job has no such frames").waitFor();
});

scene("a failure group is retried with one button", async ({ farm, show }) => {
  await farm.broker();
  const node = await farm.agent({ frameMs: 5 });
  await node.trick({ "quit-at-frame": "3" });
  const { id } = await farm.submit({ frames: "1-6", name: "shot", batch: 1, max_attempts: 1 });
  const page = await show(`/jobs/${id}`);
  await page.locator("main .state", { hasText: "failed" }).waitFor();
  const group = page.getByRole("listitem").filter({ hasText: "crash" });
  await group.getByText("the fake crashed").waitFor();
  await node.trick({ "quit-at-frame": "off" });
  await group.getByRole("button", { name: "Retry 1 frame" }).click();
  await page.locator("main .state", { hasText: "completed" }).waitFor();
  assert.equal((await farm.job(id)).counts.done, 6);
});

scene("an agent is drained and let work again; a job is forgotten", async ({ farm, show }) => {
  await farm.broker();
  await farm.agent({ name: "a1" });
  const { id } = await farm.submit({ frames: "1-2", name: "shot" });
  await farm.until(id, (job) => job.state === "completed");
  const page = await show("/agents");
  await page.getByRole("button", { name: "Drain: a1" }).click();
  await page.getByRole("button", { name: "Let it work: a1" }).click();
  await page.getByRole("button", { name: "Drain: a1" }).waitFor();
  await page.getByText(`frameq-agent --broker ${farm.url}`, { exact: true }).waitFor();
  await page.goto(`${farm.url}/jobs/${id}`);
  await button(page, "Forget…").click();
  await button(page, "Forget it").click();
  await page.getByText("No jobs yet").waitFor();
}, { expected: /404/ }); // the job, if its event is faster than the answer
