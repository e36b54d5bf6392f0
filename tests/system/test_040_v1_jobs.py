# SPDX-License-Identifier: Apache-2.0
# ctest: smoke threads long
"""/v1: a job from its submission until it is forgotten, by HTTP alone and with
agents."""

import datetime
import threading
import time

import farm

FIELDS = {"id", "name", "state", "counts", "eta_seconds", "seconds",
          "blender_versions", "warnings", "created_at", "started_at",
          "ended_at", "revision", "frames", "reason", "priority", "paused"}


class Documents(farm.FarmTest):
    def setUp(self):
        self.host = self.broker()
        self.web = self.host.web()

    def test_submit(self):
        answer = self.web.post("/v1/jobs", {"frames": "1-10x3,20",
                                            "name": "shot 1", "priority": 70,
                                            "labels": {"shot": "010"}})
        self.assertEqual(answer.status, 202, answer)
        job = answer.json()
        self.assertEqual(answer.headers["Location"], f"/v1/jobs/{job['id']}")
        self.assertLessEqual(FIELDS, set(job))
        self.assertEqual(job["state"], "queued")
        self.assertEqual(job["frames"], "1-10x3,20")
        self.assertEqual(job["name"], "shot 1")
        self.assertEqual(job["priority"], 70)
        self.assertEqual(job["labels"], {"shot": "010"})
        self.assertEqual(job["counts"], {"total": 5, "pending": 5, "leased": 0,
                                         "done": 0, "failed": 0,
                                         "cancelled": 0})
        self.assertIsNone(job["started_at"])
        self.assertIsNone(job["ended_at"])
        created = datetime.datetime.fromisoformat(job["created_at"])
        age = datetime.datetime.now(datetime.timezone.utc) - created
        self.assertLess(abs(age.total_seconds()), 60)
        self.assertTrue(job["created_at"].endswith("Z"))

    def test_defaults(self):
        job = self.host.submit(**{"from": 1, "to": 20})
        self.assertEqual(job["frames"], "1-20")
        self.assertEqual(job["priority"], 50)
        self.assertEqual(job["paused"], False)
        self.assertEqual(job["user"], "127.0.0.1")

    def test_step(self):
        job = self.host.submit(**{"from": 1, "to": 10, "step": 4})
        self.assertEqual(job["counts"]["total"], 3)
        self.assertEqual(sorted(self.host.frames(job["id"])), [1, 5, 9])

    def test_list_pages_newest_first(self):
        ids = [self.host.render(1, 2) for _ in range(7)]
        seen, path = [], "/v1/jobs?limit=3"
        while path:
            answer = self.web.get(path)
            page = answer.json()
            self.assertLessEqual(len(page["jobs"]), 3)
            seen += [job["id"] for job in page["jobs"]]
            path = None
            if page["next"]:
                self.assertIn('rel="next"', answer.headers["Link"])
                path = f"/v1/jobs?limit=3&cursor={page['next']}"
        self.assertEqual(seen, ids[::-1])

    def test_list_filters(self):
        a = self.host.submit(frames="1", name="alpha", user="ann")["id"]
        b = self.host.submit(frames="1", name="beta", user="bob",
                             paused=True)["id"]

        def ids(query):
            answer = self.web.get(f"/v1/jobs?{query}")
            self.assertEqual(answer.status, 200, answer)
            return [job["id"] for job in answer.json()["jobs"]]

        self.assertEqual(ids("q=alph"), [a])
        self.assertEqual(ids("user=bob"), [b])
        self.assertEqual(ids("state=paused"), [b])
        self.assertEqual(ids("state=queued"), [a])
        self.assertEqual(ids("state=completed"), [])
        for bad in ("state=odd", "limit=0", "limit=x", "limit=1001",
                    "cursor=!!"):
            self.assertEqual(self.web.get(f"/v1/jobs?{bad}").status, 400, bad)

    def test_etag(self):
        job = self.host.render(1, 2)
        path = f"/v1/jobs/{job}"
        tag = self.web.get(path).headers["ETag"]
        self.assertRegex(tag, r'\A"[^"]+"\Z')
        same = self.web.get(path, if_none_match=tag)
        self.assertEqual((same.status, same.body), (304, b""))
        self.web.patch(path, {"priority": 9})
        changed = self.web.get(path, if_none_match=tag)
        self.assertEqual(changed.status, 200)
        self.assertNotEqual(changed.headers["ETag"], tag)

    def test_if_match(self):
        job = self.host.render(1, 2)
        path = f"/v1/jobs/{job}"
        tag = self.web.get(path).headers["ETag"]
        self.assertEqual(self.web.patch(path, {"priority": 9},
                                        if_match=tag).status, 200)
        self.assertEqual(self.web.patch(path, {"priority": 8},
                                        if_match=tag).status, 412)
        self.assertEqual(self.host.job(job)["priority"], 9)

    def test_wait_ends_with_a_change(self):
        job = self.host.render(1, 2)
        path = f"/v1/jobs/{job}"
        tag = self.web.get(path).headers["ETag"]
        answers = []

        def wait():
            answers.append(self.host.web(timeout=30).get(
                path, if_none_match=tag, prefer="wait=20"))

        start = time.monotonic()
        waiter = threading.Thread(target=wait)
        waiter.start()
        waiter.join(0.3)
        self.assertTrue(waiter.is_alive())
        self.web.patch(path, {"paused": True})
        waiter.join(10 * farm.SLOW)
        self.assertFalse(waiter.is_alive())
        self.assertLess(time.monotonic() - start, 5 * farm.SLOW)
        self.assertEqual(answers[0].status, 200)
        self.assertEqual(answers[0].json()["state"], "paused")

    def test_wait_ends_by_itself(self):
        job = self.host.render(1, 2)
        path = f"/v1/jobs/{job}"
        tag = self.web.get(path).headers["ETag"]
        start = time.monotonic()
        answer = self.web.get(path, if_none_match=tag, prefer="wait=1")
        took = time.monotonic() - start
        self.assertEqual(answer.status, 304, answer)
        self.assertGreater(took, 0.9)
        self.assertLess(took, 3 * farm.SLOW)

    def test_patch(self):
        job = self.host.render(1, 2)
        path = f"/v1/jobs/{job}"
        answer = self.web.patch(path, {"priority": 100, "max_agents": 2,
                                       "paused": True})
        self.assertEqual(answer.status, 200, answer)
        document = answer.json()
        self.assertEqual((document["priority"], document["max_agents"],
                          document["state"]), (100, 2, "paused"))
        for bad in ({"priority": 101}, {"paused": 1}, {"frames": "1"},
                    {"colour": "red"}, [], {"max_agents": -1}):
            self.assertEqual(self.web.patch(path, bad).status, 400, bad)
        self.assertEqual(self.web.patch("/v1/jobs/AAAAAAAAAAAAAAAAAAAAAA",
                                        {"paused": True}).status, 404)

    def test_cancel_and_forget(self):
        job = self.host.render(1, 20)
        path = f"/v1/jobs/{job}"
        self.assertEqual(self.web.delete(path).status, 409)
        answer = self.web.post(f"{path}:cancel", {"reason": "wrong camera"})
        self.assertEqual(answer.status, 200, answer)
        document = self.host.job(job)
        self.assertEqual(document["state"], "cancelled")
        self.assertEqual(document["reason"], "wrong camera")
        self.assertEqual(document["counts"]["cancelled"], 20)
        self.assertIsNotNone(document["ended_at"])
        self.assertIn(self.web.delete(path).status, (200, 204))
        self.assertEqual(self.web.get(path).status, 404)
        self.assertEqual(self.web.get(f"/status/{job}").status, 404)
        self.assertEqual(self.web.get("/v1/jobs").json()["jobs"], [])

    def test_cancel_and_retry_frames(self):
        job = self.host.render(1, 5)
        frames = f"/v1/jobs/{job}/frames"
        self.web.post(f"{frames}:cancel", {"frames": "2-3"})
        self.assertEqual(self.host.states(job), "qccqq")
        self.web.post(f"{frames}:retry", {"frames": "3"})
        self.assertEqual(self.host.states(job), "qcqqq")
        self.web.post(f"{frames}:cancel", {"frames": "1,3-5"})
        self.assertEqual(self.host.job(job)["state"], "cancelled")
        self.assertEqual(self.web.get(f"/status/{job}").status, 500)
        self.web.post(f"{frames}:retry", {"frames": "1-5"})
        self.assertEqual(self.web.get(f"/status/{job}").status, 202)
        for bad in ({"frames": "0"}, {"frames": "6"}, {"frames": "x"}, {},
                    {"state": "odd"}, {"frames": "1", "state": "failed"}):
            self.assertEqual(self.web.post(f"{frames}:retry", bad).status, 400,
                             bad)

    def test_frames(self):
        job = self.host.submit(frames="1-10x3,20")["id"]
        frames = self.host.frames(job)
        self.assertEqual(sorted(frames), [1, 4, 7, 10, 20])
        self.assertEqual(frames[1]["state"], "pending")
        self.assertEqual(frames[1]["attempts"], 0)
        view = self.web.get(f"/v1/jobs/{job}/frames?view=states").json()
        self.assertEqual(view["frames"], "1-10x3,20")
        self.assertEqual(view["states"], "qqqqq")
        one = self.web.get(f"/v1/jobs/{job}/frames/4")
        self.assertEqual(one.status, 200)
        self.assertEqual(one.json()["frame"], 4)
        for missing in ("2", "21", "x", "-1", "4294967300"):
            answer = self.web.get(f"/v1/jobs/{job}/frames/{missing}")
            self.assertIn(answer.status, (400, 404), missing)

    def test_idempotency_key(self):
        body = {"from": 1, "to": 20}
        headers = {"idempotency_key": '"a-key"'}
        first = self.web.post("/v1/jobs", body, **headers)
        again = self.web.post("/v1/jobs", body, **headers)
        self.assertEqual(first.status, 202)
        self.assertEqual(again.status, 202)
        self.assertEqual(first.json()["id"], again.json()["id"])
        other = self.web.post("/v1/jobs", {"from": 1, "to": 21}, **headers)
        self.assertEqual(other.status, 422, other)
        self.assertEqual(len(self.web.get("/v1/jobs").json()["jobs"]), 1)

    def test_idempotency_at_the_same_time(self):
        ids, threads = [], []

        def submit():
            answer = self.host.web().post("/v1/jobs", {"from": 1, "to": 2},
                                          idempotency_key="at-once")
            ids.append(answer.json()["id"])

        for _ in range(16):
            threads.append(threading.Thread(target=submit))
            threads[-1].start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(ids), 16)
        self.assertEqual(len(set(ids)), 1)

    def test_idempotency_outlives_a_restart(self):
        headers = {"idempotency_key": "k"}
        first = self.web.post("/v1/jobs", {"from": 1, "to": 2}, **headers)
        self.host.kill()
        self.host.restart()
        again = self.web.post("/v1/jobs", {"from": 1, "to": 2}, **headers)
        self.assertEqual(first.json()["id"], again.json()["id"])

    def test_health_routes(self):
        for path in ("/livez", "/readyz", "/healthz", "/health"):
            self.assertEqual(self.web.get(path).status, 200, path)

    def test_metrics(self):
        self.host.render(1, 20)
        answer = self.web.get("/metrics")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers["Content-Type"].startswith(
            "text/plain"))
        for line in answer.text.splitlines():
            self.assertRegex(line, r"\A(# (HELP|TYPE|EOF)|"
                             r"[a-z_]+(\{.*\})? [-+.0-9eInfNa]+\Z)")

    def test_farm(self):
        self.host.render(1, 20)
        document = self.host.farm()
        self.assertEqual(document["jobs"]["total"], 1)
        self.assertEqual(document["frames"]["pending"], 20)
        self.assertEqual(document["state"], "waiting")
        self.assertEqual(document["ledger"]["state"], "ok")
        self.assertRegex(document["seq"], r"\A\d+:\d+\Z")


