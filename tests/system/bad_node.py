# SPDX-License-Identifier: Apache-2.0
"""A bad node beside a good one: whatever the bad one does, every frame is done
and its file whole."""

import farm
from test_005_fake_node import png_is_whole

FRAMES = 12
FEW = 6
KINDS = {"classic": (), "ours": ("--superset",)}


class BadNode(farm.FarmTest):
    def play(self, *tricks, kind=()):
        frames = self.folder / "frames"
        bad = self.fake(*kind, *tricks, frame_ms=50, frames=frames)
        good = self.fake(*kind, frame_ms=100, frames=frames)
        broker = self.broker("--lease-ttl", 6)
        self.agent(broker, bad, "bad", "--frames-dir", frames)
        job = broker.render(1, FRAMES, batch=3)
        if not {"--black-hole", "--error-500", "--nonsense"} & set(tricks):
            farm.until("the bad node is asked", bad.events)
        self.agent(broker, good, "good", "--frames-dir", frames)
        broker.await_job(job, seconds=60)
        for number, frame in broker.frames(job).items():
            self.assertEqual(frame["state"], "done", number)
        pictures = list(frames.rglob("*.png"))
        self.assertEqual(len(pictures), FRAMES)
        for picture in pictures:
            self.assertTrue(png_is_whole(picture.read_bytes()), picture)


class Pairs(farm.FarmTest):
    """Bad nodes and good ones of both kinds in one farm, `host` its broker;
    tags tell whose job is whose. `agents`: by name."""

    def setUp(self):
        self.agents = {}

    def bad(self, kind, name, *tricks, frame_ms=50, lies=False, tag=None):
        """A bad node and its agent, for jobs of that tag (its name). `lies`: it
        writes no file."""
        return self._node(kind, f"bad-{name}", *tricks, frame_ms=frame_ms,
                          lies=lies, tags=[tag or name])

    def good(self, kind, *tags, frame_ms=20):
        """A good node and its agent, for jobs of these tags."""
        return self._node(kind, f"good-{kind}", frame_ms=frame_ms, tags=tags,
                          slots=8)

    def _node(self, kind, name, *tricks, frame_ms, tags, lies=False, slots=1):
        """An agent sees the files where its node proves none."""
        frames = self.folder / f"frames-{name}"
        node = self.fake(*KINDS[kind], *tricks, frame_ms=frame_ms,
                         frames=None if lies else frames)
        seen = ("--frames-dir", frames) if kind == "classic" else ()
        self.agents[name] = self.agent(self.host, node, name, "--tags",
                                       ",".join(tags), "--slots", slots, *seen)
        self.host.await_agents(name)
        return node

    def submit(self, name, **fields):
        return self.host.submit(**{"from": 1, "to": FEW, **fields,
                                   "requires": {"tags": [name]}})["id"]

    def assert_done_by(self, job, frames, agent):
        for number, frame in self.host.frames(job).items():
            if number in frames:
                self.assertEqual((frame["state"], frame["agent"]),
                                 ("done", agent), number)


def add_tests(case, faults, kind=()):
    """Makes a test of every row: name, flags of the bad node."""
    for fault, tricks in faults.items():
        def test(self, tricks=tricks):
            self.play(*tricks, kind=kind)
        setattr(case, f"test_{fault}", test)
