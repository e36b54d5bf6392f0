// What the job was submitted with.
import { clockTime } from "../lib/format.js";
import { html } from "../lib/html.js";

const SHOWN = [
  ["blend", "Scene"], ["scene", "Scene in it"], ["camera", "Camera"], ["engine", "Engine"], ["samples", "Samples"], ["resolution", "Resolution"],
  ["format", "Format"], ["output", "Output"], ["batch", "Batch"], ["max_attempts", "Attempts a frame"], ["max_agents", "Agents at most"],
  ["timeout_seconds", "Time-out (s)"], ["silence_seconds", "Silence (s)"], ["missing_files", "Missing files"], ["scripts", "Scripts"], ["project", "Project"],
];
const LISTS = [["view_layers", "View layers"], ["depends_on", "After"], ["blender_versions", "Blender"]];
const TIMES = [["started_at", "Started"], ["ended_at", "Ended"], ["not_before", "Not before"]];

function rowsOf(job) {
  const plain = SHOWN.filter(([key]) => job[key] || job[key] === 0).filter(([key]) => key !== "max_agents" || job[key] > 0);
  return [
    ...plain.map(([key, word]) => [word, String(job[key])]),
    ...LISTS.filter(([key]) => job[key]?.length > 0).map(([key, word]) => [word, job[key].join(", ")]),
    ...(job.requires ? [["Requires", Object.entries(job.requires).map(([key, value]) => `${key}: ${[value].flat().join(", ")}`).join("; ")]] : []),
    ...Object.entries(job.labels ?? {}),
    ...TIMES.filter(([key]) => job[key]).map(([key, word]) => [word, clockTime(job[key])]),
  ];
}

export function JobFacts({ job }) {
  return html`<details class="job-facts"><summary>As submitted</summary>
    <dl class="facts">${rowsOf(job).map(([word, text]) => html`<div key=${word}><dt>${word}</dt><dd>${text}</dd></div>`)}</dl>
  </details>`;
}
