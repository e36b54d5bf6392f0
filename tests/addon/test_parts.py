# SPDX-License-Identifier: Apache-2.0
"""The add-on's parts that know nothing of Blender, against a broker that is a
table of files and one job."""

import ast
import contextlib
import hashlib
import http.server
import json
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import tomllib
import types
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
ADDON = ROOT / "addon/frameq"

# The package without its __init__, which wants Blender.
sys.dont_write_bytecode = True
package = types.ModuleType("frameq")
package.__path__ = [str(ADDON)]
sys.modules["frameq"] = package

from frameq import broker, home, needs, send, task  # noqa: E402


def sha(data):
    return hashlib.sha256(data).hexdigest()


class FakeBroker(http.server.ThreadingHTTPServer):
    """Keeps files and jobs; `refuses` answers the next requests instead."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.blobs, self.parts, self.jobs = {}, {}, []
        self.asked, self.refuses, self.keys = [], [], set()
        self.pictures = {}  # (frame, index) -> bytes; None: not here
        self.frames = []
        self.state = "completed"
        self.url = "http://%s:%d" % self.server_address
        self.secure = None  # an ssl.SSLContext: speaks https
        threading.Thread(target=self.serve_forever, kwargs={
            "poll_interval": 0.01}, daemon=True).start()


    def finish_request(self, request, client_address):
        """In the thread of the connection, so that a handshake that fails
        ends no other."""
        if not self.secure:
            super().finish_request(request, client_address)
            return
        with contextlib.suppress(OSError), \
                self.secure.wrap_socket(request, server_side=True) as sealed:
            super().finish_request(sealed, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        server = self.server
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        server.asked.append((self.command, self.path, dict(self.headers)))
        if server.refuses:
            status, detail = server.refuses.pop(0)
            if status == 0:
                self.close_connection = True
                return
            self.answer(status, {"detail": detail})
        elif self.path.startswith("/v1/blobs/"):
            self.blob(self.path.rpartition("/")[2], body)
        elif self.command == "POST":
            self.post(json.loads(body))
        else:
            self.get()

    do_GET = do_HEAD = do_PUT = do_POST = handle_any

    def blob(self, name, body):
        server = self.server
        have = server.parts.get(name, b"")
        if name in server.blobs:
            self.answer(200 if self.command != "PUT" else 201)
            return
        if self.command != "PUT":
            self.answer(404, Upload_Offset=len(have))
            return
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)",
                             self.headers.get("Content-Range", ""))
        first, total = (int(match[1]), int(match[3])) if match else (0, 0)
        if first != len(have):
            self.answer(409, Upload_Offset=len(have))
            return
        have = server.parts[name] = have + body
        if len(have) < total:
            self.answer(202, Upload_Offset=len(have))
        elif sha(have) != name:
            self.answer(400, {"detail": "this is not the file of that name"})
        else:
            server.blobs[name] = server.parts.pop(name)
            self.answer(201)

    def post(self, fields):
        lacks = [file["path"] for file in fields.get("blend", [])
                 if file["sha256"] not in self.server.blobs]
        if lacks:
            self.answer(409, {"detail": f"{lacks[0]} is not here"})
            return
        key = self.headers["Idempotency-Key"]
        if key not in self.server.keys:
            self.server.keys.add(key)
            self.server.jobs.append(fields)
        self.answer(202, {"id": "job-one-of-them-all"})

    def get(self):
        url = urllib.parse.urlsplit(self.path)
        parts = url.path.split("/")
        if parts[-1] == "image":
            index = int(urllib.parse.parse_qs(url.query)["file"][0])
            picture = self.server.pictures.get((int(parts[-2]), index))
            if picture is None:
                self.answer(404, {"detail": "not sent yet"})
            else:
                self.answer(200, picture)
        elif parts[-1] == "frames":
            self.answer(200, {"frames": self.server.frames, "next": None})
        else:
            self.answer(200, {"state": self.server.state, "counts": {}},
                        ETag='"1-1"')


class PartsTest(unittest.TestCase):
    def setUp(self):
        self.server = FakeBroker()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.task = task.Task()
        self.task.rest = lambda seconds: None  # nobody waits here
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.broker = broker.Broker(self.server.url, "fq_secret")
        self.addCleanup(self.broker.close)

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return str(path)

    def asked(self, method):
        return [each for each in self.server.asked if each[0] == method]


class Addresses(PartsTest):
    def test_addresses(self):
        for text, url in (("farm:4000", "http://farm:4000"),
                          (" http://farm:4000/ ", "http://farm:4000"),
                          ("https://farm/q", "https://farm/q")):
            self.assertEqual(broker.Broker(text).url, url)
        for text in ("", "ftp://farm", "http://", "http://farm:x",
                     "http://farm:99999"):
            with self.assertRaisesRegex(broker.Trouble, "no address"):
                broker.Broker(text)

    def test_loopback(self):
        for text in ("127.0.0.1:4000", "http://localhost", "http://[::1]:1"):
            self.assertTrue(broker.is_loopback(text), text)
        for text in ("10.0.0.1:4000", "http://127.example.org:1", "farm"):
            self.assertEqual(broker.is_loopback(text), "127.e" in text, text)

    def test_a_token_that_is_none(self):
        with self.assertRaisesRegex(broker.Trouble, "token"):
            broker.Broker("farm", "a\nb")

    def test_nobody_there(self):
        self.server.shutdown()
        self.server.server_close()
        with self.assertRaisesRegex(broker.Trouble, "No broker answers") as c:
            broker.Broker(self.server.url).get("/v1/farm")
        self.assertTrue(c.exception.passing)


class Certificates(PartsTest):
    """A broker whose certificate nobody vouches for."""

    def setUp(self):
        super().setUp()
        self.cert, key = self.folder / "cert", self.folder / "key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
             self.cert, "-subj", "/CN=farm", "-addext",
             "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        self.key = key
        self.serve(self.cert)
        self.url = self.server.url.replace("http:", "https:")

    def serve(self, cert):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, self.key)
        self.server.secure = context

    def ask(self, url, ca):
        asking = broker.Broker(url, "", str(ca))
        self.addCleanup(asking.close)
        return asking.ask("GET", "/v1/farm").status

    def assert_said(self, url, ca, *words):
        with self.assertRaises(broker.Trouble) as caught:
            self.ask(url, ca)
        for word in words:
            self.assertIn(word, str(caught.exception))
        self.assertFalse(caught.exception.passing)

    def test_private(self):
        self.assert_said(self.url, "", "is not trusted here",
                         "as Certificate in the add-on's preferences")
        self.assertGreater(self.ask(self.url, self.cert), 0)

    def test_no_file(self):
        for ca in (self.folder / "gone", self.key):
            self.assert_said(self.url, ca, f"{ca} is no certificate",
                             "choose another file")

    def test_another_name(self):
        self.assert_said(self.url.replace("127.0.0.1", "localhost"),
                         self.cert, "is for another name")

    def test_expired(self):
        old = self.folder / "old"
        subprocess.run(["openssl", "x509", "-in", self.cert, "-signkey",
                        self.key, "-days", "-1", "-out", old],
                       check=True, capture_output=True)
        self.serve(old)
        self.assert_said(self.url, old, "has expired", "renews it")


class Refusals(PartsTest):
    def test_they_say_what_to_do(self):
        for status, word, passing in ((401, "preferences", False),
                                      (403, "role submit", False),
                                      (507, "disk is full", False),
                                      (503, "busy", True)):
            self.server.refuses = [(status, "busy")]
            with self.assertRaisesRegex(broker.Trouble, word) as caught:
                self.broker.get("/v1/farm")
            self.assertEqual(caught.exception.passing, passing)

    def test_no_broker(self):
        self.server.pictures[1, 0] = b"<html>"
        with self.assertRaisesRegex(broker.Trouble, "no frameq broker"):
            self.broker.get("/1/image?file=0")

    def test_the_token_goes_along(self):
        self.broker.get("/v1/farm")
        self.assertEqual(self.server.asked[0][2]["Authorization"],
                         "Bearer fq_secret")


class Sending(PartsTest):
    def scene(self):
        blend = self.write("p/shots/shot.blend", b"blend")
        texture = self.write("p/tex/a.png", b"t" * (2 * send.PIECE + 5))
        empty = self.write("p/tex/empty", b"")
        return send.laid_out(blend, blend, [texture, empty])

    def test_places(self):
        files = self.scene()
        self.assertEqual([file.path for file in files],
                         ["shots/shot.blend", "tex/a.png", "tex/empty"])
        copy = send.laid_out("/p/a.blend", "/tmp/copy.blend", [])
        self.assertEqual((copy[0].path, copy[0].source),
                         ("a.blend", "/tmp/copy.blend"))

    def test_all_then_nothing(self):
        document = send.submit(self.broker, self.scene(), {"from": 1},
                               self.task)
        self.assertEqual(document["id"], "job-one-of-them-all")
        self.assertEqual(set(map(len, self.server.blobs.values())),
                         {5, 2 * send.PIECE + 5, 0})
        self.assertEqual(self.task.done, self.task.total)
        puts = len(self.asked("PUT"))
        send.submit(self.broker, self.scene(), {"from": 1}, self.task)
        self.assertEqual(len(self.asked("PUT")), puts)
        self.assertEqual(self.server.jobs[0]["blend"][0]["size"], 5)

    def test_goes_on_after_a_break(self):
        files = self.scene()
        send.hash_files(files, self.task)
        self.server.parts[files[1].sha256] = b"t" * 100
        self.server.refuses = [(0, ""), (0, ""), (503, "busy")]
        send.send_files(self.broker, files, self.task)
        self.assertIn(files[1].sha256, self.server.blobs)
        ranges = [each[2].get("Content-Range") for each in self.asked("PUT")]
        self.assertIn(f"bytes 100-{send.PIECE + 99}/{2 * send.PIECE + 5}",
                      ranges)

    def test_a_file_that_changed(self):
        files = self.scene()
        send.hash_files(files, self.task)
        self.write("p/shots/shot.blend", b"other")
        with self.assertRaisesRegex(broker.Trouble, "changed"):
            send.send_files(self.broker, files, self.task)

    def test_gone_meanwhile(self):
        """What the broker swept between upload and job is sent again."""
        files = self.scene()
        send.hash_files(files, self.task)
        again = []

        def missing():
            again.append(1)
            send.send_files(self.broker, files, self.task)
        send.post_job(self.broker, {"blend": send.manifest(files)}, self.task,
                      missing)
        self.assertEqual((again, len(self.server.jobs)), ([1], 1))

    def test_a_refusal_is_not_repeated(self):
        self.server.refuses = [(400, "field `from`: missing")]
        with self.assertRaisesRegex(broker.Trouble, "field `from`"):
            send.post_job(self.broker, {}, self.task)
        self.assertEqual(len(self.asked("POST")), 1)

    def test_one_job_by_many_requests(self):
        self.server.refuses = [(503, "busy"), (500, "busy")]
        send.post_job(self.broker, {}, self.task)
        keys = {each[2]["Idempotency-Key"] for each in self.asked("POST")}
        self.assertEqual((len(keys), len(self.server.jobs)), (1, 1))

    def test_stop(self):
        self.task.stop()
        with self.assertRaises(task.Stopped):
            send.submit(self.broker, self.scene(), {}, self.task)
        self.assertEqual(self.server.jobs, [])


class Home(PartsTest):
    JOB = "job-one-of-them-all"

    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"
        self.home = home.Home(self.broker, self.JOB, str(self.out), self.task)

    def done(self, frame, data, path=None, here=True):
        path = path or f"/n/out/{self.JOB}/s_{frame:04}.png"
        self.server.frames.append({"frame": frame, "files": [
            {"path": path, "sha256": sha(data), "bytes": len(data)}]})
        self.server.pictures[frame, 0] = data if here else None

    def test_names(self):
        for path, name in ((f"/n/{self.JOB}/a_0001.png", "a_0001.png"),
                           (f"/n/{self.JOB}/x/a.png", "x/a.png"),
                           ("/n/a.png", "a.png"),
                           (f"/n/{self.JOB}/../a.png", None),
                           (f"/n/{self.JOB}//a.png", None),
                           (f"/n/{self.JOB}/.a.png", None),
                           ("/n/a\\..\\b.png", None), ("/n/C:b.png", None),
                           ("/n/", None)):
            self.assertEqual(home.name_of(self.JOB, path), name, path)

    def test_whole_files_once(self):
        self.done(1, b"one")
        self.assertTrue(self.home.fetch_done())
        self.done(2, b"two")
        self.assertTrue(self.home.fetch_done())
        self.assertEqual(self.home.fetched, 2)
        self.assertEqual(sorted(path.name for path in self.out.iterdir()),
                         ["s_0001.png", "s_0002.png"])
        again = home.Home(self.broker, self.JOB, str(self.out), self.task)
        self.assertTrue(again.fetch_done())
        self.assertEqual(again.fetched, 0)

    def test_a_frame_that_was_rendered_again(self):
        self.done(1, b"one")
        self.home.fetch_done()
        self.server.frames.clear()
        self.done(1, b"new")
        self.home.fetch_done()
        self.assertEqual((self.out / "s_0001.png").read_bytes(), b"new")

    def test_damaged_leaves_nothing(self):
        self.done(1, b"one")
        self.server.pictures[1, 0] = b"on"
        self.assertFalse(self.home.fetch_done())
        self.assertEqual(list(self.out.iterdir()), [])

    def test_late_ones_are_waited_for(self):
        self.done(1, b"one", here=False)
        rests = []

        def rest(_seconds):
            rests.append(1)
            if len(rests) == 3:
                self.server.pictures[1, 0] = b"one"
        self.task.rest = rest
        seen = []
        home.Follow(self.broker, self.JOB, self.task, seen.append,
                    self.home).run()
        self.assertEqual((self.out / "s_0001.png").read_bytes(), b"one")
        self.assertEqual(seen[0]["state"], "completed")

    def test_never_to_be_had(self):
        self.done(1, b"one", here=False)
        late, home.LATE_SECONDS = home.LATE_SECONDS, -1
        self.addCleanup(setattr, home, "LATE_SECONDS", late)
        with self.assertRaisesRegex(broker.Trouble, "--results keep"):
            home.Follow(self.broker, self.JOB, self.task, lambda _: None,
                        self.home).run()


class Needs(PartsTest):
    def ask(self, script):
        blender = self.folder / "blender"
        blender.write_text("#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\n"
                           + script)
        blender.chmod(0o755)
        self.task.rest = task.Task().rest
        return needs.ask(str(blender), "/p/.copy.blend", "shot.blend",
                         str(self.folder), self.task)

    def test_told(self):
        told = self.ask("""cat >"$2" <<END
{"files": ["/p/a.png"], "missing": ["$4"], "fixed": false, "warnings": []}
END
""")
        self.assertEqual(told["files"], ["/p/a.png"])
        self.assertEqual(told["missing"], ["shot.blend"])
        self.assertEqual(told["blend"], "/p/.copy.blend")

    def test_a_copy_with_other_paths(self):
        told = self.ask("""cat >"$2" <<END
{"files": [], "missing": [], "fixed": true, "warnings": []}
END
""")
        self.assertEqual(told["blend"], str(self.folder / "fixed.blend"))

    def test_it_fails(self):
        with self.assertRaisesRegex(broker.Trouble, "Error: no"):
            self.ask("echo Read; echo Error: no; exit 1")
        with self.assertRaisesRegex(broker.Trouble, "cannot start"):
            needs.ask("/nowhere/blender", "a", "a", str(self.folder), self.task)

    def test_missing_words(self):
        self.assertIn("5 files", needs.missing_words(list("abcde")))
        self.assertIn("a, b, c, ...", needs.missing_words(list("abcde")))
        self.assertNotIn("...", needs.missing_words(["a"]))


class Tasks(unittest.TestCase):
    def run_one(self, work):
        one = task.Task().start(work)
        one.join()
        return one

    def test_troubles_are_kept(self):
        def trouble(_):
            raise broker.Trouble("no")

        def full(_):
            raise OSError(28, "No space left on device")
        self.assertEqual(self.run_one(trouble).trouble, "no")
        self.assertIn("No space left", self.run_one(full).trouble)
        self.assertIsNone(self.run_one(lambda _: None).trouble)

    def test_stop_is_no_trouble(self):
        begun = threading.Event()

        def work(one):
            begun.set()
            one.rest(60)
        one = task.Task().start(work)
        begun.wait()
        one.stop()
        one.join()
        self.assertIsNone(one.trouble)
        self.assertFalse(one.running())

    def test_fraction(self):
        one = task.Task()
        self.assertEqual(one.fraction(), 0)
        one.begin("sending", 4)
        one.step(1)
        self.assertEqual(one.fraction(), 0.25)


class Package(unittest.TestCase):
    def test_one_version(self):
        """bl_info and the manifest cannot read it from anywhere."""
        text = (ADDON / "__init__.py").read_text()
        info = next(ast.literal_eval(node.value) for node in
                    ast.parse(text).body if isinstance(node, ast.Assign))
        manifest = tomllib.loads((ADDON / "blender_manifest.toml").read_text())
        project = re.search(r"project\(frameq VERSION ([\d.]+)",
                            (ROOT / "CMakeLists.txt").read_text())[1]
        self.assertEqual(".".join(map(str, info["version"])), project)
        self.assertEqual(manifest["version"], project)

    def test_manifest_within_the_rules(self):
        manifest = tomllib.loads((ADDON / "blender_manifest.toml").read_text())
        texts = [manifest["tagline"], *manifest["permissions"].values()]
        for text in texts:
            self.assertLessEqual(len(text), 64)
            self.assertTrue(text[-1].isalnum(), text)

    def test_standard_library_alone(self):
        for path in ADDON.glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = []
                if isinstance(node, ast.Import):
                    names = [each.name for each in node.names]
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module]
                for name in names:
                    top = name.split(".")[0]
                    self.assertTrue(top == "bpy" or
                                    top in sys.stdlib_module_names, name)


if __name__ == "__main__":
    unittest.main()
