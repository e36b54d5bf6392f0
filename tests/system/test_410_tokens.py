# SPDX-License-Identifier: Apache-2.0
# ctest: smoke
"""A farm with tokens: made, used by people and an agent, and taken back."""

import json

import farm
from wire import Web


class Tokens(farm.FarmTest):
    def token(self, *args, code=0):
        result = self.run_program("frameq", "token", *args, env={
            "FRAMEQ_TOKENS": str(self.folder / "tokens")})
        self.assertEqual(result.returncode, code, result)
        return result.stdout.strip()

    def ask(self, method, path, token=None, body=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Web(self.address).request(method, path, body,
                                         headers=headers).status

    def setUp(self):
        super().setUp()
        self.read = self.token("add", "--role", "read", "looker")
        self.submit = self.token("add", "--user", "mira")
        self.admin = self.token("add", "--role", "admin", "boss")
        self.served = self.broker("--tokens", self.folder / "tokens")
        self.address = self.served.address

    def cli(self, *args, token, code=0):
        result = self.run_program("frameq", *args, env={
            "FRAMEQ_BROKER": self.served.url, "FRAMEQ_TOKEN": token})
        self.assertEqual(result.returncode, code, result)
        return result.stdout.strip()

    def test_every_role_has_tokens(self):
        for role in ("read", "agent", "submit", "admin"):
            secret = self.token("add", "--role", role, role)
            self.assertTrue(secret.startswith("fq_"), secret)
        self.token("add", "--role", "boss", "x", code=2)

    def test_a_job_from_end_to_end(self):
        fake = self.fake(frame_ms=5)
        agent = self.agent(self.served, fake, "a1",
                           env={"FRAMEQ_TOKEN": self.read})
        self.cli("submit", "-f", "1-3", token=self.read, code=4)
        job = self.cli("submit", "-f", "1-3", "--wait", token=self.submit)
        shown = json.loads(self.cli("show", job, "--json", token=self.read))
        self.assertEqual((shown["state"], shown["user"]),
                         ("completed", "mira"))
        self.cli("drain", "a1", token=self.submit, code=4)
        self.cli("drain", "a1", token=self.admin)
        self.assertTrue(agent.running())

    def test_without_one_nothing(self):
        self.assertEqual(self.ask("GET", "/health"), 200)
        for path in ("/v1/jobs", "/v1/farm", "/v1/events", "/metrics",
                     "/status/nope"):
            self.assertEqual(self.ask("GET", path), 401, path)
            self.assertEqual(self.ask("GET", path, "fq_no"), 401, path)

    def test_taken_back(self):
        self.assertEqual(self.ask("GET", "/v1/jobs", self.read), 200)
        self.token("rm", "looker")
        farm.until("it is let in no more", lambda:
                   self.ask("GET", "/v1/jobs", self.read) == 401)
        self.assertEqual(self.ask("GET", "/v1/jobs", self.submit), 200)
        self.token("rm", "looker", code=4)

    def session(self, method, **headers):
        return Web(self.address).request(method, "/v1/session",
                                         headers=headers)

    def test_a_session_outlives_the_broker(self):
        answer = self.session("POST", Authorization=f"Bearer {self.read}")
        self.assertEqual((answer.status, answer.json()["token"]),
                         (200, "looker"))
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        self.served.kill()
        self.served.restart()
        answer = self.session("GET", Cookie=cookie)
        self.assertEqual((answer.status, answer.json()["role"]), (200, "read"))
        self.token("rm", "looker")
        farm.until("its session is over too", lambda:
                   self.session("GET", Cookie=cookie).status == 401)
        self.assertEqual(self.session("DELETE", Cookie=cookie).status, 204)

    def test_names_are_taken_as_they_are(self):
        """Or refused, with the rule: a name that was changed could not be
        taken back by the one that was given."""
        for name in ("two words", "a/b", "", "n" * 65):
            result = self.run_program("frameq", "token", "add", name, env={
                "FRAMEQ_TOKENS": str(self.folder / "tokens")})
            self.assertEqual(result.returncode, 2, result)
            self.assertRegex(result.stderr, "may hold only|1 to 64")
        self.token("add", "n" * 64)
        self.token("rm", "n" * 64)


if __name__ == "__main__":
    farm.main()
