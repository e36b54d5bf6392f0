// Takes the pictures of docs/pictures: node tests/web/pictures.js [FOLDER], or
// ninja -C build/dev pictures. A farm of fakes in the middle of its work, where
// it stands still until all are taken.
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { launch, open } from "./lib/browser.js";
import { Farm } from "./lib/farm.js";

const HANG = [60, 115, 160, 190, 215, 240]; // frames that never end
const BYTES_MOST = 220_000;
const folder = process.argv[2] ?? new URL("../../docs/pictures", import.meta.url).pathname;

async function work(farm) {
  await farm.broker();
  const pace = (seed) => ({ flags: ["--picture-px", "480", "--frame-ms-list", `lognormal:110,0.35,${seed}`] });
  const nodes = [await farm.agent({ ...pace(1), tags: "gpu" }), await farm.agent({ ...pace(2), tags: "gpu" }), await farm.agent(pace(3))];
  for (const node of nodes) await node.trick({ "quit-at-frame": "34" });
  const failed = await farm.submit({ frames: "1-48", name: "shot_020_fx", user: "jon", max_attempts: 2, batch: 4 });
  await farm.until(failed.id, (job) => job.state === "failed");
  for (const node of nodes) await node.trick({ "quit-at-frame": "off" });
  const table = await farm.submit({ frames: "1-36", name: "turntable_v3", user: "mira" });
  await farm.until(table.id, (job) => job.state === "completed");
  for (const node of nodes) for (const frame of HANG) await node.trick({ "hang-frame": String(frame) });
  await farm.submit({ frames: "1-240", name: "shot_040_crowd", user: "jon", requires: { tags: ["camel"] } });
  await farm.submit({ frames: "1-96", name: "shot_030_water", user: "ana", paused: true });
  const main = await farm.submit({ frames: "1-250", name: "shot_010_lighting", user: "mira", priority: 70, blend: "/mnt/shots/shot_010.blend", samples: 128 });
  await farm.submit({ frames: "100-180", name: "shot_011_lighting", user: "mira" });
  await farm.until(main.id, (job) => job.counts.done > 90);
  return { main: main.id, failed: failed.id };
}

async function take(page, name) {
  await page.mouse.move(0, 0);
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path });
  const { size } = statSync(path);
  if (size > BYTES_MOST) throw new Error(`${path} has ${size} bytes, ${BYTES_MOST} at most`);
  console.log(path, size);
}

async function takeAll(browser, farm, { main, failed }) {
  const show = async (path, name, options, ready) => {
    const page = await open(browser, farm, path, { width: 1200, height: 760, ...options });
    await page.locator(ready).first().waitFor();
    await page.waitForLoadState("load");
    await page.evaluate(() => document.fonts.ready);
    await page.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth > 0));
    await take(page, name);
    await page.context().close();
  };
  const dark = { colorScheme: "dark" };
  await show(`/jobs/${main}?frames=12`, "job-dark", { ...dark, height: 1150 }, ".uplot");
  await show(`/jobs/${main}`, "job", {}, ".uplot");
  await show("/jobs", "jobs", { height: 520 }, "tbody tr");
  await show("/jobs", "jobs-dark", { ...dark, height: 520 }, "tbody tr");
  await show("/agents", "agents", { height: 560 }, "tbody tr");
  await show(`/jobs/${failed}`, "failures", { height: 1000 }, ".failure");
  await show("/submit?frames=1-250&name=shot_010&tags=gpu", "submit", { ...dark, height: 680 }, ".command");
}

mkdirSync(folder, { recursive: true });
const farm = new Farm();
const browser = await launch();
try {
  await takeAll(browser, farm, await work(farm));
} finally {
  await browser.close();
  await farm.end();
}
