// All frames of a job that are done: read in pages, once for all who look.
import { address } from "../ui/router.js";
import { read } from "./api.js";
import { useSnapshot } from "./snapshots.js";

const PAGES_MOST = 10; // of 1000 frames
const GAP_MS = 1500;
const LONG_FRAMES = 2000; // of a job with more all of it is read less often
const LONG_GAP_MS = 10_000;

async function readDone(path) {
  const frames = [];
  let from = null;
  for (let page = 0; page < PAGES_MOST; page++) {
    const part = await read(from === null ? path : `${path}&from=${from}`);
    frames.push(...part.frames);
    from = part.next;
    if (from === null) break;
  }
  return frames;
}

/** The first 10,000, by number; null before they were read. */
export function useDoneFrames(job) {
  const path = address(`/v1/jobs/${job.id}/frames`, { state: "done", limit: 1000 });
  return useSnapshot(path, { reader: readDone, gap: job.counts.total > LONG_FRAMES ? LONG_GAP_MS : GAP_MS }).data;
}
