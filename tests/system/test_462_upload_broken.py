# SPDX-License-Identifier: Apache-2.0
"""`frameq submit` whose upload is cut off: what was sent is not sent again."""

import os
import pathlib
import subprocess
import sys

import farm
from uploads import Line, fake_blender, name_of

SIZE = 40_000_000


class BrokenUploads(farm.FarmTest):
    def setUp(self):
        self.host = self.broker()
        self.data = os.urandom(SIZE)
        self.blend = self.folder / "shot.blend"
        self.blend.write_bytes(self.data)
        self.blender = fake_blender(self.folder)
        self.process = None

    def start(self, line):
        env = dict(os.environ, FRAMEQ_BROKER=line.url,
                   XDG_CACHE_HOME=str(self.folder / "cache"))
        return subprocess.Popen(
            [farm.BIN / "frameq", "submit", self.blend, "-f", "1", "--upload",
             "on", "--blender", self.blender], env=env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=self.folder)

    def assert_there(self, line):
        answer = self.host.web().get(f"/v1/blobs/{name_of(self.data)}")
        self.assertEqual(answer.body, self.data)
        self.assertLess(line.sent, 1.1 * SIZE)

    def test_sender_killed(self):
        line = Line(self, self.host.address,
                    [SIZE * part // 10 for part in (3, 6, 9)],
                    lambda: self.process.kill())
        for code in (-9, -9, -9, 0):
            self.process = self.start(line)
            out, err = self.process.communicate(timeout=60 * farm.SLOW)
            self.assertEqual(self.process.returncode, code, err)
        self.assertEqual(self.host.job(out.strip())["state"], "queued")
        self.assert_there(line)

    def test_line_cut(self):
        line = Line(self, self.host.address,
                    [SIZE * part // 10 for part in (3, 6, 9)])
        self.process = self.start(line)
        out, err = self.process.communicate(timeout=60 * farm.SLOW)
        self.assertEqual(self.process.returncode, 0, err)
        self.assert_there(line)

    def test_broker_killed(self):
        def again():
            self.host.kill()
            self.host.restart()
        line = Line(self, self.host.address,
                    [SIZE * part // 10 for part in (3, 6, 9)], again)
        self.process = self.start(line)
        out, err = self.process.communicate(timeout=60 * farm.SLOW)
        self.assertEqual(self.process.returncode, 0, err)
        self.assert_there(line)

    def test_sent_once(self):
        line = Line(self, self.host.address)
        for _ in range(3):
            self.process = self.start(line)
            self.process.communicate(timeout=60 * farm.SLOW)
            self.assertEqual(self.process.returncode, 0)
        self.assertLess(line.sent, 1.02 * SIZE)

    def submit(self, line):
        self.process = self.start(line)
        _, err = self.process.communicate(timeout=60 * farm.SLOW)
        self.assertEqual(self.process.returncode, 0, err)
        return err

    def test_one_texture_changed(self):
        """That one and the list go, nothing else."""
        textures = [self.folder / f"{i}.png" for i in range(3)]
        for path in textures:
            path.write_bytes(os.urandom(1_000_000))
        self.blender = fake_blender(self.folder, textures)
        line = Line(self, self.host.address)
        self.submit(line)
        textures[1].write_bytes(os.urandom(1_000_000))
        before = line.sent
        self.assertIn("sent 1, 1.0 MB", self.submit(line))
        self.assertLess(line.sent - before, 1.02 * 1_000_000)

    def test_a_file_the_broker_s_disk_cut_short(self):
        self.data = os.urandom(100_000)
        self.blend.write_bytes(self.data)
        line = Line(self, self.host.address)
        self.submit(line)
        name = name_of(self.data)
        path = self.host.data / "blobs" / name[:2] / name
        path.chmod(0o644)
        os.truncate(path, 1000)
        self.submit(line)
        self.assertEqual(path.read_bytes(), self.data)

    def test_a_remembered_hash(self):
        """A file that is as an earlier submit saw it is not read again: else
        a hash that was put in the place of its own would do nothing."""
        old = pathlib.Path(sys.executable).resolve()  # and will not change
        self.blender = fake_blender(self.folder, [old])
        self.data = b"blend"
        self.blend.write_bytes(self.data)
        line = Line(self, self.host.address)
        kept = self.folder / "cache" / "frameq" / "hashes"
        self.submit(line)
        own = name_of(old.read_bytes())
        self.assertEqual([row.split()[0] for row in
                          kept.read_text().splitlines()], [own])
        self.assertIn("sent 0,", self.submit(line))
        kept.write_text(kept.read_text().replace(own, name_of(b"other")))
        self.process = self.start(line)
        _, err = self.process.communicate(timeout=60 * farm.SLOW)
        self.assertEqual(self.process.returncode, 1, err)
        self.assertIn("submit again", err)
        self.assertFalse(kept.exists())
        self.assertIn("sent 0,", self.submit(line))

    def test_many_files_and_an_empty_one(self):
        """Each in its place, however they lie to each other."""
        below = self.folder / "a" / "b"
        below.mkdir(parents=True)
        files = [below / f"{i}.png" for i in range(20)]
        for i, path in enumerate(files):
            path.write_bytes(b"x" * i)
        self.blender = fake_blender(self.folder, files)
        told = self.cli(self.host, "submit", self.blend, "-f", "1", "--upload",
                        "on", "--blender", self.blender, seconds=60)
        self.assertEqual(told.returncode, 0, told)
        self.assertIn("21 files", told.stderr)

    def test_refusals(self):
        tokens = self.folder / "tokens"
        secret = self.run_program(
            "frameq", "token", "add", "--role", "read", "looker",
            env={"FRAMEQ_TOKENS": str(tokens)}).stdout.strip()
        other = self.broker("--tokens", tokens)
        for env, words in (({}, "wants a token"),
                           ({"FRAMEQ_TOKEN": secret}, "role submit")):
            told = self.run_program(
                "frameq", "submit", self.blend, "-f", "1", "--upload", "on",
                "--blender", self.blender, "--broker", other.url, env=env)
            self.assertEqual(told.returncode, 4, told)
            self.assertIn(words, told.stderr)


if __name__ == "__main__":
    farm.main()
