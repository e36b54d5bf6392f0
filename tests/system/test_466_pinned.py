# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""A .blend that changes under its job: each frame says of which version it is,
and a job that is pinned fails instead."""

import shutil

import farm
from nodes import NodeTest, scenes
from uploads import name_of


class Versions(NodeTest):
    def start_farm(self):
        self.host = self.broker()
        self.blend = self.folder / "shot.blend"
        self.one_node = self.node("--blend-root", self.folder, "--nice", "0")
        self.agent(self.host, self.one_node, "one")
        self.host.await_agents("one", seconds=30)

    def save(self, name):
        """As Blender does: beside it, then in its place."""
        new = self.folder / "shot.blend@"
        shutil.copyfile(scenes() / f"{name}.blend", new)
        new.rename(self.blend)
        self.version = name_of(self.blend.read_bytes())
        return self.version

    def submit(self, *flags):
        told = self.cli(self.host, "submit", self.blend, "-f", "1-4", "--batch",
                        "2", "--paused", *flags)
        self.assertEqual(told.returncode, 0, told)
        return told.stdout.strip()

    def go_on(self, job, paused=False):
        self.host.web().patch(f"/v1/jobs/{job}", {"paused": paused})

    def versions(self, job):
        return {number: frame["blend_sha256"]
                for number, frame in self.host.frames(job).items()}

    def half(self, job):
        """Lets one batch be rendered."""
        self.go_on(job)
        farm.until("a batch is out", lambda: "l" in self.host.states(job) or
                   "r" in self.host.states(job))
        self.go_on(job, paused=True)
        farm.until("it is done", lambda: self.host.states(job) == "ddqq", 60)

    def changed(self, *flags):
        """A job whose .blend changes after its second frame; returns its id
        and both versions."""
        first = self.save("plain")
        job = self.submit(*flags)
        self.half(job)
        second = self.save("movie")
        self.go_on(job)
        return job, first, second

    def test_both(self):
        self.start_farm()
        job, first, second = self.changed()
        self.host.await_job(job, seconds=60)
        self.says_which_frames_are_of_which(job, first, second)
        job, first, second = self.changed("--pin")
        document = self.host.await_job(job, "failed", seconds=60)
        self.fails_where_it_is_pinned(job, document, first, second)
        job = self.submit("--pin")  # as it is now
        self.go_on(job)
        self.host.await_job(job, seconds=60)
        self.assertEqual(set(self.versions(job).values()), {second})

    def says_which_frames_are_of_which(self, job, first, second):
        self.assertEqual(self.versions(job), {1: first, 2: first, 3: second,
                                              4: second})
        self.host.kill()
        self.host.restart()
        self.assertEqual(self.versions(job)[3], second)
        document = self.host.job(job)
        self.assertEqual(document["blend_versions"], [first, second])
        self.assertIn("changed under the job", str(document["warnings"]))
        told = self.cli(self.host, "frames", job).stdout
        self.assertIn("has changed", told)
        self.assertIn(f"{first[:12]}: 1-2", told)
        self.assertIn(f"{second[:12]}: 3-4", told)
        self.host.await_agents("one")

    def fails_where_it_is_pinned(self, job, document, first, second):
        self.assertEqual(document["counts"]["done"], 2)
        self.assertIn("has changed since it was submitted", document["reason"])
        for word in (str(self.blend), first, second):
            self.assertIn(word, document["reason"])
        self.assertEqual(self.versions(job), {1: first, 2: first, 3: None,
                                              4: None})
        self.assertIn("without pin", self.cli(self.host, "show", job).stdout)


if __name__ == "__main__":
    farm.main()
