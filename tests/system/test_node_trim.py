# SPDX-License-Identifier: Apache-2.0
# ctest: blender
"""frameq-node: PATCH ends a job early, and says the truth about where."""

from farm import main
from nodes import NodeTest


# Frames that take a while each.
SLOW = {"samples": 16, "resolution": "320x180"}


class Trimming(NodeTest):
    def test_stops_early(self):
        node = self.shared()
        pid = self.post(node, frames="1-9", blend=self.scene("slow"),
                        **SLOW)
        self.await_rendering(node, pid, 2)
        answer = self.web(node).patch(f"/job/{pid}", {"to": 3})
        self.assertEqual(answer.status, 200)
        last = answer.json()["to"]
        self.assertGreaterEqual(last, 3)
        job = self.await_end(node, pid)
        self.assertEqual(job["state"], "completed")
        self.assertEqual(job["to"], last)
        states = self.states(job)
        self.assertTrue(all(states[n] == ("done" if n <= last else "stopped")
                            for n in range(1, 10)), states)
        self.assertEqual(self.text(node, pid), (200, "Job completed"))
        self.assertEqual(len(self.pictures(node)), last)

    def test_what_renders_is_not_given_back(self):
        node = self.shared()
        pid = self.post(node, frames="1-9", blend=self.scene("slow"),
                        **SLOW)
        job = self.await_rendering(node, pid, 2)
        answer = self.web(node).patch(f"/job/{pid}", {"to": 0})
        self.assertGreaterEqual(answer.json()["to"], job["frame"])
        job = self.await_end(node, pid)
        self.assertEqual(job["state"], "completed")
        self.assertEqual(job["done"], answer.json()["to"])

    def test_before_the_first_frame(self):
        node = self.shared("--warm", "off")  # begins late
        pid = self.post(node, frames="5-9")
        answer = self.web(node).patch(f"/job/{pid}", {"to": 6})
        self.assertEqual(answer.json(), {"to": 6})
        job = self.await_end(node, pid)
        self.assertEqual([n for n, state in self.states(job).items()
                          if state == "done"], [5, 6])

    def test_nothing_left(self):
        node = self.shared("--warm", "off")  # begins late
        pid = self.post(node, frames="5-9")
        answer = self.web(node).patch(f"/job/{pid}", {"to": 4})
        self.assertEqual(answer.json(), {"to": 4})
        job = self.await_end(node, pid)
        self.assertEqual((job["state"], job["done"]), ("stopped", 0))

    def test_never_longer(self):
        node = self.shared("--warm", "off")  # begins late
        pid = self.post(node, frames="1-2")
        answer = self.web(node).patch(f"/job/{pid}", {"to": 50})
        self.assertEqual(answer.json(), {"to": 2})
        self.await_end(node, pid)

    def test_refusals(self):
        node = self.shared()
        pid = self.post(node, frames="1")
        for body in ({}, {"to": "3"}, {"to": -1}, {"to": 1, "from": 1}, "["):
            with self.subTest(body=body):
                answer = self.web(node).patch(f"/job/{pid}", body)
                self.assertEqual(answer.status, 400)
        self.await_end(node, pid)
        answer = self.web(node).patch(f"/job/{pid}", {"to": 1})
        self.assertEqual(answer.status, 409)
        self.assertEqual(self.web(node).patch("/job/987", {"to": 1}).status,
                         400)


if __name__ == "__main__":
    main()
