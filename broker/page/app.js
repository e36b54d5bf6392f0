// The status page: a snapshot of farm and jobs, taken again when an event says
// that something changed, once a second at most.
"use strict";

const $ = (id) => document.getElementById(id);
const SHOWN = 50;
const MARKS = { queued: "○", running: "◑", paused: "‖", completed: "●", failed: "✕", cancelled: "–" };

function say(id, text) {
  if ($(id).textContent !== String(text)) $(id).textContent = text;
}

function trouble(text) {
  $("trouble").hidden = !text;
  say("trouble", text);
}

function showFarm(farm) {
  say("state", farm.state);
  for (const state of ["pending", "leased", "done", "failed"]) say(state, farm.frames[state]);
  say("agents", `${farm.agents.up}/${farm.agents.total}`);
  say("slots", `${farm.slots.busy}/${farm.slots.total}`);
  say("version", farm.version);
  document.title = `frameq: ${farm.state}`;
}

function cell(row, content) {
  const td = row.insertCell();
  td.append(content);
  return td;
}

function bar(counts) {
  const progress = document.createElement("progress");
  progress.max = counts.total;
  progress.value = counts.done;
  progress.setAttribute("aria-label", `${counts.done} of ${counts.total} frames done`);
  return progress;
}

function jobRow(job) {
  const row = document.createElement("tr");
  const { total, done, failed } = job.counts;
  cell(row, job.name || job.id);
  cell(row, `${MARKS[job.state]} ${job.state}`).className = job.state;
  cell(row, bar(job.counts));
  cell(row, `${done}/${total}` + (failed ? `, ${failed} failed` : ""));
  cell(row, job.user);
  return row;
}

function showJobs(jobs) {
  $("jobs").hidden = jobs.length === 0;
  $("empty").hidden = jobs.length !== 0;
  $("jobs").tBodies[0].replaceChildren(...jobs.map(jobRow));
}

async function get(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

async function refresh() {
  try {
    const [farm, list] = await Promise.all([get("/v1/farm"), get(`/v1/jobs?limit=${SHOWN}`)]);
    showFarm(farm);
    showJobs(list.jobs);
    trouble("");
  } catch (error) {
    trouble(`No answer from the broker (${error.message}); what is shown may be old.`);
  }
}

let due = null;
function refreshSoon() {
  if (due === null)
    due = setTimeout(() => { due = null; if (!document.hidden) refresh(); }, 1000);
}

function listen() {
  const events = new EventSource("/v1/events?topics=jobs,agents,farm");
  for (const type of ["job", "agent", "farm", "reset"]) events.addEventListener(type, refreshSoon);
  events.onopen = refreshSoon;
  events.onerror = () => trouble("Live updates lost; trying again.");
}

say("curl", `curl -X POST ${location.origin}/v1/jobs -H 'Content-Type: application/json' -d '{"from":1,"to":20}'`);
document.addEventListener("visibilitychange", refreshSoon);
refresh();
listen();
