#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gigabytes of a scene's files through a broker whose farm works: how fast,
what memory the broker takes for it, and how long it leaves others waiting.

  FRAMEQ_BIN=build/release/bin python3 tests/bench/assets.py --gb 2

Takes three times that on the disk of TMPDIR (the files, the broker's, the
agent's), and removes it."""

import argparse
import http.client
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
import farm  # noqa: E402
from uploads import fake_blender  # noqa: E402
from wire import host_port  # noqa: E402

GB = 2.0
FILES = 8
SETTLE_S = 6  # what changed just now is not remembered (cli/send/hashes.h)
MIB = 1 << 20


class Watch(threading.Thread):
    """Asks the broker's loop for a sign of life, and looks at its memory,
    fifty times a second."""

    def __init__(self, broker):
        super().__init__(daemon=True)
        self.broker = broker
        self.over = threading.Event()
        self.waits_ms, self.memory_mb = [], []

    def run(self):
        line = http.client.HTTPConnection(*host_port(self.broker.address),
                                          timeout=60)
        while not self.over.wait(0.02):
            begun = time.monotonic()
            line.request("GET", "/livez")
            line.getresponse().read()
            self.waits_ms.append((time.monotonic() - begun) * 1000)
            self.memory_mb.append(self.broker.memory_mb())
        line.close()

    def end(self):
        self.over.set()
        self.join()
        self.waits_ms.sort()
        return self

    def wait_ms(self, part):
        return self.waits_ms[min(len(self.waits_ms) - 1,
                                 int(part * len(self.waits_ms)))]


class Assets(farm.FarmTest):
    def setUp(self):
        self.host = self.broker("--upload-gb", 100)
        for name, flags in (("busy", ("--slots", 2)), ("one", ())):
            self.agent(self.host, self.fake("--superset", *flags, frame_ms=40),
                       name, "--tags", name, "--cache", self.folder / name)
        self.host.await_agents("busy", "one")
        self.fill()
        self.work = self.host.submit(frames="0-1000000", priority=1,
                                     requires={"tags": ["busy"]})["id"]

    def fill(self):
        """What the broker keeps of the last events (LIMIT_FEED_RING) is full
        on a farm that has worked for a while: so it is here, before."""
        fake = self.fake("--superset", "--slots", 8, frame_ms=1)
        filler = self.agent(self.host, fake, "filler", "--tags", "filler",
                            "--cache", self.folder / "filler")
        self.host.await_agents("filler")
        job = self.host.submit(frames="1-12000", batch=100,
                               requires={"tags": ["filler"]})["id"]
        self.host.await_job(job, seconds=300)
        filler.terminate()

    def make_files(self):
        """Of other bytes each, and none of zeros."""
        block = os.urandom(MIB)
        paths = [self.folder / f"{i}.vdb" for i in range(FILES)]
        for i, path in enumerate(paths):
            with open(path, "wb") as file:
                file.write(bytes([i]))
                for _ in range(int(GB * 1e9 / FILES / MIB)):
                    file.write(block)
        return paths

    def turns(self):
        """Turns of the loop so far by what they lasted at most, in ms."""
        rows = re.findall(r'frameq_loop_turn_seconds_bucket{le="(\S+)"} (\d+)',
                          self.host.web().get("/metrics").text)
        return {float(most) * 1000: int(n) for most, n in rows}

    def submit(self, blend, blender):
        begun = time.monotonic()
        told = subprocess.run(
            [farm.BIN / "frameq", "submit", blend, "-f", "1", "--upload", "on",
             "--blender", blender, "--tag", "one", "--priority", "100"],
            env=dict(os.environ, FRAMEQ_BROKER=self.host.url,
                     XDG_CACHE_HOME=str(self.folder / "cache")),
            text=True, stdin=subprocess.DEVNULL, capture_output=True,
            check=False)
        self.assertEqual(told.returncode, 0, told)
        return told.stdout.strip(), time.monotonic() - begun, told.stderr

    def done(self):
        return self.host.job(self.work)["counts"]["done"]

    def test_assets(self):
        paths = self.make_files()
        blend = self.folder / "shot.blend"
        blend.write_bytes(b"blend")
        blender = fake_blender(self.folder, paths)
        rest = Watch(self.host)
        rest.start()
        time.sleep(SETTLE_S)
        rest.end()
        turns, done = self.turns(), self.done()
        watch = Watch(self.host)
        watch.start()
        job, sending_s, _ = self.submit(blend, blender)
        begun = time.monotonic()
        self.host.await_job(job, seconds=600)
        fetching_s = time.monotonic() - begun
        watch.end()
        after = self.turns()
        frames = self.done() - done
        _, again_s, told = self.submit(blend, blender)
        self.assertIn("sent 0,", told)
        since = {most: n - turns[most] for most, n in after.items()}
        turn_ms = min(most for most, n in since.items()
                      if n >= 0.99 * max(since.values()))
        print(f"{GB:g} GB in {FILES} files, while {frames} frames were done\n"
              f"sent      {sending_s:6.1f} s  {GB * 1000 / sending_s:5.0f} MB/s"
              f", hashing with it\n"
              f"fetched   {fetching_s:6.1f} s  {GB * 1000 / fetching_s:5.0f} "
              f"MB/s\n"
              f"again     {again_s:6.1f} s  nothing read, nothing sent\n"
              f"memory    {max(watch.memory_mb) - max(rest.memory_mb):6.1f} MB "
              f"more at most than {max(rest.memory_mb):.1f} before\n"
              f"/livez    {watch.wait_ms(0.5):6.1f} ms p50, "
              f"{watch.wait_ms(0.99):.1f} p99, {watch.waits_ms[-1]:.1f} at most"
              f" (before: {rest.wait_ms(0.5):.1f}, {rest.wait_ms(0.99):.1f}, "
              f"{rest.waits_ms[-1]:.1f})\n"
              f"loop      99 % of its {max(since.values())} turns within "
              f"{turn_ms:g} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=GB)
    GB = parser.parse_args().gb
    unittest.main(argv=sys.argv[:1])
