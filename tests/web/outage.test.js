// The broker is killed while the page is open: the page says so, keeps what it
// had, and goes on by itself.
import assert from "node:assert/strict";
import { markDocument, scene } from "./lib/scenes.js";

const LOST = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/;

scene("killed and started again", async ({ farm, show }) => {
  await farm.broker();
  const { id } = await farm.submit({ frames: "1-10", name: "shot" });
  const page = await show(`/jobs/${id}`);
  await page.getByRole("button", { name: "1-10 10 waiting" }).waitFor();
  const same = await markDocument(page);
  await farm.served.end("SIGKILL");
  await page.getByText("Live updates lost").waitFor();
  assert.ok(await page.getByRole("heading", { name: "shot" }).isVisible());
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Pause: No answer from the broker").waitFor();
  await farm.served.start();
  await page.locator(".link.is-live").waitFor();
  await page.getByText("Live updates lost").waitFor({ state: "detached" });
  await farm.ask("POST", `/v1/jobs/${id}/frames:cancel`, { frames: "1-4" });
  await page.getByRole("button", { name: "1-4 4 cancelled" }).waitFor();
  assert.ok(await same(), "the document was loaded again");
}, { expected: LOST });

scene("what happened while the page was away is there when it is back", async ({ farm, show }) => {
  await farm.broker();
  const page = await show("/");
  const topics = [];
  page.on("request", (request) => request.url().includes("/v1/events") && topics.push(request.headers()["last-event-id"]));
  await page.context().setOffline(true);
  await farm.served.end();
  await farm.served.start();
  await farm.submit({ frames: "1-3", name: "meanwhile" });
  await page.context().setOffline(false);
  await page.getByRole("link", { name: "meanwhile" }).waitFor();
  assert.match(topics.at(-1), /^\d+:\d+$/);
}, { expected: /ERR_/ });

scene("a job that is not there", async ({ farm, show }) => {
  await farm.broker();
  const page = await show("/jobs/aaaaaaaaaaaaaaaaaaaaaa");
  await page.getByRole("heading", { name: "No such job" }).waitFor();
}, { expected: /404/ });
