/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection through TLS: a client's socket on one side, a plain one on the
 * other. Of one thread alone. A client has LIMIT_REQUEST_MS for its handshake;
 * what it may do after that is the business of who has the other plain end, and
 * once that is closed it must go on reading what is left.
 */
#ifndef FRAMEQ_COMMON_HTTP_TUNNEL_H
#define FRAMEQ_COMMON_HTTP_TUNNEL_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/http/cert.h"

struct tunnel;

/* What an event of the epoll set is about. */
struct end {
    struct tunnel *tunnel;
    int fd;
    uint32_t waits; /* the events asked for */
};

/* One way through: what was read and not yet written. */
struct way {
    unsigned char *bytes; /* NULL while there is nothing */
    size_t at, len;
    bool ended; /* nothing more will be read */
};

struct tunnel {
    struct end outer, inner; /* the client's socket, and the plain one */
    gnutls_session_t session;
    struct cert *cert; /* of which it is a user */
    int epoll;
    bool spoke;          /* the client began a handshake */
    bool open;           /* which is over */
    bool said;           /* the client knows that no more will come */
    bool left;           /* the server has closed the plain end */
    bool dead;           /* to be freed once the events at hand are done */
    int64_t deadline_ms; /* while it is not open, or the server has left */
    struct way in, out;
    struct tunnel *prev, *next;
};

/* tunnel_new takes both sockets and watches them in the set, or closes them and
 * returns NULL. */
struct tunnel_options {
    gnutls_priority_t priority;
    struct cert *cert;
    int epoll;
    int outer, inner;
    int64_t now_ms;
};
struct tunnel *tunnel_new(const struct tunnel_options *options);
void tunnel_free(struct tunnel *tunnel);

/* tunnel_event moves what can be moved. */
void tunnel_event(const struct end *end, uint32_t events, int64_t now_ms);

/* tunnel_flush moves to the client what goes at once. */
void tunnel_flush(struct tunnel *tunnel);

/* tunnel_is_over tells whether it is to be freed. */
bool tunnel_is_over(const struct tunnel *tunnel, int64_t now_ms);

#endif
