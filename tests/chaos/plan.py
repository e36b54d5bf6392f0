# SPDX-License-Identifier: Apache-2.0
"""What happens in one run and when, drawn from its seed alone: jobs that are
submitted, and faults, each with its end. It knows no program and no clock."""

import random
from typing import NamedTuple

HOSTS = 6
JOBS = 30
BROKER_KILLS = 12
SUBMIT_S = 14  # all jobs are submitted within
FAULTS_S = 20  # all faults begin within

# fault: how many of it, and between how many seconds it lasts.
FAULTS = {
    "agent_kill": (4, 0.1, 3),
    "agent_freeze": (3, 0.5, 8),
    "node_kill": (2, 0.2, 3),
    "node_freeze": (3, 0.3, 4),
    "cut": (3, 0.3, 8),
    "spoil": (2, 2, 4),
}
TRICKS = ("half-frame", "empty-frame", "fail-frame", "quit-at-frame")


class Job(NamedTuple):
    at: float
    name: str
    first: int  # no two jobs have a frame number in common
    last: int
    batch: object
    priority: int
    user: str


class Fault(NamedTuple):
    at: float
    what: str
    host: int  # 0: the broker's
    seconds: float

    def __str__(self):
        where = f" {self.host}" if self.host else ""
        return f"{self.at:6.2f} s  {self.what}{where} for {self.seconds:.2f} s"


def flaps(fault, down=0.1, up=0.15):
    n = int(fault.seconds / (down + up))
    return [Fault(fault.at + k * (down + up), "cut", fault.host, down)
            for k in range(n)]


class Trick(NamedTuple):
    host: int
    word: str
    frame: int


class Plan:
    def __init__(self, seed):
        draw = random.Random(seed)
        self.seed = seed
        self.frame_ms = [draw.randint(30, 80) for _ in range(HOSTS)]
        # Half of the agents see their node's files, the others must take its
        # word.
        self.proving = set(draw.sample(range(1, HOSTS + 1), HOSTS // 2))
        self.jobs = [self._job(draw, n) for n in range(JOBS)]
        self.jobs.sort()
        self.faults = sorted(self._kills(draw) + self._others(draw))
        self.tricks = [self._trick(draw) for _ in range(HOSTS)]

    @staticmethod
    def _job(draw, n):
        first = 1000 * n + draw.randint(0, 5)
        return Job(at=draw.uniform(0, SUBMIT_S) if n else 0, name=f"job-{n}",
                   first=first, last=first + draw.randint(39, 89),
                   batch=draw.choice(("auto", "auto", 5)),
                   priority=draw.choice((10, 50, 50, 90)),
                   user=draw.choice(("ada", "ben", "cy")))

    @staticmethod
    def _kills(draw):
        """One in each of as many spans, so that it serves in between."""
        span = (FAULTS_S - 0.5) / BROKER_KILLS
        return [Fault(0.5 + span * (n + draw.random() * 0.45), "broker_kill", 0,
                      draw.choice((0, 0, draw.uniform(0, 0.8))))
                for n in range(BROKER_KILLS)]

    @staticmethod
    def _others(draw):
        return [Fault(draw.uniform(0.5, FAULTS_S), what,
                      draw.randint(1, HOSTS), draw.uniform(low, high))
                for what, (n, low, high) in FAULTS.items() for _ in range(n)]

    def _trick(self, draw):
        """A frame that some node spoils once; only where it is found out."""
        job = draw.choice(self.jobs)
        return Trick(draw.choice(sorted(self.proving)), draw.choice(TRICKS),
                     draw.randint(job.first, job.last))

    def events(self, can_spoil):
        """(when, ends, fault) for the beginning and end of each, in order.
        Where cables cannot be spoilt they are cut for moments instead."""
        faults = [part for fault in self.faults for part in (
            [fault] if can_spoil or fault.what != "spoil" else flaps(fault))]
        return sorted([(f.at, False, f) for f in faults] +
                      [(f.at + f.seconds, True, f) for f in faults])

    def __str__(self):
        lines = [f"  host {n}: {ms} ms a frame, its agent " +
                 ("sees the files" if n in self.proving
                  else "takes the node's word")
                 for n, ms in enumerate(self.frame_ms, 1)]
        lines += [f"{job.at:6.2f} s  {job.name}: {job.first}-{job.last}, batch "
                  f"{job.batch}, priority {job.priority}" for job in self.jobs]
        lines += [str(fault) for fault in self.faults]
        lines += [f"  host {t.host}: {t.word} {t.frame}, once"
                  for t in self.tricks]
        return "\n".join(lines)
