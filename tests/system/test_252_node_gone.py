# SPDX-License-Identifier: Apache-2.0
# ctest: long
"""Nodes that are killed, frozen, or take what they are asked and never answer:
their agents say so, the frames are rendered elsewhere, and what comes late
changes nothing. A line "figure:" is a row of docs/reliability.md."""

import farm
from bad_node import FEW, KINDS, Pairs

FAULTS = ("killed", "frozen", "deaf")


class NodeGone(Pairs):
    def test_gone_for_good_or_for_long(self):
        """What is begun is copied elsewhere after 5 s at the latest, since the
        job's frames are known to be short."""
        self.host = self.broker()
        cases = {f"{fault}-{kind}": (kind, fault) for kind in KINDS
                 for fault in FAULTS}
        bad = {name: self.bad(kind, name, frame_ms=400)
               for name, (kind, _) in cases.items()}
        jobs = {name: self.submit(name, batch=2) for name in cases}
        for name, node in bad.items():
            farm.until("frames are done and others begun", lambda: (
                self.host.job(jobs[name])["counts"]["done"] >= 2 and
                len(node.started()) > len(node.rendered())))
            done = self.host.job(jobs[name])["counts"]["done"]
            self.break_node(node, cases[name][1])
            self.assertLess(done, FEW)
        begin = farm.now()
        for kind in KINDS:
            self.good(kind, *(n for n, case in cases.items()
                              if case[0] == kind))
        noticed = self.await_down(begin, [f"bad-{name}" for name in cases])
        for name, job in jobs.items():
            self.host.await_job(job)
        for name, (kind, fault) in cases.items():
            self.assertLess(noticed[f"bad-{name}"],
                            (2 if fault == "killed" else 14) * farm.SLOW)
            print(f"figure: {kind} node {fault}: noticed after "
                  f"{noticed[f'bad-{name}']:.1f} s, lost 0")
        before = {name: self.host.frames(job) for name, job in jobs.items()}
        back = [name for name, case in cases.items() if case[1] != "deaf"]
        for name in back:
            self.mend_node(bad[name], cases[name][1])
        self.host.await_agents(*(f"bad-{name}" for name in back))
        self.assertEqual(before, {name: self.host.frames(job)
                                  for name, job in jobs.items()})
        for name in set(cases) - set(back):
            self.agents[f"bad-{name}"].kill()  # would wait for its node

    def break_node(self, node, fault):
        if fault == "killed":
            node.kill()
        elif fault == "frozen":
            node.freeze()
        else:
            node.trick(black_hole="always")

    def mend_node(self, node, fault):
        if fault == "killed":
            node.restart()
        else:
            node.thaw()

    def await_down(self, begin, names):
        """Seconds until each agent says that its node is down, and why."""
        down = {}

        def all_down():
            agents = self.host.agents()
            for name in names:
                node = agents[name]["node"]
                if not node["up"] and name not in down:
                    down[name] = farm.now() - begin
                    self.assertTrue(node["error"], name)
                    self.assertEqual(agents[name]["free"], 0, name)
            return len(down) == len(names)
        farm.until("all are known to be down", all_down, 20)
        return down


if __name__ == "__main__":
    farm.main()
