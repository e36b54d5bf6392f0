# SPDX-License-Identifier: Apache-2.0
"""Runs in Blender: submits its scene by the add-on, follows the job, and
fetches the pictures. The add-on is installed from its zip, as people do.

    blender -b --factory-startup --python-exit-code 3 -P addon.py \
        -- ADDON.zip FOLDER

FRAMEQ_BROKER names the broker, whose farm must take uploaded scenes and keep
results; system/test_480_addon.py starts one. FOLDER is empty and gets the
scene and its frames; BLENDER_USER_SCRIPTS must name a folder for add-ons."""

import os
import sys

import bpy

ZIP, FOLDER = sys.argv[sys.argv.index("--") + 1:][:2]
BLEND = os.path.join(FOLDER, "shots", "shot.blend")
TEXTURE = os.path.join(FOLDER, "tex", "red.png")


def paint(path, colour):
    image = bpy.data.images.new("red", 8, 8)
    image.pixels = colour * 64
    image.filepath_raw, image.file_format = path, "PNG"
    image.save()
    bpy.data.images.remove(image)


def glow(path):
    """A material that shows the picture, without light."""
    material = bpy.data.materials.new("Glow")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = bpy.data.images.load(path)
    light = tree.nodes.new("ShaderNodeEmission")
    out = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(texture.outputs["Color"], light.inputs["Color"])
    tree.links.new(light.outputs["Emission"], out.inputs["Surface"])
    return material


def make_scene():
    """A red plane that fills the picture; saved without a camera."""
    os.makedirs(os.path.dirname(BLEND))
    os.makedirs(os.path.dirname(TEXTURE))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    paint(TEXTURE, [1, 0, 0, 1])
    bpy.context.preferences.filepaths.save_version = 0
    scene = bpy.context.scene
    bpy.ops.mesh.primitive_plane_add(size=50)
    bpy.context.object.data.materials.append(glow(TEXTURE))
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x, scene.render.resolution_y = 64, 36
    scene.render.image_settings.file_format = "PNG"
    scene.frame_start, scene.frame_end = 1, 3
    bpy.ops.wm.save_as_mainfile(filepath=BLEND)
    bpy.ops.file.make_paths_relative()
    bpy.ops.wm.save_mainfile()
    return scene


def refused(operator, word):
    """It must fail, and say so in a text with that word."""
    try:
        operator()
    except RuntimeError as error:
        assert word in str(error), (word, str(error))
        return
    raise AssertionError(f"{operator} went through; expected `{word}`")


def check_refusals(scene):
    refused(bpy.ops.frameq.submit, "no camera")
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location.z = 5
    scene.collection.objects.link(camera)
    scene.camera = camera
    plane = bpy.data.objects["Plane"]
    plane.modifiers.new("Cloth", "CLOTH")
    refused(bpy.ops.frameq.submit, "Cloth of Plane")
    plane.modifiers.clear()
    scene.frameq.linked = False
    assert scene.frameq.frames() == (1, 3, 1), scene.frameq.frames()
    scene.frameq.first = 9
    refused(bpy.ops.frameq.submit, "after the last")


def check_frames(scene):
    folder = os.path.join(FOLDER, "shots", "frames")
    names = sorted(os.listdir(folder))
    assert names == ["shot_0001.png", "shot_0003.png"], names
    for name in names:
        image = bpy.data.images.load(os.path.join(folder, name))
        middle = 4 * (64 * 18 + 32)
        assert [round(v) for v in image.pixels[middle:middle + 3]] == [1, 0, 0]


def main():
    bpy.ops.preferences.addon_install(filepath=ZIP)
    bpy.ops.preferences.addon_enable(module="frameq")
    scene = make_scene()
    saved = open(BLEND, "rb").read()
    check_refusals(scene)
    scene.frameq.first, scene.frameq.last, scene.frameq.step = 1, 3, 2
    bpy.ops.frameq.submit()
    assert scene.frameq.job
    bpy.ops.frameq.follow()
    bpy.ops.frameq.fetch()
    check_frames(scene)
    assert open(BLEND, "rb").read() == saved, "the person's file was written"
    left = sorted(os.listdir(os.path.dirname(BLEND)))
    assert left == ["frames", "shot.blend"], left
    bpy.ops.preferences.addon_disable(module="frameq")
    print("ADDON WORKS")


main()
