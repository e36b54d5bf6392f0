# SPDX-License-Identifier: Apache-2.0
"""What deploy/ and docs/ say of /metrics is there: each metric, label and word
of a label in the dashboard, the alerts and the API's page. promtool, where it is
installed, has no fault to find either."""

import json
import re
import shutil
import subprocess
import unittest

import contract
import farm

NAME = re.compile(r"\b((?:frameq|process)_[a-z_]+)(?:\{([^}]*)\})?")
LABEL = re.compile(r'(\w+)(=~|=)"([^"]*)"')
HISTOGRAM = re.compile(r"_(bucket|sum|count)$")
# Given by Prometheus, or by how a histogram is written.
GIVEN = {"instance", "job", "le"}


def expressions(node):
    """Every "expr" of a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "expr" and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


class Metrics(farm.FarmTest):
    def setUp(self):
        self.host = self.broker()
        self.host.web().get("/v1/farm")
        self.there = self.host.metrics()

    def series(self, name):
        """The label sets that a metric has."""
        return [dict((label, word) for label, _, word in LABEL.findall(series))
                for series in self.there if series.split("{")[0] == name]

    def check(self, expression):
        found = NAME.findall(expression)
        self.assertTrue(found or "up{" in expression, expression)
        for name, labels in found:
            series = self.series(name)
            self.assertTrue(series, f"{name} of {expression}")
            for label, operator, value in LABEL.findall(labels):
                if label in GIVEN or "$" in value:
                    continue
                for word in value.split("|") if operator == "=~" else [value]:
                    self.assertIn(word, [s.get(label) for s in series],
                                  expression)

    @unittest.skipUnless(contract.yaml, "no python3-yaml")
    def test_deploy_and_docs_name_what_is_there(self):
        deploy = farm.ROOT / "deploy"
        rules = contract.yaml.safe_load(
            (deploy / "prometheus/alerts.yaml").read_text())
        board = json.loads((deploy / "grafana/frameq.json").read_text())
        checked = list(expressions(rules)) + list(expressions(board))
        self.assertGreater(len(checked), 40)
        for expression in checked:
            self.check(expression)
        page = (farm.ROOT / "docs/http-api.md").read_text()
        told = set(re.findall(r"`(frameq_\w+)(?:\{\w+(?:,\w+)*\})?`", page))
        names = {HISTOGRAM.sub("", s.split("{")[0]) for s in self.there}
        self.assertEqual(told, {n for n in names if n.startswith("frameq_")})

    def promtool(self, *arguments, **options):
        done = subprocess.run(
            ["promtool", *arguments], capture_output=True, text=True,
            check=False, cwd=farm.ROOT / "deploy/prometheus", **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @unittest.skipUnless(shutil.which("promtool"), "no promtool")
    def test_promtool(self):
        self.promtool("check", "rules", "alerts.yaml")
        self.promtool("test", "rules", "alerts_test.yaml")
        self.promtool("check", "config", "prometheus.yml")
        self.promtool("check", "metrics",
                      input=self.host.web().get("/metrics").text)


if __name__ == "__main__":
    farm.main()
