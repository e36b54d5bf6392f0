# SPDX-License-Identifier: Apache-2.0
"""A person of the farm opens a page of somebody else's: what the browser then
sends here, to this address or to a name that was made to lead here."""

import farm
from nodes import JSON
from wire import Web

EVIL = {"Origin": "http://evil.example"}
REBOUND = {"Host": "evil.example:4000"}


class OtherSites(farm.FarmTest):
    def asked(self, address, method, path, headers, body=None):
        return Web(address).request(method, path, body,
                                    {"Content-Type": "application/json",
                                     **headers}).status

    def test_broker(self):
        host = self.broker("--hosts", "farm.example.com")
        for headers in (EVIL, {"Sec-Fetch-Site": "cross-site"}):
            for method, path in (("POST", "/render"), ("POST", "/v1/jobs"),
                                 ("PATCH", "/v1/agents/x"),
                                 ("DELETE", "/v1/jobs/x"),
                                 ("PUT", "/v1/blobs/" + 64 * "a")):
                self.assertEqual(self.asked(host.address, method, path, headers,
                                            {"from": 1, "to": 2}), 403)
        for method, path in (("GET", "/v1/jobs"), ("GET", "/"),
                             ("GET", "/v1/events"), ("POST", "/render")):
            self.assertEqual(self.asked(host.address, method, path, REBOUND,
                                        {"from": 1, "to": 2}), 421)
        self.assertEqual(host.web().get("/v1/jobs").json()["jobs"], [])
        answer = Web(host.address).request("GET", "/v1/jobs", headers=REBOUND)
        self.assertIn("--hosts", answer.text)
        for name in ("farm.example.com", "localhost:4000", "render01",
                     "[::1]:4000", "192.168.7.7:4000", "pc1.local:4000"):
            self.assertEqual(self.asked(host.address, "POST", "/render",
                                        {"Host": name},
                                        {"from": 1, "to": 2}), 202)

    def test_with_tokens_a_name_opens_nothing(self):
        """Behind a proxy the broker has names it does not know."""
        tokens = self.folder / "tokens"
        secret = self.run_program("frameq", "token", "add", "--role", "admin",
                                  "--tokens", tokens).stdout.strip()
        host = self.broker("--tokens", tokens)
        proxied = {"Host": "farm.example.com"}
        self.assertEqual(self.asked(host.address, "GET", "/v1/jobs", proxied),
                         401)
        proxied["Authorization"] = f"Bearer {secret}"
        self.assertEqual(self.asked(host.address, "GET", "/v1/jobs", proxied),
                         200)

    def test_node(self):
        node = self.node("--hosts", "node.example.com")
        self.assertEqual(self.asked(node.address, "GET", "/info", REBOUND), 421)
        self.assertEqual(self.asked(node.address, "POST", "/job", REBOUND,
                                    {"from": 1, "to": 1}), 421)
        self.assertEqual(self.asked(node.address, "POST", "/job",
                                    {"Sec-Fetch-Site": "cross-site"},
                                    {"from": 1, "to": 1}), 403)
        for name in ("node.example.com", "localhost", "render01:3001"):
            self.assertEqual(self.asked(node.address, "GET", "/info",
                                        {"Host": name, **JSON}), 200)


if __name__ == "__main__":
    farm.main()
