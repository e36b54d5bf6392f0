# SPDX-License-Identifier: Apache-2.0
"""A broker whose answers are too large or would drive a terminal: the command
line shows nothing of either."""

import json
import re
import socket
import threading

import farm
from fakebroker import FakeBroker, agent, job

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
EVIL = "\x1b[2J\x1b]0;x\x07\x9b31m\x08\r\nstate: done\x7f"


def limit(name):
    """A line of common/limits.h, whose value is a product."""
    header = (farm.ROOT / "common/limits.h").read_text()
    words = re.search(rf"#define {name}\s+(?:\\\s*)?\(([\d *]+)\)", header)[1]
    value = 1
    for factor in words.split("*"):
        value *= int(factor)
    return value


def serve(listener, size):
    """One empty list of jobs, filled up with blanks."""
    body = json.dumps({"jobs": [], "next": None}).encode().ljust(size)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    while True:
        try:
            with listener.accept()[0] as client:
                client.recv(65536)
                client.sendall(head + body)
        except ConnectionError:
            pass  # it has had enough
        except OSError:
            return  # the test is over


class HostileTexts(farm.FarmTest):
    def test_control_characters_are_not_shown(self):
        evil = job(name=EVIL, user=EVIL, warnings=[{"text": EVIL}],
                   reason=EVIL, state="failed")
        broker = FakeBroker(self, {
            ("GET", "/v1/jobs"): {"jobs": [evil], "next": None},
            ("GET", f"/v1/jobs/{evil['id']}"): evil,
            ("GET", "/v1/agents"): {"agents": [agent(name=EVIL, why=EVIL)]}})
        for words in (["ls"], ["show", evil["id"]], ["agents"], ["status"]):
            run = self.cli(broker, *words)
            self.assertIsNone(CONTROL.search(run.stdout + run.stderr), run)

    def test_an_answer_too_large(self):
        """LIMIT_ANSWER bytes are read, and not one more."""
        for beyond, status in ((0, 0), (1, 3)):
            listener = socket.create_server(("127.0.0.1", 0))
            threading.Thread(target=serve, daemon=True, args=(
                listener, limit("LIMIT_ANSWER") + beyond)).start()
            run = self.run_program(
                "frameq", "--broker",
                f"http://127.0.0.1:{listener.getsockname()[1]}", "ls",
                seconds=30)
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            self.assertEqual(run.returncode, status, run.stderr)


if __name__ == "__main__":
    farm.main()
