// Everything one can do to the farm, each thing once: the request that does it
// and the `frameq` line that does the same. Buttons, keys and the lines shown
// beside them all come from here. Pure but for the idempotency key.

const DEFAULT_BROKER = "http://127.0.0.1:4000";

const ofJob = (job) => `/v1/jobs/${job.id}`;

export const pauseJob = (job) => ({ title: "Pause", past: "Paused", method: "PATCH", path: ofJob(job), body: { paused: true }, cli: ["pause", job.id] });

export const resumeJob = (job) => ({ title: "Resume", past: "Resumed", method: "PATCH", path: ofJob(job), body: { paused: false }, cli: ["resume", job.id] });

export const setPriority = (job, priority) => ({
  title: "Set priority", past: `Priority is now ${priority} for`, method: "PATCH", path: ofJob(job), body: { priority }, cli: ["priority", job.id, String(priority)],
});

export const cancelJob = (job, reason) => ({
  title: "Cancel job", past: "Cancelled", method: "POST", path: `${ofJob(job)}:cancel`,
  body: reason ? { reason } : undefined, cli: ["cancel", job.id, ...(reason ? ["--reason", reason] : [])],
});

export const cancelFrames = (job, frames) => ({
  title: `Cancel ${frames}`, past: `Cancelled ${frames} of`, method: "POST", path: `${ofJob(job)}/frames:cancel`, body: { frames }, cli: ["cancel", job.id, "-f", frames],
});

export const retryFrames = (job, frames, avoid) => ({
  title: `Retry ${frames}`, past: `Retrying ${frames} of`, method: "POST", path: `${ofJob(job)}/frames:retry`,
  body: avoid ? { frames, avoid } : { frames }, cli: ["retry", job.id, "-f", frames, ...(avoid ? ["--avoid", avoid] : [])],
});

export const retryFailed = (job) => ({
  title: `Retry ${job.counts.failed} failed`, past: "Retrying what failed of", method: "POST", path: `${ofJob(job)}/frames:retry`,
  body: { state: "failed" }, cli: ["retry", job.id, "--failed"],
});

export const showLog = (job, frame) => ({ title: "Log", method: "GET", path: `${ofJob(job)}/frames/${frame}/log`, cli: ["logs", job.id, String(frame)] });

export const forgetJob = (job) => ({ title: "Forget", past: "Forgot", method: "DELETE", path: ofJob(job), cli: ["rm", job.id] });

const DRAINS = {
  soft: { title: "Drain", past: "Draining", flags: [] },
  now: { title: "Drain now", past: "Draining at once", flags: ["--now"] },
  off: { title: "Let it work", past: "Works again:", flags: ["--off"] },
};

export const drainAgent = (agent, drain) => ({
  title: DRAINS[drain].title, past: DRAINS[drain].past, method: "PATCH", path: `/v1/agents/${agent.name}`,
  body: { drain }, cli: ["drain", agent.name, ...DRAINS[drain].flags],
});

/* Fields of the form and the flags of `frameq submit` that say the same. */
const SUBMIT_FLAGS = [
  ["name", "--name"], ["priority", "--priority"], ["batch", "--batch"], ["engine", "--engine"], ["samples", "--samples"],
  ["resolution", "--resolution"], ["format", "--format"], ["output", "--output"], ["scene", "--scene"], ["camera", "--camera"],
];

function submitWords(body) {
  const words = ["submit"];
  if (body.blend) words.push(body.blend);
  words.push("-f", body.frames);
  for (const [field, flag] of SUBMIT_FLAGS) if (body[field] !== undefined) words.push(flag, String(body[field]));
  for (const tag of body.requires?.tags ?? []) words.push("--tag", tag);
  for (const job of body.depends_on ?? []) words.push("--after", job);
  if (body.paused) words.push("--paused");
  return words;
}

/** key makes it repeatable: a submit sent twice is one job. */
export const submitJob = (body, key) => ({
  title: "Submit", past: "Submitted", method: "POST", path: "/v1/jobs", body, headers: { "Idempotency-Key": key }, cli: submitWords(body),
});

export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A word as a shell takes it. */
export const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

export function cliLine({ cli }, origin) {
  const broker = origin === DEFAULT_BROKER ? [] : ["--broker", origin];
  return ["frameq", ...cli, ...broker].map(quoted).join(" ");
}

export function curlLine({ method, path, body }, origin, withToken) {
  const words = ["curl", "-X", method, quoted(origin + path)];
  if (withToken) words.push("-H", '"Authorization: Bearer $FRAMEQ_TOKEN"');
  if (body) words.push("-H", "'Content-Type: application/json'", "-d", quoted(JSON.stringify(body)));
  return words.join(" ");
}
