# SPDX-License-Identifier: Apache-2.0
# ctest: blender
"""A traceparent goes from a submit over the broker, the agent and the node to
Blender's environment, each hop with a span of its own; to a Blender that is
kept open as well, and to nobody else's work."""

import re
import shlex

import farm
from nodes import BLENDER, NodeTest

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
OTHER = "1af7651916cd43dd8448eb211c80319c"
# What the driver changes of the environment is printed too.
TOLD = """
import os
putenv, unsetenv = os.putenv, os.unsetenv
print("began with", os.environ.get("TRACEPARENT"), flush=True)
def put(name, value):
    print("put", name, value, flush=True)
    putenv(name, value)
def unset(name):
    print("unset", name, flush=True)
    unsetenv(name)
os.putenv, os.unsetenv = put, unset
"""


class Traced(NodeTest):
    def setUp(self):
        blender = self.folder / "blender"
        blender.write_text(f"#!/bin/sh\nexec {shlex.quote(BLENDER)} -b "
                           f"--python-expr {shlex.quote(TOLD)} \"$@\"\n")
        blender.chmod(0o755)
        self.render_node = self.start("--blender", blender)
        self.host = self.broker()
        self.worker = self.agent(self.host, self.render_node, "n1")
        self.host.await_agents("n1", seconds=30)

    def rendered(self, **headers):
        """The job document and the node's log of a job of one frame; and its
        lines of a log."""
        answer = self.host.web().post("/v1/jobs", {"from": 1, "to": 1,
                                                   "name": "same"}, **headers)
        self.assertEqual(answer.status, 202, answer)
        pid = self.host.await_job(answer.json()["id"], seconds=60)
        job = self.host.job(answer.json()["id"])
        self.assertEqual(job["state"], "completed", pid)
        self.pid = getattr(self, "pid", 0) + 1
        return job, self.web(self.render_node).get(f"/job/{self.pid}/log").text

    def spans(self, text, event):
        return re.findall(rf"event={event} .*trace={TRACE} span=(\w+)", text)

    def test_from_the_submit_to_blender(self):
        job, log = self.rendered(traceparent=f"00-{TRACE}-{SPAN}-01")
        self.assertEqual(job["trace_id"], TRACE)
        (began,) = re.findall(rf"began with 00-{TRACE}-(\w+)-01", log)
        hops = [SPAN, began]
        for program, event in ((self.host, "job_traced"),
                               (self.worker, "lease_taken"),
                               (self.render_node, "job_started")):
            hops += self.spans(program.log_text(), event)
        self.assertEqual(len(hops), 5, hops)
        self.assertEqual(hops[1], hops[4])  # the node's is Blender's
        self.assertEqual(len(set(hops)), 4, hops)

        # The Blender that waits does another's work, then nobody's.
        job, log = self.rendered(traceparent=f"00-{OTHER}-{SPAN}-00")
        self.assertEqual(job["trace_id"], OTHER)
        self.assertRegex(log, rf"put b?'?TRACEPARENT'? b?'?00-{OTHER}-\w+-00")
        self.assertNotIn(TRACE, log)
        for header in ({}, {"traceparent": f"00-{TRACE}-{SPAN}"}):
            job, log = self.rendered(**header)
            self.assertIsNone(job["trace_id"])
            self.assertNotIn(TRACE, log)
            self.assertNotIn(f"put b'TRACEPARENT'", log)

        # It is remembered like all of a job.
        self.host.kill()
        self.host.restart()
        ids = {j["trace_id"] for j in
               self.host.web().get("/v1/jobs").json()["jobs"]}
        self.assertEqual(ids, {TRACE, OTHER, None})


if __name__ == "__main__":
    farm.main()
