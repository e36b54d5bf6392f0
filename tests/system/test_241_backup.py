# SPDX-License-Identifier: Apache-2.0
# ctest: smoke
"""A copy of a live ledger: whole, checked, and good for going on elsewhere."""

import json
import os
import subprocess
import threading

import farm


class Backup(farm.FarmTest):
    def backup(self, broker, name="copy.db"):
        path = self.folder / name
        result = self.cli(broker, "backup", path)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"copy\.db: \d+\.\d MB\n")
        return path

    def folder_of(self, copy):
        data = self.folder / "moved"
        data.mkdir()
        os.rename(copy, data / "ledger.db")
        return data

    def test_a_copy_is_sound(self):
        broker = self.broker()
        jobs = [broker.render(1, 10, name=f"shot {i}") for i in range(5)]
        data = self.folder_of(self.backup(broker))
        check = self.run_program("frameq-broker", "--data", data, "--check")
        self.assertEqual(check.returncode, 0, check.stderr)
        self.assertIn("5 jobs (5 open)", check.stdout)
        self.assertEqual(sorted(name for name in os.listdir(broker.data)
                                if not name.startswith("artifacts.")),
                         ["ballast", "blobs", "ledger.db", "ledger.db-wal",
                          "lock", "webhooks.key", "webhooks.told"])
        other = self.broker(data=data)
        self.assertGreater(other.farm()["epoch"], 1000)
        for job in jobs:
            self.assertEqual(other.job(job)["counts"]["total"], 10)

    def test_no_file_is_replaced(self):
        broker = self.broker()
        path = self.folder / "precious"
        path.write_text("precious")
        result = self.cli(broker, "backup", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("File exists", result.stderr)
        self.assertEqual(path.read_text(), "precious")
        result = self.cli(broker, "backup", self.folder / "no" / "such")
        self.assertEqual(result.returncode, 1)
        self.assertIn("No such file", result.stderr)
        self.assertEqual([f for f in os.listdir(self.folder) if ".part-" in f],
                         [])

    def test_what_scripts_see(self):
        broker = self.broker()
        path = self.folder / "copy.db"
        result = self.cli(broker, "backup", "--json", path)
        self.assertEqual(json.loads(result.stdout),
                         {"file": str(path), "bytes": path.stat().st_size})
        self.assertEqual(result.stderr, "")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        broker.terminate()
        result = self.cli(broker, "backup", self.folder / "other.db")
        self.assertEqual(result.returncode, 3)
        self.assertFalse((self.folder / "other.db").exists())
        self.assertEqual(self.run_program("frameq", "backup").returncode, 2)

    def test_no_room_here(self):
        """The rest of a file that did not fit is gone."""
        broker = self.broker()
        for _ in range(100):
            broker.render(1, 10)
        path = self.folder / "copy.db"
        result = subprocess.run(
            ["sh", "-c", 'ulimit -f 16; trap "" XFSZ; exec "$@"', "sh",
             str(farm.BIN / "frameq"), "--broker", broker.url, "backup",
             str(path)], capture_output=True, text=True,
            timeout=10 * farm.SLOW, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("File too large", result.stderr)
        self.assertEqual([f for f in os.listdir(self.folder)
                          if f.startswith("copy")], [])

    def test_something_else_than_a_broker(self):
        fake = self.fake()
        result = self.cli(fake, "backup", self.folder / "copy.db")
        self.assertEqual(result.returncode, 3)
        self.assertIn("no frameq broker", result.stderr)
        self.assertFalse((self.folder / "copy.db").exists())

    def test_many_at_a_time(self):
        """Each gets a whole copy or is told to come again."""
        broker = self.broker()
        broker.render(1, 10)
        answers = []

        def ask():
            answer = broker.web(timeout=20).get("/v1/backup")
            answers.append((answer.status, answer.body[:15]))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 8)
        self.assertIn((200, b"SQLite format 3"), answers)
        for status, begin in answers:
            self.assertTrue(status == 503 or begin == b"SQLite format 3")

    def test_moving_to_another_folder(self):
        """The first broker ends for good, a second starts from the copy where
        agents look for it; what was done before is not rendered again."""
        fakes = [self.fake("--superset", frame_ms=40) for _ in range(2)]
        broker = self.farm(*fakes)
        jobs = [broker.render(1, 60, batch=5), broker.render(61, 90, batch=5)]
        farm.until("some are done", lambda: broker.states(jobs[0]).count("d")
                   > 15)
        before = self.done_in(broker, jobs)
        copy = self.backup(broker)
        farm.until("work went on", lambda:
                   len(self.done_in(broker, jobs)) > len(before) + 5)
        broker.kill()
        data = self.folder_of(copy)
        moved = self.broker(data=data, listen=(
            "--http", broker.address, "--zmq", broker.ready["status"]))
        for job in jobs:
            moved.await_job(job, seconds=30)
        rendered = [frame for fake in fakes for frame in fake.rendered()]
        self.assertEqual(set(rendered), set(range(1, 91)))
        twice = {frame for frame in rendered if rendered.count(frame) > 1}
        self.assertGreater(len(before), 15)
        self.assertEqual(twice & before, set())

    def done_in(self, broker, jobs):
        """Frames done, of both jobs by number."""
        first = [1, 61]
        return {first[i] + at for i, job in enumerate(jobs)
                for at, state in enumerate(broker.states(job))
                if state == "d"}


if __name__ == "__main__":
    farm.main()
