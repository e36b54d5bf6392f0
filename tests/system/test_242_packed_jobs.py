# SPDX-License-Identifier: Apache-2.0
# ctest: smoke threads
"""Jobs that have ended are packed in the ledger: nothing that HTTP tells of
them changes by that, over any number of starts, and they can be gone on with."""

import sqlite3
from contextlib import closing

import farm


class PackedJobs(farm.FarmTest):
    def told(self, broker, job):
        """All that is told of a job and its frames; a start counts changes of
        its own."""
        web = broker.web()
        document = broker.job(job)
        document.pop("revision")
        return {"document": document,
                "states": broker.states(job),
                "frames": broker.frames(job),
                "failures": web.get(f"/v1/jobs/{job}/failures").json(),
                "status": web.get(f"/status/{job}").text}

    def rows(self, broker, table):
        """Of a stopped broker's ledger."""
        with closing(sqlite3.connect(broker.data / "ledger.db")) as db:
            return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]

    def restart_packed(self, broker):
        """Starts it again, as often as it takes to pack what has ended."""
        def packed():
            broker.terminate()
            left = self.rows(broker, "frame")
            broker.restart()
            return left == 0
        farm.until("all is packed", packed)

    def test_an_ended_job_is_told_as_before(self):
        fake = self.fake("--superset", "--fail-frame", 7, frame_ms=5)
        broker = self.farm(fake)
        jobs = [broker.render(1, 20, batch=4), broker.render(5, 9, batch=5)]
        for job in jobs:
            broker.await_job(job, state="failed")
        before = [self.told(broker, job) for job in jobs]
        self.restart_packed(broker)
        after = [self.told(broker, job) for job in jobs]
        self.assertEqual(after, before)
        fake.trick(fail_frame="off")
        self.go_on(broker, jobs[0], before[0])

    def go_on(self, broker, job, before):
        web = broker.web()
        answer = web.post(f"/v1/jobs/{job}/frames:retry", {"frames": "3,7"})
        self.assertEqual(answer.status, 200)
        broker.await_job(job)
        after = self.told(broker, job)
        self.assertEqual(set(after["states"]), {"d"})
        self.assertEqual({n for n, frame in after["frames"].items()
                          if frame != before["frames"][n]}, {3, 7})
        self.restart_packed(broker)
        self.assertEqual(self.told(broker, job), after)
        self.assertIn("2 jobs (0 open)", self.check(broker))

    def check(self, broker):
        broker.terminate()
        result = self.run_program("frameq-broker", "--data", broker.data,
                                  "--check")
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout


if __name__ == "__main__":
    farm.main()
