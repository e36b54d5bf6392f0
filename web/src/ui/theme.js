// Light, dark, or as the system is. `shade` changes whenever colours do, for
// what draws by itself.
import { createStore } from "../lib/store.js";
import { settings } from "./settings.js";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

export const shade = createStore("light");

function apply() {
  const wanted = settings.get().theme;
  const now = wanted === "system" ? (dark.matches ? "dark" : "light") : wanted;
  document.documentElement.dataset.theme = now;
  shade.set(now);
}

export const theme = {
  start() {
    settings.listen(apply);
    dark.addEventListener("change", apply);
    apply();
  },
};

/** The value of a colour of the style sheet now. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
