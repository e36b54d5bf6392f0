# SPDX-License-Identifier: Apache-2.0
"""frameq-node: what is wrong with a .blend shows before the first frame, with
its name, and never as a job that completed."""

from farm import main
from nodes import NodeTest, scenes


class Traps(NodeTest):
    def assert_fails(self, fault, *words, frame_failed=1, node=None, **body):
        """A job that must fail so; returns it."""
        node = node or self.start()
        body = {"frames": "1-3", **body}
        if "blend" in body:
            body["blend"] = self.scene(body["blend"])
        job = self.render(node, **body)
        self.assertEqual((job["state"], job["fault"]), ("failed", fault), job)
        for word in words:
            self.assertIn(word, job["text"])
        status, text = self.text(node, job["pid"])
        self.assertEqual((status, text), (500, f"Job failed: {job['text']}"))
        states = self.states(job)
        self.assertEqual(states[frame_failed], "failed")
        self.assertTrue(all(state == "stopped" for n, state in states.items()
                            if n > frame_failed))
        self.assertEqual(len(self.pictures(node)), frame_failed - 1)
        self.assertEqual(self.work_left(node), [])
        return job

    def test_missing_texture(self):
        self.assert_fails("missing_file", "wood.png", blend="texture")

    def test_missing_texture_allowed(self):
        node = self.start()
        job = self.render(node, frames="1", blend=self.scene("texture"),
                          missing_files="allow")
        self.assertEqual(job["state"], "completed")
        self.assertIn("wood.png", " ".join(job["warnings"]))

    def test_missing_library(self):
        self.assert_fails("missing_file", "library.blend", blend="library_gone")

    def test_library_without_the_thing(self):
        self.assert_fails("missing_file", "Chair", "poor.blend", blend="library_poor")

    def test_script_blocked(self):
        self.assert_fails("script_blocked", "sin(frame)", blend="script")

    def test_script_blocked_that_only_a_render_asks_for(self):
        self.assert_fails("script_blocked", "sin(frame)", blend="script_hidden")

    def test_script_allowed(self):
        node = self.start("--allow-scripts")
        job = self.render(node, frames="1", blend=self.scene("script"),
                          scripts="on")
        self.assertEqual(job["state"], "completed")
        self.assert_fails("script_blocked", node=self.start("--allow-scripts"),
                  blend="script")

    def test_bad_names(self):
        node = self.start()
        self.assert_fails("bad_name", "Nope", "Scene", node=node, scene="Nope")
        self.assert_fails("bad_name", "Nope", "Camera", node=node, camera="Nope")
        self.assert_fails("bad_name", "Nope", "Second", node=node,
                  view_layers=["Second", "Nope"])

    def test_no_camera(self):
        node = self.start()
        self.assert_fails("no_camera", "Scene", node=node, blend="no_camera")
        self.assert_fails("no_camera", "Empty", node=node, scene="Empty")

    def test_bad_engine(self):
        self.assert_fails("bad_engine", "BLENDER_EEVEE_NEXT",
                  engine="BLENDER_EEVEE_NEXT")

    def test_not_a_blend(self):
        broken = scenes() / "broken.blend"
        broken.write_bytes(open(self.scene("plain"), "rb").read()[:3000])
        self.assert_fails("bad_blend", "broken.blend", blend="broken")
        (scenes() / "text.blend").write_text("no scene at all")
        self.assert_fails("bad_blend", "text.blend", blend="text")

    def test_crash(self):
        node = self.start("--allow-scripts", "--sandbox", "off")
        job = self.assert_fails("crash", "signal 11", frame_failed=3, node=node,
                        frames="1-5", blend="crash", scripts="on")
        self.assertEqual(job["exit"], 139)
        self.assertEqual(self.states(job)[2], "done")

    def test_crash_in_the_sandbox(self):
        node = self.start("--allow-scripts")
        self.assert_fails("crash", "signal 11", frame_failed=3, node=node,
                  frames="1-5", blend="crash", scripts="on")

    def test_silence(self):
        node = self.start("--allow-scripts")
        self.assert_fails("silence", "3 s", frame_failed=2, node=node, blend="hang",
                  scripts="on", silence_seconds=3)

    def test_timeout(self):
        self.assert_fails("timeout", "frame 1", "1.5 s", blend="slow",
                  timeout_seconds=1.5)


