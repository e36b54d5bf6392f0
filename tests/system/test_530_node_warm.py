# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""frameq-node keeps Blender open between jobs: for more of the same, never for
anything else."""

import os
import shutil

from farm import main
from warm import Warm


class Keeping(Warm):
    def test_two_batches_one_blender(self):
        node = self.warm("--sandbox", "off")
        self.web(node).get("/info")
        self.await_no_blender(node, 10)  # none before the first job
        first = self.once(node, frames="1-3")
        before = self.await_pids(node, 2)  # and the spare
        second = self.once(node, frames="4-6")
        self.assertEqual((first["launch"], second["launch"]),
                         ("cold", "warm"))
        self.assertEqual((second["exit"], second["cold"]), (0, None))
        self.assertEqual(self.await_pids(node, 2), before)
        self.assertIn("Read blend", first["log"])
        self.assertNotIn("Read blend", second["log"])
        self.assertEqual(len(self.pictures(node)), 6)

    def test_with_a_sandbox(self):
        node = self.warm()
        launches = [self.once(node, frames=str(frame))["launch"]
                    for frame in (3, 1, 2)]
        self.assertEqual(launches, ["cold", "warm", "warm"])

    def test_off(self):
        node = self.warm("--warm", "off")
        for _ in range(2):
            job = self.once(node)
            self.assertEqual((job["launch"], job["cold"]),
                             ("cold", "--warm off"))
            self.assertEqual(job["warnings"], [])
        self.await_no_blender(node, 2)

    def test_another_blend_takes_the_spare(self):
        node = self.shared()
        self.once(node)
        self.await_pids(node, 2)
        other = str(self.made / "light.blend")
        job = self.once(node, blend=other)
        self.assertEqual(job["launch"], "spare")
        self.assertIn("Read blend: " + other, job["log"])
        for blend in (other, str(self.made / "plain.blend")):
            self.assertEqual(self.once(node, blend=blend)["launch"], "warm")

    def test_other_settings_are_not_shared(self):
        node = self.shared()
        small = self.first_pixels(self.once(node))
        asked = ({"resolution": "32x18"}, {"samples": 3}, {"job": "other"},
                 {"missing_files": "allow"}, {"scene": "Scene"})
        for each in asked:
            with self.subTest(asked=each):
                self.assertNotEqual(self.once(node, **each)["launch"], "warm")
        again = self.first_pixels(self.once(node))
        self.assertEqual(again, small)

    def test_output_and_name_are_said_anew(self):
        node = self.shared()
        self.once(node, name="one", frames="1")
        job = self.once(node, output="deep/two_###", frames="2")
        self.assertEqual(job["launch"], "warm")
        self.assertEqual(self.pictures(node),
                         ["deep/two_002.png", "one_0001.png"])

    def test_scripts_get_a_blender_of_their_own(self):
        node = self.warm("--allow-scripts")
        for _ in range(2):
            job = self.once(node, scripts="on")
            self.assertEqual(job["launch"], "cold")
            self.assertIn("scripts", job["cold"])
            self.assertIn(job["cold"], " ".join(job["warnings"]))

    def test_an_engine_that_is_not_shown_to_forget(self):
        node = self.shared()
        job = self.render(node, blend=str(self.made / "plain.blend"),
                          frames="1", engine="BLENDER_EEVEE", samples=1,
                          resolution="16x16")
        if job["fault"] == "bad_engine":
            self.skipTest("no OpenGL here")
        self.assertEqual((job["state"], job["cold"]),
                         ("completed", "engine BLENDER_EEVEE"))

    def test_slots_have_one_each(self):
        node = self.warm("--slots", "2")
        jobs = [self.post(node, blend=str(self.made / "plain.blend"),
                          frames=frames) for frames in ("1-4", "5-8")]
        for job in jobs:
            self.await_end(node, job)
        jobs = [self.post(node, blend=str(self.made / "plain.blend"),
                          frames=frames) for frames in ("9-10", "11-12")]
        self.assertEqual({self.await_end(node, job)["launch"]
                          for job in jobs}, {"warm"})


class Changes(Warm):
    def test_the_blend(self):
        node = self.warm()
        blend = self.own("plain")
        old = self.first_pixels(self.once(node, blend=blend))
        self.assertEqual(self.once(node, blend=blend)["launch"], "warm")
        before = os.stat(blend)
        shutil.copy(self.made / "light.blend", blend)
        os.utime(blend, ns=(before.st_atime_ns, before.st_mtime_ns))
        job = self.once(node, blend=blend)
        self.assertNotEqual(job["launch"], "warm")
        self.assertNotEqual(self.first_pixels(job), old)

    def test_a_texture(self):
        node = self.warm()
        blend = self.own("sequence")
        for picture in self.made.glob("sequence_*.png"):
            shutil.copy(picture, self.folder)
        old = self.first_pixels(self.once(node, blend=blend, frames="3"))
        job = self.once(node, blend=blend, frames="3")
        self.assertEqual((job["launch"], self.first_pixels(job)),
                         ("warm", old))
        shutil.copy(self.folder / "sequence_0011.png",
                    self.folder / "sequence_0003.png")
        job = self.once(node, blend=blend, frames="3")
        self.assertNotEqual(job["launch"], "warm")
        self.assertNotEqual(self.first_pixels(job), old)
        os.remove(self.folder / "sequence_0001.png")
        for each in self.folder.glob("sequence_*.png"):
            each.unlink()
        job = self.render(node, blend=blend, frames="3", replace=True)
        self.assertEqual(job["fault"], "missing_file", job)


if __name__ == "__main__":
    main()
