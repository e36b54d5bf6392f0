# SPDX-License-Identifier: Apache-2.0
"""Run inside Blender: makes a .blend for each trap a node must notice, and
one without any. Cycles, 64x36, one sample.

    blender -b --factory-startup -noaudio --python-exit-code 3 -P scenes.py \
        -- FOLDER
"""
import os
import sys

import bpy

FOLDER = os.path.abspath(sys.argv[sys.argv.index("--") + 1])


def scene_new():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    scene = bpy.context.scene
    bpy.ops.mesh.primitive_cube_add()
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location = (0, -6, 3)
    camera.rotation_euler = (1.1, 0, 0)
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    scene.collection.objects.link(camera)
    scene.collection.objects.link(sun)
    scene.camera = camera
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.cycles.use_adaptive_sampling = False
    scene.render.resolution_x = 64
    scene.render.resolution_y = 36
    scene.render.resolution_percentage = 100
    return scene


def save(name):
    bpy.ops.wm.save_as_mainfile(filepath=os.path.join(FOLDER, name + ".blend"))


def plain():
    scene = scene_new()
    other = bpy.data.objects.new("Other", scene.camera.data.copy())
    other.location = (0, 6, 3)
    scene.collection.objects.link(other)
    scene.view_layers.new("Second")
    bpy.data.scenes.new("Empty")


def slow():
    """Seconds a frame, none of them silent."""
    scene = scene_new()
    scene.cycles.samples = 4096
    scene.render.resolution_x = 640
    scene.render.resolution_y = 360


def noisy():
    """A picture of well over a megabyte that cannot be packed."""
    scene = scene_new()
    scene.render.resolution_x = 1000
    scene.render.resolution_y = 600
    scene.world = bpy.data.worlds.new("World")
    scene.world.use_nodes = True
    tree = scene.world.node_tree
    place = tree.nodes.new("ShaderNodeTexCoord")
    noise = tree.nodes.new("ShaderNodeTexWhiteNoise")
    tree.links.new(place.outputs["Window"], noise.inputs["Vector"])
    tree.links.new(noise.outputs["Color"], tree.nodes["Background"].inputs[0])


def no_camera():
    scene_new().camera = None


def movie():
    scene_new().render.image_settings.file_format = "FFMPEG"


def no_overwrite():
    scene = scene_new()
    scene.render.use_overwrite = False
    scene.render.use_placeholder = True


def stereo():
    scene = scene_new()
    scene.render.use_multiview = True
    scene.render.image_settings.file_format = "OPEN_EXR"


def script():
    scene_new()
    driver = bpy.data.objects["Cube"].driver_add("location", 0).driver
    driver.type = "SCRIPTED"
    driver.expression = "__import__('math').sin(frame)"


def script_hidden():
    """A driver that only a render asks for."""
    scene_new()
    bpy.ops.mesh.primitive_cube_add(location=(2, 0, 0))
    cube = bpy.context.object
    cube.hide_viewport = True
    driver = cube.driver_add("location", 0).driver
    driver.type = "SCRIPTED"
    driver.expression = "__import__('math').sin(frame)"


def hang():
    """A script that sleeps when it is allowed to run."""
    scene_new()
    driver = bpy.data.objects["Cube"].driver_add("location", 0).driver
    driver.type = "SCRIPTED"
    driver.expression = (
        "(__import__('time').sleep(1000) or 0) if frame > 1 else 0"
    )


def child():
    """A script that leaves a process of its own behind."""
    scene_new()
    driver = bpy.data.objects["Cube"].driver_add("location", 0).driver
    driver.type = "SCRIPTED"
    driver.expression = (
        "__import__('subprocess').Popen(['sleep', '987'],"
        " start_new_session=True).pid * 0"
    )


def crash():
    """A script that ends Blender the hard way at frame 3."""
    scene_new()
    driver = bpy.data.objects["Cube"].driver_add("location", 0).driver
    driver.type = "SCRIPTED"
    driver.expression = (
        "__import__('os').kill(__import__('os').getpid(), 11) if frame == 3 else 0"
    )


def texture():
    scene_new()
    path = os.path.join(FOLDER, "wood.png")
    image = bpy.data.images.new("made", 4, 4)
    image.filepath_raw = path
    image.file_format = "PNG"
    image.save()
    bpy.data.images.remove(image)
    material = bpy.data.materials.new("Wood")
    material.use_nodes = True
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(path)
    tree.links.new(node.outputs[0], tree.nodes["Principled BSDF"].inputs[0])
    bpy.data.objects["Cube"].data.materials.append(material)
    os.remove(path)


def library():
    scene_new()
    bpy.data.objects["Cube"].name = "Chair"


def link(block, name):
    path = os.path.join(FOLDER, "library.blend")
    scene = scene_new()
    with bpy.data.libraries.load(path, link=True) as (_, into):
        into.objects = [block]
    scene.collection.objects.link(into.objects[0])
    save(name)


def links():
    """One .blend whose library is gone, one whose library lacks the thing."""
    path = os.path.join(FOLDER, "library.blend")
    link("Chair", "library_gone")
    link("Chair", "library_poor")
    os.rename(path, os.path.join(FOLDER, "poor.blend"))
    bpy.ops.wm.open_mainfile(filepath=os.path.join(FOLDER, "library_poor.blend"))
    bpy.data.libraries[0].filepath = "//poor.blend"
    save("library_poor")
    bpy.ops.wm.open_mainfile(filepath=os.path.join(FOLDER, "poor.blend"))
    bpy.data.objects.remove(bpy.data.objects["Chair"])
    save("poor")


def outputs():
    """File Output nodes that would write all over the place."""
    scene = scene_new()
    scene.use_nodes = True
    tree = scene.node_tree
    layers = tree.nodes["Render Layers"]
    slots = tree.nodes.new("CompositorNodeOutputFile")
    slots.base_path = "/tmp/frameq-nowhere"
    slots.file_slots.new("../../Second")
    slots.file_slots.new("unlinked")
    tree.links.new(layers.outputs["Image"], slots.inputs[0])
    tree.links.new(layers.outputs["Alpha"], slots.inputs[1])
    passes = tree.nodes.new("CompositorNodeOutputFile")
    passes.name = "Passes"
    passes.format.file_format = "OPEN_EXR_MULTILAYER"
    passes.base_path = "/tmp/frameq-nowhere/pass"
    tree.links.new(layers.outputs["Image"], passes.inputs[0])


def main():
    for make in (plain, slow, noisy, no_camera, movie, no_overwrite, stereo, script,
                 script_hidden, hang, child, crash, texture, library, outputs):
        make()
        save(make.__name__)
    links()


main()
