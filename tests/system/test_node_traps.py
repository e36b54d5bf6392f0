# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""frameq-node: what is wrong with a .blend shows before the first frame, with
its name, and never as a job that completed."""

import pathlib

from farm import main
from nodes import NodeTest, scenes


class Traps(NodeTest):
    def cold(self, *flags):
        """A node with a Blender for each job."""
        return self.shared("--warm", "off", *flags)

    def spare(self):
        """A node with one that waits for any .blend."""
        node = self.shared()
        plain = self.render(node, frames="1", replace=True)
        self.assertEqual(plain["state"], "completed", plain)
        for path in self.pictures(node):
            (node.output / path).unlink()
        return node

    def assert_fails_anyhow(self, fault, *words, **body):
        """In a Blender started for it and in one that waited, in the same
        words."""
        cold = self.assert_fails(fault, *words, **body)
        warm = self.assert_fails(fault, *words, node=self.spare(), **body)
        self.assertEqual((cold["launch"], warm["launch"]), ("cold", "spare"))
        self.assertEqual(cold["text"], warm["text"])

    def assert_fails(self, fault, *words, frame_failed=1, node=None, **body):
        """A job that must fail so; returns it."""
        node = node or self.cold()
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
        self.assert_fails_anyhow("missing_file", "wood.png", blend="texture")

    def test_missing_texture_allowed(self):
        node = self.cold()
        job = self.render(node, frames="1", blend=self.scene("texture"),
                          missing_files="allow")
        self.assertEqual(job["state"], "completed")
        self.assertIn("wood.png", " ".join(job["warnings"]))

    def test_missing_library(self):
        self.assert_fails_anyhow("missing_file", "library.blend",
                                 blend="library_gone")

    def test_library_without_the_thing(self):
        self.assert_fails_anyhow("missing_file", "Chair", "poor.blend",
                                 blend="library_poor")

    def test_script_blocked(self):
        self.assert_fails_anyhow("script_blocked", "sin(frame)", blend="script")

    def test_script_blocked_that_only_a_render_asks_for(self):
        self.assert_fails_anyhow("script_blocked", "sin(frame)",
                                 blend="script_hidden")

    def test_script_allowed(self):
        node = self.cold("--allow-scripts")
        job = self.render(node, frames="1", blend=self.scene("script"),
                          scripts="on")
        self.assertEqual(job["state"], "completed")
        self.assert_fails("script_blocked", node=self.cold("--allow-scripts"),
                          blend="script")

    def test_bad_names(self):
        node = self.cold()
        self.assert_fails("bad_name", "Nope", "Scene", node=node, scene="Nope")
        self.assert_fails("bad_name", "Nope", "Camera", node=node, camera="Nope")
        self.assert_fails("bad_name", "Nope", "Second", node=node,
                  view_layers=["Second", "Nope"])

    def test_no_camera(self):
        self.assert_fails("no_camera", "Scene", blend="no_camera")
        self.assert_fails("no_camera", "Empty", node=self.spare(),
                          scene="Empty")

    def test_bad_engine(self):
        self.assert_fails("bad_engine", "BLENDER_EEVEE_NEXT",
                  engine="BLENDER_EEVEE_NEXT")

    def test_engine_without_opengl(self):
        node = self.start(env={"__EGL_VENDOR_LIBRARY_DIRS": "/nowhere",
                               "DISPLAY": ""})
        self.assertIn("BLENDER_WORKBENCH",
                      self.web(node).get("/info").json()["engines"])
        self.assert_fails("bad_engine", "OpenGL", node=node,
                          engine="BLENDER_WORKBENCH")
        self.assertEqual(self.web(node).get("/info").json()["engines"],
                         ["CYCLES"])

    def test_not_a_blend(self):
        broken = scenes() / "broken.blend"
        whole = pathlib.Path(self.scene("plain")).read_bytes()
        broken.write_bytes(whole[:3000])
        self.assert_fails("bad_blend", "broken.blend", blend="broken")
        (scenes() / "text.blend").write_text("no scene at all")
        self.assert_fails_anyhow("bad_blend", "text.blend", blend="text")

    def test_crash(self):
        node = self.cold("--allow-scripts", "--sandbox", "off")
        job = self.assert_fails("crash", "signal 11", frame_failed=3, node=node,
                        frames="1-5", blend="crash", scripts="on")
        self.assertEqual(job["exit"], 139)
        self.assertEqual(self.states(job)[2], "done")

    def test_crash_in_the_sandbox(self):
        node = self.cold("--allow-scripts")
        self.assert_fails("crash", "signal 11", frame_failed=3, node=node,
                  frames="1-5", blend="crash", scripts="on")

    def test_silence(self):
        node = self.cold("--allow-scripts")
        self.assert_fails("silence", "2 s", frame_failed=2, node=node, blend="hang",
                  scripts="on", silence_seconds=2)

    def test_timeout(self):
        self.assert_fails("timeout", "frame 1", "0.5 s", blend="slow",
                  timeout_seconds=0.5)


if __name__ == "__main__":
    main()
