// The movie of a job that is complete. Asked for by a button, since the broker
// may first have to make it; gone where it can make none.
import { useState } from "preact/hooks";
import { useBlob } from "../farm/blobs.js";
import { html } from "../lib/html.js";
import { jobName } from "../lib/format.js";

function Shown({ job }) {
  const { url, problem } = useBlob(`/v1/jobs/${job.id}/movie`, job.ended_at);
  if (problem) return html`<p class="dim" role="status">No movie: ${problem.detail || problem.message}</p>`;
  if (!url) return html`<p class="dim" role="status">The broker makes the movie…</p>`;
  return html`<video class="picture" controls src=${url} aria-label=${`Movie of ${jobName(job)}`} />
    <p><a href=${url} download=${`${jobName(job)}.mp4`}>Download the movie</a></p>`;
}

export function Movie({ job }) {
  const [asked, setAsked] = useState(false);
  if (job.state !== "completed") return null;
  return asked ? html`<${Shown} job=${job} />` : html`<p><button type="button" onClick=${() => setAsked(true)}>Show the movie</button></p>`;
}
