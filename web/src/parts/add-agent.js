// The commands that make a machine render for this farm.
import { session } from "../farm/session.js";
import { html } from "../lib/html.js";
import { useStore } from "../lib/store.js";
import { Copy } from "./copy.js";

const isLoopback = (host) => host === "localhost" || host === "[::1]" || host.startsWith("127.");

/* On this machine alone nothing is secret; elsewhere the broker may want a key. */
function Join({ farm, secret }) {
  const { hostname, origin } = window.location;
  if (isLoopback(hostname) && !farm?.server_key) return html`<${Copy} text=${`${secret}frameq-agent --broker ${origin}`} />`;
  return html`<p>Here, which prints the line to run there:</p>
    <${Copy} text=${`${secret}frameq agents add NAME --broker ${origin}`} />`;
}

export function AddAgent({ farm }) {
  const { token } = useStore(session);
  const secret = token ? "FRAMEQ_TOKEN=SECRET " : "";
  return html`<p>On the machine that is to render, with Blender installed; the scenes at the same path as here:</p>
    <${Copy} text="frameq-node --blend-root /path/to/scenes --output /path/to/frames" />
    <${Join} farm=${farm} secret=${secret} />
    <p class="dim">It shows up here within a second of its start. On this machine alone: <code>frameq dev</code>.</p>`;
}
