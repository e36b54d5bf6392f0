// The frames of a job: as a grid to look at and point into, as rows of text
// beside it, and what one can do with those selected.
import { useSnapshot } from "../farm/snapshots.js";
import { countFrames, ordinalsOf, parseFrames } from "../lib/frames.js";
import { html } from "../lib/html.js";
import { FRAME_STATES } from "../lib/states.js";
import { setQuery } from "../ui/router.js";
import { FrameDetail } from "./frame-detail.js";
import { FrameGrid } from "./frame-grid.js";
import { FrameRuns } from "./frame-runs.js";
import { ProblemBox } from "./problem.js";
import { Selection } from "./selection.js";

const select = (frames) => setQuery({ frames, log: "" });

function Legend() {
  return html`<ul class="legend" aria-label="What the signs mean">
    ${Object.entries(FRAME_STATES).map(([letter, { word, glyph, colour }]) => html`<li key=${letter}>
      <span class=${`sign is${colour.slice(1)}`} aria-hidden="true">${glyph}</span> ${word}</li>`)}
  </ul>`;
}

export function Frames({ job, selected, log }) {
  const { data, problem } = useSnapshot(`/v1/jobs/${job.id}/frames?view=states`, { gap: 250 });
  if (!data) return html`<section><h2>Frames</h2><${ProblemBox} problem=${problem} what="Frames" /></section>`;
  const spans = parseFrames(data.frames);
  const ordinals = selected ? ordinalsOf(spans, selected) : new Set();
  const one = ordinals?.size === 1 ? parseFrames(selected)[0].first : null;
  return html`<section class="frames" aria-labelledby="frames-title">
    <div class="title-row"><h2 id="frames-title">Frames <span class="dim">${data.frames}</span></h2><${Legend} /></div>
    <div class="frames-body">
      <${FrameGrid} spans=${spans} letters=${data.states} selected=${ordinals ?? new Set()} onSelect=${select} />
      <${FrameRuns} spans=${spans} letters=${data.states} onSelect=${select} />
    </div>
    <${Selection} job=${job} text=${selected} ordinals=${ordinals} letters=${data.states} total=${countFrames(spans)} onSelect=${select} />
    ${one !== null && html`<${FrameDetail} key=${one} job=${job} frame=${one} log=${log} />`}
  </section>`;
}
