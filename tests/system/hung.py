# SPDX-License-Identifier: Apache-2.0
"""A folder on a network mount that can be made to hang: an empty file system
of our own behind /dev/fuse, which answers until it is told not to. Needs
root."""

import ctypes
import os
import stat
import struct
import subprocess
import threading

LOOKUP, GETATTR, OPENDIR, READDIR, RELEASEDIR, INIT = 1, 3, 27, 28, 29, 26
UNANSWERED = {2, 42, 38}  # FORGET, BATCH_FORGET, DESTROY
ENOENT, ENOSYS = 2, 38
MS_NOSUID_NODEV, MS_REC_PRIVATE = 2 | 4, 16384 | 1 << 18
MNT_FORCE, MNT_DETACH = 1, 2
CLONE_NEWNS = 0x20000
LIBC = ctypes.CDLL(None, use_errno=True)


def missing():
    """Why there can be no such folder here, or None."""
    if os.geteuid() != 0:
        return "mounting needs root"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "there is no /dev/fuse"
    probe = subprocess.run(["unshare", "--mount", "true"],
                           capture_output=True, text=True, check=False)
    return probe.stderr.strip() if probe.returncode != 0 else None


def _must(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


class HungFolder:
    """Mounted for this process and those it starts from then on."""

    def __init__(self, path):
        self.path = str(path).encode()
        self.hangs = False
        os.makedirs(path)
        _must(LIBC.unshare(CLONE_NEWNS), "unshare")
        _must(LIBC.mount(b"none", b"/", None, MS_REC_PRIVATE, None), "private")
        self.device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0"
        _must(LIBC.mount(b"frameq", self.path, b"fuse", MS_NOSUID_NODEV,
                         options.encode()), "mount")
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def hang(self):
        self.hangs = True

    def close(self):
        """Whoever waits for it gets an error."""
        if self.device is None:
            return
        LIBC.umount2(self.path, MNT_FORCE)  # ends all waiting, if no more
        _must(LIBC.umount2(self.path, MNT_DETACH), "umount")
        self.thread.join(5)
        os.close(self.device)
        self.device = None

    def _serve(self):
        while True:
            try:
                request = os.read(self.device, 1 << 17)
            except OSError:
                return  # it is over
            _, operation, unique, node = struct.unpack("<IIQQ", request[:24])
            if operation in UNANSWERED or self.hangs:
                continue
            error, body = self._answer(operation, node)
            head = struct.pack("<IiQ", 16 + len(body), -error, unique)
            os.write(self.device, head + body)

    def _answer(self, operation, node):
        if operation == INIT:
            return 0, struct.pack("<IIIIHHIIHHI28x", 7, 31, 65536, 0, 12, 9,
                                  65536, 1, 1, 0, 0)
        if operation == GETATTR:
            return 0, struct.pack("<QII6Q10I", 0, 0, 0, node, 0, 0, 0, 0, 0, 0,
                                  0, 0, stat.S_IFDIR | 0o755, 2, 0, 0, 0, 4096,
                                  0)
        if operation == OPENDIR:
            return 0, struct.pack("<QII", 1, 0, 0)
        if operation in (READDIR, RELEASEDIR):
            return 0, b""
        return (ENOENT if operation == LOOKUP else ENOSYS), b""
