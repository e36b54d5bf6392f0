// The commands that make a machine render for this farm.
import { session } from "../farm/session.js";
import { html } from "../lib/html.js";
import { useStore } from "../lib/store.js";
import { Copy } from "./copy.js";

export function AddAgent() {
  const { token } = useStore(session);
  const secret = token ? "FRAMEQ_TOKEN=SECRET " : "";
  return html`<p>On the machine that is to render, with Blender installed; the scenes at the same path as here:</p>
    <${Copy} text="frameq-node --blend-root /path/to/scenes --output /path/to/frames" />
    <${Copy} text=${`${secret}frameq-agent --broker ${window.location.origin}`} />
    <p class="dim">It shows up here within a second of its start. On this machine alone: <code>frameq dev</code>.</p>`;
}
