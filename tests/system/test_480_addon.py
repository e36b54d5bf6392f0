# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""The Blender add-on, installed from its zip, against a farm whose node sees
none of the scene's files: it submits, follows and fetches (../addon.py)."""

import os
import subprocess

import farm
from nodes import BLENDER, HERE, NodeTest

ZIP = farm.BIN.parent / "addon" / "frameq-addon.zip"


class Addon(NodeTest):
    def test_submits_follows_and_fetches(self):
        host = self.broker("--results", "keep")
        cache = self.folder / "cache"
        cache.mkdir()
        self.agent(host, self.node("--blend-root", cache), "a1", "--cache",
                   cache)
        home, scripts = self.folder / "project", self.folder / "scripts"
        home.mkdir()
        scripts.mkdir()
        told = subprocess.run(
            [BLENDER, "-b", "--factory-startup", "-noaudio",
             "--python-exit-code", "3", "-P", HERE.parent / "addon.py", "--",
             ZIP, home],
            env=dict(os.environ, FRAMEQ_BROKER=host.url,
                     BLENDER_USER_SCRIPTS=str(scripts)),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=120 * farm.SLOW, check=False)
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
        self.assertIn("ADDON WORKS", told.stdout)
        job = host.web().get("/v1/jobs").json()["jobs"][0]
        self.assertEqual((job["frames"], job["name"], job["scene"]),
                         ("1,3", "shot", "Scene"))


if __name__ == "__main__":
    farm.main()
