// A line of a terminal with a button that copies it.
import { useRef, useState } from "preact/hooks";
import { html } from "../lib/html.js";

const SAID_MS = 2000;

/* The clipboard is there on https and loopback only; elsewhere the line is
 * selected, and Ctrl-C does the rest. */
async function copy(node, text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return "Copied";
  }
  window.getSelection().selectAllChildren(node);
  return "Press Ctrl-C";
}

export function Copy({ text, label }) {
  const code = useRef(null);
  const [said, setSaid] = useState("Copy");
  const name = text.split(" ").slice(0, 2).join(" ");
  async function onClick() {
    setSaid(await copy(code.current, text).catch(() => "Not allowed"));
    setTimeout(() => setSaid("Copy"), SAID_MS);
  }
  return html`<div class="line">
    ${label && html`<span class="line-label">${label}</span>`}
    <code ref=${code} tabindex="0">${text}</code>
    <button type="button" class="quiet" aria-label=${`${said} ${name}`} onClick=${onClick}>${said}</button>
  </div>`;
}
