# SPDX-License-Identifier: Apache-2.0
"""The Debian package: what it holds, what it asks for, that its programs run
from where it puts them, and that systemd takes its units."""

import re
import shutil
import subprocess
import unittest

import farm

WHOLE = """
usr/bin/frameq usr/bin/frameq-agent usr/bin/frameq-broker usr/bin/frameq-node
usr/lib/systemd/system/frameq-agent.service
usr/lib/systemd/system/frameq-broker.service
usr/lib/sysusers.d/frameq.conf
usr/share/bash-completion/completions/frameq
usr/share/doc/frameq/LICENSE usr/share/doc/frameq/README.md
usr/share/doc/frameq/examples/client.py
usr/share/doc/frameq/examples/grafana/frameq.json
usr/share/doc/frameq/examples/prometheus/alerts.yaml
usr/share/frameq/frameq-addon.zip usr/share/frameq/make_scene.py
usr/share/man/man1/frameq.1 usr/share/man/man8/frameq-agent.8
usr/share/man/man8/frameq-broker.8 usr/share/man/man8/frameq-node.8
""".split()
UNITS = ("frameq-broker.service", "frameq-agent.service")


class Package(farm.FarmTest):
    def setUp(self):
        super().setUp()
        self.root = self.folder / "root"
        config = farm.BIN.parent / "CPackConfig.cmake"
        self.run_tool("cpack", "--config", config, "-G", "DEB", "-B", self.folder)
        (self.deb,) = self.folder.glob("*.deb")
        self.run_tool("dpkg-deb", "-x", self.deb, self.root)

    def run_tool(self, *command):
        done = subprocess.run(list(map(str, command)), capture_output=True,
                              text=True, check=False, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def test_package(self):
        there = {str(path.relative_to(self.root))
                 for path in self.root.rglob("*") if path.is_file()}
        self.assertLessEqual(set(WHOLE), there)
        for program in ("frameq", "frameq-broker", "frameq-agent", "frameq-node"):
            self.assertTrue(self.run_tool(self.root / "usr/bin" / program,
                                          "--version").startswith(program))
        wanted = self.run_tool("dpkg-deb", "-f", self.deb, "Depends")
        for library in ("libzmq5", "libczmq4", "libsqlite3-0"):
            self.assertIn(library, wanted)
        self.units()

    def units(self):
        """The users a unit names are made by the package; systemd-analyze, where
        it is, finds no fault."""
        users = (self.root / "usr/lib/sysusers.d/frameq.conf").read_text()
        folder = self.root / "usr/lib/systemd/system"
        for unit in UNITS:
            text = (folder / unit).read_text()
            user = re.search(r"(?m)^User=(\S+)$", text)[1]
            self.assertRegex(users, rf"(?m)^u {user} ")
            if shutil.which("systemd-analyze"):
                (folder / unit).write_text(text.replace(
                    "ExecStart=", f"ExecStart={self.root}/usr/bin/"))
                done = subprocess.run(
                    ["systemd-analyze", "verify", "--man=no", folder / unit],
                    capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
