# SPDX-License-Identifier: Apache-2.0
"""The folder an agent proves frames in is a network mount that hangs: the agent
waits for it and is taken for a frozen one, its frames go elsewhere, and it
takes part again once the mount is gone. A line "figure:" is a row of
docs/reliability.md."""

import unittest

import farm
import hung

TTL = 3
WHY_NOT = hung.missing()
if WHY_NOT:
    print(f"skipped: {WHY_NOT}")


class HungFolder(farm.FarmTest):
    def setUp(self):
        if WHY_NOT:
            raise unittest.SkipTest(WHY_NOT)

    def test_the_folder_hangs(self):
        mount = hung.HungFolder(self.folder / "mount")
        self.addCleanup(mount.close)
        broker = self.broker("--lease-ttl", TTL)
        stuck = self.fake(frame_ms=1000)
        self.agent(broker, stuck, "stuck", "--frames-dir",
                   self.folder / "mount")
        broker.await_agents("stuck")
        job = broker.render(1, 4, batch=4)
        farm.until("it renders", stuck.started)
        good = self.fake(frame_ms=20)
        self.agent(broker, good, "good")
        broker.await_agents("good")
        begin = farm.now()
        mount.hang()
        farm.until("its frames go elsewhere", good.started, TTL + 10)
        seconds = farm.now() - begin
        broker.await_job(job)
        self.assertNotEqual(broker.agents()["stuck"]["state"], "up")
        mount.close()
        broker.await_agents("stuck", seconds=20)
        self.assertEqual({frame["agent"] for frame in
                          broker.frames(job).values()}, {"good"})
        print(f"figure: --frames-dir hangs, --lease-ttl {TTL}: frames leased "
              f"to another after {seconds:.1f} s, lost 0")
        self.assertLess(seconds, TTL + 2 * farm.SLOW)


if __name__ == "__main__":
    farm.main()
