# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""Pixels of a Blender that is kept open."""

from farm import main
from warm_pixels import COLD, PixelsTest


class Pixels(PixelsTest):
    def test_every_scene(self):
        self.assert_all(sorted(set(self.names()) - set(COLD)))


if __name__ == "__main__":
    main()
