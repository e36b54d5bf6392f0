# SPDX-License-Identifier: Apache-2.0
# ctest: blender
"""Two hosts with a shared folder and real Blender on both: the second knows
nothing but the broker's address."""

import unittest

import farm
import netns
from nodes import NodeTest, scenes

WHY_NOT = netns.missing()
if WHY_NOT:
    print(f"skipped: {WHY_NOT}")


class TwoRealHosts(NodeTest):
    def setUp(self):
        if WHY_NOT:
            raise unittest.SkipTest(WHY_NOT)
        scenes()
        self.hosts = netns.Hosts()
        self.addCleanup(self.hosts.close)
        self.enterContext(self.hosts.inside(self.hosts.a))
        a = self.hosts.address_a
        self.host = self.broker("--insecure",
                                listen=("--http", f"{a}:4000",
                                        "--zmq", f"{a}:4001"))

    def machine(self, name, **options):
        """A node and its agent; the agent is told only where the broker is."""
        node = self.start("--insecure", listen="127.0.0.1:3001",
                          output=self.folder / "shared", **options)
        self.agent(f"http://{self.hosts.address_a}:4000", node, name,
                   **options)

    def test_both_take_part(self):
        self.machine("first")
        self.machine("second", prefix=self.hosts.on_b)
        self.host.await_agents("first", "second", seconds=30)
        job = self.host.render(1, 20, batch=2)
        self.host.await_job(job, seconds=120)
        took_part = {frame["agent"] for frame in
                     self.host.frames(job).values()}
        self.assertEqual(took_part, {"first", "second"})
        shared = sorted((self.folder / "shared" / job).iterdir())
        self.assertEqual([file.name for file in shared],
                         [f"frame_{n:04}.png" for n in range(1, 21)])
        told = self.cli(self.host, "agents")
        self.assertEqual(told.returncode, 0, told)
        self.assertIn("first", told.stdout)
        self.assertIn("second", told.stdout)


if __name__ == "__main__":
    farm.main()
