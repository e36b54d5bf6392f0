# SPDX-License-Identifier: Apache-2.0
"""Bad input of every kind, at full speed, while another client asks: how long
that one waits, beside how long it waits where the same bytes go to a hole
instead of the broker; and what of it stays in the broker's memory.

Who floods, who asks and the hole are processes of their own. Who asks runs
before all others (SCHED_FIFO), and all of this before the rest of the machine
(its autogroup), so that what is measured is the broker's time beside the flood
and not the wait for a processor."""

import contextlib
import multiprocessing
import os
import pathlib
import re
import resource
import select
import socket
import struct

import farm
import test_020_bad_input as bad_input
import test_021_hostile_http as http
import test_022_hostile_zmq as zmq
from fakebroker import pack
from wire import Web, Zmtp, host_port

SECONDS = 5  # of each flood
PAUSE_S = 0.005  # between two requests of the other client
SERVED_MS = 50
ANSWERED_MS = 100
MORE_MB = 10
HALF_OPEN = 5000  # connections at once

FORK = multiprocessing.get_context("fork")
AUTOGROUP = pathlib.Path("/proc/self/autogroup")


# Who floods. Each is called again and again with the address of the broker's
# socket until the time is over.

def pour(kind, blocks):
    """A flood of bytes over a connection that begins as ZMTP says; a hole
    takes them as well. Another connection where one is cut."""
    def flood(address):
        peer = Zmtp(kind, address) if kind else socket.create_connection(
            host_port(address))
        with contextlib.closing(peer):
            line = peer.socket if kind else peer
            while True:
                for block in blocks:
                    line.sendall(block)
    return flood


def states(agent="evil", **fields):
    return [b"".join(Zmtp.message(f"S/{agent}/".encode(), pack(zmq.state(
        agent, seq, **fields))) for seq in range(first, first + 1000))
        for first in range(1, 20000, 1000)]


def large_states():
    """Each of as many leases and results as there may be, of no job."""
    leases = [zmq.lease(n, zmq.JOB, 2, n, n, [[n, 0, ""]] if n < 256 else [])
              for n in range(1, 321)]
    return [Zmtp.message(b"S/evil/", pack(zmq.state(seq=seq, slots=256,
                                                    leases=leases)))
            for seq in range(1, 500)]


def topics():
    return [b"".join(Zmtp.message(b"\x01t/%08d" % i + b"x" * 90)
                     for i in range(first, first + 1000))
            for first in range(0, 300000, 1000)]


def in_and_out():
    return [(Zmtp.message(b"\x01same") + Zmtp.message(b"\x00same")) * 1000]


def half_open(address):
    """A greeting and then nothing."""
    silent = []
    try:
        for _ in range(HALF_OPEN):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              struct.pack("ii", 1, 0))
            silent.append(client)
            client.connect(host_port(address))
            client.send(b"\xff" + bytes(8) + b"\x7f\x03")
    finally:
        for client in silent:
            client.close()


def come_and_go(kind):
    """A whole handshake, then the end."""
    def flood(address):
        Zmtp(kind, address).close()
    return flood


def connect(address):
    socket.create_connection(host_port(address)).close()


def refused():
    """All that HTTP refuses, each at once; tells the longest wait."""
    requests = [data.replace(b"{path}", b"/render")
                for data, _, _ in http.REFUSED.values()]
    requests += [http.POST.replace(b"{path}", b"/render") +
                 f"Content-Length: {len(body.encode())}\r\n\r\n".encode() +
                 body.encode() for body, _ in bad_input.REFUSED]

    def flood(address):
        worst = 0
        for data in requests:
            worst = max(worst, answer_ms(address, data))
        return worst
    return flood


def answer_ms(address, data):
    with socket.create_connection(host_port(address), timeout=20) as client:
        start = farm.now()
        with contextlib.suppress(OSError):
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            client.recv(65536)
        return 1000 * (farm.now() - start)


