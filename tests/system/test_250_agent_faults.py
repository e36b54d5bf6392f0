# SPDX-License-Identifier: Apache-2.0
"""Agents that are killed or frozen, beside a classic node and beside our own
in the same farm: how soon their frames go elsewhere, and what becomes of what
they bring late. A line "figure:" is a row of docs/reliability.md."""

import os

import farm

TTL = float(os.environ.get("FRAMEQ_FAULT_TTL", "3"))
KINDS = {"classic": (), "ours": ("--superset",)}
FRAME_MS = 1000
FRAMES = 3


class AgentFaults(farm.FarmTest):
    def start(self, *flags, frame_ms=FRAME_MS):
        """A broker with one agent of each kind, whose node renders a job of
        its kind; the agents that will take over join once it does."""
        self.host = self.broker(*flags)
        self.events = self.host.events(timeout=30 * farm.SLOW + TTL)
        self.fakes, self.agents, self.jobs = {}, {}, {}
        for kind in KINDS:
            self.add(f"first-{kind}", kind, frame_ms)
        self.host.await_agents(*self.agents)
        for kind in KINDS:
            self.jobs[kind] = self.host.submit(
                **{"from": 1, "to": FRAMES, "batch": FRAMES,
                   "requires": {"tags": [kind]}})["id"]
        farm.until("both render", lambda: all(
            fake.started() for fake in self.fakes.values()))
        for kind in KINDS:
            self.add(f"second-{kind}", kind, 10)
        self.host.await_agents(*self.agents)

    def add(self, name, kind, frame_ms):
        self.fakes[name] = self.fake(*KINDS[kind], frame_ms=frame_ms)
        self.agents[name] = self.agent(self.host, self.fakes[name], name,
                                       "--tags", kind)

    def first(self, programs):
        return [programs[f"first-{kind}"] for kind in KINDS]

    def seconds_to_lease(self, begin):
        """From begin until frames of both jobs are leased to the others."""
        taken = {}

        def took(_, kind, data):
            if data.get("change") == "ended":
                self.assertIn(data["job"], (self.jobs[kind] for kind in KINDS
                                            if f"second-{kind}" in taken))
            if (kind == "lease" and data["change"] == "leased" and
                    data["agent"].startswith("second-")):
                taken[data["agent"]] = farm.now() - begin
            return len(taken) == len(KINDS)
        self.events.until(took)
        return max(taken.values())

    def figure(self, fault, seconds):
        print(f"figure: {fault}: frames leased to another after "
              f"{seconds:.1f} s, rendered twice "
              f"{self.rendered_twice()} of {FRAMES * len(KINDS)}, lost 0")

    def rendered_twice(self):
        ended = [(kind, frame) for kind in KINDS
                 for name, fake in self.fakes.items() if name.endswith(kind)
                 for frame in fake.rendered()]
        return len(ended) - len(set(ended))

    def assert_done_by_second(self):
        for kind in KINDS:
            for number, frame in self.host.frames(self.jobs[kind]).items():
                self.assertEqual((frame["state"], frame["agent"]),
                                 ("done", f"second-{kind}"), number)

    def assert_done_once(self):
        """One done event a frame, in all the stream had until now."""
        mark = self.host.render(1, 1, batch=1, requires={"tags": ["ours"]})
        read = self.events.until(lambda _, kind, data: kind == "job" and
                                 data["job"] == mark and
                                 data["change"] == "ended")
        done = [(data["job"], data["frame"]) for _, kind, data in read
                if kind == "frame" and data["state"] == "done" and
                data["job"] != mark]
        self.assertEqual(len(done), len(set(done)), done)

    def test_killed(self):
        """With the default grace, 2 s where frames are short."""
        self.start(frame_ms=20000)
        begin = farm.now()
        for agent in self.first(self.agents):
            agent.kill()
        seconds = self.seconds_to_lease(begin)
        for job in self.jobs.values():
            self.host.await_job(job)
        self.assertLess(seconds, 3 * farm.SLOW)
        self.assert_done_by_second()
        self.figure("agent killed", seconds)

    def test_frozen_and_back(self):
        self.start("--lease-ttl", TTL, "--orphan-grace", 1)
        begin = farm.now()
        for agent in self.first(self.agents):
            agent.freeze()
        seconds = self.seconds_to_lease(begin)
        for job in self.jobs.values():
            self.host.await_job(job)
        farm.until("the nodes are done with it as well", lambda: all(
            len(fake.rendered()) == FRAMES
            for fake in self.first(self.fakes)))
        for agent in self.first(self.agents):
            agent.thaw()
        self.host.await_agents(*self.agents)
        self.figure(f"agent frozen, --lease-ttl {TTL:g}", seconds)
        self.assertLess(seconds, TTL + 2 * farm.SLOW)
        self.assert_done_once()
        self.assert_done_by_second()

    def test_restarted_within_the_grace(self):
        self.start("--orphan-grace", 20)
        for agent in self.first(self.agents):
            agent.kill()
            agent.start()
        for job in self.jobs.values():
            self.host.await_job(job)
        self.assertEqual(self.rendered_twice(), 0)
        print("figure: agent restarted within the grace: adopted, rendered "
              f"twice 0 of {FRAMES * len(KINDS)}, lost 0")


if __name__ == "__main__":
    farm.main()
