# SPDX-License-Identifier: Apache-2.0
"""Hosts on one machine: network namespaces joined by virtual Ethernet devices,
two of them, or a star of many. Needs root."""

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


class _Net:
    """Namespaces that are gone once it is closed."""

    def __init__(self, *names):
        self.names = [_name(name) for name in names]
        try:
            for name in self.names:
                _ip("netns", "add", name)
                _ip("-n", name, "link", "set", "lo", "up")
            self._make()
        except BaseException:
            self.close()
            raise

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

    def close(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False,
                           capture_output=True)


class Hosts(_Net):
    """Hosts A (10.99.0.1) and B (10.99.0.2). `on_a` and `on_b` are what to
    put before a command to run it there."""

    address_a = "10.99.0.1"
    address_b = "10.99.0.2"

    def __init__(self):
        self.a, self.b = _name("a"), _name("b")
        self.on_a = ["ip", "netns", "exec", self.a]
        self.on_b = ["ip", "netns", "exec", self.b]
        super().__init__("a", "b")

    def _make(self):
        _ip("link", "add", "fq0", "netns", self.a, "type", "veth", "peer",
            "name", "fq0", "netns", self.b)
        for host, address in ((self.a, self.address_a),
                              (self.b, self.address_b)):
            _ip("-n", host, "address", "add", f"{address}/24", "dev", "fq0")
            _ip("-n", host, "link", "set", "fq0", "up")

    def cut(self):
        """Takes the cable out: nothing passes, nobody is told."""
        _ip("-n", self.a, "link", "set", "fq0", "down")

    def mend(self):
        _ip("-n", self.a, "link", "set", "fq0", "up")


class Star(_Net):
    """A middle (10.99.0.1), and N hosts, each on a cable of its own to a switch
    in the middle. Hosts and cables are numbered from 1."""

    address = "10.99.0.1"

    def __init__(self, n):
        self.n = n
        self.middle = _name("middle")
        super().__init__("middle", *(f"h{i}" for i in range(1, n + 1)))

    def on(self, i):
        """What to put before a command to run it on host i."""
        return ["ip", "netns", "exec", _name(f"h{i}")]

    def _make(self):
        _ip("-n", self.middle, "link", "add", "fq0", "type", "bridge")
        _ip("-n", self.middle, "address", "add", f"{self.address}/24", "dev",
            "fq0")
        _ip("-n", self.middle, "link", "set", "fq0", "up")
        for i in range(1, self.n + 1):
            self._add_host(i, _name(f"h{i}"))

    def _add_host(self, i, host):
        _ip("link", "add", f"fq{i}", "netns", self.middle, "type", "veth",
            "peer", "name", "fq0", "netns", host)
        _ip("-n", self.middle, "link", "set", f"fq{i}", "master", "fq0", "up")
        _ip("-n", host, "address", "add", f"10.99.0.{10 + i}/24", "dev", "fq0")
        _ip("-n", host, "link", "set", "fq0", "up")

    def cut(self, i):
        _ip("-n", self.middle, "link", "set", f"fq{i}", "down")

    def mend(self, i):
        _ip("-n", self.middle, "link", "set", f"fq{i}", "up")

    def spoil(self, i):
        """Makes cable i slow and lossy. Returns whether the kernel can."""
        return subprocess.run(
            ["tc", "-n", self.middle, "qdisc", "replace", "dev", f"fq{i}",
             "root", "netem", "delay", "30ms", "20ms", "loss", "10%"],
            check=False, capture_output=True).returncode == 0

    def unspoil(self, i):
        subprocess.run(["tc", "-n", self.middle, "qdisc", "del", "dev",
                        f"fq{i}", "root"], check=False, capture_output=True)


def _name(host):
    return f"frameq-{os.getpid()}-{host}"


def _set_namespace(descriptor):
    clone_newnet = 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, clone_newnet) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*args):
    subprocess.run(["ip", *args], check=True, capture_output=True)
