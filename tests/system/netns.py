# SPDX-License-Identifier: Apache-2.0
"""Two hosts on one machine: network namespaces joined by a pair of virtual
Ethernet devices. Needs root."""

import contextlib
import ctypes
import os
import shutil
import subprocess


def missing():
    """Why namespaces cannot be made here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "the ip command (iproute2) is not installed"
    probe = subprocess.run(["ip", "netns", "add", _name("probe")],
                           capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        return f"ip netns add: {probe.stderr.strip()}"
    _ip("netns", "del", _name("probe"))
    return None


class Hosts:
    """Hosts A (10.99.0.1) and B (10.99.0.2). `on_a` and `on_b` are what to
    put before a command to run it there."""

    address_a = "10.99.0.1"
    address_b = "10.99.0.2"

    def __init__(self):
        self.a, self.b = _name("a"), _name("b")
        self.on_a = ["ip", "netns", "exec", self.a]
        self.on_b = ["ip", "netns", "exec", self.b]
        try:
            self._make()
        except BaseException:
            self.close()
            raise

    def _make(self):
        for host in (self.a, self.b):
            _ip("netns", "add", host)
            _ip("-n", host, "link", "set", "lo", "up")
        _ip("link", "add", "fq0", "netns", self.a, "type", "veth", "peer",
            "name", "fq0", "netns", self.b)
        for host, address in ((self.a, self.address_a),
                              (self.b, self.address_b)):
            _ip("-n", host, "address", "add", f"{address}/24", "dev", "fq0")
            _ip("-n", host, "link", "set", "fq0", "up")

    @contextlib.contextmanager
    def inside(self, host):
        """Connections this thread makes within are made on that host."""
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{host}", os.O_RDONLY)
        try:
            _set_namespace(there)
            yield
        finally:
            _set_namespace(home)
            os.close(there)
            os.close(home)

    def cut(self):
        """Takes the cable out: nothing passes, nobody is told."""
        _ip("-n", self.a, "link", "set", "fq0", "down")

    def mend(self):
        _ip("-n", self.a, "link", "set", "fq0", "up")

    def close(self):
        for host in (self.a, self.b):
            subprocess.run(["ip", "netns", "del", host], check=False,
                           capture_output=True)


def _name(host):
    return f"frameq-{os.getpid()}-{host}"


def _set_namespace(descriptor):
    clone_newnet = 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, clone_newnet) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*args):
    subprocess.run(["ip", *args], check=True, capture_output=True)
