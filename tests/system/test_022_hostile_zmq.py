# SPDX-License-Identifier: Apache-2.0
"""Peers that break the farm's protocol, on every socket of the broker: they
are dropped or cut off, and a farm beside them renders on."""

import os
import resource
import socket
import struct
import threading
import time

import farm
from fakebroker import pack
from wire import Zmtp, host_port

STATE, INC = 1, 77
NODE = [True, True, False, False, 4, 1000, 0, "n", "1", "3.4", "CPU", ""]


def state(agent="evil", seq=1, epoch=0, lane=0, dseq=0, slots=1, leases=(),
          version=1, inc=INC, tags=(), node=None):
    return [version, STATE, agent, inc, seq, epoch, lane, dseq, slots, "",
            False, "1", list(tags), node or NODE, list(leases)]


def lease(number, job, status=1, first=1, last=1, results=(), done=0):
    return [number, job, first, last, 1, status, first, 0, done, 0, -1, "",
            list(results)]


def lease_number(agent):
    """Of the only lease in an agent's document."""
    epoch, counter = map(int, agent["leases"][0]["lease"].split("-"))
    return (epoch << 40) + counter


def forged_completions(epoch, job, of_another):
    """STATEs' leases that say frame 1 of a job is done, by who has not got it:
    that lease is another's, or was never given, or will be in a later epoch."""
    return [lease(number, job, status=3, done=1, results=[[1, 5, ""]])
            for number in (of_another, (epoch << 40) + (1 << 39),
                           (epoch + 5 << 40) + 1)]


JOB = "AAAAAAAAAAAAAAAAAAAAAA"
GOOD = pack(state())

# STATEs that are none.
BROKEN = {
    "nothing": b"",
    "noise": bytes(range(256)) * 4,
    "another version": pack(state(version=2)),
    "an unknown kind": pack([1, 99, "x"]),
    "a kind the broker sends": pack([1, 10, 5, 5]),
    "a map": pack({"agent": "evil"}),
    "a text": pack("STATE"),
    "cut off": GOOD[:-1],
    "one byte more": GOOD + b"\xc0",
    "one field less": pack(state()[:-1]),
    "array32 of 2^32-1": b"\xdd\xff\xff\xff\xff",
    "leases: array32 of 2^32-1": GOOD[:-5] + b"\xdd\xff\xff\xff\xff",
    "map32 of 2^32-1": b"\xdf\xff\xff\xff\xff",
    "text of 2^32-1 bytes": b"\x95\x01\x01\xdb\xff\xff\xff\xffevil",
    "binary of 2^32-1 bytes": b"\x95\x01\x01\xc6\xff\xff\xff\xffevil",
    "nested 100,000 deep": b"\x91" * 100000,
    "nested behind a whole one": b"\x9f" + GOOD[5:] + b"\x91" * 100000,
    "agent with a slash": pack(state(agent="../evil")),
    "agent without a name": pack(state(agent="")),
    "agent of 65 letters": pack(state(agent="e" * 65)),
    "agent with ESC": pack(state(agent="\x1b[2J")),
    "agent is a number": pack(state(agent=5)),
    "seq 0": pack(state(seq=0)),
    "inc 0": pack(state(inc=0)),
    "negative seq": pack(state(seq=-1)),
    "slots -1": pack(state(slots=-1)),
    "slots 257": pack(state(slots=257)),
    "33 tags": pack(state(tags=["t"] * 33)),
    "dseq without a lane": pack(state(dseq=1)),
    "a lease twice": pack(state(leases=[lease(5, JOB)] * 2)),
    "lease of frames 2-1": pack(state(leases=[lease(5, JOB, 1, 2, 1)])),
    "lease past the last frame": pack(state(leases=[lease(
        5, JOB, 1, 1, 1048575)])),
    "job with a slash": pack(state(leases=[lease(5, "../" + JOB)])),
    "a result of no frame of its own": pack(state(leases=[lease(
        5, JOB, 3, 1, 1, [[2, 0, ""]])])),
    "node is a text": pack(state(node="up")),
}


