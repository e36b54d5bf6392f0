// What was rendered, and what Blender printed.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { markDocument, scene } from "./lib/scenes.js";

scene("a failed frame's log is opened from its group, its first error marked", async ({ farm, show }) => {
  await farm.broker();
  const node = await farm.agent({ frameMs: 5 });
  await node.trick({ "quit-at-frame": "3" });
  const { id } = await farm.submit({ frames: "1-4", name: "shot", batch: 1, max_attempts: 1 });
  await farm.until(id, (job) => job.state === "failed");
  const page = await show(`/jobs/${id}`);
  await page.getByRole("link", { name: "Log of frame 3" }).click();
  const log = page.getByRole("region", { name: "Log of frame 3" });
  await log.waitFor();
  assert.match(await log.locator("mark").textContent(), /Error/);
  await page.getByRole("button", { name: "Close the log" }).click();
  await log.waitFor({ state: "detached" });
  assert.ok(!page.url().includes("log="));
});

scene("the picture shown is that of the frame rendered last; arrow keys look through all", async ({ farm, show }) => {
  await farm.broker();
  await farm.agent({ frameMs: 5 });
  const { id } = await farm.submit({ frames: "1-4", name: "shot", batch: 1 });
  await farm.until(id, (job) => job.state === "completed");
  const page = await show(`/jobs/${id}`);
  const same = await markDocument(page);
  await page.getByRole("button", { name: /^Frame 4, rendered last of shot/ }).waitFor();
  await farm.ask("POST", `/v1/jobs/${id}/frames:retry`, { frames: "2" });
  await page.getByRole("button", { name: /^Frame 2, rendered last of shot/ }).waitFor();
  assert.ok(await same(), "the document was loaded again");
  await page.getByLabel("Look through").press("ArrowRight");
  await page.getByRole("button", { name: /^Frame 3 of shot/ }).waitFor();
  await page.getByText("Contact sheet").click();
  await page.getByRole("img", { name: "Frame 1", exact: true }).waitFor();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Activity" }).click();
  await page.getByRole("cell", { name: "retried" }).waitFor();
});

scene("a log that grows is read on from where it was; the movie plays and is saved", async ({ farm, show }) => {
  await farm.broker();
  const node = await farm.agent({ frameMs: 5 });
  const { id } = await farm.submit({ frames: "1-4", name: "shot" });
  await farm.until(id, (job) => job.state === "completed");
  const page = await show(`/jobs/${id}`);
  await page.getByRole("button", { name: "Show the movie" }).click();
  const saved = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download the movie" }).click();
  assert.equal((await saved).suggestedFilename(), "shot.mp4");
  const video = page.getByLabel("Movie of shot");
  assert.ok(await video.evaluate((node) => node.duration > 0.1 && node.videoWidth > 0));

  const offsets = [];
  page.on("request", (request) => /\/log/.test(request.url()) && offsets.push(Number(new URL(request.url()).searchParams.get("offset"))));
  await node.trick({ "hang-frame": "2" });
  const live = await farm.submit({ frames: "1-3", name: "live" });
  await farm.until(live.id, (job) => job.counts.done === 1);
  await page.goto(`${farm.url}/jobs/${live.id}?frames=2&log=1`);
  const log = page.getByRole("region", { name: "Log of frame 2" });
  await page.getByText("Live: more comes by itself.").waitFor();
  const before = await log.textContent();
  await page.waitForFunction(([was]) => document.querySelector("pre.log")?.textContent.length > was, [before.length]);
  const after = await log.textContent();
  assert.ok(after.startsWith(before), "what was there is shown twice, or gone");
  assert.equal(offsets[0], 0);
  assert.deepEqual(offsets.slice(1), [...new Set(offsets.slice(1))].sort((a, b) => a - b), "each piece is asked for once");
  assert.ok(offsets[1] >= before.length);
});

scene("a picture that is gone: the page says so, once", async ({ farm, show }) => {
  await farm.broker();
  await farm.agent({ frameMs: 5 });
  const { id } = await farm.submit({ frames: "1-2", name: "shot" });
  await farm.until(id, (job) => job.state === "completed");
  const { files } = await farm.ask("GET", `/v1/jobs/${id}/frames/1`);
  rmSync(files[0].path);
  const page = await show(`/jobs/${id}?frames=1`);
  await page.getByText(/^No picture: .*is not there any more/).waitFor();
}, { expected: /410|503/ });

scene("a job that waits says why, agent by agent", async ({ farm, show }) => {
  await farm.broker();
  await farm.agent({ name: "a1" });
  const { id } = await farm.submit({ frames: "1-4", requires: { tags: ["camel"] } });
  const page = await show(`/jobs/${id}`);
  await page.getByRole("region", { name: "Why it waits" }).getByRole("listitem").filter({ hasText: "a1" }).getByText(/lacks the tag/).waitFor();
});
