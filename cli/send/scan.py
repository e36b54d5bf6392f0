# SPDX-License-Identifier: Apache-2.0
"""Runs in Blender, in the background: says which files the opened .blend needs.

After "--": OUT COPY [check | NAME.blend]. Writes {"files": [path...], "missing":
[path...], "fixed": bool, "warnings": [text...]} to OUT. Where the .blend names
files by absolute paths, a copy of it that names them relative to itself goes to
COPY, and `fixed` is true: on another machine only relative paths lead anywhere.

NAME.blend is what the .blend travels as, where that is not its own name.

With check nothing is copied, and `scene` tells what a node would object to,
by the rules of the node itself (driver.py, which lies beside this)."""

import glob
import json
import os
import re
import sys

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import driver  # noqa: E402

OUT, COPY, *MORE = sys.argv[sys.argv.index("--") + 1:]
CHECK = MORE == ["check"]
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
    name = MORE[0] if MORE and not CHECK else os.path.basename(BLEND)
    stem = os.path.splitext(name)[0]
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


def paths_kept():
    """What the .blend itself names by absolute paths and pixels hang on."""
    aside = {block.filepath for block in bpy.data.texts}
    aside.update(brush.icon_filepath for brush in bpy.data.brushes)
    return sorted(set(own_absolute_paths()) - aside)


def fault_of(check, *args):
    """What a check of the node's driver objects to; None: nothing."""
    try:
        check(*args)
    except driver.Fault as fault:
        return str(fault)
    return None


def lost(path):
    return not os.path.exists(path)


def scene_facts():
    scene = bpy.context.scene
    libraries = {driver.absolute(each.filepath, each)
                 for each in bpy.data.libraries}
    missing = set(driver.files_missing(scene)) - libraries
    textures = missing & set(driver.images_missing())
    driver.scene_evaluate(scene)
    return {
        "name": scene.name,
        "blender": "%d.%d" % tuple(bpy.data.version[:2]),
        "libraries_missing": sorted(filter(lost, libraries)),
        "textures_missing": sorted(textures),
        "files_missing": sorted(missing - textures),
        "absolute": paths_kept(),
        "no_camera": fault_of(driver.camera_check, scene),
        "script_blocked": bpy.app.autoexec_fail_message
        if fault_of(driver.scripts_check, {}) else None,
        "unbaked": [*driver.simulations_unbaked(scene),
                    *driver.nodes_simulate()],
        "format": scene.render.image_settings.file_format,
        "movie": scene.render.is_movie_format,
    }


def main():
    files, missing = gather()
    told = {"files": [path for path in files if os.path.realpath(path) != BLEND],
            "missing": missing, "fixed": False, "warnings": warnings()}
    if CHECK:
        told["scene"] = scene_facts()
    elif own_absolute_paths():
        bpy.ops.file.make_paths_relative()
        bpy.ops.wm.save_as_mainfile(filepath=COPY, copy=True,
                                    relative_remap=False)
        told["fixed"] = True
    with open(OUT, "w", encoding="utf-8") as out:
        json.dump(told, out)


main()
