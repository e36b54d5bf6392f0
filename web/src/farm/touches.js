// Which snapshots an event makes stale. Pure.

const farm = (path) => path.startsWith("/v1/farm");
const agents = (path) => path.startsWith("/v1/agents");
const jobLists = (path) => /^\/v1\/jobs(\?|$)/.test(path);
const jobDocument = (path, id) => path === `/v1/jobs/${id}`;
const anyJobDocument = (path) => /^\/v1\/jobs\/[^/]+$/.test(path);
const ofJob = (path, id) => path.startsWith(`/v1/jobs/${id}/`);
const activity = (path) => path.startsWith("/v1/activity");
const isWhy = (path) => path.endsWith("/explain");
const isDoneList = (path) => path.includes("/frames?state=done");

const RULES = {
  job: (path, { job, change }) =>
    farm(path) || activity(path) || jobLists(path) || agents(path) || jobDocument(path, job) || (ofJob(path, job) && change !== "forgotten"),
  frame: (path, { job, state }) =>
    farm(path) || (activity(path) && state !== "done") || jobLists(path) || jobDocument(path, job) || (ofJob(path, job) && (state === "done" || !isDoneList(path))),
  lease: (path, { job }) =>
    farm(path) || agents(path) || jobLists(path) || jobDocument(path, job) || (ofJob(path, job) && !isDoneList(path)),
  progress: (path, { job }) => agents(path) || path.startsWith(`/v1/jobs/${job}/frames?view=`),
  // An agent that comes or goes changes what jobs are warned of.
  agent: (path) => farm(path) || activity(path) || isWhy(path) || agents(path) || jobLists(path) || anyJobDocument(path),
  farm: (path) => farm(path),
  reset: () => true,
};

/** A test of paths for an event. */
export function touchedBy(type, event) {
  const rule = RULES[type];
  return rule ? (path) => rule(path, event) : () => false;
}
