// How long each frame took: where the scene is heavy. Bars by uPlot; the slowest
// frames in words below.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { useDoneFrames } from "../farm/done-frames.js";
import { duration } from "../lib/format.js";
import { html } from "../lib/html.js";
import { useStore } from "../lib/store.js";
import { address } from "../ui/router.js";
import { colour, shade } from "../ui/theme.js";

const HEIGHT = 180;
const SLOWEST = 5;
const WHOLE = [1, 10, 100, 1000, 10_000, 100_000].flatMap((n) => [n, 2 * n, 5 * n]);

function optionsFor(width) {
  const grid = { stroke: colour("--line"), width: 1 };
  const axis = { stroke: colour("--dim"), grid, ticks: grid, font: "11px sans-serif" };
  return {
    width, height: HEIGHT, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: false, range: (plot, min, max) => [min - 0.6, max + 0.6] }, y: { range: (plot, min, max) => [0, max * 1.1 || 1] } },
    axes: [{ ...axis, size: 28, incrs: WHOLE }, { ...axis, size: 56, values: (plot, ticks) => ticks.map(duration) }],
    series: [{}, { stroke: colour("--accent"), fill: colour("--accent"), width: 0, paths: uPlot.paths.bars({ size: [0.8, 24] }), points: { show: false } }],
  };
}

function usePlot(box, frames) {
  const shadeNow = useStore(shade);
  const plot = useRef(null);
  const columns = [frames.map(({ frame }) => frame), frames.map(({ seconds }) => seconds)];
  useEffect(() => {
    const node = box.current;
    const made = new uPlot(optionsFor(node.clientWidth), columns, node);
    const watch = new ResizeObserver(() => made.setSize({ width: node.clientWidth, height: HEIGHT }));
    watch.observe(node);
    plot.current = made;
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [shadeNow]);
  useEffect(() => plot.current?.setData(columns), [frames]);
}

function Slowest({ job, frames }) {
  const slow = [...frames].sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
  return html`<p>Slowest: ${slow.map(({ frame, seconds }, i) => html`${i > 0 && ", "}<a href=${address(`/jobs/${job.id}`, { frames: String(frame) })}>${frame}</a> (${duration(seconds)})`)}</p>`;
}

function Graph({ job, frames }) {
  const box = useRef(null);
  usePlot(box, frames);
  return html`<div class="plot" ref=${box} role="img" aria-label="Seconds per frame, as bars"></div>
    <${Slowest} job=${job} frames=${frames} />`;
}

export function SecondsGraph({ job }) {
  const data = useDoneFrames(job)?.filter((frame) => frame.seconds > 0);
  if (!data || data.length === 0) return null;
  return html`<section aria-labelledby="seconds-title"><h2 id="seconds-title">Seconds per frame</h2><${Graph} job=${job} frames=${data} /></section>`;
}
