// The grid of frames: one canvas, whatever their number. Click selects a frame,
// dragging a range; arrows move, with Shift they extend. What the cursor is on
// is said aloud. The same in text stands beside it (frame-runs.js).
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { frameAt, sliceFrames } from "../lib/frames.js";
import { html } from "../lib/html.js";
import { useStore } from "../lib/store.js";
import { FRAME_STATES } from "../lib/states.js";
import { shade } from "../ui/theme.js";
import { layOut, ordinalAt, paint, paintChanges } from "./grid-paint.js";

function useWidth(ref) {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return width;
}

const MOVES = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: (plan) => -plan.columns,
  ArrowDown: (plan) => plan.columns,
  Home: (plan, at) => -at,
  End: (plan, at) => plan.cells.length - 1 - at,
};

/* Cursor and anchor are cells; null before anything was selected here. */
function useCursor(plan, spans, selected, onSelect) {
  const first = selected.size > 0 ? Math.floor(Math.min(...firstOf(selected)) / plan.size) : 0;
  const [range, setRange] = useState(null);
  const now = range ?? { anchor: first, cursor: first };
  function choose(anchor, cursor) {
    setRange({ anchor, cursor });
    const lo = Math.min(anchor, cursor) * plan.size;
    const hi = (Math.max(anchor, cursor) + 1) * plan.size - 1;
    onSelect(sliceFrames(spans, lo, hi));
  }
  return { now, choose };
}

function* firstOf(set) {
  for (const one of set) {
    yield one;
    return;
  }
}

/* Whole, or what has changed since, where only letters did. */
function usePaint(canvas, plan, spans, selected, shadeNow) {
  const last = useRef(null);
  const chosen = [...selected].join();
  const look = `${plan.width} ${plan.cells.length} ${plan.size} ${shadeNow} ${chosen}`;
  useEffect(() => {
    const isSelected = (ordinal) => selected.has(ordinal);
    if (plan.width === 0) return;
    if (last.current?.look === look) paintChanges(canvas.current, plan, last.current.plan, isSelected);
    else paint(canvas.current, plan, spans, isSelected);
    last.current = { look, plan };
  }, [plan.cells, look]);
}

function sayCell(spans, letters, plan, cell) {
  const ordinal = cell * plan.size;
  const letter = letters[ordinal];
  return letter ? `Frame ${frameAt(spans, ordinal)}: ${FRAME_STATES[letter].word}` : "";
}

export function FrameGrid({ spans, letters, selected, onSelect }) {
  const box = useRef(null);
  const canvas = useRef(null);
  const width = useWidth(box);
  const plan = layOut(letters, width);
  const { now, choose } = useCursor(plan, spans, selected, onSelect);
  const [said, setSaid] = useState("");
  const [drag, setDrag] = useState(null);
  const shadeNow = useStore(shade);

  usePaint(canvas, plan, spans, selected, shadeNow);

  function cellAt(event) {
    const ordinal = ordinalAt(plan, event.offsetX, event.offsetY);
    return ordinal < 0 ? -1 : ordinal / plan.size;
  }
  function onPointerDown(event) {
    const cell = cellAt(event);
    if (cell < 0) return;
    const anchor = event.shiftKey ? now.anchor : cell;
    canvas.current.setPointerCapture(event.pointerId);
    setDrag(anchor);
    choose(anchor, cell);
  }
  function onPointerMove(event) {
    const cell = drag === null ? -1 : cellAt(event);
    if (cell >= 0 && cell !== now.cursor) choose(drag, cell);
  }
  function onKeyDown(event) {
    const move = MOVES[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const started = selected.size > 0;
    const step = started ? move(plan, now.cursor) : 0; // the first key only enters
    const cursor = Math.min(plan.cells.length - 1, Math.max(0, now.cursor + step));
    choose(event.shiftKey ? now.anchor : cursor, cursor);
    setSaid(sayCell(spans, letters, plan, cursor));
  }
  return html`<div class="grid" ref=${box}>
    <canvas ref=${canvas} style=${{ width: `${width}px`, height: `${plan.height}px` }} tabindex="0" role="application"
      aria-roledescription="frame grid" aria-label="Frames; arrows move, with Shift they select a range"
      onPointerDown=${onPointerDown} onPointerMove=${onPointerMove} onPointerUp=${() => setDrag(null)} onKeyDown=${onKeyDown} />
    <span class="unseen" aria-live="polite">${said}</span>
    ${plan.size > 1 && html`<p class="dim">A cell stands for ${plan.size} frames and shows the worst of them.</p>`}
  </div>`;
}
