# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""A Blender that is kept open may die or be ended at any time, and never
outlives its node."""

import os
import signal
import subprocess

from farm import main, now, until
from warm import Warm


# A frame takes long enough to be met.
SLOW = {"samples": 4, "resolution": "320x180"}


class Ends(Warm):
    def slow(self, node, frames="1"):
        """A job of the same work as all others here, which is completed."""
        return self.once(node, blend=self.scene("slow"), frames=frames, **SLOW)

    def idle(self, node):
        """It has one Blender that waits, and the spare; returns their pids."""
        self.slow(node)
        return self.await_pids(node, 2)

    def begin(self, node):
        """A job of many frames, some of which are done."""
        pid = self.post(node, blend=self.scene("slow"), frames="2-99", **SLOW)
        self.await_job(node, pid, lambda job: job["done"] > 1)
        return pid

    def kill_blenders(self, node):
        for pid in self.mine(node):
            os.kill(pid, signal.SIGKILL)

    def test_died_while_it_waited(self):
        node = self.shared("--sandbox", "off")
        self.idle(node)
        self.kill_blenders(node)
        job = self.slow(node)  # may come before the node has noticed
        self.assertNotEqual(job["launch"], "warm")
        self.await_pids(node, 2)
        self.assertEqual(self.slow(node)["launch"], "warm")
        self.kill_blenders(node)
        self.await_pids(node, 0)
        until("the node has seen its child's end", lambda: "Z" not in
              subprocess.run(["ps", "--ppid", str(node.process.pid), "-o",
                              "stat="], capture_output=True, text=True,
                             check=False).stdout)
        self.assertNotEqual(self.slow(node)["launch"], "warm")

    def test_killed_in_a_later_job(self):
        node = self.shared("--sandbox", "off")
        self.slow(node)
        pid = self.begin(node)
        self.kill_blenders(node)
        job = self.await_end(node, pid, 20)
        self.assertEqual((job["launch"], job["state"], job["fault"]),
                         ("warm", "failed", "out_of_memory"))
        self.assertNotEqual(self.slow(node)["launch"], "warm")

    def test_delete_ends_it(self):
        node = self.shared()
        before = self.idle(node)
        pid = self.begin(node)
        self.web(node).delete(f"/job/{pid}")
        until("it is gone", lambda: len(self.leaders(node)) < 2, 2)
        self.assertLess(set(self.leaders(node)), before)
        self.await_end(node, pid)  # its slot is free a moment later
        self.assertEqual(self.slow(node)["launch"], "spare")

    def test_timeout_ends_it(self):
        node = self.shared()
        self.slow(node)
        pid = self.post(node, blend=self.scene("slow"), frames="2", **SLOW,
                        timeout_seconds=0.01)
        job = self.await_end(node, pid)
        self.assertEqual((job["launch"], job["fault"]), ("warm", "timeout"))
        self.assertNotEqual(self.slow(node)["launch"], "warm")

    def test_with_its_node(self):
        """Ended by SIGTERM, or killed."""
        node = self.shared()
        self.idle(node)
        started = now()
        self.assertEqual(node.terminate(), 0)
        self.assertLess(now() - started, 3)
        self.assertEqual(self.mine(node), {})
        left = [path.name for path in (node.output / ".work").iterdir()]
        self.assertEqual(left, ["serial"])
        for node in self.shared("--sandbox", "off"), self.shared():
            with self.subTest(flags=node.flags):
                self.idle(node)
                node.kill()
                self.await_no_blender(node, 2)


if __name__ == "__main__":
    main()
