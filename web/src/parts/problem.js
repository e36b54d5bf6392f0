// What went wrong with reading something, in the broker's words, and what to do.
import { html } from "../lib/html.js";

export function ProblemBox({ problem, what }) {
  if (!problem || problem.status === 0) return null; // the link bar says it
  return html`<div class="box bad-box" role="alert">
    <strong>${what}: ${problem.title}</strong>
    ${problem.detail && html`<p>${problem.detail}</p>`}
  </div>`;
}
