# SPDX-License-Identifier: GPL-3.0-or-later
"""One broker over HTTP: asks, and says what went wrong in words that tell what
to do next. Tries nothing again by itself, and knows nothing of Blender."""

import http.client
import json
import ssl
import urllib.parse

ANSWER_MOST = 64 * 1024 * 1024  # bytes of one document
SECONDS = 20  # without a byte, of a request that is not told to wait
BLOCK = 256 * 1024

# OpenSSL's numbers of what is wrong with a certificate.
EXPIRED = 10
OTHER_NAME = (62, 64)  # no such host name, no such address


class Trouble(Exception):
    """What a person is told. `passing`: the same request may be answered
    otherwise a moment later."""

    def __init__(self, text, passing=False, status=0):
        super().__init__(text)
        self.passing = passing
        self.status = status


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body

    def json(self):
        try:
            document = json.loads(self.body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise Trouble("What answers there is no frameq broker: check the "
                          "address in the add-on's preferences")
        return document


def is_loopback(url):
    """Whether a broker of that address is on this machine."""
    host = urllib.parse.urlsplit(with_scheme(url)).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def with_scheme(url):
    url = url.strip()
    return (url if "://" in url else "http://" + url).rstrip("/")


def remedy(status):
    if status == 401:
        return ("enter a token in the add-on's preferences; who runs the farm "
                "makes one with `frameq token add`")
    if status == 403:
        return ("the token may not do that: ask who runs the farm for one of "
                "role submit")
    if status == 507:
        return "the broker's disk is full: make room there, then try again"
    return ""


def said(answer):
    """The reason in an answer that refuses, for people."""
    try:
        document = json.loads(answer.body)
        text = document.get("detail") or document.get("title")
    except (ValueError, AttributeError):
        text = answer.body[:200].decode("utf-8", "replace").strip()
    return text or f"the broker answers {answer.status}"


def refusal(answer):
    text, what = said(answer), remedy(answer.status)
    passing = answer.status in (408, 500, 502, 503, 504)
    return Trouble(f"{text}: {what}" if what else text, passing, answer.status)


def distrust(url, error):
    """What is wrong with a broker's certificate, and what to do."""
    if error.verify_code == EXPIRED:
        what = "has expired: who runs the farm renews it"
    elif error.verify_code in OTHER_NAME:
        what = ("is for another name: enter the broker's address as it stands "
                "in the certificate, in the add-on's preferences")
    else:
        what = (f"is not trusted here ({error.verify_message}): choose a file "
                "with it, or with the authority that has signed it, as "
                "Certificate in the add-on's preferences")
    return Trouble(f"The certificate of {url} {what}")


def trust(ca):
    """What an https broker's certificate is held against: the file ca, else
    what this machine trusts."""
    try:
        return ssl.create_default_context(cafile=ca or None)
    except OSError as error:  # as ssl.SSLError is
        raise Trouble(f"{ca} is no certificate that can be read ({error}): "
                      "choose another file in the add-on's preferences"
                      ) from error


class Broker:
    """A connection for one thread, opened when it is needed. ca: a file of
    certificates, for an https broker alone; a store has one of its own."""

    def __init__(self, url, token="", ca=""):
        self.url = with_scheme(url)
        self.token = token.strip()
        self.parts = urllib.parse.urlsplit(self.url)
        self.connection = None
        try:
            port_is_good = self.parts.port is None or self.parts.port > 0
        except ValueError:
            port_is_good = False
        if (self.parts.scheme not in ("http", "https") or not port_is_good
                or not self.parts.hostname):
            raise Trouble(f"`{url}` is no address of a broker: write it as "
                          "http://farm:4000")
        if not self.token.isascii() or not self.token.isprintable():
            raise Trouble("The token has characters that no token has: enter "
                          "it again in the add-on's preferences")
        secure = self.parts.scheme == "https"
        self.trusted = {"context": trust(ca)} if secure else {}

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def ask(self, method, path, body=None, headers=None, seconds=SECONDS):
        """The answer, whatever its status; Trouble: there was none."""
        headers = dict(headers or {})
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        response = self._begin(method, path, body, headers, seconds)
        data = self._read(response, ANSWER_MOST + 1)
        if len(data) > ANSWER_MOST:
            self.close()
            raise Trouble("The broker's answer is too long")
        if response.will_close:
            self.close()
        return Answer(response, data)

    def get(self, path, **options):
        """The document at path; Trouble: a refusal too."""
        answer = self.ask("GET", path, **options)
        if answer.status != 200:
            raise refusal(answer)
        return answer.json()

    def download(self, path, file, check=lambda: None):
        """Writes what is at path into file, all of it or Trouble; check() is
        called between blocks, and may raise. Returns where it lies instead,
        where that is in a store."""
        response = self._begin("GET", path, None, {}, SECONDS)
        if response.status == 307:
            self._read(response, ANSWER_MOST)
            return response.headers["Location"]
        if response.status != 200:
            raise refusal(Answer(response, self._read(response, ANSWER_MOST)))
        try:
            while block := self._read(response, BLOCK):
                file.write(block)
                check()
        except BaseException:
            self.close()
            raise
        if response.length:
            raise self._unreached("the connection ended early")
        return None

    def _read(self, response, size):
        try:
            return response.read(size)
        except (OSError, http.client.HTTPException) as error:
            raise self._unreached(error) from error

    def _begin(self, method, path, body, headers, seconds):
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        headers.setdefault("Accept", "application/json, */*;q=0.5")
        kept = self.connection is not None
        try:
            return self._send(method, path, body, headers, seconds)
        except (OSError, http.client.HTTPException) as error:
            trouble = self._unreached(error)
            # One that was kept may have been closed meanwhile.
            if not kept or isinstance(error, TimeoutError):
                raise trouble from error
        try:
            return self._send(method, path, body, headers, seconds)
        except (OSError, http.client.HTTPException) as error:
            raise self._unreached(error) from error

    def _send(self, method, path, body, headers, seconds):
        if self.connection is None:
            kind = (http.client.HTTPSConnection
                    if self.parts.scheme == "https"
                    else http.client.HTTPConnection)
            self.connection = kind(self.parts.hostname, self.parts.port,
                                   **self.trusted)
        self.connection.timeout = seconds
        if self.connection.sock:
            self.connection.sock.settimeout(seconds)
        self.connection.request(method, self.parts.path + path, body, headers)
        return self.connection.getresponse()

    def _unreached(self, error):
        self.close()
        if isinstance(error, ssl.SSLCertVerificationError):
            return distrust(self.url, error)
        return Trouble(f"No broker answers at {self.url} ({error}): is it "
                       "running (`frameq-broker`, `frameq dev`), and is its "
                       "address in the add-on's preferences right?",
                       passing=True)
