# SPDX-License-Identifier: Apache-2.0
"""Run inside Blender: makes a .blend for each thing that frameq doctor must
find, and one that is well.

    blender -b --factory-startup -noaudio --python-exit-code 3 \
        -P ill_scenes.py -- FOLDER
"""
import os
import sys

import bpy

FOLDER = os.path.abspath(sys.argv[sys.argv.index("--") + 1])


class Engine(bpy.types.RenderEngine):
    bl_idname = "LUX_OF_OTHERS"
    bl_label = "An add-on's"


def scene_new():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    scene = bpy.context.scene
    bpy.ops.mesh.primitive_plane_add()
    bpy.ops.object.camera_add(location=(0, 0, 5))
    scene.camera = bpy.context.object
    scene.render.engine = "CYCLES"
    return scene


def plane():
    return bpy.data.objects["Plane"]


def at(name):
    return os.path.join(FOLDER, name)


def save(name):
    bpy.ops.wm.save_as_mainfile(filepath=at(name + ".blend"))


def paint(path, relative):
    """A picture at path on the plane."""
    image = bpy.data.images.new("made", 4, 4)
    image.filepath_raw = path
    image.file_format = "PNG"
    image.save()
    bpy.data.images.remove(image)
    material = bpy.data.materials.new("Wood")
    material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(path)
    if relative:
        node.image.filepath = "//" + os.path.basename(path)
    plane().data.materials.append(material)


def well():
    scene_new()
    paint(at("there.png"), True)


def texture():
    scene_new()
    paint(at("wood.png"), True)
    os.remove(at("wood.png"))


def library():
    scene_new()
    plane().name = "Chair"
    save("lib")
    scene = scene_new()
    with bpy.data.libraries.load(at("lib.blend"), link=True) as (_, into):
        into.objects = ["Chair"]
    scene.collection.objects.link(into.objects[0])
    bpy.data.libraries[0].filepath = "//lib.blend"
    os.remove(at("lib.blend"))


def absolute():
    scene_new()
    save("absolute")  # the first save makes paths relative
    paint(at("green.png"), False)


def camera():
    scene_new().camera = None


def cloth():
    scene_new()
    plane().modifiers.new("Cloth", "CLOTH")


def movie():
    scene_new().render.image_settings.file_format = "FFMPEG"


def engine():
    bpy.utils.register_class(Engine)
    scene_new().render.engine = Engine.bl_idname


def driver():
    scene_new()
    made = plane().driver_add("location", 0).driver
    made.type = "SCRIPTED"
    made.expression = "__import__('math').sin(frame)"


for make in (well, texture, library, absolute, camera, cloth, movie, driver,
             engine):
    make()
    save(make.__name__)
