// The movie of a job that is complete. Asked for by a button, since the broker
// may first have to make it; gone where it can make none.
import { useState } from "preact/hooks";
import { useArrival } from "../farm/arrival.js";
import { html } from "../lib/html.js";
import { jobName } from "../lib/format.js";

const SUFFIXES = { ffv1: "mkv", prores: "mov" }; // the others are mp4

function Shown({ job }) {
  const path = `/v1/jobs/${job.id}/movie`;
  const { src, problem, onError } = useArrival(path, job.ended_at);
  const [ready, setReady] = useState(false);
  if (problem) return html`<p class="dim" role="status">No movie: ${problem.detail || problem.message}</p>`;
  return html`${!ready && html`<p class="dim" role="status">The broker makes the movie…</p>`}
    <video class="picture" controls src=${src} aria-label=${`Movie of ${jobName(job)}`} onLoadedMetadata=${() => setReady(true)} onError=${onError} />
    ${ready && html`<p><a href=${path} data-file download=${`${jobName(job)}.${SUFFIXES[job.movie?.codec] ?? "mp4"}`}>Download the movie</a></p>`}`;
}

export function Movie({ job }) {
  const [asked, setAsked] = useState(false);
  if (job.state !== "completed") return null;
  return asked ? html`<${Shown} key=${job.ended_at} job=${job} />` : html`<p><button type="button" onClick=${() => setAsked(true)}>Show the movie</button></p>`;
}
