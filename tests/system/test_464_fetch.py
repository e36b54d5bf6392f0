# SPDX-License-Identifier: Apache-2.0
"""Frames home without a shared disk: --results keep and `frameq fetch`."""

import os
import shutil
import subprocess
import unittest

import farm


# A mount namespace in which a folder is empty.
WITHOUT = ["unshare", "-m", "sh", "-c",
           'mount -t tmpfs none "$0" && exec "$@"']
CAN_MOUNT = os.geteuid() == 0 and subprocess.run(
    ["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


class Fetch(farm.FarmTest):
    def start(self, *broker_flags, sees=True):
        self.output = self.folder / "output"
        self.output.mkdir()
        self.host = self.broker(*broker_flags, prefix=[] if sees else
                                [*WITHOUT, self.output])
        self.fake_node = self.fake("--superset", frames=self.output)
        self.worker = self.agent(self.host, self.fake_node, "a1")
        self.host.await_agents("a1")

    def files(self, job):
        """The one file of each frame, as the broker tells it."""
        return {number: frame["files"][0]
                for number, frame in self.host.frames(job).items()}

    def await_kept(self, job):
        def kept():
            return all(self.host.web().request(
                "HEAD", f"/v1/blobs/{file['sha256']}").status == 200
                for file in self.files(job).values())
        farm.until("all pictures at the broker", kept)

    def fetch(self, *args, code=0):
        told = self.cli(self.host, "fetch", *args)
        self.assertEqual(told.returncode, code, told)
        return told

    def test_kept_and_brought_home(self):
        self.start("--results", "keep")
        job = self.host.submit(frames="1-20", batch=5, name="shot")["id"]
        self.host.await_job(job)
        self.await_kept(job)
        names = {file["path"].rsplit("/", 1)[1]
                 for file in self.files(job).values()}
        self.assertEqual(len(names), 20)
        pictures = {path.name: path.read_bytes()
                    for path in self.output.rglob("*") if path.is_file()}
        shutil.rmtree(self.output)
        self.assertIn("20 fetched", self.fetch("shot", "home").stdout)
        home = {path.name: path.read_bytes()
                for path in (self.folder / "home").rglob("*")
                if path.is_file()}
        self.assertEqual(home, {name: pictures[name] for name in names})
        next((self.folder / "home").rglob("*.*")).write_bytes(b"damaged")
        told = self.fetch(job, "home").stdout
        self.assertIn("1 fetched", told)
        self.assertIn("19 were there", told)
        self.assertFalse(list((self.worker.state / "sends").iterdir()))

    def test_sent_after_a_restart(self):
        """What is noted and was not sent goes on after a kill."""
        self.start("--results", "keep")
        job = self.host.submit(frames="1-3", batch=3)["id"]
        self.host.await_job(job)
        self.await_kept(job)
        sha = self.files(job)[2]["sha256"]
        (self.host.data / "blobs" / sha[:2] / sha).unlink()
        self.worker.kill()
        (self.worker.state / "sends" / sha).write_text(
            self.files(job)[2]["path"])
        self.worker.start()
        self.await_kept(job)

    @unittest.skipUnless(CAN_MOUNT, "mounting needs root")
    def test_asked_for(self):
        """Pictures that only their agent can read: each is asked for, and
        waited for while they keep coming."""
        self.start(sees=False)
        job = self.host.submit(frames="1-12", batch=6)["id"]
        self.host.await_job(job)
        (self.output / job / "frame_0012.png").unlink()
        told = self.fetch(job, "home", code=1)
        self.assertIn("11 fetched", told.stdout)
        self.assertIn("0 were there, 1 not to be had", told.stdout)
        self.assertEqual(told.stderr.count("\n"), 1)
        self.assertIn("frame 12:", told.stderr)

    def test_not_kept(self):
        self.start()
        job = self.host.submit(frames="1-3", batch=3)["id"]
        self.host.await_job(job)
        self.assertIn("3 fetched", self.fetch(job).stdout)
        shutil.rmtree(self.output)
        told = self.fetch(job, "other", code=1)
        self.assertIn("3 not to be had", told.stdout)
        self.assertIn("frame 2:", told.stderr)
        self.assertFalse([path for path in (self.folder / "other").rglob("*")
                          if path.is_file()])


if __name__ == "__main__":
    farm.main()
