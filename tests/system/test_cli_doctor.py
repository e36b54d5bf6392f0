# SPDX-License-Identifier: Apache-2.0
"""frameq doctor: for each fault of a farm and of a .blend the first line names
it and the second says what to do."""
# ctest: blender

import json
import os
import socket
import subprocess

import farm
from fakebroker import FakeBroker, agent, refusal
from fakebroker import farm as farm_document

FARM = ("GET", "/v1/farm")
AGENTS = ("GET", "/v1/agents")
MAKE = farm.ROOT / "tests/system/ill_scenes.py"


class DoctorTest(farm.FarmTest):
    def program(self, name, text):
        """A stand-in for a program; returns its path."""
        path = self.folder / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)
        return path

    def doctor(self, broker, *args, env=None):
        """Exit code, lines."""
        url = broker if isinstance(broker, str) else broker.url
        result = self.run_program(
            "frameq", "doctor", "--broker", url, *args, seconds=60,
            env={"LC_ALL": "C.UTF-8", **(env or {})})
        self.assertEqual(result.stderr, "")
        return result.returncode, result.stdout.splitlines()

    def assert_found(self, found, what, mend):
        """That the first pair of lines is about this, and is a fault."""
        code, lines = found
        self.assertEqual(code, 1, lines)
        self.assertRegex(lines[0], "^✕ " + what)
        self.assertRegex(lines[1], "^  .*" + mend)


class Farms(DoctorTest):
    def setUp(self):
        version = self.run_program("frameq", "--version").stdout.split()[1]
        self.farm = farm_document(version=version)
        self.broker = FakeBroker(self, {})
        self.say(self.farm, agent())
        for name in ("blender", "ffmpeg"):
            self.program(name, f"echo {name} 3.4.1")

    def doctor(self, broker, *args, env=None):
        """With Blender and ffmpeg that say their versions at once."""
        return super().doctor(broker, *args, env={
            "PATH": f"{self.folder}:{os.environ['PATH']}", **(env or {})})

    def say(self, document, *agents):
        with self.broker.lock:
            self.broker.answers.update(
                {FARM: document, AGENTS: {"agents": list(agents)}})

    def test_well(self):
        code, lines = self.doctor(self.broker)
        self.assertEqual(code, 0, lines)
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], "^● ok: broker http.*, clock, ledger, "
                                   "1 agent, Blender 3.4.1 on every node, "
                                   "blender 3.4.1 here, ffmpeg, .* GB free in .")

    def test_nothing_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.assert_found(self.doctor(f"http://127.0.0.1:{port}"),
                          f"no broker answers at http://127.0.0.1:{port}",
                          "--broker or FRAMEQ_BROKER")
        self.assert_found(self.doctor("http://nowhere.invalid:4000"),
                          "no broker .*[Rr]esolve", "host and port")

    def test_wrong_port(self):
        del self.broker.answers[FARM]
        self.broker.answers[FARM] = lambda _: (200, None)
        self.assert_found(self.doctor(self.broker),
                          "wrong port: .* no frameq broker", "--broker")
        self.broker.answers["GET", "/info"] = {"slots": 1}
        self.assert_found(self.doctor(self.broker),
                          "wrong port: .* a Blender node", "--broker")

    def test_token(self):
        self.say(refusal(401, "this farm wants a token"))
        self.assert_found(self.doctor(self.broker), "no token: the farm at",
                          "frameq token add.* FRAMEQ_TOKEN")
        self.assert_found(self.doctor(self.broker, env={
            "FRAMEQ_TOKEN": "frameq_" + "a" * 43}), "wrong token",
                          "frameq token add")
        self.say(refusal(403, "token x has role agent"))
        self.assert_found(self.doctor(self.broker), "the broker refuses: token",
                          "frameq token add")

    def unwell(self, error):
        return agent(slots=0, why=error, node={
            "up": True, "blender": "", "error": error})

    def test_blender_missing(self):
        self.say(self.farm, self.unwell("no_blender: there is no Blender at x"))
        self.assert_found(self.doctor(self.broker),
                          "Blender missing on n1: there is no Blender at x",
                          "install it")
        self.say(self.farm)  # nobody renders; that comes after it
        self.assert_found(self.doctor(self.broker, env={"PATH": "/nowhere"}),
                          "Blender missing: `blender` does not run here",
                          "apt install blender")
        self.assert_found(self.doctor(self.broker, "--blender", "false"),
                          "Blender missing: `false` does not run .* exit 1",
                          "--blender")

    def test_disk_full(self):
        self.say(self.farm, self.unwell("disk_full: only 12 KiB are free"))
        self.assert_found(self.doctor(self.broker),
                          "disk full on n1: only 12 KiB are free", "make room")
        self.say(self.farm, self.unwell("unwritable: cannot write /x"))
        self.assert_found(self.doctor(self.broker), "disk not writable on n1",
                          "rights")
        self.say({**self.farm, "ledger": {"state": "full", "reason": "no"}})
        self.assert_found(self.doctor(self.broker),
                          "disk full: the broker cannot write", "--data")
        self.say(self.farm, agent())
        self.assert_found(self.doctor(self.broker, "--output", "/proc"),
                          "disk full: only 0.0 MB are free in /proc",
                          "Make room")

    def test_clock(self):
        self.broker.ahead_seconds = 600
        self.assert_found(self.doctor(self.broker),
                          "clock: this machine's is (10 m|9 m 59 s).* behind",
                          "timedatectl")
        self.broker.ahead_seconds = -600
        self.assert_found(self.doctor(self.broker),
                          "clock: .* 10 m.* ahead of the broker", "timedatectl")
        self.broker.ahead_seconds = 20  # within what is told
        self.assertEqual(self.doctor(self.broker)[0], 0)
        self.say({**self.farm, "now": "2026-01-01T00:00:00.000Z"}, agent())
        self.assert_found(self.doctor(self.broker), "clock: ", "timedatectl")

    def test_two_versions(self):
        agents = [agent(name=f"n{i}", node={"up": True, "blender": version})
                  for i, version in enumerate(("3.4.1", "4.2.0", "3.4.1"), 1)]
        self.say(self.farm, *agents)
        self.assert_found(self.doctor(self.broker),
                          "two Blender versions: 3.4.1 on n1, n3, 4.2.0 on n2",
                          "one version")

    def test_agents(self):
        self.say(self.farm)
        self.assert_found(self.doctor(self.broker), "no agents", "--start-node")
        self.say(self.farm, agent(state="lost", why="not heard for too long"))
        self.assert_found(self.doctor(self.broker), "n1 is lost: not heard",
                          "frameq-agent")
        self.say(self.farm, agent(node={"up": False, "error": "refused"}))
        self.assert_found(self.doctor(self.broker), "n1: its Blender node does "
                          "not answer .refused.", "Start frameq-node")
        self.say(self.farm, agent(slots=0, why="strange"))
        self.assert_found(self.doctor(self.broker), "n1: it has no slots: str",
                          "log")
        self.say(self.farm, agent(benched=[{"job": "abc", "text": "benched"}]))
        self.assert_found(self.doctor(self.broker), "n1: benched",
                          "frameq retry abc")
        drained = agent(drain="soft", why="drained")
        self.say(self.farm, drained)
        self.assert_found(self.doctor(self.broker), "n1 is drained",
                          "frameq drain n1 --off")
        self.say(self.farm, drained, agent(name="n2"))
        code, lines = self.doctor(self.broker)
        self.assertEqual((code, lines[0]), (0, "! n1 is drained"))

    def test_worst_first_and_json(self):
        self.say({**self.farm, "ledger": {"state": "full", "reason": "no"}},
                 agent(state="lost", why="gone"), agent(name="n2"))
        self.broker.ahead_seconds = 600
        code, lines = self.doctor(self.broker, "--json")
        found = json.loads(lines[0])
        self.assertEqual((code, found["well"]), (1, False))
        self.assertEqual([each["check"] for each in found["findings"]],
                         ["ledger", "clock", "agent_lost"])
        for each in found["findings"]:
            self.assertTrue(each["fault"] and each["what"] and each["do"])

    def test_a_real_farm(self):
        """What node, agent and broker say comes through."""
        broker = farm.Broker(self)
        node = self.node("--blender", "/nowhere/blender", "--blend", __file__)
        self.agent(broker, node, "a1")
        farm.until("the agent tells", lambda: broker.agents().get(
            "a1", {}).get("node", {}).get("error"))
        self.assert_found(self.doctor(broker), "Blender missing on a1: there "
                          "is no Blender at /nowhere/blender", "install it")