class Hostile(farm.FarmTest):
    def setUp(self):
        self.fake_node = farm.FakeNode(self, frame_ms=5)
        self.host = self.farm(self.fake_node)
        self.before = self.host.memory_mb()

    def address(self, name):
        return self.host.ready[name]

    def peer(self, name, kind):
        peer = Zmtp(kind, self.address(name), timeout=20 * farm.SLOW)
        self.addCleanup(peer.close)
        return peer

    def assert_unmoved(self, what):
        """The farm renders, the broker answers, and its memory is what it
        was, or soon will be."""
        start = time.monotonic()
        self.assertEqual(self.host.web().get("/health").status, 200)
        answered = (time.monotonic() - start) * 1000
        self.host.await_job(self.host.render(1, 5))
        at_once = self.host.memory_mb()
        if farm.SLOW == 1:  # sanitizers keep what was freed for a while
            farm.until("memory is given back", lambda: self.host.memory_mb() <
                       self.before + 10)
        print(f"{what}: another {answered:.1f} ms, RSS {self.before:.1f}, "
              f"{at_once:.1f}, then {self.host.memory_mb():.1f} MB")
        self.assertLess(answered, 1000 * farm.SLOW)

    def test_broken_states_are_dropped(self):
        """None of them brings its agent to life."""
        status = self.peer("status", "PUB")
        for body in BROKEN.values():
            status.send(b"S/evil/", body)
        status.send(b"S/last/", pack(state("last")))
        farm.until("the last is heard", lambda: "last" in self.host.agents())
        self.assertEqual(set(self.host.agents()), {"a1", "last"})
        self.assertEqual(self.host.metric('frameq_refused_total{why="message"}'),
                         len(BROKEN))
        status.send(GOOD)  # without a topic
        status.send(b"S/other/", b"x", b"", GOOD)  # with three
        farm.until("the good ones are heard",
                   lambda: "evil" in self.host.agents())
        self.assertEqual(set(self.host.agents()), {"a1", "evil", "last"})
        self.assert_unmoved("broken states")

    def test_messages_too_large_cut_their_sender(self):
        for name, kind, size in (
                ("status", "PUB", 1024 * 1024), ("control", "SUB", 250),
                ("feed", "SUB", 250), ("lane", "PULL", 240)):
            if name == "lane":
                self.host.ready[name] = f"{farm.HOST}:{self.host.lane_port()}"
            for beyond in (1, 100 * 1024 * 1024, 2 ** 62):
                with self.subTest(socket=name, bytes=size + beyond):
                    peer = self.peer(name, kind)
                    try:
                        peer.socket.sendall(
                            b"\x02" + struct.pack(">Q", size + beyond) +
                            b"\x01" + bytes(min(beyond, 1000)))
                    except OSError:
                        pass
                    self.assertTrue(peer.is_cut(5 * farm.SLOW))
        exact = self.peer("feed", "SUB")
        exact.subscribe(b"t" * 240)
        self.assertFalse(exact.is_cut(0.3))
        self.assert_unmoved("messages too large")

    def test_what_is_no_zmtp(self):
        self.host.ready["lane"] = f"{farm.HOST}:{self.host.lane_port()}"
        greeting = (b"\xff" + bytes(8) + b"\x7f\x03\x00" +
                    b"NULL".ljust(20, b"\0") + bytes(32))
        for name in ("status", "control", "feed", "lane"):
            for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10,
                         bytes(range(256)) * 40, b"\xff" * 5000,
                         greeting + b"\x04\xff" + b"\x05READY" * 40,
                         greeting + b"\x06" + b"\xff" * 8,
                         greeting.replace(b"NULL", b"EVIL") + bytes(100)):
                with socket.create_connection(
                        host_port(self.address(name))) as client:
                    try:
                        client.sendall(data)
                    except OSError:
                        pass
        self.assert_unmoved("no ZMTP")

    def test_old_and_future_states(self):
        """Neither a replay nor a guess of what comes moves a frame."""
        status = self.peer("status", "PUB")
        job = self.host.submit(**{"from": 1, "to": 3, "paused": True})["id"]
        epoch = self.host.farm()["epoch"]
        now, future = epoch << 40, (epoch + 5) << 40
        claims = [lease(now + 12345, job, 1, 1, 1),
                  lease(future + 1, job, 1, 2, 2),
                  lease(now + (1 << 39), job, 3, 3, 3, [[3, 5, ""]])]
        status.send(b"S/evil/", pack(state(seq=9, epoch=epoch + 5,
                                           leases=claims)))
        farm.until("heard", lambda: "evil" in self.host.agents())
        for seq in (1, 8, 9):  # long past
            status.send(b"S/evil/", pack(state(seq=seq, slots=200)))
        status.send(b"S/last/", pack(state("last")))
        farm.until("the last is heard", lambda: "last" in self.host.agents())
        self.assertEqual(self.host.states(job), "qqq")
        self.assertEqual(self.host.agents()["evil"]["slots"], 1)
        self.assert_unmoved("old and future states")

    def test_a_stranger_under_a_live_name(self):
        """It counts for nothing, and takes the first one's work nowhere."""
        status = self.peer("status", "PUB")
        for seq in range(1, 20):
            status.send(b"S/a1/", pack(state("a1", seq, slots=0)))
        self.assert_unmoved("a stranger under a live name")
        self.assertEqual(self.host.agents()["a1"]["slots"], 1)

    def test_a_flood_of_states(self):
        """One peer at full speed; others are served in their turn."""
        status = self.peer("status", "PUB")
        status.socket.settimeout(20 * farm.SLOW)
        sent, stop = 0, threading.Event()
        rounds = [b"".join(Zmtp.message(b"S/evil/", pack(state(seq=seq)))
                           for seq in range(first, first + 1000))
                  for first in range(1, 20000, 1000)]

        def flood():
            nonlocal sent
            while not stop.is_set():
                status.socket.sendall(rounds[sent // 1000 % len(rounds)])
                sent += 1000

        thread = threading.Thread(target=flood)
        start = time.monotonic()
        thread.start()
        try:
            job = self.host.render(1, 15, batch=1)
            web, worst = self.host.web(), 0
            while self.host.job(job)["state"] != "completed":
                begun = time.monotonic()
                self.assertEqual(web.get("/health").status, 200)
                worst = max(worst, time.monotonic() - begun)
                self.assertLess(begun - start, 30 * farm.SLOW)
        finally:
            stop.set()
            thread.join()
        took = time.monotonic() - start
        print(f"flood of states: {sent / took:.0f}/s for {took:.1f} s, another "
              f"{1000 * worst:.1f} ms at most")
        self.assertLess(worst, 1 * farm.SLOW)
        self.assert_unmoved("flood of states")

    def test_floods_of_subscriptions(self):
        """Memory is bounded however many topics are subscribed to; who was
        cut off with the flood comes back."""
        web, worst = self.host.web(), 0
        for name in ("feed", "control"):
            peer = self.peer(name, "SUB")
            peer.socket.settimeout(0.05)
            try:
                for start in range(0, 300000, 1000):
                    peer.socket.sendall(b"".join(
                        Zmtp.message(b"\x01" + b"t/%08d" % i + b"x" * 90)
                        for i in range(start, start + 1000)))
                    begun = time.monotonic()
                    self.assertEqual(web.get("/health").status, 200)
                    worst = max(worst, time.monotonic() - begun)
            except OSError:
                pass
            print(f"{name}: {start} subscriptions, another {1000 * worst:.1f} "
                  f"ms at most")
            farm.until("it is cut off", lambda peer=peer: peer.is_cut(1))
        farm.until("the agent is back", lambda: self.host.agents()["a1"][
            "state"] == "up")
        self.assertIn("event=subscribers_cut", self.host.log_text())
        again = self.peer("feed", "SUB")
        again.subscribe(b"")
        job = self.host.render(1, 1)
        while job.encode() not in again.read_frame()[1]:
            pass
        self.assert_unmoved("300,000 subscriptions each")

    def test_noise_of_subscriptions(self):
        peer = self.peer("feed", "SUB")
        pair = Zmtp.message(b"\x01same") + Zmtp.message(b"\x00same")
        for _ in range(100):
            peer.socket.sendall(pair * 1000)
        peer.socket.sendall(Zmtp.message(b"\x00never") * 1000)
        self.assert_unmoved("200,000 times in and out")

    def test_a_thief_at_a_lane(self):
        """Batches it takes are seen missing: every frame is rendered, and
        once."""
        thief = Zmtp("PULL", f"{farm.HOST}:{self.host.lane_port()}")
        self.addCleanup(thief.close)
        self.host.await_job(self.host.render(1, 4, batch=2), seconds=60)
        self.assertEqual(sorted(self.fake_node.rendered()), [1, 2, 3, 4])

    def test_half_open_connections(self):
        """A greeting and then nothing, by thousands."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE,
                        (soft, hard))
        count = min(10000, hard // 2 - 500)
        silent, web, worst = [], self.host.web(), 0
        try:
            for i in range(count):
                client = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack("ii", 1, 0))
                client.connect(host_port(self.address(
                    ("status", "control", "feed")[i % 3])))
                client.send(b"\xff" + bytes(8) + b"\x7f\x03")
                silent.append(client)
                if i % 100 == 0:
                    begun = time.monotonic()
                    self.assertEqual(web.get("/health").status, 200)
                    worst = max(worst, time.monotonic() - begun)
            self.host.await_job(self.host.render(1, 5))
            during = self.host.memory_mb()
        finally:
            for client in silent:
                client.close()
        farm.until("they are gone", lambda: len(
            os.listdir(f"/proc/{self.host.pid}/fd")) < 200)
        print(f"{count} half open: another {1000 * worst:.1f} ms at most, RSS "
              f"{during:.1f} MB meanwhile")
        self.assert_unmoved("half open connections")


class Forgers(farm.FarmTest):
    """What a peer says again, or of what it never did. (With keys: 430.)"""

    def setUp(self):
        self.slow_node = farm.FakeNode(self, frame_ms=1500)
        self.host = self.farm(self.slow_node)
        self.status = Zmtp("PUB", self.host.ready["status"],
                           timeout=20 * farm.SLOW)
        self.addCleanup(self.status.close)

    def say(self, **fields):
        self.status.send(b"S/evil/", pack(state(slots=0, **fields)))

    def test_a_replayed_state(self):
        self.say(seq=7, tags=["now"])
        farm.until("it is heard", lambda: "evil" in self.host.agents())
        for seq in (7, 6, 1):
            self.say(seq=seq, tags=["before"])
        farm.until("they are refused", lambda: self.host.refused("stale") == 3)
        self.assertEqual(self.host.agents()["evil"]["tags"], ["now"])

    def test_a_forged_completion(self):
        job = self.host.render(1, 1)
        agent = farm.until("it is leased", lambda: (
            lambda a: a if a["leases"] else None)(self.host.agents()["a1"]))
        number = lease_number(agent)
        self.say(seq=1, leases=forged_completions(self.host.farm()["epoch"],
                                                  job, number))
        farm.until("they are refused", lambda: self.host.refused("lease") == 3)
        self.assertEqual(self.host.job(job)["counts"]["done"], 0)
        self.host.await_job(job)
        before = self.host.frames(job)
        self.assertEqual(before[1]["agent"], "a1")
        self.say(seq=2, leases=[lease(number, job, status=3, done=1,
                                      results=[[1, 77777, ""]])])
        self.say(seq=1)
        farm.until("all is read", lambda: self.host.refused("stale") == 1)
        self.assertEqual(self.host.frames(job), before)
        self.assertEqual(self.slow_node.rendered(), [1])


class FewDescriptors(farm.FarmTest):
    """910: a broker without descriptors left used to end on an assertion."""

    def test_910_a_crowd_of_agents(self):
        host = self.broker(prefix=("prlimit", "--nofile=200"))
        status = Zmtp("PUB", host.ready["status"])
        self.addCleanup(status.close)
        for i in range(300):
            status.send(b"S/x/", pack(state(f"crowd{i}")))
        farm.until("all are heard", lambda: len(host.agents()) == 300)
        self.assertEqual(host.web().get("/health").status, 200)
        self.assertLess(host.log_text().count("event=no_lane"), 5)


if __name__ == "__main__":
    farm.main()
