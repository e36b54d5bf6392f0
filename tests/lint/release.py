#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""release.py BUILD: compiles every C file of the programs by the commands of a
build that is configured, and throws the result away: no debug information, no
assembler, no link. What that build makes itself is left out, since it is not
there yet; a test's build has made and compiled the same."""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys


def compile_file(entry):
    """What the compiler says of it; "" where it is content."""
    words = shlex.split(entry["command"])
    words[words.index("-o") + 1] = os.devnull
    words[words.index("-c")] = "-S"
    done = subprocess.run([*words, "-g0"], cwd=entry["directory"], text=True,
                          capture_output=True, check=False)
    if done.returncode != 0 and not done.stderr:
        return f"{entry['file']}: {words[0]} ended with {done.returncode}\n"
    return done.stderr


def main():
    build = pathlib.Path(sys.argv[1])
    commands = json.loads((build / "compile_commands.json").read_text())
    files = [entry for entry in commands
             if build.resolve() not in pathlib.Path(entry["file"]).parents]
    if not files:
        return "nothing to compile"
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return "".join(pool.map(compile_file, files))


if __name__ == "__main__":
    sys.exit(main() or None)
