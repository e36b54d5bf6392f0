// axe finds nothing on any view, in either theme.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { scene } from "./lib/scenes.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Of all rules in the light theme; the dark one has other colours, no more. */
async function violations(page) {
  const run = async (runOnly) => (await page.evaluate((only) => window.axe.run({ runOnly: only }), runOnly)).violations;
  await page.evaluate(AXE);
  const light = await run(RULES);
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await run({ type: "rule", values: ["color-contrast"] });
  await page.emulateMedia({ colorScheme: "light" });
  return [...light, ...dark].map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ").slice(0, 400)}`);
}

async function prepare(farm) {
  await farm.broker();
  const node = await farm.agent({ frameMs: 5 });
  await node.trick({ "quit-at-frame": "3" });
  const { id } = await farm.submit({ frames: "1-6", name: "shot", batch: 1, max_attempts: 1 });
  await farm.submit({ frames: "1-9", name: "stuck", requires: { tags: ["camel"] } });
  await farm.until(id, (job) => job.state === "failed");
  return id;
}

scene("in both themes", async ({ farm, show }) => {
  const id = await prepare(farm);
  const page = await show("/");
  await page.getByRole("link", { name: "stuck" }).waitFor();
  assert.deepEqual(await violations(page), [], "jobs");
  await page.goto(`${farm.url}/jobs/${id}?frames=2`);
  await page.getByRole("article", { name: "Frame 2" }).waitFor();
  await page.getByRole("heading", { name: "Seconds per frame" }).waitFor();
  for (const summary of await page.locator("summary").all()) await summary.click();
  assert.deepEqual(await violations(page), [], "job");
  await page.getByRole("button", { name: "Forget…" }).click();
  assert.deepEqual(await violations(page), [], "dialog");
  await page.goto(`${farm.url}/jobs/${id}?frames=3&log=1`);
  await page.getByRole("region", { name: "Log of frame 3" }).waitFor();
  assert.deepEqual(await violations(page), [], "log");
  await page.goto(`${farm.url}/activity`);
  await page.getByRole("cell", { name: "submitted" }).first().waitFor();
  assert.deepEqual(await violations(page), [], "activity");
  await page.goto(`${farm.url}/agents`);
  await page.getByRole("button", { name: /^Drain:/ }).waitFor();
  assert.deepEqual(await violations(page), [], "agents");
  await page.goto(`${farm.url}/submit?frames=1-20`);
  await page.getByText("20 frames").waitFor();
  await page.getByText("More", { exact: true }).click();
  assert.deepEqual(await violations(page), [], "submit");
});
