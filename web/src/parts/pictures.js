// How the job looks: the frame rendered last, a slider over all that are done,
// and the sheet of their thumbnails, each read once it comes into sight.
import { useEffect, useRef, useState } from "preact/hooks";
import { useArrival } from "../farm/arrival.js";
import { useDoneFrames } from "../farm/done-frames.js";
import { html } from "../lib/html.js";
import { jobName, number } from "../lib/format.js";
import { setQuery } from "../ui/router.js";
import { Dialog } from "./dialog.js";
import { Movie } from "./movie.js";
import { Picture } from "./picture.js";

const SHEET_STEP = 96;

const thumbnail = (job, { frame }) => `/v1/jobs/${job.id}/frames/${frame}/thumbnail`;

function useInSight(ref) {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const watch = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true), { rootMargin: "200px" });
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return seen;
}

function Cell({ job, frame, onChoose }) {
  const button = useRef(null);
  const seen = useInSight(button);
  const { src, problem, onError } = useArrival(seen ? thumbnail(job, frame) : null, frame.at);
  return html`<li><button type="button" class="thumb" ref=${button} onClick=${() => onChoose(frame.frame)}>
    ${src ? html`<img src=${src} alt=${`Frame ${frame.frame}`} onError=${onError} />` : html`<span>${problem ? "no picture" : ""}<span class="unseen"> Frame ${frame.frame}</span></span>`}
    <span class="dim" aria-hidden="true">${frame.frame}</span></button></li>`;
}

function Sheet({ job, frames, onChoose }) {
  const [most, setMost] = useState(SHEET_STEP);
  return html`<details class="sheet"><summary>Contact sheet</summary>
    <ul aria-label="Thumbnails">${frames.slice(0, most).map((frame) => html`<${Cell} key=${frame.frame} job=${job} frame=${frame} onChoose=${onChoose} />`)}</ul>
    ${frames.length > most && html`<button type="button" onClick=${() => setMost(most + SHEET_STEP)}>Show more of ${number(frames.length)}</button>`}
  </details>`;
}

function Shown({ job, frame, isLast, onOpen }) {
  const { src, problem, onError } = useArrival(thumbnail(job, frame), frame.at);
  const words = `Frame ${frame.frame}${isLast ? ", rendered last" : ""}`;
  if (problem) return html`<p class="dim">${words}: no picture. ${problem.detail || problem.message}</p>`;
  return html`<figure class="shown">
    <button type="button" class="thumb" onClick=${onOpen}><img src=${src} alt=${`${words} of ${jobName(job)}: show the full picture`} onError=${onError} /></button>
    <figcaption class="dim">${words}</figcaption>
  </figure>`;
}

function Slider({ frames, at, onMove }) {
  return html`<label class="scrub">Look through
    <input type="range" min="0" max=${frames.length - 1} step="1" value=${at} aria-valuetext=${`Frame ${frames[at].frame}`}
      onInput=${(event) => onMove(frames[Number(event.target.value)].frame)} /></label>`;
}

function latestOf(frames) {
  return frames.reduce((best, frame) => (Date.parse(frame.at) >= Date.parse(best.at) ? frame : best));
}

export function Pictures({ job }) {
  const frames = useDoneFrames(job) ?? [];
  const [chosen, setChosen] = useState(null); // null: whichever is the last
  const [open, setOpen] = useState(false);
  if (frames.length === 0) return null;
  const last = latestOf(frames);
  const frame = frames.find((one) => one.frame === chosen) ?? last;
  return html`<section class="pictures" aria-labelledby="pictures-title"><h2 id="pictures-title" class="unseen">Pictures</h2>
    <${Shown} job=${job} frame=${frame} isLast=${frame === last} onOpen=${() => setOpen(true)} />
    <div class="looking">
      ${frames.length > 1 && html`<${Slider} frames=${frames} at=${frames.indexOf(frame)} onMove=${setChosen} />`}
      <div class="buttons">
        <button type="button" onClick=${() => setQuery({ frames: String(frame.frame) })}>Facts of frame ${frame.frame}</button>
        ${chosen !== null && html`<button type="button" onClick=${() => setChosen(null)}>The last again</button>`}</div>
      <${Movie} job=${job} />
    </div>
    <${Sheet} job=${job} frames=${frames} onChoose=${(n) => { setChosen(n); setOpen(true); }} />
    <${Dialog} open=${open} onClose=${() => setOpen(false)} label=${`Frame ${frame.frame}`}>
      <${Picture} key=${frame.at} path=${`/v1/jobs/${job.id}/frames/${frame.frame}/image`} file=${frame.files?.[0]} alt=${`Frame ${frame.frame} of ${jobName(job)}`} />
      <p class="buttons"><button type="button" onClick=${() => setOpen(false)}>Close</button></p>
    </${Dialog}>
  </section>`;
}
