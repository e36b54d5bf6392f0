# SPDX-License-Identifier: Apache-2.0
"""frameq against a broker that says what the test wants: exit codes, what is
asked of the broker, and what a person reads."""
# ctest: smoke

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading

import farm
from fakebroker import FakeBroker, agent, ended, job, refusal
from fakebroker import farm as farm_document

JOB = ("GET", "/v1/jobs/abcdefgh12345678")
ESCAPE = "\x1b"


class CliTest(farm.FarmTest):
    def frameq(self, *args, broker=None, seconds=20, **env):
        base = {"LC_ALL": "C.UTF-8", "TERM": "xterm", "FRAMEQ_BROKER": ""}
        if broker:
            base["FRAMEQ_BROKER"] = broker.url
        return self.run_program("frameq", *args, seconds=seconds,
                                env={**base, **env})

    def start(self, *args, broker):
        process = subprocess.Popen(
            [str(farm.BIN / "frameq"), *args], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=dict(os.environ, FRAMEQ_BROKER=broker.url, LC_ALL="C.UTF-8"))
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def assert_code(self, result, code, *patterns):
        self.assertEqual(result.returncode, code, result)
        for pattern in patterns:
            self.assertRegex(result.stdout + result.stderr, pattern)


class Words(CliTest):
    def test_help_fits_a_terminal(self):
        result = self.frameq("--help")
        self.assert_code(result, 0)
        lines = result.stdout.splitlines()
        self.assertLessEqual(len(lines), 24)
        self.assertLessEqual(max(map(len, lines)), 80)
        for verb in ("dev submit status ls show explain frames logs fetch movie "
                     "agents activity cancel retry pause resume priority rm drain watch backup "
                     "completion").split():
            self.assertRegex(result.stdout, rf"(?m)^.{{10}}(\w+, )?{verb}[, ]")
        self.assertEqual(self.frameq("help").stdout, result.stdout)

    def test_no_verb_is_a_usage_error(self):
        result = self.frameq()
        self.assert_code(result, 2)
        self.assertEqual(result.stdout, "")
        self.assertIn("submit", result.stderr)

    def test_wrong_words(self):
        self.assert_code(self.frameq("lss"), 2, "did you mean `ls`")
        self.assert_code(self.frameq("qwertyuiop"), 2, "unknown verb")
        for typed, meant in (("STATUS", "status"), ("jobs", "ls"),
                             ("stop", "cancel"), ("delete", "rm")):
            self.assert_code(self.frameq(typed, "x"), 2,
                             f"did you mean `{meant}`")
        self.assert_code(self.frameq("--versoin"), 2, "did you mean --version")
        self.assert_code(self.frameq("--brokr", "http://h:1", "status"), 2,
                         "--brokr .did you mean --broker")
        self.assert_code(self.frameq("-f", "1-5", "submit"), 2, "unknown flag "
                         "-f: those of a verb stand behind it")
        self.assert_code(self.frameq("ls", "--al"), 2, "--all")
        self.assert_code(self.frameq("ls", "x"), 2, "unexpected argument")
        self.assert_code(self.frameq("ls", "--state", "ended"), 2, "queued")
        self.assert_code(self.frameq("show"), 2, "JOB is missing")
        self.assert_code(self.frameq("rm"), 2, "JOB or --older")
        self.assert_code(self.frameq("submit"), 2, "-f")
        self.assert_code(self.frameq("submit", "-f", "1", "/no/x.blend"), 2,
                         "No such file")
        self.assert_code(self.frameq("submit", "-f", "1", self.folder), 2,
                         "is a folder")
        self.assert_code(self.frameq("logs", "x", "1-3"), 2,
                         "FRAME must be a whole number, not `1-3`")
        self.assert_code(self.frameq("explain", "x", "last"), 2, "not `last`")
        self.assert_code(self.frameq("priority", "x"), 2, ": N is missing")
        self.assert_code(self.frameq("priority", "x", "-5"), 2,
                         "must be a whole number, not `-5`")
        self.assert_code(self.frameq("submit", "-f", "1", "--samples", "x"), 2)
        self.assert_code(self.frameq("drain", "n", "--until", "noon"), 2)
        self.assert_code(self.frameq("drain", "n", "--off", "--now"), 2)
        self.assert_code(self.frameq("dev", "--agents", "0"), 2)
        self.assert_code(self.frameq("dev", "--agents", "1000"), 2)

    def test_version(self):
        for args in (["version"], ["--version"]):
            result = self.frameq(*args)
            self.assert_code(result, 0)
            self.assertRegex(result.stdout, r"\Aframeq \d+\.\d+\.\d+\n\Z")
        self.assertIn("version", json.loads(
            self.frameq("version", "--json").stdout))

    def test_each_verb_helps(self):
        for verb in ("dev submit status ls show explain frames logs fetch movie "
                     "agents activity cancel retry pause resume priority rm drain watch backup completion "
                     "doctor version").split():
            result = self.frameq(verb, "--help")
            self.assert_code(result, 0, f"Usage: frameq {verb}")
            self.assertLessEqual(max(map(len, result.stdout.splitlines())), 80)
            self.assertEqual(self.frameq("help", verb).stdout, result.stdout)


