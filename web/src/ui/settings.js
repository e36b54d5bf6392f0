// What a person prefers on this machine, kept in localStorage.
import { createStore } from "../lib/store.js";

const KEY = "frameq-settings";
const DEFAULTS = { theme: "system", shortcuts: true };

function load() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY)) };
  } catch {
    return DEFAULTS;
  }
}

export const settings = createStore(load());

export function setSetting(name, value) {
  settings.set({ ...settings.get(), [name]: value });
  localStorage.setItem(KEY, JSON.stringify(settings.get()));
}
