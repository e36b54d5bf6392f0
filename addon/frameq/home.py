# SPDX-License-Identifier: GPL-3.0-or-later
"""A job followed to its end, and its pictures brought into a folder here as
they are done. A picture gets its name when all of it is in and has the hash
that the broker knows it by; one that is here already is not fetched again."""

import os
import time

from . import store
from .broker import Trouble, refusal
from .send import Patience, hash_file

ENDED = ("completed", "failed", "cancelled")
WAIT_SECONDS = 20  # for a change of the job, in one request
AGAIN_SECONDS = 1  # between two looks for pictures that are on their way
LATE_SECONDS = 60  # agents send pictures beside their work: so long after ...
PAGE = 1000
NOT_YET = (404, 503)  # of a picture that an agent has still to send


def name_of(job, path):
    """Where in the job's folder the node put a picture: below OUTPUT/<job>/,
    or just its name. None: it would lead elsewhere."""
    _, found, rest = path.partition(f"/{job}/")
    name = rest if found else path.rpartition("/")[2]
    parts = name.split("/")
    bad = any(not part or part.startswith(".") for part in parts)
    return None if bad or any(c in name for c in "\\:\0") else name


def has_hash(path, sha256):
    try:
        return hash_file(path)[1] == sha256
    except OSError:
        return False


def done_frames(broker, job):
    start = ""
    while start is not None:
        page = broker.get(f"/v1/jobs/{job}/frames?state=done&limit={PAGE}" +
                          (f"&from={start}" if start != "" else ""))
        yield from page["frames"]
        start = page.get("next")


class Home:
    """The pictures of one job in one folder."""

    def __init__(self, broker, job, folder, task):
        self.broker = broker
        self.job = job
        self.folder = folder
        self.task = task
        self.here = {}  # path here -> the SHA-256 it was seen to have
        self.fetched = 0
        self.missing = {}  # path here -> why

    def fetch_file(self, frame, index, file):
        name = name_of(self.job, file["path"])
        if name is None:
            self.missing[file["path"]] = "it has no name that is safe here"
            return
        path, sha256 = os.path.join(self.folder, name), file.get("sha256", "")
        if sha256 and self.here.get(path) == sha256:
            return
        if not (sha256 and has_hash(path, sha256)):
            self.fetch_to(path, sha256, f"/v1/jobs/{self.job}/frames/{frame}"
                          f"/image?file={index}")
            self.fetched += 1
        self.here[path] = sha256
        self.missing.pop(path, None)

    def fetch_to(self, path, sha256, address):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        part = path + ".part"
        try:
            with open(part, "wb") as file:
                at = self.broker.download(address, file, self.task.check)
                if at:
                    store.fetch(at, file, self.task.check)
            if sha256 and not has_hash(part, sha256):
                raise Trouble("it came damaged", status=404)
            os.replace(part, path)
        finally:
            if os.path.exists(part):
                os.unlink(part)

    def fetch_done(self):
        """Fetches what is done and not here; whether all of that is here."""
        self.missing.clear()
        for frame in done_frames(self.broker, self.job):
            for index, file in enumerate(frame.get("files") or ()):
                self.task.check()
                try:
                    self.fetch_file(frame["frame"], index, file)
                except Trouble as trouble:
                    if trouble.status not in NOT_YET:
                        raise
                    self.missing[file["path"]] = str(trouble)
        return not self.missing

    def trouble(self):
        why = next(iter(self.missing.values()))
        return Trouble(f"{len(self.missing)} pictures are not to be had "
                       f"({why}): start the broker with --results keep, or "
                       "where it sees the nodes' folder; then fetch again")


class Follow:
    """Follows a job; tells(document) after each change. With a home its
    pictures are fetched."""

    def __init__(self, broker, job, task, tells, home=None):
        self.broker = broker
        self.job = job
        self.task = task
        self.tells = tells
        self.home = home
        self.tag = None
        self.ended = False

    def look(self, seconds):
        """The job's document; None: nothing has changed for so long."""
        headers = {"Prefer": f"wait={seconds}"}
        if self.tag:
            headers["If-None-Match"] = self.tag
        answer = self.broker.ask("GET", f"/v1/jobs/{self.job}", None,
                                 headers if self.tag else None,
                                 seconds=seconds + 20)
        if answer.status == 304:
            return None
        if answer.status == 404:
            raise Trouble("The broker does not know this job any more: it was "
                          "removed", status=404)
        if answer.status != 200:
            raise refusal(answer)
        self.tag = answer.headers.get("ETag")
        return answer.json()

    def step(self, all_here):
        """Waits for a change and fetches; whether all done ones are here."""
        document = self.look(WAIT_SECONDS if all_here else AGAIN_SECONDS)
        if document:
            self.tells(document)
            self.ended = document["state"] in ENDED
        return self.home.fetch_done() if self.home else True

    def run(self):
        """To the job's end, and until its pictures are here."""
        all_here, late = True, (-1, 0)
        patience = Patience(self.task)
        while True:
            self.task.check()
            try:
                all_here = self.step(all_here)
                patience.again()
            except Trouble as trouble:
                patience.wait(trouble)
                continue
            if self.ended and all_here:
                return
            if self.ended:
                fetched = self.home.fetched
                late = max(late, (fetched, time.monotonic() + LATE_SECONDS),
                           key=lambda each: each[0])
                if time.monotonic() > late[1]:
                    raise self.home.trouble()
                self.task.rest(AGAIN_SECONDS)
