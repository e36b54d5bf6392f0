#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom, and who may call what. A rule is a row of a table;
comments and strings of the code are not looked at for calls."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("broker", "worker-agent", "node", "cli")

DOOR = ("broker/broker.h", "broker/broker_internal.h")
CLI_SHARED = re.compile(r"cli/\w+\.h")

# (who, what of the project it may include)
MAY_INCLUDE = [
    ("common/", ("common/",)),
    ("broker/core/", ("common/", "broker/core/")),
    *[(f"{name}/", ("common/", f"{name}/")) for name in PROGRAMS],
    *[(f"broker/{room}/", ("common/", "broker/core/", f"broker/{room}/", *others))
      for room, others in (
          ("ledger", ()),
          ("views", ("broker/ledger/",)),
          ("files", ("broker/broker.h",)),
          ("agents", DOOR),
          ("hooks", (*DOOR, "broker/views/", "broker/people/feed.h")),
          ("people", (*DOOR, "broker/views/", "broker/files/", "broker/hooks/",
                      "broker/agents/")))],
    *[(f"cli/{room}/", ("common/", f"cli/{room}/", CLI_SHARED))
      for room in ("bring", "dev", "doctor", "send", "watch")],
]

# The pure parts see no library, and of the system only what needs no kernel.
PURE = ("broker/core/", "common/*.c", "common/*.h")
PURE_SYSTEM = {"assert.h", "ctype.h", "errno.h", "inttypes.h", "limits.h",
               "math.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
               "stdio.h", "stdlib.h", "string.h", "uthash.h", "utlist.h",
               "utarray.h", "msgpack.h"}
NOT_CORE = {"msgpack.h"}  # the wire is common's, not the core's

# (call, where it may stand), over the product's folders
MAY_CALL = [
    (r"\b(clock_gettime|gettimeofday|time)\s*\(", {"common/app/clock.c"}),
    (r"\bzmq_\w+\s*\(", {
        "broker/agents/keys.c", "broker/agents/lanes.c", "broker/agents/link.c",
        "broker/agents/publisher.c", "broker/agents/zap.c", "broker/loop.c",
        "broker/people/feed.c", "common/app/join.c",
        "worker-agent/link.c", "worker-agent/agent.c", "cli/watch/feed.c"}),
    (r"\b(fsync|fdatasync|syncfs|sync_file_range)\s*\(",
     re.compile(r"/(store|place|journal|private|blob)\w*\.c$")),
]

COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|/\*.*?\*/|//[^\n]*', re.DOTALL)


def blank(match):
    """Keeps the lines of what is taken out."""
    return "\n" * match.group().count("\n")


def matches(path, pattern):
    return (path.startswith(pattern) if pattern.endswith("/")
            else pathlib.PurePath(path).match(pattern)
            and path.count("/") == pattern.count("/"))


def check_include(path, included, local):
    """Why this include is wrong, or None."""
    for who, allowed in MAY_INCLUDE:
        if local and path.startswith(who) and not any(
                included.startswith(what) if isinstance(what, str)
                else what.fullmatch(included) for what in allowed):
            return f"{who} does not include {included}"
    if local or not any(matches(path, pattern) for pattern in PURE):
        return None
    if included not in PURE_SYSTEM:
        return f"the pure part does not include <{included}>"
    if path.startswith("broker/core/") and included in NOT_CORE:
        return f"the core does not include <{included}>"
    return None


def check_includes(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        include = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if not include:
            continue
        wrong = check_include(path, include[2], include[1] == '"')
        if wrong:
            yield f"{path}:{number}: {wrong}"


def check_calls(path, text):
    code = COMMENT.sub(blank, text)
    for call, places in MAY_CALL:
        allowed = (path in places if isinstance(places, set)
                   else places.search(path))
        if allowed:
            continue
        for found in re.finditer(call, code):
            number = code.count("\n", 0, found.start()) + 1
            yield (f"{path}:{number}: {found.group().strip('( ')} does not "
                   "belong here")


def main():
    wrong = []
    for folder in ("common", *PROGRAMS):
        for file in sorted((ROOT / folder).rglob("*.[ch]")):
            path = file.relative_to(ROOT).as_posix()
            text = file.read_text()
            wrong += check_includes(path, text)
            wrong += check_calls(path, text)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


main()
