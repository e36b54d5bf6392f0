# SPDX-License-Identifier: Apache-2.0
# ctest: smoke long
"""What a broker makes of its ledger: it says what it recovered, refuses what
it must not touch in one line, lives through a full disk, and forgets."""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import unittest

import farm

def no_mounts():
    """Why the tests that mount something cannot run here, or None."""
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True,
                           text=True, check=False)
    return probe.stderr.strip() or None


WHY_NOT = no_mounts()

# A file system of the test's own under the broker's --data.
MOUNTED = ["unshare", "-m", "sh", "-c",
           'mkdir -p "$1" && mount -t tmpfs -o "$2" none "$1"'
           ' && shift 2 && exec "$@"', "sh"]


class Ledger(farm.FarmTest):
    def refused(self, data, *flags, prefix=()):
        """Starts a broker that must not start; returns what it says."""
        args = [*prefix, str(farm.BIN / "frameq-broker"),
                "--http", "127.0.0.1:0", "--zmq", "127.0.0.1:0",
                "--data", str(data), *flags]
        result = subprocess.run(args, capture_output=True, text=True,
                                timeout=10 * farm.SLOW, check=False)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(result.stdout, "")
        said = [line for line in result.stderr.splitlines()
                if not line.startswith("time=")]
        self.assertEqual(len(said), 1, result.stderr)
        return said[0]

    def check(self, data):
        return self.run_program("frameq-broker", "--data", data, "--check")

    def recovered(self, broker):
        """The last `replayed` line of its log, as words."""
        line = [line for line in broker.log_text().splitlines()
                if "event=replayed" in line][-1]
        return dict(word.split("=", 1) for word in line.split())

    def ended_ledger(self):
        broker = self.broker()
        broker.render(1, 10)
        broker.terminate()
        return broker.data

    def meddle(self, data, sql):
        ledger = sqlite3.connect(data / "ledger.db")
        ledger.executescript(sql)
        ledger.close()


