# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""A Blender that is kept open may die or be ended at any time, and never
outlives its node."""

import os
import signal
import subprocess

from farm import main, now, until
from warm import Warm


class Ends(Warm):
    def idle(self, *flags):
        """A node with one Blender that waits, and the spare."""
        node = self.warm(*flags)
        self.once(node)
        self.await_pids(node, 2)
        return node

    def test_died_while_it_waited(self):
        node = self.idle("--sandbox", "off")
        for _ in range(2):
            for pid in self.mine(node):
                os.kill(pid, signal.SIGKILL)
            job = self.once(node)  # may come before the node has noticed
            self.assertNotEqual(job["launch"], "warm")
            self.await_pids(node, 2)
        self.assertEqual(self.once(node)["launch"], "warm")

    def test_killed_in_a_later_job(self):
        node = self.warm("--sandbox", "off")
        slow = self.scene("slow")
        self.once(node, blend=slow, frames="1", samples=4)
        pid = self.post(node, blend=slow, frames="2-9", samples=4)
        self.await_rendering(node, pid, 3)
        for each in self.mine(node):
            os.kill(each, signal.SIGKILL)
        job = self.await_end(node, pid, 20)
        self.assertEqual((job["launch"], job["state"], job["fault"]),
                         ("warm", "failed", "out_of_memory"))
        job = self.once(node, blend=slow, frames="1", samples=4)
        self.assertNotEqual(job["launch"], "warm")

    def test_delete_ends_it(self):
        node = self.shared()
        slow = self.scene("slow")
        self.once(node, blend=slow, frames="1", samples=4)
        before = self.await_pids(node, 2)
        pid = self.post(node, blend=slow, frames="2-99", samples=4)
        self.await_rendering(node, pid, 3)
        self.web(node).delete(f"/job/{pid}")
        until("it is gone", lambda: len(self.leaders(node)) < 2, 2)
        self.assertLess(set(self.leaders(node)), before)
        self.await_end(node, pid)  # its slot is free a moment later
        job = self.once(node, blend=slow, frames="1", samples=4)
        self.assertEqual(job["launch"], "spare")

    def test_timeout_ends_it(self):
        node = self.shared()
        slow = self.scene("slow")
        self.once(node, blend=slow, frames="1", samples=1)
        pid = self.post(node, blend=slow, frames="2", samples=1,
                        timeout_seconds=0.01)
        job = self.await_end(node, pid)
        self.assertEqual((job["launch"], job["fault"]), ("warm", "timeout"))
        job = self.once(node, blend=slow, frames="3", samples=1)
        self.assertNotEqual(job["launch"], "warm")

    def test_sigterm(self):
        node = self.idle()
        started = now()
        self.assertEqual(node.terminate(), 0)
        self.assertLess(now() - started, 3)
        self.assertEqual(self.mine(node), {})
        left = [path.name for path in (node.output / ".work").iterdir()]
        self.assertEqual(left, ["serial"])

    def test_killed_node(self):
        for sandbox in ("off", "auto"):
            with self.subTest(sandbox=sandbox):
                node = self.idle("--sandbox", sandbox)
                node.kill()
                self.await_no_blender(node, 2)

    def test_no_zombie(self):
        node = self.idle("--sandbox", "off")
        for pid in self.mine(node):
            os.kill(pid, signal.SIGKILL)
        self.await_pids(node, 0)
        until("the node has seen its child's end", lambda: "Z" not in
              subprocess.run(["ps", "--ppid", str(node.process.pid), "-o",
                              "stat="], capture_output=True, text=True,
                             check=False).stdout)


if __name__ == "__main__":
    main()
