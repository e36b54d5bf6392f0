# SPDX-License-Identifier: Apache-2.0
"""What frameq-node runs inside Blender.

Talks in JSON lines over one inherited descriptor, its number the first
argument after "--". The node orders: open (a .blend, checks and settings; once
more for each further job that needs the same), render (one frame into one
folder), probe, quit. This answers with events: opened, stale, rendered, fault,
probed. It never chooses a frame, never names a final file, never says that a
frame is done: the node looks at the files.

Frames are rendered as animations of one frame, never with frame_set: that is
what gives the same pixels as Blender's own -a, particles included. What may
not be rendered twice in one process is named by `cold`, and the node then
keeps it for one job.
"""
import hashlib
import json
import os
import re
import socket
import sys
import time
import traceback

import bpy

# What the node can decode to its last pixel. Anything else becomes PNG.
PROVABLE = {"PNG", "JPEG", "TIFF", "WEBP", "OPEN_EXR", "OPEN_EXR_MULTILAYER"}
GPU_KINDS = ("OPTIX", "CUDA", "HIP", "ONEAPI")
NAMES_MAX = 20  # of missing files in one reason


class Fault(Exception):
    """A failure with its class, a word of fault.def."""

    def __init__(self, word, text):
        super().__init__(text)
        self.word = word


# -- The channel --------------------------------------------------------------


class Channel:
    def __init__(self, number):
        self.socket = socket.socket(fileno=number)
        self.lines = self.socket.makefile("r", encoding="utf-8")

    def send(self, event, **rest):
        sys.stdout.flush()
        line = json.dumps({"event": event, **rest}) + "\n"
        self.socket.sendall(line.encode())

    def orders(self):
        for line in self.lines:
            yield json.loads(line)


def say(text):
    print("frameq: " + text, flush=True)


# -- Files the scene needs ----------------------------------------------------


def used(block):
    return block.users > int(block.use_fake_user)


def absolute(path, block=None):
    library = block.library if block is not None else None
    return os.path.normpath(bpy.path.abspath(path, library=library))


def sequence_exists(path):
    """Any picture of the sequence: which ones a frame needs only it knows."""
    folder, name = os.path.split(path)
    pattern = re.escape(re.sub(r"\d+(?=\D*$)", "\0", name))
    pattern = pattern.replace(re.escape("\0"), r"\d+") + "$"
    try:
        return any(re.match(pattern, each) for each in os.listdir(folder))
    except OSError:
        return False


