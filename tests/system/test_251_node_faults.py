# SPDX-License-Identifier: Apache-2.0
# ctest: long
"""Nodes that lie, crash or crawl, each beside a good one: the frames are done
elsewhere, and who asks is told what happened. A line "figure:" is a row of
docs/reliability.md."""

import farm
from bad_node import FEW, KINDS, Pairs


class NodeFaults(Pairs):
    def test_restarted_with_the_same_numbers(self):
        """All launches are gone, and new ones get their numbers."""
        self.host = self.broker()
        node = self.fake(frame_ms=150)
        self.agent(self.host, node, "a1", "--slots", 3)
        job = self.host.render(1, 18, batch=3)
        farm.until("three launches run", lambda: len(node.started()) >= 3)
        node.kill()
        node.restart()
        self.host.await_job(job)
        self.assertEqual(sorted(set(node.rendered())), list(range(1, 19)))
        posted = [event["pid"] for event in node.events("post")]
        self.assertGreater(len(posted), len(set(posted)))

    def test_lies(self):
        """`Job completed`, and no file of any frame."""
        self.host = self.broker()
        liar = self.bad("classic", "lies", lies=True)
        good = self.good("classic", "lies")
        job = self.submit("lies", batch=2)
        self.host.await_job(job)
        self.assertTrue(liar.rendered())
        self.assert_done_by(job, range(1, FEW + 1), "good-classic")
        charged = [frame for frame in self.host.frames(job).values()
                   if frame["attempts"]]
        self.assertTrue(charged)
        for frame in charged:
            self.assertEqual(frame["fault"], "unproven")
            self.assertIn("no whole picture", frame["text"])
        print(f"figure: node lies, --frames-dir: all {FEW} frames rendered "
              f"elsewhere, there {len(good.rendered())} times, lost 0")

    def test_crashes_on_one_frame(self):
        """At this node always: the frame is done elsewhere, for one attempt."""
        self.host = self.broker()
        bad = {kind: self.bad(kind, kind, "--quit-at-frame", 1)
               for kind in KINDS}
        for kind in KINDS:
            self.good(kind, kind, frame_ms=100)
        jobs = {kind: self.submit(kind, batch=1) for kind in KINDS}
        for kind, job in jobs.items():
            self.host.await_job(job)
            frames = self.host.frames(job)
            charged = {number: frame["attempts"] for number, frame
                       in frames.items() if frame["attempts"]}
            if 1 in bad[kind].started():
                self.assertEqual(charged, {1: 1})
            self.assertEqual(frames[1]["agent"], f"good-{kind}")

    def test_crashes_on_one_frame_everywhere(self):
        """The client hears of it in the words of the classic API too."""
        self.host = self.broker()
        for kind in KINDS:
            for n in (1, 2):
                self.bad(kind, f"{kind}-{n}", "--quit-at-frame", 3, tag=kind)
        jobs = {kind: self.submit(kind) for kind in KINDS}
        for kind, job in jobs.items():
            document = self.host.await_job(job, "failed")
            self.assertEqual(document["counts"]["done"], FEW - 1)
            answer = self.host.web().get(f"/status/{job}")
            self.assertEqual((answer.status, answer.text), (
                500, f"Job failed: 1 of {FEW} frames failed (3)"))
            frame = self.host.frames(job)[3]
            self.assertEqual(frame["fault"],
                             "crash" if kind == "ours" else "unproven")
            self.assertEqual(frame["attempts"], 3)

    def test_a_hundred_times_slower(self):
        """It gets no more than it can do while others do the rest; what it
        holds too long is copied elsewhere."""
        self.host = self.broker()
        for kind in KINDS:
            self.bad(kind, kind, frame_ms=2000)
            self.good(kind, kind)
        begin = farm.now()
        for job in [self.submit(kind, to=60) for kind in KINDS]:
            self.host.await_job(job)
        seconds = farm.now() - begin
        print(f"figure: node 100 times slower: 60 frames of 20 ms after "
              f"{seconds:.1f} s")
        self.assertLess(seconds, 20 * farm.SLOW)

    def test_a_hero_frame_is_left_alone(self):
        """Sixty-five times as long as the frames before it: another renders it as
        well, but the first goes on and wins."""
        self.host = self.broker()
        times = self.folder / "times"
        times.write_text("\n".join(["100"] * FEW + ["6500"]) + "\n")
        bad = {kind: self.bad(kind, kind, "--frame-ms-list", times)
               for kind in KINDS}
        jobs = {kind: self.submit(kind, batch=1) for kind in KINDS}
        for kind in KINDS:
            farm.until("the long one has begun",
                       lambda kind=kind: FEW in bad[kind].started())
        good = {kind: self.good(kind, kind, frame_ms=60000) for kind in KINDS}
        for kind, job in jobs.items():
            self.host.await_job(job)
            frame = self.host.frames(job)[FEW]
            self.assertEqual((frame["agent"], frame["attempts"]),
                             (f"bad-{kind}", 0))
            self.assertEqual(bad[kind].events("stopped"), [])
            self.assertEqual(good[kind].started(), [FEW])
        farm.until("the copy is stopped where it can be",
                   lambda: good["ours"].events("stopped"))
        self.agents["good-classic"].kill()  # its node cannot stop, and goes on


if __name__ == "__main__":
    farm.main()
