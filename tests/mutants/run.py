#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants one bug at a time into a copy of a source file and looks whether the
tests notice. A mutant that lives, or that no longer fits its source, fails.

A spec, NAME.mutant, says what the bug is, where it goes and who must see it:

    # What is wrong, in a sentence.
    file broker/core/apply.c
    test sim                    or: test unit/NAME, or: test sim from 400, for
                                a bug whose seed is far from the first
    by one-owner, same-books    rules of the simulator, or test functions
    find
    a piece of the source, which occurs once
    put
    what stands in its place
    end

Nothing of the product is changed: the copy is compiled and linked as the build
does it, and lies with the program in build/mutants/NAME/.

Usage: run.py [NAME...]     needs $FRAMEQ_BUILD (build/dev), with all of it built
"""

import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("FRAMEQ_BUILD", ROOT / "build/dev"))
WORK = ROOT / "build/mutants"
SEEDS = 1000
PATIENCE_S = 300

SPEC = re.compile(r"(?:#[^\n]*\n)+file (?P<file>\S+)\n"
                  r"test (?P<test>\S+)(?: from (?P<seed>\d+))?\n"
                  r"by (?P<by>[^\n]+)\nfind\n(?P<find>.*?)\nput\n"
                  r"(?P<put>(?:.*\n)??)end\n", re.DOTALL)
RULE = re.compile(r"^at [\d.]+ s: (\S+) does not hold", re.MULTILINE)
ASSERTION = re.compile(r"^\S+: \S+:\d+: (\w+): Assertion", re.MULTILINE)
SEED = re.compile(r"^seed (\d+) failed", re.MULTILINE)
FAILED_TEST = re.compile(r"\[  FAILED  \] ([A-Za-z]\w+)$")


class Wrong(Exception):
    """Why a mutant could not be tried, or lived."""


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True,
                          errors="replace", check=False, **more)


def build_commands(program):
    """How the build makes a program and all it is made of, as lists of words;
    the last one links it."""
    done = run(["ninja", "-C", str(BUILD), "-t", "commands", program])
    if done.returncode != 0:
        raise Wrong(f"no target {program}")
    return [[word for word in shlex.split(line) if word not in (":", "&&")]
            for line in done.stdout.splitlines()]


def plant(spec, folder):
    """The copy of the source with the bug in it."""
    source = (ROOT / spec["file"]).read_text()
    if source.count(spec["find"]) != 1:
        raise Wrong(f"the lines to find occur {source.count(spec['find'])} "
                    f"times in {spec['file']}")
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / pathlib.Path(spec["file"]).name
    copy.write_text(source.replace(spec["find"],
                                   spec["put"].removesuffix("\n")))
    return copy


def compile_copy(spec, copy, commands):
    """Returns the object, and the one of the build that it stands for."""
    path = str(ROOT / spec["file"])
    fit = [words for words in commands if "-c" in words and path in words]
    if len(fit) != 1:
        raise Wrong(f"its test has {spec['file']} in it {len(fit)} times")
    words = fit[0]
    made = copy.with_suffix(".o")
    stands_for = words[words.index("-o") + 1]
    words[words.index("-o") + 1] = str(made)
    words[words.index(path)] = str(copy)
    for flag in ("-MT", "-MF"):
        if flag in words:
            words[words.index(flag) + 1] = str(made) + ".d"
    words += ["-Wno-error", "-w"]
    done = run(words, cwd=BUILD)
    if done.returncode != 0:
        raise Wrong("does not compile: " + done.stderr[:400])
    return made, stands_for


def link_mutant(spec, copy, program):
    """An object on the command line goes before one of an archive."""
    commands = build_commands(program)
    link = commands[-1]
    made, stands_for = compile_copy(spec, copy, commands)
    if stands_for in link:
        link[link.index(stands_for)] = str(made)
    else:
        link.insert(1, str(made))
    mutant = copy.parent / pathlib.Path(program).name
    link[link.index("-o") + 1] = str(mutant)
    done = run(link, cwd=BUILD)
    if done.returncode != 0:
        raise Wrong("does not link: " + done.stderr[:400])
    return mutant


def try_sim(mutant, first):
    """Who noticed, and at which seed."""
    done = run([str(mutant), "--seeds", str(SEEDS), "--from", first,
                "--jobs", "1"], timeout=PATIENCE_S)
    (mutant.parent / "stderr").write_text(done.stderr)
    if done.returncode == 0:
        raise Wrong(f"lives through {SEEDS} seeds")
    rule = RULE.search(done.stderr) or ASSERTION.search(done.stderr)
    seed = SEED.search(done.stderr)
    if not rule or not seed:
        raise Wrong("fails, but by no rule: " + done.stderr[:400])
    return rule[1], f" at seed {seed[1]}"


def try_unit(mutant, _):
    """The first test that fails is enough: others may wait long in vain."""
    with subprocess.Popen([str(mutant)], cwd=BUILD, text=True,
                          errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as test:
        patience = threading.Timer(PATIENCE_S, test.kill)
        patience.start()
        failed = None
        for line in test.stdout:
            failed = FAILED_TEST.match(line.rstrip())
            if failed:
                test.kill()
                break
        patience.cancel()
    if not failed:
        raise Wrong("the unit test does not notice")
    return failed[1], ""


def judge(name):
    """One line: whether the mutant was caught, and what it says of that."""
    spec = SPEC.fullmatch((HERE / f"{name}.mutant").read_text())
    try:
        if not spec:
            raise Wrong("is no spec as run.py describes it")
        is_sim = spec["test"] == "sim"
        program = ("bin/frameq-sim" if is_sim
                   else "bin/test_" + spec["test"].removeprefix("unit/"))
        mutant = link_mutant(spec, plant(spec, WORK / name), program)
        began = time.monotonic()
        rule, where = (try_sim if is_sim else try_unit)(mutant,
                                                        spec["seed"] or "0")
        took = time.monotonic() - began
        if rule not in spec["by"].split(", "):
            raise Wrong(f"caught by {rule}{where}, not by {spec['by']}")
        by = rule if is_sim else f"{spec['test']} {rule}"
        return True, f"caught by {by}{where} after {took:.1f} s"
    except Wrong as wrong:
        return False, str(wrong)
    except subprocess.TimeoutExpired:
        return False, f"nothing came of it in {PATIENCE_S} s"


def main():
    names = sys.argv[1:] or sorted(p.stem for p in HERE.glob("*.mutant"))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() + 1) as pool:
        for name, (well, text) in zip(names, pool.map(judge, names)):
            print(f"{'ok  ' if well else 'FAIL'} {name}: {text}", flush=True)
            failed += not well
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