def tiles_missing(image, path):
    for tile in image.tiles:
        number = tile.number - 1001
        uv = "u%d_v%d" % (number % 10 + 1, number // 10 + 1)
        each = path.replace("<UDIM>", str(tile.number)).replace("<UVTILE>", uv)
        if not os.path.exists(each):
            yield each


def image_missing(image):
    path = absolute(image.filepath, image)
    if image.source == "TILED":
        yield from tiles_missing(image, path)
    elif image.source == "SEQUENCE":
        if not sequence_exists(path):
            yield path
    elif not os.path.exists(path):
        yield path


def images_missing():
    for image in bpy.data.images:
        external = image.source in {"FILE", "SEQUENCE", "MOVIE", "TILED"}
        if external and used(image) and not image.packed_files and image.filepath:
            yield from image_missing(image)


def strip_paths(scene):
    editor = scene.sequence_editor
    for strip in editor.sequences_all if editor else ():
        if strip.type == "IMAGE":
            for element in strip.elements:
                yield absolute(os.path.join(strip.directory, element.filename))
        elif strip.type == "MOVIE":
            yield absolute(strip.filepath)
        elif strip.type == "SOUND" and strip.sound:
            yield absolute(strip.sound.filepath, strip.sound)


def paths_elsewhere(scene):
    """Paths that are judged by another rule, or do not touch the pixels."""
    for image in bpy.data.images:
        yield absolute(image.filepath, image)
    for text in bpy.data.texts:
        yield absolute(text.filepath, text)
    for brush in bpy.data.brushes:
        yield absolute(brush.icon_filepath, brush)
    for item, domain in fluid_domains():
        yield os.path.normpath(absolute(domain.cache_directory, item))
    for each in bpy.data.scenes:
        if each != scene or not each.render.use_sequencer:
            yield from strip_paths(each)


def fluid_domains():
    for item in bpy.data.objects:
        for modifier in item.modifiers:
            if modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN":
                yield item, modifier.domain_settings


def fluid_unbaked(domain):
    return domain.cache_type == "REPLAY" or not domain.has_cache_baked_data


def fluids_missing():
    """One that is not baked makes its folder itself."""
    for item, domain in fluid_domains():
        folder = absolute(domain.cache_directory, item)
        if used(item) and not fluid_unbaked(domain) and not os.path.isdir(folder):
            yield folder


def caches_missing(scene):
    yield from fluids_missing()
    for item in scene.objects:
        caches = [s.point_cache for s in item.particle_systems]
        caches += [m.point_cache for m in item.modifiers if hasattr(m, "point_cache")]
        for cache in caches:
            if cache.use_external and not os.path.isdir(absolute(cache.filepath)):
                yield absolute(cache.filepath)


def files_missing(scene):
    yield from images_missing()
    yield from caches_missing(scene)
    skipped = set(paths_elsewhere(scene))
    for path in bpy.utils.blend_paths(absolute=True, packed=False, local=False):
        path = os.path.normpath(path)
        if path in skipped or path.startswith("<") or re.search(r"<U\w+>", path):
            continue
        if not os.path.exists(path):
            yield path


def files_check(scene, allow, warnings):
    missing = sorted(set(files_missing(scene)))
    if not missing:
        return
    text = "missing files: " + ", ".join(missing[:NAMES_MAX])
    if len(missing) > NAMES_MAX:
        text += " and %d more" % (len(missing) - NAMES_MAX)
    if not allow:
        raise Fault("missing_file", text)
    warnings.append(text)


# -- Scripts, simulations -----------------------------------------------------


def scripts_check(job):
    if bpy.app.autoexec_fail and job.get("scripts") != "on":
        raise Fault(
            "script_blocked",
            "the scene needs a Python script that may not run: "
            + bpy.app.autoexec_fail_message,
        )


def scene_evaluate(scene):
    """Drivers are only found blocked once something asks for their value."""
    for layer in scene.view_layers:
        if layer.use:
            layer.depsgraph.update()


def modifier_unbaked(modifier):
    """Whether it computes a frame out of the one before."""
    if modifier.type in {"CLOTH", "SOFT_BODY"}:
        return not modifier.point_cache.is_baked
    if modifier.type == "DYNAMIC_PAINT" and modifier.canvas_settings:
        surfaces = modifier.canvas_settings.canvas_surfaces
        return not all(each.point_cache.is_baked for each in surfaces)
    if modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN":
        return fluid_unbaked(modifier.domain_settings)
    return False


def system_unbaked(system):
    moves = system.settings.type == "EMITTER" or system.use_hair_dynamics
    return moves and not system.point_cache.is_baked


def simulations_unbaked(scene):
    """Of all objects: instances show some that are in no scene."""
    for item in filter(used, bpy.data.objects):
        for modifier in item.modifiers:
            if modifier_unbaked(modifier):
                yield "%s of %s" % (modifier.name, item.name)
        for system in item.particle_systems:
            if system_unbaked(system):
                yield "particles %s of %s" % (system.name, item.name)
    world = scene.rigidbody_world
    if world and world.enabled and not world.point_cache.is_baked:
        yield "rigid bodies"


# -- What may stay open -------------------------------------------------------

# Whatever a handler of these keeps in mind, a second job would meet.
HANDLERS = (
    "frame_change_pre",
    "frame_change_post",
    "depsgraph_update_pre",
    "depsgraph_update_post",
    "render_init",
    "render_pre",
    "render_post",
    "render_write",
    "render_complete",
    "render_stats",
)


# Shown to render the same pixels whatever they rendered before.
ENGINES_KEPT = {"CYCLES", "BLENDER_WORKBENCH"}


def handlers_found():
    return [name for name in HANDLERS if getattr(bpy.app.handlers, name, None)]


def nodes_simulate():
    """Simulation zones came with Blender 3.6."""
    for group in bpy.data.node_groups:
        for node in group.nodes:
            if node.bl_idname == "GeometryNodeSimulationOutput":
                yield "simulation nodes of " + group.name


def cold_reason(scene, job):
    """Why this scene gets a Blender of its own for one job; None: it may stay
    open, as every frame has the same pixels whatever was rendered before."""
    if job.get("scripts") == "on":
        return "scripts of the scene may run"
    if scene.render.engine not in ENGINES_KEPT:
        return "engine " + scene.render.engine
    for name in handlers_found():
        return "a handler of " + name
    for each in (*simulations_unbaked(scene), *nodes_simulate()):
        return "unbaked simulation: " + each
    editor = scene.sequence_editor
    if editor and editor.sequences_all and scene.render.use_sequencer:
        return "strips of the video sequencer"
    if scene.render.use_freestyle:
        return "Freestyle"
    return None


def persistent_can(scene):
    """Whether Cycles may keep its scene from frame to frame: with hair on what
    moves Blender 3.4 then renders other pixels."""
    systems = (each for item in bpy.data.objects for each in item.particle_systems)
    hair = any(each.settings.type == "HAIR" for each in systems)
    return not hair and not bpy.data.hair_curves


def file_state(path):
    try:
        state = os.stat(path)
    except OSError:
        return None
    return (
        state.st_dev,
        state.st_ino,
        state.st_size,
        state.st_mtime_ns,
        state.st_ctime_ns,
    )


def listed(folder):
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder)]
    except OSError:
        return []


