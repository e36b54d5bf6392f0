// One reader of GET /v1/events. By fetch rather than EventSource, which does not
// say why it was refused. Says when it is live and when it is lost; after a loss it comes
// back by itself and resumes behind the last event it got.
import { eventReader } from "../lib/sse.js";
import { ask } from "./api.js";

const BEAT_LOST_MS = 40_000; // the broker beats every 15 s
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 8_000;

/** handlers: live(resumed), lost(problem, retryMs), event(type, data). */
export function createStream(handlers) {
  let topics = "";
  let lastId = null;
  let attempts = 0;
  let current = null; // the connection now; those before it have no say
  let timer = null;

  function take({ id, event, data }) {
    if (id !== undefined) lastId = id;
    if (event) handlers.event(event, data ? JSON.parse(data) : {});
  }

  async function readAll(answer, mine) {
    const feed = eventReader(take);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const watch = setTimeout(() => mine.abort(), BEAT_LOST_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(watch));
      if (done) return;
      if (mine === current) feed(value);
    }
  }

  function lose(mine, problem) {
    if (mine !== current) return;
    const wait = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** attempts++) * (0.75 + Math.random() / 2);
    current = null;
    timer = setTimeout(connect, wait);
    handlers.lost(problem, wait);
  }

  async function connect() {
    clearTimeout(timer);
    current?.abort();
    const mine = new AbortController();
    current = mine;
    try {
      const headers = { Accept: "text/event-stream", ...(lastId && { "Last-Event-ID": lastId }) };
      const answer = await ask(`/v1/events?topics=${topics}`, { headers, signal: mine.signal });
      if (mine !== current) return;
      attempts = 0;
      handlers.live(lastId !== null);
      await readAll(answer, mine);
      lose(mine, null);
    } catch (problem) {
      lose(mine, problem);
    }
  }

  return {
    /** Opens it, or opens it anew for other topics without losing an event. */
    follow(wanted) {
      if (wanted === topics && (current || timer)) return;
      topics = wanted;
      connect();
    },
    retry() {
      attempts = 0;
      connect();
    },
    stop() {
      clearTimeout(timer);
      timer = null;
      current?.abort();
      current = null;
    },
    get stopped() {
      return !current && !timer;
    },
  };
}
