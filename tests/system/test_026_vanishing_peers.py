# SPDX-License-Identifier: Apache-2.0
# ctest: smoke threads
"""Peers that send more than a program's queue for them holds, and heartbeats
behind it, and are gone before it is read: at every socket of the broker, and at
the other end, at an agent and at `frameq`. libzmq 4.3.4 answers such a heartbeat
on the connection that has ended, and sends its own there: `Assertion failed:
!_io_error`, which was the end of the program."""

import socket
import struct

import farm
from test_023_hostile_broker import BrokerTest
from test_cli_watch import Watch, WatchTest
from wire import Zmtp

TRIES = 300
PING = b"\x04\x07\x04PING\x00\x00"  # no time to live, no context


def message(body, flags=0):
    return bytes([flags, len(body)]) + body


def vanish(peer, data):
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                           struct.pack("ii", 1, 0))
    peer.socket.sendall(data)
    peer.close()


SUBSCRIPTIONS = b"".join(message(b"\x01t%d" % i) for i in range(20))
NO_STATES = (message(b"S/evil/", 1) + message(b"x")) * 80
NOTHING = message(b"")


class AtTheBroker(farm.FarmTest):
    def test_at_every_socket(self):
        host = self.farm(farm.FakeNode(self, frame_ms=5))
        before = host.descriptors()
        for name, kind, data in (
                ("lane", "PULL", NOTHING * 1100),
                ("control", "SUB", SUBSCRIPTIONS),
                ("feed", "SUB", SUBSCRIPTIONS), ("status", "PUB", NO_STATES)):
            address = host.ready.get(name) or f"{farm.HOST}:{host.lane_port()}"
            for attempt in range(TRIES):
                self.assertTrue(host.running(), f"{name}, {attempt}")
                vanish(Zmtp(kind, address, timeout=20 * farm.SLOW),
                       data + PING * 5)
        # Those at the lane, which is never read, are ended by heartbeats.
        farm.until("all are closed", lambda: host.descriptors() <= before, 20)
        host.await_job(host.render(1, 5))


class AtAnAgent(BrokerTest):
    def test_its_lane(self):
        """Which holds 256 messages."""
        self.start()
        for number in range(1, 60):
            vanish(self.lane(number), NOTHING * 256 + (NOTHING + PING) * 600)
            self.assertTrue(self.agent_program.running(), number)


class AtAWatcher(WatchTest):
    def test_the_feed(self):
        """Of which frameq holds as much as a broker does."""
        watch = Watch(self, self.broker)
        self.feed.accept()
        vanish(self.feed.peer, NOTHING * 16384 + (NOTHING + PING) * 700)
        self.feed.accept()
        self.assertIsNone(watch.process.poll())


if __name__ == "__main__":
    farm.main()
