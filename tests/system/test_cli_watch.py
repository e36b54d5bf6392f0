# SPDX-License-Identifier: Apache-2.0
"""frameq watch against a feed that loses, repeats and restarts as the test
wants."""
# ctest: smoke

import fcntl
import json
import os
import pty
import queue
import re
import select
import signal
import struct
import subprocess
import termios
import threading

import farm
from fakebroker import FakeBroker, Feed, agent, ended, job
from fakebroker import farm as farm_document

ID = "abcdefgh12345678"
JOB = ("GET", "/v1/jobs/" + ID)
FARM = ("GET", "/v1/farm")
TOPIC = f"job/{ID}/"


class Watch:
    """A running `frameq watch`; its lines arrive in queues."""

    def __init__(self, test, broker, *args):
        self.process = subprocess.Popen(
            [str(farm.BIN / "frameq"), "watch", *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env=dict(os.environ, FRAMEQ_BROKER=broker.url, LC_ALL="C.UTF-8",
                     TZ="UTC"))
        self.lines = {}
        for stream in (self.process.stdout, self.process.stderr):
            lines = self.lines[stream] = queue.Queue()
            thread = threading.Thread(target=self._read, args=(stream, lines))
            thread.start()
            test.addCleanup(thread.join)
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)

    @staticmethod
    def _read(stream, lines):
        with stream:
            for line in stream:
                lines.put(line.rstrip("\n"))
        lines.put(None)

    def _next(self, stream):
        return self.lines[stream].get(timeout=20 * farm.SLOW)

    def out(self):
        return self._next(self.process.stdout)

    def err(self):
        return self._next(self.process.stderr)

    def event(self):
        return json.loads(self.out())

    def end(self):
        return self.process.wait(20 * farm.SLOW)


class WatchTest(farm.FarmTest):
    def setUp(self):
        self.feed = Feed(self)
        self.answers = {FARM: self.farm_at(100), JOB: job(state="running"),
                        ("GET", "/v1/agents"): {"agents": [agent()]}}
        self.broker = FakeBroker(self, self.answers)

    def farm_at(self, seq, epoch=7, feed=None):
        return farm_document(epoch=epoch, seq=f"{epoch}:{seq}",
                             ports={"feed": (feed or self.feed).port})

    def say(self, answers):
        with self.broker.lock:
            self.broker.answers.update(answers)

    def watch(self, *args):
        """Starts a watch and brings it to where it shows events."""
        watch = Watch(self, self.broker, *args)
        self.feed.accept()
        self.await_snapshot(1, ID in args)
        return watch

    def await_snapshot(self, n, of_job=False):
        """Waits for what the n-th snapshot asks last."""
        path, asked = (JOB, 1 + n) if of_job else (("GET", "/v1/jobs"), 2 * n)
        farm.until("snapshot",
                   lambda: len(self.broker.asked(*path)) >= asked)

    def frame(self, seq, epoch=7, **fields):
        event = {"id": f"{epoch}:{seq}", "epoch": epoch, "seq": seq,
                 "type": "frame", "time": "2026-11-24T14:07:31.250Z",
                 "job": ID, "name": "shot", "frame": seq - 100,
                 "state": "done", "agent": "n1", "seconds": 1.5,
                 "files": [{"path": "/o/shot_0001.png", "bytes": 10,
                            "sha256": "ab"}]}
        event.update(fields)
        self.feed.send(TOPIC, event)
        return event

    def end_job(self, seq, state="completed", **fields):
        document = ended(state, **fields)
        self.say({JOB: document})
        event = {"id": f"7:{seq}", "epoch": 7, "seq": seq, "type": "job",
                 "time": "2026-11-24T14:07:32Z", "job": ID, "name": "shot",
                 "change": "ended", "state": state,
                 "counts": document["counts"]}
        self.feed.send(TOPIC, event)
        return event


