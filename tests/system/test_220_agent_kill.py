# SPDX-License-Identifier: Apache-2.0
# ctest: smoke threads long
"""An agent killed, restarted or frozen: its frames are rendered, and each is
done exactly once."""

import farm
from wire import Web

QUICK = ("--lease-ttl", 4, "--orphan-grace", 1)


class AgentKill(farm.FarmTest):
    def agents_beside(self, broker, fakes, *flags):
        agents = [self.agent(broker, fake, f"a{i}", *flags)
                  for i, fake in enumerate(fakes, 1)]
        broker.await_agents(*(agent.agent for agent in agents))
        return agents

    def polls(self, fake):
        return Web(fake.address).get("/fake/log").json()["polls"]

    def assert_done_once(self, events, job, frames):
        """Reads the stream to the job's end: one done event a frame."""
        read = events.until(lambda _, kind, data: kind == "job" and
                            data["job"] == job and data["change"] == "ended")
        done = [data["frame"] for _, kind, data in read
                if kind == "frame" and data["state"] == "done"]
        self.assertEqual(sorted(done), list(frames))

    def test_its_frames_go_to_another(self):
        slow = self.fake(frame_ms=5000)
        broker = self.broker(*QUICK)
        doomed, = self.agents_beside(broker, [slow])
        events = broker.events()
        job = broker.render(1, 10, batch=5)
        farm.until("it renders", slow.started)
        doomed.kill()
        fast = self.fake(frame_ms=10)
        self.agent(broker, fast, "b1")
        start = farm.now()
        self.assert_done_once(events, job, range(1, 11))
        self.assertLess(farm.now() - start, 10 * farm.SLOW)
        self.assertEqual(sorted(fast.rendered()), list(range(1, 11)))
        self.assertNotEqual(broker.agents()["a1"]["state"], "up")

    def test_restarted_in_time_it_adopts(self):
        for kind in ((), ("--superset",)):
            with self.subTest(kind=kind):
                fakes = [self.fake(*kind, frame_ms=100) for _ in range(2)]
                broker = self.broker("--orphan-grace", 10)
                agents = self.agents_beside(broker, fakes)
                job = broker.render(1, 40, batch=10)
                farm.until("both render",
                           lambda: all(f.rendered() for f in fakes))
                agents[0].kill()
                agents[0].start()
                broker.await_job(job, seconds=30)
                self.assert_each_once(range(1, 41), *fakes)

    def test_restarted_after_its_node_was_done(self):
        fakes = [self.fake(frame_ms=50)]
        broker = self.broker("--orphan-grace", 20)
        agent, = self.agents_beside(broker, fakes)
        job = broker.render(1, 10, batch=10)
        farm.until("the agent knows the launch's number",
                   lambda: self.polls(fakes[0]))
        agent.kill()
        farm.until("its node is done", lambda: len(fakes[0].rendered()) == 10)
        agent.start()
        broker.await_job(job)
        self.assert_each_once(range(1, 11), *fakes)

    def test_frozen_and_back_late(self):
        slow = self.fake(frame_ms=300)
        broker = self.broker(*QUICK)
        frozen, = self.agents_beside(broker, [slow])
        events = broker.events()
        job = broker.render(1, 10, batch=10)
        farm.until("it renders", slow.started)
        frozen.freeze()
        fast = self.fake(frame_ms=300)
        self.agent(broker, fast, "b1")
        farm.until("its frames went elsewhere", fast.started, 30)
        frozen.thaw()
        self.assert_done_once(events, job, range(1, 11))
        broker.await_agents("a1")
        broker.await_job(broker.render(11, 30))

    def test_broker_and_agent_killed_at_once(self):
        """Both leases are in the ledger, for they went there with the first
        frame that was done, and the agent knows its launch."""
        frames = self.folder / "frames"
        fakes = [self.fake(frame_ms=100, frames=frames) for _ in range(2)]
        broker = self.broker("--orphan-grace", 10)
        agents = self.agents_beside(broker, fakes, "--frames-dir", frames)
        job = broker.render(1, 30, batch=15)
        farm.until("both render and a frame is done", lambda:
                   all(self.polls(f) for f in fakes) and
                   "d" in broker.states(job))
        agents[0].kill()
        broker.kill()
        broker.restart()
        agents[0].start()
        broker.await_job(job, seconds=30)
        self.assert_each_once(range(1, 31), *fakes)


if __name__ == "__main__":
    farm.main()
