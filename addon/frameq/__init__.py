# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends the open scene to a frameq farm and brings its frames home. Blender
reads bl_info up to 4.1, and blender_manifest.toml from 4.2 on."""

bl_info = {
    "name": "frameq",
    "description": "Send a scene to a frameq farm and bring its frames home",
    "author": "frameq",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "Properties > Render > frameq",
    "category": "Render",
}

import bpy

from . import operators, panel, settings, state


def register():
    settings.register()
    for each in operators.classes + panel.classes:
        bpy.utils.register_class(each)


def unregister():
    state.unregister()
    for each in reversed(operators.classes + panel.classes):
        bpy.utils.unregister_class(each)
    settings.unregister()
