// A page of a farm in Debian's chromium. Every message of the console and every
// error of the page fails the test: there is no harmless one.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const PLACES = [process.env.FRAMEQ_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function findChromium() {
  const path = PLACES.find((place) => place && existsSync(place));
  if (!path) throw new Error("chromium is not installed: run deploy/install-deps --test");
  return path;
}

/** --no-sandbox, since tests may run as root; the pages are ours. */
export const launch = () => chromium.launch({ executablePath: findChromium(), args: FLAGS });

/* That a frame has no thumbnail (yet) is an answer, which chromium complains of. */
const isAnswer = (message) => /\/(thumbnail|image|log)(\?|$)/.test(message.location().url) && /404|503/.test(message.text());

/** Opens a path of a farm; `page.troubles` lists what the page complained of. */
export async function open(browser, farm, path = "/", { colorScheme = "light", width = 1280, height = 800, live = true } = {}) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height }, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.troubles = [];
  page.on("pageerror", (error) => page.troubles.push(String(error)));
  page.on("console", (message) => !isAnswer(message) && ["error", "warning"].includes(message.type()) && page.troubles.push(message.text()));
  await page.goto(farm.url + path);
  if (live) await page.locator(".link.is-live").waitFor();
  return page;
}

/** Nothing to complain of, but for what a test expects. */
export function assertQuiet(page, expected = /^$/) {
  assert.deepEqual(page.troubles.filter((text) => !expected.test(text)), []);
}
