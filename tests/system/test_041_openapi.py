# SPDX-License-Identifier: Apache-2.0
"""The API's description: it is the one served, it names every route there is
and no other, and what holds answers against it finds what differs. (All other
tests here hold the answers they get against it: contract.py.)"""

import re

import contract
import farm
from wire import Answer

ROUTE = re.compile(r'\{"(GET|PUT|POST|PATCH|DELETE)", "([^"]+)",')


def routes_of_the_broker():
    """{(method, path)}; a parameter is {}."""
    tables = (farm.ROOT / "broker/people/routes").glob("*.c")
    return {match.groups() for table in tables
            for match in ROUTE.finditer(table.read_text())}


class Description(farm.FarmTest):
    def setUp(self):
        self.assertTrue(contract.available(), "answers are not held against "
                        "broker/people/openapi.yaml without python3-jsonschema and "
                        "python3-yaml: run deploy/install-deps --test")
        self.document = contract.document()

    def spelled_out(self, path, item):
        """The path, once for each word of a parameter that is one of some."""
        for parameter in map(self.document.deref, item.get("parameters", ())):
            for word in parameter["schema"].get("enum", ()):
                yield path.replace("{%s}" % parameter["name"], word)
            if "enum" in parameter["schema"]:
                return
        yield path

    def operations(self):
        return {(method.upper(), re.sub(r"\{[^}]*\}", "{}", spelled)):
                item[method]
                for path, item in self.document.root["paths"].items()
                for spelled in self.spelled_out(path, item)
                for method in contract.METHODS if method in item}

    def test_every_route_and_no_other(self):
        self.assertEqual(set(self.operations()), routes_of_the_broker())

    def test_names_are_unique(self):
        names = [item[method]["operationId"]
                 for item in self.document.root["paths"].values()
                 for method in contract.METHODS if method in item]
        self.assertEqual(len(names), len(set(names)))

    def test_references_lead_somewhere(self):
        for pointer in set(re.findall(r"#/components/[\w/]+",
                                      contract.DOCUMENT.read_text())):
            self.assertIsNotNone(self.document.at(pointer), pointer)

    def test_examples_fit(self):
        media = self.document.root["components"]["requestBodies"]["Job"]
        check = self.document.validator(
            "#/components/schemas/JobFields", False)
        for example in media["content"]["application/json"][
                "examples"].values():
            check.validate(example["value"])

    def test_the_one_served(self):
        answer = self.broker().web().get("/v1/openapi.yaml")
        self.assertEqual(answer.body, contract.DOCUMENT.read_bytes())

    def test_the_pages_of_the_docs_name_every_route(self):
        text = (farm.ROOT / "docs/http-api.md").read_text()
        text = re.sub(r"\{[^}\s]*\}", "{}", text)
        for _, path in self.operations():
            self.assertIn(path.rstrip("/") or "/", text)

    def test_what_differs_is_found(self):
        host = self.broker()
        web = host.web()
        asked = ("GET", "/v1/farm", {}, None)
        good = web.get("/v1/farm")
        self.assertIsNone(self.document.fault(asked, good))

        def fault(asked=asked, status=200, body=None, kind=None, **members):
            headers = dict(good.headers)
            headers["Content-Type"] = kind or headers["Content-Type"]
            document = {**good.json(), **members}
            text = body or contract.json.dumps(document).encode()
            return self.document.fault(asked, Answer(status, headers, text))

        self.assertIsNone(fault())
        self.assertIn("surprise", fault(surprise=1))
        self.assertIn("agents", fault(agents=None))
        self.assertIn("now", fault(now="yesterday"))
        self.assertIn("extra", fault(slots={"total": 1, "busy": 0, "extra": 1}))
        self.assertIn("418", fault(status=418))
        self.assertIn("text/html", fault(kind="text/html"))
        self.assertIn("no JSON", fault(body=b"{"))
        self.assertIn("no such path", fault(("GET", "/v1/nothing", {}, None)))
        self.assertIn("405", fault(("PUT", "/v1/farm", {}, None)))
        self.assertIn("parameter", fault(("GET", "/v1/farm?a=1", {}, None)))

    def test_a_job_is_closed_and_so_is_what_is_submitted(self):
        web = self.broker().web()
        asked = ("POST", "/v1/jobs", {}, b'{"from":1,"to":2}')
        good = web.post("/v1/jobs", {"from": 1, "to": 2})
        job = good.json()

        def fault(asked=asked, headers=None, **members):
            headers = good.headers if headers is None else headers
            text = contract.json.dumps({**job, **members}).encode()
            return self.document.fault(asked,
                                       Answer(202, headers, text))

        self.assertIsNone(fault())
        self.assertIn("surprise", fault(surprise=1))
        self.assertIn("counts", fault(counts={**job["counts"], "x": 1}))
        self.assertIn("state", fault(state="resting"))
        self.assertIn("Location", fault(
            headers={"Content-Type": "application/json"}))
        self.assertIn("was taken", fault(
            ("POST", "/v1/jobs", {}, b'{"from":1,"to":2,"colour":"red"}')))


if __name__ == "__main__":
    farm.main()
