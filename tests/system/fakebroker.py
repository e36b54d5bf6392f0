# SPDX-License-Identifier: Apache-2.0
"""A broker that says what a test tells it to say: HTTP answers from a table,
and a feed that speaks just enough ZMTP 3 to be subscribed to."""

import http.server
import json
import socket
import struct
import threading
import time
import urllib.parse

from wire import Zmtp

JSON = "application/json"
PROBLEM = "application/problem+json"


def job(**fields):
    """A job document as the broker gives it."""
    document = {
        "id": "abcdefgh12345678", "name": "shot", "state": "queued",
        "user": "mira", "frames": "1-20", "priority": 50, "paused": False,
        "counts": {"total": 20, "pending": 20, "leased": 0, "done": 0,
                   "failed": 0, "cancelled": 0},
        "eta_seconds": None, "seconds": None, "blender_versions": [],
        "blend_versions": [],
        "warnings": [], "failures": [], "reason": None, "revision": 1,
        "created_at": "2026-11-24T04:00:00.000Z", "started_at": None,
        "ended_at": None}
    document.update(fields)
    return document


def ended(state="completed", **fields):
    failed = len(fields.get("failures", []))
    return job(**{"state": state, "revision": 2,
                  "ended_at": "2026-11-24T04:10:00.000Z",
                  "counts": {"total": 20, "pending": 0, "leased": 0,
                             "done": 20 - failed, "failed": failed,
                             "cancelled": 0}, **fields})


def agent(**fields):
    document = {
        "name": "n1", "state": "up", "drain": "off", "drain_until": None,
        "slots": 2, "busy": 0, "free": 2, "why": "", "tags": [],
        "node": {"up": True, "gpus": 0, "memory_mb": 8000,
                 "blender": "3.4.1", "device": "CPU"},
        "leases": [], "done": 0, "charged": 0, "speed": 1.0,
        "last_heard": "2026-11-24T04:00:00.000Z"}
    document.update(fields)
    return document


def farm(**fields):
    document = {
        "version": "0.1.0", "epoch": 7, "seq": "7:100",
        "started_at": "2026-11-24T03:00:00.000Z", "state": "idle",
        "ports": {"http": 0, "feed": 0},
        "jobs": {"total": 0}, "frames": {}, "agents": {"total": 0},
        "slots": {"total": 0, "busy": 0},
        "ledger": {"state": "ok", "reason": None}}
    document.update(fields)
    return document


class Request:
    def __init__(self, method, target, headers, body):
        self.method = method
        split = urllib.parse.urlsplit(target)
        self.path = urllib.parse.unquote(split.path)
        self.query = dict(urllib.parse.parse_qsl(split.query))
        self.headers = headers
        self.body = json.loads(body) if body and method != "PUT" else body


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _any(self):
        length = int(self.headers.get("Content-Length", 0))
        request = Request(self.command, self.path, self.headers,
                          self.rfile.read(length))
        answer = self.server.broker.answer(request)
        if answer is None:  # as a broker that is killed
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, document, headers = answer
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", PROBLEM if status >= 400 else JSON)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def date_time_string(self, timestamp=None):
        return super().date_time_string(
            (timestamp or time.time()) + self.server.broker.ahead_seconds)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _any

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that goes away is no news


class FakeBroker:
    """answers: (method, path) -> a document, (status, document), (status,
    document, headers), None (cut the connection), a function of the request
    that returns one of these, or a list of them, used up to its last one."""

    def __init__(self, test, answers=None, port=0):
        self.answers = {("GET", "/v1/farm"): farm(),
                        ("GET", "/v1/agents"): {"agents": []},
                        ("GET", "/v1/jobs"): {"jobs": [], "next": None}}
        self.answers.update(answers or {})
        self.requests = []
        self.ahead_seconds = 0  # of its clock
        self.lock = threading.Lock()
        self.server = _Server(("127.0.0.1", port), _Handler)
        self.server.broker = self
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.open = True
        test.addCleanup(self.close)

    @property
    def port(self):
        return self.server.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        if self.open:
            self.open = False
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()

    def answer(self, request):
        with self.lock:
            self.requests.append(request)
            answer = self.answers.get((request.method, request.path), (
                404, {"title": "Not found", "status": 404,
                      "detail": f"there is no {request.path}"}))
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(request)
        if answer is None:
            return None
        if isinstance(answer, dict):
            answer = (200, answer)
        return answer if len(answer) == 3 else (*answer, {})

    def asked(self, method, path):
        with self.lock:
            return [request for request in self.requests
                    if (request.method, request.path) == (method, path)]


def refusal(status, detail):
    return status, {"type": "about:blank", "title": "Refused",
                    "status": status, "detail": detail}


def pack(value):
    """msgpack of what JSON can hold."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        text = value.encode()
        return b"\xdb" + struct.pack(">I", len(text)) + text
    if isinstance(value, list):
        return (b"\xdd" + struct.pack(">I", len(value)) +
                b"".join(map(pack, value)))
    return (b"\xdf" + struct.pack(">I", len(value)) +
            b"".join(pack(key) + pack(item) for key, item in value.items()))


class Feed:
    """A PUB socket for one subscriber at a time."""

    def __init__(self, test):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(20)
        self.peer = None
        test.addCleanup(self.close)

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def accept(self):
        """Waits for a subscriber, up to its subscription."""
        if self.peer:
            self.peer.close()
        self.peer = Zmtp("PUB", connected=self.listener.accept()[0])
        while self.peer.read_frame() != (0, b"\x01"):
            pass
        return self

    def send(self, topic, event):
        self.peer.send(topic.encode(), pack(event))

    def send_raw(self, *parts):
        self.peer.send(*parts)

    def drop(self):
        """Cuts the subscriber off."""
        self.peer.close()
        self.peer = None

    def close(self):
        if self.peer:
            self.peer.close()
        self.listener.close()
