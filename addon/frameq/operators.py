# SPDX-License-Identifier: GPL-3.0-or-later
"""Submit, follow, fetch, cancel. In Blender's window each begins work in a
thread and returns at once; in the background (blender -b) each waits for its
end, and a failure is an error of the script."""

import getpass
import os
import shutil
import tempfile
import urllib.parse

import bpy

from . import checks, home, needs, send, settings, state
from .broker import Broker, Trouble, is_loopback, refusal
from .task import Task

NAME_MOST = 128  # bytes of a job's name


def broker_now():
    url = settings.broker_url()
    if not getattr(bpy.app, "online_access", True) and not is_loopback(url):
        raise Trouble("Blender may not use the network: allow it in "
                      "Preferences > System > Network > Allow Online Access")
    return Broker(url, settings.token(), settings.ca())


def name_of(scene):
    stem = os.path.splitext(os.path.basename(bpy.data.filepath))[0]
    name = scene.frameq.name.strip() or stem or "untitled"
    return name.encode()[:NAME_MOST].decode("utf-8", "ignore")


def fields_of(scene):
    first, last, step = scene.frameq.frames()
    if first > last:
        raise Trouble(f"The first frame, {first}, is after the last, {last}: "
                      "change the frames")
    fields = {"from": first, "to": last, "step": step, "name": name_of(scene),
              "priority": scene.frameq.priority, "scene": scene.name}
    if scene.frameq.paused:
        fields["paused"] = True
    if scene.frameq.force:
        fields["missing_files"] = "allow"
    try:
        fields["user"] = getpass.getuser()
    except (KeyError, OSError, ImportError):
        pass  # the broker names whom the request comes from
    return fields


# -- The copy that is sent -----------------------------------------------------


