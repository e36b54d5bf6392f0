# SPDX-License-Identifier: Apache-2.0
# ctest: blender
"""frameq-node: the /job API, what it answers and what it refuses."""

from farm import main
from nodes import BLENDER, JSON, NodeTest
from wire import Web

LAST = 1048574


class Programs(NodeTest):
    def test_refuses_an_open_address(self):
        run = self.run_program("frameq-node", "--listen", "0.0.0.0:0")
        self.assertEqual(run.returncode, 1)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        self.assertIn("--insecure", run.stderr)
        self.assertEqual(run.stdout, "")

    def test_insecure_is_taken(self):
        node = self.node("--insecure", listen="0.0.0.0:0")
        self.assertRegex(node.address, r"^0\.0\.0\.0:\d+$")

    def test_unknown_flag(self):
        run = self.run_program("frameq-node", "--blender-root", "/tmp")
        self.assertEqual(run.returncode, 2)
        self.assertIn("--blend-root", run.stderr)

    def test_bad_words(self):
        for flag, value in (("--device", "gpu"), ("--sandbox", "on"),
                            ("--slots", "0"), ("--slots", "257"),
                            ("--nice", "20"), ("--threads", "-1")):
            with self.subTest(flag=flag, value=value):
                run = self.run_program("frameq-node", flag, value)
                self.assertEqual(run.returncode, 2, run.stderr)

    def test_missing_blend(self):
        run = self.run_program("frameq-node", "--listen", "127.0.0.1:0",
                               "--blend", "/nowhere/a.blend")
        self.assertEqual(run.returncode, 1)
        self.assertIn("/nowhere/a.blend", run.stderr)

    def test_taken_port(self):
        node = self.node()
        run = self.run_program("frameq-node", "--listen", node.address)
        self.assertEqual(run.returncode, 1)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)


class Answers(NodeTest):
    def test_health_and_info(self):
        node = self.start("--slots", "3", "--threads", "1")
        health = self.web(node).get("/health")
        self.assertEqual((health.status, health.text), (200, "OK"))
        info = self.web(node).get("/info").json()
        self.assertRegex(info["blender"]["version"], r"^\d+\.\d+\.\d+")
        self.assertIn("CYCLES", info["engines"])
        self.assertEqual((info["slots"], info["free"]), (3, 3))
        self.assertEqual(info["cores"], 1)
        self.assertGreater(info["memory_mb"], 100)
        self.assertIsInstance(info["gpus"], list)
        self.assertTrue(info["healthy"])
        self.assertEqual(info["fault"], "none")
        self.assertLessEqual({"wait", "patch", "delete", "key", "frames"},
                             set(info["features"]))
        self.assertIn(info["sandbox"], ("bubblewrap", "off"))

    def test_the_classic_walk(self):
        node = self.shared("--warm", "off")
        answer = self.web(node).post("/job", {"from": 1, "to": 3})
        self.assertEqual(answer.status, 202)
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertEqual(answer.headers["Retry-After"], "5")
        pid = answer.json()["pid"]
        self.assertEqual(answer.text, '{"pid":%d}' % pid)
        running = self.web(node).get(f"/job/{pid}")
        self.assertEqual((running.status, running.text),
                         (202, "Job still running"))
        self.assertEqual(running.headers["Location"], f"/job/{pid}")
        self.assertEqual(running.headers["Retry-After"], "5")
        self.assertEqual(running.headers["Content-Type"],
                         "text/plain; charset=utf-8")
        self.await_end(node, pid)
        self.assertEqual(self.text(node, pid), (200, "Job completed"))
        self.assertEqual(self.pictures(node),
                         [f"blender-render_000{n}.png" for n in (1, 2, 3)])

    def test_text_unless_json_is_preferred(self):
        node = self.shared()
        pid = self.post(node, **{"from": 1, "to": 1})
        for accept, kind in (("*/*", "text/plain"),
                             ("application/json, text/plain, */*",
                              "text/plain"),
                             ("application/json", "application/json")):
            with self.subTest(accept=accept):
                answer = self.web(node).get(f"/job/{pid}", accept=accept)
                self.assertTrue(
                    answer.headers["Content-Type"].startswith(kind))
        answer = self.web(node).request("GET", "/job/987", headers=JSON)
        self.assertEqual(answer.status, 400)
        self.assertEqual(answer.headers["Content-Type"],
                         "application/problem+json")
        self.assertEqual(answer.json()["detail"], "Job not found")

    def test_unknown_jobs(self):
        node = self.node()
        for path in ("/job/1", "/job/abc", "/job/12x", "/job/-1",
                     "/job/99999999999999999999"):
            with self.subTest(path=path):
                for method in ("GET", "DELETE"):
                    answer = self.web(node).request(method, path)
                    self.assertEqual((answer.status, answer.text),
                                     (400, "Job not found"))

    def test_other_paths_and_methods(self):
        node = self.shared()
        self.assertEqual(self.web(node).get("/").status, 404)
        self.assertEqual(self.web(node).get("/jobs").status, 404)
        answer = self.web(node).get("/job")
        self.assertEqual((answer.status, answer.headers["Allow"]),
                         (405, "POST"))
        answer = self.web(node).request("PUT", "/job/1")
        self.assertEqual(answer.headers["Allow"], "GET, PATCH, DELETE")
        self.assertEqual(self.web(node).request("HEAD", "/health").body, b"")

    def test_pids_never_come_again(self):
        node = self.start()
        first = self.post(node, **{"from": 1, "to": 1})
        self.await_end(node, first)
        node.kill()
        node.start()
        second = self.post(node, **{"from": 2, "to": 2})
        self.assertGreater(second, first)
        self.assertEqual(self.text(node, first), (400, "Job not found"))


