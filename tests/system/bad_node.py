# SPDX-License-Identifier: Apache-2.0
"""A bad node beside a good one: whatever the bad one does, every frame is done
and its file whole."""

import farm
from test_005_fake_node import png_is_whole

FRAMES = 12


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


def add_tests(case, faults, kind=()):
    """Makes a test of every row: name, flags of the bad node."""
    for fault, tricks in faults.items():
        def test(self, tricks=tricks):
            self.play(*tricks, kind=kind)
        setattr(case, f"test_{fault}", test)
