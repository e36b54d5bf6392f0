# SPDX-License-Identifier: Apache-2.0
# ctest: smoke threads long
"""Uploaded scenes at an agent: fetched once, never wrong, bounded."""

import json
import os
import pathlib
import subprocess
import unittest

import farm
from uploads import name_of, put, scene


# A file system of a test's own at $0, with options $1.
MOUNTED = ["unshare", "-m", "sh", "-c", 'mkdir -p "$0" && '
           'mount -t tmpfs -o "$1" none "$0" && shift && exec "$@"']
CAN_MOUNT = os.geteuid() == 0 and subprocess.run(
    ["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


class AgentCache(farm.FarmTest):
    def setUp(self):
        self.host = self.broker()
        self.node_1 = self.farm_node()

    def farm_node(self, *flags, name="a1"):
        fake = self.fake("--superset")
        self.cache = self.folder / f"cache-{name}"
        self.worker = self.agent(self.host, fake, name, "--cache", self.cache,
                                 *flags)
        self.host.await_agents(name)
        return fake

    def submit(self, blend, frames="1-2"):
        return self.host.submit(frames=frames, blend=blend)["id"]

    def laid_out(self):
        """Files of scenes in the cache by path."""
        scenes = self.cache / "scenes"
        return {str(pathlib.Path(*path.relative_to(scenes).parts[1:])): path
                for path in scenes.rglob("*") if path.is_file()}

    def blob(self, data):
        return self.cache / "blobs" / name_of(data)

    def test_laid_out_as_sent(self):
        files = {"shots/shot.blend": b"blend", "tex/a.png": os.urandom(3000),
                 "tex/empty": b"", "lib/x/y.blend": b"library"}
        job = self.submit(scene(self.host, files))
        self.host.await_job(job)
        self.assertEqual({path: place.read_bytes()
                          for path, place in self.laid_out().items()}, files)
        self.assertFalse(list((self.cache / "part").iterdir()))

    def test_a_flipped_bit_is_found(self):
        data = os.urandom(3000)
        blend = scene(self.host, {"a.blend": b"blend", "a.png": data})
        self.host.await_job(self.submit(blend))
        for restart in (False, True):
            path = self.blob(data)
            path.chmod(0o644)
            with open(path, "r+b") as file:
                file.seek(1000)
                file.write(bytes([data[1000] ^ 1]))
            self.assertNotEqual(self.laid_out()["a.png"].read_bytes(), data)
            if restart:
                self.worker.kill()
                self.worker.start()
            self.host.await_job(self.submit(blend))
            self.assertEqual(self.laid_out()["a.png"].read_bytes(), data)
            self.assertEqual(path.read_bytes(), data)

    def test_a_scene_that_was_tampered_with(self):
        blend = scene(self.host, {"a.blend": b"blend", "t/a.png": b"picture"})
        self.host.await_job(self.submit(blend))
        place = self.laid_out()["t/a.png"]
        place.unlink()
        place.parent.rmdir()
        place.parent.symlink_to("/tmp")
        self.host.await_job(self.submit(blend))
        self.assertFalse(place.parent.is_symlink())
        self.assertEqual(place.read_bytes(), b"picture")

    def kept(self, data):
        return self.host.data / "blobs" / name_of(data)[:2] / name_of(data)

    def test_a_file_the_broker_lost(self):
        blend = scene(self.host, {"a.blend": b"blend", "a.png": b"picture"})
        self.kept(b"picture").unlink()
        answer = self.host.web().post("/v1/jobs", {"frames": "1-4",
                                                   "blend": blend})
        self.assertEqual(answer.status, 409, answer)

    def fails(self, blend, fault, *words):
        job = self.host.submit(frames="1-4", blend=blend, paused=True)["id"]
        yield job
        self.host.web().patch(f"/v1/jobs/{job}", {"paused": False})
        document = self.host.await_job(job, "failed", seconds=30)
        told = str(document["reason"]) + str(document["failures"])
        for word in (fault, *words):
            self.assertIn(word, told)
        self.assertEqual(self.node_1.started(), [])

    def test_a_file_gone_after_the_submit(self):
        blend = scene(self.host, {"a.blend": b"blend", "a.png": b"picture"})
        for _ in self.fails(blend, "files_missing", "a.png"):
            self.kept(b"picture").unlink()

    def damage(self, data, other):
        path = self.kept(data)
        path.chmod(0o644)
        path.write_bytes(other)

    def test_a_file_damaged_at_the_broker(self):
        """It is dropped, so that the next submit sends it anew."""
        files = {"a.blend": b"blend", "a.png": b"picture"}
        blend = scene(self.host, files)
        for other in (b"pictura", b"pict", b""):
            for _ in self.fails(blend, "files_missing", "a.png", "damaged"):
                self.damage(b"picture", other)
            self.assertFalse(self.kept(b"picture").exists())
            self.assertIn("file_dropped", self.host.log_text())
            put(self.host, b"picture")
        self.host.await_job(self.submit(blend))

    def test_a_list_damaged_at_the_broker(self):
        blend = scene(self.host, {"a.blend": b"blend", "a.png": b"picture"})
        text = json.dumps(blend, separators=(",", ":")).encode()
        for _ in self.fails(blend, "files_missing", "list", "damaged"):
            self.damage(text, text.replace(b"a.png", b"b.png"))
        self.assertFalse(self.kept(text).exists())
        self.host.await_job(self.submit(blend))

    def test_those_that_wait_for_a_damaged_file(self):
        """Two agents want it at once: neither renders, the job ends once."""
        node_1 = self.node_1
        node_2 = self.farm_node(name="a2")
        blend = scene(self.host, {"a.blend": b"blend", "a.png": b"picture"})
        for _ in self.fails(blend, "files_missing", "a.png"):
            self.damage(b"picture", b"pictura")
        self.assertEqual(node_1.started() + node_2.started(), [])

    def test_bounded(self):
        """The scene used longest ago goes; one that is too large is refused
        and costs no frame an attempt."""
        scenes = [scene(self.host, {f"{i}.blend": b"%d" % i,
                                    f"{i}.png": os.urandom(400_000)})
                  for i in range(3)]
        big = scene(self.host, {"big.blend": b"big", "big.1": os.urandom(600_000),
                                "big.2": os.urandom(600_000)})
        self.worker.terminate()
        self.farm_node("--cache-gb", 0.001, name="a2")
        for i in (0, 1, 0, 2):
            self.host.await_job(self.submit(scenes[i]))
        self.assertEqual(sorted(self.laid_out()), ["0.blend", "0.png",
                                                   "2.blend", "2.png"])
        for folder, n in (("lists", 2), ("scenes", 2), ("blobs", 4)):
            self.assertEqual(len(list((self.cache / folder).iterdir())), n)
        job = self.submit(big)
        farm.until("it was refused", lambda: "--cache-gb" in
                   str(self.host.agents()["a2"]) + self.worker.log_text())
        counts = self.host.job(job)["counts"]
        self.assertEqual((counts["failed"], counts["done"]), (0, 0))

    @unittest.skipUnless(CAN_MOUNT, "mounting needs root")
    def test_a_full_disk(self):
        """Nothing is rendered there and no frame charged; who has room does
        it."""
        blend = scene(self.host, {"a.blend": b"blend",
                                  "a.bin": os.urandom(800_000)})
        self.worker.terminate()
        full = self.folder / "full"
        node_2 = self.fake("--superset")
        worker = self.agent(self.host, node_2, "a2", "--cache", full / "cache",
                            prefix=[*MOUNTED, full, "size=32m"])
        self.host.await_agents("a2")
        job = self.submit(blend, "1-4")
        farm.until("it was refused", lambda: "make room on its disk" in
                   worker.log_text())
        self.worker.start()
        counts = self.host.await_job(job)["counts"]
        self.assertEqual((counts["done"], counts["failed"]), (4, 0))
        self.assertEqual({frame["attempts"] for frame in
                          self.host.frames(job).values()}, {0})
        self.assertEqual(node_2.started(), [])

    def test_two_agents_do_not_share_one_folder(self):
        told = self.run_program("frameq-agent", "--broker", self.host.url,
                                "--node", self.node_1.url, "--name", "b",
                                "--cache", self.cache)
        self.assertEqual(told.returncode, 1, told)
        self.assertIn("--cache", told.stderr)

    def test_a_classic_node_never_renders_it(self):
        blend = scene(self.host, {"a.blend": b"blend"})
        self.worker.terminate()
        classic = self.fake()
        self.agent(self.host, classic, "c", "--cache", self.folder / "c")
        self.host.await_agents("c")
        job = self.submit(blend)
        farm.until("it was refused", lambda: "a classic node" in
                   str(self.host.agents()["c"]))
        self.assertEqual(classic.started(), [])
        self.assertEqual(self.host.job(job)["counts"]["failed"], 0)
        self.host.web().post(f"/v1/jobs/{job}:cancel", {})
        job = self.host.submit(frames="1-2", pin=True, blend="/a.blend",
                               blend_sha256=name_of(b"blend"))["id"]
        farm.until("it was refused", lambda: "which version" in
                   str(self.host.agents()["c"]))
        self.assertEqual(classic.started(), [])
        self.assertEqual(self.host.job(job)["counts"]["failed"], 0)


if __name__ == "__main__":
    farm.main()
