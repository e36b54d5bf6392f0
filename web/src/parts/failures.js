// Why frames fail, alike ones together, each group with one button.
import { retryFrames } from "../farm/commands.js";
import { useSnapshot } from "../farm/snapshots.js";
import { jobName, plural } from "../lib/format.js";
import { parseFrames } from "../lib/frames.js";
import { html } from "../lib/html.js";
import { act } from "../ui/act.js";
import { address } from "../ui/router.js";
import { ProblemBox } from "./problem.js";
import { Terminal } from "./terminal.js";

function Group({ job, group }) {
  const command = retryFrames(job, group.frames);
  const { first } = parseFrames(group.frames)[0];
  const again = group.count - group.failed;
  return html`<li class=${group.failed > 0 ? "failure" : "failure is-met"}>
    <div class="failure-head">
      <span class=${group.failed > 0 ? "bad" : "warn"}><span aria-hidden="true">${group.failed > 0 ? "✕" : "↻"}</span> ${plural(group.count, "frame")}</span>
      <strong>${group.fault.replaceAll("_", " ")}</strong>
      <a href=${address(`/jobs/${job.id}`, { frames: group.frames })}>${group.frames}</a>
      <a href=${address(`/jobs/${job.id}`, { frames: String(first), log: "1" })}>Log of frame ${first}</a>
      <span class="dim">on ${group.agents.join(", ") || "no agent"}${group.failed === 0 ? "; none was given up" : again > 0 && `; ${group.failed} given up`}</span>
      <span class="grow"></span>
      ${group.failed > 0 && html`<button type="button" onClick=${() => act(command, jobName(job))}>Retry ${plural(group.count, "frame")}</button>`}
    </div>
    ${group.text && html`<code class="said">${group.text}</code>`}
    <p>${group.remedy}</p>
    ${group.failed > 0 && html`<${Terminal} commands=${[command]} />`}
  </li>`;
}

export function Failures({ job }) {
  const { data, problem } = useSnapshot(`/v1/jobs/${job.id}/failures`, { gap: 1000 });
  if (!data) return html`<${ProblemBox} problem=${problem} what="Failures" />`;
  if (data.failures.length === 0) return null;
  return html`<section aria-labelledby="failures-title"><h2 id="failures-title">Why frames fail</h2>
    <ul class="plain">${data.failures.map((group) => html`<${Group} key=${group.fault + group.frames} job=${job} group=${group} />`)}</ul>
  </section>`;
}
