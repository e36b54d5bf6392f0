# SPDX-License-Identifier: Apache-2.0
"""Agents whose nodes answer what no node answers: they stay alive, within
their memory and the frames they were given, and the farm renders on."""

import json
import re
import socket
import threading

import farm

INFO = {"name": "evil", "version": "1", "slots": 1, "cores": 4,
        "memory_mb": 1000, "gpus": [], "healthy": True, "fault": "none",
        "blender": {"version": "3.4.1"}, "device": "cpu",
        "features": ["wait", "patch", "delete", "key", "frames"]}
FRAMES = 50


def answer(body, status=200, *headers):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return "\r\n".join([f"HTTP/1.1 {status} Words", *headers,
                        f"Content-Length: {len(body)}", "", ""]
                       ).encode() + body


def job(**fields):
    return answer({"pid": 1, "state": "running", "rev": 2, "frame": 1,
                   "frames": [], "text": "", **fields})


def done(frame, **fields):
    return {"frame": frame, "state": "done", "seconds": 1, "files": [],
            **fields}


# What a poll is answered with; bytes, or an endless supply of them.
POLLS = {
    "garbage": answer(bytes(range(256)) * 100),
    "no HTTP": b"hello\r\n" * 10,
    "an HTTP of its own": b"HTTP/9.9 200 OK\r\n\r\n{}",
    "status 999": answer({}, 999),
    "a list": answer([1, 2, 3]),
    "200,000 brackets": answer(b"[" * 200000),
    "200,000 objects": answer(b'{"a":' * 200000),
    "a body of 100 MB": (b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n",
                         b" " * 65536),
    "a body without end": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                           b"\r\n\r\n", b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "headers without end": (b"HTTP/1.1 200 OK\r\n",
                            b"".join(b"X-%d: %s\r\n" % (i, b"y" * 200)
                                     for i in range(300))),
    "a header without end": (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536),
    "100 Continue without end": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "a body cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                    b"Content-Length: 9\r\n\r\n{}"),
    "wrong types": job(state=5, rev="x", frame=[], frames={"a": 1}, text=7,
                       progress="half", total={}, done=None),
    "numbers past all bounds": job(rev=2 ** 62, frame=2 ** 40, to=-2 ** 62,
                                   progress=1e308, total=1e308, done=-1e308),
    "negative frames": job(state="completed",
                           frames=[done(-1), done(-2 ** 31), done(2 ** 31)]),
    "frames never asked for": job(frames=[done(i) for i in range(
        900000, 901000)]),
    "a frame many times": job(frames=[done(1000001)] * 5000),
    "endless seconds": job(frames=[done(1000002, seconds=1e308)]),
    "files that are none": job(frames=[done(
        1000003, files=[{"path": "../" * 2000}, 5, None])]),
    "terminal codes": job(state="failed", fault="render",
                          text="\x1b[2J\x07\x9b31m\u202e evil\r\nevent=fake"),
    "a NUL": job(state="failed", fault="render", text="a\0b"),
    "another job's pid": job(pid=999, state="running"),
}

# What a POST is answered with.
POSTS = {
    "pid of text": answer({"pid": "1"}, 202),
    "pid 0": answer({"pid": 0}, 202),
    "pid -5": answer({"pid": -5}, 202),
    "pid 1e308": answer({"pid": 1e308}, 202),
    "pid of 30 digits": answer(b'{"pid":' + b"9" * 30 + b"}", 202),
    "no pid": answer({}, 202),
    "redirect to itself": answer({}, 302, "Location: /job"),
    "redirect elsewhere": None,  # set by the test
    "refusal with codes": answer(b"\x1b[31mno\r\n\x07", 400),
    "busy without end": (b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked"
                         b"\r\n\r\n", b"5\r\nabcde\r\n" * 1000),
}


