# SPDX-License-Identifier: Apache-2.0
# ctest: smoke
"""A change that was taken in a second HTTP run of one loop turn was forgotten
before the waiting requests heard of it: a long poll then slept to its end."""

import threading

import farm


class EveryChange(farm.FarmTest):
    def wait_for_change(self, broker, job, tag, answers):
        headers = {"If-None-Match": tag, "Prefer": "wait=20"}
        answers.append(broker.web(timeout=60).request(
            "GET", f"/v1/jobs/{job}", headers=headers))

    def test_wait_hears_patch(self):
        broker = self.broker()
        job = broker.render(1, 5)
        web = broker.web(keep=True)
        began = farm.now()
        for priority in range(30):
            tag = web.get(f"/v1/jobs/{job}").headers["ETag"]
            answers = []
            waiting = threading.Thread(target=self.wait_for_change,
                                       args=(broker, job, tag, answers))
            waiting.start()
            answer = web.request("PATCH", f"/v1/jobs/{job}",
                                 {"priority": priority})
            self.assertEqual(answer.status, 200, answer)
            waiting.join()
            self.assertEqual(answers[0].status, 200, answers)
            self.assertEqual(answers[0].json()["priority"], priority)
        self.assertLess(farm.now() - began, 20 * farm.SLOW)


if __name__ == "__main__":
    farm.main()
