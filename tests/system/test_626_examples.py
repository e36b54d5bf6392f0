# SPDX-License-Identifier: Apache-2.0
"""docs/examples do what they say: the client submits, follows and fetches,
across a restart of the broker too; the ten lines see every frame."""

import importlib.util
import json
import os
import subprocess
import sys
import threading
import unittest

import farm

EXAMPLES = farm.ROOT / "docs/examples"
PEERS = all(importlib.util.find_spec(name) for name in ("zmq", "msgpack"))


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Examples(farm.FarmTest):
    def setUp(self):
        self.output = self.folder / "output"
        self.output.mkdir()
        self.fake_node = self.fake("--superset", frames=self.output,
                                   frame_ms=20)
        self.host = self.farm(self.fake_node)

    def run_example(self, name, *args):
        return subprocess.Popen(
            [sys.executable, EXAMPLES / f"{name}.py", *map(str, args)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env=dict(os.environ, FRAMEQ_BROKER=self.host.url))

    def test_client(self):
        home = self.folder / "home"
        done = self.run_example("client", "1-12", home, "--name", "shot")
        out, err = done.communicate(timeout=60 * farm.SLOW)
        self.assertEqual((done.returncode, err), (0, ""), out)
        self.assertIn("completed: 12 of 12 done, 0 failed", out)
        pictures = {path.name: path.read_bytes()
                    for path in self.output.rglob("*")
                    if path.is_file() and ".work" not in path.parts}
        self.assertEqual({path.name: path.read_bytes()
                          for path in home.iterdir()}, pictures)
        self.assertEqual(len(pictures), 12)
        done = self.run_example("client", "12-1", home)
        out, err = done.communicate(timeout=60 * farm.SLOW)
        self.assertEqual((done.returncode, out), (1, ""))
        self.assertRegex(err, "refused: field `frames`")

    def test_client_across_a_restart(self):
        client = example("client").Frameq(self.host.url)
        job = client.submit(frames="1-40", batch=5)
        seen = []
        half = threading.Event()

        def follow():
            for document in client.follow(job["id"]):
                seen.append(document["counts"]["done"])
                if seen[-1] >= 10:
                    half.set()

        thread = threading.Thread(target=follow)
        thread.start()
        self.assertTrue(half.wait(30 * farm.SLOW))
        self.host.kill()
        self.host.restart()
        thread.join(60 * farm.SLOW)
        self.assertEqual(seen[-1], 40)
        self.assertEqual(seen, sorted(seen))

    @unittest.skipUnless(PEERS, "no python3-zmq and python3-msgpack")
    def test_subscriber(self):
        watcher = self.run_example("subscribe")
        for end in (watcher.wait, watcher.kill, watcher.stderr.close,
                    watcher.stdout.close):
            self.addCleanup(end)
        events = (line.split(" ", 1) for line in watcher.stdout)
        stop = threading.Event()

        def knock():
            while not stop.wait(0.05):
                self.host.render(1, 1)

        knocking = threading.Thread(target=knock)
        knocking.start()
        next(events)  # it hears
        stop.set()
        knocking.join()
        job = self.host.submit(frames="1-12")["id"]
        frames = set()
        for topic, text in events:
            event = json.loads(text)
            if topic != f"job/{job}/":
                continue
            if event["type"] == "frame" and event["state"] == "done":
                frames.add(event["frame"])
            if event.get("change") == "ended":
                break
        self.assertEqual(frames, set(range(1, 13)))
        code = (EXAMPLES / "subscribe.py").read_text().split('"""\n')[-1]
        self.assertLessEqual(len(code.splitlines()), 10)


if __name__ == "__main__":
    farm.main()
