# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on now, one thing at a time: work that threads do, and the timer
by which Blender's window learns of it. Lost when Blender ends; the job's id
is in the scene."""

import bpy

TICK_SECONDS = 0.2


class Now:
    def __init__(self):
        self.task = None  # what a thread does, or did last
        self.kind = ""  # "submit", "follow", "fetch"
        self.ended = lambda: None  # on the main thread, once it has ended
        self.job = None  # the job's document seen last
        self.fetched = 0
        self.troubles = []  # shown until the next thing is begun
        self.notes = []


now = Now()


def busy():
    return now.task is not None and now.task.running()


def redraw():
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PROPERTIES":
                area.tag_redraw()


def settle():
    """Takes what a thread left, once it has ended."""
    task, now.task = now.task, None
    if task.trouble:
        now.troubles = [task.trouble]
    now.ended()


def tick():
    redraw()
    if now.task is None:
        return None
    if not now.task.running():
        settle()
    return TICK_SECONDS


def begin(kind, task, work, ended=lambda: None, notes=()):
    """Starts work(task), which may add to now.notes. In the background waits for its end."""
    quit_following()
    now.kind, now.task, now.ended = kind, task, ended
    now.troubles, now.notes = [], list(notes)
    task.start(work)
    if bpy.app.background:
        task.join()
        settle()
    elif not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=TICK_SECONDS,
                                persistent=True)


def quit_following():
    """Whoever follows a job makes way for whatever comes next."""
    if now.task is not None:
        now.task.stop()
        now.task = None


def stop():
    if now.task is not None:
        now.task.stop()


def unregister():
    stop()
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
