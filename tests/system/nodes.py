# SPDX-License-Identifier: Apache-2.0
"""What tests of frameq-node share: scenes made once a build, a node that may
open them, and the /job API in a few words.

To start Blender costs a second of a processor, so what needs no node of its
own shares one with the other tests of its file."""

import atexit
import fcntl
import functools
import hashlib
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

from farm import BIN, SLOW, FarmTest, Node, until
from wire import Web

HERE = pathlib.Path(__file__).resolve().parent
BLENDER = shutil.which("blender")
JSON = {"Accept": "application/json"}


def blenders():
    """Pids of all Blenders of this test's folder, zombies left out."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            found[int(entry.name)] = [word.decode(errors="replace")
                                      for word in words]
        except OSError:
            continue
    return {pid: words for pid, words in found.items()
            if words and any("driver.py" in word for word in words)}


def pixels(path):
    """A digest of what is picture in a PNG: the rest names dates and folders.
    Alike for two files of the same pixels by the same writer."""
    data = pathlib.Path(path).read_bytes()
    at, head, packed = 8, b"", b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        head += body if kind == b"IHDR" else b""
        packed += body if kind == b"IDAT" else b""
        at += 12 + size
    return hashlib.sha256(head + zlib.decompress(packed)).hexdigest()


def blender_run(*words, seconds=120):
    """Blender itself, to its end. Its scripts are compiled once a build."""
    env = dict(os.environ, PYTHONPYCACHEPREFIX=str(BIN.parent / "bytecode"))
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(
        [BLENDER, "-b", "--factory-startup", "-noaudio", *words], check=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, timeout=seconds * SLOW, env=env)


def scenes_made(script):
    """The folder of the scenes of this script and this Blender in the build;
    whoever comes while they are made waits."""
    program = os.stat(BLENDER)
    digest = hashlib.sha256((HERE / script).read_bytes())
    digest.update(f"{program.st_size} {program.st_mtime_ns}".encode())
    made = BIN.parent / "scenes" / digest.hexdigest()[:16]
    made.parent.mkdir(exist_ok=True)
    with open(made.parent / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = made / "made"
        if not done.exists():
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            blender_run("--python-exit-code", "3", "-P", HERE / script, "--",
                        made)
            done.touch()
    return made


@functools.cache
def scenes(script="scenes.py"):
    """A folder of the scenes that is this file's own."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="frameq-scenes-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(scenes_made(script), folder, dirs_exist_ok=True)
    return folder


class Keeper:
    """Stands for a test to programs that live as long as their file does."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="frameq-shared-"))
        self.programs = []
        self.nodes = {}
        self._count = 0
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def count(self):
        self._count += 1
        return self._count

    def addCleanup(self, function, *args, **options):
        unittest.addModuleCleanup(function, *args, **options)


@functools.cache
def keeper():
    return Keeper()


@unittest.skipUnless(BLENDER, "needs Blender")
class NodeTest(FarmTest):
    def scene(self, name):
        return str(scenes() / f"{name}.blend")

    def flags(self, *flags):
        """Of a node that may open all scenes and renders `plain` unasked, at
        the niceness of whatever else tests."""
        return ("--blend-root", scenes(), "--blend", self.scene("plain"),
                "--nice", "0", *flags)

    def start(self, *flags, **options):
        return self.node(*self.flags(*flags), **options)

    def shared(self, *flags):
        """The node with these flags that the tests of this file share: it has
        no job, and nothing in its OUTPUT. It may keep a Blender open."""
        nodes = keeper().nodes
        if flags not in nodes or not nodes[flags].running():
            nodes[flags] = Node(keeper(), *self.flags(*flags))
            nodes[flags].posted = []
        node = nodes[flags]
        while node.posted:
            self.web(node).delete(f"/job/{node.posted.pop()}")
        until("a node without a job", lambda: self.is_free(node), 10)
        for path in node.output.iterdir():
            if path.name != ".work":
                (shutil.rmtree if path.is_dir() else os.remove)(path)
        return node

    def is_free(self, node):
        info = self.web(node).get("/info").json()
        return info["free"] == info["slots"]

    def _print_logs(self):
        super()._print_logs()
        for node in keeper().nodes.values():
            print(f"--- the node shared, {node.flags}", node.log_text()[-8000:],
                  sep="\n", file=sys.stderr)

    def web(self, node):
        return Web(node.address, timeout=90)

    def post(self, node, **body):
        """POST /job, which must be taken; returns the pid."""
        answer = self.web(node).post("/job", body)
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.headers["Location"],
                         f"/job/{answer.json()['pid']}")
        pid = answer.json()["pid"]
        if hasattr(node, "posted"):
            node.posted.append(pid)
        return pid

    def job(self, node, pid, query=""):
        answer = self.web(node).request("GET", f"/job/{pid}{query}",
                                        headers=JSON)
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def text(self, node, pid):
        answer = self.web(node).get(f"/job/{pid}")
        return answer.status, answer.text

    def await_job(self, node, pid, holds, seconds=60):
        """Waits, by long poll, until holds(job); returns the job."""
        job = self.job(node, pid)

        def asked():
            nonlocal job
            if not holds(job):
                job = self.job(node, pid, f"?wait=5&after={job['rev']}")
            return job if holds(job) else None

        return until("job as awaited", asked, seconds)

    def await_end(self, node, pid, seconds=60):
        return self.await_job(node, pid, lambda job: job["state"] != "running",
                              seconds)

    def render(self, node, **body):
        """A job from its start to its end."""
        return self.await_end(node, self.post(node, **body))

    def await_rendering(self, node, pid, frame):
        return self.await_job(node, pid, lambda job: job["frame"] == frame or
                              job["state"] != "running")

    def await_no_blender(self, node, seconds):
        until("no Blender left", lambda: not self.mine(node), seconds)

    def mine(self, node):
        """Blenders whose work folder is this node's."""
        return {pid: words for pid, words in blenders().items()
                if any(str(node.output.resolve()) in word for word in words)}

    def states(self, job):
        return {frame["frame"]: frame["state"] for frame in job["frames"]}

    def pictures(self, node):
        """All pictures in OUTPUT, work in progress left out."""
        return sorted(str(path.relative_to(node.output))
                      for path in node.output.rglob("*")
                      if path.is_file() and ".work" not in path.parts)

    def work_left(self, node):
        """Folders of jobs; those of Blenders that wait are left out."""
        return sorted(path.name for path in (node.output / ".work").iterdir()
                      if path.name not in ("serial", "probe") and
                      not path.name.startswith("blender-"))
