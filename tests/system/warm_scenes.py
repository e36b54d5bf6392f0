# SPDX-License-Identifier: Apache-2.0
"""Run inside Blender: makes a .blend for every few features that might remember
the frame before, each on a Thing of its own. Cycles, 64x36, one sample, frames
1 to 8.

    blender -b --factory-startup -noaudio --python-exit-code 3 \
        -P warm_scenes.py -- FOLDER
"""
import math
import os
import sys

import bpy

FOLDER = os.path.abspath(sys.argv[sys.argv.index("--") + 1])
LAST = 8
PLACES = (0, -1.6, 1.6, -3.2)  # of each Thing, left to right


def scene_new():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0
    scene = bpy.context.scene
    thing_add(PLACES[0])
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location = (0, -6, 3)
    camera.rotation_euler = (1.1, 0, 0)
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    scene.collection.objects.link(camera)
    scene.collection.objects.link(sun)
    scene.camera = camera
    scene.frame_start, scene.frame_end = 1, LAST
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.cycles.use_adaptive_sampling = False
    scene.render.resolution_x = 64
    scene.render.resolution_y = 36
    scene.render.resolution_percentage = 100
    return scene


def thing_add(place):
    """The next feature's; the one before keeps what it has."""
    if "Thing" in bpy.data.objects:
        thing().name = "Before"
    bpy.ops.mesh.primitive_monkey_add(location=(place, 0, 0))
    bpy.context.object.name = "Thing"


def thing():
    return bpy.data.objects["Thing"]


def keyed(block, path, first, last, index=-1):
    """The property goes from first to last over the frames."""
    for frame, value in ((1, first), (LAST, last)):
        if index < 0:
            setattr(block, path, value)
        else:
            getattr(block, path)[index] = value
        block.keyframe_insert(path, index=index, frame=frame)


def turning():
    keyed(thing(), "rotation_euler", 0, 3, 2)


