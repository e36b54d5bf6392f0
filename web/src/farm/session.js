// Who this browser is to the farm. Where the farm has tokens, one is exchanged
// for a cookie that no script can read (POST /v1/session); the token itself is
// kept nowhere. Pictures, movies and links carry the cookie by themselves.
import { createStore } from "../lib/store.js";
import { ask } from "./api.js";

const PATH = "/v1/session";

/** {token, user, role, wanted}: token is the name of ours, null without one;
 *  wanted is the broker's reason once it has refused us. */
export const session = createStore({ token: null, user: "", role: "", wanted: null });

const take = async (answer) => session.set({ ...(await answer.json()), wanted: null });

/** Asks who we are; a refusal is told by wanted. */
export const lookAtSession = () => ask(PATH).then(take, () => {});

export const signIn = (token) => ask(PATH, { method: "POST", headers: { Authorization: `Bearer ${token}` } }).then(take);

/** Loads the page anew: nothing that was read stays. */
export async function signOut() {
  await ask(PATH, { method: "DELETE" });
  window.location.assign("/");
}

export function askForToken(reason) {
  session.set({ ...session.get(), wanted: reason });
}
