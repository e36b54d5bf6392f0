# SPDX-License-Identifier: Apache-2.0
# ctest: smoke threads
"""Peers that send more than the broker's queue for them holds, and heartbeats
behind it, and are gone before it is read, on every socket. libzmq 4.3.4 answers
such a heartbeat on the connection that has ended, and sends its own there:
`Assertion failed: !_io_error`, which was the end of the broker."""

import socket
import struct

import farm
from wire import Zmtp

TRIES = 300
PING = b"\x04\x07\x04PING\x00\x00"  # no time to live, no context


def message(body, flags=0):
    return bytes([flags, len(body)]) + body


SUBSCRIPTIONS = b"".join(message(b"\x01t%d" % i) for i in range(20))
NO_STATES = (message(b"S/evil/", 1) + message(b"x")) * 80
NOTHING = message(b"") * 1100


class Vanishing(farm.FarmTest):
    def vanish(self, kind, address, data):
        peer = Zmtp(kind, address, timeout=20 * farm.SLOW)
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
        peer.socket.sendall(data + PING * 5)
        peer.close()

    def test_at_every_socket(self):
        host = self.farm(farm.FakeNode(self, frame_ms=5))
        before = host.descriptors()
        for name, kind, data in (
                ("lane", "PULL", NOTHING), ("control", "SUB", SUBSCRIPTIONS),
                ("feed", "SUB", SUBSCRIPTIONS), ("status", "PUB", NO_STATES)):
            address = host.ready.get(name) or f"{farm.HOST}:{host.lane_port()}"
            for attempt in range(TRIES):
                self.assertTrue(host.running(), f"{name}, {attempt}")
                self.vanish(kind, address, data)
        # Those at the lane, which is never read, are ended by heartbeats.
        farm.until("all are closed", lambda: host.descriptors() <= before, 20)
        host.await_job(host.render(1, 5))


if __name__ == "__main__":
    farm.main()
