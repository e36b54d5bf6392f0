# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""Pixels of a Blender that is kept open: half of the scenes."""

from farm import main
from warm_pixels import COLD, PixelsTest


class Pixels(PixelsTest):
    def test_first_half(self):
        names = sorted(set(self.names()) - set(COLD))
        self.assert_all(names[::2])


if __name__ == "__main__":
    main()