class Events(WatchTest):
    def test_json_is_the_whole_event(self):
        watch = self.watch("--json")
        sent = [self.frame(101), self.frame(102, nested={"a": [1, None, True]},
                                            progress=0.25, n=-7)]
        self.assertEqual([watch.event(), watch.event()], sent)

    def test_lines(self):
        watch = self.watch()
        self.frame(101)
        self.assertEqual(watch.out(), "14:07:31 ● shot #1 done on n1 in 1.5 s "
                                      "-> /o/shot_0001.png")
        self.frame(102, type="progress", progress=0.5)
        self.frame(103, state="failed", fault="crash", text="signal 11",
                   files=[])
        self.assertEqual(watch.out(), "14:07:31 ✕ shot #3 failed on n1: "
                                      "crash: signal 11")

    def test_each_event_once(self):
        watch = self.watch("--json")
        for seq in (99, 100, 101, 101, 100, 102):
            self.frame(seq)
        self.assertEqual([watch.event()["seq"], watch.event()["seq"]],
                         [101, 102])

    def test_what_is_no_event_is_left_out(self):
        watch = self.watch("--json")
        self.feed.send_raw(b"job/x/", b"\xc1")
        self.feed.send_raw(b"job/x/")
        self.feed.send_raw(b"job/x/", b"\x80", b"more")
        self.feed.send_raw(b"job/x/", b"\x90")
        self.frame(101)
        self.assertEqual(watch.event()["seq"], 101)

    def test_controls_do_not_reach_the_terminal(self):
        watch = self.watch()
        self.frame(101, name="a\x1b[2Jb")
        self.assertNotIn("\x1b", watch.out())

    def test_ends_with_its_reader(self):
        """As in `frameq watch | head -1`, though nothing else happens."""
        with subprocess.Popen(
                [str(farm.BIN / "frameq"), "watch"], text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                env=dict(os.environ, FRAMEQ_BROKER=self.broker.url)) as process:
            self.addCleanup(process.kill)
            self.feed.accept()
            self.await_snapshot(1)
            self.frame(101)
            self.assertIn("#1 done", process.stdout.readline())
            process.stdout.close()
            self.assertEqual(process.wait(20 * farm.SLOW), -signal.SIGPIPE)

    def test_ctrl_c(self):
        watch = self.watch()
        watch.process.send_signal(signal.SIGINT)
        self.assertEqual(watch.end(), 130)


class Losses(WatchTest):
    def test_gap(self):
        watch = self.watch("--json")
        self.frame(101)
        self.assertEqual(watch.event()["seq"], 101)
        self.say({FARM: self.farm_at(110)})
        self.frame(110)
        self.assertEqual(watch.err(), "frameq: missed 9 events, took a new "
                                      "snapshot")
        self.frame(111)
        self.assertEqual(watch.event()["seq"], 111)

    def test_job_that_ended_in_the_gap(self):
        watch = self.watch("--json", ID)
        self.say({FARM: self.farm_at(110), JOB: ended("failed")})
        self.frame(110)
        self.assertEqual(watch.end(), 1)

    def test_connection_lost_and_nothing_missed(self):
        watch = self.watch("--json")
        self.frame(101)
        self.assertEqual(watch.event()["seq"], 101)
        self.say({FARM: self.farm_at(101)})
        self.feed.drop()
        self.feed.accept()
        self.await_snapshot(2)
        self.frame(102)
        self.assertEqual(watch.event()["seq"], 102)
        watch.process.kill()
        self.assertIsNone(watch.err())

    def test_connection_lost_and_events_missed(self):
        watch = self.watch("--json")
        self.say({FARM: self.farm_at(105)})
        self.feed.drop()
        self.feed.accept()
        self.assertEqual(watch.err(), "frameq: missed 5 events, took a new "
                                      "snapshot")
        self.frame(106)
        self.assertEqual(watch.event()["seq"], 106)

    def test_broker_restarts_on_another_port(self):
        watch = self.watch("--json")
        self.frame(101)
        self.assertEqual(watch.event()["seq"], 101)
        self.say({FARM: None})
        self.feed.drop()
        self.assertEqual(watch.err(), "frameq: the broker is gone; waiting for "
                                      "it (agents render on)")
        self.feed = Feed(self)
        self.say({FARM: self.farm_at(3, epoch=8)})
        self.feed.accept()
        self.assertEqual(watch.err(), "frameq: the broker has restarted; took "
                                      "a new snapshot")
        self.assertEqual(watch.err(), "frameq: the broker is back")
        self.frame(4, epoch=8)
        self.assertEqual(watch.event()["id"], "8:4")

    def test_new_epoch_on_the_same_connection(self):
        watch = self.watch("--json")
        self.say({FARM: self.farm_at(1, epoch=8)})
        self.frame(1, epoch=8)
        self.feed.accept()
        self.assertIn("restarted", watch.err())
        self.frame(2, epoch=8)
        self.assertEqual(watch.event()["id"], "8:2")


