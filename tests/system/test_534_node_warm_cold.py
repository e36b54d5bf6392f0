# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""Scenes that get a Blender of their own, and what they then look like."""

from farm import main
from nodes import pixels
from warm_pixels import COLD, LAST, PixelsTest

SIMULATED = ("cloth", "particles", "rigid_body", "soft_body")


class Pixels(PixelsTest):
    def assert_cold(self, name, frames):
        job = self.batch(name, frames)
        self.assertNotEqual(job["launch"], "warm")
        self.assertIn(COLD[name], job["cold"])
        self.assertIn(job["cold"], " ".join(job["warnings"]))
        return job

    def test_routed_cold(self):
        self.assertLess(set(COLD), set(self.names()))
        for name in sorted(set(COLD) - set(SIMULATED)):
            with self.subTest(scene=name):
                self.assert_cold(name, 3)
        self.assert_cold(name, 1)  # nor is it for more of the same

    def test_a_launch_of_its_own_is_one_launch(self):
        """A simulation that is not split has the frames it would have had."""
        cold = self.animate(*SIMULATED)
        for name in SIMULATED:
            with self.subTest(scene=name):
                job = self.assert_cold(name, f"1-{LAST}")
                for frame in job["frames"]:
                    self.assertEqual(pixels(frame["files"][0]["path"]),
                                     cold[name][frame["frame"]],
                                     frame["frame"])


if __name__ == "__main__":
    main()
