// The frames selected: typed or pointed at, and what one can do with them.
import { useEffect, useState } from "preact/hooks";
import { cancelFrames, retryFrames } from "../farm/commands.js";
import { jobName, plural } from "../lib/format.js";
import { html } from "../lib/html.js";
import { act } from "../ui/act.js";
import { Terminal } from "./terminal.js";

function countOf(ordinals, letters, wanted) {
  let n = 0;
  for (const ordinal of ordinals) if (wanted.includes(letters[ordinal])) n++;
  return n;
}

function Field({ text, bad, onSelect }) {
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  function onSubmit(event) {
    event.preventDefault();
    onSelect(typed.replaceAll(" ", ""));
  }
  return html`<form class="inline" onSubmit=${onSubmit}>
    <label class="inline">Selected frames
      <input type="text" placeholder="10-20,33" value=${typed} aria-invalid=${bad} aria-describedby="selection-says"
        onInput=${(event) => setTyped(event.target.value)} onBlur=${() => typed !== text && onSelect(typed.replaceAll(" ", ""))} /></label>
    ${text && html`<button type="button" onClick=${() => onSelect("")}>Clear</button>`}
  </form>`;
}

export function Selection({ job, text, ordinals, letters, onSelect }) {
  const bad = ordinals === null;
  const some = !bad && ordinals.size > 0;
  const open = some ? countOf(ordinals, letters, "qlr") : 0;
  const over = some ? countOf(ordinals, letters, "dfc") : 0;
  const cancel = cancelFrames(job, text);
  const retry = retryFrames(job, text);
  const says = bad ? "The job has no such frames; write them as 10-20,33." : some ? plural(ordinals.size, "frame") : "Click or drag in the grid, use arrows, or type here.";
  return html`<div class="selection" role="group" aria-label="Selected frames">
    <div class="buttons">
      <${Field} text=${text} bad=${bad} onSelect=${onSelect} />
      <span id="selection-says" class=${bad ? "bad" : "dim"} role="status">${says}</span>
      <span class="grow"></span>
      ${some && html`<button type="button" disabled=${over === 0} onClick=${() => act(retry, jobName(job))}>Retry ${plural(over, "frame")}</button>
        <button type="button" class="danger" disabled=${open === 0} onClick=${() => act(cancel, jobName(job))}>Cancel ${plural(open, "frame")}</button>`}
    </div>
    ${some && html`<${Terminal} commands=${[...(over > 0 ? [retry] : []), ...(open > 0 ? [cancel] : [])]} />`}
  </div>`;
}
