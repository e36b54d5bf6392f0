# SPDX-License-Identifier: Apache-2.0
"""An agent whose broker says what no broker says: it drops that, stays within
its memory, and does what is right all the same."""

import hashlib
import socket
import struct

import endless
import farm
from fakebroker import FakeBroker, farm as farm_document, pack
from wire import Zmtp

REVOKE, BEAT, ACK, LANE, BATCH, ASK = 5, 10, 4, 3, 2, 11
JOB = "AAAAAAAAAAAAAAAAAAAAAA"
EPOCH = 7


def batch(lane, dseq, first=1, last=1, epoch=EPOCH, job=JOB, name="n",
          render="{}", step=1, lease=None):
    number = lease or (EPOCH << 40) + dseq
    return [1, BATCH, epoch, lane, dseq, number, job, name, first, last, step,
            False, False, render]


BROKEN = {
    "nothing": b"",
    "noise": bytes(range(256)) * 10,
    "another version": pack([2, BEAT, EPOCH, 1]),
    "an unknown kind": pack([1, 99]),
    "a STATE": pack([1, 1, "a", 1, 1, 0, 0, 0, 1, "", False, "1", [],
                     [True, True, True, True, 1, 1, 0, "", "", "", "", ""],
                     []]),
    "BEAT of epoch 0": pack([1, BEAT, 0, 1]),
    "BEAT of epoch 2^24": pack([1, BEAT, 1 << 24, 1]),
    "BEAT without a time": pack([1, BEAT, EPOCH]),
    "LANE of port 0": pack([1, LANE, 1, 1, 0]),
    "LANE of port 65536": pack([1, LANE, 1, 1, 65536]),
    "ACK of 2^32-1": b"\x93\x01\x04\xdd\xff\xff\xff\xff",
    "ACK of texts": pack([1, ACK, ["a", "b"]]),
    "577 ACKs": pack([1, ACK, [[1, 1, 0, False]] * 577]),
    "REVOKE with ESC": pack([1, REVOKE, 1, "\x1b[2J"]),
    "REVOKE of 1025 letters": pack([1, REVOKE, 1, "w" * 1025]),
    "nested 100,000 deep": b"\x91" * 100000,
}

BAD_BATCHES = [
    b"", b"\x93", pack([1, BEAT, EPOCH, 1]),
    pack(batch(5, 1, epoch=EPOCH - 1)),  # of a broker before
    pack(batch(5, 1, epoch=EPOCH + 1)),  # of one to come
    pack(batch(4, 1)),                   # of another lane
    pack(batch(5, 1, 5, 3)), pack(batch(5, 1, -1, 3)),
    pack(batch(5, 1, 0, 1048575)), pack(batch(5, 1, 1, 1001)),
    pack(batch(5, 1, 1, 4, step=2)), pack(batch(5, 1, step=0)),
    pack(batch(5, 1, job="../../etc/passwd")),
    pack(batch(5, 1, name="a\nb")), pack(batch(5, 1, name="n" * 129)),
    pack(batch(5, 1, render="")), pack(batch(5, 1, render="x" * 65537)),
    pack(batch(5, 1))[:-1],
]


class BrokerTest(farm.FarmTest):
    """An agent, and a broker that says what the test says."""

    def listen(self):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(20 * farm.SLOW)
        self.addCleanup(listener.close)
        return listener

    def accept(self, listener, kind):
        peer = Zmtp(kind, connected=listener.accept()[0],
                    timeout=20 * farm.SLOW)
        self.addCleanup(peer.close)
        return peer

    def start(self):
        """A broker of the test's own, and an agent that has come to it."""
        self.ports = {"status": self.listen(), "control": self.listen()}
        broker = self.host = FakeBroker(self, {("GET", "/v1/farm"): farm_document(
            ports={name: listener.getsockname()[1]
                   for name, listener in self.ports.items()})})
        self.node_program = farm.FakeNode(self, frame_ms=10)
        self.agent_program = self.agent(broker, self.node_program, "a1", wait=False)
        self.connect()

    def connect(self):
        """Takes the agent's two connections."""
        self.control = self.accept(self.ports["control"], "PUB")
        self.status = self.accept(self.ports["status"], "SUB")
        self.status.subscribe(b"")
        self.control.send(b"C/a1/", pack([1, BEAT, EPOCH, 1]))

    def state(self, holds=lambda state: True):
        """Its next STATE of which something holds: its bytes."""
        while True:
            flags, body = self.status.read_frame()
            if flags == 0 and body[1:3] == b"\x01\x01" and holds(body):
                return body

    @staticmethod
    def inc_of(state):
        at = state.index(b"\xa2a1") + 3
        assert state[at] == 0xcf, state
        return state[at + 1:at + 9]

    def lane(self, number):
        """Gives the agent a lane; returns the broker's end of it."""
        listener = self.listen()
        port = listener.getsockname()[1]
        inc = self.inc_of(self.state())
        self.control.send(b"C/a1/", b"\x95\x01\x03\xcf" + inc + pack(number) +
                          pack(port))
        return self.accept(listener, "PUSH")


