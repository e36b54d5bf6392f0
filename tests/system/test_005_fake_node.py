# SPDX-License-Identifier: Apache-2.0
"""The fake node itself: what other tests build on must hold first."""

import struct
import zlib

import farm
from wire import Web

TEXT = "text/plain; charset=utf-8"


def png_is_whole(data):
    """Walks the chunks of a PNG and checks each one's sum."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return False
    at, kind = 8, b""
    while at + 12 <= len(data) and kind != b"IEND":
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 4:at + 8 + length]
        end = at + 12 + length
        if data[end - 4:end] != struct.pack(">I", zlib.crc32(body)):
            return False
        at = end
    return kind == b"IEND" and at == len(data)


class Classic(farm.FarmTest):
    def start(self, *flags, **options):
        node = self.fake(*flags, **options)
        return node, Web(node.address)

    def post(self, web, first, last):
        answer = web.post("/job", {"from": first, "to": last})
        self.assertEqual(answer.status, 202, answer)
        return answer.json()["pid"]

    def await_end(self, web, pid, text="Job completed", status=200):
        answer = farm.until("the job ends", lambda: (
            answer := web.get(f"/job/{pid}")).status != 202 and answer)
        self.assertEqual((answer.status, answer.text), (status, text))

    def test_the_api(self):
        node, web = self.start(frame_ms=30)
        answer = web.post("/job", {"from": 1, "to": 5})
        pid = answer.json()["pid"]
        self.assertEqual(answer.status, 202)
        self.assertEqual(answer.body, b'{"pid":%d}' % pid)
        self.assertEqual(answer.headers["Location"], f"/job/{pid}")
        self.assertEqual(answer.headers["Retry-After"], "5")
        running = web.get(f"/job/{pid}")
        self.assertEqual((running.status, running.text,
                          running.headers["Location"],
                          running.headers["Retry-After"],
                          running.headers["Content-Type"]),
                         (202, "Job still running", f"/job/{pid}", "5", TEXT))
        self.await_end(web, pid)
        missing = web.get("/job/99")
        self.assertEqual((missing.status, missing.text),
                         (400, "Job not found"))
        bad = web.post("/job", {"from": 1})
        self.assertEqual((bad.status, bad.text), (400, "Invalid input"))
        self.assertEqual(web.get("/health").body, b"OK")
        self.assertEqual(web.get("/info").status, 404)

    def test_time_and_diary(self):
        node, web = self.start("--overhead-ms", 100, frame_ms=50)
        self.await_end(web, self.post(web, 1, 4))
        first, last = node.events("post")[0], node.events("completed")[0]
        self.assertEqual(last["t"] - first["t"], 300)
        self.assertEqual(node.started(), [1, 2, 3, 4])
        self.assertEqual(node.rendered(), [1, 2, 3, 4])
        told = web.get("/fake/log").json()
        self.assertEqual(told["events"], node.events())
        self.assertGreater(told["polls"], 0)

    def test_speed_and_lists(self):
        times = self.folder / "times"
        times.write_text("0\n10\n20\n400\n")
        node, web = self.start("--speed", 2, "--frame-ms-list", times)
        self.await_end(web, self.post(web, 1, 3))
        start = {e["from"]: e["t"] for e in node.events("start")}
        end = {e["from"]: e["t"] for e in node.events("end")}
        self.assertEqual([end[f] - start[f] for f in (1, 2, 3)], [5, 10, 200])

    def test_lognormal_is_the_same_everywhere(self):
        def lengths():
            node, web = self.start("--frame-ms-list", "lognormal:10,0.8,7")
            self.await_end(web, self.post(web, 1, 20))
            start = {e["from"]: e["t"] for e in node.events("start")}
            return [e["t"] - start[e["from"]] for e in node.events("end")]
        first = lengths()
        self.assertEqual(first, lengths())
        self.assertGreater(len(set(first)), 3)

    def test_pictures(self):
        frames = self.folder / "frames"
        node, web = self.start("--half-frame", "2:1", "--empty-frame", 3,
                               "--fail-frame", 4, frame_ms=1, frames=frames)
        self.await_end(web, self.post(web, 1, 5))
        whole = {path.name: png_is_whole(path.read_bytes())
                 for path in frames.iterdir()}
        self.assertEqual(whole, {"blender-render_0001.png": True,
                                 "blender-render_0002.png": False,
                                 "blender-render_0003.png": False,
                                 "blender-render_0005.png": True})
        self.await_end(web, self.post(web, 2, 2))
        again = (frames / "blender-render_0002.png").read_bytes()
        self.assertTrue(png_is_whole(again))

    def test_slots(self):
        node, web = self.start("--slots", 1, frame_ms=10000)
        self.post(web, 1, 1)
        busy = web.post("/job", {"from": 2, "to": 2})
        self.assertEqual((busy.status, busy.text),
                         (503, "Server busy, try again later"))
        self.assertTrue(busy.headers["Retry-After"])

    def test_tricks(self):
        node, web = self.start(frame_ms=1)
        node.trick(refuse=1)
        self.assertEqual(web.post("/job", {"from": 1, "to": 1}).status, 503)
        pid = self.post(web, 1, 1)
        node.trick(error_500="always")
        self.assertEqual(web.get("/health").status, 500)
        node.trick(error_500="off", forget=1)
        self.assertEqual(web.get(f"/job/{pid}").status, 400)
        self.await_end(web, pid)
        node.trick(quit_at_frame=7)
        self.await_end(web, self.post(web, 5, 9))
        self.assertEqual(node.rendered(), [1, 5, 6])

    def test_black_hole_and_freeze(self):
        node, web = self.start(frame_ms=1)
        node.trick(freeze_after=2)
        self.post(web, 1, 5)
        farm.until("two frames", lambda: node.rendered() == [1, 2])
        with self.assertRaises(TimeoutError):
            web.request("GET", "/health", timeout=0.3)
        node.trick(freeze_after="off", black_hole=1)
        with self.assertRaises(TimeoutError):
            web.request("GET", "/health", timeout=0.3)
        self.assertEqual(web.get("/health").status, 200)

    def test_death(self):
        node, web = self.start("--die-at-frame", 3, frame_ms=5)
        self.post(web, 1, 5)
        self.assertEqual(node.wait(5), 3)
        self.assertEqual(node.rendered(), [1, 2])
        node.restart("--die-at-frame", "off")
        self.assertEqual(Web(node.address).get("/health").status, 200)

    def test_many_nodes(self):
        node = self.fake("--count", 20, frame_ms=1)
        self.assertEqual(len(set(node.nodes)), 20)
        for address in node.nodes:
            self.assertEqual(Web(address).get("/health").status, 200)


class Superset(farm.FarmTest):
    def setUp(self):
        self.frames = self.folder / "frames"
        self.host = self.fake("--superset", "--slots", 2, frame_ms=40,
                              frames=self.frames)
        self.web = Web(self.host.address, timeout=30)

    def post(self, **order):
        answer = self.web.post("/job", order)
        self.assertEqual(answer.status, 202, answer)
        return answer.json()["pid"]

    def get(self, pid, query="?wait=0"):
        return self.web.get(f"/job/{pid}{query}",
                            accept="application/json").json()

    def test_info(self):
        self.assertEqual(self.web.get("/info").json()["slots"], 2)

    def test_key(self):
        order = {"from": 1, "to": 5, "key": "7-1", "job": "j"}
        self.assertEqual(self.post(**order), self.post(**order))

    def test_state_and_wait(self):
        pid = self.post(**{"from": 1, "to": 3, "job": "j", "name": "shot"})
        state, revision = self.get(pid), 0
        while state["state"] == "running":
            self.assertGreater(state["rev"], revision)
            revision = state["rev"]
            state = self.get(pid, f"?wait=20&after={revision}")
        self.assertEqual(state["state"], "completed")
        self.assertEqual([f["frame"] for f in state["frames"]], [1, 2, 3])
        path = self.frames / "j/shot_0002.png"
        self.assertEqual(state["frames"][1]["files"][0]["path"], str(path))
        self.assertTrue(png_is_whole(path.read_bytes()))

    def test_trim_and_stop(self):
        pid = self.post(**{"from": 1, "to": 50})
        self.assertEqual(self.web.patch(f"/job/{pid}", {"to": 2}).json(),
                         {"to": 2})
        farm.until("it ends", lambda: self.get(pid)["state"] == "completed")
        self.assertEqual(self.web.patch(f"/job/{pid}", {"to": 1}).status, 409)
        pid = self.post(**{"from": 1, "to": 50})
        self.assertEqual(self.web.delete(f"/job/{pid}").status, 202)
        self.assertEqual(self.get(pid)["state"], "stopped")

    def test_a_frame_that_fails(self):
        self.host.trick(fail_frame=2)
        pid = self.post(**{"from": 1, "to": 3})
        farm.until("it ends", lambda: self.get(pid)["state"] == "failed")
        self.assertEqual(self.get(pid)["fault"], "crash")
        answer = self.web.get(f"/job/{pid}")
        self.assertEqual(answer.status, 500)
        self.assertTrue(answer.text.startswith("Job failed: "))


if __name__ == "__main__":
    farm.main()