class WithAgents(farm.FarmTest):
    def test_document_of_a_done_job(self):
        frames = self.folder / "frames"
        fake = self.fake(frame_ms=20, frames=frames)
        broker = self.farm(fake, agent_flags=("--frames-dir", frames))
        job = broker.render(1, 10)
        document = broker.await_job(job)
        self.assertEqual(document["counts"]["done"], 10)
        self.assertIsNotNone(document["started_at"])
        self.assertIsNotNone(document["ended_at"])
        self.assertGreater(document["seconds"]["max"], 0)
        for number, frame in broker.frames(job).items():
            self.assertEqual(frame["state"], "done")
            self.assertEqual(frame["agent"], "a1")
            self.assertEqual(len(frame["files"]), 1, frame)
            self.assertTrue(frame["files"][0]["path"].endswith(
                f"_{number:04d}.png"), frame)

    def test_retry_renders_done_frames_again(self):
        fake = self.fake(frame_ms=10)
        broker = self.farm(fake)
        job = broker.render(1, 5)
        broker.await_job(job)
        answer = broker.web().post(f"/v1/jobs/{job}/frames:retry",
                                   {"frames": "2-3"})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(broker.web().get(f"/status/{job}").status, 202)
        broker.await_job(job)
        self.assertEqual(sorted(fake.rendered()), [1, 2, 2, 3, 3, 4, 5])

    def test_retry_of_failed_frames(self):
        frames = self.folder / "frames"
        fake = self.fake("--fail-frame", "3:3", frame_ms=10, frames=frames)
        broker = self.farm(fake, agent_flags=("--frames-dir", frames))
        job = broker.render(1, 4)
        document = broker.await_job(job, "failed")
        self.assertEqual(document["counts"]["failed"], 1)
        self.assertEqual(document["failures"][0]["frame"], 3)
        failed = broker.web().get(f"/v1/jobs/{job}/frames?state=failed").json()
        self.assertEqual([f["frame"] for f in failed["frames"]], [3])
        self.assertEqual(failed["frames"][0]["attempts"], 3)
        groups = broker.web().get(f"/v1/jobs/{job}/failures")
        self.assertEqual(groups.status, 200)
        broker.web().post(f"/v1/jobs/{job}/frames:retry", {"state": "failed"})
        broker.await_job(job)

    def test_cancel_stops_what_is_left(self):
        fake = self.fake(frame_ms=100)
        broker = self.farm(fake)
        job = broker.render(1, 1000, batch=2)
        farm.until("three frames are done",
                   lambda: broker.job(job)["counts"]["done"] >= 3)
        broker.web().post(f"/v1/jobs/{job}:cancel", {})
        document = broker.await_job(job, "cancelled")
        self.assertGreaterEqual(document["counts"]["done"], 3)
        self.assertEqual(document["counts"]["leased"], 0)

    def test_events_of_a_job(self):
        fake = self.fake(frame_ms=10)
        broker = self.farm(fake)
        events = broker.events()
        self.assertEqual(events.status, 200)
        self.assertTrue(events.headers["Content-Type"].startswith(
            "text/event-stream"))
        job = broker.render(1, 10)
        read = events.until(lambda _, kind, data: kind == "job" and
                            data["change"] == "ended")
        done = [data["frame"] for _, kind, data in read
                if kind == "frame" and data["state"] == "done"]
        self.assertEqual(sorted(done), list(range(1, 11)))
        self.assertTrue(all(data["job"] == job for _, kind, data in read
                            if kind in ("job", "frame")))
        self.assert_gapless(read)

    def assert_gapless(self, events):
        numbers = [int(i.split(":")[1]) for i, _, _ in events]
        first = numbers[0]
        self.assertEqual(numbers, list(range(first, first + len(numbers))))

    def test_events_resume_where_they_were_cut(self):
        fake = self.fake(frame_ms=30)
        broker = self.farm(fake)
        events = broker.events()
        broker.render(1, 40)
        first = events.until(lambda _, kind, data: kind == "frame" and
                             data["state"] == "done")
        events.close()
        resumed = broker.events(last_id=first[-1][0])
        rest = resumed.until(lambda _, kind, data: kind == "job" and
                             data["change"] == "ended")
        self.assert_gapless(first + rest)
        done = [data["frame"] for _, kind, data in first + rest
                if kind == "frame" and data["state"] == "done"]
        self.assertEqual(sorted(done), list(range(1, 41)))

    def test_events_of_another_epoch_are_reset(self):
        broker = self.broker()
        for strange in ("1:99999999", "999:1"):
            events = broker.events(last_id=strange)
            _, kind, data = next(iter(events))
            self.assertEqual(kind, "reset", strange)
            self.assertRegex(data["id"], r"\A\d+:\d+\Z")


if __name__ == "__main__":
    farm.main()
