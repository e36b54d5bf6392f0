# SPDX-License-Identifier: Apache-2.0
# ctest: long smoke
"""Our own node's API: refusals, crashes, silence, lost answers."""

import farm
from bad_node import BadNode, add_tests

FAULTS = {
    "refuses": ("--refuse", 3),
    "always_refuses": ("--refuse", "always"),
    "error_500": ("--error-500", 4),
    "always_error_500": ("--error-500", "always"),
    "nonsense": ("--nonsense", 3),
    "is_a_black_hole": ("--black-hole", "always"),
    "crashes": ("--quit-at-frame", "2:1"),
    "cannot_prove": ("--fail-frame", "2:1"),
    "hangs": ("--hang-frame", 2),
    "freezes": ("--freeze-after", 2),
    "loses_an_answer": ("--lose-answer", 1),
    "forgets": ("--forget", 1),
}


class OurFaults(BadNode):
    """Those of the table."""


add_tests(OurFaults, FAULTS, kind=("--superset",))

if __name__ == "__main__":
    farm.main()