def save(name):
    path = os.path.join(FOLDER, name + ".blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, relative_remap=False)


def material_new():
    material = bpy.data.materials.new("Paint")
    material.use_nodes = True
    thing().data.materials.append(material)
    return material, material.node_tree.nodes["Principled BSDF"]


def w_plain(scene):
    turning()


def w_camera(scene):
    keyed(scene.camera, "location", -2, 2, 0)


def w_motion_blur(scene):
    turning()
    scene.render.use_motion_blur = True
    thing().modifiers.new("Wave", "WAVE")


def w_driver(scene):
    curve = thing().driver_add("location", 0).driver
    curve.type = "SCRIPTED"
    curve.expression = "sin(frame / 3)"


def w_driver_variable(scene):
    driver = thing().driver_add("location", 2).driver
    driver.type = "SCRIPTED"
    driver.expression = "turn / 3"
    variable = driver.variables.new()
    variable.name = "turn"
    variable.targets[0].id = bpy.data.objects["Sun"]
    variable.targets[0].data_path = "location[2]"
    keyed(bpy.data.objects["Sun"], "location", 0, 3, 2)


def w_material(scene):
    _, shader = material_new()
    for frame, colour in ((1, (1, 0, 0, 1)), (LAST, (0, 0, 1, 1))):
        shader.inputs[0].default_value = colour
        shader.inputs[0].keyframe_insert("default_value", frame=frame)


def w_visibility(scene):
    turning()
    bpy.ops.mesh.primitive_cube_add(location=(2, 0, 0))
    for frame in range(1, LAST + 1):
        bpy.context.object.hide_render = frame % 3 == 0
        bpy.context.object.keyframe_insert("hide_render", frame=frame)


def w_wave(scene):
    thing().modifiers.new("Wave", "WAVE")


def w_build(scene):
    build = thing().modifiers.new("Build", "BUILD")
    build.frame_duration = LAST
    build.use_random_order = True


def w_subsurf_levels(scene):
    subsurf = thing().modifiers.new("Subsurf", "SUBSURF")
    keyed(subsurf, "render_levels", 0, 2)


def w_shape_keys(scene):
    thing().shape_key_add(name="Basis")
    key = thing().shape_key_add(name="Big")
    for point in key.data:
        point.co *= 1.5
    keyed(key, "value", 0.0, 1.0)


def w_armature(scene):
    bpy.ops.object.armature_add()
    rig = bpy.context.object
    thing().modifiers.new("Armature", "ARMATURE").object = rig
    group = thing().vertex_groups.new(name="Bone")
    group.add(range(len(thing().data.vertices)), 1.0, "ADD")
    bone = rig.pose.bones[0]
    bone.rotation_mode = "XYZ"
    keyed(bone, "rotation_euler", 0, 1.5, 0)


def w_markers(scene):
    turning()
    other = bpy.data.objects.new("Other", scene.camera.data.copy())
    other.location = (0, -4, 0)
    other.rotation_euler = (math.pi / 2, 0, 0)
    scene.collection.objects.link(other)
    scene.timeline_markers.new("a", frame=1).camera = scene.camera
    scene.timeline_markers.new("b", frame=4).camera = other
    scene.timeline_markers.new("c", frame=7).camera = scene.camera


def w_world(scene):
    scene.world = bpy.data.worlds.new("World")
    scene.world.use_nodes = True
    ground = scene.world.node_tree.nodes["Background"]
    for frame, strength in ((1, 0.0), (LAST, 2.0)):
        ground.inputs[1].default_value = strength
        ground.inputs[1].keyframe_insert("default_value", frame=frame)


def w_light(scene):
    keyed(bpy.data.lights["Sun"], "energy", 0.0, 5.0)


def w_lens(scene):
    keyed(scene.camera.data, "lens", 20.0, 80.0)
    scene.camera.data.dof.use_dof = True
    keyed(scene.camera.data.dof, "focus_distance", 1.0, 9.0)


def w_seed(scene):
    scene.cycles.use_animated_seed = True


def w_instances(scene):
    """How many there are changes with the frame."""
    bpy.ops.mesh.primitive_plane_add(size=4)
    plane = bpy.context.object
    array = plane.modifiers.new("Array", "ARRAY")
    keyed(array, "count", 1, 5)
    thing().parent = plane
    thing().scale = (0.3, 0.3, 0.3)
    plane.instance_type = "FACES"


def w_volume(scene):
    material, _ = material_new()
    tree = material.node_tree
    volume = tree.nodes.new("ShaderNodeVolumeScatter")
    output = tree.nodes["Material Output"]
    tree.links.remove(output.inputs["Surface"].links[0])
    tree.links.new(volume.outputs[0], output.inputs["Volume"])
    for frame, density in ((1, 0.1), (LAST, 3.0)):
        volume.inputs["Density"].default_value = density
        volume.inputs["Density"].keyframe_insert("default_value", frame=frame)


def w_sequence(scene):
    """A picture of its own for each frame."""
    for frame in range(1, LAST + 1):
        image = bpy.data.images.new("made", 4, 4)
        image.pixels = [frame / LAST, 0.2, 1 - frame / LAST, 1.0] * 16
        image.filepath_raw = os.path.join(FOLDER, "sequence_%04d.png" % frame)
        image.file_format = "PNG"
        image.save()
        bpy.data.images.remove(image)
    material, shader = material_new()
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(os.path.join(FOLDER, "sequence_0001.png"))
    node.image.source = "SEQUENCE"
    node.image.filepath = "//sequence_0001.png"
    node.image_user.frame_duration = LAST
    node.image_user.use_auto_refresh = True
    material.node_tree.links.new(node.outputs[0], shader.inputs[0])


def w_compositor(scene):
    turning()
    scene.use_nodes = True
    tree = scene.node_tree
    tint = tree.nodes.new("CompositorNodeBrightContrast")
    tree.links.new(tree.nodes["Render Layers"].outputs[0], tint.inputs[0])
    tree.links.new(tint.outputs[0], tree.nodes["Composite"].inputs[0])
    for frame, bright in ((1, -20.0), (LAST, 20.0)):
        tint.inputs[1].default_value = bright
        tint.inputs[1].keyframe_insert("default_value", frame=frame)


def w_hair(scene):
    thing().modifiers.new("Hair", "PARTICLE_SYSTEM")
    settings = thing().particle_systems[0].settings
    settings.type = "HAIR"
    settings.count = 200
    turning()


def w_hair_children(scene):
    w_hair(scene)
    settings = thing().particle_systems[0].settings
    settings.child_type = "INTERPOLATED"
    settings.rendered_child_count = 5


def w_hair_camera(scene):
    """The hair stands still."""
    thing().modifiers.new("Hair", "PARTICLE_SYSTEM")
    settings = thing().particle_systems[0].settings
    settings.type = "HAIR"
    settings.count = 200
    keyed(scene.camera, "location", -2, 2, 0)


def w_hair_objects(scene):
    w_hair(scene)
    settings = thing().particle_systems[0].settings
    settings.render_type = "OBJECT"
    bpy.ops.mesh.primitive_cube_add(size=0.5, location=(0, 0, -9))
    settings.instance_object = bpy.context.object


def w_particles_baked(scene):
    w_particles(scene)
    with bpy.context.temp_override(
        scene=scene, point_cache=thing().particle_systems[0].point_cache
    ):
        bpy.ops.ptcache.bake(bake=True)


def w_collection(scene):
    """Instances of a collection, one of which moves."""
    group = bpy.data.collections.new("Group")
    group.objects.link(thing())
    for place in range(3):
        empty = bpy.data.objects.new("Place", None)
        empty.instance_type = "COLLECTION"
        empty.instance_collection = group
        empty.location = (place - 1, 1, 0)
        scene.collection.objects.link(empty)
    keyed(empty, "location", 0, 2, 2)
    turning()


def w_curve(scene):
    bpy.ops.curve.primitive_bezier_circle_add(radius=2)
    curve = bpy.context.object.data
    keyed(curve, "bevel_depth", 0.05, 0.5)
    keyed(bpy.context.object, "rotation_euler", 0, 2, 0)


def w_text(scene):
    bpy.ops.object.text_add(rotation=(1.2, 0, 0))
    keyed(bpy.context.object.data, "extrude", 0.0, 0.6)
    keyed(bpy.context.object.data, "size", 0.5, 2.0)


def w_metaball(scene):
    bpy.ops.object.metaball_add(location=(1, 0, 0))
    bpy.ops.object.metaball_add(location=(-1, 0, 0))
    keyed(bpy.context.object, "location", -2, 2, 0)


def w_emission(scene):
    """A lamp that is a mesh, and one that grows."""
    turning()
    _, shader = material_new()
    shader.inputs["Emission"].default_value = (1, 0.5, 0.1, 1)
    for frame, strength in ((1, 0.0), (LAST, 9.0)):
        shader.inputs["Emission Strength"].default_value = strength
        shader.inputs["Emission Strength"].keyframe_insert(
            "default_value", frame=frame)
    bpy.ops.mesh.primitive_plane_add(size=9, location=(0, 0, -1))
    area = bpy.data.lights.new("Area", "AREA")
    keyed(area, "size", 0.1, 3.0)
    area.energy = 200
    item = bpy.data.objects.new("Area", area)
    item.location = (2, -2, 3)
    scene.collection.objects.link(item)
    keyed(item, "location", -2, 3, 0)


def w_sky(scene):
    scene.world = bpy.data.worlds.new("World")
    scene.world.use_nodes = True
    tree = scene.world.node_tree
    sky = tree.nodes.new("ShaderNodeTexSky")
    tree.links.new(sky.outputs[0], tree.nodes["Background"].inputs[0])
    keyed(sky, "sun_elevation", 0.1, 1.4)


def w_displacement(scene):
    turning()
    material, _ = material_new()
    material.cycles.displacement_method = "DISPLACEMENT"
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeDisplacement")
    noise = tree.nodes.new("ShaderNodeTexNoise")
    tree.links.new(noise.outputs[0], node.inputs["Height"])
    tree.links.new(node.outputs[0], tree.nodes["Material Output"].inputs[2])
    for frame, scale in ((1, 0.1), (LAST, 1.0)):
        node.inputs["Scale"].default_value = scale
        node.inputs["Scale"].keyframe_insert("default_value", frame=frame)


def w_shading(scene):
    """Nodes that look at other objects."""
    turning()
    material, shader = material_new()
    tree = material.node_tree
    shader.inputs["Subsurface"].default_value = 0.5
    shader.inputs["Transmission"].default_value = 0.3
    place = tree.nodes.new("ShaderNodeTexCoord")
    checks = tree.nodes.new("ShaderNodeTexChecker")
    empty = bpy.data.objects.new("Empty", None)
    scene.collection.objects.link(empty)
    place.object = empty
    keyed(empty, "location", 0, 3, 0)
    tree.links.new(place.outputs["Object"], checks.inputs[0])
    tree.links.new(checks.outputs[0], shader.inputs[0])


def w_object_flags(scene):
    turning()
    bpy.ops.mesh.primitive_plane_add(size=9, location=(0, 0, -1))
    plane = bpy.context.object
    for frame in range(1, LAST + 1):
        plane.is_shadow_catcher = frame % 2 == 0
        plane.keyframe_insert("is_shadow_catcher", frame=frame)
        thing().is_holdout = frame % 4 == 0
        thing().keyframe_insert("is_holdout", frame=frame)
        thing().visible_shadow = frame % 3 == 0
        thing().keyframe_insert("visible_shadow", frame=frame)


def w_mask(scene):
    """Faces of two materials come and go."""
    for colour in ((1, 0, 0, 1), (0, 1, 0, 1)):
        _, shader = material_new()
        shader.inputs[0].default_value = colour
    half = thing().vertex_groups.new(name="Half")
    half.add(range(200), 1.0, "ADD")
    thing().modifiers.new("Mask", "MASK").vertex_group = "Half"
    for frame in range(1, LAST + 1):
        thing().modifiers["Mask"].show_render = frame % 2 == 0
        thing().modifiers["Mask"].keyframe_insert("show_render", frame=frame)
    for index, face in enumerate(thing().data.polygons):
        face.material_index = index % 2


def w_nodes(scene):
    """Geometry nodes: how many points there are changes with the frame."""
    bpy.ops.mesh.primitive_cube_add(size=0.2, location=(0, 0, -9))
    cube = bpy.context.object
    modifier = thing().modifiers.new("Nodes", "NODES")
    tree = bpy.data.node_groups.new("Nodes", "GeometryNodeTree")
    modifier.node_group = tree
    tree.inputs.new("NodeSocketGeometry", "Geometry")
    tree.outputs.new("NodeSocketGeometry", "Geometry")
    source = tree.nodes.new("NodeGroupInput")
    points = tree.nodes.new("GeometryNodeDistributePointsOnFaces")
    copies = tree.nodes.new("GeometryNodeInstanceOnPoints")
    info = tree.nodes.new("GeometryNodeObjectInfo")
    join = tree.nodes.new("GeometryNodeJoinGeometry")
    sink = tree.nodes.new("NodeGroupOutput")
    info.inputs[0].default_value = cube
    tree.links.new(source.outputs[0], points.inputs["Mesh"])
    tree.links.new(points.outputs["Points"], copies.inputs["Points"])
    tree.links.new(info.outputs["Geometry"], copies.inputs["Instance"])
    tree.links.new(copies.outputs[0], join.inputs[0])
    tree.links.new(source.outputs[0], join.inputs[0])
    tree.links.new(join.outputs[0], sink.inputs[0])
    for frame, density in ((1, 1.0), (LAST, 20.0)):
        points.inputs["Density"].default_value = density
        points.inputs["Density"].keyframe_insert("default_value", frame=frame)


def w_layers(scene):
    """Two view layers, one with a material of its own."""
    turning()
    other = scene.view_layers.new("Other")
    other.material_override = bpy.data.materials.new("Grey")
    scene.use_nodes = True
    tree = scene.node_tree
    second = tree.nodes.new("CompositorNodeRLayers")
    second.layer = "Other"
    mix = tree.nodes.new("CompositorNodeMixRGB")
    tree.links.new(tree.nodes["Render Layers"].outputs[0], mix.inputs[1])
    tree.links.new(second.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], tree.nodes["Composite"].inputs[0])
    mix.inputs[0].default_value = 0.5


