// The keys of the view that is open, and the switch that turns them off.
import { html } from "../lib/html.js";
import { useStore } from "../lib/store.js";
import { shortcuts } from "../ui/keys.js";
import { setSetting, settings } from "../ui/settings.js";
import { Dialog } from "./dialog.js";

const FIXED = [
  ["Tab", "From one control to the next"],
  ["← ↑ → ↓", "In the frame grid: move; with Shift, select"],
  ["Esc", "Close what is open"],
];

function Sheet({ onClose }) {
  const list = useStore(shortcuts);
  const on = useStore(settings).shortcuts;
  const rows = [...list.map(({ key, about }) => [key, about]), ...FIXED];
  return html`<h2>Keys</h2>
    <dl class="keys">${rows.map(([key, about]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${about}</dd></div>`)}</dl>
    <label class="inline"><input type="checkbox" checked=${on} onChange=${(event) => setSetting("shortcuts", event.target.checked)} />
      Shortcuts of single keys</label>
    <p><button type="button" onClick=${onClose}>Close</button></p>`;
}

export function KeySheet({ open, onClose }) {
  return html`<${Dialog} open=${open} onClose=${onClose} label="Keys"><${Sheet} onClose=${onClose} /></${Dialog}>`;
}
