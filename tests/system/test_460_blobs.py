# SPDX-License-Identifier: Apache-2.0
# ctest: smoke threads
"""Uploaded files at the broker: sent in pieces, gone on with after a break,
there whole and right or not at all; and the list of them as a job's blend."""

import hashlib
import json
import os

import farm

PIECE = 1024 * 1024  # LIMIT_BODY


def name_of(data):
    return hashlib.sha256(data).hexdigest()


def item(path, data):
    return {"path": path, "sha256": name_of(data), "size": len(data)}


class Blobs(farm.FarmTest):
    def setUp(self):
        self.host = self.broker()

    def put(self, name, data, first=None, total=None):
        headers = {}
        if first is not None:
            last = first + len(data) - 1
            headers["Content-Range"] = f"bytes {first}-{last}/{total}"
        return self.host.web().request("PUT", f"/v1/blobs/{name}", data, headers)

    def head(self, name):
        return self.host.web().request("HEAD", f"/v1/blobs/{name}")

    def send(self, data, offset=0):
        """All of it from offset on; returns the bytes that were sent."""
        web, sent = self.host.web(keep=True), 0
        while offset < len(data):
            piece = data[offset:offset + PIECE]
            last = offset + len(piece) - 1
            answer = web.request(
                "PUT", f"/v1/blobs/{name_of(data)}", piece,
                {"Content-Range": f"bytes {offset}-{last}/{len(data)}"})
            self.assertIn(answer.status, (201, 202), answer)
            offset += len(piece)
            sent += len(piece)
        web.close()
        self.assertEqual(answer.status, 201, answer)
        return sent

    def kept(self, name):
        return self.host.data / "blobs" / name[:2] / name

    def test_small_one(self):
        data = b"a scene"
        self.assertEqual(self.head(name_of(data)).status, 404)
        self.assertEqual(self.put(name_of(data), data).status, 201)
        self.assertEqual(self.put(name_of(data), data).status, 201)
        answer = self.host.web().get(f"/v1/blobs/{name_of(data)}")
        self.assertEqual((answer.status, answer.body), (200, data))
        self.assertEqual(answer.headers["ETag"], f'"{name_of(data)}"')
        self.assertEqual(self.head(name_of(data)).headers["Content-Length"], "7")
        self.assertEqual(self.kept(name_of(data)).read_bytes(), data)

    def test_empty_one(self):
        self.assertEqual(self.put(name_of(b""), b"").status, 201)
        self.assertEqual(self.host.web().get(f"/v1/blobs/{name_of(b'')}").body,
                         b"")

    def test_ranges(self):
        data = bytes(range(256)) * 4
        self.put(name_of(data), data)
        for header, status, body in (
                ("bytes=0-", 206, data), ("bytes=100-199", 206, data[100:200]),
                ("bytes=1000-9999", 206, data[1000:]), ("bytes=1023-", 206,
                                                       data[1023:]),
                ("bytes=-5", 206, data[-5:]), ("bytes=5-4", 200, data),
                ("bytes=1024-", 416, None), ("bytes=1025-", 416, None),
                ("bytes=9999-99999", 416, None), ("bytes=-0", 416, None),
                ("bytes=1-2,4-5", 200, data), ("lines=1-2", 200, data)):
            answer = self.host.web().get(f"/v1/blobs/{name_of(data)}",
                                         range=header)
            self.assertEqual(answer.status, status, header)
            if body is not None:
                self.assertEqual(answer.body, body, header)
            else:
                self.assertEqual(answer.headers["Content-Range"],
                                 "bytes */1024", header)
        self.assertEqual(
            self.host.web().get(f"/v1/blobs/{name_of(data)}",
                                range="bytes=9-10").headers["Content-Range"],
            "bytes 9-10/1024")

    def test_what_the_client_has_is_not_sent_again(self):
        data = os.urandom(100)
        self.send(data)
        path, tag = f"/v1/blobs/{name_of(data)}", f'"{name_of(data)}"'
        get = self.host.web().get
        for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            same = get(path, if_none_match=known)
            self.assertEqual((same.status, same.body, same.headers["ETag"]),
                             (304, b"", tag), known)
        self.assertEqual(get(path, if_none_match='"x"').body, data)
        self.assertEqual(get(path, range="bytes=1-2", if_range=tag).body,
                         data[1:3])
        other = get(path, range="bytes=1-2", if_range='"x"')
        self.assertEqual((other.status, other.body), (200, data))

    def test_a_wrong_size_stops_nobody(self):
        data = os.urandom(100)
        self.assertEqual(self.put(name_of(data), data, 0, 101).status, 202)
        again = self.put(name_of(data), data, 0, 100)
        self.assertEqual((again.status, again.headers["Upload-Offset"]),
                         (201, None))
        self.assertEqual(self.host.web().get(
            f"/v1/blobs/{name_of(data)}").body, data)

    def test_goes_on_after_a_break(self):
        data = os.urandom(10 * PIECE + 12345)
        name = name_of(data)
        for pieces in (3, 6, 9):
            offset = int(self.head(name).headers["Upload-Offset"])
            self.send_some(data, offset, pieces * PIECE)
            self.host.kill()
            self.host.restart()
        offset = int(self.head(name).headers["Upload-Offset"])
        self.assertEqual(offset, 9 * PIECE)
        self.send(data, offset)
        self.assertEqual(self.host.web().get(f"/v1/blobs/{name}").body, data)

    def send_some(self, data, offset, end):
        while offset < end:
            answer = self.put(name_of(data), data[offset:offset + PIECE],
                              offset, len(data))
            self.assertEqual(answer.status, 202, answer)
            offset += PIECE
            self.assertEqual(int(answer.headers["Upload-Offset"]), offset)

    def test_a_piece_in_the_wrong_place(self):
        data = os.urandom(3000)
        name = name_of(data)
        self.put(name, data[:1000], 0, 3000)
        for first in (0, 500, 2000):
            answer = self.put(name, data[first:first + 1000], first, 3000)
            self.assertEqual(answer.status, 409, answer)
            self.assertEqual(answer.headers["Upload-Offset"], "1000")
        self.assertEqual(self.put(name, data[1000:], 1000, 3000).status, 201)

    def test_other_bytes_than_the_name_says(self):
        data = os.urandom(3000)
        wrong = data[:2999] + bytes([data[2999] ^ 1])
        answer = self.put(name_of(data), wrong)
        self.assertEqual(answer.status, 400)
        self.assertIn(name_of(wrong), answer.text)
        answer = self.head(name_of(data))
        self.assertEqual((answer.status, answer.headers["Upload-Offset"]),
                         (404, "0"))
        self.assertEqual(self.put(name_of(data), data).status, 201)

    def test_a_partial_file_damaged_meanwhile(self):
        data = os.urandom(3000)
        name = name_of(data)
        self.put(name, data[:1000], 0, 3000)
        self.host.kill()
        part = self.host.data / "blobs" / "part" / name
        part.write_bytes(bytes(255 - byte for byte in part.read_bytes()))
        self.host.restart()
        self.assertEqual(self.put(name, data[1000:], 1000, 3000).status, 400)
        self.assertEqual(self.put(name, data).status, 201)

    def test_bad_names_and_headers(self):
        data = b"x" * 100
        name = name_of(data)
        for bad in ("x", name[:-1], name.upper(), name[:-1] + "g", "..",
                    "..%2f..%2fetc%2fpasswd", name + "0"):
            for method in ("GET", "PUT"):
                answer = self.host.web().request(method, f"/v1/blobs/{bad}",
                                                 data)
                self.assertIn(answer.status, (400, 404), bad)
        for bad in ("bytes 0-98/100", "bytes 1-100/100",
                    "bytes 0-99/*", "bytes 99-0/100", "0-99/100", "bytes 0-99",
                    "bytes -1-98/100", "bytes 0-99/99999999999999999999999",
                    "bytes 0-99/274877906945"):  # LIMIT_BLOB + 1
            answer = self.host.web().request("PUT", f"/v1/blobs/{name}", data,
                                             {"Content-Range": bad})
            self.assertEqual(answer.status, 400, bad)
        answer = self.host.web().request(
            "PUT", f"/v1/blobs/{name}", data,
            {"Content-Range": "bytes 0-99/274877906944"})
        self.assertIn(answer.status, (202, 507), answer)
        answer = self.put(name, b"x" * (PIECE + 1))
        self.assertEqual(answer.status, 413)

    def test_no_more_than_there_is_room_for(self):
        other = self.broker("--upload-gb", 1)
        answer = other.web().request(
            "PUT", f"/v1/blobs/{name_of(b'x')}", b"x" * 10,
            {"Content-Range": "bytes 0-9/1000000001"})
        self.assertEqual(answer.status, 507, answer)
        self.assertIn("1000000000 bytes", answer.text)

    # --- Jobs. ---

    def job(self, blend, **fields):
        return self.host.web().post("/v1/jobs", {"frames": "1-2",
                                                 "blend": blend, **fields})

    def test_missing_files_are_named(self):
        blend, picture = b"blend", b"picture"
        files = [item("shot.blend", blend), item("tex/a.png", picture)]
        answer = self.job(files)
        self.assertEqual(answer.status, 409, answer)
        self.assertIn("2 of its files", answer.json()["detail"])
        self.put(name_of(blend), blend)
        answer = self.job(files)
        self.assertEqual(answer.status, 409, answer)
        self.assertIn("tex/a.png", answer.json()["detail"])
        self.put(name_of(picture), picture)
        answer = self.job(files)
        self.assertEqual(answer.status, 202, answer)
        job = answer.json()
        self.assertRegex(job["blend"], r"^blob:[0-9a-f]{64}/shot\.blend$")
        self.host.kill()
        self.host.restart()
        self.assertEqual(self.host.job(job["id"])["blend"], job["blend"])
        again = self.job(job["blend"])
        self.assertEqual(again.status, 202, again)
        self.assertEqual(again.json()["blend"], job["blend"])
        self.assertEqual(self.host.web().post(
            "/render", {"from": 1, "to": 2, "blend": files}).status, 202)

    def test_a_size_that_is_not_the_file_s(self):
        self.put(name_of(b"blend"), b"blend")
        answer = self.job([{**item("a.blend", b"blend"), "size": 6}])
        self.assertEqual(answer.status, 409, answer)

    # --- A version that is pinned. ---

    def test_pinned(self):
        path = self.folder / "shot.blend"
        path.write_bytes(b"blend")
        job = self.job(str(path), pin=True)
        self.assertEqual(job.status, 202, job)
        self.assertEqual(job.json()["blend_sha256"], name_of(b"blend"))
        self.assertTrue(job.json()["pin"])
        given = self.job(str(self.folder / "elsewhere.blend"), pin=True,
                         blend_sha256=name_of(b"other"))
        self.assertEqual(given.json()["blend_sha256"], name_of(b"other"))
        self.assertNotIn("blend_sha256", self.job(str(path)).json())
        os.mkfifo(self.folder / "pipe.blend")
        for name, words in (("elsewhere.blend", "No such file"),
                            ("pipe.blend", "no file"), ("", "no file")):
            answer = self.job(str(self.folder / name), pin=True)
            self.assertEqual(answer.status, 409, answer)
            self.assertIn(words, answer.json()["detail"])
            self.assertIn("frameq submit --pin", answer.json()["detail"])
        for blend in ("shot.blend", "", 7):
            answer = self.job(blend, pin=True)
            self.assertEqual(answer.status, 400, answer)
        answer = self.job(str(path), pin="yes")
        self.assertEqual(answer.status, 400, answer)
        self.put(name_of(b"blend"), b"blend")
        answer = self.job([item("shot.blend", b"blend")], pin=True)
        self.assertEqual(answer.status, 202, answer)
        told = self.cli(self.host, "submit", path, "-f", "1", "--pin", "--json")
        self.assertEqual(json.loads(told.stdout)["blend_sha256"],
                         name_of(b"blend"))

    def test_unknown_list(self):
        answer = self.job("blob:" + "0" * 64 + "/a.blend")
        self.assertEqual(answer.status, 409, answer)

    def test_same_key_same_job(self):
        self.put(name_of(b"blend"), b"blend")
        body = {"frames": "1", "blend": [item("a.blend", b"blend")]}
        answers = [self.host.web().post("/v1/jobs", body,
                                        idempotency_key="k1").json()["id"]
                   for _ in range(2)]
        self.assertEqual(*answers)

    def test_bad_lists(self):
        good = item("a.blend", b"blend")
        self.put(name_of(b"blend"), b"blend")
        cases = [([], "1 to 8000"), ([1], "object"),
                 ([good] * 8001, "1 to 8000"),
                 ([item("a.png", b"blend")], ".blend"),
                 ([{**good, "link": "x"}], "link"),
                 ([{"path": "a.blend", "size": 5}], "sha256"),
                 ([{**good, "sha256": "x"}], "hex"),
                 ([{**good, "size": -1}], "size"),
                 ([good, good], "twice"),
                 ([good, item("a.blend/x", b"blend")], "folder")]
        for path in ("../a.blend", "x/../a.blend", "/a.blend", "a\0.blend",
                     "a//a.blend", "./a.blend", "x\\a.blend", "",
                     "x" * 256 + ".blend", "a/" * 600 + "a.blend",
                     "a\n.blend", "a/..", "a/."):
            cases.append(([good, item(path, b"blend")], "item 2"))
        for blend, word in cases:
            answer = self.job(blend)
            self.assertEqual(answer.status, 400, (blend[:2], answer))
            blend = [part for part in blend if isinstance(part, dict)] or [{}]
            if "\0" not in blend[-1].get("path", ""):  # no text, then
                self.assertIn("field `blend`", answer.json()["detail"])
                self.assertIn(word, answer.json()["detail"])
        self.assertEqual(len(self.host.web().get("/v1/jobs").json()["jobs"]), 0)

    def test_longest_path(self):
        self.put(name_of(b"blend"), b"blend")
        folders = "/".join(["d" * 250] * 4)  # LIMIT_PATH is 1024
        for more, status in (("x" * 14, 202), ("x" * 15, 400)):
            answer = self.job([item(f"{folders}/{more}.blend", b"blend")])
            self.assertEqual(answer.status, status, answer)

    def test_roles(self):
        tokens = self.folder / "tokens"
        secrets = {}
        for role in ("read", "submit"):
            told = self.run_program("frameq", "token", "add", "--role", role,
                                    role, env={"FRAMEQ_TOKENS": str(tokens)})
            secrets[role] = told.stdout.strip()
        other = self.broker("--tokens", tokens)

        def ask(role, method, body=None):
            headers = {"Authorization": f"Bearer {secrets[role]}"} if role \
                else {}
            return other.web().request(method, f"/v1/blobs/{name_of(b'x')}",
                                       body, headers).status
        self.assertEqual(ask(None, "PUT", b"x"), 401)
        self.assertEqual(ask("read", "PUT", b"x"), 403)
        self.assertEqual(ask("submit", "PUT", b"x"), 201)
        for role, status in ((None, 401), ("read", 403), ("submit", 204)):
            headers = {"Authorization": f"Bearer {secrets[role]}"} if role \
                else {}
            self.assertEqual(self.check(name_of(b"x"), other,
                                        **headers).status, status)
        self.assertEqual(ask(None, "GET"), 401)
        self.assertEqual(ask("read", "GET"), 200)

    # --- What the disk lost. ---

    def check(self, name, host=None, **headers):
        return (host or self.host).web().request(
            "POST", f"/v1/blobs/{name}:check", b"", headers)

    def test_checked(self):
        data = os.urandom(3 * PIECE)
        name = name_of(data)
        self.send(data)
        self.assertEqual(self.check(name).status, 204)
        path = self.kept(name)
        path.chmod(0o644)
        with open(path, "r+b") as file:
            file.seek(2 * PIECE)
            file.write(bytes([data[2 * PIECE] ^ 1]))
        answer = self.check(name)
        self.assertEqual(answer.status, 404, answer)
        self.assertIn("damaged", answer.json()["detail"])
        self.assertFalse(path.exists())
        answer = self.check(name)
        self.assertEqual(answer.status, 404, answer)
        self.assertNotIn("damaged", answer.json()["detail"])
        self.send(data)
        self.assertEqual(self.check(name).status, 204)
        self.assertEqual(self.check("x").status, 400)
        self.put(name_of(b"0123"), b"01", 0, 4)
        self.assertEqual(self.check(name_of(b"0123")).headers["Upload-Offset"],
                         "2")

    # --- What goes. ---

    def age(self, path, hours):
        at = path.stat().st_mtime - hours * 3600
        os.utime(path, (at, at))

    def test_what_nobody_names_goes(self):
        self.host.kill()
        self.host.flags += ["--keep", "1"]
        self.host.restart()
        named, unnamed, young = b"named", b"unnamed", b"young"
        for data in (named, unnamed, young):
            self.put(name_of(data), data)
        self.put(name_of(b"0123"), b"01", 0, 4)
        self.assertEqual(self.job([item("a.blend", named)]).status, 202)
        blobs = self.host.data / "blobs"
        for path in blobs.rglob("*"):
            if path.is_file() and path.name != name_of(young):
                self.age(path, 25)
        self.host.kill()
        self.host.restart()  # it sweeps soon after its start
        farm.until("they are gone",
                   lambda: not self.kept(name_of(unnamed)).exists() and
                   not (blobs / "part" / name_of(b"0123")).exists())
        self.assertTrue(self.kept(name_of(named)).exists())
        self.assertTrue(self.kept(name_of(young)).exists())
        self.assertEqual(sum(path.is_file() for path in blobs.rglob("*")), 3)


if __name__ == "__main__":
    farm.main()
