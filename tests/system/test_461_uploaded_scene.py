# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""`frameq submit shot.blend` to a node that sees none of its files, and the
pictures back from a node whose folder nobody else sees."""

import atexit
import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest.mock

import farm
from nodes import BLENDER, HERE, NodeTest

# The colours at the middle of each third, and of the upper half, of a picture.
PIXELS = """
import bpy, json, sys
out = []
for path in sys.argv[sys.argv.index("--") + 1:]:
    image = bpy.data.images.load(path)
    at = lambda x, y: [round(v) for v in
                       image.pixels[4 * (64 * y + x):4 * (64 * y + x) + 3]]
    out.append([at(24, 32), at(40, 32), at(32, 48)])
print("PIXELS" + json.dumps(out))
"""


def blender(*args):
    env = dict(os.environ, PYTHONPYCACHEPREFIX=str(farm.BIN.parent / "bytecode"))
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run(
        [BLENDER, "-b", "--factory-startup", "-noaudio", "--python-exit-code",
         "3", *map(str, args)], check=True, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120 * farm.SLOW,
        env=env).stdout


@functools.cache
def project():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="frameq-project-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    blender("-P", HERE / "projects.py", "--", folder)
    return folder


class UploadedScene(NodeTest):
    def setUp(self):
        self.host = self.broker("--results", "keep")

    def machine(self, name="one", *flags):
        """A node that may open what its agent fetched, and nothing else."""
        cache = self.folder / f"cache-{name}"
        cache.mkdir(exist_ok=True)
        node = self.node("--blend-root", cache)
        self.worker = self.agent(self.host, node, name, "--cache", cache,
                                 *flags)
        self.host.await_agents(name, seconds=30)
        return node, cache

    def submit(self, *args, code=0, project_=None):
        at = (project_ or project()) / "project" / "shots" / "shot.blend"
        told = self.cli(self.host, "submit", at, "-f", "1-2", "--upload", "on",
                        *args, seconds=60)
        self.assertEqual(told.returncode, code, told)
        return told

    def brought_home(self, job):
        """Whether all its pictures are here now."""
        told = self.cli(self.host, "fetch", job, self.folder / "home",
                        seconds=30)
        return told.returncode == 0

    def pixels(self):
        pictures = sorted((self.folder / "home").rglob("*.png"))
        self.assertEqual([path.name for path in pictures],
                         ["shot_0001.png", "shot_0002.png"])
        told = blender("--python-expr", PIXELS, "--", *pictures)
        line = next(l for l in told.splitlines() if l.startswith("PIXELS"))
        return json.loads(line[len("PIXELS"):])

    def test_renders_as_at_home(self):
        node, cache = self.machine()
        told = self.submit()
        self.assertIn("5 files", told.stderr)
        job = told.stdout.strip()
        document = self.host.await_job(job, seconds=90)
        self.assertRegex(document["blend"], r"^blob:.*/shot\.blend$")
        self.assertEqual(document["name"], "shot")
        farm.until("all are sent", lambda: not list(
            (self.worker.state / "sends").iterdir()))
        shutil.rmtree(node.output)
        farm.until("the pictures are here", lambda: self.brought_home(job))
        for pixels in self.pixels():
            self.assertEqual(pixels, [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
        self.assertFalse(list((cache / "part").iterdir()))
        # The second time nothing but the .blend, which was saved anew, goes.
        told = self.submit("--paused")
        self.assertIn("sent 1,", told.stderr)

    def test_missing_texture_is_named_at_once(self):
        where = self.folder / "poor"
        shutil.copytree(project() / "project", where / "project")
        (where / "project" / "tex" / "red.png").unlink()
        told = self.submit(code=1, project_=where)
        self.assertIn("red.png", told.stderr)
        self.assertIn("--missing-files allow", told.stderr)

    def test_nothing_of_it_is_left(self):
        """Where the farm has refused it, what Blender told of it lay there for
        ever."""
        here = self.folder / "tmp"
        here.mkdir()
        with unittest.mock.patch.dict(os.environ, TMPDIR=str(here)):
            self.submit("--after", "A" * 22, code=4)
        self.assertEqual(list(here.iterdir()), [])

    def test_a_file_that_is_no_blend(self):
        (self.folder / "x.blend").write_text("no")
        told = self.cli(self.host, "submit", self.folder / "x.blend", "-f", "1",
                        "--upload", "on", seconds=30)
        self.assertEqual(told.returncode, 1, told)
        self.assertIn("--upload off", told.stderr)


if __name__ == "__main__":
    farm.main()