def large_body(address):
    body = b'{"from":1,"to":2,"name":"' + b"x" * 1000000 + b'"}'
    return answer_ms(address, http.POST.replace(b"{path}", b"/render") +
                     b"Content-Length: %d\r\n\r\n" % len(body) + body)


# name: (socket, how many at once, flood)
FLOODS = {
    "good STATEs": ("status", 1, lambda: pour("PUB", states())),
    "good STATEs, 4 peers": ("status", 4, lambda: pour("PUB", states())),
    "STATEs of 320 leases": ("status", 2,
                             lambda: pour("PUB", large_states())),
    "broken STATEs": ("status", 2, lambda: pour("PUB", [b"".join(
        Zmtp.message(b"S/evil/", body)
        for body in zmq.BROKEN.values()) * 20])),
    "empty messages": ("status", 2, lambda: pour("PUB", [
        Zmtp.message(b"") * 10000])),
    "subscriptions, feed": ("feed", 1, lambda: pour("SUB", topics())),
    "subscriptions, control": ("control", 1, lambda: pour("SUB", topics())),
    "in and out, feed": ("feed", 2, lambda: pour("SUB", in_and_out())),
    "in and out, control": ("control", 2, lambda: pour("SUB", in_and_out())),
    "half open, status": ("status", 2, lambda: half_open),
    "half open, feed": ("feed", 2, lambda: half_open),
    "come and go, status": ("status", 2, lambda: come_and_go("PUB")),
    "come and go, control": ("control", 2, lambda: come_and_go("SUB")),
    "connections, HTTP": ("http", 2, lambda: connect),
    "refused requests": ("http", 2, refused),
    "bodies of 1 MB": ("http", 4, lambda: large_body),
}


def flood_forever(address, flood, worst):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    while True:
        with contextlib.suppress(OSError, EOFError):
            worst.value = max(worst.value, flood(address) or 0)


# Who asks.

