// What one can do to a job as a whole.
import { useEffect, useState } from "preact/hooks";
import { cancelJob, forgetJob, pauseJob, resumeJob, retryFailed, setPriority } from "../farm/commands.js";
import { jobName, plural } from "../lib/format.js";
import { html } from "../lib/html.js";
import { isEnded } from "../lib/states.js";
import { act } from "../ui/act.js";
import { useShortcuts } from "../ui/keys.js";
import { go } from "../ui/router.js";
import { Dialog } from "./dialog.js";
import { CommandLines, Terminal } from "./terminal.js";

export function Priority({ job }) {
  const [text, setText] = useState(String(job.priority));
  useEffect(() => setText(String(job.priority)), [job.priority]);
  const value = Number(text);
  const good = text !== "" && Number.isInteger(value) && value >= 0 && value <= 100;
  function onSubmit(event) {
    event.preventDefault();
    act(setPriority(job, value), jobName(job));
  }
  return html`<form class="inline" onSubmit=${onSubmit}>
    <label class="inline">Priority
      <input type="number" class="short" min="0" max="100" step="1" required value=${text} onInput=${(event) => setText(event.target.value)} /></label>
    <button type="submit" disabled=${!good || value === job.priority}>Set</button>
  </form>`;
}

function CancelDialog({ job, open, onClose }) {
  const [reason, setReason] = useState("");
  const left = job.counts.pending + job.counts.leased;
  async function onSubmit(event) {
    event.preventDefault();
    if (await act(cancelJob(job, reason.trim()), jobName(job))) onClose();
  }
  return html`<${Dialog} open=${open} onClose=${onClose} label="Cancel job">
    <form onSubmit=${onSubmit}>
      <h2>Cancel ${jobName(job)}?</h2>
      <p>${plural(left, "frame")} will not be rendered. What is done stays.</p>
      <label>Reason, for others to see <input type="text" maxlength="200" value=${reason} onInput=${(event) => setReason(event.target.value)} /></label>
      <p class="buttons"><button type="submit" class="danger">Cancel the job</button>
        <button type="button" onClick=${onClose}>Let it run</button></p>
      <${CommandLines} command=${cancelJob(job, reason.trim())} />
    </form>
  </${Dialog}>`;
}

function ForgetDialog({ job, open, onClose }) {
  async function forget() {
    if (await act(forgetJob(job), jobName(job))) go("/jobs");
  }
  return html`<${Dialog} open=${open} onClose=${onClose} label="Forget job">
    <h2>Forget ${jobName(job)}?</h2>
    <p>The farm will know nothing of it any more. Its pictures stay where they are.</p>
    <p class="buttons"><button type="button" class="danger" onClick=${forget}>Forget it</button>
      <button type="button" onClick=${onClose}>Keep it</button></p>
    <${CommandLines} command=${forgetJob(job)} />
  </${Dialog}>`;
}

function commandsOf(job) {
  const hold = job.paused ? resumeJob(job) : pauseJob(job);
  return [
    ...(isEnded(job) ? [forgetJob(job)] : [hold, setPriority(job, job.priority), cancelJob(job)]),
    ...(job.counts.failed > 0 ? [retryFailed(job)] : []),
  ];
}

export function JobActions({ job }) {
  const [asking, setAsking] = useState(null);
  const ended = isEnded(job);
  const hold = job.paused ? resumeJob(job) : pauseJob(job);
  const retry = retryFailed(job);
  const canRetry = job.counts.failed > 0;
  const stop = () => setAsking(null);
  useShortcuts([
    ["p", "Pause or resume the job", () => !ended && act(hold, jobName(job))],
    ["r", "Retry the failed frames", () => canRetry && act(retry, jobName(job))],
    ["x", "Cancel the job (asks)", () => !ended && setAsking("cancel")],
  ]);
  return html`<section class="actions" aria-label="Actions">
    <div class="buttons">
      ${!ended && html`<button type="button" onClick=${() => act(hold, jobName(job))}>${hold.title}</button>`}
      ${canRetry && html`<button type="button" onClick=${() => act(retry, jobName(job))}>${retry.title}</button>`}
      ${!ended && html`<${Priority} job=${job} />`}
      <span class="grow"></span>
      ${!ended && html`<button type="button" class="danger" onClick=${() => setAsking("cancel")}>Cancel job…</button>`}
      ${ended && html`<button type="button" onClick=${() => setAsking("forget")}>Forget…</button>`}
    </div>
    <${Terminal} commands=${commandsOf(job)} />
    <${CancelDialog} job=${job} open=${asking === "cancel"} onClose=${stop} />
    <${ForgetDialog} job=${job} open=${asking === "forget"} onClose=${stop} />
  </section>`;
}
