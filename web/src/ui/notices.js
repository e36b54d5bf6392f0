// What just happened, in a line: said aloud, shown, and gone again by itself
// unless it is bad news.
import { createStore } from "../lib/store.js";

const GOOD_MS = 6000;

/** {text, bad} or null. */
export const notice = createStore(null);

export function tell(text, bad = false) {
  const mine = { text, bad };
  notice.set(mine);
  if (!bad) setTimeout(() => notice.get() === mine && notice.set(null), GOOD_MS);
}
