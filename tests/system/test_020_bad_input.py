# SPDX-License-Identifier: Apache-2.0
# ctest: smoke
"""Bad input is answered at once, names what is wrong, queues nothing and
costs no memory."""

import json
import socket
import time

import farm
from wire import host_port

ROUTES = ("/render", "/v1/jobs")

# (body, what the answer must name)
REFUSED = [
    ('{"from":1}', "to"),
    ('{"to":1}', "from"),
    ('{}', ""),
    ('{"from":"1","to":20}', "from"),
    ('{"from":1,"to":"20"}', "to"),
    ('{"from":1.5,"to":20}', "from"),
    ('{"from":1.0,"to":20}', "from"),
    ('{"from":true,"to":20}', "from"),
    ('{"from":null,"to":20}', "from"),
    ('{"from":[1],"to":20}', "from"),
    ('{"from":NaN,"to":20}', "`from`"),
    ('{"from":1e400,"to":20}', "`from`"),
    ('{"from":1,"to":-1e400}', "`to`"),
    ('{"from":1,"to":Infinity}', "`to`"),
    ('{"from":-Infinity,"to":20}', "`from`"),
    ('{"from":0x10,"to":20}', "`from`"),
    ('{"from":010,"to":20}', "`from`"),
    ('{"from":undefined,"to":20}', "`from`"),
    ('{"from":1e2,"to":200}', "from"),
    ('{"from":99999999999999999999,"to":200}', "`from`"),
    ('{"from":9223372036854775808,"to":200}', "`from`"),
    ('{"from":5,"to":3}', "from"),
    ('{"from":-1,"to":3}', "from"),
    ('{"from":0,"to":1048575}', "to"),
    ('{"from":4294967297,"to":4294967298}', "from"),
    ('{"from":1,"to":20,"frames":"1-20"}', "frames"),
    ('{"frames":"1-","name":"x"}', "frames"),
    ('{"frames":"20-1"}', "frames"),
    ('{"frames":""}', "frames"),
    ('{"frames":"1-1048575"}', "frames"),
    ('{"frames":"1-10x0"}', "frames"),
    ('{"frames":5}', "frames"),
    ('{"from":1,"to":20,"step":0}', "step"),
    ('{"from":1,"to":20,"form":2}', "form"),
    ('{"from":1,"from":2,"to":20}', "from"),
    ('{"from":1,"to":20,"priority":101}', "priority"),
    ('{"from":1,"to":20,"priority":-1}', "priority"),
    ('{"from":1,"to":20,"batch":0}', "batch"),
    ('{"from":1,"to":20,"batch":"some"}', "batch"),
    ('{"from":1,"to":20,"paused":"yes"}', "paused"),
    ('{"from":1,"to":20,"max_attempts":0}', "max_attempts"),
    ('{"from":1,"to":20,"format":"BMP"}', "format"),
    ('{"from":1,"to":20,"resolution":"big"}', "resolution"),
    ('{"from":1,"to":20,"output":"../x_####"}', "output"),
    ('{"from":1,"to":20,"output":"/etc/x_####"}', "output"),
    ('{"from":1,"to":20,"output":"x"}', "output"),
    ('{"from":1,"to":20,"not_before":"tomorrow"}', "not_before"),
    ('{"from":1,"to":20,"depends_on":"x"}', "depends_on"),
    ('{"from":1,"to":20,"depends_on":["AAAAAAAAAAAAAAAAAAAAAA"]}',
     "depends_on"),
    ('{"from":1,"to":20,"requires":{"gpus":1}}', "gpu"),
    ('{"from":1,"to":20,"name":"a\\u0000b"}', ""),
    ('{"from":1,"to":20,"name":"a\\nb"}', "name"),
    ('{"from":1,"to":20,"name":"' + "x" * 129 + '"}', "name"),
    ('{"from":1,"to":20,"labels":{"a":1}}', "labels"),
    ('[1,20]', ""),
    ('"from"', ""),
    ('null', ""),
    ('', ""),
    ('from=1&to=20', ""),
    ('{"from":1,"to":20', ""),
    ('{"from":1,"to":20}x', ""),
    ('{"from":1,"to":20}{"from":1,"to":20}', ""),
    ('{\'from\':1,"to":20}', ""),
    ('\ufeff{"from":1,"to":20}', ""),
    ('[' * 10000 + ']' * 10000, ""),
    ('{"labels":' + '{"a":' * 10000 + '1' + '}' * 10001, ""),
]

