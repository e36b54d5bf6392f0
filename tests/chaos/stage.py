# SPDX-License-Identifier: Apache-2.0
"""The farm of one run: a broker, and agents with a classic node each, all
real programs and each pair on a host of its own; and what can be done to them.
Every fault is taken for what it is worth at that moment: what is dead cannot
be frozen."""

import contextlib

import farm

QUICK = ("--lease-ttl", 5, "--orphan-grace", 2)


class Loopback:
    """A network that cannot be broken: everybody is on this host."""

    address = "127.0.0.1"
    middle = None

    def on(self, _):
        return ["setpriv", "--pdeathsig", "KILL"]

    def inside(self, _):
        return contextlib.nullcontext()

    def cut(self, _):
        pass

    mend = spoil = unspoil = cut

    def close(self):
        pass


class Stage:
    """`folder` keeps logs, ledger and frames. Also what farm.Program wants of
    a test."""

    def __init__(self, plan, folder, network):
        self.plan = plan
        self.folder = folder
        self.network = network
        self.programs, self.ends = [], []
        self.restart_ms = []
        self._count = 0
        self.broker = self._broker()
        hosts = range(1, len(plan.frame_ms) + 1)
        self.nodes = {n: self._node(n) for n in hosts}
        self.agents = {n: self._agent(n) for n in self.nodes}
        self.did = {"broker_kill": self._kill_broker, "cut": self._cut,
                    "spoil": self._spoil}
        for what in ("agent", "node"):
            self.did[f"{what}_kill"] = self._kill
            self.did[f"{what}_freeze"] = self._freeze

    def addCleanup(self, end):
        self.ends.append(end)

    def count(self):
        self._count += 1
        return self._count

    def _broker(self):
        at = self.network.address
        ports = (4000, 4001) if self.network.middle else (0, 0)
        self.data = self.folder / "data"
        return farm.Broker(self, "--insecure", *QUICK, data=self.data,
                           listen=("--http", f"{at}:{ports[0]}",
                                   "--zmq", f"{at}:{ports[1]}"))

    def frames_dir(self, n):
        return self.folder / f"frames-{n}"

    def _node(self, n):
        tricks = [word for trick in self.plan.tricks if trick.host == n
                  for word in (f"--{trick.word}", f"{trick.frame}:1")]
        return farm.FakeNode(self, *tricks, prefix=self.network.on(n),
                             frame_ms=self.plan.frame_ms[n - 1],
                             frames=self.frames_dir(n))

    def _agent(self, n):
        where = (("--frames-dir", self.frames_dir(n))
                 if n in self.plan.proving else ())
        return farm.Agent(self, self.broker, self.nodes[n], f"a{n}", *where,
                          prefix=self.network.on(n))

    # Faults.

    def play(self, fault, begins):
        self.did[fault.what](fault, begins)

    def _kill_broker(self, _, begins):
        if begins:
            self.broker.kill()
            return
        start = farm.now()
        self.broker.restart()
        self.restart_ms.append(1000 * (farm.now() - start))

    def _program(self, fault):
        kind = self.agents if fault.what.startswith("agent") else self.nodes
        return kind[fault.host]

    def _kill(self, fault, begins):
        program = self._program(fault)
        if begins and program.running():
            program.kill()
        if not begins and not program.running():
            self._start_again(program)

    def _start_again(self, program):
        if program in self.agents.values():
            program.start(wait=False)  # its broker may be dead
        else:
            program.restart()

    def _freeze(self, fault, begins):
        program = self._program(fault)
        if program.running():
            program.freeze() if begins else program.thaw()

    def _cut(self, fault, begins):
        (self.network.cut if begins else self.network.mend)(fault.host)

    def _spoil(self, fault, begins):
        (self.network.spoil if begins else self.network.unspoil)(fault.host)

    # The end.

    def finish(self):
        """Ends every program; what did not end well is raised."""
        wrong = []
        for end in reversed(self.ends):
            try:
                end()
            except AssertionError as error:
                wrong.append(str(error))
        if wrong:
            raise AssertionError("; ".join(wrong))

    def abandon(self):
        for program in self.programs:
            if program.running():
                program.kill()
