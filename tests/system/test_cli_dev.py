# SPDX-License-Identifier: Apache-2.0
"""frameq dev with stand-ins for the programs it starts: what they are told, in
which order they start and end, and what is left behind."""
# ctest: smoke

import os
import pathlib
import shutil
import signal
import socket
import subprocess

import farm

# Notes its start and its end; becomes ready, then waits for SIGTERM. With a
# file of its name in $STUB it does what stands there instead. Its sleeper is
# killed: between fork and exec, SIGTERM would be lost.
PROGRAM = """#!/bin/sh
name=${0##*/}
echo "start $name $*" >> "$STUB/log"
[ -f "$STUB/$name" ] && . "$STUB/$name"
trap 'echo "end $name" >> "$STUB/log"; kill -9 $!; exit 0' TERM
sleep 1000 &
echo $! >> "$STUB/sleepers"
echo "ready http=127.0.0.1:47${#name}"
wait $!
"""

BLENDER = """#!/bin/sh
echo "start blender $*" >> "$STUB/log"
for last; do :; done
echo scene > "$last"
"""


class DevTest(farm.FarmTest):
    def setUp(self):
        self.root = self.folder / "root"
        self.stub = self.folder / "stub"
        self.work = self.folder / "work"
        for folder in (self.root / "bin", self.root / "share/frameq",
                       self.stub, self.work):
            folder.mkdir(parents=True)
        shutil.copy(farm.BIN / "frameq", self.root / "bin/frameq")
        (self.root / "share/frameq/make_scene.py").write_text("pass\n")
        for name in ("frameq-broker", "frameq-node", "frameq-agent"):
            self.program(self.root / "bin" / name, PROGRAM)
        self.program(self.stub / "blender", BLENDER)
        self.blend = self.work / "shot.blend"
        self.blend.write_bytes(b"")

    @staticmethod
    def program(path, text):
        path.write_text(text)
        path.chmod(0o755)

    def environment(self, **env):
        return dict(os.environ, STUB=str(self.stub), FRAMEQ_BROKER="",
                    XDG_CACHE_HOME=str(self.folder / "cache"),
                    PATH=f"{self.stub}:{os.environ['PATH']}", **env)

    def start(self, *args, **env):
        process = subprocess.Popen(
            [str(self.root / "bin/frameq"), "dev", "--no-open", *args],
            cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=self.environment(**env))
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def greeting(self, process):
        """All it says until it is ready."""
        lines = []
        while not lines or not lines[-1].startswith("ready "):
            line = process.stdout.readline()
            if not line:
                self.fail(process.stderr.read())
            lines.append(line)
        return "".join(lines)

    def log(self, word):
        lines = (self.stub / "log").read_text().splitlines()
        return [line.removeprefix(word + " ") for line in lines
                if line.startswith(word + " ")]

    def assert_nothing_runs(self):
        sleepers = (self.stub / "sleepers").read_text().split()
        self.assertTrue(sleepers)
        farm.until("no process left", lambda: not [
            pid for pid in sleepers if self.lives(pid)])

    @staticmethod
    def lives(pid):
        try:
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"


