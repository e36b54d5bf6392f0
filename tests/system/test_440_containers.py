# SPDX-License-Identifier: Apache-2.0
"""What the containers of deploy/compose.yaml run, here without containers: a
farm that is closed to strangers, out of one command."""

import os
import re
import socket
import subprocess

import farm

DEPLOY = farm.ROOT / "deploy"
START = DEPLOY / "container-start"


def by_script(verb):
    """Runs a program's flags by the script, which knows what to run."""
    return ["sh", "-c", f'shift; exec "{START}" {verb} "$@"', "sh"]


class Joined(farm.Program):
    name = "frameq-agent"
    stop_seconds = 6


class Containers(farm.FarmTest):
    def setUp(self):
        with socket.create_server((farm.HOST, 0)) as free:
            self.address = "%s:%d" % free.getsockname()
        url = f"http://{self.address}"
        self.env = {"PATH": f"{farm.BIN}:{os.environ['PATH']}", "AGENTS": "2",
                    "FARM": str(self.folder / "farm"), "BROKER_URL": url,
                    "FRAMEQ_DATA": str(self.folder / "data"),
                    "BROKER_HERE": url}
        self.host = self.broker(
            "--curve", "on", prefix=by_script("broker"), env=self.env,
            data=self.folder / "data",
            listen=("--http", self.address, "--zmq", f"{farm.HOST}:0"))
        farm.until("it is healthy", self.healthy)

    def healthy(self):
        return subprocess.run([START, "healthy"], env={**os.environ,
                              **self.env}, capture_output=True,
                              check=False).returncode == 0

    def join(self, node, **options):
        return Joined(self, "--node", node.url, "--state",
                      self.folder / f"agent-{self.count()}", env=self.env,
                      prefix=by_script("agent"), **options)

    def ask(self, method, path, body=None):
        token = (self.folder / "data" / "token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}",
                   "Content-Type": "application/json"}
        return self.host.web().request(method, path, body, headers)

    def up(self):
        return {agent["name"] for agent in
                self.ask("GET", "/v1/agents").json()["agents"]
                if agent["state"] == "up" and agent["node"]["up"]}

    def test_a_farm(self):
        self.assertEqual(self.host.web().get("/v1/jobs").status, 401)
        agents = [self.join(self.fake("--superset")) for _ in range(2)]
        farm.until("both are up", lambda: self.up() == {"agent-1", "agent-2"})
        third = self.join(self.fake("--superset"), wait=False)
        self.assertEqual(third.wait(10), 1)
        third.process = None  # this end was wanted
        job = self.ask("POST", "/render", {"from": 1, "to": 20}).json()["jobId"]
        farm.until("it is rendered", lambda: self.ask(
            "GET", f"/v1/jobs/{job}").json()["state"] == "completed")
        agents[0].terminate()
        self.join(self.fake("--superset"))  # what it held is free again
        farm.until("both are up", lambda: len(self.up()) == 2)
        self.host.terminate()
        joins = (self.folder / "farm" / "agent-1").read_text()
        self.host.start()
        farm.until("they are back", lambda: len(self.up()) == 2)
        self.assertEqual((self.folder / "farm" / "agent-1").read_text(), joins)
        for path in (*(self.folder / "farm").iterdir(),
                     self.folder / "data" / "token"):
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_the_compose_file(self):
        """It runs what this test does, and nothing that lets anybody in."""
        text = (DEPLOY / "compose.yaml").read_text()
        rows = [row for row in text.splitlines()
                if not row.lstrip().startswith("#")]
        text = "\n".join(rows)
        self.assertNotIn("insecure", text)
        self.assertEqual(re.findall(r"- container-start\n\s+- (\w+)", text),
                         ["broker", "agent"])
        self.assertIn('["CMD", "container-start", "healthy"]', text)
        self.assertEqual(re.findall(r'^\s+- "(\S*:4000)"', text, re.M),
                         ["127.0.0.1:4000:4000"])
        for service in ("broker", "agent"):
            told = self.run_program(f"frameq-{service}", "--help").stdout
            flags = re.search(rf"- {service}\n((\s+- --.*\n)+)", text)[1]
            for flag in re.findall(r"--[\w-]+", flags):
                self.assertIn(f"{flag} ", told)


if __name__ == "__main__":
    farm.main()
