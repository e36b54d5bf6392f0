# SPDX-License-Identifier: Apache-2.0
"""A peer with keys of its own choosing, over libzmq itself: what a member of
the farm, or a stranger, might try. Python has no binding of it in Debian's
standard set, and few calls are needed."""

import base64
import ctypes
import ctypes.util
import hashlib
import struct

import wire

PUB, SUB, PULL = 1, 2, 7
SUBSCRIBE, LINGER, RCVTIMEO = 6, 17, 27
CURVE_PUBLICKEY, CURVE_SECRETKEY, CURVE_SERVERKEY = 48, 49, 50

_zmq = ctypes.CDLL(ctypes.util.find_library("zmq"))
_sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
for _name in ("zmq_ctx_new", "zmq_socket"):
    getattr(_zmq, _name).restype = ctypes.c_void_p


def new_pair():
    """(public, secret), both Z85."""
    public, secret = (ctypes.create_string_buffer(41) for _ in range(2))
    assert _zmq.zmq_curve_keypair(public, secret) == 0
    return public.value, secret.value


def public_of(secret):
    public = ctypes.create_string_buffer(41)
    assert _zmq.zmq_curve_public(public, secret) == 0
    return public.value


def read_join(text):
    """(server's public key, agent's secret key, name, broker)."""
    assert text.startswith("fqj_"), text
    text = text[4:]
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    z85 = ctypes.create_string_buffer(41)
    keys = []
    for start in (1, 33):
        _zmq.zmq_z85_encode(z85, data[start:start + 32], ctypes.c_size_t(32))
        keys.append(z85.value)
    start = 66 if data[0] == 1 else 98  # a pin of 32 bytes before
    end = start + data[start - 1]
    return (*keys, data[start:end].decode(), data[end:-4].decode())


def http_token(secret):
    """What an agent with that key shows by HTTP."""
    key = ctypes.create_string_buffer(32)
    _zmq.zmq_z85_decode(key, secret)
    said = hashlib.blake2b(b"frameq agent http token 1", key=key.raw,
                           digest_size=32).digest()
    return "fq_" + base64.urlsafe_b64encode(said).decode().rstrip("=")


class Peer:
    """One socket. keys: (server's public, own public, own secret), or None for
    no security at all."""

    def __init__(self, kind, address, keys=None, topics=(b"",), wait=2):
        self.context = _zmq.zmq_ctx_new()
        self.socket = _zmq.zmq_socket(ctypes.c_void_p(self.context), kind)
        self._number(LINGER, 0)
        self._number(RCVTIMEO, int(wait * 1000))
        if keys:
            for option, key in zip((CURVE_SERVERKEY, CURVE_PUBLICKEY,
                                    CURVE_SECRETKEY), keys):
                self._option(option, key)
        if kind == SUB:
            for topic in topics:
                self._option(SUBSCRIBE, topic)
        assert _zmq.zmq_connect(ctypes.c_void_p(self.socket),
                                f"tcp://{address}".encode()) == 0

    def _option(self, option, value):
        assert _zmq.zmq_setsockopt(ctypes.c_void_p(self.socket), option, value,
                                   ctypes.c_size_t(len(value))) == 0, option

    def _number(self, option, value):
        number = ctypes.c_int(value)
        _zmq.zmq_setsockopt(ctypes.c_void_p(self.socket), option,
                            ctypes.byref(number), ctypes.c_size_t(4))

    def send(self, *parts):
        for i, part in enumerate(parts):
            more = 2 if i + 1 < len(parts) else 0
            _zmq.zmq_send(ctypes.c_void_p(self.socket), part,
                          ctypes.c_size_t(len(part)), more)

    def receive(self):
        """One part, or None when nothing comes in time."""
        data = ctypes.create_string_buffer(1 << 16)
        n = _zmq.zmq_recv(ctypes.c_void_p(self.socket), data,
                          ctypes.c_size_t(len(data)), 0)
        return None if n < 0 else data.raw[:n]

    def close(self):
        _zmq.zmq_close(ctypes.c_void_p(self.socket))
        _zmq.zmq_ctx_term(ctypes.c_void_p(self.context))


class Zmtp(wire.Zmtp):
    """wire.Zmtp with CURVE (ZeroMQ RFC 26), from its client's end: a member of
    the farm that says what its libzmq would not. keys: as of Peer."""

    def __init__(self, kind, address, keys, timeout=20):
        self.keys = [self._binary(key) for key in keys]
        self.nonce = 0
        super().__init__(kind, address, timeout=timeout)

    @staticmethod
    def _binary(z85):
        key = ctypes.create_string_buffer(32)
        assert _zmq.zmq_z85_decode(key, z85)
        return key.raw

    def _count(self):
        self.nonce += 1
        return struct.pack(">Q", self.nonce)

    def greet(self, kind):
        server, public, secret = self.keys
        self.socket.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" +
                            b"CURVE".ljust(20, b"\0") + bytes(32))
        self.read(64)
        short = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
        _sodium.crypto_box_keypair(*short)
        mine, my_secret = (key.raw for key in short)
        count = self._count()
        self.frame(4, b"\x05HELLO\x01\x00" + bytes(72) + mine + count + seal(
            bytes(64), b"CurveZMQHELLO---" + count, server, my_secret))
        welcome = self.read_frame()[1]
        box = unseal(welcome[24:], b"WELCOME-" + welcome[8:24], server,
                     my_secret)
        theirs, cookie = box[:32], box[32:]
        vouch, count, kind = bytes(16), self._count(), kind.encode()
        self.frame(4, b"\x08INITIATE" + cookie + count + seal(
            public + vouch + seal(mine + server, b"VOUCH---" + vouch, theirs,
                                  secret) +
            b"\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind,
            b"CurveZMQINITIATE" + count, theirs, my_secret))
        self.session = theirs, my_secret
        self.read_frame()

    def sealed(self, flags, body):
        """The bytes of a part; flags: 1 more follow, 2 a command."""
        count = self._count()
        return self.framed(0, b"\x07MESSAGE" + count + seal(
            bytes([flags]) + body, b"CurveZMQMESSAGEC" + count, *self.session))

    def send(self, *parts):
        self.socket.sendall(b"".join(
            self.sealed(int(i + 1 < len(parts)), part)
            for i, part in enumerate(parts)))


def seal(data, nonce, public, secret):
    box = ctypes.create_string_buffer(len(data) + 16)
    assert _sodium.crypto_box_easy(box, data, ctypes.c_ulonglong(len(data)),
                                   nonce, public, secret) == 0
    return box.raw


def unseal(box, nonce, public, secret):
    data = ctypes.create_string_buffer(len(box) - 16)
    assert _sodium.crypto_box_open_easy(
        data, box, ctypes.c_ulonglong(len(box)), nonce, public, secret) == 0
    return data.raw
