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
        node = self.start("--sandbox", "off", "--slots", "2")
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
        self.slots_have_one_each(node)

    def slots_have_one_each(self, node):
        self.batches(node, "1-4", "5-8")
        self.assertEqual(self.batches(node, "9-10", "11-12"), {"warm"})

    def batches(self, node, *frames):
        """At the same time; returns how they were launched."""
        jobs = [self.post(node, blend=str(self.made / "plain.blend"),
                          frames=each) for each in frames]
        return {self.await_end(node, job)["launch"] for job in jobs}

    def test_with_a_sandbox(self):
        node = self.shared()
        launches = [self.once(node, job="sandbox", frames=str(frame))["launch"]
                    for frame in (3, 1, 2)]
        self.assertIn(launches, [[first, "warm", "warm"]
                                 for first in ("cold", "spare")])

    def test_off(self):
        node = self.start("--warm", "off")
        for _ in range(2):
            job = self.once(node)
            self.assertEqual((job["launch"], job["cold"]),
                             ("cold", "--warm off"))
            self.assertEqual(job["warnings"], [])
        self.await_no_blender(node, 2)

    def test_another_blend_takes_the_spare(self):
        node = self.shared()
        for name in ("one", "two"):
            self.once(node, job=name)
        self.await_pids(node, 3)  # a slot and one more, and the spare
        other = str(self.made / "lights.blend")
        job = self.once(node, job="two", blend=other)
        self.assertEqual(job["launch"], "spare")
        self.assertIn("Read blend: " + other, job["log"])
        for blend in (other, str(self.made / "plain.blend")):
            self.assertEqual(self.once(node, job="two", blend=blend)["launch"],
                             "warm")

    def test_other_settings_are_not_shared(self):
        node = self.shared()
        small = self.first_pixels(self.once(node))
        asked = ({"resolution": "32x18"}, {"samples": 3, "scene": "Scene"})
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
        node = self.start("--allow-scripts")
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


class Changes(Warm):
    def test_the_blend(self):
        node = self.shared()
        _, blend = self.own("plain")
        old = self.first_pixels(self.once(node, blend=blend))
        self.assertEqual(self.once(node, blend=blend)["launch"], "warm")
        before = os.stat(blend)
        shutil.copy(self.made / "lights.blend", blend)
        os.utime(blend, ns=(before.st_atime_ns, before.st_mtime_ns))
        job = self.once(node, blend=blend)
        self.assertNotEqual(job["launch"], "warm")
        self.assertNotEqual(self.first_pixels(job), old)

    def test_a_texture(self):
        node = self.shared()
        folder, blend = self.own("paint")
        for picture in self.made.glob("sequence_*.png"):
            shutil.copy(picture, folder)
        old = self.first_pixels(self.once(node, blend=blend, frames="3"))
        job = self.once(node, blend=blend, frames="3")
        self.assertEqual((job["launch"], self.first_pixels(job)),
                         ("warm", old))
        shutil.copy(folder / "sequence_0007.png", folder / "sequence_0003.png")
        job = self.once(node, blend=blend, frames="3")
        self.assertNotEqual(job["launch"], "warm")
        self.assertNotEqual(self.first_pixels(job), old)
        for each in folder.glob("sequence_*.png"):
            each.unlink()
        job = self.render(node, blend=blend, frames="3", replace=True)
        self.assertEqual(job["fault"], "missing_file", job)


if __name__ == "__main__":
    main()