class Life(DevTest):
    def test_start_and_end(self):
        dev = self.start("--agents", "2", "--blend", str(self.blend))
        greeting = self.greeting(dev)
        self.assertIn(" submit -f 1-20", greeting)
        self.assertIn(str(self.work / "frameq-dev/frames"), greeting)
        self.assertIn(str(self.blend), greeting)
        self.assertTrue(greeting.endswith("ready http=127.0.0.1:4713\n"))
        started = self.log("start")
        self.assertEqual([line.split()[0] for line in started],
                         ["frameq-broker", "frameq-node", "frameq-agent",
                          "frameq-node", "frameq-agent"])
        dev.send_signal(signal.SIGINT)
        self.assertEqual(dev.wait(20 * farm.SLOW), 0)
        ended = self.log("end")
        self.assertEqual(sorted(ended[:2]), ["frameq-agent"] * 2)
        self.assertEqual(sorted(ended[2:4]), ["frameq-node"] * 2)
        self.assertEqual(ended[4:], ["frameq-broker"])
        self.assert_nothing_runs()
        self.assertEqual(os.listdir(self.work / "frameq-dev"), ["frames"])

    def test_what_they_are_told(self):
        dev = self.start("--agents", "1", "--blend", str(self.blend),
                         "--blender", "/opt/blender")
        self.greeting(dev)
        broker, node, agent = self.log("start")
        self.assertRegex(broker, r"--http 127\.0\.0\.1:(4000|0) ")
        self.assertIn("--zmq 127.0.0.1:0 ", broker)
        self.assertIn("--listen 127.0.0.1:0", node)
        self.assertIn(f"--blend {self.blend} ", node)
        self.assertIn(f"--blend-root {self.work} ", node)
        self.assertIn(f"--output {self.work}/frameq-dev/frames", node)
        self.assertIn("--blender /opt/blender", node)
        self.assertIn("--broker http://127.0.0.1:4713", agent)
        self.assertIn("--node http://127.0.0.1:4711", agent)

    def test_sigterm_ends_it_too(self):
        dev = self.start("--agents", "1", "--blend", str(self.blend))
        self.greeting(dev)
        dev.terminate()
        self.assertEqual(dev.wait(20 * farm.SLOW), 0)
        self.assert_nothing_runs()

    def test_killed_it_takes_its_programs_along(self):
        dev = self.start("--agents", "1", "--blend", str(self.blend))
        self.greeting(dev)
        dev.kill()
        farm.until("all told to end", lambda: len(self.log("end")) == 3)
        self.assert_nothing_runs()

    def test_keep(self):
        dev = self.start("--agents", "1", "--blend", str(self.blend), "--keep")
        self.greeting(dev)
        dev.send_signal(signal.SIGINT)
        self.assertEqual(dev.wait(20 * farm.SLOW), 0)
        self.assertIn("logs", os.listdir(self.work / "frameq-dev"))

    def test_one_a_folder(self):
        self.greeting(self.start("--agents", "1", "--blend", str(self.blend)))
        second = self.start("--agents", "1", "--blend", str(self.blend))
        self.assertEqual(second.wait(20 * farm.SLOW), 1)
        self.assertIn("another `frameq dev` runs in this folder",
                      second.stderr.read())

    def test_usual_port_taken(self):
        try:
            taken = socket.create_server(("127.0.0.1", 4000))
        except OSError:
            taken = socket.socket()  # somebody else has it: just as well
        with taken:
            dev = self.start("--agents", "1", "--blend", str(self.blend))
            greeting = self.greeting(dev)
        self.assertIn("--http 127.0.0.1:0 ", self.log("start")[0])
        self.assertIn("submit -f 1-20 --broker http://127.0.0.1:4713\n",
                      greeting)


class Trouble(DevTest):
    def test_program_that_ends_at_once(self):
        (self.stub / "frameq-node").write_text(
            "echo the disk is on fire >&2; exit 1\n")
        dev = self.start("--agents", "1", "--blend", str(self.blend))
        self.assertEqual(dev.wait(20 * farm.SLOW), 1)
        said = dev.stderr.read()
        self.assertIn("node-1 ended by itself with exit 1", said)
        self.assertIn("the disk is on fire", said)
        self.assert_nothing_runs()
        self.assertTrue((self.work / "frameq-dev/logs/node-1.log").exists())

    def test_program_that_ends_later(self):
        dev = self.start("--agents", "1", "--blend", str(self.blend))
        self.greeting(dev)
        children = pathlib.Path(
            f"/proc/{dev.pid}/task/{dev.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        self.assertEqual(dev.wait(20 * farm.SLOW), 1)
        self.assertIn("was ended by signal 9", dev.stderr.read())
        self.assert_nothing_runs()

    def test_no_scene(self):
        dev = self.start("--blend", "/nowhere/x.blend")
        self.assertEqual(dev.wait(20 * farm.SLOW), 2)
        self.assertIn("No such file", dev.stderr.read())


class Sample(DevTest):
    def test_made_once(self):
        for _ in range(2):
            dev = self.start("--agents", "1")
            self.assertIn("/cache/frameq/sample-", self.greeting(dev))
            dev.send_signal(signal.SIGINT)
            self.assertEqual(dev.wait(20 * farm.SLOW), 0)
        made = [line for line in self.log("start") if line[:7] == "blender"]
        self.assertEqual(len(made), 1)
        self.assertRegex(made[0], r"--background .*--factory-startup .*"
                                  r"/share/frameq/make_scene\.py -- ")
        scene, = os.listdir(self.folder / "cache/frameq")
        self.assertIn(f"--blend {self.folder}/cache/frameq/{scene} ",
                      self.log("start")[2])

    def test_no_blender(self):
        dev = self.start("--blender", "/nowhere/blender")
        self.assertEqual(dev.wait(20 * farm.SLOW), 1)
        self.assertIn("--blender", dev.stderr.read())

    def test_ctrl_c_while_it_is_made(self):
        self.program(self.stub / "blender", BLENDER.replace(
            "for last", 'echo $$ >> "$STUB/sleepers"; exec sleep 1000; for '
            "last"))
        dev = self.start("--agents", "1")
        farm.until("Blender runs", lambda: (self.stub / "sleepers").exists()
                   and (self.stub / "sleepers").read_text())
        dev.send_signal(signal.SIGINT)
        self.assertEqual(dev.wait(20 * farm.SLOW), 0)
        self.assert_nothing_runs()
        self.assertEqual(os.listdir(self.folder / "cache/frameq"), [])


if __name__ == "__main__":
    farm.main()
