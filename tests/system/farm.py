# SPDX-License-Identifier: Apache-2.0
"""A farm of real programs for one test: every one on ports the kernel picks,
in a folder of its own, its log kept and shown when the test fails, ended by
its own pid when the test is over."""

import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import contract
import wire
from wire import Events, Web, host_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("FRAMEQ_BIN",
                                  ROOT / "build/dev/bin")).resolve()

# A loopback address of this process alone: a program that is started again finds
# its port free, whatever else runs on this machine.
HOST = "127.%d.%d.%d" % (1 + (os.getpid() >> 16) % 250,
                         (os.getpid() >> 8) % 256, os.getpid() % 256)

# Sanitizers slow programs down; deadlines grow by this.
SLOW = float(os.environ.get("FRAMEQ_TEST_SLOW", "1"))


def now():
    return time.monotonic()


def until(what, holds, seconds=10):
    """Asks until holds() is true, and returns what it gave. A connection
    refused meanwhile counts as no."""
    pause = threading.Event()
    deadline = now() + seconds * SLOW
    last = None
    while now() < deadline:
        try:
            last = holds()
            if last:
                return last
        except OSError as error:
            last = error
        pause.wait(0.02)
    raise AssertionError(f"not within {seconds * SLOW:g} s: {what}"
                         f" (last: {last!r})")


class Program:
    """One running program. `ready` holds the addresses of its ready line."""

    name = None  # of the binary
    stop_seconds = 5  # what is promised between SIGTERM and the end

    def __init__(self, test, *flags, prefix=(), env=None, wait=True):
        self.test = test
        self.flags = [str(flag) for flag in flags]
        self.prefix = list(prefix)
        self.env = dict(os.environ, **(env or {}))
        self.log = test.folder / f"{self.name}-{test.count()}.log"
        self.ready = {}
        self.process = None
        test.programs.append(self)
        test.addCleanup(self.finish)
        self.start(wait)

    def start(self, wait=True):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, str(BIN / self.name), *self.flags],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env=self.env, cwd=self.test.folder)
        self.ended = False
        if wait:
            self.await_ready()
        return self

    @property
    def pid(self):
        return self.process.pid

    def await_ready(self, seconds=10):
        line = self.read_line(seconds)
        words = line.split()
        if not words or words[0] != "ready":
            raise AssertionError(f"{self.name} is not ready: {line!r}\n"
                                 f"{self.log_text()}")
        self.ready = dict(word.split("=", 1) for word in words[1:])
        self.nodes = [word.split("=", 1)[1] for word in words[1:]]

    def read_line(self, seconds):
        deadline = now() + seconds * SLOW
        line = b""
        while not line.endswith(b"\n"):
            left = deadline - now()
            if left <= 0 or not select.select([self.process.stdout], [], [],
                                              left)[0]:
                raise AssertionError(f"{self.name} says nothing within "
                                     f"{seconds * SLOW:g} s\n{self.log_text()}")
            byte = os.read(self.process.stdout.fileno(), 1)
            if not byte:
                break
            line += byte
        return line.decode()

    def wait(self, seconds):
        """Waits for the end; returns the exit status."""
        status = self.process.wait(seconds * SLOW)
        self.process.stdout.close()
        self.ended = True
        return status

    def terminate(self):
        """SIGTERM, and the exit status within the time promised."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(self.stop_seconds)

    def kill(self):
        self.process.kill()
        self.wait(5)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def running(self):
        return self.process.poll() is None

    def memory_mb(self):
        """Resident memory now."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        line = next(l for l in status.splitlines() if l.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        user, system = fields.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def finish(self):
        """Ends it at the end of a test; it must have run until now, unless
        the test has seen its end, and end well and in time."""
        if self.process is None:
            return
        status = 0 if self.ended else self._end()
        if status != 0:
            raise AssertionError(f"{self.name}: {status}")

    def _end(self):
        if not self.running():
            return f"ended by itself, {self.wait(1)}"
        self.thaw()
        try:
            return self.terminate()
        except subprocess.TimeoutExpired:
            self.kill()
            return "no end in time after SIGTERM"


