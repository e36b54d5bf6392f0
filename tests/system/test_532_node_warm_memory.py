# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""A Blender that is kept open renders 500 frames in the memory of 50, then
makes room for a new one."""

import pathlib

from farm import main, until
from nodes import NodeTest


def resident(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines()
                if line.startswith("VmRSS:"))


class Memory(NodeTest):
    def test_500_frames(self):
        node = self.start("--sandbox", "off")
        launches, memory, kept = [], {}, None
        for first in range(1, 551, 25):
            job = self.render(node, frames=f"{first}-{first + 24}",
                              resolution="8x8")
            self.assertEqual(job["state"], "completed", job)
            launches.append(job["launch"])
            if first == 1:
                until("the spare", lambda: len(self.mine(node)) == 2, 20)
                kept = min(self.mine(node))
            if first in (26, 451):
                memory[first + 24] = resident(kept)
        self.assertLess(memory[475], 1.1 * memory[50])
        self.assertEqual(launches,
                         ["cold"] + 19 * ["warm"] + ["spare", "warm"])


if __name__ == "__main__":
    main()