class Completion(CliTest):
    def complete(self, words, broker=None):
        """What bash offers for the last of the words."""
        script = ('eval "$(frameq completion bash)"; COMP_WORDS=("$@"); '
                  "COMP_CWORD=$(($# - 1)); _frameq; echo ${COMPREPLY[@]}")
        result = subprocess.run(
            ["bash", "-c", script, "bash", *words], capture_output=True,
            text=True, timeout=20, stdin=subprocess.DEVNULL,
            env=dict(os.environ, PATH=f"{farm.BIN}:{os.environ['PATH']}",
                     FRAMEQ_BROKER=broker.url if broker else ""))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout.split()

    def test_verbs(self):
        self.assertEqual(self.complete(["frameq", "re"]), ["retry", "resume"])
        offered = self.complete(["frameq", ""])
        listed = self.frameq("completion", "verbs").stdout.splitlines()
        self.assertEqual(sorted(offered),
                         sorted(line.split("\t")[0] for line in listed))
        for verb in ("submit", "resume", "doctor", "version"):
            self.assertIn(verb, offered)

    def test_flags(self):
        self.assertEqual(self.complete(["frameq", "retry", "--f"]),
                         ["--failed", "--frames"])

    def test_jobs_and_agents(self):
        broker = FakeBroker(self, {
            ("GET", "/v1/jobs"): {"jobs": [job()], "next": None},
            ("GET", "/v1/agents"): {"agents": [agent()]}})
        for verb in ("show", "fetch", "watch"):
            self.assertEqual(self.complete(["frameq", verb, "abc"], broker),
                             ["abcdefgh12345678"])
        self.assertEqual(self.complete(["frameq", "fetch", "sh"], broker),
                         ["shot"])
        self.assertEqual(self.complete(["frameq", "drain", ""], broker),
                         [agent()["name"]])
        self.assertEqual(self.complete(["frameq", "agents", "re"], broker),
                         ["remove"])
        self.assertIn(agent()["name"], self.complete(
            ["frameq", "agents", "remove", ""], broker))

    def test_every_shell_has_a_script(self):
        for shell in ("bash", "zsh", "fish"):
            result = self.frameq("completion", shell)
            self.assert_code(result, 0, "SPDX-License-Identifier")
        self.assert_code(self.frameq("completion", "tcsh"), 2, "zsh or fish")
        self.assert_code(self.frameq("completion"), 2, "zsh or fish")


