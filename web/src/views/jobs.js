// All jobs, newest first; filters stand in the address.
import { useEffect, useRef, useState } from "preact/hooks";
import { useSnapshot } from "../farm/snapshots.js";
import { ago, clockTime, duration, jobName, leftText, number } from "../lib/format.js";
import { html } from "../lib/html.js";
import { isEnded, JOB_STATES } from "../lib/states.js";
import { Cells } from "../parts/cells.js";
import { FirstJob } from "../parts/first-job.js";
import { ProblemBox } from "../parts/problem.js";
import { JobState } from "../parts/state.js";
import { useShortcuts } from "../ui/keys.js";
import { address, setQuery } from "../ui/router.js";
import { useTitle } from "../ui/title.js";

const PAGE = 50;
const TYPING_MS = 250;

const listPath = ({ state, q, user }, limit) => address("/v1/jobs", { state, q, user, limit });

function Chip({ state, count, current }) {
  const href = address("/jobs", { state });
  return html`<a class="chip" href=${href} aria-current=${state === current ? "true" : undefined}>
    ${state && html`<span aria-hidden="true" class=${`is-${JOB_STATES[state].colour}`}>${JOB_STATES[state].glyph} </span>`}${state || "all"} <b>${count ?? ""}</b></a>`;
}

function Chips({ farm, current }) {
  const counts = farm?.jobs;
  return html`<nav class="chips" aria-label="Jobs by state">
    <${Chip} state="" count=${counts?.total} current=${current} />
    ${Object.keys(JOB_STATES).map((state) => html`<${Chip} key=${state} state=${state} count=${counts?.[state]} current=${current} />`)}
  </nav>`;
}

function Search({ query, field }) {
  const [text, setText] = useState(query.q ?? "");
  useEffect(() => {
    const timer = setTimeout(() => (query.q ?? "") !== text && setQuery({ q: text }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => setText(query.q ?? ""), [query.q]);
  return html`<label class="inline search"><span class="unseen">Search by name or id</span>
    <input type="search" ref=${field} placeholder="Search name or id  ( / )" value=${text} onInput=${(event) => setText(event.target.value)} /></label>`;
}

function whenText(job) {
  if (job.ended_at) return `took ${duration((Date.parse(job.ended_at) - Date.parse(job.started_at ?? job.created_at)) / 1000)}`;
  return leftText(job);
}

function Row({ job }) {
  const { counts } = job;
  return html`<tr>
    <td class="name"><a href=${`/jobs/${job.id}`} data-row>${jobName(job)}</a>
      ${job.warnings.length > 0 && !isEnded(job) && html` <span class="warn" title=${job.warnings.join("\n")}>! ${job.warnings[0]}</span>`}</td>
    <td><${JobState} state=${job.state} /></td>
    <td><${Cells} job=${job} /></td>
    <td class="num">${number(counts.done)}/${number(counts.total)}${counts.failed > 0 && html` <span class="bad">✕ ${number(counts.failed)}</span>`}</td>
    <td class="num">${whenText(job)}</td>
    <td class="num">${job.priority}</td>
    <td>${job.user}</td>
    <td class="dim"><time datetime=${job.created_at} title=${clockTime(job.created_at)}>${ago(job.created_at)}</time></td>
  </tr>`;
}

const HEADS = [["Job"], ["State"], ["Progress"], ["Frames", "num"], ["Left", "num"], ["Priority", "num"], ["User"], ["Submitted"]];

function Table({ jobs }) {
  return html`<div class="scroll"><table class="jobs">
    <caption class="unseen">Jobs</caption>
    <thead><tr>${HEADS.map(([word, kind]) => html`<th key=${word} scope="col" class=${kind}>${word}</th>`)}</tr></thead>
    <tbody>${jobs.map((job) => html`<${Row} key=${job.id} job=${job} />`)}</tbody>
  </table></div>`;
}

function NoHit() {
  return html`<p class="box">No job is like that. <a href="/jobs">Show all jobs</a></p>`;
}

/* j and k walk the rows; Enter opens one, as on any link. */
function walk(step) {
  const rows = [...document.querySelectorAll("a[data-row]")];
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
}

/* While another list is on its way, the one before it stays. */
function useLast({ data, problem }) {
  const last = useRef(null);
  if (data) last.current = data;
  return { data: last.current, problem };
}

export function Jobs({ place, farm }) {
  const { query } = place;
  const field = useRef(null);
  const [limit, setLimit] = useState(PAGE);
  const { data, problem } = useLast(useSnapshot(listPath(query, limit), { gap: 500 }));
  useTitle("Jobs");
  useShortcuts([
    ["/", "Search", () => field.current.focus()],
    ["j", "Next job", () => walk(1)],
    ["k", "Job before", () => walk(-1)],
  ]);
  const filtered = query.state || query.q || query.user;
  return html`<div class="title-row"><h1 tabindex="-1">Jobs</h1><span class="grow"></span>
      <${Search} query=${query} field=${field} /><a class="button main" href="/submit">New job</a></div>
    <${Chips} farm=${farm} current=${query.state ?? ""} />
    <${ProblemBox} problem=${problem} what="Jobs" />
    ${data?.jobs.length > 0 && html`<${Table} jobs=${data.jobs} />`}
    ${data?.jobs.length === 0 && (filtered ? html`<${NoHit} />` : html`<${FirstJob} farm=${farm} />`)}
    ${data?.next && html`<p><button type="button" onClick=${() => setLimit(limit + 2 * PAGE)}>Show more</button></p>`}`;
}
