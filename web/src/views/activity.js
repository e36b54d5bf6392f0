// Who did what, when, newest first; ?job=, ?user= and ?agent= filter.
import { useState } from "preact/hooks";
import { useSnapshot } from "../farm/snapshots.js";
import { ago, clockTime, jobName } from "../lib/format.js";
import { html } from "../lib/html.js";
import { ProblemBox } from "../parts/problem.js";
import { address } from "../ui/router.js";
import { useTitle } from "../ui/title.js";

const PAGE = 50;
const PAGE_MOST = 1000;

function Row({ row }) {
  return html`<tr>
    <td class="dim"><time datetime=${row.last_at} title=${clockTime(row.last_at)}>${ago(row.last_at)}</time></td>
    <td>${row.user && html`<a href=${address("/activity", { user: row.user })}>${row.user}</a>`}</td>
    <td>${row.what.replaceAll("_", " ")}${row.times > 1 && ` × ${row.times}`}</td>
    <td>${row.job && html`<a href=${`/jobs/${row.job}`}>${jobName(row)}</a>`}</td>
    <td>${row.agent && html`<a href=${address("/activity", { agent: row.agent })}>${row.agent}</a>`}</td>
    <td>${row.text}</td>
  </tr>`;
}

const HEADS = ["When", "Who", "What", "Job", "Agent", "Why"];

function Table({ rows }) {
  return html`<div class="scroll"><table><caption class="unseen">Activity</caption>
    <thead><tr>${HEADS.map((word) => html`<th key=${word} scope="col">${word}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<${Row} key=${row.id} row=${row} />`)}</tbody></table></div>`;
}

export function Activity({ place }) {
  useTitle("Activity");
  const { job, user, agent } = place.query;
  const [limit, setLimit] = useState(PAGE);
  const { data, problem } = useSnapshot(address("/v1/activity", { job, user, agent, limit }), { gap: 1000 });
  const filtered = job || user || agent;
  return html`<h1 tabindex="-1">Activity</h1>
    ${filtered && html`<p>Of ${[user, agent, job].filter(Boolean).join(", ")} only. <a href="/activity">Show all</a></p>`}
    <${ProblemBox} problem=${problem} what="Activity" />
    ${data?.activity.length > 0 && html`<${Table} rows=${data.activity} />`}
    ${data?.activity.length === 0 && html`<p class="box">Nothing was done yet.</p>`}
    ${data?.next && limit < PAGE_MOST && html`<p><button type="button" onClick=${() => setLimit(Math.min(PAGE_MOST, limit * 4))}>Show more</button></p>`}`;
}
