// One job: how it stands, what hinders it, its frames, why they fail, what one
// can do. Frames selected stand in the address (?frames=61-72).
import { useFollow } from "../farm/link.js";
import { useSnapshot } from "../farm/snapshots.js";
import { ago, clockTime, duration, jobName, leftText, number } from "../lib/format.js";
import { html } from "../lib/html.js";
import { isEnded } from "../lib/states.js";
import { WhyJob } from "../parts/explain.js";
import { Failures } from "../parts/failures.js";
import { Frames } from "../parts/frames.js";
import { JobActions } from "../parts/job-actions.js";
import { JobAgents } from "../parts/job-agents.js";
import { JobFacts } from "../parts/job-facts.js";
import { Pictures } from "../parts/pictures.js";
import { ProblemBox } from "../parts/problem.js";
import { SecondsGraph } from "../parts/seconds-graph.js";
import { JobState } from "../parts/state.js";
import { useTitle } from "../ui/title.js";

function Figure({ word, kind, children }) {
  return html`<div class=${`figure ${kind ?? ""}`}><dt>${word}</dt><dd>${children}</dd></div>`;
}

const tookOrLeft = (job) => (isEnded(job) ? duration((Date.parse(job.ended_at) - Date.parse(job.started_at ?? job.created_at)) / 1000) : leftText(job));

function Figures({ job }) {
  const { counts, seconds } = job;
  return html`<dl class="figures">
    <${Figure} word="Done">${number(counts.done)}<small> of ${number(counts.total)}</small></${Figure}>
    <${Figure} word="Out">${number(counts.leased)}</${Figure}>
    <${Figure} word="Waiting">${number(counts.pending)}</${Figure}>
    <${Figure} word="Failed" kind=${counts.failed > 0 ? "bad" : ""}>${counts.failed > 0 && html`<span aria-hidden="true">✕ </span>`}${number(counts.failed)}</${Figure}>
    <${Figure} word=${isEnded(job) ? "Took" : "Left"}>${tookOrLeft(job)}</${Figure}>
    <${Figure} word="A frame">${seconds ? duration(seconds.p50) : "–"}<small>${seconds && ` at most ${duration(seconds.max)}`}</small></${Figure}>
  </dl>`;
}

function Warnings({ job }) {
  const lines = [...(job.reason ? [`${job.state}: ${job.reason}`] : []), ...(isEnded(job) ? [] : job.warnings)];
  if (lines.length === 0) return null;
  return html`<ul class="box warn-box" aria-label="What hinders it">${lines.map((line) => html`<li key=${line}>${line}</li>`)}</ul>`;
}

function Missing({ problem, id }) {
  if (problem.status !== 404) return html`<${ProblemBox} problem=${problem} what="Job" />`;
  return html`<h1 tabindex="-1">No such job</h1>
    <p>The farm has no job <code>${id}</code>. It may have been forgotten: ended jobs are kept for as long as the broker's <code>--keep</code> says.</p>
    <p><a href="/jobs">All jobs</a></p>`;
}

function Title({ job }) {
  return html`<div class="title-row">
      <h1 tabindex="-1"><span class="crumb"><a href="/jobs">Jobs</a> › </span>${jobName(job)}</h1>
      <${JobState} state=${job.state} />
    </div>
    <p class="dim">${job.user} · submitted <time datetime=${job.created_at} title=${clockTime(job.created_at)}>${ago(job.created_at)}</time> · <code>${job.id}</code></p>`;
}

function titleOf(job) {
  const how = isEnded(job) ? job.state : `${Math.floor((100 * job.counts.done) / job.counts.total)} %`;
  return `${how} ${jobName(job)}`;
}

export function Job({ place }) {
  const path = `/v1/jobs/${place.id}`;
  const { data: job, problem } = useSnapshot(path);
  useFollow([place.id]);
  useTitle(job ? titleOf(job) : "Job");
  if (!job) return problem ? html`<${Missing} problem=${problem} id=${place.id} />` : html`<h1 tabindex="-1" class="dim">Reading the job…</h1>`;
  if (problem?.status === 404) return html`<${Missing} problem=${problem} id=${place.id} />`;
  return html`<${Title} job=${job} />
    <${Warnings} job=${job} />
    <${Figures} job=${job} />
    ${job.state === "queued" && html`<${WhyJob} job=${job} />`}
    <${JobActions} job=${job} />
    <${Pictures} job=${job} />
    <${Frames} job=${job} selected=${place.query.frames ?? ""} log=${place.query.log === "1"} />
    <${Failures} job=${job} />
    <div class="columns">
      <${SecondsGraph} job=${job} />
      <${JobAgents} job=${job} />
    </div>
    <${JobFacts} job=${job} />`;
}
