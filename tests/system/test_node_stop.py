# SPDX-License-Identifier: Apache-2.0
# ctest: blender
"""frameq-node: however a job or the node ends, no Blender is left."""

import os
import pathlib
import signal


from farm import main, now, until
from nodes import NodeTest


def sleepers():
    """The processes that scenes.child leaves behind."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if (entry / "cmdline").read_bytes() == b"sleep\x00987\x00":
                found.append(int(entry.name))
        except OSError:
            continue
    return found


class Stopping(NodeTest):
    def test_delete(self):
        node = self.shared("--warm", "off")
        pid = self.post(node, frames="1-9", blend=self.scene("slow"))
        self.await_rendering(node, pid, 1)
        self.assertTrue(self.mine(node))
        answer = self.web(node).delete(f"/job/{pid}")
        self.assertEqual(answer.status, 202)
        self.await_no_blender(node, 2)
        job = self.await_end(node, pid)
        self.assertEqual((job["state"], job["fault"]), ("stopped", "stopped"))
        self.assertEqual(set(self.states(job).values()), {"stopped"})
        self.assertEqual(self.text(node, pid),
                         (500, "Job failed: stopped on request"))
        self.assertEqual(self.work_left(node), [])
        self.assertEqual(self.web(node).delete(f"/job/{pid}").status, 202)
        self.assertEqual(self.render(node, frames="1")["state"], "completed")

    def test_delete_while_loading(self):
        node = self.shared("--warm", "off")
        self.web(node).get("/info")  # answered when its Blender has
        self.await_no_blender(node, 10)
        pid = self.post(node, frames="1-9")
        self.web(node).delete(f"/job/{pid}")
        self.await_no_blender(node, 2)
        self.assertEqual(self.await_end(node, pid)["state"], "stopped")

    def test_delete_without_sandbox(self):
        node = self.shared("--warm", "off", "--sandbox", "off")
        pid = self.post(node, frames="1-9", blend=self.scene("slow"))
        self.await_rendering(node, pid, 1)
        self.web(node).delete(f"/job/{pid}")
        self.await_no_blender(node, 2)
        self.assertEqual(self.await_end(node, pid)["state"], "stopped")

    def test_delete_takes_the_children_along(self):
        for sandbox in ("off", "auto"):
            with self.subTest(sandbox=sandbox):
                node = self.start("--allow-scripts", "--sandbox", sandbox)
                pid = self.post(node, frames="1-500", scripts="on",
                                blend=self.scene("child"))
                self.await_rendering(node, pid, 2)
                self.assertTrue(sleepers())
                self.web(node).delete(f"/job/{pid}")
                until("no child left", lambda: not sleepers(), 2)
                node.terminate()

    def test_sigterm(self):
        node = self.start()
        pid = self.post(node, frames="1-9", blend=self.scene("slow"))
        self.await_rendering(node, pid, 1)
        started = now()
        self.assertEqual(node.terminate(), 0)
        self.assertLess(now() - started, 3)
        self.assertEqual(self.mine(node), {})
        self.assertEqual(self.work_left(node), [])

    def test_sigint(self):
        node = self.start()
        node.process.send_signal(signal.SIGINT)
        self.assertEqual(node.wait(3), 0)
        self.await_no_blender(node, 2)

    def test_killed(self):
        for sandbox in ("off", "auto"):
            with self.subTest(sandbox=sandbox):
                node = self.start("--sandbox", sandbox)
                pid = self.post(node, frames="1-9", blend=self.scene("slow"))
                self.await_rendering(node, pid, 1)
                self.assertTrue(self.mine(node))
                node.kill()
                self.await_no_blender(node, 2)

    def test_killed_blender(self):
        node = self.shared("--warm", "off", "--sandbox", "off")
        pid = self.post(node, frames="1-9", blend=self.scene("slow"))
        self.await_rendering(node, pid, 1)
        for each in self.mine(node):
            os.kill(each, signal.SIGKILL)
        job = self.await_end(node, pid, 10)
        self.assertEqual((job["state"], job["fault"]),
                         ("failed", "out_of_memory"))
        self.assertEqual(self.states(job)[1], "failed")


if __name__ == "__main__":
    main()
