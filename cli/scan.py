# SPDX-License-Identifier: Apache-2.0
"""Runs in Blender, in the background: says which files the opened .blend needs.

Writes {"files": [path...], "missing": [path...], "fixed": bool, "warnings":
[text...]} to the first argument. Where the .blend names files by absolute
paths, a copy of it that names them relative to itself goes to the second, and
`fixed` is true: on another machine only relative paths lead anywhere."""

import glob
import json
import os
import re
import sys

import bpy

OUT, COPY = sys.argv[sys.argv.index("--") + 1:][:2]
BLEND = os.path.realpath(bpy.data.filepath)
TOKENS = re.compile(r"<(UDIM|UVTILE)>")


def expand(path):
    """All files that a path with a tile token stands for."""
    parts = TOKENS.split(path)
    return glob.glob("*".join(glob.escape(part) for part in parts[::2]))


def series(path):
    """All files that differ from path in the last digits of their name."""
    folder, name = os.path.split(path)
    match = re.match(r"(.*?)(\d+)(\D*)$", name)
    if not match:
        return [path]
    same = re.compile(re.escape(match[1]) + r"\d+" + re.escape(match[3]) + "$")
    try:
        names = os.listdir(folder)
    except OSError:
        names = []
    return [os.path.join(folder, name) for name in names if same.match(name)]


def below(folder):
    return [os.path.join(place, name)
            for place, _, names in os.walk(folder) for name in names]


def absolute(path, library):
    return os.path.normpath(bpy.path.abspath(path, library=library))


def series_of_data():
    """Image sequences, movie clips of pictures, volumes."""
    for image in bpy.data.images:
        if image.source == "SEQUENCE" and not image.packed_file:
            yield absolute(image.filepath, image.library)
    for clip in bpy.data.movieclips:
        if clip.source == "SEQUENCE":
            yield absolute(clip.filepath, clip.library)
    for volume in getattr(bpy.data, "volumes", ()):
        if volume.is_sequence:
            yield absolute(volume.filepath, volume.library)
    for cache in bpy.data.cache_files:
        if cache.is_sequence:
            yield absolute(cache.filepath, cache.library)


def cache_folders():
    """Point caches beside the .blend, and those of fluids."""
    stem = os.path.splitext(os.path.basename(BLEND))[0]
    yield os.path.join(os.path.dirname(BLEND), "blendcache_" + stem)
    for thing in bpy.data.objects:
        for modifier in thing.modifiers:
            if modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN":
                yield absolute(modifier.domain_settings.cache_directory,
                               thing.library)


def gather():
    files, missing = set(), set()
    for path in bpy.utils.blend_paths(absolute=True, packed=False, local=False):
        path = os.path.normpath(path)
        found = expand(path) if TOKENS.search(path) else [path]
        found = [one for one in found if os.path.isfile(one)]
        files.update(found)
        if not found and not os.path.isdir(path):
            missing.add(path)
    for path in series_of_data():
        found = [one for one in series(path) if os.path.isfile(one)]
        files.update(found)
        if found:
            missing.discard(path)
    for folder in cache_folders():
        files.update(below(folder))
    return sorted(files), sorted(missing)


def own_absolute_paths():
    return [path for path in
            bpy.utils.blend_paths(absolute=False, packed=False, local=True)
            if not path.startswith("//")]


def warnings():
    own = set(own_absolute_paths())
    return [f"a linked library names {path} by an absolute path: no other "
            "machine will find it"
            for path in bpy.utils.blend_paths(absolute=False, packed=False,
                                              local=False)
            if not path.startswith("//") and path not in own]


def main():
    files, missing = gather()
    told = {"files": [path for path in files if os.path.realpath(path) != BLEND],
            "missing": missing, "fixed": False, "warnings": warnings()}
    if own_absolute_paths():
        bpy.ops.file.make_paths_relative()
        bpy.ops.wm.save_as_mainfile(filepath=COPY, copy=True,
                                    relative_remap=False)
        told["fixed"] = True
    with open(OUT, "w", encoding="utf-8") as out:
        json.dump(told, out)


main()
