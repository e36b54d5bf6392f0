# SPDX-License-Identifier: Apache-2.0
"""Webhooks: what is posted when a job ends or begins to fail, that it is signed
and comes again until it is taken, and where it does not go."""

import base64
import hashlib
import hmac
import http.server
import json
import queue
import re
import threading

import farm

LIMIT_HOOKS_OPEN = int(re.search(
    r"LIMIT_HOOKS_OPEN\s+(\d+)",
    (farm.ROOT / "common/limits.h").read_text()).group(1))


class Sink:
    """A receiver. It answers with the statuses it is given, then with 204;
    while it is held it answers nothing."""

    def __init__(self, test, *statuses):
        self.taken = queue.Queue()
        self.statuses = list(statuses)
        self.open = threading.Event()
        self.open.set()
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.taken.put((dict(self.headers), body, self.path))
                sink.open.wait(60)
                status = sink.statuses.pop(0) if sink.statuses else 204
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer((farm.HOST, 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.port = server.server_address[1]
        self.url = f"http://{farm.HOST}:{self.port}/hook"
        test.addCleanup(server.server_close)
        test.addCleanup(server.shutdown)
        test.addCleanup(self.open.set)

    def next(self, seconds=10):
        return self.taken.get(timeout=seconds * farm.SLOW)


class Webhooks(farm.FarmTest):
    def host(self, *flags, **options):
        return self.broker("--notify-allow", farm.HOST, *flags, **options)

    def cancelled(self, host, url, **fields):
        """A job that has ended."""
        job = host.submit(**{"from": 1, "to": 2, "notify": url, **fields})
        answer = host.web().post(f"/v1/jobs/{job['id']}:cancel",
                                 {"reason": "enough"})
        self.assertEqual(answer.status, 200)
        return answer.json()

    def test_the_end_of_a_job_is_told_and_signed(self):
        sink = Sink(self)
        host = self.host()
        job = self.cancelled(host, sink.url, name="shot", labels={"a": "b"})
        headers, body, path = sink.next()
        self.assertEqual(path, "/hook")
        self.assertEqual(headers["Content-Type"],
                         "application/cloudevents+json; charset=utf-8")
        event = json.loads(body)
        self.assertEqual(event["specversion"], "1.0")
        self.assertEqual(event["type"], "io.frameq.job.cancelled.v1")
        self.assertRegex(event["source"], "^urn:frameq:[0-9a-f]{16}$")
        self.assertEqual(event["subject"], job["id"])
        self.assertEqual(event["time"], job["ended_at"])
        self.assertEqual(event["id"], headers["webhook-id"])
        for member in ("id", "name", "state", "counts", "reason", "labels"):
            self.assertEqual(event["data"][member], job[member])

        secret = host.web().get("/v1/webhooks").json()["secret"]
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = (f"{headers['webhook-id']}.{headers['webhook-timestamp']}."
                  .encode() + body)
        self.assertEqual(headers["webhook-signature"], "v1," + base64.b64encode(
            hmac.new(key, signed, hashlib.sha256).digest()).decode())
        mode = (host.data / "webhooks.key").stat().st_mode & 0o777
        self.assertEqual(mode, 0o600)

    def test_completed_and_failing_then_failed(self):
        sink = Sink(self)
        host = self.host("--batch", 1)
        frames = self.folder / "frames"
        fake = self.fake("--fail-frame", "3:1", frame_ms=100, frames=frames)
        self.agent(host, fake, "a1", "--frames-dir", frames)
        host.submit(**{"from": 3, "to": 9, "notify": sink.url,
                       "max_attempts": 1})
        good = host.submit(**{"from": 1, "to": 2, "notify": sink.url})
        events = [json.loads(sink.next()[1]) for _ in range(3)]
        self.assertEqual([event["type"].split(".")[3] for event in events],
                         ["failing", "failed", "completed"])
        self.assertEqual(events[0]["data"]["failures"][0]["frame"], 3)
        self.assertEqual(events[1]["data"]["counts"]["done"], 6)
        self.assertEqual(events[2]["subject"], good["id"])

    def test_again_until_it_is_taken_and_no_redirect(self):
        sink = Sink(self, 500, 302)
        host = self.host()
        self.cancelled(host, sink.url)
        tries = [sink.next(20) for _ in range(3)]
        self.assertEqual(len({headers["webhook-id"]
                              for headers, _, _ in tries}), 1)
        self.assertEqual({path for _, _, path in tries}, {"/hook"})
        farm.until("it is delivered", lambda: host.metric(
            'frameq_webhooks_total{outcome="delivered"}') == 1)
        self.assertEqual(host.metric(
            'frameq_webhooks_total{outcome="failed"}'), 2)
        self.assertEqual(host.metric("frameq_webhooks_waiting"), 0)

    def test_gone_is_not_asked_again(self):
        sink = Sink(self, 410)
        host = self.host()
        self.cancelled(host, sink.url)
        sink.next()
        farm.until("it is given up", lambda: host.metric(
            'frameq_webhooks_total{outcome="given_up"}') == 1)

    def test_a_killed_broker_tells_what_it_had_not_and_nothing_twice(self):
        sink = Sink(self)
        host = self.host()
        first = self.cancelled(host, sink.url)
        sink.next()
        farm.until("it is noted", lambda: first["id"] in
                   (host.data / "webhooks.told").read_text())
        sink.open.clear()
        second = self.cancelled(host, sink.url)
        sink.next()
        host.kill()
        sink.open.set()
        host.restart()
        self.assertEqual(json.loads(sink.next()[1])["subject"], second["id"])
        third = self.cancelled(host, sink.url)
        self.assertEqual(json.loads(sink.next()[1])["subject"], third["id"])

    def test_a_broker_of_this_machine_alone_posts_to_it(self):
        sink = Sink(self)
        job = self.cancelled(self.broker(), sink.url)
        self.assertEqual(json.loads(sink.next()[1])["subject"], job["id"])

    def test_nothing_goes_to_this_machine_unless_allowed(self):
        sink = Sink(self)
        host = self.broker("--proxy", "192.0.2.1")
        for url in (sink.url, f"http://localhost:{sink.port}/",
                    f"http://[::ffff:{farm.HOST}]:{sink.port}/",
                    f"http://{host.address}/v1/jobs"):
            self.cancelled(host, url)
        farm.until("all are refused",
                   lambda: host.log_text().count("--notify-allow") >= 4)
        self.assertTrue(sink.taken.empty())

    def test_no_more_than_so_many_at_once_and_the_loop_goes_on(self):
        sink = Sink(self)
        sink.open.clear()
        host = self.host()
        for _ in range(LIMIT_HOOKS_OPEN + 1):
            self.cancelled(host, sink.url)
        for _ in range(LIMIT_HOOKS_OPEN):
            sink.next()
        self.assertEqual(host.web(timeout=2).get("/health").status, 200)
        self.assertTrue(sink.taken.empty())
        sink.open.set()
        sink.next()


if __name__ == "__main__":
    farm.main()
