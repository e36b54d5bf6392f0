#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client of frameq in one file, with Python's standard library alone:

    client.py 1-20 pictures --blend shot.blend

submits a job, follows it to its end and brings its pictures home. The broker is
FRAMEQ_BROKER (http://127.0.0.1:4000), its token FRAMEQ_TOKEN. As a module, see
Frameq below; docs/http-api.md has all that a broker can be asked.
"""

import argparse
import http.client
import json
import os
import pathlib
import sys
import time
import urllib.error
import urllib.request
import uuid

OVER = ("completed", "failed", "cancelled")


class Refused(Exception):
    """The broker said no, and why."""


class Frameq:
    def __init__(self, url="http://127.0.0.1:4000", token=""):
        self.url = url.rstrip("/")
        self.headers = {"Accept": "application/json"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def open(self, method, path, body=None, timeout=60, **headers):
        """The answer, to be read; Refused where it is none of the 200s."""
        request = urllib.request.Request(
            self.url + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={**self.headers, "Content-Type": "application/json",
                     **{name.replace("_", "-"): value
                        for name, value in headers.items()}})
        try:
            return urllib.request.urlopen(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (429, 503):  # not now: ask again
                    raise ConnectionError(f"HTTP {error.code}") from error
                problem = json.loads(error.read() or b"{}")
                raise Refused(problem.get("detail", str(error))) from error

    def ask(self, method, path, body=None, **headers):
        """The same, again and again until the broker is there; as JSON."""
        while True:
            try:
                with self.open(method, path, body, **headers) as answer:
                    return json.load(answer)
            except (OSError, http.client.HTTPException) as error:
                print(f"{self.url}: {error}; trying again", file=sys.stderr)
                time.sleep(1)

    def submit(self, **fields):
        """A new job. However often this is sent, the key makes one job of it."""
        return self.ask("POST", "/v1/jobs", fields,
                        Idempotency_Key=str(uuid.uuid4()))

    def job(self, job):
        return self.ask("GET", f"/v1/jobs/{job}")

    def cancel(self, job, reason=""):
        return self.ask("POST", f"/v1/jobs/{job}:cancel", {"reason": reason})

    def events(self, topics):
        """What happens, without end. An event of type `reset` comes first, and
        wherever some may be missing: look how things stand now, then go on."""
        last = ""
        while True:
            try:
                with self.open("GET", f"/v1/events?topics={topics}",
                               Last_Event_ID=last) as stream:
                    if not last:
                        yield {"type": "reset"}
                    for line in stream:
                        name, _, value = line.decode().strip().partition(": ")
                        if name == "id":
                            last = value
                        elif name == "event" and value == "reset":
                            yield {"type": "reset"}
                        elif name == "data":
                            event = json.loads(value)
                            if "type" in event:
                                yield event
            except (OSError, http.client.HTTPException):
                time.sleep(1)  # the stream goes on where it ended

    def follow(self, job):
        """Yields the job whenever it changes, until it is over."""
        for event in self.events(f"job:{job}"):
            if event["type"] in ("reset", "frame", "job"):
                document = self.job(job)
                yield document
                if document["state"] in OVER:
                    return

    def frames(self, job, state):
        start = ""
        while start is not None:
            page = self.ask("GET", f"/v1/jobs/{job}/frames?state={state}"
                                   f"&limit=1000{start}")
            yield from page["frames"]
            start = f"&from={page['next']}" if page["next"] else None

    def fetch(self, job, folder):
        """Brings the pictures of all done frames to folder; their paths."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for frame in self.frames(job, "done"):
            for i, file in enumerate(frame["files"]):
                path = folder / pathlib.PurePath(file["path"]).name
                path.write_bytes(self.picture(job, frame["frame"], i))
                yield path

    def picture(self, job, frame, file=0):
        while True:
            try:
                with self.open("GET", f"/v1/jobs/{job}/frames/{frame}/image"
                                      f"?file={file}", Accept="*/*") as answer:
                    return answer.read()
            except (OSError, http.client.HTTPException):
                time.sleep(1)  # the agent is sending it


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("frames", help="such as 1-100x5,200")
    parser.add_argument("folder", help="where the pictures go")
    parser.add_argument("--name", default="")
    parser.add_argument("--blend", help="a path that the nodes can open")
    asked = {name: value for name, value in vars(parser.parse_args()).items()
             if value}
    farm = Frameq(os.environ.get("FRAMEQ_BROKER", "http://127.0.0.1:4000"),
                  os.environ.get("FRAMEQ_TOKEN", ""))
    folder = asked.pop("folder")
    job = farm.submit(**asked)
    for job in farm.follow(job["id"]):
        counts = job["counts"]
        print(f"{job['id']} {job['state']}: {counts['done']} of "
              f"{counts['total']} done, {counts['failed']} failed")
    for path in farm.fetch(job["id"], folder):
        print(path)
    return 0 if job["state"] == "completed" else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as error:
        sys.exit(f"refused: {error}")
