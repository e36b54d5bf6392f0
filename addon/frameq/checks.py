# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the open scene would not render elsewhere as it does here, told
before anything is sent. Changes nothing; missing files are found by needs.py."""

import bpy

MOVIES = {"FFMPEG", "AVI_JPEG", "AVI_RAW"}
ENGINES = {"CYCLES", "BLENDER_EEVEE", "BLENDER_EEVEE_NEXT",
           "BLENDER_WORKBENCH"}


def strips(scene):
    """Of the sequencer, whose pictures need no camera."""
    editor = scene.sequence_editor
    if not (editor and scene.render.use_sequencer):
        return ()
    return getattr(editor, "strips_all", None) or editor.sequences_all


def lacks_camera(scene):
    return not (scene.camera or len(strips(scene)) or
                any(marker.camera for marker in scene.timeline_markers))


def unsaved_images():
    return [image.name for image in bpy.data.images
            if image.is_dirty and image.source in {"FILE", "GENERATED", "TILED"}
            and image.users]


def modifier_unbaked(modifier):
    if modifier.type in {"CLOTH", "SOFT_BODY"}:
        return not modifier.point_cache.is_baked
    if modifier.type == "DYNAMIC_PAINT" and modifier.canvas_settings:
        return not all(surface.point_cache.is_baked for surface in
                       modifier.canvas_settings.canvas_surfaces)
    if modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN":
        domain = modifier.domain_settings
        return domain.cache_type == "REPLAY" or not domain.has_cache_baked_data
    return False


def unbaked(scene):
    for item in scene.objects:
        for modifier in item.modifiers:
            if modifier.show_render and modifier_unbaked(modifier):
                yield f"{modifier.name} of {item.name}"
        for system in item.particle_systems:
            moves = (system.settings.type == "EMITTER" or
                     system.use_hair_dynamics)
            if moves and not system.point_cache.is_baked:
                yield f"particles {system.name} of {item.name}"
    world = scene.rigidbody_world
    if world and world.enabled and not world.point_cache.is_baked:
        yield "rigid bodies"


def errors(scene):
    """What no farm can render."""
    if lacks_camera(scene):
        yield ("The scene has no camera: add one (Add > Camera) and make it "
               "active (View > Cameras > Set Active Object as Camera)")
    engine = scene.render.engine
    if engine not in ENGINES:
        yield (f"The engine {engine} comes from an add-on, which nodes do not "
               "have: choose Cycles, Eevee or Workbench")


def warnings(scene):
    """What would render otherwise than here."""
    images = unsaved_images()
    if images:
        yield (f"Images with changes that are saved nowhere: "
               f"{', '.join(images[:3])}: save them (Image > Save) or pack "
               "them (Image > Pack)")
    loose = list(unbaked(scene))
    if loose:
        yield (f"Simulations that are not baked: {', '.join(loose[:3])}: bake "
               "them, else frames rendered on different machines do not fit "
               "together")


def notes(scene):
    """What is done otherwise, and no worse."""
    if scene.render.image_settings.file_format in MOVIES:
        yield ("The output is a movie: the farm renders PNG pictures; the "
               "movie is made of them afterwards")