class HostileBroker(BrokerTest):
    def test_a_broker_that_talks_nonsense(self):
        self.start()
        before = self.agent_program.memory_mb()
        for body in BROKEN.values():
            self.control.send(b"C/a1/", body)
            self.control.send(b"C/a1/", b"x", body)
        self.control.send(*[b"C/a1/"] * 8)
        lane = self.lane(5)
        for body in BAD_BATCHES:
            lane.send(body)
        lane.send(pack(batch(5, 2, 1, 3)))
        farm.until("the good one is rendered",
                   lambda: self.node_program.rendered() == [1, 2, 3])
        for _ in range(100):  # replays, and one from before
            lane.send(pack(batch(5, 2, 1, 3)))
            lane.send(pack(batch(5, 1, 7, 9, lease=(EPOCH << 40) + 99)))
        farm.until("its slot is free", lambda: "event=lease_ended" in
                   self.agent_program.log_text())
        lane.send(pack(batch(5, 3, 4, 4)))
        farm.until("the next one is rendered",
                   lambda: 4 in self.node_program.rendered())
        self.assertEqual(self.node_program.rendered(), [1, 2, 3, 4])
        after = self.agent_program.memory_mb()
        print(f"nonsense: RSS {before:.1f} to {after:.1f} MB")
        if farm.SLOW == 1:
            self.assertLess(after - before, 20)
        self.assertNotIn("\x1b", self.agent_program.log_text())

    def test_messages_too_large_end_the_connection(self):
        self.start()
        before = self.agent_program.memory_mb()
        for size in (1024 * 1024 + 1, 100 * 1024 * 1024, 2 ** 62):
            try:
                self.control.socket.sendall(
                    b"\x02" + struct.pack(">Q", size) + bytes(1000))
            except OSError:
                pass
            self.assertTrue(self.control.is_cut(5 * farm.SLOW))
            self.connect()
            self.state()
        lane = self.lane(5)
        lane.socket.sendall(b"\x02" + struct.pack(">Q", 100 * 1024 * 1024))
        self.assertTrue(lane.is_cut(5 * farm.SLOW))
        again = self.lane(6)
        again.send(pack(batch(6, 1)))
        farm.until("the batch is rendered",
                   lambda: self.node_program.events("end") != [])
        if farm.SLOW == 1:
            self.assertLess(self.agent_program.memory_mb() - before, 20)

    def connect_again(self):
        """libzmq may have built one connection more than the agent wanted."""
        while True:
            try:
                self.connect()
                return self.state()
            except ConnectionError:
                pass

    def test_messages_without_an_end(self):
        self.start()
        endless.pour(self, self.agent_program, self.lane(5), 1)
        self.lane(6).send(pack(batch(6, 1)))
        farm.until("the batch is rendered",
                   lambda: self.node_program.events("end") != [])
        endless.pour(self, self.agent_program, self.status, 1)
        self.status = self.accept(self.ports["status"], "SUB")
        self.status.subscribe(b"")
        for size in (1, 1024 * 1024):
            endless.pour(self, self.agent_program, self.control, size)
            self.connect_again()
        self.assertIn("event=peer_cut", self.agent_program.log_text())

    def test_a_curious_broker(self):
        """What it asks for leaves only where it is a picture, by its name, and
        no link, with the hash that it says."""
        self.start()
        self.state()
        secret, picture = self.folder / "secret.txt", self.folder / "a.png"
        secret.write_bytes(b"secret")
        picture.write_bytes(b"picture")
        (self.folder / "link.png").symlink_to(secret)
        (self.folder / "folder.png").mkdir()
        hashes = [hashlib.sha256(data).hexdigest() for data in (
            b"secret", b"picture")]
        for sha256 in (*hashes, "0" * 64, "1" * 64):
            self.host.answers["HEAD", f"/v1/blobs/{sha256}"] = (
                404, None, {"Upload-Offset": "0"})
        for path, sha256 in (
                (secret, hashes[0]), (self.folder / "link.png", hashes[0]),
                (picture, hashes[0]), (self.folder / "folder.png", "0" * 64),
                (f"{self.folder}/x/../a.png", "1" * 64),
                ("a.png", hashes[1]), (f"{picture}\0", hashes[1]),
                (f"/{'a' * 4096}.png", hashes[1]), (picture, "../" * 21 + "a")):
            self.control.send(b"C/a1/", pack([1, ASK, (EPOCH << 40) + 1, 1,
                                              JOB, str(path), sha256]))
        self.control.send(b"C/a1/", pack([1, ASK, (EPOCH << 40) + 1, 1, JOB,
                                          str(picture), hashes[1]]))
        farm.until("the picture is sent", lambda: self.host.asked(
            "PUT", f"/v1/blobs/{hashes[1]}"))
        with self.host.lock:
            sent = {request.body for request in self.host.requests
                    if request.method == "PUT"}
        self.assertEqual(sent, {b"picture"})

    def test_a_flood_of_subscriptions_at_the_agent(self):
        self.start()
        before = self.agent_program.memory_mb()
        self.status.send(b"\x01" + b"t" * 500)
        self.assertTrue(self.status.is_cut(5 * farm.SLOW))
        if farm.SLOW == 1:
            self.assertLess(self.agent_program.memory_mb() - before, 10)


if __name__ == "__main__":
    farm.main()