def w_blur_deform(scene):
    scene.render.use_motion_blur = True
    scene.render.motion_blur_shutter = 2.0
    w_armature(scene)
    keyed(scene.camera, "location", -1, 1, 0)


def w_particles(scene):
    thing().modifiers.new("Sparks", "PARTICLE_SYSTEM")
    settings = thing().particle_systems[0].settings
    settings.count = 300
    settings.frame_start, settings.frame_end = 1, LAST
    settings.render_type = "OBJECT"
    bpy.ops.mesh.primitive_cube_add(size=0.5, location=(0, 0, -9))
    settings.instance_object = bpy.context.object
    settings.particle_size = 0.3
    settings.physics_type = "NEWTON"


def w_rigid_body(scene):
    bpy.ops.object.select_all(action="DESELECT")
    bpy.ops.mesh.primitive_cube_add(size=0.5, location=(0.3, -1, 1))
    bpy.ops.rigidbody.object_add()


def w_cloth(scene):
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=12, y_subdivisions=12, size=3,
                                    location=(0, 0, 1.5))
    bpy.context.object.modifiers.new("Cloth", "CLOTH")
    thing().modifiers.new("Collision", "COLLISION")


def w_soft_body(scene):
    bpy.ops.mesh.primitive_uv_sphere_add(location=(0, 0, 2))
    bpy.context.object.modifiers.new("Soft", "SOFT_BODY")