# The widest that is still taken.
TAKEN = [
    '{"from":0,"to":0}',
    '{"from":0,"to":1048574}',
    '{"from":1048574,"to":1048574}',
    '{"frames":"1-100x5,200"}',
    '{"frames":"0-1048574"}',
    ' \n{"from" : 1 , "to" : 2}\n',
    '{"from":1,"to":2,"name":"' + "x" * 128 + '"}',
    '{"from":1,"to":2,"name":"caf\u00e9 \\u2603"}',
]


class BadInput(farm.FarmTest):
    def setUp(self):
        self.host = self.broker()
        self.web = self.host.web()

    def post(self, route, body, **headers):
        headers.setdefault("content_type", "application/json")
        return self.web.request(
            "POST", route, body,
            {name.replace("_", "-"): value for name, value in headers.items()})

    def assert_nothing_queued(self):
        self.assertEqual(self.web.get("/v1/jobs").json()["jobs"], [])

    def test_refused_with_the_reason(self):
        for route in ROUTES:
            for body, named in REFUSED:
                with self.subTest(route=route, body=body[:60]):
                    start = time.monotonic()
                    answer = self.post(route, body)
                    took = time.monotonic() - start
                    self.assertEqual(answer.status, 400, answer)
                    self.assertLess(took, 1 * farm.SLOW)
                    self.assertIn("Invalid input", answer.text)
                    self.assertIn(named, answer.text)
                    self.assertLess(len(answer.body), 2000)
        self.assert_nothing_queued()

    def test_taken_at_the_limit(self):
        for body in TAKEN:
            with self.subTest(body=body[:60]):
                self.assertEqual(self.post("/render", body).status, 202)

    def test_a_near_name_is_offered(self):
        answer = self.post("/render", '{"form":1,"to":20}')
        self.assertRegex(answer.text, r"form.*from")

    def test_problem_json_names_the_field(self):
        answer = self.post("/v1/jobs", '{"from":"1","to":20}',
                           accept="application/json")
        self.assertEqual(answer.status, 400)
        self.assertTrue(answer.headers["Content-Type"].startswith(
            "application/problem+json"), answer)
        problem = answer.json()
        self.assertEqual(problem["status"], 400)
        self.assertEqual(problem["title"], "Invalid input")
        self.assertIn("from", problem["detail"])

    def test_not_utf8(self):
        answer = self.post("/render", b'{"from":1,"to":2,"name":"\xff\xfe"}')
        self.assertEqual(answer.status, 400)
        self.assert_nothing_queued()

    def test_content_types(self):
        body = '{"from":1,"to":2}'
        for kind in ("text/xml", "multipart/form-data; boundary=x",
                     "text/plain", "application/octet-stream"):
            answer = self.post("/render", body, content_type=kind)
            self.assertEqual(answer.status, 415, (kind, answer))
        form = "application/x-www-form-urlencoded"
        own = self.post("/render", body, content_type=form,
                        host=self.host.address, origin=self.host.url)
        self.assertEqual(own.status, 415, own)
        other = self.post("/render", body, content_type=form,
                          origin="http://evil.example")
        self.assertIn(other.status, (403, 415), other)
        self.assert_nothing_queued()

    def test_too_large_is_said_before_it_is_sent(self):
        for length in (1024 * 1024 + 1, 10 ** 9, 2 ** 63 - 1):
            head = (f"POST /render HTTP/1.1\r\nHost: x\r\n"
                    "Content-Type: application/json\r\n"
                    f"Content-Length: {length}\r\n\r\n")
            with socket.create_connection(host_port(self.host.address),
                                          timeout=5 * farm.SLOW) as client:
                client.sendall(head.encode())
                self.assertIn(b" 413 ", client.recv(65536).splitlines()[0])
        self.assert_nothing_queued()

    def test_too_large_and_sent_all_the_same(self):
        body = b'{"from":1,"to":2,"name":"' + b"x" * (4 << 20) + b'"}'
        self.assertEqual(self.post("/render", body).status, 413)

    def test_too_large_in_chunks(self):
        head = ("POST /render HTTP/1.1\r\nHost: x\r\n"
                "Content-Type: application/json\r\n"
                "Transfer-Encoding: chunked\r\n\r\n").encode()
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        with socket.create_connection(host_port(self.host.address),
                                      timeout=10) as client:
            client.sendall(head)
            try:
                for _ in range(20):
                    client.sendall(chunk)
                client.sendall(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass
            self.assertIn(b" 413 ", client.recv(65536).splitlines()[0])

    def test_an_endless_body_is_cut(self):
        head = ("POST /render HTTP/1.1\r\nHost: x\r\n"
                "Content-Type: application/json\r\n"
                "Content-Length: 1000000000\r\n\r\n").encode()
        sent = 0
        with socket.create_connection(host_port(self.host.address),
                                      timeout=10) as client:
            client.sendall(head)
            block = b" " * 65536
            try:
                while sent < 200 << 20:
                    client.sendall(block)
                    sent += len(block)
            except (BrokenPipeError, ConnectionResetError):
                pass
        self.assertLess(sent, 64 << 20)

    def test_two_ways_to_say_the_length(self):
        answer = self.web.raw(
            b"POST /render HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: application/json\r\nContent-Length: 17\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
            b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n", timeout=3)
        self.assertIn(b" 400 ", answer.splitlines()[0])
        self.assertEqual(answer.count(b"HTTP/1.1"), 1, answer)
        self.assert_nothing_queued()

    def test_what_is_no_http(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
                     b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 99,
                     b"POST /render HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                     b"GET /%ZZ HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
                     b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n"):
            self.web.raw(data, timeout=0.5)
            self.assertEqual(self.web.get("/health").status, 200)

    def test_unknown_routes_and_methods(self):
        self.assertEqual(self.web.get("/nothing/here").status, 404)
        answer = self.web.request("DELETE", "/render")
        self.assertEqual(answer.status, 405, answer)
        self.assertIn(self.web.request("BREW", "/render").status,
                      (400, 405, 501))

    def test_slow_senders_hold_up_nobody(self):
        slow = [socket.create_connection(host_port(self.host.address),
                                         timeout=5) for _ in range(50)]
        try:
            for i, client in enumerate(slow):
                client.sendall(b"POST /render HTTP/1.1\r\nHo" if i % 2 else
                               b"POST /render HTTP/1.1\r\nHost: x\r\n"
                               b"Content-Type: application/json\r\n"
                               b"Content-Length: 17\r\n\r\n{")
            start = time.monotonic()
            for _ in range(20):
                self.assertEqual(self.web.get("/health").status, 200)
            self.assertLess(time.monotonic() - start, 2 * farm.SLOW)
        finally:
            for client in slow:
                client.close()
        self.assert_nothing_queued()

    def test_bad_input_costs_no_memory(self):
        bodies = [body for body, _ in REFUSED]
        web = self.host.web(keep=True)
        headers = {"Content-Type": "application/json"}

        def round_of_bad_input():
            for body in bodies:
                web.request("POST", "/render", body, headers)
            big = json.dumps({"from": 1, "to": 2, "name": "x" * 900000})
            web.request("POST", "/render", big, headers)

        for _ in range(3):
            round_of_bad_input()
        before = self.host.memory_mb()
        for _ in range(10):
            round_of_bad_input()
        web.close()
        if farm.SLOW == 1:  # sanitizers keep what was freed for a while
            self.assertLess(self.host.memory_mb() - before, 8)

    def test_a_job_of_a_million_frames_is_small(self):
        before = self.host.memory_mb()
        start = time.monotonic()
        for _ in range(100):
            self.host.render(0, 1048574)
        took = time.monotonic() - start
        if farm.SLOW == 1:
            self.assertLess(self.host.memory_mb() - before, 8)
        self.assertLess(took, 5 * farm.SLOW)


if __name__ == "__main__":
    farm.main()
