# SPDX-License-Identifier: Apache-2.0
# ctest: blender
"""frameq dev: one command, 40 frames, every event within a second of its file,
and nothing left behind."""

import datetime
import json
import os
import pathlib
import signal
import socket
import subprocess

import farm
from nodes import NodeTest


class Dev(farm.Program):
    name = "frameq"
    stop_seconds = 15

    def await_ready(self, seconds=120):
        """The ready line is the last of a greeting."""
        while True:
            line = self.read_line(seconds)
            if not line:
                raise AssertionError(f"dev ended: {self.log_text()}")
            if line.startswith("ready "):
                self.ready = dict(word.split("=", 1)
                                  for word in line.split()[1:])
                return


def children(pid):
    """All living descendants of a process."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if stat[0] != "Z":
                parents[int(entry.name)] = int(stat[1])
    found, grew = {pid}, True
    while grew:
        more = {p for p, parent in parents.items() if parent in found} - found
        found |= more
        grew = bool(more)
    return found - {pid}


def is_free(address):
    host, port = address.rsplit(":", 1)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return False
    return True


class OneCommand(NodeTest):
    def watch(self, address):
        watch = subprocess.Popen(
            [str(farm.BIN / "frameq"), "watch", "--json", "--broker",
             f"http://{address}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.terminate)
        return watch

    def test_forty_frames(self):
        dev = Dev(self, "dev", "--no-open", "--agents", "2", "--blend",
                  self.scene("plain"))
        address = dev.ready["http"]
        descendants = children(dev.pid)
        self.assertGreaterEqual(len(descendants), 5)
        watch = self.watch(address)
        submit = self.run_program("frameq", "submit", "-f", "1-40", "--wait",
                                  "--broker", f"http://{address}", seconds=120)
        self.assertEqual(submit.returncode, 0, submit)
        self.assertRegex(submit.stdout, r"\A[A-Za-z0-9_-]{16,64}\n\Z")
        self.assertIn("100 %", submit.stderr)
        self.assert_events(self.read_events(watch, submit.stdout.strip()))
        dev.process.send_signal(signal.SIGINT)
        self.assertEqual(dev.wait(15), 0)
        farm.until("no process left", lambda: not [
            pid for pid in descendants if os.path.exists(f"/proc/{pid}")], 5)
        self.assertTrue(is_free(address))

    def read_events(self, watch, job):
        """Every event up to the end of the job."""
        events = []
        for line in watch.stdout:
            events.append(json.loads(line))
            if events[-1]["type"] == "job" and events[-1]["job"] == job and \
                    events[-1]["change"] == "ended":
                return events
        raise AssertionError("watch ended before the job")

    def assert_events(self, events):
        numbers = [event["seq"] for event in events]
        self.assertEqual(numbers, list(range(numbers[0],
                                             numbers[0] + len(numbers))))
        frames = [event for event in events if event["type"] == "frame"]
        self.assertEqual(sorted(event["frame"] for event in frames),
                         list(range(1, 41)))
        for event in frames:
            self.assertEqual(event["state"], "done")
            said = datetime.datetime.fromisoformat(
                event["time"].replace("Z", "+00:00")).timestamp()
            written = os.stat(event["files"][0]["path"]).st_mtime
            self.assertLess(said - written, 1.0 * farm.SLOW, event)


if __name__ == "__main__":
    farm.main()
