# SPDX-License-Identifier: Apache-2.0
# ctest: alone
"""Ten thousand jobs, and what they cost."""

import threading

import farm
import wire
from wire import Web

JOBS = 10000
THREADS = 16


class Scale(farm.FarmTest):
    def submit_all(self, broker):
        """Each thread submits its share over one connection."""
        ids = [[] for _ in range(THREADS)]

        def submit(mine):
            web = Web(broker.address, keep=True)
            for _ in range(JOBS // THREADS):
                answer = web.post("/render", {"from": 1, "to": 20})
                mine.append(answer.json()["jobId"])
            web.close()

        threads = [threading.Thread(target=submit, args=(mine,))
                   for mine in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [job for mine in ids for job in mine]

    def list_all(self, broker):
        web = Web(broker.address, keep=True)
        wire.checks.pop(broker.address)  # ten seconds of jobs all alike
        seen, path = [], "/v1/jobs?limit=1000"
        while path:
            page = web.get(path).json()
            seen += [job["id"] for job in page["jobs"]]
            path = page["next"] and f"/v1/jobs?limit=1000&cursor={page['next']}"
        web.close()
        return seen

    def test_ten_thousand_jobs(self):
        broker = self.broker()
        start = farm.now()
        ids = self.submit_all(broker)
        took = farm.now() - start
        self.assertEqual(len(set(ids)), JOBS)
        memory = broker.memory_mb()
        start = farm.now()
        self.assertEqual(sorted(self.list_all(broker)), sorted(ids))
        listed = farm.now() - start
        broker.kill()
        start = farm.now()
        broker.restart()
        self.assertEqual(broker.web().get("/health").status, 200)
        serving = farm.now() - start
        print(f"{JOBS} jobs: {JOBS / took:.0f} accepted a second, "
              f"{memory:.0f} MB, listed in {listed:.2f} s, "
              f"serving {serving * 1000:.0f} ms after a kill, then "
              f"{broker.memory_mb():.0f} MB")
        self.assertEqual(broker.farm()["jobs"]["total"], JOBS)
        self.assertEqual(broker.job(ids[-1])["counts"]["total"], 20)
        if farm.SLOW == 1:
            self.assertLess(memory, 100)
            self.assertLess(serving, 1)

    def test_sixty_agents(self):
        fakes = self.fake("--count", 60, frame_ms=20)
        broker = self.broker()
        names = [f"a{i:03d}" for i in range(60)]
        for name, address in zip(names, fakes.nodes):
            self.agent(broker, f"http://{address}", name, wait=False)
        broker.await_agents(*names, seconds=60)
        print(f"60 agents: broker {broker.memory_mb():.0f} MB")
        job = broker.render(1, 1200)
        broker.await_job(job, seconds=60)
        ended = fakes.rendered()
        self.assertEqual(set(ended), set(range(1, 1201)))
        # Where a machine this busy lets an agent be late, others take second
        # copies of its last frames.
        self.assertLess(len(ended) - 1200, 120)


if __name__ == "__main__":
    farm.main()
