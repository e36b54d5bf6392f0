# SPDX-License-Identifier: Apache-2.0
# ctest: smoke long
"""What a job may ask for is what it gets: order, pauses, dependencies, times,
limits and tags."""

import datetime

import farm

CLOCKS_MS = 2  # between the clocks of two programs


def spans(fake):
    """(start, end) in ms of every frame a fake has rendered."""
    starts = {e["from"]: e["t"] for e in fake.events("start")}
    return [(starts[e["from"]], e["t"]) for e in fake.events("end")]


class Jobs(farm.FarmTest):
    def test_priority_then_age(self):
        broker = self.broker()
        fake = self.fake(frame_ms=5)
        jobs = [broker.render(first, first + 4, priority=priority, batch=5)
                for first, priority in ((100, 10), (200, 50), (300, 90),
                                        (400, 50), (500, 0), (600, 100))]
        self.agent(broker, fake, "a1")
        for job in jobs:
            broker.await_job(job)
        order = [entry["from"] for entry in fake.events("post")]
        self.assertEqual(order, [600, 300, 200, 400, 100, 500])

    def test_a_changed_priority_counts(self):
        broker = self.broker()
        fake = self.fake(frame_ms=5)
        jobs = [broker.render(first, first, batch=1)
                for first in (100, 200, 300)]
        broker.web().patch(f"/v1/jobs/{jobs[2]}", {"priority": 99})
        self.agent(broker, fake, "a1")
        for job in jobs:
            broker.await_job(job)
        self.assertEqual(fake.rendered(), [300, 100, 200])

    def test_fixed_batches(self):
        broker = self.broker()
        fake = self.fake(frame_ms=2)
        job = broker.render(1, 23, batch=5)
        self.agent(broker, fake, "a1")
        broker.await_job(job)
        posted = [(e["from"], e["to"]) for e in fake.events("post")]
        self.assertEqual(posted, [(1, 5), (6, 10), (11, 15), (16, 20),
                                  (21, 23)])

    def test_steps_are_not_filled_in(self):
        fake = self.fake(frame_ms=2)
        broker = self.farm(fake)
        job = broker.submit(frames="1-20x4,30-32")["id"]
        broker.await_job(job)
        self.assertEqual(sorted(fake.rendered()),
                         [1, 5, 9, 13, 17, 30, 31, 32])

    def test_pause_and_resume(self):
        fake = self.fake(frame_ms=30)
        broker = self.farm(fake)
        job = broker.render(1, 40, batch=1)
        farm.until("some are done",
                   lambda: broker.job(job)["counts"]["done"] >= 3)
        broker.web().patch(f"/v1/jobs/{job}", {"paused": True})
        farm.until("nothing is leased",
                   lambda: broker.job(job)["counts"]["leased"] == 0)
        document = broker.job(job)
        self.assertEqual(document["state"], "paused")
        self.assertLess(document["counts"]["done"], 40)
        other = broker.render(100, 110)
        broker.await_job(other)
        self.assertEqual(broker.job(job)["counts"], document["counts"])
        broker.web().patch(f"/v1/jobs/{job}", {"paused": False})
        broker.await_job(job)

    def test_depends_on(self):
        fakes = [self.fake(frame_ms=20) for _ in range(2)]
        broker = self.farm(*fakes)
        first = broker.render(1, 10)
        second = broker.render(101, 104, depends_on=[first], priority=100)
        self.assertEqual(broker.job(second)["state"], "queued")
        broker.await_job(second)
        self.assertEqual(broker.job(first)["state"], "completed")
        end = max(e["t"] for fake in fakes for e in fake.events("end")
                  if e["from"] <= 10)
        start = min(e["t"] for fake in fakes for e in fake.events("start")
                    if e["from"] > 100)
        self.assertGreaterEqual(start, end)

    def test_not_before(self):
        fake = self.fake(frame_ms=5)
        broker = self.farm(fake)
        at = (datetime.datetime.now(datetime.timezone.utc) +
              datetime.timedelta(seconds=1.5))
        job = broker.render(1, 2, not_before=at.isoformat())
        self.assertEqual(broker.job(job)["state"], "queued")
        broker.await_job(job)
        start = fake.events("post")[0]["t"] / 1000
        self.assertGreaterEqual(start, at.timestamp() - 0.01)
        self.assertLess(start, at.timestamp() + 1 * farm.SLOW)

    def test_max_agents(self):
        fakes = [self.fake(frame_ms=10) for _ in range(3)]
        broker = self.farm(*fakes)
        job = broker.render(1, 40, batch=1, max_agents=1)
        broker.await_job(job)
        all_spans = sorted(span for fake in fakes for span in spans(fake))
        for before, after in zip(all_spans, all_spans[1:]):
            self.assertLessEqual(before[1], after[0] + CLOCKS_MS)

    def test_tags(self):
        broker = self.broker()
        plain, tagged = self.fake(frame_ms=5), self.fake(frame_ms=5)
        self.agent(broker, plain, "plain", "--tags", "cpu")
        self.agent(broker, tagged, "tagged", "--tags", "cpu,big,fast")
        broker.await_agents("plain", "tagged")
        job = broker.render(1, 20, batch=1, requires={"tags": ["big", "cpu"]})
        broker.await_job(job)
        self.assertEqual(plain.rendered(), [])
        self.assertEqual(len(tagged.rendered()), 20)
        none = broker.render(1, 2, requires={"tags": ["none"]})
        broker.await_job(broker.render(30, 31))
        self.assertEqual(broker.job(none)["state"], "queued")
        self.assertIn("none", str(broker.job(none)["warnings"]))

    def test_cancel_one_of_many(self):
        fake = self.fake(frame_ms=20)
        broker = self.farm(fake)
        jobs = [broker.render(first, first + 9, batch=2)
                for first in (100, 200, 300)]
        broker.web().post(f"/v1/jobs/{jobs[1]}:cancel", {})
        broker.await_job(jobs[0])
        broker.await_job(jobs[2])
        self.assertFalse([f for f in fake.started() if 200 <= f < 300 and
                          f > 201])

    def test_drain(self):
        fakes = [self.fake(frame_ms=20) for _ in range(2)]
        broker = self.farm(*fakes)
        answer = broker.web().patch("/v1/agents/a1", {"drain": "soft"})
        self.assertEqual(answer.status, 200, answer)
        job = broker.render(1, 20, batch=1)
        broker.await_job(job)
        self.assertEqual(fakes[0].rendered(), [])
        self.assertEqual(broker.agents()["a1"]["drain"], "soft")
        broker.kill()
        broker.restart()
        broker.await_agents("a1", "a2")
        self.assertEqual(broker.agents()["a1"]["drain"], "soft")
        broker.web().patch("/v1/agents/a1", {"drain": "off"})
        broker.await_job(broker.render(21, 60, batch=1))
        self.assertNotEqual(fakes[0].rendered(), [])

    def test_drain_now_gives_frames_back(self):
        slow, fast = self.fake("--superset", frame_ms=300), self.fake(
            "--superset", frame_ms=10)
        broker = self.farm(slow)
        job = broker.render(1, 12, batch=12)
        farm.until("it renders", slow.started)
        self.agent(broker, fast, "a2")
        broker.await_agents("a2")
        broker.web().patch("/v1/agents/a1", {"drain": "now"})
        broker.await_job(job)
        self.assertGreaterEqual(len(fast.rendered()), 10)


if __name__ == "__main__":
    farm.main()
