# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""A Blender that is kept open renders 500 frames in the memory of 50, then
makes room for a new one; and what a .blend lacks shows in a spare too."""

import pathlib

from farm import main, until
from nodes import NodeTest, scenes


def resident(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines()
                if line.startswith("VmRSS:"))


class Memory(NodeTest):
    def test_500_frames(self):
        node = self.start("--sandbox", "off")
        launches, memory, kept = [], {}, None
        for first in range(1, 551, 25):
            job = self.render(node, frames=f"{first}-{first + 24}")
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


class Spare(NodeTest):
    def test_it_finds_the_traps(self):
        """Each in the words of a Blender that is started for it."""
        node = self.start("--sandbox", "off")
        broken = self.folder / "broken.blend"
        broken.write_bytes(b"no blend at all")
        other = self.node("--blend-root", scenes(), "--blend-root",
                          self.folder, "--warm", "off")
        node = self.node("--blend-root", scenes(), "--blend-root",
                         self.folder)
        for blend in ("texture", "library_gone", "library_poor", "script",
                      "script_hidden", "no_camera", "movie", "stereo",
                      str(broken)):
            with self.subTest(blend=blend):
                plain = self.render(node, frames="1", replace=True,
                                    blend=self.scene("plain"))
                self.assertEqual(plain["state"], "completed")
                path = blend if "/" in blend else self.scene(blend)
                ours = self.render(node, frames="1", blend=path, replace=True)
                cold = self.render(other, frames="1", blend=path,
                                   replace=True)
                self.assertEqual(ours["launch"], "spare")
                self.assertEqual(
                    [ours[each] for each in ("state", "fault", "text")],
                    [cold[each] for each in ("state", "fault", "text")])


if __name__ == "__main__":
    main()