def sequence_files(path):
    """All files whose names differ from path in the number or tile alone:
    which ones a frame needs only the renderer knows."""
    folder, name = os.path.split(path)
    parts = re.split(r"<\w+>|\d+(?=\D*$)", name)
    pattern = re.compile(".*".join(map(re.escape, parts)) + "$")
    return [each for each in listed(folder) if pattern.match(os.path.basename(each))]


def cache_folders():
    for item, domain in fluid_domains():
        top = absolute(domain.cache_directory, item)
        yield from (each[0] for each in os.walk(top))
    for item in bpy.data.objects:
        caches = [s.point_cache for s in item.particle_systems]
        for modifier in item.modifiers:
            if hasattr(modifier, "point_cache"):
                caches.append(modifier.point_cache)
        for cache in caches:
            if cache.use_external:
                yield absolute(cache.filepath)
    name = os.path.splitext(os.path.basename(bpy.data.filepath))[0]
    folder = os.path.dirname(bpy.data.filepath)
    yield os.path.join(folder, "blendcache_" + name)


def files_needed():
    """Whatever the pixels hang on besides the .blend itself."""
    yield from bpy.utils.blend_paths(absolute=True, packed=False, local=False)
    for image in bpy.data.images:
        path = absolute(image.filepath, image)
        if image.filepath and image.source in {"SEQUENCE", "TILED"}:
            yield from sequence_files(path)
        elif image.filepath:
            yield path
    for block in (*bpy.data.volumes, *bpy.data.cache_files):
        if block.is_sequence:
            yield from sequence_files(absolute(block.filepath, block))
    for folder in cache_folders():
        yield from listed(folder)


def files_states():
    own = os.path.normpath(bpy.data.filepath)  # which the node looks at
    paths = set(map(os.path.normpath, files_needed())) - {own}
    return {path: file_state(path) for path in paths if not os.path.isdir(path)}


def libraries_racy(started_ns):
    """Whether a library changed while it was being read, as far as times tell."""
    states = [file_state(absolute(each.filepath)) for each in bpy.data.libraries]
    return any(state and state[4] >= started_ns - 20_000_000 for state in states)


# -- Which .blend it is --------------------------------------------------------


def file_sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def blend_version(job, started_ns):
    """The SHA-256 of the .blend that is open; None when it changed while it was
    being opened: nobody can tell then which one it was."""
    path = bpy.data.filepath
    before = file_state(path)
    try:
        found = file_sha256(path)
    except OSError as error:
        raise Fault("bad_blend", str(error)) from None
    if job.get("blend_sha256", found) != found:
        text = "%s has changed since it was submitted and pinned: its SHA-256 is %s, not %s"
        raise Fault("blend_changed", text % (path, found, job["blend_sha256"]))
    racy = before is None or before[4] >= started_ns - 20_000_000
    return None if racy or file_state(path) != before else found


