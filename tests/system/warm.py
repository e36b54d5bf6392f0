# SPDX-License-Identifier: Apache-2.0
"""What the tests of a Blender that is kept open share."""

import shutil

from farm import until
from nodes import NodeTest, pixels, scenes


class Warm(NodeTest):
    def setUp(self):
        self.made = scenes("warm_scenes.py")

    def flags(self, *flags):
        return ("--blend-root", self.made, "--blend-root", scenes(),
                "--nice", "0", *flags)

    def once(self, node, **body):
        """One job, which must be completed."""
        body = {"blend": str(self.made / "plain.blend"), "frames": "1-2",
                "replace": True, **body}
        job = self.render(node, **body)
        self.assertEqual(job["state"], "completed", job)
        return job

    def own(self, name):
        """A copy of a scene, in a folder, that this test may change."""
        folder = self.made / self.folder.name
        folder.mkdir()
        return folder, shutil.copy(self.made / f"{name}.blend", folder)

    def first_pixels(self, job):
        return pixels(job["frames"][0]["files"][0]["path"])

    def leaders(self, node):
        """Processes the node itself started for its Blenders."""
        def parent(pid):
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                return int(stat.read().rsplit(")", 1)[1].split()[1])
        return [pid for pid in self.mine(node)
                if parent(pid) == node.process.pid]

    def await_pids(self, node, count):
        until(f"{count} Blenders", lambda: len(self.leaders(node)) == count,
              20)
        return set(self.leaders(node))
