// What a farm without jobs shows: how to submit the first one, three ways.
import { submitJob } from "../farm/commands.js";
import { html } from "../lib/html.js";
import { AddAgent } from "./add-agent.js";
import { CommandLines } from "./terminal.js";

const FIRST = submitJob({ frames: "1-20" }, "");

export function FirstJob({ farm }) {
  const lonely = farm && farm.agents.up === 0;
  return html`<section class="box empty">
    <h2>No jobs yet</h2>
    <p>Twenty frames of the scene the nodes were started with: <a href="/submit?frames=1-20">by the form</a>, or</p>
    <${CommandLines} command=${{ ...FIRST, title: "from a terminal" }} />
    ${lonely && html`<h2>And nobody to render them</h2><${AddAgent} farm=${farm} />`}
  </section>`;
}
