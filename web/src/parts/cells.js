// A job in 128 cells: where its frames stand, from first to last. A state has a
// height besides its colour: done is full, waiting is a line at the bottom.
import { useEffect, useRef } from "preact/hooks";
import { useSnapshot } from "../farm/snapshots.js";
import { html } from "../lib/html.js";
import { useStore } from "../lib/store.js";
import { FRAME_STATES, lettersOfCounts, squeeze } from "../lib/states.js";
import { colour, shade } from "../ui/theme.js";

const CELLS = 128;
const WIDTH = 2 * CELLS;
const HEIGHT = 28;
const LETTERS_MOST = 20_000; // a longer job is shown by its counts

function draw(canvas, cells) {
  const context = canvas.getContext("2d");
  const width = WIDTH / cells.length;
  context.clearRect(0, 0, WIDTH, HEIGHT);
  [...cells].forEach((letter, i) => {
    const { colour: name, height } = FRAME_STATES[letter];
    const from = Math.round(i * width);
    const tall = Math.max(3, HEIGHT * height);
    const gap = width >= 6 ? 1 : 0;
    context.fillStyle = colour(name);
    context.fillRect(from, HEIGHT - tall, Math.round((i + 1) * width) - from - gap, tall);
    if (letter === "f") context.clearRect(from, HEIGHT / 2 - 3, Math.ceil(width), 6); // a notch
  });
}

function label({ total, done, failed, leased }) {
  const parts = [`${done} of ${total} frames done`];
  if (leased) parts.push(`${leased} out`);
  if (failed) parts.push(`${failed} failed`);
  return parts.join(", ");
}

/* All in one state: that is where they stand; no need to ask. */
const isMixed = ({ total, ...states }) => total <= LETTERS_MOST && !Object.values(states).includes(total);

export function Cells({ job }) {
  const canvas = useRef(null);
  const { counts } = job;
  const path = isMixed(counts) ? `/v1/jobs/${job.id}/frames?view=states` : null;
  const { data } = useSnapshot(path, { gap: 1000 });
  const letters = data && path ? data.states : lettersOfCounts(counts, CELLS);
  const { cells } = squeeze(letters, CELLS);
  const now = useStore(shade);
  useEffect(() => draw(canvas.current, cells), [cells, now]);
  return html`<canvas ref=${canvas} class="cells" width=${WIDTH} height=${HEIGHT} role="img" aria-label=${label(counts)} />`;
}