class Copy:
    """The scene as it is now, saved beside its .blend, so that its paths hold;
    where that folder takes none, in a temporary one, with its paths changed.
    The person's own file is never written."""

    def __init__(self):
        own = bpy.data.filepath
        self.name = os.path.basename(own) or "untitled.blend"
        self.folder = tempfile.mkdtemp(prefix="frameq-")
        self.path = self.travels = os.path.join(self.folder, self.name)
        self.beside = None
        if own and self.save_beside(own):
            self.travels = own
        else:
            self.save(self.path, True)

    def save(self, path, remap):
        bpy.ops.wm.save_as_mainfile(filepath=path, copy=True, check_existing=False,
                                    relative_remap=remap)

    def save_beside(self, own):
        folder, name = os.path.split(own)
        path = os.path.join(folder, f".{name[:100]}.{os.getpid()}.frameq.blend")
        if not os.access(folder, os.W_OK):
            return False
        try:
            self.save(path, False)
        except RuntimeError:  # a folder may refuse in other ways
            return False
        self.path = self.beside = path
        return True

    def drop(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.beside and os.path.exists(self.beside):
            os.unlink(self.beside)


def send_scene(broker, copy, fields, blender, force, task, now):
    """The thread's part of a submit."""
    try:
        told = needs.ask(blender, copy.path, copy.name, copy.folder, task)
        if told["missing"] and not force:
            raise Trouble(needs.missing_words(told["missing"]) + ": put them "
                          "there, or tick `Send in spite of warnings`")
        now.notes += told["warnings"]
        files = send.laid_out(copy.travels, told["blend"], told["files"])
        now.job = send.submit(broker, files, fields, task)
    finally:
        copy.drop()
        broker.close()


def post_path(broker, path, fields, task, now):
    task.begin("submitting")
    try:
        now.job = send.post_job(broker, dict(fields, blend=path), task)
    finally:
        broker.close()


def shared_path():
    if not bpy.data.filepath or bpy.data.is_dirty:
        raise Trouble("The nodes open the .blend as it is saved: save it first")
    return os.path.realpath(bpy.data.filepath)


def refuse(scene):
    """Trouble where the scene should not be sent as it is."""
    found = list(checks.errors(scene))
    if not scene.frameq.force:
        found += checks.warnings(scene)
    if found:
        state.now.troubles = found
        raise Trouble("; ".join(found))


# -- Operators -----------------------------------------------------------------


class Doing:
    """What the operators have in common: troubles are shown in the panel and
    told to Blender; in the background they end the operator."""

    bl_options = {"INTERNAL"}

    def execute(self, context):
        state.now.troubles = []
        try:
            self.do(context.scene)
        except Trouble as trouble:
            state.now.troubles = state.now.troubles or [str(trouble)]
        if state.now.troubles:
            self.report({"ERROR"}, "\n".join(state.now.troubles))
            return {"CANCELLED"}
        return {"FINISHED"}


def remember(scene_name, path):
    """Notes the new job in the scene it was made of, if that is still open."""
    job, scene = state.now.job, bpy.data.scenes.get(scene_name)
    if job and not state.now.troubles:
        if scene and bpy.data.filepath == path:
            scene.frameq.job = job["id"]
        if not bpy.app.background:
            follow(job["id"])


class FRAMEQ_OT_submit(Doing, bpy.types.Operator):
    """Send the scene to the farm, as it is now; your file is not touched"""
    bl_idname = "frameq.submit"
    bl_label = "Submit"

    @classmethod
    def poll(cls, _context):
        return not (state.busy() and state.now.kind == "submit")

    def do(self, scene):
        refuse(scene)
        broker, fields = broker_now(), fields_of(scene)
        now, force = state.now, scene.frameq.force
        notes, name = list(checks.notes(scene)), scene.name
        path = bpy.data.filepath
        if scene.frameq.files == "SHARED":
            blend = shared_path()

            def work(task):
                post_path(broker, blend, fields, task, now)
        else:
            try:
                copy = Copy()
            except (OSError, RuntimeError) as error:
                raise Trouble("No copy of the scene could be saved: "
                              f"{error}") from error
            blender = bpy.app.binary_path

            def work(task):
                send_scene(broker, copy, fields, blender, force, task, now)
        now.job = None
        state.begin("submit", Task(), work, lambda: remember(name, path), notes)


def follow(job, folder=None):
    broker, now, task = broker_now(), state.now, Task()

    def tells(document):
        if now.task is task:
            now.job = document

    def work(task):
        place = home.Home(broker, job, folder, task) if folder else None
        task.begin("fetching" if folder else "following")
        try:
            home.Follow(broker, job, task, tells, place).run()
        finally:
            if now.task is task and place:
                now.fetched = place.fetched
            broker.close()

    state.begin("fetch" if folder else "follow", task, work)


class OfJob(Doing):
    @classmethod
    def poll(cls, context):
        submitting = state.busy() and state.now.kind == "submit"
        return bool(context.scene.frameq.job) and not submitting


class FRAMEQ_OT_follow(OfJob, bpy.types.Operator):
    """Watch the job that was submitted last"""
    bl_idname = "frameq.follow"
    bl_label = "Watch"

    def do(self, scene):
        follow(scene.frameq.job)


class FRAMEQ_OT_fetch(OfJob, bpy.types.Operator):
    """Bring the job's pictures here as they are done; what is here already
    is not fetched again"""
    bl_idname = "frameq.fetch"
    bl_label = "Fetch"

    def do(self, scene):
        folder = scene.frameq.folder
        if folder.startswith("//") and not bpy.data.filepath:
            raise Trouble("The folder to fetch to lies beside the .blend, "
                          "which is saved nowhere: save it, or choose another "
                          "folder")
        follow(scene.frameq.job, os.path.abspath(bpy.path.abspath(folder)))


class FRAMEQ_OT_cancel(OfJob, bpy.types.Operator):
    """Cancel what is left of the job; frames that are done stay"""
    bl_idname = "frameq.cancel"
    bl_label = "Cancel Job"

    def do(self, scene):
        broker, job, now = broker_now(), scene.frameq.job, state.now

        def work(task):
            task.begin("cancelling")
            answer = broker.ask("POST", f"/v1/jobs/{job}:cancel", {})
            broker.close()
            if answer.status != 200:
                raise refusal(answer)
            now.job = answer.json()

        state.begin("cancel", Task(), work)

    def invoke(self, context, event):
        return context.window_manager.invoke_confirm(self, event)


class FRAMEQ_OT_stop(bpy.types.Operator):
    """Stop what this Blender does: sending, watching or fetching. A job that
    was submitted goes on"""
    bl_idname = "frameq.stop"
    bl_label = "Stop"

    def execute(self, _context):
        state.stop()
        return {"FINISHED"}


class FRAMEQ_OT_open(OfJob, bpy.types.Operator):
    """Open the job's page in the browser"""
    bl_idname = "frameq.open"
    bl_label = "Open Page"

    def do(self, scene):
        job = urllib.parse.quote(scene.frameq.job, safe="")
        bpy.ops.wm.url_open(url=f"{broker_now().url}/jobs/{job}")


classes = (FRAMEQ_OT_submit, FRAMEQ_OT_follow, FRAMEQ_OT_fetch, FRAMEQ_OT_cancel,
           FRAMEQ_OT_stop, FRAMEQ_OT_open)
