# SPDX-License-Identifier: Apache-2.0
"""Made by Blender: a project whose .blend needs files all around it.

FOLDER/project/shots/shot.blend  a plane before the camera, half red by
    //../tex/red.png, half green by FOLDER/elsewhere/green.png, an absolute
    path; a cube linked from //../lib/chair.blend, which has a picture of its
    own, //own/blue.png. With the word "baked": and a cloth that drifts from
    frame 1 to 20 as a cache beside the .blend says; without it, it would fall
    out of the picture's depth and not be seen to move."""

import os
import sys

import bpy

FOLDER, *WORDS = sys.argv[sys.argv.index("--") + 1:]
PROJECT = os.path.join(FOLDER, "project")


def at(*parts):
    path = os.path.join(FOLDER, *parts)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def picture(path, colour):
    image = bpy.data.images.new("made", 4, 4)
    image.pixels[:] = [*colour, 1.0] * 16
    image.filepath_raw = path
    image.file_format = "PNG"
    image.save()
    bpy.data.images.remove(image)


def material(name, path):
    """Shines in the colours of a picture, whatever the light."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    tree = made.node_tree
    tree.nodes.clear()
    image = tree.nodes.new("ShaderNodeTexImage")
    image.image = bpy.data.images.load(path)
    shine = tree.nodes.new("ShaderNodeEmission")
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(image.outputs[0], shine.inputs[0])
    tree.links.new(shine.outputs[0], output.inputs[0])
    return made


def save(path):
    bpy.ops.wm.save_as_mainfile(filepath=path, check_existing=False)


def plane(place, made):
    bpy.ops.mesh.primitive_plane_add(size=2, location=place)
    bpy.context.object.data.materials.append(made)
    return bpy.context.object


def chair():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    picture(at("project", "lib", "own", "blue.png"), (0, 0, 1))
    path = at("project", "lib", "chair.blend")
    made = plane((0, 2, 0), material("Blue", at("project", "lib", "own",
                                                "blue.png")))
    made.name = "Chair"
    save(path)
    for image in bpy.data.images:
        image.filepath = bpy.path.relpath(image.filepath)
    save(path)


def cloth(scene):
    scene.frame_end = 20
    made = bpy.data.materials.new("White")
    made.use_nodes = True
    made.node_tree.nodes.clear()
    shine = made.node_tree.nodes.new("ShaderNodeEmission")
    output = made.node_tree.nodes.new("ShaderNodeOutputMaterial")
    made.node_tree.links.new(shine.outputs[0], output.inputs[0])
    modifier = plane((-2, -3, 1), made).modifiers.new("Cloth", "CLOTH")
    cache = modifier.point_cache
    cache.use_disk_cache = True
    cache.frame_start, cache.frame_end = 1, 20
    scene.gravity = (9, 0, 0)
    with bpy.context.temp_override(scene=scene, point_cache=cache):
        bpy.ops.ptcache.bake(bake=True)
    scene.gravity = (0, 0, -9)


def shot():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    picture(at("project", "tex", "red.png"), (1, 0, 0))
    picture(at("elsewhere", "green.png"), (0, 1, 0))
    path = at("project", "shots", "shot.blend")
    save(path)
    scene = bpy.context.scene
    plane((-1, 0, 0), material("Red", at("project", "tex", "red.png")))
    plane((1, 0, 0), material("Green", at("elsewhere", "green.png")))
    with bpy.data.libraries.load(at("project", "lib", "chair.blend"),
                                 link=True) as (_, into):
        into.objects = ["Chair"]
    scene.collection.objects.link(into.objects[0])
    for image in bpy.data.images:
        if "red" in image.filepath:
            image.filepath = bpy.path.relpath(image.filepath)
    bpy.data.libraries[0].filepath = bpy.path.relpath(
        bpy.data.libraries[0].filepath)
    bpy.ops.object.camera_add(location=(0, 0, 5))
    scene.camera = bpy.context.object
    scene.camera.data.type = "ORTHO"
    scene.camera.data.ortho_scale = 8
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x = scene.render.resolution_y = 64
    scene.render.image_settings.file_format = "PNG"
    scene.frame_end = 4
    save(path)
    if "baked" in WORDS:
        cloth(scene)
        save(path)


chair()
shot()
