# SPDX-License-Identifier: Apache-2.0
"""A peer with keys of its own choosing, over libzmq itself: what a member of
the farm, or a stranger, might try. Python has no binding of it in Debian's
standard set, and few calls are needed."""

import base64
import ctypes
import ctypes.util
import hashlib

PUB, SUB, PULL = 1, 2, 7
SUBSCRIBE, LINGER, RCVTIMEO = 6, 17, 27
CURVE_PUBLICKEY, CURVE_SECRETKEY, CURVE_SERVERKEY = 48, 49, 50

_zmq = ctypes.CDLL(ctypes.util.find_library("zmq"))
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
