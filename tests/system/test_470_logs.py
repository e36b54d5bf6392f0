# SPDX-License-Identifier: Apache-2.0
"""Logs and thumbnails from the node to who looks: kept, followed, fenced."""

import hashlib
import json
import pathlib
import sqlite3

import farm
from wire import Web


class Logs(farm.FarmTest):
    def start(self, *broker_flags, frame_ms=50):
        self.host = self.broker(*broker_flags)
        self.output = self.folder / "output"
        self.fake_node = self.fake("--superset", frames=self.output,
                                   frame_ms=frame_ms)
        self.worker = self.agent(self.host, self.fake_node, "a1")
        self.host.await_agents("a1")

    def get(self, job, frame, tail, **headers):
        return self.host.web().request(
            "GET", f"/v1/jobs/{job}/frames/{frame}/{tail}", headers=headers)

    def await_kept(self, job, frame, tail):
        return farm.until(f"{tail} of frame {frame}", lambda: (
            lambda answer: answer if answer.status == 200 else None)(
                self.get(job, frame, tail)))

    def await_state(self, job, letter):
        farm.until("frame 1 is given out", lambda:
                   self.host.states(job)[0] == letter)

    def put(self, lease, frame, tail, body=b"text", **headers):
        return self.host.web().request(
            "PUT", f"/v1/leases/{lease}/frames/{frame}/{tail}", body,
            headers=headers)

    def lease_of(self, job, frame, tail="log"):
        return self.await_kept(job, frame, tail).headers["Log-Lease"]

    def test_kept_and_shown(self):
        self.start()
        job = self.host.submit(frames="1-4", batch=4)["id"]
        self.host.await_job(job)
        log = self.await_kept(job, 3, "log")
        self.assertTrue(log.text.startswith("Read blend: fake.blend\nFra:3 "))
        self.assertTrue(log.text.endswith("\nSaved: frame 3\n"))
        self.assertEqual(log.headers["Content-Type"],
                         "text/plain; charset=utf-8")
        self.assertEqual(log.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(log.headers["Log-State"], "whole")
        self.assertEqual(log.headers["Log-Attempt"], "1/1")
        self.assertNotIn("Log-First-Error", log.headers)
        rest = self.get(job, 3, "log?offset=23")
        self.assertEqual(rest.text, log.text[23:])
        self.assertEqual(rest.headers["Log-Offset"], "23")
        same = self.get(job, 3, "log", **{"If-None-Match":
                                          log.headers["ETag"]})
        self.assertEqual(same.status, 304)
        small = self.await_kept(job, 2, "thumbnail")
        self.assertEqual(small.headers["Content-Type"], "image/jpeg")
        self.assertTrue(small.body.startswith(b"\xff\xd8\xff"))
        self.assertEqual(self.get(job, 2, "thumbnail", **{
            "If-None-Match": small.headers["ETag"]}).status, 304)
        for tail in ("log?attempt=2", "log?attempt=0", "log?offset=-1",
                     "log?wait=61"):
            answer = self.get(job, 3, tail)
            self.assertIn(answer.status, (400, 404), tail)
        # They go with the job, and outlive the broker until then.
        self.host.kill()
        self.host.restart()
        self.assertEqual(self.get(job, 3, "log").text, log.text)
        answer = self.host.web().request("DELETE", f"/v1/jobs/{job}")
        self.assertEqual(answer.status, 204, answer)
        self.host.terminate()
        rows = sqlite3.connect(self.host.data / "artifacts.db").execute(
            "SELECT count(*) FROM artifact").fetchone()
        self.assertEqual(rows[0], 0)

    def test_failed_and_retried(self):
        self.start()
        self.fake_node.trick(quit_at_frame="2:1")
        job = self.host.submit(frames="1-3", batch=3, name="twice")["id"]
        self.host.await_job(job)
        last = farm.until("both logs", lambda: (
            lambda answer: answer if answer.headers.get("Log-Attempt") == "2/2"
            else None)(self.get(job, 2, "log")))
        self.assertIn("Saved", last.text)
        first = self.get(job, 2, "log?attempt=1")
        self.assertIn("Error: frame 2", first.text)
        self.assertEqual(first.headers["Log-First-Error"], "2")
        told = self.cli(self.host, "logs", "twice", 2, "--attempt", 1)
        self.assertEqual(told.stdout, first.text)
        self.assertIn("first error, line 2: Error: frame 2", told.stderr)
        said = json.loads(self.cli(self.host, "logs", job, 2, "--json").stdout)
        self.assertEqual((said["text"], said["attempt"], said["state"],
                          said["first_error"]),
                         (last.text, "2/2", "whole", None))
        none = self.cli(self.host, "logs", job, 4)
        self.assertEqual(none.returncode, 4, none)
        self.assertIn("no frame 4", none.stderr)
        # The lease that failed is not the one whose picture was taken.
        refused = self.put(first.headers["Log-Lease"], 2,
                           f"thumbnail?job={job}", b"\xff\xd8\xff\xe0")
        self.assertEqual(refused.status, 409, refused)

    def test_forged(self):
        self.start()
        job = self.host.submit(frames="1-2", batch=2)["id"]
        self.host.await_job(job)
        lease = self.lease_of(job, 1)
        kept = self.get(job, 1, "log").text
        epoch, counter = lease.split("-")
        later = f"{epoch}-{int(counter) + 1}"
        jpeg = b"\xff\xd8\xff\xe0"
        for which, frame, tail, body, status in (
                (later, 1, f"log?job={job}", b"x", 409),
                (later, 1, "log", b"x", 404),
                (lease, 1, "log", b"x", 404),
                (lease, 1, "log?live", b"x", 404),
                (lease, 1, f"log?live&job={job}", b"x", 409),
                (lease, 1, "log?job=nosuchjob_nosuchjob", b"x", 404),
                (lease, 3, f"log?job={job}", b"x", 404),
                (lease, 1, f"log?job={job}", b"x" * (256 * 1024 + 1), 413),
                (lease, 1, f"thumbnail?job={job}", b"<svg/>", 400),
                (lease, 1, f"thumbnail?job={job}", jpeg * 16385, 413),
                (lease, 1, f"image?job={job}", b"no picture", 400),
                (lease, 1, f"log?job={job}&offset=-1", b"x", 400),
                ("7", 1, f"log?job={job}", b"x", 400),
                ("0-0", 1, f"log?job={job}", b"x", 400),
                ("..", 1, f"log?job={job}", b"x", 400),
                ("99999999999999999999-1", 1, f"log?job={job}", b"x", 400),
        ):
            answer = self.put(which, frame, tail, body)
            self.assertEqual(answer.status, status,
                             (which, frame, tail, answer))
        self.assertEqual(self.get(job, 1, "log").text, kept)
        self.assertIn("artifact_refused", self.host.log_text())
        # The lease's own: taken, at the limit, too, and no path comes of it.
        whole = self.put(lease, 1, f"log?job={job}", b"y" * (256 * 1024))
        self.assertEqual(whole.status, 204, whole)
        self.assertEqual(self.put(lease, 1, f"thumbnail?job={job}",
                                  jpeg * 16384).status, 204)
        self.assertEqual(sorted(
            path.name for path in self.host.data.glob("artifacts*")),
            ["artifacts.db", "artifacts.db-wal"])

    def test_followed(self):
        self.start(frame_ms=30000)
        job = self.host.submit(frames="1-2", batch=2)["id"]
        self.await_state(job, "r")
        first = self.get(job, 1, "log")
        self.assertEqual(first.status, 200, first)
        self.assertEqual(first.headers["Log-State"], "live")
        self.assertIn("Sample 0/1000", first.text)
        seen = first.text
        for _ in range(2):
            more = self.get(job, 1, f"log?offset={len(seen)}&wait=20")
            self.assertEqual(more.headers["Log-State"], "live")
            self.assertEqual(int(more.headers["Log-Offset"]), len(seen))
            self.assertTrue(more.text.startswith("Fra:1 Sample"), more.text)
            seen += more.text
        self.assertEqual(seen.count("Sample 0/1000"), 1)
        # The second one has not begun.
        none = self.get(job, 2, "log")
        self.assertEqual(none.status, 404, none)
        self.host.web().post(f"/v1/jobs/{job}:cancel")

    def test_followed_to_its_end(self):
        """Each line once, in order, whoever begins to look when."""
        self.start(frame_ms=2500)
        job = self.host.submit(frames="1")["id"]
        told = self.cli(self.host, "logs", job, 1, "-f", seconds=30)
        self.assertEqual(told.returncode, 0, told)
        whole = self.await_kept(job, 1, "log").text
        self.assertGreater(whole.count("Sample"), 20)
        self.assertEqual(told.stdout, whole)

    def test_image_is_asked_for(self):
        """The broker does not see the node's folder: here it is moved away
        from under the path it knows, and back where the agent is asked."""
        self.start()
        job = self.host.submit(frames="1")["id"]
        self.host.await_job(job)
        file = self.host.frames(job)[1]["files"][0]
        picture = pathlib.Path(file["path"])
        data = picture.read_bytes()
        self.assertEqual(self.get(job, 1, "image").body, data)
        picture.unlink()
        gone = self.get(job, 1, "image")
        self.assertEqual(gone.status, 503, gone)
        self.assertIn("a1", gone.json()["detail"])
        self.assertIn("Retry-After", gone.headers)
        # As the broker sees nothing of it, and the agent does.
        lease = self.lease_of(job, 1)
        answer = self.put(lease, 1, f"image?job={job}", data)
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(self.get(job, 1, "image").body, data)
        self.assertEqual(hashlib.sha256(data).hexdigest(), file["sha256"])

    def test_classic(self):
        self.host = self.broker()
        self.agent(self.host, self.fake(), "a1")
        self.host.await_agents("a1")
        job = self.host.render(1, 2)
        self.host.await_job(job)
        for tail in ("log", "log?wait=60"):
            answer = self.get(job, 1, tail)
            self.assertEqual(answer.status, 404, answer)
            self.assertIn("classic", answer.json()["detail"])
        self.assertEqual(self.get(job, 1, "thumbnail").status, 404)


if __name__ == "__main__":
    farm.main()
