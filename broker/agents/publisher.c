/* SPDX-License-Identifier: Apache-2.0
 *
 * XPUB, as only that tells of subscriptions; but not whose they are.
 */
#include "broker/agents/publisher.h"

#include <assert.h>
#include <czmq.h>

#include "broker/agents/socket.h"
#include "common/app/log.h"
#include "common/limits.h"
#include "common/mem.h"

#define SUBSCRIBE_LEN 10 /* the word before a topic in ZMTP 3.1 */

struct publisher {
    zsock_t *sock;
    char *host;
    int port;
    struct socket_options options;
    size_t topics; /* bytes of all topics subscribed to, each counted once */
    bool bound;
};

static zsock_t *xpub_new(const struct publisher *publisher)
{
    zsock_t *sock = socket_new(&publisher->options);
    zsock_set_backlog(sock, 4096);
    /* One at a time, or libzmq reads a flood to its end before it returns. A
     * peer's key takes a place for good (libzmq 4.3.4). */
    zsock_set_rcvhwm(sock, publisher->options.key ? 2 : 1);
    return sock;
}

static void try_bind(struct publisher *publisher)
{
    publisher->bound =
        socket_bind(publisher->sock, publisher->host, publisher->port);
}

struct publisher *publisher_open(const struct publisher_options *options)
{
    struct publisher *publisher = mem_new(sizeof *publisher);
    publisher->host = mem_text(options->host);
    publisher->port = options->port;
    publisher->options =
        (struct socket_options){.type = ZMQ_XPUB,
                                .message_max = LIMIT_TOPIC + SUBSCRIBE_LEN,
                                .linger_ms = 200,
                                .key = options->key,
                                .domain = options->domain};
    publisher->sock = xpub_new(publisher);
    try_bind(publisher);
    if (!publisher->bound)
        publisher_close(&publisher);
    return publisher;
}

void publisher_close(struct publisher **publisher_ref)
{
    struct publisher *publisher = *publisher_ref;
    if (!publisher)
        return;
    int error = errno;
    zsock_destroy(&publisher->sock);
    mem_free(publisher->host);
    mem_free(publisher);
    errno = error;
    *publisher_ref = NULL;
}

void *publisher_socket(const struct publisher *publisher)
{
    return zsock_resolve(publisher->sock);
}

/* Takes one subscription (1, topic) or its end (0, topic). */
static bool topic_take(struct publisher *publisher)
{
    unsigned char topic[1]; /* its length says the rest */
    int n = zmq_recv(zsock_resolve(publisher->sock), topic, sizeof topic,
                     ZMQ_DONTWAIT);
    if (n <= 0)
        return n == 0;
    size_t bytes = (size_t)n;
    if (topic[0] == 1)
        publisher->topics += bytes;
    else if (topic[0] == 0 && publisher->topics >= bytes)
        publisher->topics -= bytes;
    return true;
}

/* Another socket in its place: a thread of libzmq's ends the old one, which
 * takes a second where it is full of topics. */
static void renew(struct publisher *publisher)
{
    zsock_set_linger(publisher->sock, 0);
    zsock_destroy(&publisher->sock);
    publisher->sock = xpub_new(publisher);
    publisher->topics = 0;
    publisher->bound = false;
}

bool publisher_read(struct publisher *publisher)
{
    for (int i = 0; i < LIMIT_TOPICS_PER_TURN && topic_take(publisher); i++)
        ;
    bool too_many = publisher->bound && publisher->topics > LIMIT_TOPICS;
    if (too_many) {
        log_warn("subscribers_cut", "port=%d reason=%s", publisher->port,
                 log_quoted("too many subscriptions"));
        renew(publisher);
    }
    if (!publisher->bound)
        try_bind(publisher);
    return !too_many;
}

bool publisher_wanted(const struct publisher *publisher)
{
    return publisher->topics > 0;
}

void publisher_send(struct publisher *publisher, const char *topic,
                    const void *bytes, size_t len)
{
    void *sock = zsock_resolve(publisher->sock);
    if (zmq_send(sock, topic, strlen(topic), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(sock, bytes, len, ZMQ_DONTWAIT);
}
