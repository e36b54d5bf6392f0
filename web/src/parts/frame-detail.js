// All facts of one frame, why it is where it is, its picture and its log.
import { showLog } from "../farm/commands.js";
import { useSnapshot } from "../farm/snapshots.js";
import { ago, bytes, duration } from "../lib/format.js";
import { html } from "../lib/html.js";
import { setQuery } from "../ui/router.js";
import { WhyFrame } from "./explain.js";
import { FrameLog } from "./frame-log.js";
import { Picture } from "./picture.js";
import { ProblemBox } from "./problem.js";
import { Terminal } from "./terminal.js";

const Fact = ({ word, children }) => html`<div><dt>${word}</dt><dd>${children}</dd></div>`;

function Files({ files }) {
  return html`<ul class="plain">${files.map((file) => html`<li key=${file.path}><code>${file.path}</code> <span class="dim">${bytes(file.bytes)}</span></li>`)}</ul>`;
}

function Facts({ frame, path }) {
  return html`<dl class="facts">
    <${Fact} word="State">${frame.state}${frame.progress > 0 && `, ${Math.round(frame.progress * 100)} %`}</${Fact}>
    ${frame.agent && html`<${Fact} word="Agent">${frame.agent}</${Fact}>`}
    ${frame.seconds > 0 && html`<${Fact} word="Took">${duration(frame.seconds)}${frame.blender && ` with Blender ${frame.blender}`}</${Fact}>`}
    ${frame.at && html`<${Fact} word="When">${ago(frame.at)}</${Fact}>`}
    ${frame.attempts > 0 && html`<${Fact} word="Failed attempts">${frame.attempts} on ${frame.charged.join(", ")}</${Fact}>`}
    ${frame.fault && html`<${Fact} word="Failed by">${frame.fault.replaceAll("_", " ")}: ${frame.text}</${Fact}>`}
    <${Fact} word="Why"><${WhyFrame} path=${path} /></${Fact}>
    ${frame.files?.length > 0 && html`<${Fact} word="Files"><${Files} files=${frame.files} /></${Fact}>`}
  </dl>`;
}

export function FrameDetail({ job, frame, log }) {
  const path = `/v1/jobs/${job.id}/frames/${frame}`;
  const { data, problem } = useSnapshot(path, { gap: 500 });
  if (!data) return html`<${ProblemBox} problem=${problem} what=${`Frame ${frame}`} />`;
  return html`<article class="frame-detail" aria-label=${`Frame ${frame}`}>
    <div><h3>Frame ${frame}</h3><${Facts} frame=${data} path=${path} /></div>
    ${data.state === "done" && html`<${Picture} key=${data.at} path=${`${path}/image`} file=${data.files?.[0]} alt=${`Frame ${frame}`} />`}
    <${FrameLog} path=${path} frame=${frame} age=${`${data.lease ?? ""} ${data.at ?? ""} ${data.attempts}`} open=${log} onOpen=${(open) => setQuery({ log: open ? "1" : "" })} />
    <${Terminal} commands=${[showLog(job, frame)]} />
  </article>`;
}
