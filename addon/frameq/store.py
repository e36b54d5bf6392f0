# SPDX-License-Identifier: GPL-3.0-or-later
"""Files to and from a store that a broker sends its clients on to. Such an
address is all that the store is to see: no token goes there. Tries nothing
again."""

import base64
import http.client
import urllib.parse

from .broker import BLOCK, SECONDS, Trouble


def put(address, file, source, step):
    """Sends all of source; step(n) is called with what has gone, and may raise.
    The status of the answer."""
    total = base64.b64encode(bytes.fromhex(file.sha256)).decode()

    def blocks():
        source.seek(0)
        while block := source.read(BLOCK):
            yield block
            step(len(block))

    headers = {"Content-Length": str(file.size),
               "x-amz-checksum-sha256": total}
    with Visit(address) as visit:
        visit.send("PUT", blocks(), headers)
        return visit.response.status


def fetch(address, file, check):
    """Writes what is there into file; check() is called between blocks."""
    with Visit(address) as visit:
        visit.send("GET")
        if visit.response.status != 200:
            status = visit.response.status
            raise Trouble(f"The store at {visit.host} answers {status}",
                          status >= 500, status)
        while block := visit.response.read(BLOCK):
            file.write(block)
            check()
        if visit.response.length:
            raise OSError("the connection ended early")


class Visit:
    """One request to a store; what goes wrong is Trouble that passes."""

    def __init__(self, address):
        parts = urllib.parse.urlsplit(address)
        self.host, self.target = parts.netloc, f"{parts.path}?{parts.query}"
        kind = (http.client.HTTPSConnection if parts.scheme == "https"
                else http.client.HTTPConnection)
        self.connection = kind(parts.hostname, parts.port, timeout=SECONDS)
        self.response = None

    def send(self, method, body=None, headers=()):
        self.connection.request(method, self.target, body, dict(headers))
        self.response = self.connection.getresponse()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.connection.close()
        if isinstance(error, (OSError, http.client.HTTPException)):
            raise Trouble(f"The store at {self.host} does not answer ({error})",
                          passing=True) from error
