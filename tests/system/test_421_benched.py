# SPDX-License-Identifier: Apache-2.0
"""421: a node that fails what others render is kept from the job, and everybody
who asks is told so: the job, the agent, the events, the command line. A node
that can be trusted with nothing does not keep the job from its end."""

import farm
from bad_node import Pairs

FRAMES = 60
ALL = range(1, FRAMES + 1)


class Benched(Pairs):
    def play(self, kind, *tricks, lies=False):
        """A bad node and a good one that takes longer. Returns the bad one, the
        job's document and what its end was preceded by in the feed."""
        self.host = self.broker()
        events = self.host.events()
        bad = self.bad(kind, "job", *tricks, frame_ms=10, lies=lies)
        self.good(kind, "job", frame_ms=150)
        job = self.submit("job", to=FRAMES, batch=1)
        document = self.host.await_job(job)
        return bad, document, events.until(
            lambda _id, event, data: event == "job" and
            data["change"] == "ended")

    def assert_benched(self, kind, bad, document, events):
        """Three of its frames were rendered elsewhere when it was benched;
        those it failed before cost an attempt each, and no others did."""
        job = document["id"]
        self.assertEqual(document["counts"]["done"], FRAMES)
        self.assert_done_by(job, ALL, f"good-{kind}")
        warnings = " ".join(document["warnings"])
        self.assertRegex(warnings, "agent bad-job is benched for this job: "
                         "[0-9]+ frames failed there which others rendered")
        self.assertIn("agent bad-job is benched",
                      self.cli(self.host, "show", job).stdout)
        self.assertEqual([(data["name"], data["job"]) for _, event, data
                          in events if event == "agent" and
                          data["change"] == "benched"], [("bad-job", job)])
        charged = {number: frame["attempts"] for number, frame
                   in self.host.frames(job).items() if frame["attempts"]}
        self.assertGreaterEqual(len(charged), 3)
        self.assertLess(len(charged), FRAMES)
        self.assertEqual(set(charged.values()), {1})
        self.assertEqual(set(bad.started()), set(charged))

    def test_fails_every_frame(self):
        tricks = [word for frame in ALL
                  for word in ("--quit-at-frame", frame)]
        bad, document, events = self.play("ours", *tricks)
        self.assert_benched("ours", bad, document, events)
        self.assertEqual(bad.rendered(), [])

    def test_lies(self):
        """It says `Job completed`, and there is no file."""
        bad, document, events = self.play("classic", lies=True)
        self.assert_benched("classic", bad, document, events)

    def test_is_kept_from_that_job_alone(self):
        """The agent's list names the job while that is open, and the next job
        is tried there again."""
        self.host = self.broker()
        tricks = [word for frame in ALL
                  for word in ("--quit-at-frame", f"{frame}:1")]
        bad = self.bad("ours", "job", *tricks, frame_ms=10)
        self.good("ours", "job", frame_ms=50)
        job = self.submit("job", to=1000, batch=1)
        benched = farm.until("it is benched", lambda: self.host.agents()[
            "bad-job"]["benched"])
        self.assertEqual([entry["job"] for entry in benched], [job])
        self.assertIn("frames failed there which others rendered",
                      benched[0]["text"])
        self.host.web().post(f"/v1/jobs/{job}:cancel", {})
        self.assertEqual(self.host.agents()["bad-job"]["benched"], [])
        before = len(bad.started())
        self.host.await_job(self.submit("job", **{"from": 2001, "to": 2020},
                                        batch=1))
        self.assertGreater(len(bad.started()), before)


if __name__ == "__main__":
    farm.main()
