# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""Scenes that get a Blender of their own, and what they then look like."""

from farm import main
from nodes import pixels
from warm_pixels import COLD, LAST, PixelsTest


class Pixels(PixelsTest):
    def test_routed_cold(self):
        self.assertLess(set(COLD), set(self.names()))
        for name, reason in COLD.items():
            with self.subTest(scene=name):
                self.assert_cold(name, reason)

    def test_a_launch_of_its_own_is_one_launch(self):
        """A simulation that is not split has the frames it would have had."""
        for name in ("cloth", "particles", "rigid_body", "soft_body"):
            with self.subTest(scene=name):
                cold = self.animate(name)[name]
                job = self.render(self.render_node, blend=f"{name}.blend",
                                  job=name, frames=f"1-{LAST}")
                self.assertEqual(job["state"], "completed", job)
                for frame in job["frames"]:
                    self.assertEqual(pixels(frame["files"][0]["path"]),
                                     cold[frame["frame"]], frame["frame"])


if __name__ == "__main__":
    main()
