// States in words, glyphs and colours. A state never differs by colour alone:
// each has a glyph, and in a bar a height of its own.

export const FRAME_STATES = {
  d: { word: "done", glyph: "●", colour: "--done", height: 1 },
  r: { word: "rendering", glyph: "◑", colour: "--rendering", height: 0.75 },
  l: { word: "sent", glyph: "◔", colour: "--sent", height: 0.5 },
  q: { word: "waiting", glyph: "○", colour: "--waiting", height: 0.2 },
  f: { word: "failed", glyph: "✕", colour: "--failed", height: 1 },
  c: { word: "cancelled", glyph: "–", colour: "--cancelled", height: 0.3 },
};

/* Of several frames in one cell, the first of these letters is shown. */
const WEIGHT = "frlqcd";

export const JOB_STATES = {
  running: { glyph: "◑", colour: "rendering" },
  queued: { glyph: "○", colour: "waiting" },
  paused: { glyph: "‖", colour: "sent" },
  failed: { glyph: "✕", colour: "failed" },
  completed: { glyph: "●", colour: "done" },
  cancelled: { glyph: "–", colour: "cancelled" },
};

export const AGENT_STATES = {
  up: { glyph: "●", colour: "done" },
  busy: { glyph: "◑", colour: "rendering" },
  silent: { glyph: "◌", colour: "sent" },
  gone: { glyph: "–", colour: "cancelled" },
  lost: { glyph: "✕", colour: "failed" },
};

export const FARM_WORDS = {
  working: "frames are being rendered",
  waiting: "frames wait, and nobody renders",
  paused: "all that waits belongs to paused jobs",
  idle: "nothing is left to render",
  down: "the broker is ending",
};

export const isEnded = (job) => ["completed", "failed", "cancelled"].includes(job.state);

/** Squeezes letters into at most `most` cells: {cells, size}, size frames each. */
export function squeeze(letters, most) {
  const size = Math.max(1, Math.ceil(letters.length / most));
  if (size === 1) return { cells: letters, size };
  let cells = "";
  for (let at = 0; at < letters.length; at += size) {
    const part = letters.slice(at, at + size);
    cells += [...WEIGHT].find((letter) => part.includes(letter));
  }
  return { cells, size };
}

/** Letters of a job known by its counts only: how much, not where. */
export function lettersOfCounts(counts, most) {
  const order = [["d", "done"], ["f", "failed"], ["c", "cancelled"], ["r", "leased"], ["q", "pending"]];
  const cells = Math.min(counts.total, most);
  return order.map(([letter, word]) => letter.repeat(Math.round((counts[word] / counts.total) * cells))).join("").slice(0, cells);
}
