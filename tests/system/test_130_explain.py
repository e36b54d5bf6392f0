# SPDX-License-Identifier: Apache-2.0
# ctest: smoke
"""Why a job waits, and why it runs where it runs, and who did what: one farm,
asked over HTTP and on the command line at each turn."""

import getpass
import json

import farm


class Explain(farm.FarmTest):
    def why(self, job, frame=None):
        at = "" if frame is None else f"/frames/{frame}"
        return self.host.web().get(f"/v1/jobs/{job}{at}/explain").json()

    def agents(self, view):
        return {each["agent"]: each for each in view["agents"]}

    def test_each_reason(self):
        self.host = self.broker()
        first = self.host.submit(frames="1-2", name="first",
                                 priority=90, batch=2)["id"]
        view = self.why(first)
        self.assertEqual((view["code"], view["text"]),
                         ("away", "no agent is connected"))
        self.assertIn("start it", view["remedy"])

        after = self.host.submit(frames="1", name="after",
                                 depends_on=[first])["id"]
        view = self.why(after)
        self.assertEqual(view["code"], "depends_on")
        self.assertEqual(view["text"], "it waits for job first to complete, "
                         "which is queued")
        self.assertEqual(view["waits_for"], [
            {"job": first, "name": "first", "state": "queued"}])

        paused = self.host.submit(frames="1", paused=True)["id"]
        self.assertEqual(self.why(paused)["code"], "paused")
        tagged = self.host.submit(frames="1", name="tagged",
                                  requires={"tags": ["gpu"]})["id"]

        fake = self.fake(frame_ms=20000)
        agent = self.agent(self.host, fake, "a1")
        farm.until("the first frame renders", fake.started)
        leased = self.why(first)
        self.assertEqual(leased["code"], "all_leased")
        self.assertEqual(leased["agents"], [])
        lease, = leased["leases"]
        self.assertEqual((lease["agent"], lease["frames"],
                          lease["second_copy"], lease["late"]),
                         ("a1", "1-2", False, False))

        view = self.why(tagged)
        self.assertEqual(view["code"], "lacks_tag")
        self.assertEqual(self.agents(view)["a1"]["text"],
                         "lacks the tag `gpu`")
        later = self.host.submit(frames="1-5", name="later")["id"]
        view = self.why(later)
        self.assertEqual(view["code"], "busy")
        self.assertIn("takes it as soon as a slot is free", view["text"])
        urgent = self.host.submit(frames="1", name="urgent",
                                  priority=100)["id"]
        busy = self.agents(self.why(later, 3))["a1"]
        self.assertEqual(busy["job"], urgent)
        self.assertIn("job urgent goes first: priority 100, this one has 50",
                      busy["text"])
        frame = self.why(first, 2)
        self.assertEqual((frame["frame"], frame["state"], frame["code"]),
                         (2, "leased", "leased"))
        self.assertIn("agent a1 has it in a batch since", frame["text"])
        self.assertEqual(len(frame["leases"]), 1)

        self.assert_command_line(tagged, later)
        self.host.web().post(f"/v1/jobs/{later}:cancel", {"reason": "no"})
        self.assertEqual(self.why(later)["text"], "it has ended: no")
        self.assertEqual(self.why(later, 1)["code"], "cancelled")
        self.assertEqual(self.host.web().get(
            f"/v1/jobs/{later}/frames/9/explain").status, 404)
        agent.kill()  # its node cannot be stopped
        self.assert_activity(first)

    def assert_activity(self, first):
        """Over a restart, on the command line, and in pages."""
        self.cli(self.host, "pause", first)
        self.host.kill()
        self.host.restart()
        rows = json.loads(self.cli(self.host, "activity", "--since", "12h",
                                   "--json").stdout)["activity"]
        told = [(row["what"], row["job_name"], row["text"]) for row in rows]
        self.assertIn(("cancelled", "later", "no"), told)
        self.assertIn(("submitted", "first", "2 frames, priority 90"), told)
        self.assertIn(("agent_up", "a1"),
                      [(row["what"], row["agent"]) for row in rows])
        paused = next(row for row in rows if row["what"] == "paused")
        self.assertEqual((paused["job"], paused["user"]),
                         (first, getpass.getuser()))
        said = self.cli(self.host, "activity", "--job", "first").stdout
        self.assertRegex(said, r"submitted .* first +2 frames, priority 90")
        self.assertRegex(said.splitlines()[-1], "paused")
        page = self.host.web().get("/v1/activity?limit=1").json()
        after = self.host.web().get(
            f"/v1/activity?limit=1&cursor={page['next']}").json()
        self.assertLess(after["activity"][0]["id"], page["activity"][0]["id"])
        self.assertEqual(self.cli(self.host, "activity", "--since",
                                  "soon").returncode, 2)

    def assert_command_line(self, tagged, later):
        said = self.cli(self.host, "explain", "tagged").stdout
        self.assertIn("tagged is queued: no connected agent can take this "
                      "job: none has the tag `gpu`.", said)
        self.assertIn("a1: lacks the tag `gpu`", said)
        said = self.cli(self.host, "explain", later, "3").stdout
        self.assertIn("later frame 3 is pending: agent a1 is busy", said)
        view = json.loads(self.cli(self.host, "explain", later,
                                   "--json").stdout)
        self.assertEqual(view["code"], "busy")
        self.assertEqual(self.cli(self.host, "explain", later,
                                  "9").returncode, 4)


if __name__ == "__main__":
    farm.main()
