# SPDX-License-Identifier: Apache-2.0
"""Who submits the jobs of a run: each is posted at its time, under a key of
its own, again and again until it is answered."""

import http.client
import threading

import farm
from wire import Web

PAUSE_S = 0.05


class People:
    """accepted: job by the id that its 202 gave; refused: what else was
    answered."""

    def __init__(self, plan, address):
        self.address = address
        self.accepted, self.refused = {}, []
        self.stop = threading.Event()
        self.start = farm.now()
        self.threads = [threading.Thread(target=self._submit,
                                         args=(plan.seed, job))
                        for job in plan.jobs]
        for thread in self.threads:
            thread.start()

    def _submit(self, seed, job):
        fields = {"name": job.name, "from": job.first, "to": job.last,
                  "batch": job.batch, "priority": job.priority,
                  "user": job.user}
        if self.stop.wait(self.start + job.at - farm.now()):
            return
        answer = None
        while answer is None and not self.stop.is_set():
            answer = self._post(fields, f"chaos-{seed}-{job.name}")
            self.stop.wait(PAUSE_S)
        if answer is not None and answer.status == 202:
            self.accepted[answer.json()["id"]] = job
        elif answer is not None:
            self.refused.append(f"{job.name}: {answer}")

    def _post(self, fields, key):
        """The answer; None when none came, or none that stands."""
        try:
            answer = Web(self.address, timeout=3).post(
                "/v1/jobs", fields, idempotency_key=key)
            return None if answer.status >= 500 else answer
        except (OSError, http.client.HTTPException):
            return None

    def finish(self):
        """Ends all that has not been answered."""
        self.stop.set()
        for thread in self.threads:
            thread.join()
