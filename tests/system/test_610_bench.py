# SPDX-License-Identifier: Apache-2.0
# ctest: long
"""frameq-bench: what its line of JSON holds, and what it refuses. Its figures
are no test's business."""

import json
import shutil
import subprocess
import unittest

import farm


class Bench(farm.FarmTest):
    def bench(self, *flags, env=None):
        return subprocess.run(
            [str(farm.BIN / "frameq-bench"), *flags], cwd=self.folder, env=env,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60 * farm.SLOW, check=False)

    def figures(self, *flags):
        done = self.bench(*flags, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 1, done.stdout)
        self.assertEqual(list(self.folder.glob("frameq-bench-*")), [])
        return json.loads(done.stdout)

    def assert_positive(self, figures, *names):
        for name in names:
            self.assertGreater(figures[name], 0, name)

    def test_dispatch(self):
        figures = self.figures("dispatch", "--agents", "2", "--batches", "50",
                               "--peer", "fdatasync")
        self.assertEqual(figures["bench"], "dispatch")
        self.assertEqual(figures["agents"], 2)
        self.assertGreaterEqual(figures["batches"], 50)
        self.assertEqual(figures["peer"], "fdatasync")
        self.assert_positive(figures, "batches_per_s", "p50_us", "p99_us",
                             "broker_cpu_us", "peer_per_s", "ratio")

    def test_submit(self):
        figures = self.figures("submit", "--connections", "2", "--seconds",
                               "1", "--peer", "none")
        self.assertEqual(figures["bench"], "submit")
        self.assert_positive(figures, "submits_per_s", "p50_us", "p99_us",
                             "broker_cpu_us")
        self.assertNotIn("peer", figures)

    def test_status(self):
        figures = self.figures("status", "--jobs", "50", "--connections", "4",
                               "--seconds", "1")
        self.assertEqual((figures["bench"], figures["jobs"]), ("status", 50))
        self.assert_positive(figures, "status_per_s", "p50_us", "p99_us",
                             "metrics_us", "farm_us")

    def test_feed(self):
        figures = self.figures("feed", "--streams", "3", "--subscribers", "2",
                               "--events", "20", "--seconds", "1", "--flood",
                               "1")
        self.assertEqual((figures["streams"], figures["subscribers"]), (3, 2))
        self.assert_positive(figures, "core_alone", "stalled_ratio")
        for name in ("all_read", "two_stalled"):
            part = figures[name]
            self.assertEqual((part["events"], part["missing"], part["lost"]),
                             (20, 0, 0), part)
            self.assert_positive(part, "core", "sse_p99_ms", "feed_p99_ms")

    def test_makespan(self):
        figures = self.figures("makespan", "--seeds", "2")
        rows = {tuple(row[key] for key in ("row", "nodes", "user")
                      if key in row): row for row in figures["rows"]}
        self.assertEqual(len(rows), len(figures["rows"]))
        for kind in ("classic", "ours"):
            self.assert_positive(rows["3 equal nodes, 20 frames", kind],
                                 "ratio", "launches")
            self.assert_positive(rows["seeds", kind], "p50", "p95")
            self.assert_positive(rows["two users", kind], "percent")

    def test_replay(self):
        figures = self.figures("replay", "--jobs", "3", "--frames", "20")
        self.assertEqual(figures["bench"], "replay")
        self.assertEqual(figures["frames"], 60)
        self.assert_positive(figures, "replay_ms", "mib", "packed_replay_ms",
                             "packed_mib", "step_max_us")

    def beside(self, peer):
        figures = self.figures("dispatch", "--agents", "2", "--batches", "10",
                               "--peer", peer)
        self.assertEqual(figures["peer"], peer)
        self.assert_positive(figures, "peer_per_s", "peer_p50_us", "ratio")

    @unittest.skipUnless(shutil.which("beanstalkd"), "not installed")
    def test_beside_beanstalkd(self):
        self.beside("beanstalkd")

    @unittest.skipUnless(shutil.which("redis-server"), "not installed")
    def test_beside_redis(self):
        self.beside("redis")

    def test_a_peer_that_is_not_there(self):
        done = self.bench("dispatch", "--peer", "redis",
                          env={"PATH": "/nonexistent"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("Debian package redis-server", done.stderr)

    def test_refusals(self):
        for flags, words in [
                (["dispatch", "--batchs", "5"], "--batches"),
                (["dispatch", "--batches", "0"], "--batches"),
                (["dispatch", "--agents", "999999"], "--agents"),
                (["submit", "--peer", "kafka"], "--peer"),
                (["submit", "--rounds", "0"], "--rounds"),
                (["feed", "--streams", "1000"], "--streams"),
                (["status", "--jobs", "0"], "--jobs"),
                (["race"], "Usage")]:
            done = self.bench(*flags)
            self.assertEqual(done.returncode, 2, flags)
            self.assertEqual(done.stdout, "")
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    farm.main()
