# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene and the files it names to the broker, then the job. Only what the
broker lacks is sent; a broken connection is gone on with. What becomes of the
job is none of its business."""

import dataclasses
import hashlib
import os
import secrets
import time

from . import store
from .broker import Trouble, refusal

PIECE = 1024 * 1024  # LIMIT_BODY of the broker
PIECE_LEAST = 65536
GIVE_UP_SECONDS = 60  # without a byte taken
PAUSE_SECONDS = 0.2
PAUSE_MOST_SECONDS = 5


@dataclasses.dataclass
class File:
    source: str  # path here
    path: str  # in the list: relative, with "/"
    size: int = 0
    sha256: str = ""


def laid_out(blend, blend_source, others):
    """Files at their places beside one another, the .blend first: their paths
    begin at the deepest folder that holds all of them. blend_source is the
    copy of blend that is sent."""
    try:
        root = os.path.commonpath([os.path.dirname(blend)] +
                                  [os.path.dirname(path) for path in others])
    except ValueError as error:
        raise Trouble("The scene's files lie on several drives: bring them "
                      "together on one, or pack them "
                      "(File > External Data > Pack Resources)") from error

    def place(path):
        return os.path.relpath(path, root).replace(os.sep, "/")

    return ([File(blend_source, place(blend))] +
            [File(path, place(path)) for path in others])


def hash_file(path, step=lambda n: None):
    """Size and SHA-256 of a file."""
    total, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while block := file.read(PIECE):
            total.update(block)
            size += len(block)
            step(len(block))
    return size, total.hexdigest()


def hash_files(files, task):
    task.begin("reading files", sum(os.path.getsize(file.source)
                                    for file in files))
    for file in files:
        file.size, file.sha256 = hash_file(file.source, task.step)


def manifest(files):
    return [{"path": file.path, "sha256": file.sha256, "size": file.size}
            for file in files]


class Patience:
    """How long the same is tried again."""

    def __init__(self, task):
        self.task = task
        self.again()

    def again(self):
        """Something was taken."""
        self.until = time.monotonic() + GIVE_UP_SECONDS
        self.pause = PAUSE_SECONDS

    def wait(self, trouble):
        if not trouble.passing or time.monotonic() >= self.until:
            raise trouble
        self.task.rest(self.pause)
        self.pause = min(2 * self.pause, PAUSE_MOST_SECONDS)


def offset_of(answer):
    """How much of a file the broker has; None: it does not say."""
    text = answer.headers.get("Upload-Offset", "")
    return int(text) if text.isdecimal() else None


class Sending:
    """One file on its way."""

    def __init__(self, broker, file, task):
        self.broker = broker
        self.file = file
        self.task = task
        self.path = "/v1/blobs/" + file.sha256
        self.patience = Patience(task)
        self.offset = 0
        self.piece = PIECE
        self.stored = False  # it goes to a store

    def get_on(self, offset):
        self.task.step(max(0, offset - self.offset))
        self.offset = offset
        self.patience.again()

    def is_there(self):
        while True:
            try:
                answer = self.broker.ask("HEAD", self.path)
                if answer.status == 200:
                    self.get_on(self.file.size)
                    return True
                offset = offset_of(answer)
                self.stored = "Upload-Store" in answer.headers
                if answer.status == 404 and offset is not None:
                    self.get_on(offset if offset <= self.file.size else 0)
                    return False
                if refusal(answer).passing:
                    raise refusal(answer)
                # An answer to HEAD has no words; the same by GET has.
                raise refusal(self.broker.ask("GET", self.path))
            except Trouble as trouble:
                self.patience.wait(trouble)

    def changed(self):
        return Trouble(f"{self.file.source} changed while it was sent: submit "
                       "again")

    def send_piece(self, source):
        """Whether the file is there now."""
        source.seek(self.offset)
        size = min(self.piece, self.file.size - self.offset)
        data = source.read(size)
        if len(data) != size:
            raise self.changed()
        last = self.offset + size - 1
        headers = {"Content-Type": "application/octet-stream"}
        if size:
            headers["Content-Range"] = (f"bytes {self.offset}-{last}/"
                                        f"{self.file.size}")
        answer = self.broker.ask("PUT", self.path, data, headers)
        offset = offset_of(answer)
        if answer.status == 201:
            self.get_on(self.file.size)
            return True
        if answer.status in (202, 409) and offset is not None:
            if offset > self.file.size:
                raise self.changed()
            self.get_on(offset)
            return False
        if answer.status == 400:
            raise self.changed()
        raise refusal(answer)

    def send_stored(self, source):
        """All of it to the store; whether it is there now."""
        answer = self.broker.ask("PUT", self.path, b"", {
            "Content-Range": f"bytes */{self.file.size}"})
        if answer.status == 201:
            return True
        if answer.status != 307:
            raise refusal(answer)
        self.offset = 0
        status = store.put(answer.headers["Location"], self.file, source,
                           lambda n: self.get_on(self.offset + n))
        if status == 400:
            raise self.changed()
        if status != 200:
            raise Trouble(f"The store answers {status}: tell who runs the farm",
                          status in (408, 429) or status >= 500, status)
        if not self.is_there():
            raise Trouble("The store took the file and does not have it: tell "
                          "who runs the farm")
        return True

    def run(self):
        """Whether any of it had to be sent."""
        if self.is_there():
            return False
        with open(self.file.source, "rb") as source:
            while True:
                self.task.check()
                try:
                    if (self.send_stored(source) if self.stored
                            else self.send_piece(source)):
                        return True
                except Trouble as trouble:
                    self.piece = max(PIECE_LEAST, self.piece // 2)
                    self.patience.wait(trouble)


def send_files(broker, files, task):
    """Returns how many had to be sent."""
    task.begin("sending files", sum(file.size for file in files))
    return sum(Sending(broker, file, task).run() for file in files)


def post_job(broker, fields, task, missing=lambda: None):
    """The new job's document. missing() sends again what the broker no longer
    has; the key makes a request that is repeated one job."""
    headers = {"Idempotency-Key": secrets.token_hex(16)}
    patience, sends = Patience(task), 2
    while True:
        task.check()
        try:
            answer = broker.ask("POST", "/v1/jobs", fields, headers)
            if answer.status == 202:
                return answer.json()
            if answer.status == 409 and sends:
                sends -= 1
                missing()
                continue
            raise refusal(answer)
        except Trouble as trouble:
            patience.wait(trouble)


def submit(broker, files, fields, task):
    """Sends files and the job that renders their first; its document."""
    hash_files(files, task)
    send_files(broker, files, task)
    return post_job(broker, dict(fields, blend=manifest(files)), task,
                    lambda: send_files(broker, files, task))
