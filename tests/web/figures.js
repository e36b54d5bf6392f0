// Measures what docs/performance.md says of the page: node tests/web/figures.js,
// or ninja -C build/release page_figures. One JSON object on stdout. It judges
// nothing: figures are of the machine they were taken on.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { launch, open } from "./lib/browser.js";
import { Farm } from "./lib/farm.js";

const BIN = resolve(process.env.FRAMEQ_BIN ?? new URL("../../build/release/bin", import.meta.url).pathname);
const ROUNDS = 5;
const FRAMES = 10_000;
const AGENTS = 10;
const FRAME_MS = 200; // 10 agents: 50 frames a second
const WATCH_MS = 10_000;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/* First contentful paint of a page loaded anew, nothing of it in a cache. */
async function firstPaint(browser, farm) {
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const page = await open(browser, farm, "/");
    times.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
    await page.context().close();
  }
  return Math.round(median(times));
}

async function bundleBytes(farm) {
  const sizes = [];
  for (const path of ["/", "/app.js", "/app.css", "/favicon.svg"]) {
    const answer = await fetch(farm.url + path, { headers: { "Accept-Encoding": "gzip" } });
    sizes.push(Number(answer.headers.get("content-length")));
  }
  return sizes.reduce((sum, size) => sum + size);
}

/* Times each paint of the grid, and each frame of the browser, while the page
 * is open: what is called is the page's own code. */
function watchPaints(most) {
  const { getContext } = HTMLCanvasElement.prototype;
  window.paints = [];
  let began = 0;
  HTMLCanvasElement.prototype.getContext = function (...args) {
    const context = getContext.apply(this, args);
    if (this.getAttribute("role") !== "application" || began) return context;
    began = performance.now();
    queueMicrotask(() => {
      window.paints.push(performance.now() - began);
      began = 0;
    });
    return context;
  };
  window.countFrames = () =>
    new Promise((done) => {
      const gaps = [];
      let last = performance.now();
      const end = last + most;
      const tick = (now) => {
        gaps.push(now - last);
        last = now;
        if (now < end) requestAnimationFrame(tick);
        else done(gaps);
      };
      requestAnimationFrame(tick);
    });
}

/* Returns a function that tells the processor seconds that the page's main
 * thread took meanwhile: on a busy machine the only figure that is of the page. */
async function cpuOf(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  const taken = async () => (await cdp.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration").value;
  const before = await taken();
  return async () => (await taken()) - before;
}

async function grid(browser, farm) {
  const { id } = await farm.submit({ frames: `1-${FRAMES}`, name: "long", batch: 1 });
  for (let i = 0; i < AGENTS; i++) await farm.agent({ frameMs: FRAME_MS });
  const page = await open(browser, farm, "/");
  await page.addInitScript(watchPaints, WATCH_MS);
  await page.goto(`${farm.url}/jobs/${id}`);
  await page.getByRole("application").waitFor();
  await page.waitForFunction(() => window.paints.length > 0);
  const first = await page.evaluate(() => window.paints[0]);
  const before = (await farm.job(id)).counts.done;
  const cpu = await cpuOf(page);
  const gaps = await page.evaluate(() => window.countFrames());
  const used = (await cpu()) * 1000;
  const after = (await farm.job(id)).counts.done;
  const paints = await page.evaluate(() => window.paints);
  await page.context().close();
  return {
    grid_first_paint_ms: Math.round(first),
    grid_paint_p50_ms: Math.round(median(paints)),
    grid_paint_max_ms: Math.round(Math.max(...paints)),
    done_per_s: Math.round((after - before) / (WATCH_MS / 1000)),
    browser_frames_per_s: Math.round(gaps.length / (WATCH_MS / 1000)),
    page_cpu_ms_per_s: Math.round(used / (WATCH_MS / 1000)),
    browser_longest_gap_ms: Math.round(Math.max(...gaps.slice(1))),
  };
}

/* From `frameq dev` to the first picture that its page shows; the sample scene,
 * by the real Blender. */
async function firstPicture(browser) {
  const folder = mkdtempSync(join(tmpdir(), "frameq-figures-"));
  const began = performance.now();
  const dev = spawn(join(BIN, "frameq"), ["dev", "--agents", "1", "--no-open"], { cwd: folder, env: { ...process.env, FRAMEQ_BROKER: "" }, stdio: ["ignore", "pipe", "inherit"] });
  try {
    let url = null;
    for await (const line of createInterface(dev.stdout)) {
      url = /http:\/\/[^\s/]+/.exec(line)?.[0];
      if (url) break;
    }
    const answer = await fetch(`${url}/render`, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"from":1,"to":3}' });
    const { jobId } = await answer.json();
    const page = await open(browser, { url }, `/jobs/${jobId}`);
    await page.waitForFunction(() => [...document.images].some((image) => /thumbnail/.test(image.src) && image.naturalWidth > 0));
    await page.context().close();
    return { dev_to_picture_s: Number(((performance.now() - began) / 1000).toFixed(1)) };
  } finally {
    dev.kill("SIGINT");
    if (dev.exitCode === null) await once(dev, "exit");
    rmSync(folder, { recursive: true, force: true });
  }
}

const farm = new Farm();
const browser = await launch();
try {
  await farm.broker();
  const figures = { bundle_bytes: await bundleBytes(farm), first_contentful_paint_ms: await firstPaint(browser, farm), ...(await grid(browser, farm)) };
  await farm.end();
  console.log(JSON.stringify({ ...figures, ...(await firstPicture(browser)) }, null, 1));
} finally {
  await browser.close();
  await farm.end();
}
