// Follows the log of a frame: what there is at once, then what comes, until it
// is whole or nobody looks any more. Another lease means another attempt: it
// begins anew.
import { ask } from "./api.js";

const WAIT_S = 20;
const REST_MS = 2_000;
const CHARS_MOST = 512 * 1024;

async function readPiece(path, query, signal) {
  const answer = await ask(`${path}${query}`, { headers: { Accept: "text/plain" }, signal });
  const body = await answer.arrayBuffer();
  const header = (name) => answer.headers.get(name);
  return {
    body,
    next: Number(header("Log-Offset") ?? 0) + body.byteLength,
    live: header("Log-State") === "live",
    lease: header("Log-Lease"),
    error: Number(header("Log-First-Error") ?? 0),
  };
}

const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** show({text, live, error}): the log so far; error is the number of its first
 *  line that tells of one, 0 without. Ends by signal. */
export async function followLog(path, show, signal) {
  while (!signal.aborted) {
    const decoder = new TextDecoder();
    let piece = await readPiece(path, "", signal);
    let text = decoder.decode(piece.body, { stream: true });
    show({ text, live: piece.live, error: piece.error });
    if (!piece.live) return;
    for (const { lease } = piece; piece.live && piece.lease === lease && !signal.aborted; ) {
      const before = piece.next;
      piece = await readPiece(path, `?offset=${before}&wait=${WAIT_S}`, signal);
      if (piece.lease !== lease) break;
      text = (text + decoder.decode(piece.body, { stream: true })).slice(-CHARS_MOST);
      show({ text, live: piece.live, error: 0 });
    }
    await rest(piece.live ? REST_MS : 0); // read once more: whole, with its error
  }
}