class Scenes(DoctorTest):
    """All made by one Blender; no broker is there, nor was one named."""

    found = {
        "texture": ("missing texture: .*/wood.png", "Find Missing Files"),
        "library": ("missing library: .*/lib.blend", "Relocate"),
        "absolute": ("absolute path: .*/green.png", "Make All Paths Relative"),
        "camera": ("no camera: scene Scene", "--camera NAME"),
        "cloth": ("unbaked simulation: Cloth of Plane", "Bake it"),
        "movie": ("movie output: .* FFMPEG", "--format PNG"),
        "engine": ("unknown engine: LUX_OF_OTHERS", "--engine CYCLES"),
        "driver": ("blocked driver: .*math", "--scripts on"),
    }

    def test_all(self):
        subprocess.run(["blender", "-b", "--factory-startup", "-noaudio",
                        "--python-exit-code", "3", "-P", str(MAKE), "--",
                        str(self.folder)], check=True, capture_output=True,
                       timeout=60)
        (self.folder / "cut.blend").write_bytes(b"BLENDER-v304")
        marks = self.folder / "tmp"
        marks.mkdir()
        for scene, (what, mend) in self.found.items():
            with self.subTest(scene):
                self.assert_found(self.look_at(scene), what, mend)
        self.assert_found(self.look_at("cut"), "Blender cannot read", "again")
        self.assert_found(self.look_at("well", "--blender", "/nowhere"),
                          "Blender missing: `/nowhere`", "--blender")
        code, lines = self.look_at("well")
        self.assertEqual(code, 0, lines)
        self.assertRegex(lines[-1], "● ok: the scene's files, camera")
        self.assertEqual(list(marks.glob("frameq*")), [])

    def look_at(self, scene, *args):
        result = self.run_program(
            "frameq", "doctor", *args, self.folder / f"{scene}.blend",
            seconds=60, env={"LC_ALL": "C.UTF-8", "FRAMEQ_BROKER": "",
                             "TMPDIR": str(self.folder / "tmp")})
        return result.returncode, result.stdout.splitlines()

    def test_newer_than_a_node(self):
        blender = self.program("blender", """
            for out; do case $out in */found) break;; esac; done
            echo '{"scene":{"name":"S","blender":"4.2"}}' > "$out"
            """)
        (self.folder / "new.blend").touch()
        broker = FakeBroker(self, {AGENTS: {"agents": [agent()]}})
        self.assert_found(
            self.doctor(broker, "--blender", blender,
                        self.folder / "new.blend"),
            "saved by Blender 4.2, but n1 renders with Blender 3.4.1", "--tag")

    def test_no_such_file(self):
        result = self.run_program("frameq", "doctor", "nothing.blend")
        self.assertEqual(result.returncode, 2)
        self.assertIn("nothing.blend: No such file", result.stderr)


if __name__ == "__main__":
    farm.main()
