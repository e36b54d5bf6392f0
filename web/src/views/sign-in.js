// Asks for a token, where the farm has tokens.
import { useState } from "preact/hooks";
import { session, signIn } from "../farm/session.js";
import { html } from "../lib/html.js";
import { useStore } from "../lib/store.js";
import { tell } from "../ui/notices.js";

export function SignIn() {
  const { wanted } = useStore(session);
  const [token, setToken] = useState("");
  function onSubmit(event) {
    event.preventDefault();
    signIn(token.trim()).catch((refusal) => refusal.status !== 401 && tell(`Sign in: ${refusal.message}`, true));
  }
  return html`<h1 tabindex="-1">Sign in</h1>
    <p role="alert">${wanted}</p>
    <form class="narrow" onSubmit=${onSubmit}>
      <label>Token
        <input type="password" autocomplete="current-password" required value=${token} onInput=${(event) => setToken(event.target.value)} />
      </label>
      <p class="dim">Who runs the farm makes one with <code>frameq token add --role submit NAME</code>. This browser stays signed in until it is closed, for a week at most; the token itself is not kept.</p>
      <button type="submit" class="main">Sign in</button>
    </form>`;
}