# -- Devices ------------------------------------------------------------------


def gpus_find(kind):
    addon = bpy.context.preferences.addons.get("cycles")
    if addon is None:
        return []
    try:
        devices = addon.preferences.get_devices_for_type(kind)
    except (ValueError, TypeError, AttributeError):
        return []
    return [each for each in devices if each.type == kind]


def gpus_list():
    return [
        {"kind": kind, "name": each.name}
        for kind in GPU_KINDS
        for each in gpus_find(kind)
    ]


def gpus_enable(kind):
    preferences = bpy.context.preferences.addons["cycles"].preferences
    preferences.compute_device_type = kind
    gpus = gpus_find(kind)
    for each in preferences.devices:
        each.use = each in gpus
    return kind + ": " + ", ".join(each.name for each in gpus)


def device_choose(scene, wanted):
    """Sets where Cycles renders; returns what it is."""
    if scene.render.engine != "CYCLES":
        return "GL"
    kinds = GPU_KINDS if wanted == "auto" else (wanted.upper(),)
    for kind in kinds:
        if kind != "CPU" and gpus_find(kind):
            scene.cycles.device = "GPU"
            return gpus_enable(kind)
    if wanted not in {"auto", "cpu"}:
        raise Fault("bad_engine", "no device for --device %s was found" % wanted)
    scene.cycles.device = "CPU"
    return "CPU"


def engines_list():
    found = ["BLENDER_EEVEE", "BLENDER_WORKBENCH"]
    for engine in bpy.types.RenderEngine.__subclasses__():
        found.append(engine.bl_idname)
    return sorted(found)


# -- Settings -----------------------------------------------------------------


def named(collection, name, what):
    found = collection.get(name)
    if found is None:
        known = ", ".join(sorted(each.name for each in collection)[:NAMES_MAX])
        raise Fault("bad_name", "no %s named %s; there are: %s" % (what, name, known))
    return found


def scene_choose(job):
    if not bpy.data.filepath:
        raise Fault("bad_blend", "the .blend was not loaded")
    if "scene" in job:
        scene = named(bpy.data.scenes, job["scene"], "scene")
        bpy.context.window.scene = scene
        return scene
    return bpy.context.scene


def camera_set(scene, job):
    if "camera" not in job:
        return
    cameras = {o.name: o for o in scene.objects if o.type == "CAMERA"}
    if job["camera"] not in cameras:
        known = ", ".join(sorted(cameras)[:NAMES_MAX]) or "none"
        raise Fault(
            "bad_name", "no camera named %s; there are: %s" % (job["camera"], known)
        )
    scene.camera = cameras[job["camera"]]
    for marker in scene.timeline_markers:
        marker.camera = None  # a bound marker would switch back to its own


def layers_set(scene, job):
    if "view_layers" not in job:
        return
    chosen = [named(scene.view_layers, n, "view layer") for n in job["view_layers"]]
    scene.render.use_single_layer = False
    for layer in scene.view_layers:
        layer.use = layer in chosen


def engine_set(scene, job):
    wanted = job.get("engine", scene.render.engine)
    try:
        scene.render.engine = wanted
    except TypeError:
        raise Fault("bad_engine", "no render engine named %s here" % wanted) from None


def samples_set(scene, job):
    if "samples" not in job:
        return
    if scene.render.engine == "CYCLES":
        scene.cycles.samples = job["samples"]
        scene.cycles.use_layer_samples = "IGNORE"
    elif scene.render.engine.startswith("BLENDER_EEVEE"):
        scene.eevee.taa_render_samples = job["samples"]


def resolution_set(scene, job):
    text = job.get("resolution")
    if text is None:
        return
    if text.endswith("%"):
        scene.render.resolution_percentage = int(text[:-1])
        return
    width, height = text.split("x")
    scene.render.resolution_x = int(width)
    scene.render.resolution_y = int(height)
    scene.render.resolution_percentage = 100


def format_set(scene, job, warnings):
    image = scene.render.image_settings
    wanted = job.get("format", image.file_format)
    if wanted not in PROVABLE:
        warnings.append("format %s cannot be proven whole: PNG instead" % wanted)
        wanted = "PNG"
    if image.file_format != wanted:
        image.file_format = wanted
    scene.render.use_file_extension = True
    scene.render.use_overwrite = True
    scene.render.use_placeholder = False
    scene.frame_step = 1


