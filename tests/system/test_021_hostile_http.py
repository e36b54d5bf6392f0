# SPDX-License-Identifier: Apache-2.0
"""What breaks HTTP is refused by broker, node and fake node alike: at once, in
words of ours, while others are served, and without a trace in memory."""

import os
import pathlib
import random
import resource
import select
import socket
import struct
import time

import farm
from wire import host_port

BODY = b'{"from":1,"to":2}'
GET = b"GET /health HTTP/1.1\r\nHost: x\r\n"
POST = b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# name: (bytes, status, what the answer must say)
REFUSED = {
    "both lengths": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked"
                     b"\r\n\r\n0\r\n\r\n", 400, "both Content-Length and"),
    "two lengths": (POST + b"Content-Length: 17\r\nContent-Length: 17\r\n\r\n" +
                    BODY, 400, "`Content-Length`"),
    "two lengths that differ": (POST + b"Content-Length: 17\r\n"
                                b"Content-Length: 3\r\n\r\n" + BODY, 400,
                                "`Content-Length`"),
    "a list of lengths": (POST + b"Content-Length: 17, 17\r\n\r\n" + BODY, 400,
                          "`Content-Length`"),
    "negative length": (POST + b"Content-Length: -1\r\n\r\n", 400,
                        "`Content-Length`"),
    "signed length": (POST + b"Content-Length: +17\r\n\r\n" + BODY, 400,
                      "`Content-Length`"),
    "hexadecimal length": (POST + b"Content-Length: 0x11\r\n\r\n" + BODY, 400,
                           "`Content-Length`"),
    "empty length": (POST + b"Content-Length: \r\n\r\n", 400,
                     "`Content-Length`"),
    "length of 23 digits": (POST + b"Content-Length: " + b"9" * 23 +
                            b"\r\n\r\n", 413, "Content-Length"),
    "length past the limit": (POST + b"Content-Length: 1048577\r\n\r\n", 413,
                              "1048576"),
    "the same, asked first": (POST + b"Expect: 100-continue\r\n"
                              b"Content-Length: 99999999\r\n\r\n", 413,
                              "1048576"),
    "gzip, chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 400,
                      "`Transfer-Encoding`"),
    "xchunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 400,
                 "`Transfer-Encoding`"),
    "chunked twice": (POST + b"Transfer-Encoding: chunked\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n", 400,
                      "`Transfer-Encoding`"),
    "chunks in HTTP/1.0": (b"POST {path} HTTP/1.0\r\nTransfer-Encoding: "
                           b"chunked\r\n\r\n0\r\n\r\n", 400,
                           "`Transfer-Encoding`"),
    "chunk size ZZ": (CHUNKED + b"ZZ\r\nabc\r\n0\r\n\r\n", 400, "chunks"),
    "chunk size -1": (CHUNKED + b"-1\r\nabc\r\n0\r\n\r\n", 400, "chunks"),
    "chunk size of 17 digits": (CHUNKED + b"f" * 17 + b"\r\n", 400, "chunks"),
    "chunk longer than it says": (CHUNKED + b"3\r\nabcX0\r\n\r\n", 400,
                                  "chunks"),
    "chunk lines with bare LF": (CHUNKED + b"11\n" + BODY + b"\n0\n\n", 400,
                                 "chunks"),
    "endless chunk extension": (CHUNKED + b"1;" + b"a" * 40000, 400, "chunks"),
    "a flood of trailers": (CHUNKED + b"0\r\n" + b"A: b\r\n" * 2000, 400,
                            "chunks"),
    "folded header": (GET + b"A: b\r\n c\r\n\r\n", 400, "second line"),
    "folded first header": (b"GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400,
                            "second line"),
    "bare LF": (b"GET /health HTTP/1.1\nHost: x\n\n", 400, "CRLF"),
    "bare CR": (GET + b"A: b\rC: d\r\n\r\n", 400, "control character"),
    "NUL in a header": (GET + b"A: b\0c\r\n\r\n", 400, "control character"),
    "space before the colon": (GET + b"A : b\r\n\r\n", 400, "name"),
    "no name": (GET + b": b\r\n\r\n", 400, "name"),
    "no colon": (GET + b"A\r\n\r\n", 400, "colon"),
    "no Host": (b"GET /health HTTP/1.1\r\n\r\n", 400, "`Host`"),
    "two Hosts": (GET + b"Host: y\r\n\r\n", 400, "`Host`"),
    "HTTP/0.9": (b"GET /health\r\n\r\n", 400, "request line"),
    "HTTP/1.2": (b"GET /health HTTP/1.2\r\nHost: x\r\n\r\n", 505, "HTTP/1.1"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/1.1"),
    "http/1.1": (b"GET /health http/1.1\r\nHost: x\r\n\r\n", 400, "HTTP/1.1"),
    "tabs for spaces": (b"GET\t/health\tHTTP/1.1\r\n\r\n", 400, "HTTP"),
    "space in the target": (b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400,
                            "request line"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "https"),
    "ZMTP": (b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48), 400, "HTTP"),
    "noise": (bytes(random.Random(1).randbytes(999)), 400, "HTTP"),
    "a target of 8001 bytes": (b"GET /" + b"a" * 8000 +
                               b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "8000"),
    "a target of 100 KB": (b"GET /" + b"a" * 100000 +
                           b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "8000"),
    "101 headers": (GET + b"A: b\r\n" * 100 + b"\r\n", 431, "100"),
    "20,000 headers": (GET + b"A: b\r\n" * 20000 + b"\r\n", 431, "16384"),
    "a header of 100 KB": (GET + b"A: " + b"b" * 100000 + b"\r\n\r\n", 431,
                           "16384"),
    "3500 cookies": (GET + b"Cookie: " + b"a=b;" * 3500 + b"\r\n\r\n", 431,
                     "100"),
    "3500 parameters": (b"GET /health?" + b"a&" * 3500 +
                        b" HTTP/1.1\r\nHost: x\r\n\r\n", 400, "parameters"),
    "%00 in the path": (b"GET /health%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400,
                        "path"),
    "escaped line end": (b"GET /a%0d%0aX:%20y HTTP/1.1\r\nHost: x\r\n\r\n",
                         400, "path"),
    "broken escape": (b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, "escape"),
    "no UTF-8": (b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", 400, "UTF-8"),
    "overlong UTF-8": (b"GET /%c0%ae%c0%ae/x HTTP/1.1\r\nHost: x\r\n\r\n", 400,
                       "UTF-8"),
    "no UTF-8 in the query": (b"GET /health?a=%ff HTTP/1.1\r\nHost: x\r\n\r\n",
                              400, "query"),
    "one parameter twice": (b"GET /health?a=1&%61=2 HTTP/1.1\r\nHost: x\r\n\r\n",
                            400, "twice"),
    "traversal": (b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404,
                  "ot"),
    "escaped traversal": (b"GET /%2e%2e/%2e%2e%2fetc%2fpasswd HTTP/1.1\r\n"
                          b"Host: x\r\n\r\n", 404, "ot"),
    "CONNECT": (b"CONNECT evil.example:25 HTTP/1.1\r\nHost: x\r\n\r\n", 404,
                "ot"),
    "gzip body": (POST + b"Content-Encoding: gzip\r\nContent-Length: 17\r\n\r\n"
                  + BODY, 415, "Content-Encoding"),
    "the head ends early": (b"GET /health HTTP/1.1\r\nHost", 400, "ends"),
}

