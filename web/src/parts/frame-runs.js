// The frames in words: runs of one state, each to be selected. What the grid
// shows, for those who do not see it and for those who rather read.
import { frameAt, runsOf, sliceFrames } from "../lib/frames.js";
import { number } from "../lib/format.js";
import { html } from "../lib/html.js";
import { FRAME_STATES } from "../lib/states.js";

const RUNS_MOST = 200;

function Run({ spans, run, onSelect }) {
  const { word, glyph, colour } = FRAME_STATES[run.letter];
  const frames = sliceFrames(spans, run.from, run.to);
  const count = run.to - run.from + 1;
  return html`<li><button type="button" class="run" onClick=${() => onSelect(frames)}>
    <span class=${`sign is${colour.slice(1)}`} aria-hidden="true">${glyph}</span>
    <span class="run-frames">${count === 1 ? frameAt(spans, run.from) : frames}</span>
    <span class="dim">${count > 1 && `${number(count)} `}${word}</span></button></li>`;
}

export function FrameRuns({ spans, letters, onSelect }) {
  const runs = runsOf(letters);
  const shown = runs.slice(0, RUNS_MOST);
  return html`<div class="runs"><h3 class="unseen">The same in words</h3>
    <ol aria-label="Frames by state">${shown.map((run) => html`<${Run} key=${run.from} spans=${spans} run=${run} onSelect=${onSelect} />`)}</ol>
    ${runs.length > RUNS_MOST && html`<p class="dim">… and ${number(runs.length - RUNS_MOST)} more runs; <code>frameq frames</code> lists every frame.</p>`}
  </div>`;
}
