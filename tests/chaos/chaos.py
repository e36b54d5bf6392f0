#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs real farms while everything is killed, frozen and cut off, and checks
that nothing that was accepted is lost. A run is told by its seed."""

import argparse
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

import farm  # noqa: E402
import netns  # noqa: E402
import spaces  # noqa: E402
from floods import SECONDS, Floods  # noqa: E402
from people import People  # noqa: E402
from plan import BROKER_KILLS, HOSTS, Plan  # noqa: E402
from soak import Soak  # noqa: E402
from stage import Loopback, Stage  # noqa: E402
from verdict import Verdict  # noqa: E402

LOGS = farm.BIN.parent / "chaos"
END_S = 90  # from the last fault until all is rendered
RUN_S = 240  # a whole run


def can_spoil():
    star = netns.Star(1)
    try:
        return star.spoil(1)
    finally:
        star.close()


class Run:
    """One seed."""

    def __init__(self, seed, network, spoils):
        self.plan = Plan(seed)
        self.folder = LOGS / f"seed-{seed}"
        self.network = network
        self.spoils = spoils
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def play(self):
        """Returns a Verdict."""
        stage = people = None
        start = farm.now()
        with self.network.inside(self.network.middle):
            try:
                stage = Stage(self.plan, self.folder, self.network)
                people = People(self.plan, stage.broker.address)
                self._faults(stage)
                self._await_end(stage, people)
                people.finish()
                verdict = Verdict(self.plan, stage, people)
                verdict.seconds = farm.now() - start
                self._finish(stage, verdict)
                return verdict
            finally:
                if people:
                    people.finish()
                if stage:
                    stage.abandon()

    def _faults(self, stage):
        pause = threading.Event()
        start = farm.now()
        for at, ends, fault in self.plan.events(self.spoils):
            pause.wait(start + at - farm.now())
            stage.play(fault, not ends)

    def _await_end(self, stage, people):
        def over():
            jobs = stage.broker.web().get("/v1/jobs?limit=1000").json()["jobs"]
            return (len(people.accepted) == len(self.plan.jobs) and
                    all(job["ended_at"] for job in jobs))
        try:
            farm.until("every job has ended", over, END_S)
        except AssertionError:
            pass  # the verdict tells what has not

    def _finish(self, stage, verdict):
        try:
            stage.finish()
        except AssertionError as error:
            verdict.complaints["end"].append(str(error))
        check = subprocess.run(
            [farm.BIN / "frameq-broker", "--check", "--data", stage.data],
            capture_output=True, text=True, check=False)
        if check.returncode != 0:
            verdict.complaints["check"].append(check.stderr.strip())


def tell(run, verdict):
    print(f"{run.plan.seed:>5} {len(run.plan.jobs):>5} {verdict.frames:>7} "
          f"{BROKER_KILLS:>6} {len(run.plan.faults) - BROKER_KILLS:>7} "
          f"{100 * verdict.twice:>6.1f} {verdict.slowest_ms:>11.0f} "
          f"{verdict.seconds:>8.0f}  "
          f"{'FAILED' if verdict.wrong else 'ok'}", flush=True)


def tell_failure(run, wrong):
    print(f"--- seed {run.plan.seed} ---", run.plan, "--- what is wrong ---",
          *wrong, f"again: tests/run chaos --seeds 1 --from {run.plan.seed}",
          f"logs: {run.folder}", sep="\n", flush=True)


def play(seed, why_not, spoils):
    """Plays one seed and tells of it. Returns whether all held."""
    network = Loopback() if why_not else netns.Star(HOSTS)
    run = Run(seed, network, spoils)
    signal.alarm(int(RUN_S * farm.SLOW))
    try:
        verdict = run.play()
        tell(run, verdict)
        wrong = verdict.wrong
    except Exception as error:  # a failed run, not a failed program
        wrong = [f"{type(error).__name__}: {error}"]
    finally:
        signal.alarm(0)
        network.close()
    if wrong:
        tell_failure(run, wrong)
    else:
        shutil.rmtree(run.folder)
    return not wrong


def seeds(first, n, why_not):
    """Plays n seeds. Returns how many held."""
    spoils = why_not is not None or can_spoil()
    if why_not:
        print(f"no cables to pull: {why_not}")
    elif not spoils:
        print("no netem here: a bad cable is one that is cut again and again")
    print(" seed  jobs  frames  kills  faults  twice %  restart ms  seconds")
    return sum(play(seed, why_not, spoils)
               for seed in range(first, first + n))


def long_run(name, seconds, make):
    """Plays what make(folder) gives. Returns whether all held."""
    folder = LOGS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    signal.alarm(int((seconds + RUN_S) * farm.SLOW))
    running = None
    try:
        running = make(folder)
        wrong = running.run()
    except Exception as error:  # a failed run, not a failed program
        wrong = [f"{type(error).__name__}: {error}"]
    finally:
        if running:
            running.end()
    for line in wrong:
        print(line)
    if wrong:
        print(f"logs: {folder}")
    else:
        shutil.rmtree(folder)
    return not wrong


def soak(minutes):
    return long_run("soak", 60 * minutes, lambda folder: Soak(minutes, folder))


def floods(seconds, only):
    return long_run("floods", 100 * seconds,
                    lambda folder: Floods(folder, seconds, only))


def too_long(*_):
    raise TimeoutError("the run takes too long")


def end(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(prog="tests/run chaos",
                                     description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, metavar="N",
                        help="runs (2)")
    parser.add_argument("--from", type=int, default=1, dest="first",
                        metavar="M", help="the first one's seed (1)")
    parser.add_argument("--soak", type=int, metavar="MINUTES",
                        help="instead: many jobs and agents for so long")
    parser.add_argument("--floods", nargs="?", const="", metavar="WORD",
                        help="instead: floods of bad input (with that word in "
                        "their name)")
    parser.add_argument("--seconds", type=int, default=SECONDS, metavar="N",
                        help=f"of each flood ({SECONDS})")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, too_long)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    why_not = spaces.enter()
    if options.soak:
        played, passed = 1, soak(options.soak)
    elif options.floods is not None:
        played, passed = 1, floods(options.seconds, options.floods)
    else:
        played = options.seeds
        passed = seeds(options.first, played, why_not)
    print(f"{passed:d} passed, {played - passed:d} failed")
    return 0 if passed == played else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
