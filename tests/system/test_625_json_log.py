# SPDX-License-Identifier: Apache-2.0
"""With --log-format json every line of a log is one JSON object, from the first
to that of a program that cannot go on; a node that an agent starts does so
too."""

import json
import socket

import farm

JSON = ("--log-format", "json")
ODD = 'ä "q" a=b \\'


class JsonLog(farm.FarmTest):
    def lines(self, program):
        lines = [json.loads(line) for line in program.log_text().splitlines()]
        for line in lines:
            self.assertEqual(list(line)[:4],
                             ["time", "level", "program", "event"])
            self.assertEqual({type(value) for value in line.values()}, {str})
        return lines

    def test_every_line_is_an_object(self):
        host = self.farm(self.fake(), broker_flags=JSON, agent_flags=JSON)
        job = host.submit(**{"from": 1, "to": 2, "name": ODD, "user": ODD})
        host.await_job(job["id"])
        (worker,) = (p for p in self.programs if p.name == "frameq-agent")
        worker.terminate()
        host.terminate()
        taken = next(line for line in self.lines(worker)
                     if line["event"] == "lease_taken")
        self.assertEqual(taken["job"], job["id"])
        self.assertEqual(taken["program"], "frameq-agent")
        self.assertIn("serving", [line["event"] for line in self.lines(host)])

    def test_a_node_that_an_agent_starts(self):
        host = self.broker()
        with socket.create_server((farm.HOST, 0)) as free:
            port = free.getsockname()[1]
        worker = self.agent(host, f"http://{farm.HOST}:{port}", "n1", *JSON,
                            "--start-node", wait=False,
                            env={"FRAMEQ_BLENDER": "true"})
        farm.until("the node is found", lambda: "node_found" in [
            line["event"] for line in self.lines(worker)], 30)
        worker.terminate()
        self.assertIn("frameq-node",
                      [line["program"] for line in self.lines(worker)])

    def test_what_cannot_run(self):
        done = self.run_program("frameq-node", *JSON, "--listen", "0.0.0.0:0")
        self.assertEqual(done.returncode, 1)
        line = json.loads(done.stderr)
        self.assertEqual((line["event"], line["level"]), ("fatal", "error"))
        self.assertIn("--insecure", line["text"])


if __name__ == "__main__":
    farm.main()