class Unreachable(CliTest):
    def setUp(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"

    def test_nobody_there(self):
        for args in (["status"], ["ls"], ["agents"], ["show", "x"],
                     ["frames", "x"], ["cancel", "x"], ["retry", "x"],
                     ["pause", "x"], ["resume", "x"], ["priority", "x", "1"],
                     ["rm", "x"], ["drain", "x"], ["watch"], ["watch", "x"]):
            result = self.frameq(*args, "--broker", self.url)
            self.assert_code(result, 3)
            self.assertEqual(result.stdout, "")
            self.assertEqual(
                result.stderr,
                f"frameq: no broker answers at {self.url}: start one with "
                "`frameq dev` or name it with --broker\n")

    def test_flag_may_stand_before_the_verb(self):
        self.assert_code(self.frameq("--broker", self.url, "ls"), 3, self.url)

    def test_somebody_else(self):
        other = FakeBroker(self, {("GET", "/v1/farm"): (404, None),
                                  ("GET", "/v1/jobs"): (200, None)})
        self.assert_code(self.frameq("status", broker=other), 3,
                         "is no frameq broker")
        self.assert_code(self.frameq("ls", broker=other), 3,
                         "is no frameq broker")

    def test_somebody_else_who_speaks_json(self):
        other = FakeBroker(self, {("GET", path): {"status": "ok"} for path in (
            "/v1/farm", "/v1/jobs", "/v1/agents", "/v1/activity")})
        for args in (["status"], ["ls"], ["agents"], ["show", "x"], ["drain"],
                     ["activity"], ["watch"]):
            self.assert_code(self.frameq(*args, broker=other), 3,
                             "is no frameq broker")

    def test_a_proxy_is_not_asked_for_loopback(self):
        broker = FakeBroker(self)
        self.assert_code(self.frameq("ls", broker=broker, http_proxy=self.url,
                                     no_proxy=""), 0)


class Submit(CliTest):
    def test_id_alone_on_stdout(self):
        broker = FakeBroker(self, {("POST", "/v1/jobs"): (
            202, job(warnings=["no agent is connected"]))})
        blend = self.folder / "a b.blend"
        blend.write_bytes(b"")
        result = self.frameq("submit", blend, "-f", "1-20", "--tag", "gpu",
                             "--resolution", "50%", broker=broker)
        self.assert_code(result, 0)
        self.assertEqual(result.stdout, "abcdefgh12345678\n")
        self.assertIn("no agent is connected", result.stderr)
        request, = broker.asked("POST", "/v1/jobs")
        user = request.body.pop("user")
        self.assertTrue(user)
        self.assertEqual(request.body, {
            "frames": "1-20", "blend": str(blend.resolve()), "name": "a b",
            "resolution": "50%", "requires": {"tags": ["gpu"]}})
        self.assertRegex(request.headers["Idempotency-Key"], r"\A\w{16,64}\Z")
        self.assertEqual(request.headers["Content-Type"], "application/json")

    def test_json(self):
        broker = FakeBroker(self, {("POST", "/v1/jobs"): (202, job())})
        result = self.frameq("submit", "-f", "1", "--json", broker=broker)
        self.assertEqual(json.loads(result.stdout), job())

    def test_after_takes_any_name_of_a_job(self):
        broker = FakeBroker(self, {
            ("GET", "/v1/jobs"): {"jobs": [job()], "next": None},
            ("POST", "/v1/jobs"): (202, job(id="b" * 16))})
        self.assert_code(self.frameq("submit", "-f", "1", "--after", "shot",
                                     "--after", "abcdef", broker=broker), 0)
        request, = broker.asked("POST", "/v1/jobs")
        self.assertEqual(request.body["depends_on"], ["abcdefgh12345678"] * 2)

    def test_repeats_with_one_key_until_answered(self):
        broker = FakeBroker(self, {("POST", "/v1/jobs"): [
            None, refusal(503, "starting"), None, (202, job())]})
        result = self.frameq("submit", "-f", "1-20", broker=broker)
        self.assert_code(result, 0)
        self.assertEqual(result.stdout, "abcdefgh12345678\n")
        requests = broker.asked("POST", "/v1/jobs")
        self.assertEqual(len(requests), 4)
        self.assertEqual(len({request.headers["Idempotency-Key"]
                              for request in requests}), 1)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertIn("trying again", result.stderr)

    def test_two_submits_have_two_keys(self):
        broker = FakeBroker(self, {("POST", "/v1/jobs"): (202, job())})
        self.frameq("submit", "-f", "1", broker=broker)
        self.frameq("submit", "-f", "1", broker=broker)
        one, two = broker.asked("POST", "/v1/jobs")
        self.assertNotEqual(one.headers["Idempotency-Key"],
                            two.headers["Idempotency-Key"])

    def test_broker_that_comes_late(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        late = type("Late", (), {"url": f"http://127.0.0.1:{port}"})
        process = self.start("submit", "-f", "1-20", broker=late)
        self.assertIn("trying again for 60 s", process.stderr.readline())
        FakeBroker(self, {("POST", "/v1/jobs"): (202, job())}, port=port)
        self.assertEqual(process.stdout.read(), "abcdefgh12345678\n")
        self.assertEqual(process.wait(20), 0)

    def test_refusals_are_not_repeated(self):
        for status in (400, 401, 403, 422, 429, 507):
            broker = FakeBroker(self, {("POST", "/v1/jobs"): refusal(
                status, "field `frames`: `5-1`: starts after it ends")})
            result = self.frameq("submit", "-f", "5-1", broker=broker)
            self.assert_code(result, 4)
            self.assertEqual(result.stderr, "frameq: field `frames`: `5-1`: "
                             "starts after it ends\n")
            self.assertEqual(len(broker.asked("POST", "/v1/jobs")), 1)


class Wait(CliTest):
    def broker(self, *documents, agents=(agent(),)):
        """A broker whose job goes through documents, each seen once."""
        answers = [(200, document, {"ETag": f'"{i}"'})
                   for i, document in enumerate(documents)]
        return FakeBroker(self, {("POST", "/v1/jobs"): (202, job()),
                                 ("GET", "/v1/agents"): {"agents":
                                                         list(agents)},
                                 JOB: answers})

    def test_completed(self):
        half = job(state="running", counts={"total": 20, "done": 10,
                                            "leased": 2, "pending": 8})
        broker = self.broker(half, ended())
        result = self.frameq("submit", "-f", "1-20", "--wait", broker=broker)
        self.assert_code(result, 0)
        self.assertEqual(result.stdout, "abcdefgh12345678\n")
        self.assertIn("10 of 20 frames done (50 %)", result.stderr)
        self.assertIn("20 of 20 frames done (100 %)", result.stderr)
        self.assertIn("shot completed", result.stderr)
        self.assertNotIn(ESCAPE, result.stderr)
        first, second = broker.asked(*JOB)
        self.assertNotIn("Prefer", first.headers)
        self.assertRegex(second.headers["Prefer"], "wait=[1-9]")
        self.assertEqual(second.headers["If-None-Match"], '"0"')

    def test_failed_frames_are_named_with_reasons(self):
        failures = [{"frame": 7, "fault": "crash", "text": "signal 11"},
                    {"frame": 12, "fault": "missing_file",
                     "text": "//tex/smoke.vdb"}]
        broker = self.broker(ended("failed", failures=failures))
        result = self.frameq("submit", "-f", "1-20", "--wait", broker=broker)
        self.assert_code(result, 1, r"frame 7 .*signal 11",
                         r"frame 12 .*smoke\.vdb", "Put the named files",
                         "frameq retry abcdefgh")

    def test_cancelled(self):
        broker = self.broker(ended("cancelled", reason="wrong camera"))
        self.assert_code(self.frameq("submit", "-f", "1", "--wait",
                                     broker=broker), 1, "wrong camera")

    def test_json_is_the_last_document(self):
        broker = self.broker(ended())
        result = self.frameq("submit", "-f", "1", "--wait", "--json",
                             broker=broker)
        self.assertEqual(json.loads(result.stdout)["state"], "completed")

    def test_says_at_once_that_nobody_can_take_it(self):
        lacking = [agent(name="n1", state="lost"),
                   agent(name="n2", drain="soft", why="drained"),
                   agent(name="n3")]
        needs = job(requires={"tags": ["gpu"]})
        broker = self.broker(ended(), agents=lacking)
        broker.answers[("POST", "/v1/jobs")] = (202, needs)
        result = self.frameq("submit", "-f", "1-20", "--tag", "gpu", "--wait",
                             broker=broker)
        self.assert_code(result, 0, "no connected agent can take it: n1: lost; "
                         "n2: drained; n3: lacks the tag gpu")
        broker = self.broker(ended(), agents=[])
        self.assert_code(self.frameq("submit", "-f", "1", "--wait",
                                     broker=broker), 0,
                         "no agent is connected")

    def test_silent_when_somebody_can(self):
        broker = self.broker(ended())
        result = self.frameq("submit", "-f", "1", "--wait", broker=broker)
        self.assertNotIn("no connected agent", result.stderr)

    def test_broker_away_meanwhile(self):
        broker = self.broker(ended())
        broker.answers[JOB] = [None, None, (200, ended(), {})]
        result = self.frameq("submit", "-f", "1", "--wait", broker=broker)
        self.assert_code(result, 0, "the broker does not answer",
                         "the broker is back")

    def test_ctrl_c_leaves_the_job_and_says_how_to_end_it(self):
        asked = threading.Event()
        done = threading.Event()
        self.addCleanup(done.set)

        def hang(_):
            asked.set()
            done.wait(20)
            return 200, job(), {}
        broker = self.broker(job())
        broker.answers[JOB] = hang
        process = self.start("submit", "-f", "1-20", "--wait", broker=broker)
        self.assertTrue(asked.wait(20))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(10), 130)
        self.assertIn("frameq cancel abcdefgh12345678", process.stderr.read())
        self.assertEqual(process.stdout.read(), "abcdefgh12345678\n")
        self.assertFalse([request for request in broker.requests
                          if "cancel" in request.path])


class Find(CliTest):
    def setUp(self):
        self.jobs = [job(id="abcd1111aaaaaaaa", name="shot"),
                     job(id="abcd2222bbbbbbbb", name="comp"),
                     job(id="efgh3333cccccccc", name="shot")]
        self.broker = FakeBroker(self, {("GET", "/v1/jobs"): {
            "jobs": self.jobs, "next": None}})
        for document in self.jobs:
            path = f"/v1/jobs/{document['id']}"
            self.broker.answers[("GET", path)] = document

    def found(self, word):
        result = self.frameq("show", word, "--json", broker=self.broker)
        self.assert_code(result, 0)
        return json.loads(result.stdout)["id"]

    def test_found(self):
        self.assertEqual(self.found("efgh3333cccccccc"), "efgh3333cccccccc")
        self.assertEqual(self.found("efgh"), "efgh3333cccccccc")
        self.assertEqual(self.found("shot"), "abcd1111aaaaaaaa")

    def test_short_words_are_beginnings_too(self):
        self.assertEqual(self.found("e"), "efgh3333cccccccc")
        self.jobs[1]["name"] = "ef"
        self.assertEqual(self.found("ef"), "abcd2222bbbbbbbb")

    def test_a_long_name_is_found_by_activity(self):
        self.jobs[1]["name"] = "shot_010_lighting_v003"
        self.broker.answers[("GET", "/v1/activity")] = {"activity": [],
                                                        "next": None}

        def asked(word):
            self.assert_code(self.frameq("activity", "--job", word,
                                         broker=self.broker), 0)
            request = self.broker.asked("GET", "/v1/activity")[-1]
            return request.query["job"]
        self.assertEqual(asked("shot_010_lighting_v003"), "abcd2222bbbbbbbb")
        self.assertEqual(asked("d" * 22), "d" * 22)  # a deleted one's

    def test_not_found(self):
        self.assert_code(self.frameq("show", "nope", broker=self.broker), 4,
                         "no job `nope`")
        self.assert_code(self.frameq("show", "z" * 22, broker=self.broker), 4)

    def test_ambiguous(self):
        result = self.frameq("cancel", "abcd", broker=self.broker)
        self.assert_code(result, 4, "abcd1111aaaaaaaa", "abcd2222bbbbbbbb")
        self.assertNotIn("efgh3333", result.stderr)

    def test_words_are_encoded(self):
        self.frameq("show", "a&b=c d", broker=self.broker)
        request = self.broker.asked("GET", "/v1/jobs")[-1]
        self.assertEqual(request.query["q"], "a&b=c d")


class Look(CliTest):
    def test_ls_shows_open_jobs_and_the_last_ended(self):
        def jobs(request):
            if "running" in request.query["state"]:
                return {"jobs": [job(state="running", name="now")],
                        "next": None}
            self.assertEqual(request.query["limit"], "10")
            return {"jobs": [ended(name=f"old{i}") for i in range(12)],
                    "next": "5"}
        broker = FakeBroker(self, {("GET", "/v1/jobs"): jobs})
        result = self.frameq("ls", broker=broker)
        self.assert_code(result, 0)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 1 + 1 + 10)
        self.assertRegex(lines[1], "◑ running +now .* 0/20 .* 50 +mira")
        self.assertRegex(lines[2], "● completed +old0 .*█████.* 20/20 .* ago")

    def test_ls_pages(self):
        pages = {None: ["a", "1"], "1": ["b", "2"], "2": ["c", None]}

        def jobs(request):
            name, following = pages[request.query.get("cursor")]
            self.assertEqual(request.query["user"], "mi ra")
            return {"jobs": [job(name=name)], "next": following}
        broker = FakeBroker(self, {("GET", "/v1/jobs"): jobs})
        result = self.frameq("ls", "--all", "--user", "mi ra", "--json",
                             broker=broker)
        names = [each["name"] for each in json.loads(result.stdout)["jobs"]]
        self.assertEqual(names, ["a", "b", "c"])

    def test_empty_farm_says_what_to_do(self):
        broker = FakeBroker(self)
        self.assert_code(self.frameq("ls", broker=broker), 0, "frameq submit")
        self.assert_code(self.frameq("agents", broker=broker), 0,
                         f"frameq-agent .*--broker {broker.url}")
        self.assert_code(self.frameq("status", broker=broker), 0,
                         f"frameq-agent .*--broker {broker.url}")

    def test_status(self):
        broker = FakeBroker(self, {
            ("GET", "/v1/farm"): farm_document(
                state="working", agents={"up": 2, "lost": 1, "total": 3},
                slots={"total": 4, "busy": 3}, frames={"pending": 7},
                jobs={"total": 1, "running": 1},
                ledger={"state": "full", "reason": "no room on /data"}),
            ("GET", "/v1/agents"): {"agents": [agent()]},
            ("GET", "/v1/jobs"): {"jobs": [job(
                state="running", eta_seconds={"low": 720, "high": 960})],
                "next": None}})
        self.assert_code(self.frameq("status", broker=broker), 0,
                         "farm is working", "2 up, 1 lost", "3 of 4 busy",
                         "7 pending", "no room on /data", "shot .*12-16 m")
        self.assertEqual(json.loads(self.frameq(
            "status", "--json", broker=broker).stdout)["state"], "working")

    def test_status_counts_the_drained_once(self):
        broker = FakeBroker(self, {("GET", "/v1/farm"): farm_document(
            agents={"up": 2, "drained": 1, "total": 2})})
        self.assert_code(self.frameq("status", broker=broker), 0,
                         "agents  2 up\n +1 of them drained\n")

    def test_numbers_are_as_the_broker_gave_them(self):
        broker = FakeBroker(self, {JOB: job(seconds={"p50": 0.279,
                                                     "max": 0.6})})
        self.assert_code(self.frameq("show", "abcdefgh12345678", "--json",
                                     broker=broker), 0,
                         '"p50":0.279,"max":0.6}')

    def test_explain_says_it_once(self):
        view = {"job": "abcdefgh12345678", "name": "shot", "state": "paused",
                "text": "it is paused", "agents": []}
        broker = FakeBroker(self, {
            JOB: job(), ("GET", JOB[1] + "/explain"): view})
        self.assert_code(self.frameq("explain", "abcdefgh12345678",
                                     broker=broker), 0, r"\Ashot is paused\.\n")

    def test_status_says_why_nothing_renders(self):
        broker = FakeBroker(self, {
            ("GET", "/v1/farm"): farm_document(state="waiting"),
            ("GET", "/v1/agents"): {"agents": [
                agent(drain="soft", why="drained")]}})
        self.assert_code(self.frameq("status", broker=broker), 0,
                         "Nothing can render: n1: drained")

    def test_show(self):
        document = ended(
            "failed", blend="/mnt/shot.blend", samples=32,
            requires={"tags": ["gpu", "fast"]}, warnings=["two Blenders"],
            seconds={"p50": 38.2, "max": 124},
            failures=[{"frame": 7, "fault": "crash", "text": "signal 11"},
                      {"frame": 8, "fault": "crash", "text": "signal 11"}])
        broker = FakeBroker(self, {JOB: document})
        self.assert_code(
            self.frameq("show", "abcdefgh12345678", broker=broker), 0,
            "shot +✕ failed", "18/20 done, 2 failed", "frames 7-8 .*signal 11",
            "Blender crashed", "38 s in the middle, 2 m 04 s at most",
            "/mnt/shot.blend", "samples +32", "gpu, fast", "two Blenders",
            "frameq retry abcdefgh")

    def test_frames(self):
        pages = {None: "12", "12": None}
        rows = {None: [{"frame": 7, "state": "done", "seconds": 1.25,
                        "agent": "n1", "attempts": 0,
                        "files": [{"path": "/o/s_0007.png"}]}],
                "12": [{"frame": 12, "state": "failed", "attempts": 3,
                        "agent": "n2", "files": [], "fault": "timeout",
                        "text": "60 s"}]}

        def frames(request):
            at = request.query.get("from")
            return {"frames": rows[at], "next": pages[at]}
        path = ("GET", "/v1/jobs/abcdefgh12345678/frames")
        broker = FakeBroker(self, {JOB: job(), path: frames})
        self.assert_code(
            self.frameq("frames", "abcdefgh12345678", broker=broker), 0,
            r"7 +● done +1\.2 s +n1 +/o/s_0007\.png",
            "12 +✕ failed +n2 +3 +timeout: 60 s", "✕ 1 failed: 12")
        result = self.frameq("frames", "abcdefgh12345678", "--json", "--state",
                             "failed", broker=broker)
        self.assertEqual(len(json.loads(result.stdout)["frames"]), 2)
        self.assertEqual(broker.asked(*path)[-1].query["state"], "failed")

    def test_agents(self):
        broker = FakeBroker(self, {("GET", "/v1/agents"): {"agents": [
            agent(busy=1, leases=[{"job_name": "shot", "frame": 98,
                                   "progress": 0.62}]),
            agent(name="n2", drain="soft", why="drained")]}})
        self.assert_code(self.frameq("agents", broker=broker), 0,
                         "n1 +● up +1/2 +shot #98 62 %",
                         "n2 +‖ drained +0/2 +drained")