class OneJob(WatchTest):
    def test_completed(self):
        watch = self.watch(ID)
        self.frame(101)
        self.assertIn("#1 done", watch.out())
        self.end_job(102)
        self.assertEqual(watch.out(), "shot completed: 20 of 20 frames done")
        self.assertEqual(watch.end(), 0)

    def test_failed(self):
        watch = self.watch(ID)
        self.end_job(101, "failed", failures=[
            {"frame": 7, "fault": "crash", "text": "signal 11"}])
        self.assertIn("1 failed", watch.out())
        self.assertIn("frame 7", watch.out())
        self.assertEqual(watch.end(), 1)

    def test_cancelled(self):
        watch = self.watch(ID)
        self.end_job(101, "cancelled")
        self.assertEqual(watch.end(), 1)

    def test_json_has_only_its_events(self):
        watch = self.watch("--json", ID)
        self.frame(101, job="other")
        self.feed.send("agent/n1/", {"epoch": 7, "seq": 102, "type": "agent",
                                     "name": "n1", "change": "lost"})
        sent = [self.frame(103), self.end_job(104)]
        self.assertEqual([watch.event(), watch.event()], sent)
        self.assertIsNone(watch.out())
        self.assertEqual(watch.end(), 0)

    def test_ended_before(self):
        for state, code in (("completed", 0), ("failed", 1), ("cancelled", 1)):
            self.say({JOB: ended(state)})
            result = self.cli(self.broker, "watch", ID)
            self.assertEqual(result.returncode, code, result)
            self.assertIn(f"shot {state}", result.stdout)

    def test_removed_meanwhile(self):
        watch = self.watch(ID)
        self.feed.send(TOPIC, {"epoch": 7, "seq": 101, "type": "job",
                               "job": ID, "change": "forgotten"})
        self.assertIn("removed", watch.out() + watch.err())
        self.assertEqual(watch.end(), 4)

    def test_unknown(self):
        self.assertEqual(self.cli(self.broker, "watch", "nope").returncode, 4)


