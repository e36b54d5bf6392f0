# SPDX-License-Identifier: Apache-2.0
# ctest: blender
"""Two computers that share nothing but a cable: `frameq dev --listen` on one,
the command it prints on the other, and a scene of many files sent, rendered on
both and fetched."""

import re
import unittest

import farm
import netns
from nodes import BLENDER, HERE, NodeTest, pixels
from test_461_uploaded_scene import blender
from test_520_dev import Dev

WHY_NOT = netns.missing()
if WHY_NOT:
    print(f"skipped: {WHY_NOT}")

# Runs a command where a folder, $0, looks empty.
WITHOUT = ["unshare", "-m", "sh", "-c",
           'mount -t tmpfs none "$0" && exec "$@"']


class First(Dev):
    """The first PC's farm; what it prints is kept."""

    said = ""

    def read_line(self, seconds):
        line = super().read_line(seconds)
        self.said += line
        return line


class Second(farm.Program):
    name = "frameq-agent"
    stop_seconds = 6


class TwoComputers(NodeTest):
    def setUp(self):
        if WHY_NOT:
            raise unittest.SkipTest(WHY_NOT)
        self.hosts = netns.Hosts()
        self.addCleanup(self.hosts.close)
        self.enterContext(self.hosts.inside(self.hosts.a))
        self.one, self.two = self.folder / "pc1", self.folder / "pc2"
        self.one.mkdir()
        self.two.mkdir()

    def shot(self):
        blender("-P", HERE / "projects.py", "--", self.one, "baked")
        return self.one / "project" / "shots" / "shot.blend"

    def cold(self, shot):
        """What one Blender makes of it here, frame after frame."""
        blender(shot, "-o", self.one / "cold" / "shot_####", "-a")
        return {path.name: pixels(path)
                for path in (self.one / "cold").iterdir()}

    def ask(self, *args, **options):
        return self.run_program("frameq", *args, env={
            "FRAMEQ_BROKER": f"http://{self.first.ready['http']}",
            "FRAMEQ_TOKEN": self.token}, **options)

    def start_farm(self):
        self.first = First(self, "dev", "--no-open", "--agents", "1",
                           "--blender", BLENDER, "--listen", "0.0.0.0:4000",
                           prefix=["env", "-C", self.one])
        self.assertEqual(self.first.ready["http"],
                         f"{self.hosts.address_a}:4000")
        self.token = re.search(r"FRAMEQ_TOKEN=(fq_\S+)", self.first.said)[1]

    def join_second(self):
        words = re.search(r"frameq-agent (--join \S+ --start-node)",
                          self.first.said)[1].split()
        self.second = Second(self, *words, env={"FRAMEQ_BLENDER": BLENDER},
                             prefix=[*self.hosts.on_b, *WITHOUT, self.one,
                                     "env", "-C", self.two])

    def agents(self):
        told = self.ask("agents", "--json")
        return re.findall(r'"state":"up"', told.stdout)

    def test_one_scene_on_both(self):
        shot = self.shot()
        expected = self.cold(shot)
        self.assertGreater(len(set(expected.values())), 10) # it moves
        self.start_farm()
        self.assertEqual(self.ask("ls").returncode, 0)
        self.token, kept = "fq_" + "A" * 43, self.token
        self.assertEqual(self.ask("ls").returncode, 4)
        self.token = kept
        start = farm.now()
        self.join_second()
        farm.until("both are there", lambda: len(self.agents()) == 2, 30)
        told = self.ask("submit", shot, "-f", "1-20", "--wait", "--fetch",
                        self.one / "out", seconds=60)
        self.assertEqual(told.returncode, 0, told)
        self.assertLess(farm.now() - start, 60 * farm.SLOW)
        job = told.stdout.strip()
        self.assertEqual({path.name: pixels(path)
                          for path in (self.one / "out").iterdir()}, expected)
        frames = self.ask("frames", job, "--json").stdout
        self.assertIn('"agent":"guest-1"', frames)
        self.assertFalse([path for path in self.one.rglob("*guest-1*")
                          if "data" not in path.parts])


if __name__ == "__main__":
    farm.main()