class Broker(Program):
    name = "frameq-broker"
    stop_seconds = 3

    def __init__(self, test, *flags, data=None, listen=None, **options):
        self.data = pathlib.Path(data or test.folder / f"data-{test.count()}")
        listen = listen or ("--http", f"{HOST}:0", "--zmq", f"{HOST}:0")
        super().__init__(test, *listen, "--data", self.data, *flags, **options)

    def await_ready(self, seconds=10):
        """From then on each of its answers is held against the API."""
        super().await_ready(seconds)
        wire.checks[self.address] = contract.check

    @property
    def address(self):
        return self.ready["http"]

    @property
    def url(self):
        return f"http://{self.address}"

    def web(self, **options):
        return Web(self.address, **options)

    def lane_port(self):
        """The port of the only lane, found among its listeners."""
        known = {host_port(address)[1] for address in self.ready.values()}
        inodes = set()
        for entry in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                inodes.add(os.readlink(f"/proc/{self.pid}/fd/{entry}"))
            except OSError:
                continue
        with open("/proc/net/tcp", encoding="ascii") as table:
            for line in table.readlines()[1:]:
                words = line.split()
                port = int(words[1].split(":")[1], 16)
                if (words[3] == "0A" and f"socket:[{words[9]}]" in inodes and
                        port not in known):
                    return port
        raise AssertionError("no lane")

    def restart(self):
        """Starts it again on the HTTP address and data it had."""
        at = self.flags.index("--http")
        self.flags[at + 1] = self.address
        return self.start()

    def events(self, **options):
        events = Events(self.address, **options)
        self.test.addCleanup(events.close)
        return events

    def render(self, first, last, **fields):
        """POST /render; returns the id."""
        answer = self.web().post("/render", {"from": first, "to": last,
                                             **fields})
        assert answer.status == 202, answer
        return answer.json()["jobId"]

    def submit(self, **fields):
        """POST /v1/jobs; returns the job document."""
        answer = self.web().post("/v1/jobs", fields)
        assert answer.status == 202, answer
        return answer.json()

    def job(self, job):
        answer = self.web().get(f"/v1/jobs/{job}")
        assert answer.status == 200, answer
        return answer.json()

    def states(self, job):
        answer = self.web().get(f"/v1/jobs/{job}/frames?view=states")
        assert answer.status == 200, answer
        return answer.json()["states"]

    def frames(self, job):
        """Every frame of a job by its number."""
        answer = self.web().get(f"/v1/jobs/{job}/frames?limit=1000")
        assert answer.status == 200, answer
        return {frame["frame"]: frame for frame in answer.json()["frames"]}

    def farm(self):
        return self.web().get("/v1/farm").json()

    def metrics(self):
        """What /metrics tells, by name and labels as they stand there."""
        lines = self.web().get("/metrics").text.splitlines()
        pairs = (l.rsplit(" ", 1) for l in lines if not l.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def metric(self, name):
        return self.metrics()[name]

    def refused(self, why):
        """How many were refused for a reason (of broker/refused.def)."""
        line = f'frameq_refused_total{{why="{why}"}} '
        text = self.web().get("/metrics").text
        return next(int(word[len(line):]) for word in text.splitlines()
                    if word.startswith(line))

    def agents(self):
        answer = self.web().get("/v1/agents").json()
        return {agent["name"]: agent for agent in answer["agents"]}

    def await_agents(self, *names, seconds=10):
        """Waits until these agents are up and their nodes too."""
        def up():
            agents = self.agents()
            return all(name in agents and agents[name]["state"] == "up" and
                       agents[name]["node"]["up"] for name in names)
        until(f"agents {names} up", up, seconds)

    def await_job(self, job, state="completed", seconds=20):
        """Waits, by long poll, for a job to come to a state; an end other
        than that one fails the test. Returns the document."""
        deadline = now() + seconds * SLOW
        web = self.web(keep=True, timeout=30)
        headers = {}
        while True:
            answer = web.request("GET", f"/v1/jobs/{job}", headers=headers)
            if answer.status == 200:
                document = answer.json()
                if document["state"] == state:
                    web.close()
                    return document
                if document["state"] in ("completed", "failed", "cancelled"):
                    raise AssertionError(f"job ended otherwise: {document}")
                headers = {"If-None-Match": answer.headers["ETag"]}
            elif answer.status != 304:
                raise AssertionError(f"{answer}")
            left = deadline - now()
            if left <= 0:
                raise AssertionError(f"not {state} within {seconds * SLOW:g} s:"
                                     f" {document}; {self.farm()}")
            headers["Prefer"] = f"wait={max(1, min(5, int(left)))}"


class Agent(Program):
    name = "frameq-agent"
    stop_seconds = 6

    def __init__(self, test, broker, node, name, *flags, state=None,
                 **options):
        self.agent = name
        self.state = state or test.folder / f"agent-{test.count()}"
        super().__init__(test, "--broker", getattr(broker, "url", broker),
                         "--node", getattr(node, "url", node), "--name", name,
                         "--state", self.state, *flags, **options)


class FakeNode(Program):
    """A node that renders nothing; its diary outlives it."""

    name = "frameq-fakenode"

    def __init__(self, test, *flags, frame_ms=50, frames=None, **options):
        self.diary = test.folder / f"fake-{test.count()}.diary"
        where = ("--frames-dir", frames) if frames else ()
        if "--listen" not in flags:
            flags = ("--listen", f"{HOST}:0", *flags)
        super().__init__(test, "--frame-ms", frame_ms, "--log", self.diary,
                         *where, *flags, **options)

    @property
    def address(self):
        return self.nodes[0]

    @property
    def url(self):
        return f"http://{self.address}"

    @property
    def port(self):
        return int(self.address.rsplit(":", 1)[1])

    def restart(self, *flags):
        """Starts it again on its port; flags are further ones."""
        self.flags[self.flags.index("--listen") + 1] = self.address
        self.flags += map(str, flags)
        return self.start()

    def trick(self, **tricks):
        words = {word.replace("_", "-"): str(value)
                 for word, value in tricks.items()}
        answer = Web(self.address).post("/fake/tricks", words)
        assert answer.status == 200, answer

    def events(self, event=None):
        """What it was asked and did, in order."""
        if not self.diary.exists():
            return []
        entries = [json.loads(line) for line in
                   self.diary.read_text().splitlines()]
        return [entry for entry in entries
                if event is None or entry["event"] == event]

    def rendered(self):
        """Frames it has finished, in order."""
        return [entry["from"] for entry in self.events("end")]

    def started(self):
        return [entry["from"] for entry in self.events("start")]


class Node(Program):
    """The Blender node."""

    name = "frameq-node"
    stop_seconds = 4

    def __init__(self, test, *flags, listen=f"{HOST}:0", output=None,
                 **options):
        self.output = output or test.folder / f"frames-{test.count()}"
        super().__init__(test, "--listen", listen, "--output", self.output,
                         *flags, **options)

    @property
    def address(self):
        return self.nodes[0]

    @property
    def url(self):
        return f"http://{self.address}"


class FarmTest(unittest.TestCase):
    """A test with a folder of its own; logs are printed when it fails."""

    maxDiff = None

    def run(self, result=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="frameq-test-"))
        self.programs = []
        self._count = 0
        before = len(result.failures) + len(result.errors)
        try:
            super().run(result)
            if len(result.failures) + len(result.errors) > before:
                self._print_logs()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def count(self):
        self._count += 1
        return self._count

    def broker(self, *flags, **options):
        return Broker(self, *flags, **options)

    def agent(self, broker, node, name, *flags, **options):
        return Agent(self, broker, node, name, *flags, **options)

    def fake(self, *flags, **options):
        return FakeNode(self, *flags, **options)

    def node(self, *flags, **options):
        return Node(self, *flags, **options)

    def farm(self, *fakes, broker_flags=(), agent_flags=()):
        """A broker, and an agent a1, a2, ... beside each fake, all up."""
        broker = self.broker(*broker_flags)
        for i, fake in enumerate(fakes, 1):
            self.agent(broker, fake, f"a{i}", *agent_flags)
        broker.await_agents(*[f"a{i}" for i in range(1, len(fakes) + 1)])
        return broker

    def run_program(self, name, *args, env=None, seconds=10, **options):
        """Runs a program to its end; stdout and stderr are text."""
        return subprocess.run([str(BIN / name), *map(str, args)],
                              stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=seconds * SLOW,
                              env=dict(os.environ, **(env or {})),
                              cwd=self.folder, check=False, **options)

    def cli(self, broker, *args, **options):
        return self.run_program("frameq", *args,
                                env={"FRAMEQ_BROKER": broker.url}, **options)

    def assert_each_once(self, frames, *fakes):
        """Every frame was finished by exactly one of the fakes, once."""
        ended = sorted(frame for fake in fakes for frame in fake.rendered())
        self.assertEqual(ended, sorted(frames))

    def _print_logs(self):
        for log in sorted(self.folder.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()
            print(f"--- {self.id()}: {log.name}, last of {len(lines)} lines",
                  *lines[-80:], sep="\n", file=sys.stderr)


def main():
    unittest.main(verbosity=2)