class Refusals(NodeTest):
    def refuse(self, node, body, *words, **headers):
        answer = self.web(node).post("/job", body, **headers)
        self.assertEqual(answer.status, 400, (body, answer))
        self.assertTrue(answer.text.startswith("Invalid input: "), answer.text)
        for word in words:
            self.assertIn(word, answer.text)

    def test_bodies(self):
        node = self.shared()
        for body, word in (
                ("", ""), ("{", ""), ("[]", ""), ("null", ""), ("1", ""),
                ('{"from":1,"to":2}x', ""), ('{"from":1,"from":1,"to":2}', ""),
                ("[" * 10000, ""), ({}, "from"), ({"from": 1}, "to"),
                ({"to": 1}, "from"), ({"from": "1", "to": 2}, "from"),
                ({"from": 1, "to": 1.5}, "to"), ('{"from":1,"to":NaN}', ""),
                ('{"from":1,"to":1e400}', ""), ({"from": True, "to": 2}, "from"),
                ({"from": None, "to": 2}, "from"),
                ({"from": 5, "to": 3}, "from"), ({"from": -5, "to": 3}, "from"),
                ({"from": -5, "to": -3}, "from"),
                ({"from": 1, "to": LAST + 1}, "to"),
                ({"from": 1, "to": 2, "step": 0}, "step"),
                ({"from": 1, "to": 2, "frames": "1-2"}, "frames"),
                ({"frames": "5-3"}, "frames"), ({"frames": "a"}, "frames"),
                ({"frames": ""}, "frames"), ({"frames": "-3"}, "frames"),
                ({"from": 1, "to": 2, "form": 3}, "unknown field `form`"),
                ({"from": 1, "to": 2, "pid": 3}, "unknown field `pid`")):
            with self.subTest(body=body):
                self.refuse(node, body, word)
        self.assertEqual(self.web(node).get("/info").json()["free"], 1)

    def test_fields(self):
        node = self.shared()
        for field, value in (
                ("job", "../x"), ("job", "a/b"), ("job", ""), ("job", "."),
                ("output", "/abs_####"), ("output", "../x_####"),
                ("output", "a/../b_####"), ("output", "none"),
                ("format", "FFMPEG"), ("engine", "POVRAY"), ("samples", 0),
                ("resolution", "0x9"), ("resolution", "big"),
                ("view_layers", "One"), ("replace", "yes"), ("key", ""),
                ("key", "k" * 129), ("name", "n" * 129), ("scripts", "maybe"),
                ("missing_files", "ignore"), ("timeout_seconds", -1),
                ("scripts", "on")):
            with self.subTest(field=field, value=value):
                self.refuse(node, {"from": 1, "to": 2, field: value},
                            f"field `{field}`")

    def test_blend_stays_under_its_roots(self):
        node = self.shared()
        inside = self.folder / "inside"
        inside.mkdir()
        outside = self.folder / "outside.blend"
        outside.write_bytes(b"BLENDER")
        (inside / "link.blend").symlink_to(outside)
        rooted = self.node("--blend-root", inside)
        for blend in (str(outside), str(inside / "link.blend"),
                      str(inside / ".." / "outside.blend"),
                      "../outside.blend", "link.blend", "/etc/passwd",
                      str(inside) + "x/../outside.blend"):
            with self.subTest(blend=blend):
                self.refuse(rooted, {"from": 1, "to": 1, "blend": blend},
                            "field `blend`")
        self.refuse(node, {"from": 1, "to": 1, "blend": "none.blend"},
                    "No such file")
        self.refuse(rooted, {"from": 1, "to": 1}, "--blend")
        bare = self.node("--blend", self.scene("plain"))
        self.refuse(bare, {"from": 1, "to": 1, "blend": self.scene("slow")},
                    "--blend-root")

    def test_media_types(self):
        node = self.shared()
        for kind in ("text/plain", "application/xml"):
            answer = self.web(node).post("/job", {"from": 1, "to": 1},
                                         content_type=kind)
            self.assertEqual(answer.status, 415)
        answer = self.web(node).post(
            "/job", {"from": 1, "to": 1}, origin="http://example.org",
            content_type="application/x-www-form-urlencoded")
        self.assertEqual(answer.status, 415)
        answer = self.web(node).post(
            "/job", {"from": 1, "to": 1},
            content_type="application/x-www-form-urlencoded")
        self.assertEqual(answer.status, 202)

    def test_web_pages(self):
        node = self.shared()
        for method, path in (("POST", "/job"), ("DELETE", "/job/1"),
                             ("PATCH", "/job/1")):
            answer = self.web(node).request(
                method, path, {"from": 1, "to": 1},
                {"Origin": "http://example.org",
                 "Content-Type": "application/json"})
            self.assertEqual(answer.status, 403)
        self.assertEqual(self.web(node).get("/info").json()["free"], 1)

    def test_too_long(self):
        node = self.shared()
        answer = self.web(node).post("/job", "x" * (1024 * 1024 + 1))
        self.assertEqual(answer.status, 413)

    def test_no_blender(self):
        node = self.start("--blender", "/nowhere/blender")
        info = self.web(node).get("/info").json()
        self.assertFalse(info["healthy"])
        self.assertEqual(info["fault"], "no_blender")
        self.assertIn("/nowhere/blender", info["reason"])
        answer = self.web(node).post("/job", {"from": 1, "to": 1})
        self.assertEqual(answer.status, 503)
        self.assertIn("no_blender", answer.text)
        self.assertEqual(answer.headers["Retry-After"], "5")
        self.assertRegex(node.log_text(), r"level=warn .*event=unwell "
                         r'fault=no_blender reason=".*/nowhere/blender"')

    def test_a_blender_that_comes_later(self):
        program = self.folder / "blender"
        node = self.start("--blender", program)
        self.assertFalse(self.web(node).get("/info").json()["healthy"])
        program.symlink_to(BLENDER)
        info = self.web(node).get("/info").json()
        self.assertTrue(info["healthy"], info)
        self.assertIsNotNone(info["blender"]["version"])

    def test_a_blender_that_does_not_run(self):
        program = self.folder / "blender"
        program.write_text("#!/bin/sh\necho Error: broken library\nexit 3\n")
        program.chmod(0o755)
        node = self.start("--blender", program)
        info = self.web(node).get("/info").json()
        self.assertEqual(info["fault"], "no_blender")
        self.assertIn("broken library", info["reason"])
        self.assertRegex(node.log_text(), "event=unwell .*broken library")

    def test_a_device_that_is_not_there(self):
        node = self.start("--device", "oneapi")
        info = self.web(node).get("/info").json()
        self.assertEqual(info["gpus"], [])
        self.assertFalse(info["healthy"])
        self.assertIn("oneapi", info["reason"])


