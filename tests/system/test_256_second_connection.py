# SPDX-License-Identifier: Apache-2.0
# ctest: smoke
"""An agent that heard no BEAT builds new connections, and the broker may see
the old ones close only after it has heard it on a new one. That was taken for
the end of its process: its frames went elsewhere after --orphan-grace."""

import farm
from fakebroker import pack
from wire import Zmtp

NODE = [True, True, False, False, 4, 1000, 0, "n", "1", "3.4", "CPU", ""]


def state(seq):
    return pack([1, 1, "a", 77, seq, 0, 0, 0, seq, "", False, "1", [], NODE,
                 []])


class SecondConnection(farm.FarmTest):
    def connect(self):
        peer = Zmtp("PUB", self.host.ready["status"], timeout=20 * farm.SLOW)
        self.addCleanup(peer.close)
        return peer

    def say(self, peer, seq):
        peer.send(b"S/a/", state(seq))
        farm.until(f"STATE {seq} is heard", lambda: self.agent()["slots"] ==
                   seq)

    def agent(self):
        return self.host.agents().get("a", {"slots": 0})

    def test_only_the_last_one_that_closes_is_its_end(self):
        self.host = self.broker()
        first, second = self.connect(), self.connect()
        self.say(first, 1)
        self.say(second, 2)
        before = self.host.descriptors()
        first.close()
        farm.until("the first is closed",
                   lambda: self.host.descriptors() < before)
        self.assertEqual(self.agent()["state"], "up")
        second.close()
        farm.until("its end is seen", lambda: self.agent()["state"] == "gone")


if __name__ == "__main__":
    farm.main()
