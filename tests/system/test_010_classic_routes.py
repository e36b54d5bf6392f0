# SPDX-License-Identifier: Apache-2.0
# ctest: smoke
"""The classic routes, byte for byte, over a farm of three classic nodes."""

import json
import re

import farm

TEXT = "text/plain; charset=utf-8"

# What clients of old send; each gets the text.
TEXT_ACCEPTS = (None, "*/*", "application/json, text/plain, */*", "text/html")
JSON_ACCEPTS = ("application/json", "application/json, text/plain;q=0.5",
                "text/plain;q=0.1, application/json;q=0.2, */*;q=0.1")


class ClassicRoutes(farm.FarmTest):
    def assert_text(self, answer, status, text, **headers):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.body, text.encode())
        self.assertEqual(answer.headers["Content-Type"], TEXT)
        for name, value in headers.items():
            self.assertEqual(answer.headers[name.replace("_", "-")], value)

    def assert_status(self, broker, job, status, text, **headers):
        for accept in TEXT_ACCEPTS:
            with self.subTest(accept=accept):
                answer = broker.web().get(f"/status/{job}", accept=accept)
                self.assert_text(answer, status, text, **headers)

    def assert_running(self, broker, job):
        self.assert_status(broker, job, 202, "Job still running",
                           Location=f"/status/{job}", Retry_After="5")

    def test_render_answers_with_an_id(self):
        broker = self.broker()
        for accept in TEXT_ACCEPTS + JSON_ACCEPTS:
            answer = broker.web().post("/render", {"from": 1, "to": 20},
                                       accept=accept)
            self.assertEqual(answer.status, 202, answer)
            self.assertEqual(answer.headers["Content-Type"],
                             "application/json")
            job = answer.json()["jobId"]
            self.assertRegex(job, r"\A[A-Za-z0-9_-]{16,64}\Z")
            self.assertEqual(answer.body, b'{"jobId":"%s"}' % job.encode())
            self.assertEqual(answer.headers["Location"], f"/status/{job}")

    def test_ids_are_random(self):
        broker = self.broker()
        ids = {broker.render(1, 20) for _ in range(20)}
        self.assertEqual(len(ids), 20)
        starts = {job[:8] for job in ids}
        self.assertGreater(len(starts), 1)

    def test_body_without_a_type_or_with_curls(self):
        broker = self.broker()
        body = json.dumps({"from": 1, "to": 2})
        for kind in (None, "application/x-www-form-urlencoded",
                     "application/json; charset=utf-8"):
            headers = {"Content-Type": kind} if kind else {}
            answer = broker.web().request("POST", "/render", body, headers)
            self.assertEqual(answer.status, 202, (kind, answer))

    def test_health(self):
        broker = self.broker()
        for accept in TEXT_ACCEPTS:
            self.assert_text(broker.web().get("/health", accept=accept), 200,
                             "OK")

    def test_unknown_job(self):
        broker = self.broker()
        self.assert_status(broker, "AAAAAAAAAAAAAAAAAAAAAA", 404,
                           "Job not found")
        for strange in ("x", "..%2f..%2fetc", "%00", "a" * 5000, ""):
            answer = broker.web().get(f"/status/{strange}")
            self.assertIn(answer.status, (400, 404, 414), (strange, answer))

    def test_bad_input_says_why(self):
        broker = self.broker()
        for accept in TEXT_ACCEPTS:
            answer = broker.web().post("/render", {"from": "1", "to": 20},
                                       accept=accept)
            self.assertEqual(answer.status, 400)
            self.assertEqual(answer.headers["Content-Type"], TEXT)
            self.assertRegex(answer.text, r"^Invalid input.*from")

    def test_json_where_it_is_preferred(self):
        broker = self.broker()
        job = broker.render(1, 20)
        for accept in JSON_ACCEPTS:
            document = broker.web().get(f"/status/{job}", accept=accept)
            self.assertEqual(document.status, 202)
            self.assertTrue(document.headers["Content-Type"].startswith(
                "application/json"))
            self.assertEqual(document.json()["id"], job)
            missing = broker.web().get("/status/AAAAAAAAAAAAAAAAAAAAAA",
                                       accept=accept)
            self.assertEqual(missing.status, 404)
            self.assertTrue(missing.headers["Content-Type"].startswith(
                "application/problem+json"))
            self.assertEqual(missing.json()["status"], 404)

    def test_queued_paused_cancelled(self):
        broker = self.broker()
        job = broker.render(1, 20)
        self.assert_running(broker, job)
        paused = broker.render(1, 20, paused=True)
        self.assert_running(broker, paused)
        broker.web().post(f"/v1/jobs/{job}:cancel", {})
        self.assert_status(broker, job, 500, "Job cancelled")

    def test_from_submit_to_completed(self):
        fakes = [self.fake(frame_ms=20) for _ in range(3)]
        broker = self.farm(*fakes)
        job = broker.render(1, 20)
        self.assert_running(broker, job)
        broker.await_job(job)
        self.assert_status(broker, job, 200, "Job completed")
        self.assert_each_once(range(1, 21), *fakes)

    def test_failed_frames_are_named(self):
        frames = self.folder / "frames"
        fakes = [self.fake("--fail-frame", 7, "--fail-frame", 12,
                           "--fail-frame", 13, frame_ms=5, frames=frames)
                 for _ in range(3)]
        broker = self.farm(*fakes, agent_flags=("--frames-dir", frames))
        job = broker.render(1, 20)
        broker.await_job(job, "failed")
        self.assert_status(broker, job, 500,
                           "Job failed: 3 of 20 frames failed (7, 12-13)")

    def test_failed_ranges_are_cut(self):
        frames = self.folder / "frames"
        bad = [word for frame in range(1, 60, 2)
               for word in ("--fail-frame", frame)]
        fakes = [self.fake(*bad, frame_ms=1, frames=frames)
                 for _ in range(3)]
        broker = self.farm(*fakes, broker_flags=("--max-attempts", 1),
                           agent_flags=("--frames-dir", frames))
        job = broker.render(1, 60)
        broker.await_job(job, "failed", 30)
        text = broker.web().get(f"/status/{job}").text
        named = re.fullmatch(r"Job failed: 30 of 60 frames failed \((.*)\)",
                             text)
        self.assertIsNotNone(named, text)
        expected = [str(frame) for frame in range(1, 41, 2)] + ["..."]
        self.assertEqual(named[1].split(", "), expected)


if __name__ == "__main__":
    farm.main()