class Board(WatchTest):
    """On a terminal: what stands there, and what its keys do."""

    def setUp(self):
        super().setUp()
        self.jobs = {"jobs": [job(state="running"), job(
            id="other-1234567890", name="late")], "next": None}
        self.say({("GET", "/v1/jobs"): self.jobs})
        for method, path in (("PATCH", f"/v1/jobs/{ID}"),
                             ("POST", f"/v1/jobs/{ID}:cancel"),
                             ("POST", f"/v1/jobs/{ID}/frames:retry")):
            self.say({(method, path): job(state="running")})
        self.text = ""

    def open(self, *args, rows=24, **env):
        pid, self.tty = pty.fork()
        if pid == 0:
            os.environ.update({
                "FRAMEQ_BROKER": self.broker.url, "TERM": "xterm",
                "LC_ALL": "C.UTF-8", "COLUMNS": "", "TZ": "UTC", **env})
            os.execv(farm.BIN / "frameq", ["frameq", "watch", *args])
        self.pid = pid
        self.addCleanup(os.close, self.tty)
        self.size(rows, 90)
        self.feed.accept()

    def size(self, rows, columns):
        fcntl.ioctl(self.tty, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.tty, keys.encode())

    def sees(self, pattern):
        """Reads until a whole picture matches."""
        deadline = farm.now() + 20 * farm.SLOW
        while farm.now() < deadline:
            pictures = self.text.split("\x1b[H")
            for i, picture in enumerate(pictures):
                if re.search(pattern, picture, re.S):
                    self.text = "\x1b[H".join(pictures[i:])
                    return picture
            if select.select([self.tty], [], [], 1)[0]:
                self.text += os.read(self.tty, 65536).decode(errors="replace")
        raise AssertionError(f"not seen: {pattern}\n{self.text[-3000:]}")

    def ends(self, code):
        """That it ends so, and leaves the terminal as it was."""
        text = self.text
        try:
            while select.select([self.tty], [], [], 20 * farm.SLOW)[0]:
                text += os.read(self.tty, 65536).decode(errors="replace")
        except OSError:  # nobody has it open any more
            pass
        status = os.waitpid(self.pid, 0)[1]
        if code < 0:
            self.assertEqual(os.WTERMSIG(status), -code)
        else:
            self.assertEqual(os.waitstatus_to_exitcode(status), code, text)
        self.assertEqual(text.count("\x1b[?1049l"), 1)
        cooked = termios.ECHO | termios.ICANON
        self.assertEqual(termios.tcgetattr(self.tty)[3] & cooked, cooked)
        self.assertIn("\x1b[?25h", text.rpartition("\x1b[?25l")[2])
        return text

    def asked(self, method, path):
        return farm.until(path, lambda: self.broker.asked(method, path))[-1]

    def test_keys(self):
        self.open()
        self.sees("▸ ◑ shot.*late.*j/k choose")
        self.type("p")
        self.sees("shot is paused")
        self.assertEqual(self.asked("PATCH", f"/v1/jobs/{ID}").body,
                         {"paused": True})
        self.type("r")
        self.sees("shot renders its failed frames again")
        self.assertEqual(
            self.asked("POST", f"/v1/jobs/{ID}/frames:retry").body,
            {"state": "failed"})
        self.type("c")
        self.sees("cancel shot.* y / n")
        self.type("n")
        self.sees("not cancelled")
        self.assertEqual(self.broker.asked("POST", f"/v1/jobs/{ID}:cancel"), [])
        self.type("cy")
        self.sees("shot is cancelled")
        self.type("\x1b[B")
        self.sees("▸ ○ late")
        self.type("p")
        self.sees("there is no /v1/jobs/other-1234567890")
        self.type("k\r")
        self.sees(f"shot  running  {ID}.*AGENTS.*Esc back")
        self.type("?")
        self.sees("KEYS")
        self.type("xq")
        self.ends(0)

    def test_events_and_size(self):
        self.open()
        self.sees("▸ ◑ shot")
        self.frame(101)
        self.sees("LATELY.*14:07:31 ● shot #1 done on n1")
        self.size(12, 40)
        picture = self.sees(r"▸ ◑ shot +0/20|▸ ◑ shot +1/20")
        plain = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", picture).split("\r\n")
        self.assertEqual(len(plain), 12)
        self.assertLess(max(len(line.rstrip("\r")) for line in plain), 40)
        os.kill(self.pid, signal.SIGINT)
        self.ends(130)

    def test_any_end_gives_the_terminal_back(self):
        self.open(NO_COLOR="1")
        picture = self.sees("▸ ◑ shot")
        self.assertNotRegex(picture, r"\x1b\[[0-9;]*m")
        os.kill(self.pid, signal.SIGTERM)
        self.ends(-signal.SIGTERM)

    def test_one_job_to_its_end(self):
        self.open(ID)
        self.sees(f"shot  running  {ID}")
        self.type("j\x1bOA")  # another one cannot be chosen
        self.end_job(101)
        text = self.ends(0)
        self.assertIn("shot completed: 20 of 20 frames done",
                      text.rpartition("\x1b[?1049l")[2])

    def test_the_broker_goes_and_one_leaves(self):
        self.open(ID)
        self.sees(f"shot  running  {ID}")
        self.say({FARM: None})
        self.feed.drop()
        self.sees("the broker is gone")
        self.type("q")
        self.ends(130)


if __name__ == "__main__":
    farm.main()
