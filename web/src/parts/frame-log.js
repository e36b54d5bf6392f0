// What Blender printed of a frame, live while it renders. The first line that
// tells of an error is marked and scrolled to.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { followLog } from "../farm/follow-log.js";
import { html } from "../lib/html.js";

/** The text before, in and after line `number` (from 1; 0: all is before). */
export function cutAt(text, number) {
  if (number < 1) return [text, "", ""];
  const lines = text.split("\n");
  const tail = lines.slice(number).join("\n");
  return [lines.slice(0, number - 1).map((line) => `${line}\n`).join(""), lines[number - 1] ?? "", tail && `\n${tail}`];
}

/* The end stays in sight for those who look at it. */
function useScroll(box, mark, log) {
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    if (mark.current) current.scrollTop = mark.current.offsetTop - current.offsetTop - current.clientHeight / 3;
    else if (atEnd.current) current.scrollTop = current.scrollHeight;
  }, [log]);
  return ({ target }) => (atEnd.current = target.scrollHeight - target.scrollTop - target.clientHeight < 20);
}

function Text({ frame, log }) {
  const box = useRef(null);
  const mark = useRef(null);
  const onScroll = useScroll(box, mark, log);
  const [before, bad, after] = cutAt(log.text, log.error);
  return html`<p class="dim" role="status">${log.live ? "Live: more comes by itself." : log.error > 0 ? `Whole; the first error is in line ${log.error}.` : "Whole."}</p>
    <pre class="log" ref=${box} tabindex="0" role="region" aria-label=${`Log of frame ${frame}`} onScroll=${onScroll}
      >${before}${bad && html`<mark ref=${mark}>${bad}</mark>`}${after}</pre>`;
}

function Followed({ path, frame }) {
  const [log, setLog] = useState(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    const stop = new AbortController();
    followLog(path, (now) => !stop.signal.aborted && setLog(now), stop.signal).catch((lost) => !stop.signal.aborted && setProblem(lost));
    return () => stop.abort();
  }, [path]);
  if (problem) return html`<p class="dim" role="status">${problem.message}</p>`;
  return log ? html`<${Text} frame=${frame} log=${log} />` : html`<p class="dim">Reading the log…</p>`;
}

/** Followed while it is open only; `age` changes with each attempt. */
export function FrameLog({ path, frame, age, open, onOpen }) {
  return html`<div class="frame-log">
    <button type="button" aria-expanded=${open} onClick=${() => onOpen(!open)}>${open ? "Close the log" : "Log"}</button>
    ${open && html`<${Followed} key=${age} path=${`${path}/log`} frame=${frame} />`}
  </div>`;
}