def camera_check(scene):
    """What is left undecided here, the renderer decides at the first frame."""
    marked = any(marker.camera for marker in scene.timeline_markers)
    editor = scene.sequence_editor
    strips = editor and editor.sequences_all and scene.render.use_sequencer
    if scene.camera is None and not (marked or strips or scene.use_nodes):
        raise Fault("no_camera", "scene %s has no camera" % scene.name)


def size_of(scene):
    """Width and height of the main picture; None where it isn't simple."""
    render = scene.render
    if render.use_border and render.use_crop_to_border:
        return None, None
    if render.use_multiview and render.image_settings.views_format == "STEREO_3D":
        return None, None
    scale = render.resolution_percentage
    return render.resolution_x * scale // 100, render.resolution_y * scale // 100


# -- Where files go -----------------------------------------------------------


def safe(name, fallback):
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")
    return name[:64] or fallback


def trees_of(tree, seen):
    if tree is None or tree in seen:
        return
    seen.add(tree)
    yield tree
    for node in tree.nodes:
        if node.type == "GROUP":
            yield from trees_of(node.node_tree, seen)


def file_outputs(scene):
    if not (scene.use_nodes and scene.render.use_compositing):
        return
    for tree in trees_of(scene.node_tree, set()):
        for node in tree.nodes:
            if node.type == "OUTPUT_FILE" and not node.mute:
                yield node


def slot_clean(path):
    parts = [safe(part, "") for part in path.replace("\\", "/").split("/")]
    return "/".join(part for part in parts if part) or "Image"


def format_prove(image):
    if image.file_format not in PROVABLE:
        image.file_format = "PNG"


def layers_redirect(node, folder):
    leaf = safe(os.path.basename(node.base_path.replace("\\", "/")), "layers_")
    node.base_path = os.path.join(folder, leaf)
    return 1


def slots_redirect(node, folder):
    node.base_path = folder
    format_prove(node.format)
    written = set()
    for slot, socket_in in zip(node.file_slots, node.inputs):
        format_prove(slot.format)
        slot.path = slot_clean(slot.path)
        if socket_in.is_linked:
            written.add(slot.path)
    return len(written)


def outputs_redirect(scene, folder):
    """Points every File Output node into folder; tells how many files each
    must at least leave there."""
    expected = []
    for node in file_outputs(scene):
        name = safe(node.name, "output")
        if any(each["folder"] == name for each in expected):
            name += "_%d" % len(expected)
        inside = os.path.join(folder, name)
        layers = node.format.file_format == "OPEN_EXR_MULTILAYER"
        count = (layers_redirect if layers else slots_redirect)(node, inside)
        expected.append({"folder": name, "files": count})
    return expected


def views_of(render):
    separate = render.image_settings.views_format == "INDIVIDUAL"
    if not (render.use_multiview and separate):
        return [""]
    stereo = render.views_format == "STEREO_3D"
    views = render.stereo_views if stereo else render.views
    return [view.name for view in views if view.use]


def main_files(scene, frame, folder):
    render = scene.render
    paths = [render.frame_path(frame=frame, view=view) for view in views_of(render)]
    return [os.path.relpath(path, folder) for path in paths]


# -- Rendering ----------------------------------------------------------------

FAULTS_SAID = (
    ("no camera", "no_camera"),
    ("No space left", "disk_full"),
    ("Read-only file system", "unwritable"),
    ("Permission denied", "unwritable"),
    ("out of memory", "out_of_memory"),
    ("out of GPU", "out_of_memory"),
)


def fault_of(text):
    for said, word in FAULTS_SAID:
        if said.lower() in text.lower():
            return word
    return "render"


def load(path):
    """What a launch with the path among its words would do. Reports of lesser
    things are raised too: what counts is which file is open."""
    try:
        bpy.ops.wm.open_mainfile(filepath=path, load_ui=True, use_scripts=False)
    except RuntimeError as error:
        text = str(error).strip().replace("Error: ", "")
        if bpy.data.filepath != path:
            raise Fault("bad_blend", text) from None
        say(text)