def ask_until(stop, address, pipe):
    """Another client's requests, each over a connection of its own: sends the
    milliseconds of each."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    web, waits = Web(address), []
    while not stop.wait(PAUSE_S):
        for path in ("/health", "/v1/farm"):
            start = farm.now()
            assert web.get(path).status == 200
            waits.append(1000 * (farm.now() - start))
    pipe.send(sorted(waits))


class Waits:
    def __init__(self, ms):
        self.ms = ms

    def at(self, share):
        return self.ms[min(len(self.ms) - 1, int(share * len(self.ms)))]

    def __str__(self):
        return (f"{self.at(0.5):5.1f} {self.at(0.99):5.1f} "
                f"{self.ms[-1]:5.1f}")


# Where a flood goes that the broker is not to see.

GREETING = (b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") +
            bytes(32) + b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x03SUB")
ANSWER = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


def swallow(listener, answer):
    """Greets whoever connects, and drops what he sends."""
    poll, clients = select.epoll(), {}
    poll.register(listener, select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                client = listener.accept()[0]
                clients[client.fileno()] = client
                poll.register(client, select.EPOLLIN)
            with contextlib.suppress(OSError):
                if fd == listener.fileno():
                    if answer is GREETING:
                        client.send(answer)
                    continue
                if clients[fd].recv(65536):
                    if answer is ANSWER:
                        clients[fd].send(answer)
                    continue
            gone = clients.pop(fd, None)
            if gone:
                gone.close()


@contextlib.contextmanager
def hole(answer):
    """Its address."""
    with socket.create_server((farm.HOST, 0), backlog=4096) as listener:
        process = FORK.Process(target=swallow, args=(listener, answer))
        process.start()
        try:
            yield "%s:%d" % listener.getsockname()
        finally:
            process.kill()
            process.join()


class Floods:
    """All of them. `folder` keeps logs and ledger. Also what farm.Program
    wants of a test."""

    def __init__(self, folder, seconds, only):
        self.folder = folder
        self.seconds = seconds
        with contextlib.suppress(OSError):
            os.setsid()
        with contextlib.suppress(OSError):
            AUTOGROUP.write_text("-17")
        self.floods = {name: flood for name, flood in FLOODS.items()
                       if only in name}
        self.programs = []
        self._count = 0
        self.broker = farm.Broker(self)
        node = farm.FakeNode(self, frame_ms=20)
        farm.Agent(self, self.broker, node, "a1")
        self.broker.await_agents("a1")

    def addCleanup(self, _):
        pass  # end ends all

    def count(self):
        self._count += 1
        return self._count

    def end(self):
        for program in self.programs:
            if program.running():
                program.kill()

    def run(self):
        """Returns what is wrong."""
        print(f"{'':24} another client, ms  the same beside a  answered  CPU %"
              f"     memory")
        print(f"{'flood':24}   p50   p99   max   hole: p99   max    within"
              f"  loop  io     MB")
        wrong = []
        before = self.broker.memory_mb()
        for name, (door, many, make) in self.floods.items():
            wrong += self._play(name, door, many, make)
        grown = self._settle(before) - before
        print(f"memory {before:.1f} MB before all, {before + grown:.1f} MB "
              f"after")
        if grown > MORE_MB:
            wrong.append(f"memory grew by {grown:.1f} MB")
        return wrong

    def _settle(self, before):
        """What was needed is given back within seconds."""
        with contextlib.suppress(AssertionError):
            farm.until("memory", lambda: self.broker.memory_mb() <=
                       before + MORE_MB / 2)
        return self.broker.memory_mb()

    def _play(self, name, door, many, make):
        flood = make()
        with hole(ANSWER if door == "http" else GREETING) as address:
            control, _ = self._flood(address, many, flood)
        cpu, start = self._cpu(), farm.now()
        waits, answered = self._flood(self.broker.ready[door], many, flood)
        took = farm.now() - start
        loop, io = (100 * (after - before) / took
                    for before, after in zip(cpu, self._cpu()))
        self.broker.await_job(self.broker.render(1, 5))
        shown = f"{answered:6.1f}" if answered else "     -"
        print(f"{name:24} {waits}       {control.at(0.99):5.1f} "
              f"{control.ms[-1]:5.1f}    {shown}  {loop:4.0f}  {io:3.0f}  "
              f"{self.broker.memory_mb():5.1f}", flush=True)
        return [f"{name}: {what} {ms:.1f} ms" for what, ms, most in (
            ("another client waited", waits.ms[-1], SERVED_MS),
            ("answered after", answered, ANSWERED_MS)) if ms > most * farm.SLOW]

    def _flood(self, address, many, flood):
        """Waits of another client meanwhile, and of the flooders."""
        worst = FORK.Value("d", 0)
        stop, (mine, its) = FORK.Event(), FORK.Pipe()
        asks = FORK.Process(target=ask_until,
                            args=(stop, self.broker.address, its))
        floods = [FORK.Process(target=flood_forever,
                               args=(address, flood, worst))
                  for _ in range(many)]
        for process in (asks, *floods):
            process.start()
        stop_at = farm.now() + self.seconds
        asks.join(max(0, stop_at - farm.now()))
        stop.set()
        waits = Waits(mine.recv()) if mine.poll(20) else Waits([20000])
        for process in floods:
            process.kill()
        for process in (asks, *floods):
            process.join()
        return waits, worst.value

    def _cpu(self):
        """Seconds that the loop, and libzmq's threads for sockets, have had."""
        spent = {True: 0, False: 0}
        for task in pathlib.Path(f"/proc/{self.broker.pid}/task").iterdir():
            name, _, fields = (task / "stat").read_text().rpartition(")")
            user, system = fields.split()[11:13]
            if task.name == str(self.broker.pid):
                spent[True] += int(user) + int(system)
            elif re.search("/IO/", name):
                spent[False] += int(user) + int(system)
        ticks = os.sysconf("SC_CLK_TCK")
        return spent[True] / ticks, spent[False] / ticks