class Start(Ledger):
    def test_it_says_what_it_recovered(self):
        fake = self.fake(frame_ms=20)
        broker = self.farm(fake)
        said = self.recovered(broker)
        self.assertEqual((said["jobs"], said["events"], said["last_end"]),
                         ("0", "0", "orderly"))
        broker.await_job(broker.render(1, 10, batch=5))
        fake.trick(hang_frame=1)
        broker.render(1, 10, batch=5)
        farm.until("the lease is in the ledger", lambda:
                   self.leases_on_disk(broker) == 1)
        broker.kill()
        broker.restart()
        said = self.recovered(broker)
        self.assertEqual(said["jobs"], "2")
        self.assertEqual(said["done"], "10")
        self.assertEqual(said["leases"], "1")
        self.assertEqual(said["last_end"], "cut")
        self.assertGreaterEqual(int(said["ms"]), 0)
        broker.terminate()
        broker.start()
        self.assertEqual(self.recovered(broker)["last_end"], "orderly")

    def leases_on_disk(self, broker):
        """Of the newest job, in a copy: the file itself is the broker's."""
        copy = self.folder / f"copy-{self.count()}.db"
        self.assertEqual(self.cli(broker, "backup", copy).returncode, 0)
        ledger = sqlite3.connect(copy)
        leases = ledger.execute("SELECT count(*) FROM event"
                                " WHERE kind = 'leased' AND job ="
                                " (SELECT max(number) FROM job)").fetchone()[0]
        ledger.close()
        return leases

    def test_a_second_broker(self):
        broker = self.broker()
        said = self.refused(broker.data)
        self.assertIn(f"in use by another broker (process {broker.pid})", said)
        self.assertEqual(broker.web().get("/health").status, 200)
        check = self.check(broker.data)
        self.assertEqual(check.returncode, 1)
        self.assertIn(f"(process {broker.pid})", check.stderr)

    def test_a_newer_ledger(self):
        data = self.ended_ledger()
        self.meddle(data, "PRAGMA user_version = 99")
        before = (data / "ledger.db").read_bytes()
        for said in (self.refused(data), self.refused(data, "--check")):
            self.assertRegex(said, r"newer frameq \(format 99, this one reads"
                                   r" \d+\)")
        self.assertEqual((data / "ledger.db").read_bytes(), before)

    def test_a_damaged_ledger(self):
        data = self.ended_ledger()
        self.meddle(data, "UPDATE event SET body = x'c1' WHERE seq = 1")
        for said in (self.refused(data), self.refused(data, "--check")):
            self.assertIn("event 1", said)
            self.assertIn("put a backup in its place", said)
        whole = (data / "ledger.db").read_bytes()
        for damage in (b"\0" * len(whole), whole[:len(whole) // 2],
                       whole[:4096] + os.urandom(len(whole) - 4096)):
            (data / "ledger.db").write_bytes(damage)
            self.assertIn("put a backup in its place",
                          self.refused(data, "--check"))

    @unittest.skipIf(WHY_NOT, WHY_NOT)
    def test_a_folder_that_cannot_be_written(self):
        data = self.folder / "data"
        said = self.refused(data, prefix=[*MOUNTED, str(data), "ro"])
        self.assertIn("Read-only file system", said)
        self.assertIn(str(data), said)

    def test_check_of_a_copy_of_a_live_folder(self):
        broker = self.broker()
        for _ in range(3):
            broker.render(1, 10)
        copy = self.folder / "copy"
        shutil.copytree(broker.data, copy)
        (copy / "lock").unlink()
        before = {file.name: file.read_bytes() for file in copy.iterdir()
                  if file.is_file()}
        check = self.check(copy)
        self.assertEqual(check.returncode, 0, check.stderr)
        self.assertRegex(check.stdout, r"sound, 3 events, 3 jobs \(3 open\), "
                                       r"0 frames done, digest [0-9a-f]{16}\n")
        self.assertEqual(before, {file.name: file.read_bytes()
                                  for file in copy.iterdir()
                                  if file.is_file()})


@unittest.skipIf(WHY_NOT, WHY_NOT)
class FullDisk(Ledger):
    def test_it_is_lived_through(self):
        data = self.folder / "data"
        fakes = [self.fake(frame_ms=30) for _ in range(2)]
        broker = self.broker(data=data, prefix=[*MOUNTED, str(data),
                                                "size=64m"])
        inside = pathlib.Path(f"/proc/{broker.pid}/root{data}")
        for i, fake in enumerate(fakes):
            self.agent(broker, fake, f"a{i}")
        broker.await_agents("a0", "a1")
        job = broker.render(1, 60, batch=3)
        farm.until("some are done", lambda: "d" in broker.states(job))
        self.fill(inside / "filler")
        farm.until("jobs are refused", lambda: self.status(broker) == 507)
        self.assertEqual(broker.farm()["ledger"]["state"], "full")
        broker.await_job(job)  # reports still fit
        self.assertEqual(self.status(broker), 507)
        (inside / "filler").unlink()
        farm.until("jobs are taken again", lambda: self.status(broker) == 202)
        self.assertTrue((inside / "ballast").exists())
        self.assert_each_once(range(1, 61), *fakes)

    def fill(self, path):
        """Until not a byte more goes in."""
        with open(path, "wb", buffering=0) as filler:
            for size in (1 << 20, 4096):
                try:
                    while filler.write(b"\0" * size) == size:
                        pass
                except OSError:
                    pass

    def status(self, broker):
        """Of a submission; one that is taken is paused and holds nobody."""
        return broker.web().post("/v1/jobs", {"from": 1, "to": 1,
                                              "paused": True}).status


class Broken(Ledger):
    # Files past 256 KiB fail, which no full disk is.
    LIMITED = ["sh", "-c", 'ulimit -f 512; trap "" XFSZ; exec "$@"', "sh"]

    def test_the_broker_ends_and_nothing_acknowledged_is_lost(self):
        broker = self.broker()
        ballast = broker.data / "ballast"
        farm.until("it has a ballast, which later would not fit", lambda:
                   ballast.exists() and ballast.stat().st_size > 0)
        broker.terminate()
        broker.prefix = self.LIMITED
        broker.start()
        taken = []
        farm.until("the ledger breaks", lambda: self.submit(broker, taken))
        self.assertEqual(broker.wait(10), 1)
        said = broker.log_text().splitlines()
        self.assertIn(f"the ledger in {broker.data} is broken: ", said[-1])
        self.assertTrue([line for line in said if "event=ledger_broken" in
                         line])
        self.assertGreater(len(taken), 3)
        broker.prefix = []
        broker.start()
        for job in taken:
            self.assertEqual(broker.job(job)["counts"]["total"], 5)

    def submit(self, broker, taken):
        """One job; returns whether it was refused or not answered."""
        try:
            answer = broker.web().post("/render", {"from": 1, "to": 5,
                                                   "name": "x" * 120})
        except OSError:
            return True
        if answer.status == 202:
            taken.append(answer.json()["jobId"])
            return False
        self.assertEqual(answer.status, 503)
        return True


class Keep(Ledger):
    def test_ended_jobs_are_forgotten_in_time(self):
        broker = self.broker("--keep", "0.00001")
        web = broker.web()
        open_job = broker.render(1, 5)
        for _ in range(150):
            job = broker.render(1, 5)
            web.post(f"/v1/jobs/{job}:cancel", {})
        farm.until("they are gone", lambda:
                   broker.farm()["jobs"]["total"] == 1)
        self.assertEqual(broker.job(open_job)["state"], "queued")
        self.assertEqual(web.get(f"/status/{job}").status, 404)

    def test_what_others_wait_for_stays(self):
        broker = self.broker("--keep", "0.00001")
        web = broker.web()
        first = broker.render(1, 5)
        second = broker.submit(**{"from": 1, "to": 5, "depends_on": [first]})
        other = broker.render(1, 5)
        web.post(f"/v1/jobs/{first}:cancel", {})
        web.post(f"/v1/jobs/{other}:cancel", {})
        farm.until("one is gone", lambda:
                   web.get(f"/status/{other}").status == 404)
        self.assertEqual(broker.job(first)["state"], "cancelled")
        web.post(f"/v1/jobs/{second['id']}:cancel", {})
        farm.until("all are gone", lambda:
                   broker.farm()["jobs"]["total"] == 0)

    def test_jobs_of_before_the_start(self):
        broker = self.broker("--keep", "0")
        job = broker.render(1, 5)
        broker.web().post(f"/v1/jobs/{job}:cancel", {})
        broker.terminate()
        broker.flags += ["--keep", "0.00001"]
        broker.start()
        farm.until("it is gone", lambda:
                   broker.web().get(f"/status/{job}").status == 404)


if __name__ == "__main__":
    farm.main()
