// The token of this tab, where the farm wants one. It stays in sessionStorage,
// goes out in the Authorization header only, and is forgotten with the tab.
import { createStore } from "../lib/store.js";

const KEY = "frameq-token";

/** {token, wanted}: wanted is the broker's reason once it has refused us. */
export const session = createStore({ token: sessionStorage.getItem(KEY) ?? "", wanted: null });

export function signIn(token) {
  sessionStorage.setItem(KEY, token);
  session.set({ token, wanted: null });
}

/** Loads the page anew: nothing that was read stays. */
export function signOut() {
  sessionStorage.removeItem(KEY);
  window.location.assign("/");
}

export function askForToken(reason) {
  session.set({ ...session.get(), wanted: reason });
}

export function authorization() {
  const { token } = session.get();
  return token ? { Authorization: `Bearer ${token}` } : {};
}
