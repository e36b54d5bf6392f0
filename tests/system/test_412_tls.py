# SPDX-License-Identifier: Apache-2.0
# ctest: smoke threads
"""HTTPS by the broker itself, and behind a proxy that is believed: submitted,
watched, uploaded and rendered over TLS by a certificate nobody vouches for."""

import hashlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import warnings

import farm
import wire
from test_430_keys import Joined


def make_cert(folder, name="farm"):
    """A self-signed certificate for this test's address; its files."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
         "-days", "30", "-subj", "/CN=farm", "-addext",
         f"subjectAltName=IP:{farm.HOST}"], check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


class SecureWeb(wire.Web):
    def __init__(self, address, ca, **options):
        super().__init__(address, **options)
        self.context = ssl.create_default_context(cafile=ca)

    def _connect(self, timeout):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(
                *wire.host_port(self.address), context=self.context,
                timeout=timeout or self.timeout)
        return self.connection


class SecureBroker(farm.Broker):
    def __init__(self, test, *flags, **options):
        self.cert, self.key = make_cert(test.folder)
        super().__init__(test, "--tls-cert", self.cert, "--tls-key", self.key,
                         *flags, **options)

    @property
    def url(self):
        return f"https://{self.address}"

    def web(self, **options):
        return SecureWeb(self.address, self.cert, **options)

    def socket(self, context=None):
        context = context or ssl.create_default_context(cafile=self.cert)
        host, port = wire.host_port(self.address)
        raw = socket.create_connection((host, port), timeout=20)
        return context.wrap_socket(raw, server_hostname=host)


class Tls(farm.FarmTest):
    def setUp(self):
        super().setUp()
        self.host = SecureBroker(self, "--curve", "on")

    def frameq(self, *args, code=0, ca=True):
        env = {"FRAMEQ_BROKER": self.host.url}
        if ca:
            env["FRAMEQ_CA"] = str(self.host.cert)
        result = self.run_program("frameq", *args, env=env, seconds=30)
        self.assertEqual(result.returncode, code, result)
        return result.stdout + (result.stderr if code else "")

    def join(self, name, wait=True):
        """Makes a key, and starts an agent with what was printed, no more."""
        words = self.frameq("agents", "add", name).split()
        fake = self.fake(frame_ms=5)
        return Joined(self, *words[1:3], "--node", fake.url, "--state",
                      self.folder / f"agent-{name}", wait=wait)

    def listen(self):
        """Opens the event stream; returns the socket and its reader."""
        stream = self.host.socket()
        stream.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        self.addCleanup(stream.close)
        lines = stream.makefile("rb")
        self.addCleanup(lines.close)
        self.assertEqual(lines.readline(), b"HTTP/1.1 200 OK\r\n")
        return lines

    def test_a_job_from_end_to_end(self):
        heard = self.listen()
        self.join("n1")
        self.host.await_agents("n1")
        job = self.frameq("submit", "-f", "1-20", "--wait").strip()
        shown = json.loads(self.frameq("show", job, "--json"))
        self.assertEqual(shown["state"], "completed")
        while b"completed" not in heard.readline():
            pass
        refused = self.frameq("ls", code=3, ca=False)
        self.assertIn("its certificate is not trusted", refused)
        self.assertIn("--ca FILE", refused)
        cookie = self.host.web().delete("/v1/session").headers["Set-Cookie"]
        self.assertIn("; Secure", cookie)
        page = self.host.web().get("/")
        self.assertIn("max-age=", page.headers["Strict-Transport-Security"])

    def test_large_bodies_both_ways(self):
        data = os.urandom(8 << 20)
        name = hashlib.sha256(data).hexdigest()
        piece, web = 1 << 20, self.host.web(keep=True)
        for at in range(0, len(data), piece):
            answer = web.request("PUT", f"/v1/blobs/{name}",
                                 data[at:at + piece], {
                "Content-Range": f"bytes {at}-{at + piece - 1}/{len(data)}"})
            self.assertIn(answer.status, (200, 201, 202, 204, 308), answer)
        self.assertEqual(web.get(f"/v1/blobs/{name}").body, data)
        # Asked, and the rest closed: the answer comes whole nevertheless.
        with self.host.socket() as one:
            one.sendall(f"GET /v1/blobs/{name} HTTP/1.1\r\nHost: x\r\n"
                        "Connection: close\r\n\r\n".encode())
            answer = http.client.HTTPResponse(one)
            answer.begin()
            self.assertEqual(answer.read(), data)
            self.assertEqual(one.recv(1), b"")
        # Too large: told so, though much more is still to come.
        with self.host.socket() as one:
            one.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\n"
                        b"Content-Length: 9000000\r\n\r\n")
            one.sendall(bytes(2 << 20))
            self.assertEqual(one.recv(12), b"HTTP/1.1 413")
        web.close()

    def test_many_at_once(self):
        before = self.host.descriptors()
        failed = []

        def ask():
            try:
                web = self.host.web(keep=True)
                for _ in range(20):
                    assert web.get("/health").status == 200
                web.close()
            except Exception as error:  # told by the test's own thread
                failed.append(error)
        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])
        farm.until("all are closed", lambda: self.host.descriptors() <= before)

    def test_what_is_refused(self):
        plain = wire.Web(self.host.address).request("GET", "/v1/jobs")
        self.assertEqual(plain.status, 400)
        self.assertIn("https", plain.json()["detail"])
        said = self.run_program("frameq", "ls", "--broker",
                                f"http://{self.host.address}")
        self.assertEqual(said.returncode, 4, said)
        self.assertIn("begins with https://", said.stderr)
        said = self.run_program("frameq", "doctor", "--broker",
                                f"http://{self.host.address}")
        self.assertIn("begins with https://", said.stdout)
        self.assertNotIn("token", said.stdout)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.host.socket(old)
        half = self.run_program("frameq-broker", "--tls-cert", self.host.cert)
        self.assertEqual(half.returncode, 2, half)
        self.assertIn("--tls-key is missing", half.stderr)

    def test_renewed(self):
        """A new key at SIGHUP: open connections go on, old join strings say
        what is wrong."""
        agent = self.frameq("agents", "add", "n2").split()[2]
        web = self.host.web(keep=True)
        self.assertEqual(web.get("/health").status, 200)
        self.host.key.chmod(0o644)
        self.host.process.send_signal(signal.SIGHUP)
        farm.until("it says why not", lambda: "certificate_not_read" in
                   self.host.log_text())
        self.assertEqual(self.host.web().get("/health").status, 200)
        make_cert(self.folder)
        self.host.process.send_signal(signal.SIGHUP)
        farm.until("it was read", lambda: "event=certificate_read" in
                   self.host.log_text())
        self.assertEqual(self.host.web().get("/health").status, 200)
        self.assertEqual(web.get("/health").status, 200)
        web.close()
        stale = Joined(self, "--join", agent, "--node", self.fake().url,
                       "--state", self.folder / "stale", wait=False)
        farm.until("the agent says why", lambda: "pinned" in stale.log_text())
        self.join("n3")
        self.host.await_agents("n3")


class Ending(farm.FarmTest):
    def doctor(self, days, ca=True):
        """The lines about a certificate that is good for so many days."""
        cert, key = make_cert(self.folder)
        subprocess.run(["openssl", "x509", "-in", cert, "-signkey", key,
                        "-days", str(days), "-out", self.folder / "other"],
                       check=True, capture_output=True)
        host = self.broker("--tls-cert", self.folder / "other",
                           "--tls-key", key)
        self.url = f"https://{host.address}"
        env = {"PATH": str(self.folder)}  # no Blender to wait for
        if ca:
            env["FRAMEQ_CA"] = str(self.folder / "other")
        result = self.run_program("frameq", "doctor", "--broker", self.url,
                                  env=env, seconds=60)
        host.kill()
        lines = result.stdout.splitlines()
        return [pair for pair in zip(lines, lines[1:])
                if "certificate: " in pair[0]]

    def test_the_doctor_sees_it_coming(self):
        self.assertEqual(self.doctor(15), [])
        [(what, mend)] = self.doctor(13)
        self.assertRegex(what, f"{self.url} expires in 1[23] d ")
        self.assertIn("kill -s HUP frameq-broker", mend)
        [(what, mend)] = self.doctor(-1)
        self.assertIn(f"{self.url} has expired", what)
        self.assertIn("kill -s HUP frameq-broker", mend)
        [(what, mend)] = self.doctor(15, ca=False)
        self.assertIn(f"{self.url} is not trusted here", what)
        self.assertIn("--ca or FRAMEQ_CA", mend)


class Proxied(farm.FarmTest):
    """Behind a proxy: here the test itself is one."""

    def test_what_a_proxy_tells(self):
        told = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7",
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "farm.example.com",
                "Origin": "https://farm.example.com",
                "Content-Type": "application/json"}
        body = {"frames": "1"}
        host = self.broker("--curve", "on", "--hosts", "farm.example.com",
                           "--proxy", f"{farm.HOST},127.0.0.0/8")
        answer = host.web().request("POST", "/v1/jobs", body, told)
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.json()["user"], "192.0.2.7")
        added = host.web().request("POST", "/v1/agents", {"name": "n1"}, told)
        self.assertEqual(added.json()["broker"], "https://farm.example.com")
        signed_out = host.web().request("DELETE", "/v1/session", None, told)
        self.assertIn("; Secure", signed_out.headers["Set-Cookie"])
        plain = host.web().delete("/v1/session")
        self.assertNotIn("Secure", plain.headers["Set-Cookie"])
        hsts = "Strict-Transport-Security"
        page = host.web().request("GET", "/", None, told)
        self.assertIn("max-age=", page.headers[hsts])
        self.assertNotIn(hsts, host.web().get("/").headers)
        stranger = self.broker("--proxy", "192.0.2.1")
        page = stranger.web().request("GET", "/", None, told)
        self.assertNotIn(hsts, page.headers)
        answer = stranger.web().request("POST", "/v1/jobs", body, told)
        self.assertEqual(answer.status, 403, answer)
        del told["Origin"]
        answer = stranger.web().request("POST", "/v1/jobs", body, told)
        self.assertNotIn(answer.json()["user"], ("192.0.2.7", "6.6.6.6"))


if __name__ == "__main__":
    farm.main()
