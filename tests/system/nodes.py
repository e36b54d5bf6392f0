# SPDX-License-Identifier: Apache-2.0
"""What tests of frameq-node share: scenes made once a file, a node that may
open them, and the /job API in a few words."""

import atexit
import functools
import hashlib
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib

from farm import SLOW, FarmTest, until
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


@functools.cache
def scenes(script="scenes.py"):
    """The folder of the scenes, made when the first test asks for it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="frameq-scenes-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(
        [BLENDER, "-b", "--factory-startup", "-noaudio", "--python-exit-code",
         "3", "-P", HERE / script, "--", folder],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, timeout=120 * SLOW)
    return folder


@unittest.skipUnless(BLENDER, "needs Blender")
class NodeTest(FarmTest):
    def scene(self, name):
        return str(scenes() / f"{name}.blend")

    def start(self, *flags, **options):
        """A node that may open all scenes and renders `plain` unasked, at the
        niceness of whatever else tests."""
        return self.node("--blend-root", scenes(), "--blend",
                         self.scene("plain"), "--nice", "0", *flags, **options)

    def web(self, node):
        return Web(node.address, timeout=90)

    def post(self, node, **body):
        """POST /job, which must be taken; returns the pid."""
        answer = self.web(node).post("/job", body)
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.headers["Location"],
                         f"/job/{answer.json()['pid']}")
        return answer.json()["pid"]

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
