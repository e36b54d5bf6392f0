// How the broker serves the page.
import assert from "node:assert/strict";
import { scene } from "./lib/scenes.js";

scene("every view has an address, and nothing but our own code may run", async ({ farm }) => {
  await farm.broker();
  for (const path of ["/", "/jobs", "/jobs/abc", "/agents", "/submit"]) {
    const answer = await fetch(farm.url + path);
    assert.equal(answer.status, 200, path);
    assert.match(answer.headers.get("content-type"), /^text\/html/);
    assert.match(answer.headers.get("content-security-policy"), /default-src 'none'; script-src 'self'; style-src 'self';/);
  }
});

scene("compressed for those who take it, and not sent twice", async ({ farm }) => {
  await farm.broker();
  const get = (headers) => fetch(`${farm.url}/app.js`, { headers });
  const plain = await get({ "Accept-Encoding": "identity" });
  const zipped = await get({ "Accept-Encoding": "gzip" });
  assert.equal(plain.headers.get("content-encoding"), null);
  assert.equal(zipped.headers.get("content-encoding"), "gzip");
  assert.equal(zipped.headers.get("vary"), "Accept-Encoding");
  assert.equal(await plain.text(), await zipped.text());
  assert.notEqual(plain.headers.get("etag"), zipped.headers.get("etag"));
  const again = await get({ "Accept-Encoding": "gzip", "If-None-Match": zipped.headers.get("etag") });
  assert.equal(again.status, 304);
});
