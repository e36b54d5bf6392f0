# SPDX-License-Identifier: Apache-2.0
"""Two hosts: one broker found by its address alone, and a cable that is
pulled out."""

import unittest

import farm
import netns

WHY_NOT = netns.missing()
if WHY_NOT:
    print(f"skipped: {WHY_NOT}")


class TwoHosts(farm.FarmTest):
    def setUp(self):
        if WHY_NOT:
            raise unittest.SkipTest(WHY_NOT)
        self.hosts = netns.Hosts()
        self.addCleanup(self.hosts.close)
        self.enterContext(self.hosts.inside(self.hosts.a))
        # This thread, and so all it starts, is on host A unless it says
        # otherwise.
        self.host = self.broker(
            "--insecure", "--lease-ttl", 4,
            listen=("--http", f"{self.hosts.address_a}:4000",
                    "--zmq", f"{self.hosts.address_a}:4001"))
        self.near = self.fake(frame_ms=40)
        self.agent(self.host, self.near, "near")
        self.far = self.fake(frame_ms=40, prefix=self.hosts.on_b)
        self.agent(f"http://{self.hosts.address_a}:4000", self.far, "far",
                   prefix=self.hosts.on_b)
        self.host.await_agents("near", "far")

    def test_both_take_part(self):
        job = self.host.render(1, 40)
        self.host.await_job(job)
        self.assert_each_once(range(1, 41), self.near, self.far)
        self.assertTrue(self.near.rendered())
        self.assertTrue(self.far.rendered())

    def test_cut_off_and_mended(self):
        job = self.host.render(1, 60, batch=4)
        farm.until("both render", lambda: self.near.rendered() and
                   self.far.rendered())
        self.hosts.cut()
        self.host.await_job(job, seconds=30)
        self.hosts.mend()
        self.host.await_agents("far", seconds=30)
        before = len(self.far.rendered())
        self.host.await_job(self.host.render(101, 140, batch=4))
        self.assertGreater(len(self.far.rendered()), before)

    def test_broker_goes_and_comes_back(self):
        """What was done stays done; what was granted in the last moment, and
        so is in no ledger, may be rendered twice, but only that."""
        job = self.host.render(1, 60, batch=4)
        farm.until("frames are done", lambda: "d" in self.host.states(job))
        states = self.host.states(job)
        self.host.kill()
        self.host.restart()
        self.host.await_job(job, seconds=30)
        ended = self.near.rendered() + self.far.rendered()
        self.assertEqual(sorted(set(ended)), list(range(1, 61)))
        for number, state in enumerate(states, 1):
            if state == "d":
                self.assertEqual(ended.count(number), 1, number)


if __name__ == "__main__":
    farm.main()
