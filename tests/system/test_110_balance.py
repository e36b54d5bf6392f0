# SPDX-License-Identifier: Apache-2.0
# ctest: alone
"""Work goes to whoever has room: a slow node holds up nobody. How soon the last
frame comes in other farms is frameq-bench makespan's to say."""

import farm


def makespan_ms(*fakes):
    """From the first order to the last frame, by the nodes' own clocks."""
    begin = min(fake.events("post")[0]["t"] for fake in fakes
                if fake.events("post"))
    end = max(fake.events("end")[-1]["t"] for fake in fakes
              if fake.events("end"))
    return end - begin


class Balance(farm.FarmTest):
    def run_job(self, fakes, frames, seconds=30, **fields):
        broker = self.farm(*fakes)
        job = broker.render(1, frames, **fields)
        broker.await_job(job, seconds=seconds)
        took = makespan_ms(*fakes)
        print(f"{self.id()}: {took} ms, "
              f"{[len(fake.rendered()) for fake in fakes]} frames, "
              f"{[len(fake.events('post')) for fake in fakes]} launches")
        return took

    def one_of_two_is_ten_times_slower(self, *kind):
        fast = self.fake(*kind, frame_ms=50)
        slow = self.fake(*kind, frame_ms=500)
        took = self.run_job([fast, slow], 60, batch=1)
        self.assert_each_once(range(1, 61), fast, slow)
        self.assertLessEqual(len(slow.rendered()), 6)
        self.assertLessEqual(took, 1.15 * 55 * 50)

    def test_one_of_two_classic_nodes_is_ten_times_slower(self):
        self.one_of_two_is_ten_times_slower()

    def test_one_of_our_two_nodes_is_ten_times_slower(self):
        self.one_of_two_is_ten_times_slower("--superset")

    def test_auto_batches_on_equal_nodes(self):
        fakes = [self.fake("--superset", "--overhead-ms", 200, frame_ms=100)
                 for _ in range(3)]
        took = self.run_job(fakes, 120)
        self.assert_each_once(range(1, 121), *fakes)
        launches = sum(len(fake.events("post")) for fake in fakes)
        self.assertLess(took, 1.25 * (120 * 100 / 3 + 200))
        self.assertLess(launches, 40)

    def test_small_jobs_beside_a_big_one(self):
        fakes = [self.fake("--superset", frame_ms=50) for _ in range(2)]
        broker = self.farm(*fakes)
        big = broker.render(1, 400, user="ann")
        farm.until("the big one runs",
                   lambda: broker.job(big)["counts"]["done"] > 4)
        small = broker.render(1, 4, user="bob")
        broker.await_job(small, seconds=10)
        self.assertEqual(broker.job(big)["state"], "running")
        broker.web().post(f"/v1/jobs/{big}:cancel", {})


if __name__ == "__main__":
    farm.main()
