// A farm with tokens: the page asks for one, exchanges it for a session that no
// script can read, says what its role may not, and asks again when it is over.
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import assert from "node:assert/strict";
import { scene } from "./lib/scenes.js";

const BIN = resolve(process.env.FRAMEQ_BIN ?? new URL("../../build/dev/bin", import.meta.url).pathname);

function tokens(farm, ...args) {
  const env = { ...process.env, FRAMEQ_TOKENS: join(farm.folder, "tokens") };
  return execFileSync(join(BIN, "frameq"), ["token", ...args], { env, encoding: "utf8" }).trim();
}

async function signIn(page, token) {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/* What a session is, as the browser has it. */
async function assertSession(page) {
  const [cookie, ...others] = await page.context().cookies();
  assert.deepEqual(others, []);
  assert.match(cookie.name, /^frameq-session-\d+$/);
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path, cookie.expires], [true, "Strict", "/", -1]);
  const held = await page.evaluate(() => document.cookie + JSON.stringify([localStorage, sessionStorage]));
  assert.ok(!`${held}${cookie.value}${page.url()}`.includes("fq_"), "the token is kept somewhere");
}

scene("signed in, live, refused what the role does not allow; a restart is outlived, a token taken back is not", async ({ farm, show }) => {
  const admin = tokens(farm, "add", "--role", "admin", "boss");
  const reader = tokens(farm, "add", "--role", "read", "looker");
  await farm.broker("--tokens", join(farm.folder, "tokens"));
  const authorization = { Authorization: `Bearer ${admin}` };
  const { id } = await farm.ask("POST", "/v1/jobs", { frames: "1-5", name: "shot" }, authorization);
  const page = await show(`/jobs/${id}`, { live: false });
  await signIn(page, "fq_wrong");
  await page.getByText("the token is not known").waitFor();
  await signIn(page, reader);
  await page.getByRole("heading", { name: "shot" }).waitFor();
  await page.locator(".link.is-live").waitFor();
  await assertSession(page);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText(/Pause: .*role read/).waitFor();
  await farm.ask("PATCH", `/v1/jobs/${id}`, { paused: true }, authorization);
  await page.getByRole("button", { name: "Resume" }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Resume" }).waitFor();
  await farm.served.end("SIGKILL");
  await page.getByText("Live updates lost").waitFor();
  await farm.served.start();
  await page.locator(".link.is-live").waitFor();
  assert.equal(await page.getByLabel("Token").count(), 0);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
  assert.deepEqual(await page.context().cookies(), []);
  await signIn(page, reader);
  await page.getByRole("link", { name: "shot" }).waitFor();
  tokens(farm, "rm", "looker");
  await page.getByText("the session is over, or its token was taken back").waitFor();
}, { expected: /40[13]|ERR_/ });
