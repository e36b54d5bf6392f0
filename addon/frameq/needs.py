# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a saved .blend needs: asks another Blender, in the background,
by the script that `frameq submit` asks with. So the same files travel, the
open .blend is not touched, and its window does not wait."""

import json
import os
import subprocess

from .broker import Trouble
from .task import Stopped

LOOK_SECONDS = 0.1  # between two looks whether it has ended
HERE = os.path.dirname(os.path.abspath(__file__))
NAMED = 3  # missing files that are named


def words_of(log):
    """What Blender printed of errors; its last line where it names none."""
    with open(log, encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    errors = [line for line in lines if "rror" in line]
    return "; ".join((errors or lines[-1:])[:3])


def wait(process, task):
    try:
        while process.poll() is None:
            task.rest(LOOK_SECONDS)
    except Stopped:
        process.kill()
        process.wait()
        raise


def ask(blender, blend, name, folder, task):
    """{"files", "missing", "warnings", "blend"}: what the copy blend of a
    scene needs that will travel as name; "blend" is the copy to send. Writes
    into folder."""
    found, fixed, log = (os.path.join(folder, each)
                         for each in ("found", "fixed.blend", "log"))
    task.begin("looking for the scene's files")
    with open(log, "wb") as out:
        try:
            process = subprocess.Popen(
                [blender, "--background", "--factory-startup", "-noaudio",
                 "-Y", "--python-exit-code", "3", blend, "--python",
                 os.path.join(HERE, "scan.py"), "--", found, fixed, name],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        except OSError as error:
            raise Trouble(f"Blender cannot start itself to look which files "
                          f"the scene needs: {error}") from error
        wait(process, task)
    if process.returncode != 0 or not os.path.exists(found):
        raise Trouble("Blender does not tell which files the scene needs: " +
                      words_of(log))
    with open(found, encoding="utf-8") as file:
        told = json.load(file)
    told["blend"] = fixed if told["fixed"] else blend
    return told


def missing_words(missing):
    names = ", ".join(missing[:NAMED]) + (", ..." * (len(missing) > NAMED))
    return f"{len(missing)} files that the scene names are not there: {names}"
