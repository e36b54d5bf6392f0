// What tests of the page have in common: a farm and a browser for each, both
// ended whatever happens, the farm's logs shown when it failed.
import test from "node:test";
import { assertQuiet, launch, open } from "./browser.js";
import { Farm } from "./farm.js";

let browser; // when the first page is opened
test.after(async () => (await browser)?.close());

/** A test with a farm; `show(path, options)` opens a page of it. A page that
 *  complained of more than `expected` has failed. */
export function scene(name, run, { expected } = {}) {
  test(name, async (t) => {
    const farm = new Farm();
    const pages = [];
    const show = async (path, options) => {
      const page = await open(await (browser ??= launch()), farm, path, options);
      pages.push(page);
      return page;
    };
    try {
      await run({ farm, show, t });
      for (const page of pages) await assertQuiet(page, expected);
    } catch (error) {
      t.diagnostic(farm.logs());
      throw error;
    } finally {
      for (const page of pages) await page.context().close();
      await farm.end();
    }
  });
}

/** Counts loads of the document: what changes without one is live. */
export async function markDocument(page) {
  await page.evaluate(() => (window.sameDocument = true));
  return () => page.evaluate(() => window.sameDocument === true);
}
