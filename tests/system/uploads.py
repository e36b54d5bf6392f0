# SPDX-License-Identifier: Apache-2.0
"""What tests of uploaded scenes share: a scene of any bytes, a Blender that
only says which files it needs, and a line to the broker that counts and cuts."""

import hashlib
import json
import socket
import threading

from farm import HOST
from wire import host_port


def name_of(data):
    return hashlib.sha256(data).hexdigest()


def item(path, data):
    return {"path": path, "sha256": name_of(data), "size": len(data)}


def put(broker, data):
    """Sends a small file as it is."""
    answer = broker.web().request("PUT", f"/v1/blobs/{name_of(data)}", data)
    assert answer.status == 201, answer
    return name_of(data)


def scene(broker, files):
    """Sends files by path, the .blend first; returns the list of them."""
    for data in files.values():
        put(broker, data)
    return [item(path, data) for path, data in files.items()]


def fake_blender(folder, files=(), missing=()):
    """A program that answers scan.py's question; returns its path."""
    told = {"files": [str(path) for path in files], "missing": list(missing),
            "fixed": False, "warnings": []}
    path = folder / "blender"
    path.write_text('#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\n'
                    f"cat > \"$2\" <<'END'\n{json.dumps(told)}\nEND\n")
    path.chmod(0o755)
    return path


class Line:
    """A TCP line to an address. sent: bytes that clients have sent through it;
    past each of cuts, once, cut() is called and that connection ends."""

    def __init__(self, test, address, cuts=(), cut=lambda: None):
        self.to = host_port(address)
        self.cuts = sorted(cuts)
        self.cut = cut
        self.sent = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server((HOST, 0))
        self.url = "http://%s:%d" % self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()
        test.addCleanup(self.listener.close)

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.to)
            except OSError:  # nobody is there for now
                near.close()
                continue
            threading.Thread(target=self._join, args=(near, far),
                             daemon=True).start()

    def _join(self, near, far):
        with near, far:
            back = threading.Thread(target=self._copy, args=(far, near, False),
                                    daemon=True)
            back.start()
            self._copy(near, far, True)
            back.join()

    def _is_cut(self, n):
        with self.lock:
            self.sent += n
            due = bool(self.cuts) and self.sent >= self.cuts[0]
            if due:
                self.cuts.pop(0)
        return due

    def _copy(self, source, target, counts):
        try:
            while data := source.recv(65536):
                if counts and self._is_cut(len(data)):
                    self.cut()
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
