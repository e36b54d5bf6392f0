// What the buttons of a view do, as lines for a terminal.
import { cliLine, curlLine } from "../farm/commands.js";
import { session } from "../farm/session.js";
import { html } from "../lib/html.js";
import { useStore } from "../lib/store.js";
import { Copy } from "./copy.js";

export function CommandLines({ command }) {
  const { token } = useStore(session);
  const { origin } = window.location;
  return html`<div class="command">
    <p class="dim">${command.title}</p>
    <${Copy} label="frameq" text=${cliLine(command, origin)} />
    <${Copy} label="curl" text=${curlLine(command, origin, token !== null)} />
  </div>`;
}

export function Terminal({ commands, open = false }) {
  if (commands.length === 0) return null;
  return html`<details class="terminal" open=${open}>
    <summary>The same from a terminal</summary>
    ${commands.map((command) => html`<${CommandLines} key=${command.cli.join(" ")} command=${command} />`)}
  </details>`;
}
