// A farm with tokens: the page asks for one, says what it may not, and forgets
// it with the tab.
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import assert from "node:assert/strict";
import { scene } from "./lib/scenes.js";

const BIN = resolve(process.env.FRAMEQ_BIN ?? new URL("../../build/dev/bin", import.meta.url).pathname);

function makeToken(farm, ...args) {
  const env = { ...process.env, FRAMEQ_TOKENS: join(farm.folder, "tokens") };
  return execFileSync(join(BIN, "frameq"), ["token", "add", ...args], { env, encoding: "utf8" }).trim();
}

scene("signed in, live, and refused what the role does not allow", async ({ farm, show }) => {
  const admin = makeToken(farm, "--role", "admin", "boss");
  const reader = makeToken(farm, "--role", "read", "looker");
  await farm.broker("--tokens", join(farm.folder, "tokens"));
  const authorization = { Authorization: `Bearer ${admin}` };
  const { id } = await farm.ask("POST", "/v1/jobs", { frames: "1-5", name: "shot" }, authorization);
  const page = await show(`/jobs/${id}`, { live: false });
  await page.getByLabel("Token").fill("fq_wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("the token is not known").waitFor();
  await page.getByLabel("Token").fill(reader);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "shot" }).waitFor();
  await page.locator(".link.is-live").waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText(/Pause: .*role read/).waitFor();
  await farm.ask("PATCH", `/v1/jobs/${id}`, { paused: true }, authorization);
  await page.getByRole("button", { name: "Resume" }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Resume" }).waitFor();
  assert.ok(!page.url().includes("fq_"));
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
}, { expected: /40[13]/ });
