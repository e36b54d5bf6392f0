// What the broker said, by the path it was asked at. A snapshot is read when
// somebody looks at it, and again when an event made it stale (touches.js), at
// most once in its `gap`. The broker's answer is the only truth: the page never
// works out by itself what an event did.
import { useEffect, useState } from "preact/hooks";
import { read } from "./api.js";

const GAP_MS = 300;
const RETRY_MS = 3_000;

const entries = new Map();
const EMPTY = { data: null, problem: null };

function entryOf(path, reader, gap) {
  if (!entries.has(path))
    entries.set(path, { path, reader, gap, value: EMPTY, users: new Set(), stale: true, flying: false, timer: null, readAt: -Infinity });
  return entries.get(path);
}

function put(entry, value) {
  entry.value = value;
  for (const user of [...entry.users]) user(value);
}

async function fetchNow(entry) {
  entry.timer = null;
  entry.stale = false;
  entry.flying = true;
  entry.readAt = performance.now();
  try {
    put(entry, { data: await entry.reader(entry.path), problem: null });
  } catch (problem) {
    entry.stale = problem.status === 0 || problem.status >= 500;
    put(entry, { data: entry.value.data, problem });
  }
  entry.flying = false;
  schedule(entry);
}

function schedule(entry) {
  if (!entry.stale || entry.flying || entry.timer !== null || entry.users.size === 0) return;
  const gap = entry.value.problem ? RETRY_MS : entry.gap;
  const wait = Math.max(0, entry.readAt + gap - performance.now());
  entry.timer = setTimeout(fetchNow, wait, entry);
}

/** Marks every snapshot stale whose path the test takes. */
export function makeStale(test) {
  for (const entry of entries.values())
    if (test(entry.path)) {
      entry.stale = true;
      schedule(entry);
    }
}

/** After a loss: all is read again at once, whatever its gap. */
export function readAllAgain() {
  for (const entry of entries.values()) {
    clearTimeout(entry.timer);
    entry.timer = null;
    entry.readAt = -Infinity;
    entry.stale = true;
    schedule(entry);
  }
}

function leave(entry, user) {
  entry.users.delete(user);
  if (entry.users.size > 0) return;
  clearTimeout(entry.timer);
  entries.delete(entry.path);
}

/** {data, problem} of a path; data stays what it was while there is a problem.
 *  A null path is nothing. */
export function useSnapshot(path, { reader = read, gap = GAP_MS } = {}) {
  const [held, setHeld] = useState({ path, value: EMPTY });
  useEffect(() => {
    if (path === null) return undefined;
    const entry = entryOf(path, reader, gap);
    const user = (value) => setHeld({ path, value });
    entry.users.add(user);
    user(entry.value);
    schedule(entry);
    return () => leave(entry, user);
  }, [path]);
  return held.path === path ? held.value : EMPTY;
}
