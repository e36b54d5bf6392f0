# SPDX-License-Identifier: Apache-2.0
"""A small S3-compatible store. It puts signatures together by itself, after the
AWS documents, takes a PUT only with the bytes whose SHA-256 was signed, and can
be told to fail."""

import base64
import contextlib
import datetime
import hashlib
import hmac
import http.server
import socket
import threading
import urllib.parse

from farm import HOST

KEY, SECRET, REGION, BUCKET = "AKIDTEST/1", "secret/+of=it", "eu-test-1", "farm"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def checksum(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def signature(method, path, query, headers, signed, secret=SECRET):
    """Of a presigned request; query: (name, value) of all but the signature."""
    def quote(text):
        return urllib.parse.quote(text, safe="-_.~")

    fields = dict(query)
    _, day, region, service, last = fields["X-Amz-Credential"].rsplit("/", 4)
    canonical = "\n".join([
        method, urllib.parse.quote(path, safe="/-_.~"),
        "&".join(sorted(f"{quote(name)}={quote(value)}"
                        for name, value in query)),
        *[f"{name}:{' '.join((headers[name] or '').split())}"
          for name in signed],
        "", ";".join(signed), "UNSIGNED-PAYLOAD"])
    text = "\n".join(["AWS4-HMAC-SHA256", fields["X-Amz-Date"],
                      f"{day}/{region}/{service}/{last}",
                      sha256(canonical.encode())])
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, last, text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", headers=()):
        self.store.seen.append((self.command, self.key(), status))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name == "Content-Length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    @property
    def store(self):
        return self.server.store

    def key(self):
        return urllib.parse.urlsplit(self.path).path.removeprefix(
            f"/{BUCKET}/")

    def fault(self):
        """Why the request is not what it must be, or None."""
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qsl(url.query, strict_parsing=True)
        fields = dict(query)
        signed = fields["X-Amz-SignedHeaders"].split(";")
        began = datetime.datetime.strptime(
            fields["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
        age = (datetime.datetime.now(datetime.timezone.utc) -
               began).total_seconds()
        credential = "/".join([KEY, fields["X-Amz-Date"][:8], REGION, "s3",
                               "aws4_request"])
        if "Authorization" in self.headers or "Cookie" in self.headers:
            return "two ways of authentication"
        if not url.path.startswith(f"/{BUCKET}/"):
            return "no such bucket"
        if fields["X-Amz-Credential"] != credential:
            return "credential"
        if not -900 < age < int(fields["X-Amz-Expires"]) <= 604800:
            return "expired"
        if "host" not in signed or signed != sorted(signed):
            return "signed headers"
        if any(name.lower().startswith("x-amz-") and name.lower() not in signed
               for name in self.headers):
            return "a header that is not signed"
        rest = [item for item in query if item[0] != "X-Amz-Signature"]
        if fields["X-Amz-Signature"] != signature(
                self.command, url.path, rest, self.headers, signed):
            return "signature"
        return None

    def begin(self):
        """Whether the request is to be answered as it should be."""
        store = self.store
        store.gate.wait(60)
        status = store.failing.get(self.command)
        try:
            fault = self.fault()
        except (KeyError, ValueError) as error:
            fault = f"malformed: {error}"
        if fault:
            store.faults.append((self.command, fault))
            status = 403
        if status:
            self.close_connection = True
            self.answer(status, b"<Error><Code>Told</Code></Error>")
        return not status

    def do_HEAD(self):
        self.get()

    def do_GET(self):
        self.get()

    def get(self):
        if not self.begin():
            return
        data = self.store.objects.get(self.key())
        if data is None:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        headers = []
        if self.headers["x-amz-checksum-mode"] and self.store.checksums:
            headers = [("x-amz-checksum-sha256", checksum(data))]
        if self.command == "HEAD":
            self.answer(200, headers=[*headers,
                                      ("Content-Length", str(len(data)))])
            return
        if self.store.lies:
            data = bytes(byte ^ 1 for byte in data)
        first = 0
        if asked := self.headers["Range"]:
            first = int(asked.removeprefix("bytes=").split("-")[0])
            headers.append(("Content-Range",
                            f"bytes {first}-{len(data) - 1}/{len(data)}"))
        headers.append(("Content-Length", str(len(data) - first)))
        data = data[first:]
        if self.store.cuts:
            data = data[:self.store.cuts.pop()]
            self.close_connection = True
        self.answer(206 if first else 200, data, headers)

    def do_PUT(self):
        if not self.begin():
            return
        data = self.rfile.read(int(self.headers["Content-Length"]))
        sent = self.headers["x-amz-checksum-sha256"]
        if len(data) < int(self.headers["Content-Length"]):
            return
        if sent and sent != checksum(data):
            self.answer(400, b"<Error><Code>BadDigest</Code></Error>")
            return
        self.store.objects[self.key()] = data
        self.answer(200)

    def do_DELETE(self):
        if self.begin():
            self.store.objects.pop(self.key(), None)
            self.answer(204)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, store):
        self.store = store
        self.open = set()
        super().__init__(address, Handler)

    def process_request(self, request, client_address):
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        pass  # a client that left


class FakeS3:
    """objects: bytes by key. seen: (method, key, status) of all requests.
    faults: requests that were not signed as they must be. failing: a status
    that a method gets. lies: GET gives other bytes. cuts: so many bytes come of
    the next answers to GET. checksums: HEAD tells them. gate: cleared, nobody
    gets an answer."""

    def __init__(self, test):
        self.objects, self.seen, self.faults = {}, [], []
        self.failing, self.cuts = {}, []
        self.lies, self.checksums = False, True
        self.gate = threading.Event()
        self.gate.set()
        self.at = (HOST, 0)
        self.server = None
        self.start()
        test.addCleanup(self.stop)
        test.addCleanup(self.gate.set)

    def start(self):
        self.server = Server(self.at, self)
        self.at = self.server.server_address
        threading.Thread(target=self.server.serve_forever,
                         kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            for connection in list(self.server.open):
                with contextlib.suppress(OSError):  # gone by itself
                    connection.shutdown(socket.SHUT_RDWR)
        self.server = None

    @property
    def url(self):
        return "http://%s:%d" % self.at

    @property
    def env(self):
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.url}

    def asked(self, method):
        return [entry for entry in self.seen if entry[0] == method]
