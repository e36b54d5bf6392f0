// Pictures and movies. Fetched rather than linked, since a link cannot carry a
// token; what was read is let go of with the part that showed it.
import { useEffect, useState } from "preact/hooks";
import { ask } from "./api.js";

const AGAIN_MS = [500, 1_000, 2_000, 4_000];

/* A thumbnail comes a moment after its frame (404); a picture may first have to
 * come from its agent (503). */
const mayCome = ({ status }) => status === 404 || status === 503 || status === 0;

const rest = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  });

async function readBlob(path, signal) {
  for (let tries = 0; ; tries++) {
    try {
      return await (await ask(path, { headers: { Accept: "*/*" }, cache: "default", signal })).blob();
    } catch (problem) {
      if (signal.aborted || !mayCome(problem) || tries === AGAIN_MS.length) throw problem;
    }
    await rest(AGAIN_MS[tries], signal);
  }
}

/** {url, problem} of a path; a null path is nothing. `age` reads it anew. The
 *  url before stays until the next one is there. */
export function useBlob(path, age = "") {
  const [held, setHeld] = useState({ url: null, problem: null });
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    let made = null;
    readBlob(path, stop.signal)
      .then((blob) => {
        if (stop.signal.aborted) return;
        made = URL.createObjectURL(blob);
        setHeld({ url: made, problem: null });
      })
      .catch((problem) => !stop.signal.aborted && setHeld({ url: null, problem }));
    return () => {
      stop.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [path, age]);
  return held;
}