class Node(threading.Thread):
    """A server of hostile answers, one thread a connection."""

    def __init__(self, test, name, post, poll):
        super().__init__(daemon=True)
        self.case, self.post, self.poll = name, post, poll
        self.asked = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        test.addCleanup(self.listener.close)
        self.start()

    def run(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    def serve(self, client):
        with client:
            try:
                while self.one(client):
                    pass
            except OSError:
                pass

    def one(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(65536)
            if not piece:
                return False
            head += piece
        words = head.split(b" ", 2)
        if words[1] == b"/info":
            client.sendall(answer(INFO))
        elif words[1] == b"/health":
            client.sendall(answer(b"OK"))
        elif words[0] == b"POST":
            return self.say(client, self.post)
        elif words[0] == b"GET":
            return self.say(client, self.poll)
        else:
            client.sendall(answer({}, 202))
        return True

    def say(self, client, words):
        self.asked += 1
        if isinstance(words, bytes):
            client.sendall(words)
            return words.startswith(b"HTTP/1.1 ")
        client.sendall(words[0])
        while True:
            client.sendall(words[1])


class HostileNodes(farm.FarmTest):
    def test_each_beside_a_good_one(self):
        trap = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(trap.close)
        elsewhere = answer({}, 302, "Location: http://127.0.0.1:%d/job" %
                           trap.getsockname()[1])
        good = answer({"pid": 1}, 202)
        nodes = [Node(self, name, good, poll) for name, poll in POLLS.items()]
        nodes += [Node(self, name, post or elsewhere, job())
                  for name, post in POSTS.items()]
        broker = self.broker("--max-attempts", 100)
        agents = {}
        for i, node in enumerate(nodes):
            agents[node] = self.agent(broker, node, f"evil{i}", wait=False)
        for agent in agents.values():
            agent.await_ready(20)
        names = [f"evil{i}" for i in range(len(nodes))]
        broker.await_agents(*names, seconds=20)
        self.assertLess(len(nodes), FRAMES)  # one for each at least
        before = {node: agent.memory_mb() for node, agent in agents.items()}
        number = broker.render(1, FRAMES, batch=1)
        for node in nodes:
            farm.until(f"{node.case} is asked", lambda node=node: node.asked > 1
                       or (node.case in POSTS and node.asked), 20)
        for node, agent in agents.items():
            grown = agent.memory_mb() - before[node]
            self.assertTrue(agent.running(), node.case)
            if farm.SLOW == 1:
                self.assertLess(grown, 16, node.case)
            if grown > 1:
                print(f"{node.case}: RSS +{grown:.1f} MB")
        for agent in agents.values():
            agent.process.terminate()
        for node, agent in agents.items():
            self.assertEqual(agent.wait(agent.stop_seconds), 0, node.case)
            self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f]",
                                        agent.log_text()), node.case)
            self.assertNotIn("\nevent=fake", agent.log_text())
        fake = self.fake(frame_ms=1)
        self.agent(broker, fake, "good")
        document = broker.await_job(number, seconds=40)
        self.assertEqual(document["counts"]["done"], FRAMES)
        trap.setblocking(False)
        with self.assertRaises(BlockingIOError):
            trap.accept()  # nobody followed
        self.assertNotIn("\x1b", broker.log_text())
        shown = self.cli(broker, "agents")
        self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f]", shown.stdout))

    def test_slow_nodes(self):
        """A byte a second is no answer: the agent gives up in its time, and
        meanwhile takes part in all else."""
        node = Node(self, "slow", answer({"pid": 1}, 202), None)
        pause = threading.Event()
        self.addCleanup(pause.set)

        def say(client, words):
            node.asked += 1
            if words is not None:
                client.sendall(words)
                return True
            client.sendall(b"HTTP/1.1 200 OK\r\n")
            while not pause.wait(0.2):
                client.sendall(b"X")
            return False

        node.say = say
        broker = self.broker()
        agent = self.agent(broker, node, "slow")
        broker.await_agents("slow")
        number = broker.render(1, 1)
        farm.until("it is asked", lambda: node.asked > 1)
        self.assertEqual(broker.web().post(
            f"/v1/jobs/{number}:cancel", {}).status, 200)
        self.assertEqual(broker.agents()["slow"]["state"], "up")
        self.assertTrue(agent.running())


if __name__ == "__main__":
    farm.main()
