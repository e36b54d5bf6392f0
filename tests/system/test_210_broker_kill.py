# SPDX-License-Identifier: Apache-2.0
# ctest: smoke threads
"""A broker killed at any instant: nothing acknowledged is lost, nothing that
was finished is rendered again, agents go on meanwhile."""

import threading

import farm
from wire import Web


class BrokerKill(farm.FarmTest):
    def done(self, broker, job):
        return broker.job(job)["counts"]["done"]

    def rendered(self, fakes):
        return sum(len(fake.rendered()) for fake in fakes)

    def works(self, fake):
        ended = sum(len(fake.events(end))
                    for end in ("completed", "failed", "stopped"))
        return len(fake.events("post")) > ended

    def times_rendered(self, frame, fakes):
        return sum(fake.rendered().count(frame) for fake in fakes)

    def kill_and_restart(self, kinds, kills):
        fakes = [self.fake(*kinds, frame_ms=40) for _ in range(2)]
        broker = self.farm(*fakes)
        job = broker.render(1, 100, batch=5)
        finished = {}
        for nth in range(1, kills + 1):
            wanted = nth * 60 // kills
            farm.until(f"{wanted} frames are done",
                       lambda n=wanted: self.done(broker, job) >= n)
            states = broker.states(job)
            broker.kill()
            for frame, state in enumerate(states, 1):
                if state == "d" and frame not in finished:
                    finished[frame] = self.times_rendered(frame, fakes)
            before = self.rendered(fakes)
            farm.until("agents carry on with what they have",
                       lambda n=before: self.rendered(fakes) > n or
                       not any(self.works(fake) for fake in fakes))
            broker.restart()
            self.assertGreaterEqual(self.done(broker, job), wanted)
        broker.await_job(job, seconds=30)
        for frame, times in finished.items():
            self.assertEqual(self.times_rendered(frame, fakes), times, frame)
        # A lease granted in the last fifth of a second may be unknown after
        # a kill; its frames are then handed out once more.
        self.assertLessEqual(self.rendered(fakes), 100 + kills * 2 * 5)

    def test_one_kill_over_classic_nodes(self):
        self.kill_and_restart((), 1)

    def test_many_kills_over_our_nodes(self):
        self.kill_and_restart(("--superset",), 4)

    def test_agents_finish_while_it_is_away(self):
        """The leases are in the ledger: they went there with the first frame
        that was done."""
        frames = self.folder / "frames"
        fakes = [self.fake(frame_ms=60, frames=frames) for _ in range(2)]
        broker = self.farm(*fakes, agent_flags=("--frames-dir", frames))
        job = broker.render(1, 20, batch=10)
        farm.until("both render and a frame is done", lambda:
                   all(f.started() for f in fakes) and
                   "d" in broker.states(job))
        broker.kill()
        farm.until("all is rendered", lambda: self.rendered(fakes) == 20)
        broker.restart()
        broker.await_job(job)
        self.assert_each_once(range(1, 21), *fakes)
        for frame in broker.frames(job).values():
            self.assertEqual(frame["state"], "done")

    def test_every_acknowledged_job_is_there(self):
        broker = self.broker()
        acknowledged, lock = [], threading.Lock()

        def submit(n):
            web = Web(broker.address, keep=True)
            try:
                while True:
                    job = web.post("/render", {"from": 1, "to": n + 1})
                    with lock:
                        acknowledged.append((job.json()["jobId"], n + 1))
            except OSError:
                web.close()

        for _ in range(3):
            size = len(acknowledged)
            threads = [threading.Thread(target=submit, args=(n,))
                       for n in range(4)]
            for thread in threads:
                thread.start()
            farm.until("some are accepted",
                       lambda n=size: len(acknowledged) > n + 30)
            broker.kill()
            for thread in threads:
                thread.join()
            broker.restart()
            for job, frames in acknowledged:
                self.assertEqual(broker.job(job)["counts"]["total"], frames)

    def test_changes_are_there_too(self):
        broker = self.broker()
        web = broker.web()
        kept = broker.render(1, 10, name="kept", priority=7)
        web.patch(f"/v1/jobs/{kept}", {"priority": 8, "paused": True})
        web.post(f"/v1/jobs/{kept}/frames:cancel", {"frames": "3-4"})
        gone = broker.render(1, 10)
        web.post(f"/v1/jobs/{gone}:cancel", {"reason": "no"})
        forgotten = broker.render(1, 10)
        web.post(f"/v1/jobs/{forgotten}:cancel", {})
        web.delete(f"/v1/jobs/{forgotten}")
        before = [broker.job(kept), broker.job(gone)]
        broker.kill()
        broker.restart()
        after = [broker.job(kept), broker.job(gone)]
        for document in before + after:
            document.pop("revision")
        self.assertEqual(before, after)
        self.assertEqual(broker.states(kept), "qqccqqqqqq")
        self.assertEqual(web.get(f"/status/{forgotten}").status, 404)

    def test_epochs_grow(self):
        broker = self.broker()
        epochs = []
        for _ in range(3):
            epochs.append(broker.farm()["epoch"])
            broker.kill()
            broker.restart()
        self.assertEqual(epochs, sorted(set(epochs)))


if __name__ == "__main__":
    farm.main()
