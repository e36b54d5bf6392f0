# SPDX-License-Identifier: Apache-2.0
# ctest: blender
"""frameq-node: a full disk is no frame; what a killed node left goes."""

import pathlib
import shutil
import subprocess
import unittest

from farm import main
from nodes import NodeTest


def can_mount():
    unshare = shutil.which("unshare")
    return unshare and subprocess.run(
        [unshare, "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
        stderr=subprocess.DEVNULL, check=False).returncode == 0


@unittest.skipUnless(can_mount(), "needs to mount a tmpfs")
class FullDisk(NodeTest):
    def start_on(self, size, **body):
        """A node whose OUTPUT is a tmpfs of that size, seen by it alone."""
        where = self.folder / "small"
        where.mkdir()
        mount = ("unshare", "-m", "sh", "-c",
                 f"mount -t tmpfs -o size={size} none '{where}' && "
                 'exec "$0" "$@"')
        node = self.node("--blend", self.scene("plain"), "--output", where,
                         "--blend-root", self.scenes_root(), prefix=mount)
        node.output = where
        return node

    def scenes_root(self):
        return pathlib.Path(self.scene("plain")).parent

    def test_full_at_the_last_flush(self):
        node = self.start_on("4m")
        job = self.render(node, frames="1-9", blend=self.scene("noisy"))
        self.assertEqual((job["state"], job["fault"]), ("failed", "disk_full"),
                         job)
        states = list(self.states(job).values())
        done = states.index("failed")
        self.assertEqual(states, ["done"] * done + ["failed"] +
                         ["stopped"] * (8 - done))
        self.assertGreaterEqual(done, 1)
        self.assertEqual(self.text(node, job["pid"])[0], 500)
        info = self.web(node).get("/info").json()
        self.assertEqual((info["healthy"], info["fault"]),
                         (False, "disk_full"))
        answer = self.web(node).post("/job", {"from": 1, "to": 1})
        self.assertEqual(answer.status, 503)
        self.assertIn("disk_full", answer.text)

    def test_full_from_the_start(self):
        node = self.start_on("512k")
        answer = self.web(node).post("/job", {"from": 1, "to": 1})
        self.assertEqual(answer.status, 503)
        self.assertIn("disk_full", answer.text)


class Sweeping(NodeTest):
    def test_what_a_killed_node_left(self):
        node = self.start()
        pid = self.post(node, frames="1-9", key="left",
                        blend=self.scene("slow"))
        self.await_rendering(node, pid, 1)
        self.assertEqual(self.work_left(node), ["left"])
        node.kill()
        self.await_no_blender(node, 2)
        self.assertEqual(self.work_left(node), ["left"])
        node.start()
        self.assertEqual(self.work_left(node), [])

    def test_another_nodes_work_stays(self):
        node = self.start()
        pid = self.post(node, frames="1-9", key="mine",
                        blend=self.scene("slow"))
        self.await_rendering(node, pid, 1)
        self.node(output=node.output)
        self.assertEqual(self.work_left(node), ["mine"])
        self.assertEqual(self.job(node, pid)["state"], "running")


if __name__ == "__main__":
    main()
