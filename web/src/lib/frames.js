// Expressions of frames as the broker writes them: "7", "1-100", "1-100x5",
// several with commas between. A frame's place among those of its job is its
// ordinal. Pure.

/** The spans of an expression, or null where it is none. */
export function parseFrames(text) {
  const spans = [];
  for (const part of String(text).split(",")) {
    const found = /^\s*(\d+)(?:-(\d+)(?:x(\d+))?)?\s*$/.exec(part);
    if (!found) return null;
    const first = Number(found[1]);
    const last = found[2] === undefined ? first : Number(found[2]);
    const step = found[3] === undefined ? 1 : Number(found[3]);
    if (last < first || step < 1) return null;
    spans.push({ first, step, count: Math.floor((last - first) / step) + 1 });
  }
  return spans;
}

export function countFrames(spans) {
  return spans.reduce((sum, span) => sum + span.count, 0);
}

/** The number of the frame with an ordinal; undefined past the last. */
export function frameAt(spans, ordinal) {
  for (const span of spans) {
    if (ordinal < span.count) return span.first + ordinal * span.step;
    ordinal -= span.count;
  }
  return undefined;
}

/** The ordinal of a frame; -1 where the job has no such frame. */
export function ordinalOf(spans, frame) {
  let before = 0;
  for (const span of spans) {
    const steps = (frame - span.first) / span.step;
    if (Number.isInteger(steps) && steps >= 0 && steps < span.count) return before + steps;
    before += span.count;
  }
  return -1;
}

function spanText({ first, step, count }) {
  if (count === 1) return String(first);
  const last = first + (count - 1) * step;
  return step === 1 ? `${first}-${last}` : `${first}-${last}x${step}`;
}

/** The frames from one ordinal to another, both included, as an expression. */
export function sliceFrames(spans, from, to) {
  const parts = [];
  let before = 0;
  for (const span of spans) {
    const lo = Math.max(from - before, 0);
    const hi = Math.min(to - before, span.count - 1);
    if (lo <= hi) parts.push(spanText({ first: span.first + lo * span.step, step: span.step, count: hi - lo + 1 }));
    before += span.count;
  }
  return parts.join(",");
}

/** Ordinals of an expression within a job, as a Set; null where it is none or
 *  names a frame the job has not. */
export function ordinalsOf(spans, text, most = 200_000) {
  const wanted = parseFrames(text);
  if (!wanted || countFrames(wanted) > most) return null;
  const ordinals = new Set();
  for (const span of wanted)
    for (let i = 0; i < span.count; i++) {
      const ordinal = ordinalOf(spans, span.first + i * span.step);
      if (ordinal < 0) return null;
      ordinals.add(ordinal);
    }
  return ordinals;
}

/** Runs of one letter: [{letter, from, to}], ordinals, both ends included. */
export function runsOf(letters) {
  const runs = [];
  for (let i = 0; i < letters.length; i++) {
    const last = runs[runs.length - 1];
    if (last && last.letter === letters[i]) last.to = i;
    else runs.push({ letter: letters[i], from: i, to: i });
  }
  return runs;
}
