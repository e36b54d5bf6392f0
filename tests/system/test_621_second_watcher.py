# SPDX-License-Identifier: Apache-2.0
# ctest: smoke
"""The feed is made for subscribers only while there are any: each gets what
happens while it is there, the second of them too, and after both left HTTP
still has it all."""

import json
import os
import select
import subprocess

import farm


class Watchers(farm.FarmTest):
    def watch(self, broker):
        watch = subprocess.Popen(
            [str(farm.BIN / "frameq"), "watch", "--json"], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            env=dict(os.environ, FRAMEQ_BROKER=broker.url))
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)
        return watch

    def sees(self, broker, watch):
        """Jobs come until the watcher, which may still be on its way, sees
        one; what it sees from there on has no gap."""
        seen = []

        def one_more():
            broker.render(1, 2)
            return bool(select.select([watch.stdout], [], [], 0.1)[0])

        farm.until("the watcher sees a job", one_more)
        last = broker.render(1, 2)
        while not seen or seen[-1]["job"] != last:
            seen.append(json.loads(watch.stdout.readline()))
        numbers = [event["seq"] for event in seen]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] +
                                             len(numbers))))
        return numbers[-1]

    def test_one_after_the_other(self):
        broker = self.broker()
        for _ in range(2):
            watch = self.watch(broker)
            last = self.sees(broker, watch)
            watch.kill()
            watch.wait()
        broker.render(1, 2)
        stream = broker.events(path=f"/v1/events?after=1:{last}")
        self.assertEqual(next(iter(stream))[0], f"1:{last + 1}")


if __name__ == "__main__":
    farm.main()
