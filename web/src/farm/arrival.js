// Pictures and movies that may come a moment after the page asks: the element
// asks the broker by itself, and once it was refused this finds out why.
import { useEffect, useState } from "preact/hooks";
import { address } from "../ui/router.js";
import { ask } from "./api.js";

const AGAIN_MS = [500, 1_000, 2_000, 4_000];

/* A thumbnail comes a moment after its frame (404); a picture may first have to
 * come from its agent (503). */
const mayCome = (problem) => !problem || problem.status === 404 || problem.status === 503 || problem.status === 0;

async function problemOf(path, signal) {
  try {
    const answer = await ask(path, { headers: { Accept: "*/*" }, signal });
    await answer.body.cancel();
    return null; // it has come meanwhile
  } catch (problem) {
    return problem;
  }
}

/** {src, problem, onError} for an element of a path; `age` reads it anew. A
 *  null path is nothing, and so is the src of what will not come. */
export function useArrival(path, age = "") {
  const [tries, setTries] = useState(0);
  const [failed, setFailed] = useState(0); // tries that came to nothing
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    setTries(0);
    setFailed(0);
    setProblem(null);
  }, [path, age]);
  useEffect(() => {
    if (path === null || failed === 0) return undefined;
    const stop = new AbortController();
    let timer = null;
    problemOf(path, stop.signal).then((found) => {
      if (stop.signal.aborted) return;
      if (!mayCome(found) || failed > AGAIN_MS.length) setProblem(found ?? { message: "It cannot be shown" });
      else timer = setTimeout(setTries, found ? AGAIN_MS[failed - 1] : 0, failed);
    });
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, age, failed]);
  const src = path === null || problem ? null : address(path, { at: age, again: tries > 0 ? String(tries) : "" });
  return { src, problem, onError: () => setFailed(tries + 1) };
}
