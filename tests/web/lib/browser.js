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

/* A picture may come a moment after its frame, and chromium complains of each
 * try before: forgiven where it did come in the end. */
const isPicture = (path) => /^\/v1\/jobs\/[^/]+\/frames\/\d+\/(thumbnail|image)$/.test(path);

function listen(page) {
  page.troubles = [];
  page.missed = new Set(); // pictures that were asked for before they had come
  const pathOf = (url) => URL.canParse(url) ? new URL(url).pathname : "";
  page.on("pageerror", (error) => page.troubles.push(String(error)));
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    const path = pathOf(message.location().url);
    if (isPicture(path) && /404|503/.test(message.text())) page.missed.add(path);
    else page.troubles.push(message.text());
  });
}

/** Opens a path of a farm; assertQuiet looks at what the page complained of. */
export async function open(browser, farm, path = "/", { colorScheme = "light", width = 1280, height = 800, live = true } = {}) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height }, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  listen(page);
  await page.goto(farm.url + path);
  if (live) await page.locator(".link.is-live").waitFor();
  return page;
}

/** Nothing to complain of, but for what a test expects. A picture that was
 *  missed has come by now, or comes, or the page has given it up or put it away. */
export async function assertQuiet(page, expected = /^$/) {
  await page.waitForFunction((missed) => ![...document.images].some((image) =>
    image.src && missed.includes(new URL(image.src).pathname) && !(image.complete && image.naturalWidth > 0)), [...page.missed]);
  assert.deepEqual(page.troubles.filter((text) => !expected.test(text)), []);
}