# Nothing is wrong with these: (bytes, status, methods of Allow)
TAKEN = {
    "HTTP/1.0": (b"GET /health HTTP/1.0\r\n\r\n", 200, None),
    "absolute form": (b"GET http://x:1/health HTTP/1.1\r\nHost: x\r\n\r\n",
                      200, None),
    "empty lines first": (b"\r\n\r\n" + GET + b"\r\n", 200, None),
    "100 headers": (GET + b"A: b\r\n" * 99 + b"\r\n", 200, None),
    "GET with a body": (GET + b"Content-Length: 17\r\n\r\n" + BODY, 200, None),
    "HEAD": (b"HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n", 200, None),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 204, "OPTIONS"),
}


class Hostile(farm.FarmTest):
    def servers(self):
        """(program, path that takes a POST), the broker first."""
        return [(self.broker(), "/render"), (self.node(), "/job"),
                (self.fake("--superset"), "/job")]

    def connect(self, server, seconds=10):
        return socket.create_connection(host_port(server.address),
                                        timeout=seconds * farm.SLOW)

    def ask(self, server, data, half=True):
        """Sends data, then (half) the end; returns the answers and the ms to
        the first byte."""
        with self.connect(server) as client:
            start = time.monotonic()
            first, answer = None, b""
            try:
                client.sendall(data)
                if half:
                    client.shutdown(socket.SHUT_WR)
                while chunk := client.recv(65536):
                    first = first or (time.monotonic() - start) * 1000
                    answer += chunk
            except (BrokenPipeError, ConnectionResetError):
                pass
        return answer, first

    def health_ms(self, web):
        start = time.monotonic()
        self.assertEqual(web.get("/health").status, 200)
        return (time.monotonic() - start) * 1000

    def assert_refusal(self, answer, status, words):
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.assertTrue(lines[0].startswith(f"HTTP/1.1 {status} "), answer)
        kind = [line for line in lines
                if line.lower().startswith("content-type:")]
        self.assertRegex("".join(kind),
                         "text/plain|application/problem.json")
        self.assertIn(words, body.decode())
        self.assertNotIn(b"<html", answer)
        self.assertNotIn(b"HTTP/1.1 ", body.replace(b"HTTP/1.1 and", b""))

    def test_refused(self):
        for server, path in self.servers():
            web = server.web() if server.name == "frameq-broker" else (
                farm.Web(server.address))
            before = server.memory_mb()
            worst, worst_other = 0, 0
            for name, (data, status, words) in REFUSED.items():
                if server.name == "frameq-fakenode" and status in (404, 415):
                    continue  # as a classic node answers
                with self.subTest(server=server.name, case=name):
                    answer, ms = self.ask(
                        server, data.replace(b"{path}", path.encode()))
                    self.assert_refusal(answer, status, words)
                    other = self.health_ms(web)
                    print(f"{server.name:16} {name:28} {status} "
                          f"{ms:6.1f} ms, another {other:5.1f} ms")
                    self.assertLess(ms, 1000 * farm.SLOW)
                    worst, worst_other = max(worst, ms), max(worst_other, other)
            after = server.memory_mb()
            print(f"{server.name}: worst {worst:.1f} ms, another "
                  f"{worst_other:.1f} ms, RSS {before:.1f} to {after:.1f} MB")
            self.assertLess(worst_other, 1000 * farm.SLOW)
            if farm.SLOW == 1:
                self.assertLess(after - before, 10)
        self.assertEqual(self.programs[0].web().get("/v1/jobs").json()["jobs"],
                         [])

    def test_taken(self):
        for server, _ in self.servers():
            for name, (data, status, allow) in TAKEN.items():
                if (server.name, name) == ("frameq-fakenode", "HEAD"):
                    continue
                with self.subTest(server=server.name, case=name):
                    answer, _ = self.ask(server, data)
                    self.assertTrue(answer.startswith(
                        f"HTTP/1.1 {status} ".encode()), answer)
                    if allow:
                        self.assertIn(allow.encode(), answer)

    def test_unknown_methods_are_told_the_known(self):
        for server, path in self.servers()[:2]:
            for method in ("BREW", "TRACE", "PUT", "get", "CONNECT"):
                with self.subTest(server=server.name, method=method):
                    answer, _ = self.ask(
                        server, f"{method} {path} HTTP/1.1\r\nHost: x\r\n"
                        "Content-Length: 0\r\n\r\n".encode())
                    self.assertTrue(answer.startswith(b"HTTP/1.1 405 "))
                    self.assertIn(b"\r\nAllow: POST\r\n", answer)

    def test_problem_json_below_v1(self):
        broker = self.broker()
        for data in (b"GET /v1/jobs HTTP/1.1\r\n\r\n",
                     b"GET /v1/jobs?a=1&a=2 HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Length: 9999999\r\n\r\n"):
            answer, _ = self.ask(broker, data)
            self.assertIn(b"application/problem+json", answer)
            self.assertIn(b'"detail":', answer)

    def test_hostile_jobs_at_a_node(self):
        root = self.folder / "root"
        (root / "sub").mkdir(parents=True)
        outside = self.folder / "outside.blend"
        outside.write_bytes(b"BLENDER")
        (root / "link.blend").symlink_to(outside)
        (root / "sub" / "up").symlink_to("../..")
        (root / "loop.blend").symlink_to("loop.blend")
        node = self.node("--blend-root", root)
        web = farm.Web(node.address)
        bad = [("blend", name) for name in (
            "../outside.blend", str(outside), "link.blend",
            "sub/up/outside.blend", "loop.blend", "/proc/self/environ",
            "--python", "-", "sub/../../outside.blend", "a\nb.blend", "",
            str(root) + "/" + "x/../" * 150 + "link.blend", "b" * 1025)]
        bad += [("output", name) for name in (
            "../x_####", "/x_####", "a/../../x_####", "a//x_####",
            "./x_####", ".work/x_####", "a/.x_####", "a\\x_####", "x",
            "a\nx_####", "", "####/x", "x" * 1024 + "#")]
        bad += [("job", name) for name in (
            "..", ".", "a/b", "a\nb", "%2e%2e", "", "j" * 65)]
        bad += [("name", "a\x1bb"), ("name", "n" * 129), ("key", "k" * 129),
                ("scene", "s\0"), ("scene", "s" * 129),
                ("view_layers", ["a"] * 65), ("view_layers", [1]),
                ("frames", "1," * 40000 + "1"), ("frames", "0-1048574," * 9),
                ("frames", "1-2-3"), ("frames", "9" * 60000),
                ("timeout_seconds", -1), ("samples", 2 ** 40)]
        for field, value in bad:
            body = {"from": 1, "to": 2, field: value}
            if field == "frames":
                body = {field: value}
            with self.subTest(field=field, value=str(value)[:40]):
                answer = web.post("/job", body)
                self.assertEqual(answer.status, 400, answer)
                if "\0" not in str(value):
                    self.assertIn(f"`{field}`", answer.text)
        for path in ("/job/1/frame/../../../etc/passwd", "/job/%2e%2e/log",
                     "/job/-1", "/job/1e9", "/job/1/frame/-1",
                     "/job/" + "9" * 400):
            self.assertIn(web.get(path).status, (400, 404), path)

    def test_pipelined_answers_come_in_order(self):
        rng = random.Random(2)
        for server, _ in self.servers():
            wanted = [rng.choice((200, 404)) for _ in range(40)]
            data = b"".join(
                (GET if status == 200 else
                 b"GET /nothing HTTP/1.1\r\nHost: x\r\n") + b"\r\n"
                for status in wanted)
            answer, _ = self.ask(server, data)
            got = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
            self.assertEqual(got, wanted, server.name)

    def test_bodies_in_chunks_past_the_limit(self):
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        for server, path in self.servers():
            with self.connect(server) as client:
                client.sendall(CHUNKED.replace(b"{path}", path.encode()))
                try:
                    for _ in range(17):
                        client.sendall(chunk)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                self.assert_refusal(client.recv(65536), 413, "1048576")

    def test_slow_senders_are_cut(self):
        """A byte a second buys no time, wherever it is sent: 10 s and the
        sender is told so."""
        servers = self.servers()
        slow = {}
        for server, path in servers:
            head = POST.replace(b"{path}", path.encode())
            for start in (b"G", head, head + b"Content-Length: 99\r\n\r\n",
                          head + b"Transfer-Encoding: chunked\r\n\r\n63\r\n"):
                client = self.connect(server)
                client.sendall(start)
                slow[client] = server.name
            kept = self.connect(server)
            kept.sendall(GET + b"\r\n")
            self.assertIn(b" 200 ", kept.recv(65536))
            kept.sendall(head + b"Content-Length: 99\r\n\r\n")
            slow[kept] = server.name
        start, dripped, worst = time.monotonic(), 0, 0
        webs = [farm.Web(server.address) for server, _ in servers]
        while slow and time.monotonic() - start < 30 * farm.SLOW:
            for client in select.select(list(slow), [], [], 0.25)[0]:
                answer = client.recv(65536)
                self.assertIn(b" 408 ", answer.splitlines()[0], slow[client])
                client.close()
                slow.pop(client)
            if time.monotonic() - start >= dripped:
                dripped += 1
                for client in slow:
                    client.send(b"a")
            worst = max(worst, *map(self.health_ms, webs))
        took = time.monotonic() - start
        print(f"15 slow senders: all cut after {took:.1f} s, another waited "
              f"{worst:.1f} ms at most")
        self.assertFalse(slow)
        self.assertGreater(took, 8)
        self.assertLess(took, 13 * farm.SLOW)
        self.assertLess(worst, 1000 * farm.SLOW)

    def test_ten_thousand_idle_connections(self):
        broker = self.broker()
        web = broker.web()
        self.health_ms(web)
        before = broker.memory_mb()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE,
                        (soft, hard))
        cap = min(12000, hard // 2)
        count = min(cap + 100, hard - 500)
        idle = []
        start = time.monotonic()
        try:
            for _ in range(count):
                client = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack("ii", 1, 0))
                client.settimeout(10 * farm.SLOW)
                client.connect(host_port(broker.address))
                idle.append(client)
            opened = time.monotonic() - start
            others = [self.health_ms(web) for _ in range(50)]
            during = broker.memory_mb()
            files = len(os.listdir(f"/proc/{broker.pid}/fd"))
            closed = select.select(idle[:1], [], [], 5 * farm.SLOW)[0]
            print(f"{count} idle connections in {opened:.1f} s, descriptors "
                  f"{files}, another {max(others):.1f} ms, RSS "
                  f"{before:.1f} to {during:.1f} MB")
            self.assertLessEqual(files, cap + 50)
            if count > cap:
                self.assertEqual(closed, idle[:1])  # the oldest had to go
            self.assertLess(max(others), 1000 * farm.SLOW)
        finally:
            for client in idle:
                client.close()
        farm.until("they are gone", lambda: len(
            list(pathlib.Path(f"/proc/{broker.pid}/fd").iterdir())) < 100)
        after = broker.memory_mb()
        print(f"RSS when they are gone {after:.1f} MB")
        if farm.SLOW == 1:
            self.assertLess(after - before, 10)


if __name__ == "__main__":
    farm.main()
