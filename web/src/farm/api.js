// Requests to the broker. An answer that is no success becomes a Problem, with
// the words of the broker (RFC 9457) where it had any.
import { askForToken } from "./session.js";

export class Problem extends Error {
  constructor(title, detail, status) {
    super(detail ? `${title}: ${detail}` : title);
    this.title = title;
    this.detail = detail;
    this.status = status; // 0: no answer at all
  }
}

async function problemOf(answer) {
  const said = await answer.json().catch(() => ({}));
  return new Problem(said.title ?? `The broker answered ${answer.status}`, said.detail ?? "", answer.status);
}

/** The answer to a request, once its status is a success. */
export async function ask(path, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  let answer;
  try {
    answer = await fetch(path, { cache: "no-store", ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("No answer from the broker", "", 0);
  }
  if (answer.ok) return answer;
  const problem = await problemOf(answer);
  if (answer.status === 401) askForToken(problem.detail);
  throw problem;
}

export const read = async (path) => (await ask(path)).json();

/** Sends a command (commands.js); returns the document it answers with, or null. */
export async function send({ method, path, body, headers }) {
  const answer = await ask(path, {
    method,
    headers: { ...(body && { "Content-Type": "application/json" }), ...headers },
    body: body && JSON.stringify(body),
  });
  return answer.status === 204 ? null : answer.json();
}