class Settings(NodeTest):
    def picture(self, node, job, frame=1):
        answer = self.web(node).get(f"/job/{job['pid']}/frame/{frame}")
        self.assertEqual(answer.status, 200)
        return answer

    def test_everything_a_job_may_choose(self):
        node = self.start()
        job = self.render(node, frames="7", job="abc", camera="Other",
                          view_layers=["Second"], samples=2, scene="Scene",
                          resolution="32x18", format="JPEG",
                          output="shot/a_######", engine="CYCLES")
        self.assertEqual(job["state"], "completed", job)
        self.assertEqual(self.pictures(node), ["abc/shot/a_000007.jpg"])
        picture = self.picture(node, job, 7)
        self.assertEqual(picture.headers["Content-Type"], "image/jpeg")
        self.assertEqual(picture.body[:3], b"\xff\xd8\xff")

    def test_every_format(self):
        node = self.start()
        for kind, magic, suffix in (
                ("PNG", b"\x89PNG", "png"), ("JPEG", b"\xff\xd8\xff", "jpg"),
                ("TIFF", b"II*\0", "tif"), ("WEBP", b"RIFF", "webp"),
                ("OPEN_EXR", b"\x76\x2f\x31\x01", "exr"),
                ("OPEN_EXR_MULTILAYER", b"\x76\x2f\x31\x01", "exr")):
            with self.subTest(kind=kind):
                job = self.render(node, frames="1", job=kind, format=kind)
                self.assertEqual(job["state"], "completed", job)
                file = job["frames"][0]["files"][0]
                self.assertTrue(file["path"].endswith(f"/frame_0001.{suffix}"))
                self.assertTrue(self.picture(node, job).body.startswith(magic))
                small = self.web(node).get(
                    f"/job/{job['pid']}/frame/1/thumbnail")
                self.assertEqual(small.headers["Content-Type"], "image/jpeg")
                self.assertLessEqual(len(small.body), 65536)

    def test_resolution_in_percent(self):
        node = self.start()
        job = self.render(node, frames="1", resolution="50%")
        self.assertEqual(job["state"], "completed", job)
        png = self.picture(node, job).body
        self.assertEqual(int.from_bytes(png[16:20], "big"), 32)

    def test_steps_and_ranges(self):
        node = self.start()
        job = self.render(node, frames="9, 1-5x2")
        self.assertEqual(list(self.states(job)), [1, 3, 5, 9])
        job = self.render(node, **{"from": 10, "to": 15, "step": 5})
        self.assertEqual(list(self.states(job)), [10, 15])

    def test_the_last_frame_there_is(self):
        node = self.start()
        job = self.render(node, frames="0,1048574")
        self.assertEqual(job["state"], "completed")
        self.assertEqual(self.pictures(node),
                         ["blender-render_0000.png",
                          "blender-render_1048574.png"])

    def test_movie_becomes_pictures(self):
        node = self.start()
        job = self.render(node, frames="1-2", blend=self.scene("movie"))
        self.assertEqual(job["state"], "completed")
        self.assertEqual(self.pictures(node), ["blender-render_0001.png",
                                               "blender-render_0002.png"])
        self.assertIn("FFMPEG", " ".join(job["warnings"]))

    def test_workbench(self):
        node = self.start()
        job = self.render(node, frames="1", engine="BLENDER_WORKBENCH")
        if job["fault"] == "bad_engine":
            self.skipTest("no OpenGL here")
        self.assertEqual(job["state"], "completed", job)

    def test_device_is_told(self):
        node = self.start("--device", "cpu")
        job = self.render(node, frames="1")
        self.assertEqual(job["device"], "CPU")
        self.assertRegex(job["blender"], r"^\d+\.\d+")
        self.assertEqual((job["exit"], job["progress"], job["frame"]),
                         (0, 1.0, None))
        self.assertGreater(job["frames"][0]["seconds"], 0)

    def test_log(self):
        node = self.start()
        job = self.render(node, frames="1-2")
        log = self.web(node).get(f"/job/{job['pid']}/log")
        self.assertIn("Read blend: ", log.text)
        self.assertIn("Saved: ", log.text)
        self.assertTrue(log.text.endswith(job["log"]))
        self.assertLess(log.text.count("Fra:"), 8)


if __name__ == "__main__":
    main()