class Keys(NodeTest):
    def test_a_key_is_one_job(self):
        node = self.shared()
        body = {"from": 1, "to": 2, "key": "lease-1", "job": "a"}
        pid = self.post(node, **body)
        self.assertEqual(self.post(node, **body), pid)
        answer = self.web(node).post("/job", {**body, "to": 3})
        self.assertEqual(answer.status, 409)
        job = self.await_end(node, pid)
        self.assertEqual(job["key"], "lease-1")
        self.assertEqual(self.post(node, **body), pid)
        self.assertEqual(self.job(node, pid)["rev"], job["rev"])

    def test_busy(self):
        node = self.shared()
        self.post(node, **{"from": 1, "to": 9, "blend": self.scene("slow")})
        answer = self.web(node).post("/job", {"from": 1, "to": 1})
        self.assertEqual((answer.status, answer.text),
                         (503, "Server busy, try again later"))
        self.assertEqual(answer.headers["Retry-After"], "5")
        self.assertEqual(self.web(node).get("/info").json()["free"], 0)
        bad = self.web(node).post("/job", {"from": 1})
        self.assertEqual(bad.status, 400)

    def test_two_slots(self):
        node = self.start("--slots", "2", "--threads", "1")
        pids = [self.post(node, **{"from": n, "to": n}) for n in (1, 2)]
        for pid in pids:
            self.assertEqual(self.await_end(node, pid)["state"], "completed")
        self.assertEqual(len(self.pictures(node)), 2)


