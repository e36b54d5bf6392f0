// All of it with the keyboard alone.
import assert from "node:assert/strict";
import { scene } from "./lib/scenes.js";

const TABS_MOST = 80;

/** Tab, as often as it takes: what is reached so is in the order of focus. */
async function tabTo(page, target) {
  const there = () => target.evaluate((node) => node === document.activeElement);
  for (let tabs = 0; !(await there()); tabs++) {
    assert.ok(tabs < TABS_MOST, "it is not reached by Tab");
    await page.keyboard.press("Tab");
  }
}

scene("submitted, opened, a range cancelled, a priority set: no mouse", async ({ farm, show }) => {
  await farm.broker();
  const page = await show("/");
  const press = (...names) => names.reduce((before, name) => before.then(() => page.keyboard.press(name)), Promise.resolve());
  const type = (text) => page.keyboard.type(text);
  await page.getByText("No jobs yet").waitFor();
  await press("g", "s");
  await page.getByRole("heading", { name: "Submit a job" }).waitFor();
  await page.locator("h1:focus").waitFor();
  await press("Tab");
  await type("1-60");
  await press("Tab", "Tab");
  await type("by_keys");
  await press("Enter");
  await page.getByRole("heading", { name: "by_keys" }).waitFor();
  await press("g", "j");
  await page.getByRole("link", { name: "by_keys" }).waitFor();
  await press("j");
  await page.locator("a[data-row]:focus").waitFor();
  await press("Enter");
  await page.getByRole("application").waitFor();
  await page.getByRole("application").focus();
  await press("ArrowRight", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight");
  assert.equal(await page.getByLabel("Selected frames").getByRole("textbox").inputValue(), "2-4");
  await page.getByText("Frame 4: waiting").waitFor();
  await page.getByRole("button", { name: "Cancel 3 frames" }).focus();
  await press("Enter");
  await page.getByRole("button", { name: "2-4 3 cancelled" }).waitFor();
  await press("p");
  await page.locator("main .state", { hasText: "paused" }).waitFor();
  await page.getByRole("spinbutton", { name: "Priority" }).focus();
  await press("ArrowUp", "Enter");
  await page.getByText("Priority is now 51 for by_keys").waitFor();
  await page.getByRole("button", { name: "Resume" }).focus();
  await press("x");
  await page.getByRole("dialog").waitFor();
  await press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await press("x");
  await page.getByLabel("Reason, for others to see").focus();
  await type("wrong camera");
  await press("Enter");
  await page.getByText("cancelled: wrong camera").waitFor();
});

scene("a failed frame's log is read, the group retried, frames turn done: no mouse", async ({ farm, show }) => {
  await farm.broker();
  const node = await farm.agent({ frameMs: 5 });
  await node.trick({ "quit-at-frame": "3" });
  const { id } = await farm.submit({ frames: "1-6", name: "shot", batch: 1, max_attempts: 1 });
  await farm.until(id, (job) => job.state === "failed");
  await node.trick({ "quit-at-frame": "off" });
  const page = await show("/");
  await page.getByRole("link", { name: "shot" }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const log = page.getByRole("link", { name: "Log of frame 3" });
  await log.waitFor();
  await tabTo(page, log);
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Log of frame 3" }).waitFor();
  const close = page.getByRole("button", { name: "Close the log" });
  await tabTo(page, close);
  await page.keyboard.press("Enter");
  await close.waitFor({ state: "detached" });
  await tabTo(page, page.getByRole("listitem").filter({ hasText: "crash" }).getByRole("button", { name: "Retry 1 frame" }));
  await page.keyboard.press("Enter");
  await page.locator("main .state", { hasText: "completed" }).waitFor();
  await page.getByRole("button", { name: "1-6 6 done" }).waitFor();
  await tabTo(page, page.getByRole("button", { name: /^Frame 3, rendered last/ }));
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("img", { name: "Frame 3 of shot" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
});

scene("the sheet lists the keys, and they can be switched off", async ({ farm, show }) => {
  await farm.broker();
  const page = await show("/");
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Next job").waitFor();
  await page.getByLabel("Shortcuts of single keys").focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  assert.ok(await page.getByRole("heading", { name: "Jobs", exact: true }).isVisible());
});
