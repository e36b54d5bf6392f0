// An address the page does not know.
import { html } from "../lib/html.js";

export const Nowhere = () => html`<h1 tabindex="-1">There is nothing here</h1>
  <p>This address names no view of the farm. <a href="/jobs">All jobs</a> · <a href="/agents">Agents</a></p>`;
