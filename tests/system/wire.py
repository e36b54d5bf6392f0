# SPDX-License-Identifier: Apache-2.0
"""HTTP as it goes over the wire: every header is the test's own, nothing is
added, followed or tried again."""

import http.client
import json
import socket
import struct


class Answer:
    """One answer: status, headers (any case) and the bytes of the body."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:300]!r}>"


# By address, what looks at every answer that comes from there: check((method,
# target, headers, body), answer).
checks = {}


def host_port(address):
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


class Web:
    """A client of one address. Connections are kept alive where keep is set;
    such an object belongs to one thread."""

    def __init__(self, address, keep=False, timeout=20):
        self.address = address
        self.keep = keep
        self.timeout = timeout
        self.connection = None

    def request(self, method, path, body=None, headers=None, timeout=None):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        connection = self._connect(timeout)
        try:
            self._send(connection, method, path, body, headers or {})
            answer = self._read(connection)
        except BaseException:
            self.close()
            raise
        if not self.keep:
            self.close()
        if self.address in checks:
            checks[self.address]((method, path, headers or {}, body), answer)
        return answer

    def get(self, path, **headers):
        return self.request("GET", path, headers=_named(headers))

    def post(self, path, body=None, **headers):
        headers.setdefault("content_type", "application/json")
        return self.request("POST", path, body, _named(headers))

    def patch(self, path, body, **headers):
        headers.setdefault("content_type", "application/json")
        return self.request("PATCH", path, body, _named(headers))

    def delete(self, path, **headers):
        return self.request("DELETE", path, headers=_named(headers))

    def raw(self, data, timeout=10):
        """Sends bytes as they are; returns what comes until the other side
        closes or is silent for timeout seconds."""
        received = b""
        with socket.create_connection(host_port(self.address),
                                      timeout=timeout) as connection:
            connection.sendall(data)
            try:
                while chunk := connection.recv(65536):
                    received += chunk
            except TimeoutError:
                pass
            except ConnectionResetError:
                pass
        return received

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _connect(self, timeout):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(
                *host_port(self.address), timeout=timeout or self.timeout)
        return self.connection

    @staticmethod
    def _send(connection, method, path, body, headers):
        names = {name.lower() for name in headers}
        connection.putrequest(method, path, skip_host="host" in names,
                              skip_accept_encoding=True)
        if body is not None and "content-length" not in names:
            connection.putheader("Content-Length", str(len(body)))
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)

    @staticmethod
    def _read(connection):
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def _named(headers):
    return {name.replace("_", "-"): value for name, value in headers.items()
            if value is not None}


class Zmtp:
    """One end of a ZMTP 3 connection without security, which says what a test
    wants said. connected: a socket accepted elsewhere, else address is where
    to connect to. kind: what it claims to be; None: it says nothing at all."""

    def __init__(self, kind, address=None, connected=None, timeout=20):
        self.socket = connected or socket.create_connection(
            host_port(address), timeout=timeout)
        self.socket.settimeout(timeout)
        if kind is not None:
            self.greet(kind)

    def greet(self, kind):
        self.socket.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" +
                            b"NULL".ljust(20, b"\0") + bytes(32))
        self.read(64)
        kind = kind.encode()
        self.frame(4, b"\x05READY\x0bSocket-Type" +
                   struct.pack(">I", len(kind)) + kind)
        self.read_frame()

    def frame(self, flags, body):
        self.socket.sendall(self.framed(flags, body))

    @staticmethod
    def framed(flags, body):
        return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body

    @staticmethod
    def message(*parts):
        """The bytes of a message."""
        return b"".join(Zmtp.framed(int(i + 1 < len(parts)), part)
                        for i, part in enumerate(parts))

    def send(self, *parts):
        self.socket.sendall(self.message(*parts))

    def subscribe(self, topic):
        self.send(b"\x01" + topic)

    def read(self, n):
        data = b""
        while len(data) < n:
            chunk = self.socket.recv(n - len(data))
            if not chunk:
                raise ConnectionError("the other end went away")
            data += chunk
        return data

    def read_frame(self):
        """(flags, body); flags: 1 more follow, 4 a command."""
        flags = self.read(1)[0]
        size = (struct.unpack(">Q", self.read(8))[0] if flags & 2
                else self.read(1)[0])
        return flags & ~2, self.read(size)

    def is_cut(self, seconds=5):
        """Waits until the other end closes."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def close(self):
        self.socket.close()


class Events:
    """A reader of a server-sent event stream."""

    def __init__(self, address, path="/v1/events", last_id=None, timeout=20):
        self.socket = socket.create_connection(host_port(address),
                                               timeout=timeout)
        last = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: {address}\r\n"
                             f"Accept: text/event-stream\r\n{last}\r\n"
                             ).encode())
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        self.response = response
        self.status = response.status
        self.headers = response.headers

    def __iter__(self):
        """Yields (id, event, data) for every event; comments are skipped."""
        fields = {}
        while line := self.response.readline():
            line = line.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(":")
                if name:
                    fields[name] = value.removeprefix(" ")
            elif "data" in fields:
                yield (fields.get("id"), fields.get("event", "message"),
                       json.loads(fields["data"]))
                fields = {}
            else:
                fields = {}

    def until(self, wanted):
        """Reads events until wanted(id, event, data) holds; returns all read,
        that one included."""
        read = []
        for event in self:
            read.append(event)
            if wanted(*event):
                return read
        raise AssertionError(f"the stream ended; read {read}")

    def close(self):
        self.response.close()
        self.socket.close()
