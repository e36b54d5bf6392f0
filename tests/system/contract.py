# SPDX-License-Identifier: Apache-2.0
"""Holds what a broker answers against broker/people/openapi.yaml: the route, the
status, the type, the headers it promises, every member of the body. The
document's objects are taken as closed: a member it does not name is a fault of
the document. Where a request was taken, it must have been one the document
allows.

Needs python3-jsonschema and python3-yaml; without them nothing is checked, and
test_041_openapi.py says so."""

import functools
import json
import pathlib
import re
import urllib.parse

try:
    import jsonschema
    import yaml
except ImportError:
    jsonschema = yaml = None

DOCUMENT = (pathlib.Path(__file__).resolve().parents[2] /
            "broker/people/openapi.yaml")

# `default` of an operation: what is refused at the door, whatever the route.
AT_THE_DOOR = {400, 401, 403, 408, 413, 414, 415, 421, 431, 503, 505}

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")

METHODS = ("get", "put", "post", "delete", "patch")


def available():
    return jsonschema is not None


def route_pattern(path):
    """A path of the document as a pattern: a parameter is one part of a path
    without a colon."""
    literal = re.split(r"\{[^}]*\}", path)
    return re.compile("([^/:]+)".join(map(re.escape, literal)) + "$")


def close(schema):
    """The same schema with every object closed that lists its members."""
    if isinstance(schema, list):
        return [close(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: close(value) for key, value in schema.items()}
    if "properties" in schema and "unevaluatedProperties" not in schema:
        closed.setdefault("additionalProperties", False)
    return closed


class Document:
    def __init__(self, path=DOCUMENT):
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        with open(path, encoding="utf-8") as file:
            self.root = yaml.load(file, loader)
        self.routes = [(route_pattern(path), path, item)
                       for path, item in self.root["paths"].items()]
        self.routes.sort(key=lambda route: route[1].count("{"))
        self.checked = set()
        self.formats = jsonschema.FormatChecker(formats=())
        self.formats.checks("date-time")(
            lambda text: not isinstance(text, str) or bool(TIME.match(text)))

    def find(self, path):
        """(path of the document, its item), or (None, None)."""
        for pattern, name, item in self.routes:
            if pattern.match(path):
                return name, item
        return None, None

    def at(self, pointer):
        """What a "#/..." names."""
        value = self.root
        for part in pointer[2:].split("/"):
            value = value[part.replace("~1", "/").replace("~0", "~")]
        return value

    def deref(self, item):
        while isinstance(item, dict) and "$ref" in item:
            item = self.at(item["$ref"])
        return item

    @functools.lru_cache(maxsize=None)
    def validator(self, pointer, closed):
        """Of the schema at a pointer; allOf's parts are closed by the whole."""
        components = self.root["components"]["schemas"]
        parts = {row["$ref"].rsplit("/", 1)[1]
                 for schema in components.values()
                 for row in schema.get("allOf", ()) if "$ref" in row}
        named = {name: close(schema) if closed and name not in parts and
                 "allOf" not in schema else schema
                 for name, schema in components.items()}
        schema = self.at(pointer)
        if closed and "$ref" not in schema:
            schema = close(schema)
        whole = {**schema, "components": {"schemas": named}}
        # Times come in with any offset and go out in UTC.
        return jsonschema.Draft202012Validator(
            whole, format_checker=self.formats if closed else None)

    def schema_fault(self, pointer, body, closed):
        """What is wrong with the bytes of a body, or None."""
        key = (pointer, hash(body))
        if key in self.checked:
            return None
        try:
            value = json.loads(body)
        except ValueError as error:
            return f"no JSON: {error}"
        error = jsonschema.exceptions.best_match(
            self.validator(pointer, closed).iter_errors(value))
        if error is None:
            self.checked.add(key)
            return None
        return f"{error.json_path}: {error.message[:600]}"

    def check(self, asked, answer):
        """asked: (method, target, headers, body). Raises AssertionError where
        the answer is none that the document promises."""
        fault = self.fault(asked, answer)
        if fault:
            raise AssertionError(f"{asked[0]} {asked[1][:200]}: not as"
                                 f" broker/people/openapi.yaml says: {fault}\n"
                                 f"{answer}")

    def fault(self, asked, answer):
        method, target, _, _ = asked
        path = urllib.parse.unquote(target.partition("?")[0],
                                    errors="replace")
        name, item = self.find(path)
        if item is None:
            return (None if answer.status in AT_THE_DOOR | {404} else
                    "it knows no such path")
        item = self.deref(item)
        operation = item.get("get" if method == "HEAD" else method.lower())
        if operation is None:
            return self.other_method(method, answer)
        return (self.answer_fault(name, method, operation, answer) or
                self.request_fault(name, item, operation, asked, answer))

    @staticmethod
    def other_method(method, answer):
        wanted = 204 if method == "OPTIONS" else 405
        if answer.status in AT_THE_DOOR | {404}:
            return None
        if answer.status != wanted:
            return f"{method} is not there, so the answer is {wanted}"
        return None if "Allow" in answer.headers else "Allow is missing"

    def pointer(self, name, method, *rest):
        verb = "get" if method == "HEAD" else method.lower()
        parts = ("paths", name, verb, *rest)
        return "#/" + "/".join(part.replace("~", "~0").replace("/", "~1")
                               for part in parts)

    def answer_fault(self, name, method, operation, answer):
        responses = operation["responses"]
        status = str(answer.status)
        if status not in responses:
            if answer.status not in AT_THE_DOOR:
                return f"{status} is not among {sorted(responses)}"
            status = "default"
        pointer = self.pointer(name, method, "responses", status)
        response = responses.get(status)
        if response is None:
            return "it has no default"
        while "$ref" in response:
            pointer = response["$ref"]
            response = self.at(pointer)
        for header, promised in response.get("headers", {}).items():
            if promised.get("required") and header not in answer.headers:
                return f"the header {header} is missing"
        if method == "HEAD":
            return None if not answer.body else "HEAD has no body"
        return self.body_fault(pointer, response, answer)

    def body_fault(self, pointer, response, answer):
        content = response.get("content")
        if not content:
            return None if not answer.body else "it promises no body"
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        if kind not in content:
            return f"the type {kind!r} is not among {sorted(content)}"
        if "schema" not in content[kind]:
            return None
        schema = (pointer + "/content/" + kind.replace("/", "~1") + "/schema")
        if kind.endswith("json"):
            return self.schema_fault(schema, answer.body, True)
        const = self.at(schema).get("const")
        if const is not None and answer.body.decode() != const:
            return f"the text is not {const!r}"
        return None

    def request_fault(self, name, item, operation, asked, answer):
        """What was taken must be what the document lets in."""
        method, target, _, body = asked
        if not 200 <= answer.status < 300:
            return None
        parameters = [self.deref(p) for p in (*item.get("parameters", ()),
                                              *operation.get("parameters", ()))]
        known = {p["name"] for p in parameters if p["in"] == "query"}
        query = urllib.parse.parse_qs(target.partition("?")[2],
                                      keep_blank_values=True)
        if not known >= set(query):
            return f"it knows no parameter {sorted(set(query) - known)}"
        wanted = operation.get("requestBody")
        if not wanted or not body:
            return None
        pointer = self.pointer(name, method, "requestBody")
        while "$ref" in wanted:
            pointer = wanted["$ref"]
            wanted = self.at(pointer)
        if "application/json" not in wanted["content"]:
            return None
        fault = self.schema_fault(
            pointer + "/content/application~1json/schema", body, False)
        return fault and f"the request was taken: {fault}"


@functools.lru_cache(maxsize=None)
def document():
    return Document()


def check(asked, answer):
    if available():
        document().check(asked, answer)
