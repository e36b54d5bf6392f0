# SPDX-License-Identifier: Apache-2.0
"""What must hold when a run is over, whatever happened in it."""

import collections
import hashlib
import pathlib

import farm
from test_005_fake_node import png_is_whole

TWICE_MAX = 0.05
RESTART_MAX_MS = 1000
SHOWN = 10  # of a kind of complaint


class Verdict:
    """`wrong` says what does not hold; the rest are the run's figures."""

    def __init__(self, plan, stage, people):
        self.plan, self.stage, self.people = plan, stage, people
        self.complaints = collections.defaultdict(list)
        self.frames = sum(job.last - job.first + 1 for job in plan.jobs)
        self.twice = self._rendered() / self.frames
        self.slowest_ms = max(stage.restart_ms)
        self._judge_jobs()
        self._judge_figures()

    @property
    def wrong(self):
        return [line for lines in self.complaints.values()
                for line in lines[:SHOWN] +
                [f"... and {len(lines) - SHOWN} more"][:len(lines) > SHOWN]]

    def _rendered(self):
        """Frames rendered once more than needed."""
        ends = collections.Counter(
            frame for node in self.stage.nodes.values()
            for frame in node.rendered())
        return sum(ends.values()) - len(ends)

    def _judge_jobs(self):
        self.complaints["refused"] += self.people.refused
        unanswered = (len(self.plan.jobs) - len(self.people.accepted) -
                      len(self.people.refused))
        if unanswered:
            self.complaints["unanswered"].append(
                f"{unanswered} jobs were never answered")
        for job_id, job in self.people.accepted.items():
            self._judge_job(job_id, job)

    def _judge_job(self, job_id, job):
        document = self.stage.broker.job(job_id)
        if document["state"] != "completed":
            self.complaints["job"].append(
                f"{job.name} ({job_id}) is {document['state']}: "
                f"{document['counts']}")
            return
        frames = self.stage.broker.frames(job_id)
        if sorted(frames) != list(range(job.first, job.last + 1)):
            self.complaints["frames"].append(f"{job.name}: frames are missing")
        for number, frame in frames.items():
            why = self._why_not(number, frame)
            if why:
                self.complaints["frame"].append(f"{job.name} {number}: {why}")

    def _why_not(self, number, frame):
        """Why a frame has no whole output that was accepted, or None."""
        if frame["state"] != "done":
            return frame["state"]
        host = int(frame["agent"].removeprefix("a"))
        if host not in self.plan.proving:
            name = f"blender-render_{number:04d}.png"
            picture = self.stage.frames_dir(host) / name
            whole = picture.exists() and png_is_whole(picture.read_bytes())
            return None if whole else f"no whole {picture}"
        if len(frame["files"]) != 1:
            return f"files {frame['files']}"
        file = frame["files"][0]
        data = pathlib.Path(file["path"]).read_bytes()
        same = hashlib.sha256(data).hexdigest() == file["sha256"]
        return None if png_is_whole(data) and same else f"not whole: {file}"

    def _judge_figures(self):
        if self.twice > TWICE_MAX:
            self.complaints["twice"].append(
                f"{100 * self.twice:.1f} % of the frames were rendered twice")
        if self.slowest_ms > RESTART_MAX_MS * farm.SLOW:
            self.complaints["restart"].append(
                f"a restart took {self.slowest_ms:.0f} ms")
