# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""frameq-node: a frame is done when all its files are whole and have their
names; the first whole one stays."""

import hashlib
import os
import pathlib

from farm import main
from nodes import NodeTest

NAME = "blender-render_0001.png"


class Names(NodeTest):
    def first(self, node, **body):
        """Renders frame 1 and returns its main file as JSON."""
        job = self.render(node, **{"frames": "1", **body})
        self.assertEqual(job["state"], "completed", job)
        return job["frames"][0]["files"][0]

    def test_what_is_told_is_what_is_there(self):
        node = self.shared()
        file = self.first(node)
        path = pathlib.Path(file["path"])
        self.assertEqual(path, node.output.resolve() / NAME)
        data = path.read_bytes()
        self.assertEqual(file["bytes"], len(data))
        self.assertEqual(file["sha256"], hashlib.sha256(data).hexdigest())
        self.assertEqual(self.work_left(node), [])

    def test_names_are_made_safe(self):
        node = self.shared()
        for name, safe in (("../../shot 1", "_._.._shot_1"), ("...", "_..")):
            with self.subTest(name=name):
                file = self.first(node, job="names", name=name)
                self.assertEqual(file["path"], str(
                    node.output.resolve() / "names" / f"{safe}_0001.png"))

    def test_the_first_whole_one_stays(self):
        node = self.shared()
        before = self.first(node)
        inode = os.stat(before["path"]).st_ino
        again = self.first(node)
        self.assertEqual(os.stat(before["path"]).st_ino, inode)
        self.assertEqual(again["sha256"], before["sha256"])
        self.assertTrue(again["kept"])
        self.assertFalse(before["kept"])

    def test_replace(self):
        node = self.shared()
        before = self.first(node)
        inode = os.stat(before["path"]).st_ino
        again = self.first(node, replace=True)
        self.assertNotEqual(os.stat(before["path"]).st_ino, inode)
        self.assertFalse(again["kept"])
        self.assertEqual(hashlib.sha256(pathlib.Path(
            again["path"]).read_bytes()).hexdigest(), again["sha256"])

    def test_broken_leftovers_are_replaced(self):
        node = self.shared()
        before = self.first(node)
        data = pathlib.Path(before["path"]).read_bytes()
        for broken in (b"", data[:-20]):
            with self.subTest(size=len(broken)):
                pathlib.Path(before["path"]).write_bytes(broken)
                again = self.first(node)
                self.assertFalse(again["kept"])
                self.assertEqual(os.stat(before["path"]).st_size,
                                 again["bytes"])

    def test_another_size_is_another_picture(self):
        node = self.shared()
        self.first(node, resolution="32x18")
        self.assertFalse(self.first(node)["kept"])

    def test_a_folder_in_the_way(self):
        node = self.shared()
        (node.output / NAME).mkdir()
        job = self.render(node, frames="1")
        self.assertEqual((job["state"], job["fault"]), ("failed",
                                                        "unwritable"))

    def test_no_overwrite_in_the_blend(self):
        node = self.shared()
        blend = self.scene("no_overwrite")
        self.first(node, blend=blend)
        self.assertFalse(self.first(node, blend=blend, replace=True)["kept"])
        (node.output / NAME).write_bytes(b"")
        self.assertGreater(self.first(node, blend=blend)["bytes"], 100)

    def test_stereo_is_two_files(self):
        node = self.shared()
        job = self.render(node, frames="1-2", job="s",
                          blend=self.scene("stereo"))
        self.assertEqual(job["state"], "completed", job)
        self.assertEqual(self.pictures(node),
                         ["s/frame_0001_L.exr", "s/frame_0001_R.exr",
                          "s/frame_0002_L.exr", "s/frame_0002_R.exr"])
        for frame in job["frames"]:
            self.assertEqual(len(frame["files"]), 2)

    def test_file_output_nodes_stay_inside(self):
        nowhere = pathlib.Path("/tmp/frameq-nowhere")
        node = self.start("--sandbox", "off")
        job = self.render(node, frames="3", job="o",
                          blend=self.scene("outputs"))
        self.assertEqual(job["state"], "completed", job)
        self.assertEqual(self.pictures(node),
                         ["o/File_Output/Image0003.png",
                          "o/File_Output/Second0003.png",
                          "o/Passes/pass0003.exr", "o/frame_0003.png"])
        files = [file["path"] for file in job["frames"][0]["files"]]
        self.assertTrue(files[0].endswith("/o/frame_0003.png"))
        self.assertEqual(len(files), 4)
        self.assertFalse(nowhere.exists())

    def test_two_nodes_share_output(self):
        one = self.shared()
        two = self.start(output=one.output)
        pids = [(node, self.post(node, frames="1-4", job="shared"))
                for node in (one, two)]
        jobs = [self.await_end(node, pid) for node, pid in pids]
        self.assertNotEqual(pids[0][1], pids[1][1])
        self.assertEqual([job["state"] for job in jobs], ["completed"] * 2)
        self.assertEqual(len(self.pictures(one)), 4)
        hashes = [[frame["files"][0]["sha256"] for frame in job["frames"]]
                  for job in jobs]
        self.assertEqual(*hashes)


if __name__ == "__main__":
    main()
