# SPDX-License-Identifier: Apache-2.0
"""Run inside Blender: makes the .blend that frameq-bench render renders.

    blender -b --factory-startup -noaudio --python-exit-code 3 \
        -P render_scene.py -- tiny|light|moving|camera FILE.blend

tiny    a monkey that turns, 160x90, 1 sample
light   the same, 320x180, 4 samples
moving  1.7 million triangles and a monkey that turns, 320x180, 4 samples
camera  1.7 million triangles, and the camera alone moves, 320x180, 4 samples
"""
import math
import sys

import bpy

KIND, FILE = sys.argv[sys.argv.index("--") + 1 :]
LAST = 1000


def linear(block):
    for curve in block.animation_data.action.fcurves:
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"


def keyed(block, path, index, last):
    for frame, value in ((1, getattr(block, path)[index]), (LAST, last)):
        getattr(block, path)[index] = value
        block.keyframe_insert(path, index=index, frame=frame)
    linear(block)


def add(scene, data, name, location, turn):
    item = bpy.data.objects.new(name, data)
    item.location, item.rotation_euler = location, turn
    scene.collection.objects.link(item)
    return item


def checker():
    image = bpy.data.images.new("Checker", 128, 128)
    image.pixels = [
        value
        for y in range(128)
        for x in range(128)
        for value in ((1, 1, 1, 1) if (x // 16 + y // 16) % 2 else (0.1, 0.1, 0.1, 1))
    ]
    image.pack()
    material = bpy.data.materials.new("Floor")
    material.use_nodes = True
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    tree.links.new(node.outputs[0], tree.nodes["Principled BSDF"].inputs[0])
    return material


def monkey(levels, location=(0, 0, 1)):
    bpy.ops.mesh.primitive_monkey_add(location=location)
    subsurf = bpy.context.object.modifiers.new("Subsurf", "SUBSURF")
    subsurf.levels, subsurf.render_levels = 0, levels
    return bpy.context.object


def terrain():
    """0.72 million triangles; with a still monkey of a million."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=600, y_subdivisions=600, size=20)
    texture = bpy.data.textures.new("Hills", "CLOUDS")
    displace = bpy.context.object.modifiers.new("Displace", "DISPLACE")
    displace.texture, displace.strength = texture, 0.5
    monkey(5, (2, 2, 1))


def main():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    scene = bpy.context.scene
    bpy.ops.mesh.primitive_plane_add(size=10)
    bpy.context.object.data.materials.append(checker())
    add(scene, bpy.data.lights.new("Sun", "SUN"), "Sun", (0, 0, 5), (0.5, 0.3, 0))
    camera = bpy.data.cameras.new("Camera")
    scene.camera = add(scene, camera, "Camera", (0, -6, 3), (math.radians(70), 0, 0))
    if KIND in {"moving", "camera"}:
        terrain()
    if KIND == "camera":
        keyed(scene.camera, "location", 0, 3)
    else:
        keyed(monkey(2), "rotation_euler", 2, 8 * math.pi)
    scene.frame_start, scene.frame_end = 1, LAST
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = 1 if KIND == "tiny" else 4
    scene.cycles.use_denoising = False
    scene.cycles.use_adaptive_sampling = False
    small = KIND == "tiny"
    scene.render.resolution_x = 160 if small else 320
    scene.render.resolution_y = 90 if small else 180
    scene.render.resolution_percentage = 100
    bpy.ops.wm.save_as_mainfile(filepath=FILE, compress=small or KIND == "light")


main()
