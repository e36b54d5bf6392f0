# SPDX-License-Identifier: Apache-2.0
"""The man pages name every verb and every flag that --help knows, and no
other."""

import re

import farm

VERBS = ("submit watch status ls show explain frames logs movie agents activity "
         "cancel retry pause resume priority rm dev doctor drain token backup "
         "completion version").split()
EVERYWHERE = {"broker", "json", "config", "print-config", "help", "version"}


class ManPages(farm.FarmTest):
    def flags(self, program, *verb):
        result = self.run_program(program, *verb, "--help")
        self.assertEqual(result.returncode, 0, result)
        return set(re.findall(r"(?m)^ +(?:-\w, )?--([a-z-]+)", result.stdout))

    @staticmethod
    def page(name):
        return (farm.ROOT / "docs/man" / f"{name}.scd").read_text()

    @staticmethod
    def named(page):
        return set(re.findall(r"\*--([a-z-]+)\*", page))

    def test_frameq(self):
        page = self.page("frameq.1")
        flags = set().union(*(self.flags("frameq", verb) for verb in VERBS))
        self.assertEqual(self.named(page), flags | EVERYWHERE)
        for verb in VERBS:
            self.assertIn(f"*frameq {verb}*", page)

    def test_daemons(self):
        for name in ("frameq-broker", "frameq-agent", "frameq-node"):
            if (farm.BIN / name).exists():
                self.assertEqual(self.named(self.page(f"{name}.8")),
                                 self.flags(name), name)


if __name__ == "__main__":
    farm.main()
