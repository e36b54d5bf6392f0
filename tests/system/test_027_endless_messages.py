# SPDX-License-Identifier: Apache-2.0
# ctest: smoke threads
"""Peers that send a message of which every part says that more follow, on every
socket of the broker. libzmq holds the parts until the last has come and bounds
only whole messages: the broker grew by 300 MB a second until the peer left."""

import curve
import farm
from endless import pour
from test_022_hostile_zmq import pack, state
from test_430_keys import KeysTest
from wire import Zmtp


class AnybodysFarm(farm.FarmTest):
    def test_at_every_socket(self):
        fake = self.fake(frame_ms=20)
        host = self.farm(fake)
        job = host.render(1, 100, batch=1)
        for name, kind, sizes in (("status", "PUB", (1, 1000, 1024 * 1024)),
                                  ("control", "SUB", (1, 250)),
                                  ("feed", "SUB", (1, 250)),
                                  ("lane", "PULL", (1, 250))):
            address = host.ready.get(name) or f"{farm.HOST}:{host.lane_port()}"
            for size in sizes:
                with self.subTest(socket=name, part=size):
                    pour(self, host, Zmtp(kind, address), size)
        host.await_job(job)
        self.assert_each_once(range(1, 101), fake)
        self.assertIn("event=peer_cut", host.log_text())
        self.assertGreaterEqual(host.refused("parts"), 9)

    def test_commands(self):
        """Subscriptions come as commands too, and those can say that more
        follow."""
        host = self.broker()
        pour(self, host, Zmtp("SUB", host.ready["feed"]), 20,
             lambda more, body: Zmtp.framed(4 | more, b"\x09SUBSCRIBE" + body))

    def test_older_versions(self):
        """Their frames look different: they are not heard at all."""
        host = self.broker()
        for greeting in (b"\xff" + bytes(8) + b"\x7f\x00\x01\x00\x00",
                         b"\xff" + bytes(8) + b"\x7f\x01\x01\x00\x00",
                         b"\xff" + bytes(8) + b"\x7e", b"\x01\x00"):
            peer = Zmtp(None, host.ready["status"])
            self.addCleanup(peer.close)
            peer.socket.sendall(greeting)
            self.assertTrue(peer.is_cut(5 * farm.SLOW), greeting)

    def test_the_largest_message(self):
        """Eight parts are taken, and a mebibyte and a topic in all."""
        host = self.broker()
        body = pack(state("large"))
        for name, parts in (("many", [b"x"] * 7), ("large", [
                b"x" * 240, bytes(1024 * 1024 - len(body))])):
            self.status(host).send(*parts, pack(state(name)))
            farm.until("it is heard", lambda name=name: name in host.agents())
        for parts in ([b"x"] * 8,
                      [b"x" * 240, bytes(1024 * 1024 - len(body) + 1)]):
            peer = self.status(host)
            peer.send(*parts, pack(state("extra")))
            self.assertTrue(peer.is_cut(5 * farm.SLOW))
        self.assertEqual(set(host.agents()), {"many", "large"})

    def status(self, host):
        peer = Zmtp("PUB", host.ready["status"], timeout=20 * farm.SLOW)
        self.addCleanup(peer.close)
        return peer


class FarmWithKeys(KeysTest):
    """What a part says of itself is encrypted. (Of a lane libzmq reads nothing
    here: the peer's key takes the only place of its queue.)"""

    def member(self, kind, address):
        peer = curve.Zmtp(kind, address, self.keys, timeout=20 * farm.SLOW)
        self.addCleanup(peer.close)
        return peer

    def test_at_every_socket(self):
        server, secret, *_ = curve.read_join(self.add("n2"))
        self.keys = server, curve.public_of(secret), secret
        status = self.member("PUB", self.host.ready["status"])
        status.send(b"S/n2/", pack(state("n2")))
        farm.until("a member is heard", lambda: "n2" in self.host.agents())
        fake = self.fake(frame_ms=20)
        self.join(self.add("n1"), fake)
        self.host.await_agents("n1")
        job = self.host.render(1, 50, batch=1)
        for address, kind, sizes in (
                (self.host.ready["status"], "PUB", (1, 1000, 1024 * 1024 - 40)),
                (self.host.ready["control"], "SUB", (1, 400))):
            for size in sizes:
                with self.subTest(socket=address, part=size):
                    peer = self.member(kind, address)
                    pour(self, self.host, peer, size, peer.sealed)
        told = self.host.web().get("/v1/feed").json()
        self.keys = [told[name].encode() for name in (
            "server_key", "public_key", "secret_key")]
        peer = self.member("SUB", self.host.ready["feed"])
        pour(self, self.host, peer, 1, peer.sealed)
        self.host.await_job(job)
        self.assert_each_once(range(1, 51), fake)
        self.assertIn("event=peer_cut", self.host.log_text())
        self.assertGreaterEqual(self.host.refused("parts"), 6)


if __name__ == "__main__":
    farm.main()