class Waiting(NodeTest):
    def test_answers_at_the_next_change(self):
        node = self.shared("--warm", "off")
        pid = self.post(node, **{"from": 1, "to": 3})
        seen = [self.job(node, pid)]
        while seen[-1]["state"] == "running":
            seen.append(self.job(node, pid,
                                 f"?wait=30&after={seen[-1]['rev']}"))
            self.assertGreater(seen[-1]["rev"], seen[-2]["rev"])
        self.assertEqual(seen[-1]["state"], "completed")
        self.assertIn("rendering", {state for job in seen
                                    for state in self.states(job).values()})
        self.assertEqual(self.job(node, pid, "?wait=30")["state"], "completed")

    def test_no_change_in_time(self):
        node = self.shared()
        pid = self.post(node, **{"from": 1, "to": 1})
        rev = 10 ** 9
        job = self.job(node, pid, f"?wait=0.2&after={rev}")
        self.assertEqual(job["pid"], pid)

    def test_bad_queries(self):
        node = self.shared()
        pid = self.post(node, **{"from": 1, "to": 1})
        for query in ("?wait=x", "?wait=-1", "?wait=1&after=x", "?wait="):
            with self.subTest(query=query):
                answer = self.web(node).get(f"/job/{pid}{query}")
                self.assertEqual(answer.status, 400)

    def test_a_client_that_leaves(self):
        node = self.shared("--warm", "off")
        pid = self.post(node, **{"from": 1, "to": 2})
        impatient = Web(node.address, timeout=0.2)
        with self.assertRaises(OSError):
            impatient.get(f"/job/{pid}?wait=30&after=999")
        self.assertEqual(self.await_end(node, pid)["state"], "completed")


if __name__ == "__main__":
    main()
