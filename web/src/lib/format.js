// Numbers, times and names as people read them. Pure.

export const number = (n) => n.toLocaleString("en");

export const plural = (n, word) => `${number(n)} ${word}${n === 1 ? "" : "s"}`;

/** Seconds in the two largest units: "61 ms", "4.2 s", "2 m 04 s", "3 h 10 m", "2 d 4 h". */
export function duration(seconds) {
  if (seconds > 0 && seconds < 0.1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${Number(seconds.toFixed(seconds < 1 ? 2 : 1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

function coarse(seconds) {
  if (seconds < 90) return [Math.max(1, Math.round(seconds)), "s"];
  if (seconds < 5400) return [Math.round(seconds / 60), "min"];
  if (seconds < 36 * 3600) return [Number((seconds / 3600).toFixed(1)), "h"];
  return [Number((seconds / 86400).toFixed(1)), "d"];
}

/** "12–16 min", "40 s – 2 min", "12 min or more"; null where nobody can tell. */
export function etaText(eta) {
  if (!eta) return null;
  const [low, lowUnit] = coarse(eta.low);
  if (eta.high === null) return `${low} ${lowUnit} or more`;
  const [high, highUnit] = coarse(eta.high);
  if (lowUnit !== highUnit) return `${low} ${lowUnit} – ${high} ${highUnit}`;
  return low === high ? `${high} ${highUnit}` : `${low}–${high} ${highUnit}`;
}

const ETA_FRAMES = 3; // seen of a job before anybody can tell

/** How long a job that has not ended takes from here. */
export function leftText({ eta_seconds: eta, state, counts }) {
  if (eta) return etaText(eta);
  return state === "running" && counts.leased > 0 && counts.done < ETA_FRAMES ? "estimating" : "–";
}

export const secondsSince = (time, now = Date.now()) => Math.max(0, (now - new Date(time).getTime()) / 1000);

export function ago(time, now) {
  const [n, unit] = coarse(secondsSince(time, now));
  return `${n} ${unit} ago`;
}

export const clockTime = (time) => new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

export const jobName = (job) => job.name || job.job_name || job.id || job.job;

export function bytes(n) {
  if (n < 1024) return `${n} B`;
  return n < 1024 ** 2 ? `${(n / 1024).toFixed(0)} KB` : `${(n / 1024 ** 2).toFixed(1)} MB`;
}
