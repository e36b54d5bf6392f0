// What was rendered, and what Blender printed.
import assert from "node:assert/strict";
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

scene("a job that waits says why, agent by agent", async ({ farm, show }) => {
  await farm.broker();
  await farm.agent({ name: "a1" });
  const { id } = await farm.submit({ frames: "1-4", requires: { tags: ["camel"] } });
  const page = await show(`/jobs/${id}`);
  await page.getByRole("region", { name: "Why it waits" }).getByRole("listitem").filter({ hasText: "a1" }).getByText(/lacks the tag/).waitFor();
});
