/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker's ZeroMQ feed: every event that people see, as JSON. One feed is
 * one connection; when it is lost it is closed and another one opened, since
 * ports may have changed. Numbers are the reader's business (mirror.h).
 */
#ifndef FRAMEQ_CLI_WATCH_FEED_H
#define FRAMEQ_CLI_WATCH_FEED_H

#include <jansson.h>
#include <stddef.h>

struct feed;

/* feed_open subscribes to everything on host's feed. facts: its "port", and
 * where the farm has keys the "server_key", "public_key" and "secret_key" of
 * GET /v1/feed. NULL when there can be no such socket. */
struct feed *feed_open(const char *host, const json_t *facts);
void feed_close(struct feed **feed);

enum feed_news {
    FEED_NOTHING, /* the time is over */
    FEED_OPEN,    /* connected; events arrive from now on */
    FEED_EVENT,   /* ret is one, owned by the caller */
    FEED_LOST     /* the connection is gone */
};

/* feed_next waits at most wait_ms for the next news, or until there is
 * something to read from the descriptor input (-1: none), or nobody reads our
 * stdout any more. */
enum feed_news feed_next(struct feed *feed, int input, int wait_ms,
                         json_t **ret);

/* feed_decode reads a msgpack map as a JSON object, owned; NULL for anything
 * else: a map with other keys than texts, nested too deep, bytes left over. */
json_t *feed_decode(const void *bytes, size_t len);

#endif
