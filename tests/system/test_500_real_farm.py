# SPDX-License-Identifier: Apache-2.0
# ctest: blender long
"""The whole farm on real Blender: every failure an artist meets, told by its
name, and every frame proven."""

import pathlib

import farm
from nodes import NodeTest, blenders, keeper


class Real(NodeTest):
    """On one farm, which each job leaves as it was."""

    def setUp(self):
        self.render_node = self.shared()
        farm_ = keeper()
        if not hasattr(farm_, "host"):
            farm_.host = farm.Broker(farm_)
            farm_.agent = farm.Agent(farm_, farm_.host, self.render_node, "real")
            farm_.host.await_agents("real", seconds=30)
        self.host, self.render_agent = farm_.host, farm_.agent

    def submit_slow(self, frames, samples=16, **fields):
        """Frames of half a second or more each."""
        return self.host.submit(frames=frames, blend=self.scene("slow"),
                                samples=samples, **fields)["id"]


class Jobs(Real):
    def files(self, job):
        """Every file of every frame of a job, as the broker tells it."""
        return {number: [pathlib.Path(file["path"]) for file in frame["files"]]
                for number, frame in self.host.frames(job).items()}

    def fails(self, file, *words, **fields):
        """A job that must fail within one launch, saying all words, without
        one frame done."""
        job = self.host.submit(**{"frames": "1-4", "blend": self.scene(file),
                                  "name": file, **fields})["id"]
        document = self.host.await_job(job, "failed", seconds=60)
        self.assertEqual(document["counts"]["done"], 0, document)
        told = str(document["reason"]) + str(document["failures"])
        for word in words:
            self.assertIn(word, told)
        answer = self.host.web().get(f"/status/{job}")
        self.assertEqual(answer.status, 500)
        self.assertTrue(answer.text.startswith("Job failed: 4 of 4 frames"),
                        answer.text)
        return job

    def test_plain_job(self):
        job = self.host.render(1, 6)
        document = self.host.await_job(job, seconds=90)
        self.assertTrue(document["blender_versions"][0][0].isdigit(), document)
        self.assertEqual(
            self.pictures(self.render_node),
            [f"blender-render_{number:04}.png" for number in range(1, 7)])
        for number, files in self.files(job).items():
            self.assertEqual(len(files), 1)
            self.assertEqual(files[0].name, f"blender-render_{number:04}.png")
            self.assertTrue(files[0].is_file())

    def test_missing_texture(self):
        self.fails("texture", "wood.png")

    def test_blocked_script(self):
        self.fails("script", "__import__")

    def test_wrong_scene_name(self):
        self.fails("plain", "Nowhere", scene="Nowhere")

    def test_allowed_missing_texture(self):
        job = self.host.submit(frames="1-2", blend=self.scene("texture"),
                               missing_files="allow")["id"]
        self.host.await_job(job, seconds=60)

    def test_no_camera(self):
        self.fails("no_camera", "camera")

    def test_stereo(self):
        job = self.host.submit(frames="1-2", blend=self.scene("stereo"),
                               name="stereo")["id"]
        self.host.await_job(job, seconds=60)
        for number, files in self.files(job).items():
            self.assertEqual(
                sorted(file.name for file in files),
                [f"stereo_{number:04}_L.exr", f"stereo_{number:04}_R.exr"])
            self.assertTrue(all(file.is_file() for file in files))


class Ends(Real):
    def test_cancel_ends_blender(self):
        job = self.submit_slow("1-4", samples=4096)
        farm.until("a frame renders",
                   lambda: "r" in self.host.states(job), 60)
        before = set(self.mine(self.render_node))
        answer = self.host.web().post(f"/v1/jobs/{job}:cancel", {})
        self.assertIn(answer.status, (200, 202), answer)
        farm.until("its Blender is gone",
                   lambda: set(self.mine(self.render_node)) < before, 4)
        self.host.await_job(job, "cancelled")

    def test_agent_killed_adopts(self):
        """Its node renders on; the restarted agent takes that up."""
        job = self.submit_slow("1-3", batch=3, resolution="320x180")
        farm.until("a frame renders",
                   lambda: "r" in self.host.states(job), 60)
        before = set(self.mine(self.render_node))
        self.render_agent.kill()
        self.render_agent.start()
        farm.until("the restarted agent is heard",
                   lambda: self.host.agents()["real"]["state"] == "up")
        self.assertEqual(set(self.mine(self.render_node)), before)
        self.host.await_job(job, seconds=120)
        charged = {entry["attempts"]
                   for entry in self.host.frames(job).values()}
        self.assertEqual(charged, {0})

    def test_broker_killed_goes_on(self):
        job = self.submit_slow("1-3", batch=3, resolution="320x180")
        farm.until("a frame is done", lambda: "d" in self.host.states(job), 90)
        before = set(blenders())
        done = self.host.frames(job)
        self.host.kill()
        self.host.restart()
        self.host.await_job(job, seconds=120)
        for number, frame in done.items():
            if frame["state"] == "done":
                self.assertEqual(self.host.frames(job)[number]["files"],
                                 frame["files"])
        self.assertTrue(before)


if __name__ == "__main__":
    farm.main()
