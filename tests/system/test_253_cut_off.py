# SPDX-License-Identifier: Apache-2.0
# ctest: long
"""Agents whose cable is pulled out: for a moment, for longer than their lease,
for good. Each beside a classic node and beside our own, on hosts of their own.
A line "figure:" is a row of docs/reliability.md."""

import os
import unittest

import farm
import netns

TTL = float(os.environ.get("FRAMEQ_FAULT_TTL", "3"))
KINDS = {"classic": (), "ours": ("--superset",)}
FAULTS = ("moment", "longer", "for-good")
FRAME_MS = 500
FRAMES = int(TTL) * 3
WHY_NOT = netns.missing()
if WHY_NOT:
    print(f"skipped: {WHY_NOT}")


class CutOff(farm.FarmTest):
    def setUp(self):
        if WHY_NOT:
            raise unittest.SkipTest(WHY_NOT)
        self.cases = {f"{fault}-{kind}": (fault, kind) for kind in KINDS
                      for fault in FAULTS}
        self.numbers = {name: n for n, name in enumerate(self.cases, 1)}
        self.star = netns.Star(len(self.cases))
        self.addCleanup(self.star.close)
        self.enterContext(self.star.inside(self.star.middle))
        self.host = self.broker(
            "--insecure", "--lease-ttl", TTL,
            listen=("--http", f"{self.star.address}:4000",
                    "--zmq", f"{self.star.address}:4001"))
        self.agents = {}
        self.nodes = {name: self.pair(name, kind, FRAME_MS, [name],
                                      self.star.on(self.numbers[name]))
                      for name, (_, kind) in self.cases.items()}
        self.host.await_agents(*self.cases)
        self.jobs = {name: self.host.submit(
            **{"from": 1, "to": FRAMES, "batch": FRAMES,
               "requires": {"tags": [name]}})["id"] for name in self.cases}
        farm.until("all render", lambda: all(
            node.started() for node in self.nodes.values()))

    def pair(self, name, kind, frame_ms, tags, where):
        node = self.fake(*KINDS[kind], frame_ms=frame_ms, prefix=where)
        self.agents[name] = self.agent(
            self.host, node, name, "--tags", ",".join(tags), "--slots",
            8 if len(tags) > 1 else 1, prefix=where)
        return node

    def of(self, *faults):
        return [name for name, case in self.cases.items() if case[0] in faults]

    def cut(self, *faults):
        for name in self.of(*faults):
            self.star.cut(self.numbers[name])

    def mend(self, *faults):
        for name in self.of(*faults):
            self.star.mend(self.numbers[name])

    def taken(self, begin, names):
        """Seconds until each of these jobs was leased to a helper."""
        found = {}

        def took(_, kind, data):
            if (kind == "lease" and data["change"] == "leased" and
                    data["agent"].startswith("helper-")):
                name = next(n for n, job in self.jobs.items()
                            if job == data["job"])
                if name in names:  # others may be helped at their end
                    found.setdefault(name, farm.now() - begin)
            missing = set(names) - set(found)
            ended = kind == "job" and data["change"] == "ended"
            self.assertFalse(ended and data["job"] in
                             [self.jobs[name] for name in missing], data)
            return not missing
        self.events.until(took)
        return found

    def test_cables(self):
        self.events = self.host.events(timeout=30 * farm.SLOW + TTL)
        self.cut(*FAULTS)
        begin = farm.now()
        helpers = {kind: self.pair(
            f"helper-{kind}", kind, 20,
            [name for name, case in self.cases.items() if case[1] == kind], ())
            for kind in KINDS}
        self.host.await_agents(*(f"helper-{kind}" for kind in KINDS))
        farm.until("a moment is over",
                   lambda: farm.now() - begin > min(2, TTL / 2))
        self.mend("moment")
        lost = self.of("longer", "for-good")
        seconds = self.taken(begin, lost)
        for job in self.jobs.values():
            self.host.await_job(job, seconds=20 + 3 * TTL)
        before = {name: self.host.frames(job)
                  for name, job in self.jobs.items()}
        farm.until("those cut off are done too", lambda: all(
            len(self.nodes[name].rendered()) == FRAMES
            for name in self.of("longer")), 3 * TTL)
        self.mend("longer")
        self.host.await_agents(*self.of("longer"), seconds=20)
        after = {name: self.host.frames(job)
                 for name, job in self.jobs.items()}
        for name in self.of("for-good"):
            self.agents[name].kill()  # would wait for its broker
        self.judge(helpers, seconds, before, after)

    def judge(self, helpers, seconds, before, after):
        self.assertEqual(before, after)
        self.assertEqual(set(seconds), set(self.of("longer", "for-good")))
        for name in self.of("moment"):
            kind = self.cases[name][1]
            self.assertLessEqual({frame["agent"] for frame in
                                  after[name].values()},
                                 {name, f"helper-{kind}"})
        slowest = max(seconds.values())
        rendered = sum(len(node.rendered()) for node in
                       [*helpers.values(), *self.nodes.values()])
        self.assertLess(slowest, TTL + 2 * farm.SLOW)
        print(f"figure: cable out for less than --lease-ttl {TTL:g}: "
              "leases kept, rendered twice 0, lost 0")
        print(f"figure: cable out for longer than --lease-ttl {TTL:g}: frames "
              f"leased to another after {slowest:.1f} s, rendered twice "
              f"{rendered - len(self.jobs) * FRAMES} of "
              f"{len(seconds) * FRAMES}, lost 0")


if __name__ == "__main__":
    farm.main()
