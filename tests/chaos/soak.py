# SPDX-License-Identifier: Apache-2.0
"""A broker with ten thousand jobs and two hundred agents, some of which are
killed, frozen or have a bad node at any time: once its queues have been filled
it must stay as large, and as quick."""

import random
import re
import threading

import farm
from wire import Web

AGENTS = 200
JOBS = 10000
JOB_FRAMES = 20
FRAME_MS = 2000
NODES_EACH = 25  # in one process
SUBMITTERS = 8
SETTLE_S = 35  # all agents are up again, idle connections are closed
# ZeroMQ keeps two blocks of 16 KB for each queue of an agent, written for the
# first time within its first 512 messages: some 60 KB an agent come after the
# first minute, whatever happens.
FILLED_MINUTES = 5
MORE_MB = 5
TURN_MS = 20
TRICKS = ("refuse", "error_500", "nonsense", "forget", "lose_answer")


class Turns:
    """How long turns of the broker's loop took, between two looks at its
    /metrics."""

    def __init__(self, broker):
        self.broker = broker
        self.before = self._read()

    def _read(self):
        text = self.broker.web().get("/metrics").text
        return {float(bound): int(n) for bound, n in re.findall(
            r'^frameq_loop_turn_seconds_bucket{le="(.*)"} (\d+)$', text,
            re.MULTILINE)}

    def p99_ms(self):
        """At most, to the next bound of the histogram."""
        n = {bound: count - self.before[bound]
             for bound, count in self._read().items()}
        return 1000 * min(bound for bound, count in n.items()
                          if count >= 0.99 * n[float("inf")])


class Soak:
    """`folder` keeps logs and ledger. Also what farm.Program wants of a
    test."""

    def __init__(self, minutes, folder):
        self.seconds = 60 * minutes
        self.folder = folder
        self.programs = []
        self._count = 0
        self.draw = random.Random(minutes)
        self.back = []  # (when, what ends a fault)
        self.broker = farm.Broker(self, "--lease-ttl", 6)
        self.hosts = [farm.FakeNode(self, "--count", NODES_EACH,
                                    frame_ms=FRAME_MS)
                      for _ in range(AGENTS // NODES_EACH)]
        self.nodes = [node for host in self.hosts for node in host.nodes]
        self.agents = [farm.Agent(self, self.broker, f"http://{node}",
                                  f"a{n:03d}", wait=False)
                       for n, node in enumerate(self.nodes)]

    def addCleanup(self, _):
        pass  # end ends all

    def count(self):
        self._count += 1
        return self._count

    def submit_all(self):
        def submit():
            web = Web(self.broker.address, keep=True)
            for _ in range(JOBS // SUBMITTERS):
                web.post("/render", {"from": 1, "to": JOB_FRAMES})
        threads = [threading.Thread(target=submit) for _ in range(SUBMITTERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    # Faults.

    def _later(self, seconds, end):
        self.back.append((farm.now() + seconds, end))

    def _fault(self):
        agent = self.draw.choice(self.agents)
        what = self.draw.choice(("kill", "freeze", "trick"))
        if what == "trick":
            trick = {self.draw.choice(TRICKS).replace("_", "-"): "2"}
            Web(self.draw.choice(self.nodes)).post("/fake/tricks", trick)
        elif not agent.running():
            return
        elif what == "kill":
            agent.kill()
            self._later(self.draw.uniform(0, 3),
                        lambda: agent.start(wait=False))
        else:
            agent.freeze()
            self._later(self.draw.uniform(1, 8), agent.thaw)

    def _end_faults(self, until=None):
        due = [end for at, end in self.back if until is None or at <= until]
        self.back = [pair for pair in self.back
                     if until is not None and pair[0] > until]
        for end in due:
            end()

    def faults_until(self, at):
        pause = threading.Event()
        while farm.now() < at:
            self._fault()
            pause.wait(self.draw.uniform(0.1, 1))
            self._end_faults(farm.now())

    # Measures.

    def _settle(self):
        """Ends all faults; then memory and descriptors with all agents up."""
        self._end_faults()
        begin = farm.now()
        self.broker.await_agents(*(agent.agent for agent in self.agents),
                                 seconds=60)
        threading.Event().wait(max(0, begin + SETTLE_S - farm.now()))
        return self._size()

    def _size(self):
        return self.broker.memory_mb(), self.broker.descriptors()

    def run(self):
        """Returns what is wrong."""
        self.submit_all()
        self.broker.await_agents(*(agent.agent for agent in self.agents),
                                 seconds=60)
        turns = Turns(self.broker)
        start = farm.now()
        self.faults_until(start + 60 - SETTLE_S)
        first = self._settle()
        self._tell(1, first, turns)
        filled = first
        for minute in range(2, self.seconds // 60):
            self.faults_until(start + 60 * minute)
            size = self._size()
            self._tell(minute, size, turns)
            if minute == FILLED_MINUTES:
                filled = size
        self.faults_until(start + self.seconds - SETTLE_S)
        last = self._settle()
        self._tell(self.seconds // 60, last, turns)
        return [why for holds, why in (
            (last[0] <= filled[0] + MORE_MB,
             f"memory grew by {last[0] - filled[0]:.1f} MB"),
            (last[1] == first[1],
             f"descriptors went from {first[1]} to {last[1]}"),
            (turns.p99_ms() <= TURN_MS * farm.SLOW,
             f"a turn took {turns.p99_ms():.0f} ms (p99)")) if not holds]

    def end(self):
        for program in self.programs:
            if program.running():
                program.kill()

    def _tell(self, minute, size, turns):
        done = self.broker.farm()["frames"]["done"]
        print(f"minute {minute:>3}: {done:>7} frames done, {size[0]:.1f} MB, "
              f"{size[1]} descriptors, turns p99 <= {turns.p99_ms():.0f} ms",
              flush=True)
