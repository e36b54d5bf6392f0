// The farm in one line.
import { etaText, number, plural } from "../lib/format.js";
import { html } from "../lib/html.js";
import { FARM_WORDS } from "../lib/states.js";

function Agents({ agents }) {
  const missing = agents.silent + agents.gone + agents.lost;
  return html`<span>${plural(agents.up, "agent")} up${missing > 0 && html`, <span class="warn">${missing} missing</span>`}${
    agents.drained > 0 && `, ${agents.drained} drained`}</span>`;
}

export function FarmLine({ farm }) {
  if (!farm) return html`<section class="farm" aria-label="The farm"><span class="dim">Asking the broker…</span></section>`;
  const { frames, slots, agents, state } = farm;
  return html`<section class="farm" aria-label="The farm">
    <span class=${`pill is-${state}`} title=${FARM_WORDS[state]}>${state}</span>
    <span>${slots.busy} of ${plural(slots.total, "slot")} busy</span>
    <${Agents} agents=${agents} />
    <span>${plural(frames.pending, "frame")} waiting</span>
    <span>${number(frames.leased)} out</span>
    <span>${number(frames.done)} done</span>
    ${farm.eta_seconds && html`<span title="At the pace of now">${etaText(farm.eta_seconds)} left</span>`}
    ${frames.failed > 0 && html`<a class="bad" href="/jobs?state=failed,running">✕ ${plural(frames.failed, "frame")} failed</a>`}
  </section>`;
}
