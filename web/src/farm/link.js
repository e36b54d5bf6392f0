// Between stream and snapshots: events make snapshots stale, a loss is told to
// people, and what somebody looks at decides what the stream carries. A tab
// that nobody sees lets go of its connection after a minute.
import { useEffect } from "preact/hooks";
import { createStore } from "../lib/store.js";
import { Problem } from "./api.js";
import { session } from "./session.js";
import { makeStale, readAllAgain } from "./snapshots.js";
import { createStream } from "./stream.js";
import { touchedBy } from "./touches.js";

const HIDDEN_MS = 60_000;
const JOBS_MOST = 100; // as topics: within the 8000 bytes of a target

/** {state: "connecting"|"live"|"lost", since, retryAt, reason} */
export const linkState = createStore({ state: "connecting", since: Date.now(), retryAt: null, reason: "" });

const followed = new Map(); // owner -> ids of jobs it looks at

function toLive(resumed) {
  const { state } = linkState.get();
  if (state !== "live") linkState.set({ state: "live", since: Date.now(), retryAt: null, reason: "" });
  // What was read before the stream began, or failed while it was away.
  if (!resumed || state === "lost") readAllAgain();
}

function toLost(problem, wait) {
  if (problem?.status === 401) return stream.stop();
  const { state, since } = linkState.get();
  const reason = problem instanceof Problem ? problem.message : "The connection to the broker ended";
  linkState.set({ state: "lost", since: state === "lost" ? since : Date.now(), retryAt: Date.now() + wait, reason });
  return undefined;
}

const stream = createStream({
  live: toLive,
  lost: toLost,
  event: (type, event) => makeStale(touchedBy(type, event)),
});

function topics() {
  const jobs = [...new Set([...followed.values()].flat())].sort().slice(0, JOBS_MOST);
  return ["jobs", "agents", ...jobs.map((id) => `job:${id}`)].join(",");
}

function watchVisibility() {
  let timer = null;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => stream.stop(), HIDDEN_MS);
    else if (stream.stopped) stream.follow(topics());
  });
}

export const link = {
  start() {
    watchVisibility();
    let refused = false;
    session.listen(({ wanted }) => {
      if (refused && wanted === null) {
        readAllAgain();
        stream.retry();
      }
      refused = wanted !== null;
    });
    stream.follow(topics());
  },
  retry: () => stream.retry(),
};

/** While a component is there, the stream carries all that these jobs do. */
export function useFollow(ids) {
  const key = ids.join();
  useEffect(() => {
    const owner = {};
    followed.set(owner, ids);
    stream.follow(topics());
    return () => followed.delete(owner); // the next to come narrows the stream
  }, [key]);
}
