# SPDX-License-Identifier: Apache-2.0
"""What the tests of pixels share: frames in random order through a Blender that
is kept open have the pixels of one launch of Blender for all of them, or the
scene is rendered in a launch of its own and the job says why."""

import os
import pathlib
import random

from nodes import NodeTest, blender_run, pixels, scenes

LAST = 8
COLD = {
    "cloth": "Cloth of Grid",
    "dynamic_paint": "Paint of Thing",
    "fluid": "Fluid of Cube",
    "freestyle": "Freestyle",
    "particles": "particles",
    "rigid_body": "rigid bodies",
    "soft_body": "Soft of Sphere",
    "strips": "video sequencer",
}


class PixelsTest(NodeTest):
    @classmethod
    def setUpClass(cls):
        cls.made = scenes("warm_scenes.py")

    def setUp(self):
        self.render_node = self.shared()

    def flags(self, *flags):
        return ("--blend-root", self.made, "--nice", "0", *flags)

    def picture(self, name, frame):
        return self.folder / name / f"f_{frame:04}.png"

    def words(self, name):
        """The classic command line of an animation."""
        return (self.made / f"{name}.blend", "-E", "CYCLES", "-o",
                self.folder / name / "f_####", "-s", "1", "-e", str(LAST),
                "-a")

    def animate(self, *names):
        """The pixels of each frame of each, by name. Nothing of the one before
        is left when Blender opens the next."""
        blender_run("-Y", *(word for name in names
                            for word in self.words(name)))
        return {name: {frame: pixels(self.picture(name, frame))
                       for frame in range(1, LAST + 1)} for name in names}

    def batch(self, name, frames):
        job = self.render(self.render_node, blend=f"{name}.blend", job=name,
                          frames=str(frames))
        self.assertEqual(job["state"], "completed", job)
        return job

    def assert_same(self, name, cold):
        self.assertGreater(len(set(cold.values())), 1,
                           "the scene shows nothing that moves")
        order = list(cold)
        random.Random(name).shuffle(order)
        for place, frame in enumerate(order):
            job = self.batch(name, frame)
            self.assertEqual(job["cold"], None)
            self.assertEqual(job["launch"] == "warm", place > 0)
            picture = pathlib.Path(job["frames"][0]["files"][0]["path"])
            self.assertTrue(pixels(picture) == cold[frame],
                            f"{name}: frame {frame} differs, after {order}")

    def names(self):
        return sorted(name.removesuffix(".blend")
                      for name in os.listdir(self.made)
                      if name.endswith(".blend"))

    def assert_all(self, names):
        cold = self.animate(*names)
        for name in names:
            with self.subTest(scene=name):
                self.assert_same(name, cold[name])