class Steer(CliTest):
    def setUp(self):
        at = "/v1/jobs/abcdefgh12345678"
        self.broker = FakeBroker(self, {
            JOB: job(), ("POST", at + ":cancel"): job(),
            ("POST", at + "/frames:cancel"): job(),
            ("POST", at + "/frames:retry"): job(), ("PATCH", at): job()})

    def sent(self, *args):
        before = len(self.broker.requests)
        result = self.frameq(*args, broker=self.broker)
        self.assert_code(result, 0)
        request = self.broker.requests[-1]
        self.assertEqual(len(self.broker.requests), before + 2)
        return request.method, request.path.rpartition("/")[2], request.body

    def test_requests(self):
        id = "abcdefgh12345678"
        self.assertEqual(self.sent("cancel", id),
                         ("POST", id + ":cancel", {}))
        self.assertEqual(self.sent("cancel", id, "--reason", "no"),
                         ("POST", id + ":cancel", {"reason": "no"}))
        self.assertEqual(self.sent("cancel", id, "-f", "1-3"),
                         ("POST", "frames:cancel", {"frames": "1-3"}))
        self.assertEqual(self.sent("retry", id),
                         ("POST", "frames:retry", {"state": "failed"}))
        self.assertEqual(self.sent("retry", id, "--failed", "--avoid", "n3"),
                         ("POST", "frames:retry",
                          {"state": "failed", "avoid": "n3"}))
        self.assertEqual(self.sent("retry", id, "-f", "61-72"),
                         ("POST", "frames:retry", {"frames": "61-72"}))
        self.assertEqual(self.sent("pause", id), ("PATCH", id,
                                                  {"paused": True}))
        self.assertEqual(self.sent("resume", id), ("PATCH", id,
                                                   {"paused": False}))
        self.assertEqual(self.sent("priority", id, "80"),
                         ("PATCH", id, {"priority": 80}))

    def test_an_ended_job_is_not_called_paused(self):
        for document in (ended(), ended(paused=True)):
            self.broker.answers[("PATCH", JOB[1])] = document
            self.assert_code(self.frameq("pause", "abcdefgh12345678",
                                         broker=self.broker), 0,
                             "is completed; frames rendered again will")

    def test_usage(self):
        id = "abcdefgh12345678"
        for args in (["retry", id, "-f", "1", "--failed"], ["priority", id],
                     ["priority", id, "high"], ["pause"]):
            self.assert_code(self.frameq(*args, broker=self.broker), 2)

    def test_refused(self):
        self.broker.answers[("PATCH", "/v1/jobs/abcdefgh12345678")] = refusal(
            400, "field `priority`: must be from 0 to 100, not 180")
        self.assert_code(
            self.frameq("priority", "abcdefgh12345678", "180",
                        broker=self.broker), 4, "0 to 100")