class Session:
    """One .blend with the settings of one job, or of several that want the
    same."""

    def __init__(self, job, started_ns):
        self.job = job
        self.warnings = []
        scene = self.scene = scene_choose(job)
        self.version = blend_version(job, started_ns)
        files_check(scene, job.get("missing_files") == "allow", self.warnings)
        engine_set(scene, job)
        camera_set(scene, job)
        layers_set(scene, job)
        samples_set(scene, job)
        resolution_set(scene, job)
        format_set(scene, job, self.warnings)
        camera_check(scene)
        scene_evaluate(scene)
        scripts_check(job)
        self.device = device_choose(scene, job["device"])
        for each in simulations_unbaked(scene):
            self.warnings.append("unbaked simulation: " + each)
        self.cold = cold_reason(scene, job)
        scene.render.use_persistent_data = not self.cold and persistent_can(scene)
        if self.cold and job["warm"]:
            self.warnings.append("not kept open between batches: " + self.cold)
        self.states = None if self.cold else files_states()
        self.racy = libraries_racy(started_ns)

    def again(self, job):
        """Takes a further job; false when what is open is out of date."""
        self.job = job
        return not self.racy and self.states == files_states()

    def opened(self):
        width, height = size_of(self.scene)
        for each in self.warnings:
            say("warning: " + each)
        return {
            "scene": self.scene.name,
            "engine": self.scene.render.engine,
            "device": self.device,
            "width": width,
            "height": height,
            "warnings": self.warnings,
            "cold": self.cold,
            "blend_sha256": self.version,
        }

    def render(self, frame, folder):
        scene = self.scene
        scene.frame_start = scene.frame_end = frame
        scene.frame_start = frame
        scene.render.filepath = os.path.join(folder, self.job["output"])
        outputs = outputs_redirect(scene, folder)
        started = time.monotonic()
        try:
            bpy.ops.render.render(animation=True, scene=scene.name)
        except RuntimeError as error:
            text = str(error).strip().replace("Error: ", "")
            raise Fault(fault_of(text), text) from None
        scripts_check(self.job)
        return {
            "frame": frame,
            "main": main_files(scene, frame, folder),
            "outputs": outputs,
            "seconds": round(time.monotonic() - started, 4),
        }


def probe():
    return {
        "blender": bpy.app.version_string,
        "engines": engines_list(),
        "gpus": gpus_list(),
    }


def process_age_ns():
    with open("/proc/self/stat", "rb") as stat, open("/proc/uptime", "rb") as up:
        begun = int(stat.read().rsplit(b")", 1)[1].split()[19])
        ticks = os.sysconf("SC_CLK_TCK")
        return int((float(up.read().split()[0]) - begun / ticks) * 1e9)


def trace_set(trace):
    """Whose work a Blender does that is kept open changes from job to job."""
    if trace:
        os.environ["TRACEPARENT"] = trace
    else:
        os.environ.pop("TRACEPARENT", None)


def session_open(order, session):
    """The session for a job; None when the one there is out of date."""
    if session:
        return session if session.again(order["job"]) else None
    started_ns = time.time_ns()
    if "blend" in order:
        load(order["blend"])
    else:
        started_ns -= process_age_ns()  # loaded before this driver ran
    return Session(order["job"], started_ns)


def serve(channel):
    session = None
    for order in channel.orders():
        if order["do"] == "open":
            trace_set(order["trace"])
            session = session_open(order, session)
            if session is None:
                channel.send("stale")
                return
            channel.send("opened", blender=bpy.app.version_string, **session.opened())
        elif order["do"] == "render":
            done = session.render(order["frame"], order["folder"])
            channel.send("rendered", **done)
        elif order["do"] == "probe":
            channel.send("probed", **probe())
        else:
            return


def main():
    channel = Channel(int(sys.argv[sys.argv.index("--") + 1]))
    try:
        serve(channel)
    except Fault as fault:
        say("%s: %s" % (fault.word, fault))
        channel.send("fault", fault=fault.word, text=str(fault))
    except Exception as error:  # whatever a scene makes Blender raise
        traceback.print_exc()
        channel.send("fault", fault="render", text=repr(error))
    # Nothing is left to save; Blender's own way out only takes longer.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
