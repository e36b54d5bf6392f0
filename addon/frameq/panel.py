# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in the render properties. Shows; decides nothing."""

import textwrap

import bpy

from . import settings, state
from .home import ENDED

WIDTH = 48  # characters of a line of text


def lines(layout, text, icon):
    for line in textwrap.wrap(text, WIDTH):
        layout.label(text=line, icon=icon)
        icon = "BLANK1"


def progress(layout, fraction, text):
    """A bar where Blender has one (4.0), else the same in words."""
    if hasattr(layout, "progress"):
        layout.progress(factor=fraction, text=text)
    else:
        layout.label(text=f"{text} ({fraction:.0%})")


def draw_frames(layout, scene):
    own = scene.frameq
    row = layout.row(align=True)
    icon = "LINKED" if own.linked else "UNLINKED"
    if own.linked:
        names, of = ("frame_start", "frame_end", "frame_step"), scene
    else:
        names, of = ("first", "last", "step"), own
    for name, text in zip(names, ("Start", "End", "Step")):
        row.prop(of, name, text=text)
    row.prop(own, "linked", text="", icon=icon)


def draw_work(layout):
    task = state.now.task
    row = layout.row(align=True)
    progress(row, task.fraction(), task.what or "beginning")
    row.operator("frameq.stop", text="", icon="X")


def draw_job(layout, scene):
    job, own = state.now.job, scene.frameq
    if job and job.get("id") == own.job:
        counts = job["counts"]
        progress(layout, counts["done"] / max(1, counts["total"]),
                 f"{job['state']}: {counts['done']} of {counts['total']}")
        if counts["failed"]:
            lines(layout, f"{counts['failed']} frames failed: the page tells "
                  "why", "ERROR")
        for warning in job.get("warnings") or ():
            lines(layout, warning, "INFO")
        if job["state"] not in ENDED:
            layout.operator("frameq.cancel", icon="CANCEL")
    row = layout.row(align=True)
    row.operator("frameq.follow", icon="FILE_REFRESH")
    row.operator("frameq.open", icon="URL")
    row = layout.row(align=True)
    row.prop(own, "folder")
    row.operator("frameq.fetch", text="", icon="IMPORT")


class FRAMEQ_PT_farm(bpy.types.Panel):
    bl_label = "frameq"
    bl_idname = "FRAMEQ_PT_farm"
    bl_space_type = "PROPERTIES"
    bl_region_type = "WINDOW"
    bl_context = "render"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout, scene = self.layout, context.scene
        layout.use_property_decorate = False
        layout.label(text=settings.broker_url(), icon="WORLD")
        layout.prop(scene.frameq, "name")
        draw_frames(layout, scene)
        layout.prop(scene.frameq, "priority")
        layout.prop(scene.frameq, "files")
        layout.prop(scene.frameq, "paused")
        layout.prop(scene.frameq, "force")
        layout.operator("frameq.submit", icon="RENDER_ANIMATION")
        for trouble in state.now.troubles:
            lines(layout, trouble, "ERROR")
        for note in state.now.notes:
            lines(layout, note, "INFO")
        if state.busy():
            draw_work(layout)
        if scene.frameq.job:
            draw_job(layout, scene)


classes = (FRAMEQ_PT_farm,)