class Remove(CliTest):
    def test_older(self):
        jobs = [ended(id="o" * 16, ended_at="2020-01-01T00:00:00Z"),
                ended(id="n" * 16, ended_at="2999-01-01T00:00:00Z")]
        broker = FakeBroker(self, {
            ("GET", "/v1/jobs"): {"jobs": jobs, "next": None},
            ("DELETE", "/v1/jobs/" + "o" * 16): (204, None)})
        self.assert_code(self.frameq("rm", "--older", "30d", broker=broker), 0,
                         "1 job forgotten")
        self.assertFalse(broker.asked("DELETE", "/v1/jobs/" + "n" * 16))

    def test_running_is_refused_and_the_rest_done(self):
        one, two = "a" * 16, "b" * 16
        broker = FakeBroker(self, {
            ("GET", "/v1/jobs/" + one): job(id=one),
            ("GET", "/v1/jobs/" + two): ended(id=two),
            ("DELETE", "/v1/jobs/" + one): refusal(409, "has not ended"),
            ("DELETE", "/v1/jobs/" + two): (204, None)})
        self.assert_code(self.frameq("rm", one, two, broker=broker), 4,
                         "has not ended", "1 job forgotten")


class Drain(CliTest):
    def broker(self, *names):
        answers = {("PATCH", f"/v1/agents/{name}"): agent(name=name)
                   for name in names}
        answers[("GET", "/v1/agents")] = {"agents": [agent(name=name)
                                                     for name in names]}
        return FakeBroker(self, answers)

    def body(self, broker, *args):
        self.assert_code(self.frameq("drain", *args, broker=broker), 0)
        return broker.requests[-1].path, broker.requests[-1].body

    def test_modes(self):
        broker = self.broker("n1")
        self.assertEqual(self.body(broker, "n1"),
                         ("/v1/agents/n1", {"drain": "soft"}))
        self.assertEqual(self.body(broker, "n1", "--now")[1], {"drain": "now"})
        self.assertEqual(self.body(broker, "n1", "--off")[1], {"drain": "off"})
        self.assertEqual(
            self.body(broker, "n1", "--until", "2999-01-01T00:00:00+01:00")[1],
            {"drain": "soft", "until": "2998-12-31T23:00:00.000Z"})
        self.assertRegex(self.body(broker, "n1", "--until", "2h")[1]["until"],
                         r"\A\d{4}-\d\d-\d\dT[0-9:.]+Z\Z")

    def test_this_machine(self):
        host = socket.gethostname()
        broker = self.broker("elsewhere-3001", f"{host}-3001", f"{host}x-1")
        self.assertEqual(self.body(broker)[0], f"/v1/agents/{host}-3001")
        broker = self.broker(f"{host}-3001", f"{host}-3002")
        self.assert_code(self.frameq("drain", broker=broker), 4, "2 agents")
        broker = self.broker("elsewhere")
        self.assert_code(self.frameq("drain", broker=broker), 4, "no agent")


