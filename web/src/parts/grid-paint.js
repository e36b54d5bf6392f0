// Draws the frame grid. Geometry and paint only: no events, no state.
import { frameAt } from "../lib/frames.js";
import { FRAME_STATES, squeeze } from "../lib/states.js";
import { colour } from "../ui/theme.js";

const CELLS_MOST = 20_000; // a larger job has several frames in a cell
const MARGIN = 52; // for the number of a row's first frame
const LABEL_HALF = 6;
const SIZES = [[300, 22], [1200, 15], [4000, 10], [Infinity, 6]];
const GLYPH_FROM = 14;
const SOLID = "drf"; // the others are tints: not begun, or never

/** Where everything lies, for a width in CSS pixels. */
export function layOut(letters, width) {
  const { cells, size } = squeeze(letters, CELLS_MOST);
  const edge = SIZES.find(([most]) => cells.length <= most)[1];
  const fit = Math.max(1, Math.floor((width - MARGIN) / edge));
  const columns = Math.min(fit >= 10 ? fit - (fit % 10) : fit, Math.max(10, cells.length));
  const rows = Math.ceil(cells.length / columns);
  return { cells, size, edge, columns, rows, width, height: rows * edge };
}

/** The ordinal at a point, or -1. */
export function ordinalAt(plan, x, y) {
  const column = Math.floor((x - MARGIN) / plan.edge);
  const row = Math.floor(y / plan.edge);
  const cell = row * plan.columns + column;
  if (column < 0 || column >= plan.columns || cell < 0 || cell >= plan.cells.length) return -1;
  return cell * plan.size;
}

function paintCell(context, plan, cell, x, y, inks) {
  const letter = plan.cells[cell];
  const ink = inks[letter];
  const side = plan.edge - (plan.edge > 8 ? 2 : 1);
  context.fillStyle = ink.fill;
  if (plan.edge < GLYPH_FROM) {
    const tall = Math.max(2, side * FRAME_STATES[letter].height);
    context.fillRect(x, y + side - tall, side, tall);
    return;
  }
  const solid = SOLID.includes(letter);
  context.globalAlpha = solid ? 1 : 0.2;
  context.fillRect(x, y, side, side);
  context.globalAlpha = 1;
  if (letter === "d") return; // the many: a plain cell is their sign
  context.fillStyle = solid ? inks.ground : ink.fill;
  context.fillText(FRAME_STATES[letter].glyph, x + side / 2, y + side / 2 + 0.5);
}

function paintMark(context, plan, x, y, style) {
  const side = plan.edge - (plan.edge > 8 ? 2 : 1);
  context.strokeStyle = style;
  context.lineWidth = plan.edge > 8 ? 2 : 1;
  context.strokeRect(x, y, side, side);
}

function inksNow() {
  const inks = { ground: colour("--ground"), mark: colour("--ink"), dim: colour("--dim") };
  for (const [letter, { colour: name }] of Object.entries(FRAME_STATES)) inks[letter] = { fill: colour(name) };
  return inks;
}

function begin(context, plan) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `${Math.round(plan.edge * 0.62)}px sans-serif`;
}

const placeOf = (plan, cell) => [MARGIN + (cell % plan.columns) * plan.edge, Math.floor(cell / plan.columns) * plan.edge];

/** All of it; isSelected(ordinal) tells what is outlined. */
export function paint(canvas, plan, spans, isSelected) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = plan.width * scale;
  canvas.height = plan.height * scale;
  const context = canvas.getContext("2d");
  const inks = inksNow();
  context.scale(scale, scale);
  begin(context, plan);
  for (let cell = 0; cell < plan.cells.length; cell++) paintCell(context, plan, cell, ...placeOf(plan, cell), inks);
  for (let cell = 0; cell < plan.cells.length; cell++)
    if (isSelected(cell * plan.size)) paintMark(context, plan, ...placeOf(plan, cell), inks.mark);
  context.fillStyle = inks.dim;
  context.textAlign = "right";
  context.font = "11px sans-serif";
  const every = Math.ceil(14 / plan.edge);
  for (let row = 0; row < plan.rows; row += every)
    context.fillText(frameAt(spans, row * plan.columns * plan.size), MARGIN - 8, Math.max(LABEL_HALF, row * plan.edge + plan.edge / 2));
}

/** Only the cells that are not as in the plan painted before, which has the
 *  same geometry: a long job costs as much as what changes of it. */
export function paintChanges(canvas, plan, before, isSelected) {
  const context = canvas.getContext("2d");
  const inks = inksNow();
  begin(context, plan);
  for (let cell = 0; cell < plan.cells.length; cell++) {
    if (plan.cells[cell] === before.cells[cell]) continue;
    const [x, y] = placeOf(plan, cell);
    context.clearRect(x, y, plan.edge, plan.edge);
    paintCell(context, plan, cell, x, y, inks);
    if (isSelected(cell * plan.size)) paintMark(context, plan, x, y, inks.mark);
  }
}
