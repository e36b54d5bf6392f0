// Bundles the page into a folder: node build.mjs OUT. Refuses a bundle that is
// over its budget: a page that is slow to come up is a broken page.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET_GZIP = 100_000;
const FILES = ["index.html", "app.js", "app.css"];

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const out = process.argv[2] ?? join(here, "dist");

await mkdir(out, { recursive: true });
await build({
  entryPoints: [
    { in: join(here, "src/main.js"), out: "app" },
    { in: join(here, "src/style/app.css"), out: "app" },
  ],
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "iife",
  target: "es2022",
  legalComments: "inline",
  outdir: out,
  logLevel: "warning",
});
await copyFile(join(here, "src/index.html"), join(out, "index.html"));

let total = 0;
for (const file of FILES) {
  const zipped = gzipSync(await readFile(join(out, file)), { level: 9 });
  await writeFile(join(out, `${file}.gz`), zipped);
  total += zipped.length;
}
if (total > BUDGET_GZIP) {
  console.error(`the page has ${total} bytes gzipped, ${BUDGET_GZIP} at most`);
  process.exit(1);
}
