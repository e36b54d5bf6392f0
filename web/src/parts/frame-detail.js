// All facts of one frame, and its picture where the broker can read it. Its log
// will stand here, too, once the broker keeps logs.
import { useSnapshot } from "../farm/snapshots.js";
import { ago, bytes, duration } from "../lib/format.js";
import { html } from "../lib/html.js";
import { Picture } from "./picture.js";
import { ProblemBox } from "./problem.js";

const Fact = ({ word, children }) => html`<div><dt>${word}</dt><dd>${children}</dd></div>`;

function Files({ files }) {
  return html`<ul class="plain">${files.map((file) => html`<li key=${file.path}><code>${file.path}</code> <span class="dim">${bytes(file.bytes)}</span></li>`)}</ul>`;
}

function Facts({ frame }) {
  return html`<dl class="facts">
    <${Fact} word="State">${frame.state}${frame.progress > 0 && `, ${Math.round(frame.progress * 100)} %`}</${Fact}>
    ${frame.agent && html`<${Fact} word="Agent">${frame.agent}</${Fact}>`}
    ${frame.seconds > 0 && html`<${Fact} word="Took">${duration(frame.seconds)}${frame.blender && ` with Blender ${frame.blender}`}</${Fact}>`}
    ${frame.at && html`<${Fact} word="When">${ago(frame.at)}</${Fact}>`}
    ${frame.attempts > 0 && html`<${Fact} word="Failed attempts">${frame.attempts} on ${frame.charged.join(", ")}</${Fact}>`}
    ${frame.fault && html`<${Fact} word="Why">${frame.fault}: ${frame.text}</${Fact}>`}
    ${frame.files?.length > 0 && html`<${Fact} word="Files"><${Files} files=${frame.files} /></${Fact}>`}
  </dl>`;
}

export function FrameDetail({ job, frame }) {
  const path = `/v1/jobs/${job.id}/frames/${frame}`;
  const { data, problem } = useSnapshot(path, { gap: 500 });
  if (!data) return html`<${ProblemBox} problem=${problem} what=${`Frame ${frame}`} />`;
  return html`<article class="frame-detail" aria-label=${`Frame ${frame}`}>
    <div><h3>Frame ${frame}</h3><${Facts} frame=${data} /></div>
    ${data.state === "done" && html`<${Picture} key=${data.at} path=${`${path}/image`} file=${data.files?.[0]} alt=${`Frame ${frame}`} />`}
  </article>`;
}