def w_dynamic_paint(scene):
    turning()
    thing().modifiers.new("Paint", "DYNAMIC_PAINT")
    bpy.context.view_layer.objects.active = thing()
    bpy.ops.dpaint.type_toggle(type="CANVAS")


def w_fluid(scene):
    bpy.ops.mesh.primitive_cube_add(size=4)
    fluid = bpy.context.object.modifiers.new("Fluid", "FLUID")
    fluid.fluid_type = "DOMAIN"


def w_freestyle(scene):
    turning()
    scene.render.use_freestyle = True
    sets = scene.view_layers[0].freestyle_settings.linesets
    for lines in list(sets) or [sets.new("Lines")]:
        lines.linestyle = bpy.data.linestyles.new("Style")


def w_strips(scene):
    editor = scene.sequence_editor_create()
    editor.sequences.new_scene("Scene", scene, 1, 1)


def w_baked(scene):
    """A simulation that is baked: nothing is left to remember."""
    w_rigid_body(scene)
    cache = scene.rigidbody_world.point_cache
    cache.frame_end = LAST
    with bpy.context.temp_override(scene=scene, point_cache=cache):
        bpy.ops.ptcache.bake(bake=True)


# Hair is apart: Cycles keeps nothing between the frames of a scene with some.
SCENES = {
    "plain": (w_plain,),
    "baked": (w_baked, w_particles_baked),
    "blur": (w_motion_blur, w_blur_deform),
    "cameras": (w_camera, w_lens),
    "compositor": (w_compositor, w_shape_keys, w_armature),
    "drivers": (w_driver, w_driver_variable, w_collection),
    "hair": (w_hair, w_hair_children, w_hair_camera, w_hair_objects),
    "layers": (w_layers, w_instances, w_nodes),
    "lights": (w_world, w_light, w_emission),
    "markers": (w_markers, w_visibility, w_object_flags),
    "modifiers": (w_wave, w_build, w_subsurf_levels),
    "paint": (w_material, w_sequence, w_mask),
    "shaded": (w_sky, w_displacement, w_shading),
    "shapes": (w_curve, w_text, w_metaball),
    "volume": (w_volume, w_seed),
    "cloth": (w_cloth,),
    "dynamic_paint": (w_dynamic_paint,),
    "fluid": (w_fluid,),
    "freestyle": (w_freestyle,),
    "particles": (w_particles,),
    "rigid_body": (w_rigid_body,),
    "soft_body": (w_soft_body,),
    "strips": (w_strips,),
}


def main():
    used = {feature for features in SCENES.values() for feature in features}
    made = {each for name, each in globals().items() if name.startswith("w_")}
    assert used == made, "features in no scene"
    for name, features in SCENES.items():
        scene = scene_new()
        for place, feature in zip(PLACES, features):
            if place != PLACES[0]:
                thing_add(place)
            feature(scene)
        save(name)


main()
