/* SPDX-License-Identifier: Apache-2.0
 *
 * What every ZeroMQ socket of the broker has in common: how long it waits for
 * a peer's sign of life and for its handshake, and who is let in.
 */
#ifndef FRAMEQ_BROKER_AGENTS_SOCKET_H
#define FRAMEQ_BROKER_AGENTS_SOCKET_H

#include <czmq.h>

struct socket_options {
    int type;           /* ZMQ_... */
    int message_max;    /* bytes of a message that it takes */
    int linger_ms;      /* when it is closed it goes on sending for so long */
    int heartbeat_ms;   /* 0: none, TCP finds who is cut off. libzmq walks
                           through all timers of its thread at the answer to
                           each (4.3.4), which took 3,000 agents most of a
                           core */
    const char *key;    /* the broker's secret key; NULL: anybody is let in */
    const char *domain; /* with key: whose keys open it (zap.h) */
};

/* socket_new makes a socket. Owned by the caller: zsock_destroy. */
zsock_t *socket_new(const struct socket_options *options);

/* socket_bind binds tcp://host:port, an IPv6 address without its brackets.
 * Returns false, with zmq_errno set, when that cannot be done; socket_unbind
 * undoes it. */
bool socket_bind(zsock_t *sock, const char *host, int port);
void socket_unbind(zsock_t *sock, const char *host, int port);

/* sockets_cut closes the connections to local ports [port, port + n) that come
 * from an address ("": from anywhere). Their sockets see them end as if the
 * peer had. */
void sockets_cut(int port, int n, const char *address);

#endif