class Terminal(CliTest):
    def on_tty(self, broker, *args, **env):
        """What a person sees on a terminal of 100 columns."""
        pid, fd = pty.fork()
        if pid == 0:
            os.environ.update({"FRAMEQ_BROKER": broker.url, "TERM": "xterm",
                               "LC_ALL": "C.UTF-8", "COLUMNS": "100", **env})
            os.execv(farm.BIN / "frameq", ["frameq", *args])
        text = b""
        while select.select([fd], [], [], 20 * farm.SLOW)[0]:
            try:
                chunk = os.read(fd, 65536)
            except OSError:
                break
            text += chunk
        os.close(fd)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        return text.decode()

    def broker(self, name="shot"):
        jobs = {"jobs": [job(name=name, state="running")], "next": None}
        return FakeBroker(self, {("GET", "/v1/jobs"): jobs})

    def test_colour_only_where_it_is_wanted(self):
        broker = self.broker()
        args = ("ls", "--state", "running")
        self.assertIn(ESCAPE, self.on_tty(broker, *args))
        self.assertNotIn(ESCAPE, self.on_tty(broker, *args, NO_COLOR="1"))
        self.assertNotIn(ESCAPE, self.on_tty(broker, *args, TERM="dumb"))
        self.assertNotIn(ESCAPE, self.frameq(*args, broker=broker).stdout)

    def test_width(self):
        broker = self.broker("a_very_long_name_of_a_job" * 4)
        args = ("ls", "--state", "running")
        for columns in (70, 80, 100):
            text = self.on_tty(broker, *args, COLUMNS=str(columns),
                               NO_COLOR="1")
            self.assertLessEqual(max(map(len, text.splitlines())), columns)
            self.assertIn("…", text)
        self.assertIn("a_very_long_name_of_a_job" * 4,
                      self.frameq(*args, broker=broker).stdout)

    def test_status_fits_and_shows_names_where_there_is_room(self):
        name = "shot_010_lighting_v003_final"
        broker = FakeBroker(self, {("GET", "/v1/jobs"): {"jobs": [job(
            name=name, state="running", eta_seconds={"low": 720,
                                                     "high": 960})],
            "next": None}, ("GET", "/v1/agents"): {"agents": [agent()]}})
        for columns in (50, 80, 120):
            text = self.on_tty(broker, "status", COLUMNS=str(columns),
                               NO_COLOR="1")
            self.assertLessEqual(max(map(len, text.splitlines())), columns,
                                 text)
            self.assertEqual(name in text, columns >= 80, text)

    def test_worst_table_fits(self):
        worst = ended("completed", name="n" * 128, user="u" * 128,
                      ended_at="2020-01-01T00:00:00Z")
        worst["counts"].update(total=10000, done=9999, failed=1)
        broker = FakeBroker(self, {("GET", "/v1/jobs"): {"jobs": [worst],
                                                         "next": None}})
        for columns in (48, 60, 80):
            text = self.on_tty(broker, "ls", "--all", COLUMNS=str(columns),
                               NO_COLOR="1")
            self.assertLessEqual(max(map(len, text.splitlines())), columns,
                                 text)
            self.assertIn("abcdefgh", text)

    def test_ascii_locale(self):
        result = self.frameq("ls", "--state", "running", broker=self.broker(),
                             LC_ALL="C")
        self.assertTrue(result.stdout.isascii(), result.stdout)
        self.assertIn("> running", result.stdout)

    def test_nothing_from_the_broker_drives_the_terminal(self):
        broker = self.broker(f"{ESCAPE}[2J{ESCAPE}]0;x\x07\rshot")
        result = self.frameq("ls", "--state", "running", broker=broker)
        self.assertNotIn(ESCAPE, result.stdout)
        self.assertNotIn("\r", result.stdout)
        result = self.frameq("ls", "--all", "--json", broker=broker)
        self.assertIn(ESCAPE, json.loads(result.stdout)["jobs"][0]["name"])

    def test_wait_draws_a_bar(self):
        broker = FakeBroker(self, {
            ("POST", "/v1/jobs"): (202, job()),
            ("GET", "/v1/agents"): {"agents": [agent()]},
            JOB: [(200, job(state="running", counts={"total": 20, "done": 10}),
                   {}), ended()]})
        text = self.on_tty(broker, "submit", "-f", "1-20", "--wait")
        self.assertRegex(text, r"shot █{15}░{15} 10/20 50 %")
        last = re.sub(r"\x1b\[K", "", text.rpartition("\r\x1b[K")[2])
        self.assertIn("shot completed: 20 of 20 frames done", last)


if __name__ == "__main__":
    farm.main()
