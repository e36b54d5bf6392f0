/* SPDX-License-Identifier: Apache-2.0
 *
 * A bound socket that publishes (control, feed), and what it lets its
 * subscribers cost. Whatever a peer sends is a subscription of at most
 * LIMIT_TOPIC bytes, or the peer is cut off. libzmq keeps all of them and has
 * no bound; so they are counted, and past LIMIT_TOPICS everybody is cut off:
 * who means it well comes back and subscribes again.
 */
#ifndef FRAMEQ_BROKER_AGENTS_PUBLISHER_H
#define FRAMEQ_BROKER_AGENTS_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>

struct publisher;

struct publisher_options {
    const char *host;
    int port;
    const char *key, *domain; /* as in socket.h; the key is borrowed */
};

/* publisher_open binds tcp://host:port. NULL, with zmq_errno set, when that
 * fails. */
struct publisher *publisher_open(const struct publisher_options *options);
void publisher_close(struct publisher **publisher);

/* publisher_socket is what zmq_poll wants; publisher_read takes what
 * subscribers sent, once a turn at least. Returns false where it cut them off.
 */
void *publisher_socket(const struct publisher *publisher);
bool publisher_read(struct publisher *publisher);

/* publisher_wanted tells whether anybody subscribes to anything. */
bool publisher_wanted(const struct publisher *publisher);

/* publisher_send publishes a message of two parts, to those who keep up. */
void publisher_send(struct publisher *publisher, const char *topic,
                    const void *bytes, size_t len);

#endif
