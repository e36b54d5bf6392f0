# SPDX-License-Identifier: Apache-2.0
"""A broker that stands still for longer than any lease, and goes on: nobody was
late but itself, so nothing is taken from anybody. A line "figure:" is a row of
docs/reliability.md."""

import farm

TTL = 4


class BrokerFrozen(farm.FarmTest):
    def test_nothing_expires_at_once(self):
        fakes = [self.fake(*kind, frame_ms=450)
                 for kind in ((), ("--superset",))]
        broker = self.broker("--lease-ttl", TTL, "--orphan-grace", 1)
        for name, fake in zip(("classic", "ours"), fakes):
            self.agent(broker, fake, name)
        broker.await_agents("classic", "ours")
        job = broker.render(1, 40, batch=20)
        farm.until("both render", lambda: all(f.started() for f in fakes))
        begin = farm.now()
        broker.freeze()
        farm.until("it has stood still for long",
                   lambda: farm.now() - begin > 2 * TTL)
        broker.thaw()
        farm.until("it answers", lambda: broker.web().get("/livez"), 2)
        broker.await_job(job, seconds=60)
        self.assert_each_once(range(1, 41), *fakes)
        print(f"figure: broker frozen for {2 * TTL} s, --lease-ttl {TTL}: "
              "leases kept, rendered twice 0 of 40, lost 0")


if __name__ == "__main__":
    farm.main()
