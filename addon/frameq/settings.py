# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel asks for: of a scene, saved with it, and of a person, in
Blender's preferences."""

import os

import bpy
from bpy.props import (BoolProperty, EnumProperty, IntProperty, PointerProperty,
                       StringProperty)

FRAME_MOST = 1048574
DEFAULT_BROKER = "http://127.0.0.1:4000"


class FrameqPreferences(bpy.types.AddonPreferences):
    bl_idname = __package__

    broker: StringProperty(
        name="Broker", description="Its address, as http://farm:4000; empty: "
        "that of FRAMEQ_BROKER, else the one on this machine")
    token: StringProperty(
        name="Token", subtype="PASSWORD",
        description="What lets you in; empty: that of FRAMEQ_TOKEN. Made by "
        "`frameq token add`. Saved with Blender's preferences, readable")
    ca: StringProperty(
        name="Certificate", subtype="FILE_PATH",
        description="Of an https broker that this machine does not trust by "
        "itself: a PEM file with its certificate, or with the authority that "
        "has signed it; empty: that of FRAMEQ_CA, else what the machine "
        "trusts")

    def draw(self, _context):
        self.layout.prop(self, "broker", text=f"Broker ({broker_url()})")
        self.layout.prop(self, "token")
        self.layout.prop(self, "ca")


def preferences():
    return bpy.context.preferences.addons[__package__].preferences


def broker_url():
    return (preferences().broker.strip() or
            os.environ.get("FRAMEQ_BROKER") or DEFAULT_BROKER)


def token():
    return preferences().token.strip() or os.environ.get("FRAMEQ_TOKEN", "")


def ca():
    chosen = preferences().ca.strip()
    return (bpy.path.abspath(chosen) if chosen
            else os.environ.get("FRAMEQ_CA", ""))


def unlink(settings, _context):
    """Frames of one's own begin as those of the scene."""
    if not settings.linked:
        scene = settings.id_data
        settings.first, settings.last, settings.step = (
            scene.frame_start, scene.frame_end, scene.frame_step)


class FrameqSettings(bpy.types.PropertyGroup):
    name: StringProperty(
        name="Name", maxlen=128,
        description="What the job and its pictures are called; empty: as the "
        ".blend")
    linked: BoolProperty(
        name="Frames of the scene", default=True, update=unlink,
        description="Render the frames of the scene; off: those given here")
    first: IntProperty(name="Start", default=1, min=0, max=FRAME_MOST)
    last: IntProperty(name="End", default=250, min=0, max=FRAME_MOST)
    step: IntProperty(name="Step", default=1, min=1, max=FRAME_MOST)
    priority: IntProperty(name="Priority", default=50, min=0, max=100,
                          description="100 goes first, 50 is usual")
    paused: BoolProperty(name="Submit as paused",
                         description="Hold it back until it is resumed")
    force: BoolProperty(
        name="Send in spite of warnings",
        description="Send a scene with missing files, unbaked simulations or "
        "unsaved images; missing files then do not fail the job")
    files: EnumProperty(name="Files", default="SEND", items=(
        ("SEND", "Send the scene's files",
         "A copy of the scene as it is now and every file it names go to the "
         "broker, those that it does not have"),
        ("SHARED", "Shared folder",
         "Only the path of the saved .blend goes to the broker: the nodes see "
         "the same folder under the same path")))
    folder: StringProperty(
        name="Fetch to", subtype="DIR_PATH", default="//frames/",
        description="Where pictures of the farm are brought to")
    job: StringProperty(name="Job", description="The job submitted last")

    def frames(self):
        scene = self.id_data
        if self.linked:
            return scene.frame_start, scene.frame_end, scene.frame_step
        return self.first, self.last, self.step


classes = (FrameqPreferences, FrameqSettings)


def register():
    for each in classes:
        bpy.utils.register_class(each)
    bpy.types.Scene.frameq = PointerProperty(type=FrameqSettings)


def unregister():
    del bpy.types.Scene.frameq
    for each in reversed(classes):
        bpy.utils.unregister_class(each)
