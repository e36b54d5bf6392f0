# SPDX-License-Identifier: Apache-2.0
# ctest: smoke threads long
"""Files in an S3-compatible store (--store): put and fetched there by who has or
needs them, trusted no further than their hash."""

import importlib
import os
import re
import shutil
import socket
import sys
import threading
import types
import unittest.mock

import farm
from fake_s3 import BUCKET, FakeS3, checksum
from uploads import fake_blender, item, name_of
from wire import Web, host_port

PLACE = f"s3://{BUCKET}/frameq"
LIMIT_STORE_PUT = 5 * 1024 ** 3


class Store(farm.FarmTest):
    def start(self, *flags):
        self.store = FakeS3(self)
        self.host = self.broker("--store", PLACE, *flags, env=self.store.env)

    def farm_of_one(self):
        self.output = self.folder / "output"
        self.output.mkdir()
        self.node_1 = self.fake("--superset", frames=self.output)
        self.cache = self.folder / "cache"
        self.worker = self.agent(self.host, self.node_1, "a1", "--cache",
                                 self.cache)
        self.host.await_agents("a1")

    def scene(self):
        """A scene beside this test, and its files' bytes by path."""
        project = self.folder / "project"
        (project / "tex").mkdir(parents=True)
        files = {"shot.blend": os.urandom(3_000_000), "tex/a.png": b"picture",
                 "tex/empty": b""}
        for path, data in files.items():
            (project / path).write_bytes(data)
        self.blender = fake_blender(
            self.folder, [project / path for path in list(files)[1:]])
        return project / "shot.blend", files

    def submit(self, blend, *args, code=0):
        told = self.cli(self.host, "submit", blend, "-f", "1-4", "--upload",
                        "on", "--blender", self.blender, *args, seconds=30)
        self.assertEqual(told.returncode, code, told)
        return told

    def key(self, data):
        return "frameq/" + name_of(data)

    def blob(self, method, data, body=None, total=None):
        headers = {} if total is None else {"Content-Range": f"bytes */{total}"}
        return self.host.web().request(method, f"/v1/blobs/{name_of(data)}",
                                       body, headers)

    def store_put(self, url, data, **headers):
        """Puts bytes where the broker sent us."""
        host, _, path = url.removeprefix("http://").partition("/")
        return Web(host).request("PUT", "/" + path, data, {
            name.replace("_", "-"): value for name, value in headers.items()})

    def put(self, data):
        """As a client does."""
        self.store.objects[self.key(data)] = data
        self.assertEqual(self.blob("HEAD", data).status, 200)

    def kept_here(self):
        """Bytes that the broker's own disk has of files."""
        return sum(path.stat().st_blocks * 512
                   for path in (self.host.data / "blobs").rglob("*")
                   if path.is_file() and len(path.parent.name) != 2)

    def test_there_and_back(self):
        """A scene goes to the store and comes from there, its frames too; no
        byte of them to the broker, no token to the store."""
        tokens = self.folder / "tokens"
        made = self.run_program("frameq", "token", "add", "me", "--role",
                                "admin", "--tokens", tokens)
        secret = re.search(r"fq_\S+", made.stdout)[0]
        with unittest.mock.patch.dict(os.environ, FRAMEQ_TOKEN=secret):
            self.start("--results", "keep", "--tokens", tokens)
            blend, files = self.scene()
            self.output = self.folder / "output"
            node = self.fake("--superset", frames=self.output)
            cache = self.folder / "cache"
            self.agent(self.host, node, "a1", "--cache", cache)
            job = self.submit(blend).stdout.strip()
            told = self.cli(self.host, "watch", job, seconds=30)
            self.assertEqual(told.returncode, 0, told)
            laid_out = {path.read_bytes() for path in
                        (cache / "scenes").rglob("*") if path.is_file()}
            self.assertEqual(laid_out, set(files.values()))
            farm.until("all frames in the store",
                       lambda: len(self.store.objects) == len(files) + 4)
            shutil.rmtree(self.output)

            def home():
                told = self.cli(self.host, "fetch", job, "home", seconds=30)
                return told.returncode == 0 and "4 fetched" in told.stdout
            farm.until("all frames home", home)
        for path in (self.folder / "home").rglob("*.*"):
            data = path.read_bytes()
            self.assertEqual(self.store.objects[self.key(data)], data)
        for data in files.values():
            self.assertEqual(self.store.objects[self.key(data)], data)
        self.assertEqual(self.store.faults, [])
        self.assertEqual(self.kept_here(), 0)

    def test_sent_once(self):
        """What is there is not put again, after a restart either, nor where the
        broker has forgotten all it knew."""
        self.start()
        blend, files = self.scene()
        self.submit(blend)
        self.assertEqual(len(self.store.asked("PUT")), len(files))
        self.submit(blend)
        self.host.terminate()
        shutil.rmtree(self.host.data)
        self.host.restart()
        self.submit(blend)
        self.assertEqual(len(self.store.asked("PUT")), len(files))
        del self.store.objects[self.key(b"picture")]
        self.submit(blend)
        self.assertEqual(len(self.store.asked("PUT")), len(files) + 1)
        self.assertEqual(self.store.faults, [])

    def test_asked_by_hand(self):
        """The routes, and that a URL is good for those bytes alone."""
        self.start()
        answer = self.blob("HEAD", b"picture")
        self.assertEqual(answer.status, 404)
        self.assertEqual(answer.headers["Upload-Store"], self.store.url)
        self.assertEqual(answer.headers["Upload-Offset"], "0")
        answer = self.blob("PUT", b"picture", total=7)
        self.assertEqual(answer.status, 307)
        url = answer.headers["Location"]
        sums = {data: {"x_amz_checksum_sha256": checksum(data)}
                for data in (b"picture", b"pictura")}
        right, other = sums.values()
        self.assertEqual(self.store_put(url, b"pictura", **right).status, 400)
        self.assertEqual(self.store_put(url, b"pictura", **other).status, 403)
        self.assertEqual(self.store_put(url, b"pictura").status, 403)
        self.assertEqual(
            self.store_put(url.replace(name_of(b"picture"), name_of(b"x")),
                           b"picture", **right).status, 403)
        self.assertEqual(self.store.objects, {})
        self.assertEqual(self.store_put(url, b"picture", **right).status, 200)
        self.assertEqual(self.blob("PUT", b"picture", total=7).status, 201)
        answer = self.blob("HEAD", b"picture")
        self.assertEqual((answer.status, answer.headers["Content-Length"]),
                         (200, "7"))
        url = self.blob("GET", b"picture").headers["Location"]
        host, _, path = url.removeprefix("http://").partition("/")
        self.assertEqual(Web(host).get("/" + path).body, b"picture")
        self.assertEqual(Web(host).delete("/" + path).status, 403)
        for total, status in ((LIMIT_STORE_PUT, 307), (LIMIT_STORE_PUT + 1, 413),
                              ("x", 400)):
            self.assertEqual(self.blob("PUT", b"y", total=total).status, status)

    def test_other_bytes_under_a_name(self):
        """Whoever wrote them there: they do not count as that file."""
        self.start()
        self.store.objects[self.key(b"picture")] = b"pictura"
        self.assertEqual(self.blob("HEAD", b"picture").status, 404)
        self.assertEqual(self.blob("PUT", b"picture", total=7).status, 307)
        self.store.checksums = False
        answer = self.blob("GET", b"picture")
        self.assertEqual(answer.status, 503)
        self.assertIn("keeps no SHA-256", answer.json()["detail"])

    def test_agents_trust_no_bytes(self):
        """Wrong ones, and those that break off, are never rendered from; what
        can be had at last is."""
        self.start()
        self.farm_of_one()
        files = {"shot.blend": os.urandom(200_000), "a.png": b"picture"}
        for data in files.values():
            self.put(data)
        blend = [item(path, data) for path, data in files.items()]
        self.store.cuts = [70_000, 60_000]
        job = self.host.submit(frames="1-2", blend=blend)["id"]
        self.host.await_job(job)
        self.assertEqual(self.store.cuts, [])
        self.assertEqual([status for method, key, status in self.store.seen
                          if method == "GET" and
                          key == self.key(files["shot.blend"])],
                         [200, 206, 206])
        self.store.lies = True
        self.put(b"another")
        job = self.host.submit(frames="1-2",
                               blend=[item("shot.blend", b"another")])["id"]
        farm.until("it came wrong, twice", lambda: [
            key for _, key, status in self.store.asked("GET")].count(
                self.key(b"another")) >= 2)
        self.assertEqual(len(self.node_1.started()), 2)
        self.store.lies = False
        self.host.await_job(job)
        self.assertEqual(self.store.faults, [])

    def test_gone_from_the_store(self):
        """An agent that is sent on to nothing says so; the next submit puts it
        there again."""
        self.start()
        self.farm_of_one()
        blend, files = self.scene()
        job = self.submit(blend, "--paused").stdout.strip()
        del self.store.objects[self.key(b"picture")]
        self.host.web().patch(f"/v1/jobs/{job}", {"paused": False})
        document = self.host.await_job(job, "failed")
        self.assertIn("files_missing", str(document))
        self.host.await_job(self.submit(blend).stdout.strip())

    def test_store_down(self):
        """Named, with what to do; the broker goes on, and ends in time."""
        self.start()
        self.farm_of_one()
        self.put(b"scene")
        self.store.failing = {"GET": 503}
        job = self.host.submit(frames="1-2",
                               blend=[item("a.blend", b"scene")])["id"]
        farm.until("the agent was refused",
                   lambda: len(self.store.asked("GET")) > 1)
        self.assertNotEqual(self.host.job(job)["state"], "failed")
        self.store.failing = {}
        self.host.await_job(job)
        self.store.stop()
        answer = self.blob("GET", b"picture")
        self.assertEqual(answer.status, 503)
        for word in (PLACE, self.store.url, "AWS_ENDPOINT_URL"):
            self.assertIn(word, answer.json()["detail"])
        self.assertIn("store_ails", self.host.log_text())
        self.store.start()
        self.assertEqual(self.blob("GET", b"picture").status, 404)
        self.assertIn("store_well", self.host.log_text())
        self.store.failing = {"HEAD": 403}
        self.assertIn("clock", self.blob("GET", b"picture").json()["detail"])
        self.store.failing = {}
        self.store.gate.clear()
        request = f"HEAD /v1/blobs/{name_of(b'x')} HTTP/1.1\r\nHost: x\r\n\r\n"
        with socket.create_connection(host_port(self.host.address)) as waits:
            waits.sendall(request.encode())
            self.assertEqual(self.host.web().get("/v1/farm").status, 200)
            self.assertEqual(self.host.terminate(), 0)

    def test_submit_waits_for_the_store(self):
        self.start()
        blend, files = self.scene()
        self.store.failing = {"PUT": 503}

        def well_again():
            farm.until("two refused", lambda: len(self.store.asked("PUT")) > 1)
            self.store.failing = {}
        watcher = threading.Thread(target=well_again)
        watcher.start()
        self.submit(blend)
        watcher.join()
        self.assertEqual(len(self.store.objects), len(files))
        self.store.objects.clear()
        self.store.failing = {"PUT": 403}
        told = self.submit(blend, code=3)
        for word in ("the store at", "403", "submit again"):
            self.assertIn(word, told.stderr)

    def test_addon(self):
        """Blender's add-on puts and fetches there too."""
        package = types.ModuleType("frameq")  # its __init__ wants Blender
        package.__path__ = [str(farm.ROOT / "addon/frameq")]
        with unittest.mock.patch.dict(sys.modules, frameq=package):
            broker, home, send, task = (
                importlib.import_module(f"frameq.{name}")
                for name in ("broker", "home", "send", "task"))
        self.start("--results", "keep")
        self.farm_of_one()
        blend, files = self.scene()
        there, work = broker.Broker(self.host.url, "fq_secret"), task.Task()
        listed = send.laid_out(str(blend), str(blend), [
            str(blend.parent / path) for path in list(files)[1:]])
        job = send.submit(there, listed, {"frames": "1-2"}, work)["id"]
        self.host.await_job(job)
        self.assertEqual(len(self.store.asked("PUT")) >= len(files), True)
        farm.until("frames in the store",
                   lambda: len(self.store.objects) == len(files) + 2)
        shutil.rmtree(self.output)
        brings = home.Home(there, job, str(self.folder / "home"), work)
        farm.until("frames here", brings.fetch_done)
        self.assertEqual(brings.fetched, 2)
        self.assertEqual(self.store.faults, [])
        there.close()

    def test_swept(self):
        """What goes here goes there."""
        self.start("--upload-gb", "0.000001")
        old, fresh = b"b" * 350, b"a" * 600
        self.put(old)
        self.put(fresh)
        self.assertEqual(self.blob("PUT", b"c", total=200).status, 507)
        self.assertEqual(self.blob("PUT", b"d", total=20).status, 307)
        self.store.objects[self.key(b"d")] = b"d" * 20  # and nobody came back
        long_ago = 1_000_000_000
        for path, data in (("stored", old), ("offered", b"d")):
            os.utime(self.host.data / "blobs" / path / name_of(data),
                     (long_ago, long_ago))
        self.host.terminate()
        self.store.failing = {"DELETE": 503}
        self.host.restart()
        farm.until("the store was told", lambda: self.store.asked("DELETE"))
        self.host.terminate()
        self.assertEqual(len(self.store.objects), 3)
        self.store.failing.clear()
        self.host.restart()
        farm.until("one is left", lambda: list(self.store.objects) ==
                   [self.key(fresh)])
        self.assertEqual(self.store.faults, [])

    def test_settings(self):
        good = FakeS3(self).env
        for place in ("farm", "s3://", "s3://UP/x", "s3://farm/../x",
                      "s3://farm/a b"):
            told = self.run_program("frameq-broker", "--store", place, env=good)
            self.assertEqual(told.returncode, 2, told)
        for name, value, word in (
                ("AWS_ACCESS_KEY_ID", "", "AWS_ACCESS_KEY_ID"),
                ("AWS_SECRET_ACCESS_KEY", "", "AWS_SECRET_ACCESS_KEY"),
                ("AWS_SESSION_TOKEN", "x", "do not expire"),
                ("AWS_REGION", "a/b", "AWS_REGION"),
                ("AWS_ENDPOINT_URL", "ftp://x", "AWS_ENDPOINT_URL")):
            told = self.run_program(
                "frameq-broker", "--http", f"{farm.HOST}:0", "--zmq",
                f"{farm.HOST}:0", "--store", PLACE, env={**good, name: value})
            self.assertEqual(told.returncode, 1, told)
            self.assertIn(word, told.stderr)


if __name__ == "__main__":
    farm.main()
