# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""frameq-node: what a job may choose, and that it comes out so."""

from farm import main, until
from nodes import NodeTest


class Settings(NodeTest):
    def picture(self, node, job, frame=1):
        answer = self.web(node).get(f"/job/{job['pid']}/frame/{frame}")
        self.assertEqual(answer.status, 200)
        return answer

    def assert_kind(self, node, job, magic, suffix, frame=1):
        """Its picture and the small one are of that kind."""
        self.assertEqual(job["state"], "completed", job)
        file = job["frames"][0]["files"][0]
        self.assertTrue(file["path"].endswith(f"{frame:04}.{suffix}"), file)
        self.assertTrue(self.picture(node, job, frame).body.startswith(magic))
        small = self.web(node).get(f"/job/{job['pid']}/frame/{frame}/thumbnail")
        self.assertEqual(small.headers["Content-Type"], "image/jpeg")
        self.assertLessEqual(len(small.body), 65536)

    def test_everything_a_job_may_choose(self):
        node = self.shared()
        job = self.render(node, frames="7", job="abc", camera="Other",
                          view_layers=["Second"], samples=2, scene="Scene",
                          resolution="32x18", format="JPEG",
                          output="shot/a_######", engine="CYCLES")
        self.assert_kind(node, job, b"\xff\xd8\xff", "jpg", 7)
        self.assertEqual(self.pictures(node), ["abc/shot/a_000007.jpg"])
        picture = self.picture(node, job, 7)
        self.assertEqual(picture.headers["Content-Type"], "image/jpeg")

    def test_every_format(self):
        """JPEG is above."""
        node = self.shared()
        self.assert_kind(node, self.render(node, frames="1"), b"\x89PNG", "png")
        for kind, magic, suffix in (
                ("TIFF", b"II*\0", "tif"), ("WEBP", b"RIFF", "webp"),
                ("OPEN_EXR", b"\x76\x2f\x31\x01", "exr"),
                ("OPEN_EXR_MULTILAYER", b"\x76\x2f\x31\x01", "exr")):
            with self.subTest(kind=kind):
                job = self.render(node, frames="1", job=kind, format=kind)
                self.assert_kind(node, job, magic, suffix)

    def test_steps_and_ranges(self):
        node = self.shared()
        job = self.render(node, frames="9, 1-5x2")
        self.assertEqual(list(self.states(job)), [1, 3, 5, 9])
        job = self.render(node, **{"from": 10, "to": 15, "step": 5})
        self.assertEqual(list(self.states(job)), [10, 15])

    def test_the_last_frame_there_is(self):
        node = self.shared()
        job = self.render(node, frames="0,1048574")
        self.assertEqual(job["state"], "completed")
        self.assertEqual(self.pictures(node),
                         ["blender-render_0000.png",
                          "blender-render_1048574.png"])

    def test_movie_becomes_pictures(self):
        """And of half the size, in percent."""
        node = self.shared()
        job = self.render(node, frames="1-2", blend=self.scene("movie"),
                          resolution="50%")
        self.assertEqual(job["state"], "completed", job)
        self.assertEqual(self.pictures(node), ["blender-render_0001.png",
                                               "blender-render_0002.png"])
        self.assertIn("FFMPEG", " ".join(job["warnings"]))
        png = self.picture(node, job).body
        self.assertEqual(int.from_bytes(png[16:20], "big"), 32)

    def test_workbench(self):
        node = self.shared()
        job = self.render(node, frames="1", engine="BLENDER_WORKBENCH")
        if job["fault"] == "bad_engine":
            self.skipTest("no OpenGL here")
        self.assertEqual(job["state"], "completed", job)

    def test_compiled_scripts(self):
        """Blender's own scripts are compiled once a user, by a Blender that
        opens no scene; what a scene's scripts do does not get in there."""
        cache = self.folder / "cache"
        node = self.start("--allow-scripts", "--device", "cpu",
                          env={"XDG_CACHE_HOME": str(cache)})
        until("Blender's answer", lambda: self.web(node).get(
            "/info").json()["blender"], 60)
        compiled = sorted(cache.rglob("*.pyc"))
        self.assertGreater(len(compiled), 50)
        job = self.render(node, frames="1", scripts="on")
        self.assertEqual(job["state"], "completed", job)
        self.assertEqual(sorted(cache.rglob("*.pyc")), compiled)
        self.what_it_tells(job)

    def what_it_tells(self, job):
        self.assertEqual(job["device"], "CPU")
        self.assertRegex(job["blender"], r"^\d+\.\d+")
        self.assertEqual((job["exit"], job["progress"], job["frame"]),
                         (0, 1.0, None))
        self.assertGreater(job["frames"][0]["seconds"], 0)

    def test_log(self):
        node = self.shared()
        job = self.render(node, frames="1-2")
        log = self.web(node).get(f"/job/{job['pid']}/log")
        self.assertIn("Read blend: ", log.text)
        self.assertIn("Saved: ", log.text)
        self.assertTrue(log.text.endswith(job["log"]))
        self.assertLess(log.text.count("Fra:"), 8)


if __name__ == "__main__":
    main()
