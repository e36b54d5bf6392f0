# SPDX-License-Identifier: Apache-2.0
"""A message that never ends: parts that all say that more follow."""

import farm
from wire import Zmtp

MORE = 1
ENOUGH = 96 * 1024 * 1024  # bytes; it is to be cut off long before
GROWTH_MB = 24  # of a program, for all that it holds of one message


def pour(test, program, peer, size, part=Zmtp.framed):
    """Sends parts of a size until it is cut off. program: something with a
    memory_mb(), which must not grow meanwhile."""
    before, sent = program.memory_mb(), 0
    peer.socket.settimeout(5 * farm.SLOW)
    try:
        while sent < ENOUGH:
            data = b"".join(part(MORE, bytes(size))
                            for _ in range(max(1, 32768 // (size + 64))))
            peer.socket.sendall(data)
            sent += len(data)
    except OSError as error:
        test.assertNotIsInstance(error, TimeoutError)
    else:
        test.fail(f"{sent >> 20} MB of one message were taken, memory grew by "
                  f"{program.memory_mb() - before:.0f} MB")
    finally:
        peer.close()
    if farm.SLOW == 1:
        test.assertLess(program.memory_mb() - before, GROWTH_MB)
