# SPDX-License-Identifier: Apache-2.0
"""Makes the sample scene, a small island with a windmill and a balloon:

    blender -b --factory-startup -noaudio --python-exit-code 3 \
        -P make_scene.py -- OUT.blend

240 frames that loop, Cycles on the CPU, 320x180, a few tenths of a second a
frame. It needs no file beside it: its one picture is painted here and packed.
There is no noise to take away, for what light the sky would give in the shade
is part of the materials, so a few samples are enough.
"""
import math
import os
import random
import sys

import bmesh
import bpy
from mathutils import Matrix, Vector

FRAMES = 240
SHADE = 0.34  # how much of its colour a surface shows in full shade


def target():
    return os.path.abspath(sys.argv[sys.argv.index("--") + 1])


# -- Materials ----------------------------------------------------------------


def linear(colour):
    """sRGB as "#rrggbb" to what Blender reckons with."""
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    return [((c + 0.055) / 1.055) ** 2.4 if c > 0.04 else c / 12.92
            for c in parts] + [1]


def material(name, colour, shade="#44507a", gloss=0.0):
    """A matt colour, tinted in the shade; gloss adds a clear coat."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    nodes.clear()
    sunny = nodes.new("ShaderNodeBsdfDiffuse")
    sunny.inputs["Color"].default_value = linear(colour)
    dim = nodes.new("ShaderNodeEmission")
    mixed = [a * 0.7 + b * 0.3 for a, b in zip(linear(colour), linear(shade))]
    dim.inputs["Color"].default_value = mixed
    dim.inputs["Strength"].default_value = SHADE
    both = nodes.new("ShaderNodeAddShader")
    links.new(sunny.outputs[0], both.inputs[0])
    links.new(dim.outputs[0], both.inputs[1])
    last = both
    if gloss:
        coat = nodes.new("ShaderNodeBsdfGlossy")
        coat.inputs["Roughness"].default_value = 0.08
        last = nodes.new("ShaderNodeMixShader")
        last.inputs[0].default_value = gloss
        links.new(both.outputs[0], last.inputs[1])
        links.new(coat.outputs[0], last.inputs[2])
    out = nodes.new("ShaderNodeOutputMaterial")
    links.new(last.outputs[0], out.inputs[0])
    return made


def stripes_paint():
    """The balloon's cloth: gores in three colours, a band around."""
    width, height = 192, 96
    colours = [linear(c)[:3] for c in ("#e4572e", "#f3a712", "#f7ede2")]
    band = linear("#2e4a7d")[:3]
    pixels = []
    for y in range(height):
        for x in range(width):
            gore = colours[x * 12 // width % 3]
            wave = 0.36 + 0.03 * math.sin(x * 12 / width * 2 * math.pi)
            inside = wave < y / height < wave + 0.09
            pixels += [*(band if inside else gore), 1]
    image = bpy.data.images.new("stripes", width, height)
    image.colorspace_settings.name = "Non-Color"  # as reckoned here
    image.pixels = pixels
    image.pack()
    return image


def cloth(image):
    made = material("cloth", "#ffffff")
    nodes, links = made.node_tree.nodes, made.node_tree.links
    picture = nodes.new("ShaderNodeTexImage")
    picture.image = image
    for node in nodes:
        if node.type in {"BSDF_DIFFUSE", "EMISSION"}:
            links.new(picture.outputs["Color"], node.inputs["Color"])
    return made


# -- Shapes -------------------------------------------------------------------


def thing(name, mesh, skin, parent=None, at=(0, 0, 0), smooth=False):
    made = bpy.data.meshes.new(name)
    mesh.to_mesh(made)
    mesh.free()
    made.materials.append(skin)
    for face in made.polygons:
        face.use_smooth = smooth
    item = bpy.data.objects.new(name, made)
    item.location = at
    item.parent = parent
    bpy.context.scene.collection.objects.link(item)
    return item


def empty(name, parent=None, at=(0, 0, 0)):
    item = bpy.data.objects.new(name, None)
    item.location = at
    item.parent = parent
    bpy.context.scene.collection.objects.link(item)
    return item


def cone(low, high, depth, sides=8, z=0.0):
    """Stands on z."""
    mesh = bmesh.new()
    bmesh.ops.create_cone(mesh, cap_ends=True, segments=sides, radius1=low,
                          radius2=high, depth=depth,
                          matrix=Matrix.Translation((0, 0, z + depth / 2)))
    return mesh


def box(x, y, z, at=(0, 0, 0)):
    mesh = bmesh.new()
    bmesh.ops.create_cube(mesh, size=1, matrix=Matrix.Translation(at) @
                          Matrix.Diagonal((x, y, z, 1)))
    return mesh


def ball(radius, detail=2, squash=1.0):
    mesh = bmesh.new()
    bmesh.ops.create_icosphere(mesh, subdivisions=detail, radius=radius,
                               matrix=Matrix.Diagonal((1, 1, squash, 1)))
    return mesh


def roughen(mesh, amount, dice):
    for vertex in mesh.verts:
        vertex.co += Vector([dice.uniform(-amount, amount) for _ in range(3)])
    return mesh


# -- The island ---------------------------------------------------------------


def ground_height(x, y):
    far = math.hypot(x, y) / 3
    hill = 0.75 * math.exp(-((x + 0.9) ** 2 + (y - 0.6) ** 2) / 0.9)
    return hill + 0.12 * (1 - far ** 2)


def island_make(dice):
    rock = material("rock", "#8a6a5c", shade="#3d3a66")
    grass = material("grass", "#8cbf4b")
    sand = material("sand", "#ecd39b")
    under = roughen(cone(0.25, 3.05, 2.5, sides=18, z=-2.75), 0.12, dice)
    bmesh.ops.subdivide_edges(under, edges=under.edges[:], cuts=2)
    roughen(under, 0.1, dice)
    bmesh.ops.triangulate(under, faces=under.faces[:])
    thing("rock", under, rock)
    thing("sand", cone(3.0, 3.12, 0.28, sides=28, z=-0.3), sand)
    top = bmesh.new()
    bmesh.ops.create_grid(top, x_segments=22, y_segments=22, size=3)
    outside = [v for v in top.verts if v.co.length > 2.85]
    bmesh.ops.delete(top, geom=outside, context="VERTS")
    for vertex in top.verts:
        vertex.co.x += dice.uniform(-0.06, 0.06)
        vertex.co.y += dice.uniform(-0.06, 0.06)
        vertex.co.z = ground_height(vertex.co.x, vertex.co.y)
    bmesh.ops.triangulate(top, faces=top.faces[:])
    thing("grass", top, grass)


def tree_make(at, size, skins, trunk):
    height = ground_height(*at)
    root = empty("tree", at=(*at, height - 0.03))
    root.scale = (size, size, size)
    thing("trunk", cone(0.07, 0.05, 0.3, sides=6), trunk, root)
    for i, skin in enumerate(skins):
        thing("leaves", cone(0.36 - 0.09 * i, 0.05 if i == 2 else 0.1, 0.42,
                             sides=7, z=0.2 + 0.26 * i), skin, root)
    root.rotation_euler.z = at[0] * 9


def trees_make(dice):
    trunk = material("trunk", "#7a4e34")
    greens = [material("fir%d" % i, c)
              for i, c in enumerate(("#2f7d59", "#3f9463", "#57ab6b"))]
    autumn = [material("oak%d" % i, c)
              for i, c in enumerate(("#d9772b", "#e68f35", "#f0a848"))]
    spots = [(-2.05, -0.35), (-1.7, -1.0), (-2.2, 0.85), (-1.55, 1.75),
             (-0.6, 2.1), (0.35, 2.2), (1.25, 1.75), (1.95, 1.2),
             (2.25, 0.25), (-0.95, -1.85), (-0.35, -2.2), (0.2, 1.5)]
    for i, spot in enumerate(spots):
        tree_make(spot, dice.uniform(0.8, 1.35),
                  autumn if i % 5 == 3 else greens, trunk)


def pond_make():
    water = material("water", "#3aa0c8", gloss=0.35)
    shore = material("shore", "#d8c38c")
    at = (0.95, -1.05)
    thing("shore", cone(0.98, 0.9, 0.12, sides=14), shore,
          at=(*at, ground_height(*at) - 0.02))
    thing("water", cone(0.8, 0.8, 0.02, sides=14), water,
          at=(*at, ground_height(*at) + 0.095))


def windmill_make():
    wall = material("wall", "#f4ead8")
    roof = material("roof", "#c8453b")
    wood = material("wood", "#70452d")
    at = (-0.9, 0.6)
    mill = empty("windmill", at=(*at, ground_height(*at) - 0.1))
    mill.rotation_euler.z = math.radians(-28)
    thing("tower", cone(0.46, 0.3, 1.35, sides=10), wall, mill)
    thing("roof", cone(0.42, 0.0, 0.5, sides=10, z=1.33), roof, mill)
    thing("door", box(0.2, 0.06, 0.36, (0, -0.42, 0.2)), wood, mill)
    thing("window", box(0.13, 0.06, 0.16, (0, -0.345, 0.86)), wood, mill)
    sails = empty("sails", mill, (0, -0.5, 1.32))
    thing("hub", ball(0.08), wood, sails)
    thing("axle", box(0.05, 0.3, 0.05, (0, 0.15, 0)), wood, sails)
    sail = material("sail", "#fff6e2")
    for i in range(4):
        arm = empty("arm", sails)
        arm.rotation_euler.y = i * math.pi / 2
        thing("spar", box(0.045, 0.035, 1.05, (0, 0, 0.52)), wood, arm)
        thing("sail", box(0.2, 0.015, 0.72, (0.12, 0.0, 0.64)), sail, arm)
    spin(sails, "y", 3)


def balloon_make():
    around = empty("balloon path", at=(0, 0, 1.55))
    balloon = empty("balloon", around, (2.6, -0.9, 0.4))
    basket = material("basket", "#9a6236")
    mesh = bmesh.new()
    mesh.loops.layers.uv.new()
    bmesh.ops.create_uvsphere(mesh, u_segments=36, v_segments=18, radius=0.62,
                              calc_uvs=True)
    for vertex in mesh.verts:
        if vertex.co.z < 0:  # drawn together below
            share = -vertex.co.z / 0.62
            vertex.co.x *= 1 - 0.42 * share ** 2
            vertex.co.y *= 1 - 0.42 * share ** 2
            vertex.co.z *= 1.32
    thing("cloth", mesh, cloth(stripes_paint()), balloon, smooth=True)
    thing("basket", box(0.22, 0.22, 0.17, (0, 0, -1.14)), basket, balloon)
    for x in (-0.1, 0.1):
        for y in (-0.1, 0.1):
            thing("rope", box(0.012, 0.012, 0.4, (x, y, -0.9)), basket, balloon)
    spin(around, "z", 1)
    sway(balloon, "z", 0.16, 2)


def clouds_make(dice):
    white = material("cloud", "#ffffff", shade="#b7a9d6")
    around = empty("clouds")
    for turn, height, size in ((0.4, 3.5, 0.62), (1.5, -1.5, 0.5),
                               (2.55, 3.8, 0.7), (3.7, 3.3, 0.5),
                               (4.7, -1.9, 0.62), (5.5, 3.7, 0.52)):
        spot = (4.7 * math.cos(turn), 4.7 * math.sin(turn), height)
        cloud = empty("cloud", around, spot)
        cloud.rotation_euler.z = turn + math.pi / 2
        for x in (-0.75, -0.2, 0.42, 0.95):
            puff = size * (1 - 0.4 * abs(x - 0.1)) * dice.uniform(0.85, 1.1)
            thing("puff", ball(puff, 2, 0.72), white, cloud,
                  (x * size * 1.7, 0, puff * 0.3), smooth=True)
    spin(around, "z", -1)


# -- Motion -------------------------------------------------------------------


def keys_set(item, path, index, keys, kind):
    for frame, value in keys:
        values = getattr(item, path)
        values[index] = value
        item.keyframe_insert(path, index=index, frame=frame)
    curve = item.animation_data.action.fcurves.find(path, index=index)
    for point in curve.keyframe_points:
        point.interpolation = kind


def spin(item, axis, turns):
    """Whole turns over the loop."""
    index = "xyz".index(axis)
    keys_set(item, "rotation_euler", index,
             [(1, 0), (FRAMES + 1, turns * 2 * math.pi)], "LINEAR")


def sway(item, axis, much, times):
    index = "xyz".index(axis)
    middle = item.location[index]
    steps = 2 * times
    keys = [(1 + FRAMES * i / steps, middle + much * (1 if i % 2 else -1))
            for i in range(steps + 1)]
    keys_set(item, "location", index, keys, "SINE")


# -- Light, camera, settings --------------------------------------------------


def light_make():
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy = 3.3
    sun.angle = math.radians(1.2)
    sun.color = linear("#ffe9c4")[:3]
    item = bpy.data.objects.new("sun", sun)
    item.rotation_euler = (math.radians(50), 0, math.radians(38))
    bpy.context.scene.collection.objects.link(item)
    middle = item.rotation_euler.z
    keys_set(item, "rotation_euler", 2,
             [(1, middle - 0.45), (1 + FRAMES / 2, middle + 0.45),
              (FRAMES + 1, middle - 0.45)], "SINE")


def sky_make():
    """Seen behind everything; lights nothing but what mirrors it."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    place = nodes.new("ShaderNodeTexCoord")
    split = nodes.new("ShaderNodeSeparateXYZ")
    ramp = nodes.new("ShaderNodeValToRGB")
    links.new(place.outputs["Window"], split.inputs[0])
    links.new(split.outputs["Y"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], nodes["Background"].inputs["Color"])
    stops = ramp.color_ramp.elements
    stops[0].color = linear("#fbd9b5")
    stops[1].color = linear("#5fa3d9")
    stops.new(0.42).color = linear("#f5cfc4")
    world.cycles_visibility.diffuse = False
    world.cycles.sampling_method = "NONE"  # its map would take two seconds


def camera_make():
    pivot = empty("view", at=(0, 0, 0.42))
    data = bpy.data.cameras.new("camera")
    data.lens = 44
    camera = bpy.data.objects.new("camera", data)
    camera.location = (0, -11.6, 4.4)
    camera.rotation_euler = (math.radians(70), 0, 0)
    camera.parent = pivot
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    keys_set(pivot, "rotation_euler", 2,
             [(1, -0.3), (1 + FRAMES / 2, 0.3), (FRAMES + 1, -0.3)], "SINE")


def settings_set(scene):
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = 10
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_denoising = False
    scene.cycles.max_bounces = 2
    scene.cycles.diffuse_bounces = 0
    scene.cycles.glossy_bounces = 1
    scene.render.resolution_x = 320
    scene.render.resolution_y = 180
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.fps = 24
    scene.view_settings.view_transform = "Standard"
    scene.frame_start, scene.frame_end = 1, FRAMES


def main():
    out = target()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    dice = random.Random(7)
    island_make(dice)
    trees_make(dice)
    pond_make()
    windmill_make()
    balloon_make()
    clouds_make(dice)
    light_make()
    sky_make()
    camera_make()
    settings_set(bpy.context.scene)
    bpy.ops.wm.save_as_mainfile(filepath=out, compress=True)


main()
