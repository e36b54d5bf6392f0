/* SPDX-License-Identifier: Apache-2.0
 *
 * What every ZeroMQ socket of the broker has in common: how long it waits for
 * a peer's sign of life and for its handshake.
 */
#ifndef FRAMEQ_BROKER_SOCKET_H
#define FRAMEQ_BROKER_SOCKET_H

#include <czmq.h>

/* socket_new makes a socket of a type (ZMQ_...) that takes messages of at most
 * that many bytes and, when it is closed, goes on sending for so long. Owned by
 * the caller: zsock_destroy. */
zsock_t *socket_new(int type, int message_max, int linger_ms);

#endif
