# SPDX-License-Identifier: Apache-2.0
# ctest: smoke long
"""Movies of jobs: made by ffmpeg at the broker, of every frame or not at all;
kept, made again after a retry, gone with the job."""

import json
import shutil
import subprocess
import threading

import farm

LIMIT_MOVIES = 16
LIMIT_MOVIE_FRAMES = 100000


def probe(path):
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v",
         "-show_entries", "stream=nb_read_frames,r_frame_rate,codec_name",
         "-of", "json", path], check=True, capture_output=True, text=True)
    stream = json.loads(told.stdout)["streams"][0]
    return (int(stream["nb_read_frames"]), stream["r_frame_rate"],
            stream["codec_name"])


class Movie(farm.FarmTest):
    def start(self, *broker_flags, **options):
        self.host = self.broker(*broker_flags, **options)
        self.output = self.folder / "output"
        self.output.mkdir()
        self.fake_node = self.fake("--superset", frames=self.output, frame_ms=5)
        self.worker = self.agent(self.host, self.fake_node, "a1")

    def render(self, **fields):
        job = self.host.submit(**fields)["id"]
        self.host.await_job(job)
        return job

    def get(self, job, query="", **headers):
        return self.host.web(timeout=60).get(f"/v1/jobs/{job}/movie{query}",
                                             **headers)

    def kept(self):
        folder = self.host.data / "movies"
        return sorted(path for path in folder.glob("*.*"))

    def refused(self, answer, status, *words):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["Content-Type"],
                         "application/problem+json")
        for word in words:
            self.assertIn(word, answer.json()["detail"])

    def test_made_kept_made_again_and_gone(self):
        self.start()
        job = self.render(frames="1-12x2,40", name="shot")
        movie = self.get(job)
        self.assertEqual((movie.status, movie.headers["Content-Type"]),
                         (200, "video/mp4"), movie)
        out = self.folder / "shot.mp4"
        told = self.cli(self.host, "movie", "shot", seconds=60)
        self.assertEqual(told.returncode, 0, told)
        self.assertEqual(out.read_bytes(), movie.body)
        self.assertEqual(probe(out), (7, "24/1", "h264"))
        part = self.get(job, range="bytes=4-7")
        self.assertEqual((part.status, part.body), (206, movie.body[4:8]))
        self.assertEqual(part.headers["Content-Range"],
                         f"bytes 4-7/{len(movie.body)}")
        self.assertEqual(part.headers["ETag"], movie.headers["ETag"])
        before = [(path, path.stat().st_ino) for path in self.kept()]
        self.assertEqual(len(before), 1)
        # It outlives the broker, without being made again.
        self.host.kill()
        self.host.restart()
        self.assertEqual(self.get(job).body, movie.body)
        self.assertEqual([(path, path.stat().st_ino) for path in self.kept()],
                         before)
        self.check_retry(job, movie)
        self.check_others(job)
        answer = self.host.web().delete(f"/v1/jobs/{job}")
        self.assertEqual(answer.status, 204, answer)
        farm.until("no movie is left", lambda: not self.kept())

    def check_retry(self, job, movie):
        self.host.web().post(f"/v1/jobs/{job}/frames:retry", {"frames": "3"})
        self.host.await_job(job)
        again = self.get(job)
        self.assertEqual(again.status, 200, again)
        self.assertNotEqual(again.headers["ETag"], movie.headers["ETag"])
        self.assertEqual(len(self.kept()), 1)

    def check_others(self, job):
        """Another rate or codec is another movie."""
        out = self.folder / "other.mkv"
        told = self.cli(self.host, "movie", job, "-o", out, "--codec", "ffv1",
                        "--fps", "12.5", seconds=60)
        self.assertEqual(told.returncode, 0, told)
        self.assertEqual(probe(out), (7, "25/2", "ffv1"))
        self.assertEqual(len(self.kept()), 2)
        told = self.cli(self.host, "movie", job, "-o", out)
        self.assertIn("exists", told.stderr)
        for query, word in (("?fps=0", "`fps`"), ("?fps=1001", "`fps`"),
                            ("?fps=x", "`fps`"), ("?fps=", "`fps`"),
                            ("?codec=gif", "`codec`")):
            self.refused(self.get(job, query), 400, word)

    def test_missing_frames_are_named(self):
        self.start()
        job = self.host.submit(frames="1-9", paused=True)["id"]
        self.refused(self.get(job), 409, "9 of 9 frames are missing: 1-9")
        told = self.cli(self.host, "movie", job)
        self.assertEqual(told.returncode, 4, told)
        self.assertIn("1-9", told.stderr)
        self.assertFalse(list(self.folder.glob("*.mp4*")))
        self.host.web().post(f"/v1/jobs/{job}/frames:cancel", {"frames": "4"})
        self.host.web().patch(f"/v1/jobs/{job}", {"paused": False})
        farm.until("the rest is done",
                   lambda: self.host.states(job) == "dddcddddd")
        self.refused(self.get(job), 409, "1 of 9 frames are missing: 4")
        self.assertEqual(self.get("nobody-knows-this-job").status, 404)

    def test_as_many_frames_as_there_may_be(self):
        self.start()
        for frames, status in ((LIMIT_MOVIE_FRAMES, 409),
                               (LIMIT_MOVIE_FRAMES + 1, 400)):
            job = self.host.submit(frames=f"1-{frames}", paused=True)["id"]
            self.refused(self.get(job), status, "frames")

    def test_made_at_the_end_where_the_job_asks(self):
        self.start()
        job = self.render(frames="1-5", movie={"fps": 30, "codec": "vp9"})
        path = farm.until("the movie is made", self.kept, 30)[0]
        self.assertEqual(probe(path), (5, "30/1", "vp9"))
        self.assertEqual(self.get(job).body, path.read_bytes())

    def test_of_frames_that_the_broker_keeps(self):
        self.start("--results", "keep")
        job = self.render(frames="1-5")
        kept = self.host.data / "blobs"
        farm.until("all pictures are at the broker", lambda: sum(
            len(path.name) == 64 for path in kept.glob("??/*")) == 5)
        shutil.rmtree(self.output)
        self.assertEqual(self.get(job).status, 200)
        self.assertEqual(probe(self.kept()[0])[0], 5)

    def test_pictures_that_cannot_be_read(self):
        self.start()
        job = self.render(frames="1-5")
        pictures = sorted(self.output.rglob("*.png"))
        data = pictures[2].read_bytes()
        pictures[2].write_bytes(b"x" * len(data))
        self.refused(self.get(job), 500, "ffmpeg")
        pictures[2].unlink()
        self.refused(self.get(job), 409, "frame 3", "--results keep")
        pictures[2].write_bytes(data)
        self.assertEqual(self.get(job).status, 200)
        self.assertFalse((self.host.data / "movies" / "work").exists())

    def fake_ffmpeg(self, script):
        folder = self.folder / "bin"
        folder.mkdir()
        if script:
            (folder / "ffmpeg").write_text("#!/bin/sh\n" + script)
            (folder / "ffmpeg").chmod(0o755)
        return {"PATH": str(folder)}

    def test_without_ffmpeg(self):
        self.start(env=self.fake_ffmpeg(None))
        job = self.render(frames="1-2")
        self.refused(self.get(job), 501, "install ffmpeg")

    def test_one_at_a_time_and_so_many_wait(self):
        """ffmpeg hangs; the broker serves on, and ends in time."""
        script = ('test -e ../busy && echo twice >../../twice; touch ../busy; '
                  f'exec {shutil.which("sleep")} 600\n').replace(
                      "touch", shutil.which("touch"))
        self.start(env=self.fake_ffmpeg(script))
        job = self.render(frames="1-2")
        answers = []
        threads = [threading.Thread(
            target=lambda: answers.append(self.get(job).status))
            for _ in range(LIMIT_MOVIES)]
        for thread in threads:
            thread.start()
        full = farm.until("the queue is full", lambda: self.full(job))
        self.assertIn(f"{LIMIT_MOVIES} movies wait", full.json()["detail"])
        self.assertEqual(self.host.job(job)["state"], "completed")
        self.assertEqual(self.host.terminate(), 0)
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [503] * LIMIT_MOVIES)
        self.assertFalse((self.host.data / "twice").exists())

    def full(self, job):
        """The refusal of one too many, once it comes. One that waits instead
        leaves again."""
        try:
            answer = self.host.web(timeout=0.3).get(f"/v1/jobs/{job}/movie")
        except TimeoutError:
            return None
        return answer if answer.status == 503 else None


if __name__ == "__main__":
    farm.main()
