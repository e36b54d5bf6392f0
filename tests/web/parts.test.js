// The parts of the page that are pure.
import assert from "node:assert/strict";
import test from "node:test";
import * as commands from "../../web/src/farm/commands.js";
import { touchedBy } from "../../web/src/farm/touches.js";
import * as format from "../../web/src/lib/format.js";
import * as frames from "../../web/src/lib/frames.js";
import { eventReader } from "../../web/src/lib/sse.js";
import { lettersOfCounts, squeeze } from "../../web/src/lib/states.js";

test("frames: expressions, and what is none", () => {
  const spans = frames.parseFrames("1-10x3,20,30-31");
  assert.equal(frames.countFrames(spans), 7);
  assert.deepEqual([0, 3, 4, 6, 7].map((i) => frames.frameAt(spans, i)), [1, 10, 20, 31, undefined]);
  assert.deepEqual([1, 4, 5, 20, 31].map((n) => frames.ordinalOf(spans, n)), [0, 1, -1, 4, 6]);
  for (const text of ["", "a", "1-", "5-1", "1-9x0", "1,,2", "-3", "1.5"]) assert.equal(frames.parseFrames(text), null, text);
});

test("frames: a slice by ordinals is an expression again", () => {
  const spans = frames.parseFrames("1-10x3,20,30-31");
  assert.equal(frames.sliceFrames(spans, 1, 5), "4-10x3,20,30");
  assert.equal(frames.sliceFrames(spans, 4, 4), "20");
  assert.deepEqual([...frames.ordinalsOf(spans, "4-10x3,31")], [1, 2, 3, 6]);
  assert.equal(frames.ordinalsOf(spans, "5"), null);
});

test("frames: runs of a letter", () => {
  assert.deepEqual(frames.runsOf("ddq"), [{ letter: "d", from: 0, to: 1 }, { letter: "q", from: 2, to: 2 }]);
  assert.deepEqual(frames.runsOf(""), []);
});

test("states: what is squeezed shows the worst first", () => {
  assert.deepEqual(squeeze("ddfqqq", 3), { cells: "dfq", size: 2 });
  assert.deepEqual(squeeze("dq", 3), { cells: "dq", size: 1 });
  assert.equal(lettersOfCounts({ total: 4, done: 2, failed: 1, cancelled: 0, leased: 0, pending: 1 }, 128), "ddfq");
});

test("sse: events in any pieces", () => {
  const text = "retry: 2000\nid: 7:1\n\n: beat\nid: 7:2\nevent: job\ndata: {\ndata: }\n\n";
  for (let cut = 1; cut < text.length; cut++) {
    const events = [];
    const feed = eventReader((event) => events.push(event));
    feed(text.slice(0, cut));
    feed(text.slice(cut));
    assert.deepEqual(events, [{ id: "7:1", event: "", data: undefined }, { id: "7:2", event: "job", data: "{\n}" }], `cut at ${cut}`);
  }
});

test("touches: an event makes stale what shows it, and nothing of another job", () => {
  const paths = ["/v1/farm", "/v1/agents", "/v1/jobs?limit=50", "/v1/jobs/A", "/v1/jobs/A/failures", "/v1/jobs/A/frames?view=states",
    "/v1/jobs/A/frames?state=done&limit=1000", "/v1/jobs/B", "/v1/jobs/B/frames/7"];
  const touched = (type, event) => paths.filter(touchedBy(type, event));
  assert.deepEqual(touched("progress", { job: "A" }), ["/v1/agents", "/v1/jobs/A/frames?view=states"]);
  assert.ok(!touched("frame", { job: "A", state: "done" }).some((path) => path.includes("/B")));
  assert.ok(!touched("frame", { job: "A", state: "failed" }).includes("/v1/jobs/A/frames?state=done&limit=1000"));
  assert.ok(!touched("job", { job: "A", change: "forgotten" }).includes("/v1/jobs/A/failures"));
  assert.deepEqual(touched("reset", {}), paths);
  assert.deepEqual(touched("something new", {}), []);
});

test("commands: as lines that a shell takes", () => {
  const job = { id: "abc", counts: { failed: 2 } };
  const origin = "http://farm:4000";
  const cancel = commands.cancelJob(job, "it's late");
  assert.equal(commands.cliLine(cancel, origin), `frameq cancel abc --reason 'it'\\''s late' --broker ${origin}`);
  assert.equal(commands.curlLine(cancel, origin, true),
    `curl -X POST ${origin}/v1/jobs/abc:cancel -H "Authorization: Bearer $FRAMEQ_TOKEN" -H 'Content-Type: application/json' -d '{"reason":"it'\\''s late"}'`);
  assert.equal(commands.cliLine(commands.retryFailed(job), "http://127.0.0.1:4000"), "frameq retry abc --failed");
  const submit = commands.submitJob({ frames: "1-5", blend: "/a b.blend", requires: { tags: ["gpu"] }, paused: true }, "k");
  assert.equal(commands.cliLine(submit, "http://127.0.0.1:4000"), "frameq submit '/a b.blend' -f 1-5 --tag gpu --paused");
});

test("format: durations and ranges of time", () => {
  assert.deepEqual([0.061, 4.24, 59.7, 124, 11400, 190000].map(format.duration), ["61 ms", "4.2 s", "1 m 00 s", "2 m 04 s", "3 h 10 m", "2 d 4 h"]);
  assert.equal(format.etaText({ low: 720, high: 960 }), "12–16 min");
  assert.equal(format.etaText({ low: 40, high: 120 }), "40 s – 2 min");
  assert.equal(format.etaText({ low: 720, high: null }), "12 min or more");
  assert.equal(format.etaText(null), null);
  const left = (fields) => format.leftText({ eta_seconds: null, state: "running", counts: { leased: 1, done: 2 }, ...fields });
  assert.equal(left({}), "estimating");
  assert.equal(left({ counts: { leased: 1, done: 3 } }), "–");
  assert.equal(left({ state: "queued" }), "–");
  assert.equal(left({ eta_seconds: { low: 1, high: 2 } }), "1–2 s");
});
