// Shortcuts of one key, or of "g" and one key. They rest while something is
// typed, and can be switched off (WCAG 2.1.4). Views register theirs while they
// are there; the sheet of "?" lists what is registered now.
import { useEffect } from "preact/hooks";
import { createStore } from "../lib/store.js";
import { settings } from "./settings.js";

const PREFIX_MS = 1500;

/** [{key, about, run}] of all that are registered. */
export const shortcuts = createStore([]);

const isTyping = (target) => target.matches?.("input, textarea, select, [contenteditable]");

let prefix = null;

function wordOf(event) {
  const word = prefix && event.timeStamp - prefix.at < PREFIX_MS ? `g ${event.key}` : event.key;
  prefix = event.key === "g" && word === "g" ? { at: event.timeStamp } : null;
  return word;
}

function onKey(event) {
  if (!settings.get().shortcuts || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const word = wordOf(event);
  const found = shortcuts.get().findLast(({ key }) => key === word);
  if (!found) return;
  event.preventDefault();
  found.run();
}

export const keys = {
  start: () => document.addEventListener("keydown", onKey),
};

/** list: [[key, about, run]]; the last run given is the one that is called. */
export function useShortcuts(list) {
  const mine = list.map(([key, about, run]) => ({ key, about, run }));
  useEffect(() => {
    shortcuts.set([...shortcuts.get(), ...mine]);
    return () => shortcuts.set(shortcuts.get().filter((one) => !mine.includes(one)));
  });
}
