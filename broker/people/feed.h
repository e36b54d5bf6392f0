/* SPDX-License-Identifier: Apache-2.0
 *
 * The feed: every event that people see, numbered without a gap, to ZeroMQ
 * subscribers (XPUB) and to SSE streams from one ring. What people see of an
 * event is fixed when it happens, its number when its turn at the gate comes;
 * it is written out for who reads it.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_FEED_H
#define FRAMEQ_BROKER_PEOPLE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

struct feed;

/* One event of the ring. */
struct feed_item {
    uint64_t seq;
    int64_t at_ms;
    const char *type;  /* "job", "frame", "lease", "progress", "agent" */
    const char *topic; /* "job/<id>/", "agent/<name>/" */
    const char *body;  /* its own members, each with a comma before it */
};

/* feed_write appends an item as JSON: the keys of the SSE data
 * (docs/protocol.md, "Feed"), among them "id" ("<epoch>:<seq>"), "type",
 * "time". */
void feed_write(const struct feed_item *item, uint64_t epoch, struct buf *out);

/* feed_after returns the first item with a seq greater than `seq`, or NULL when
 * there is none; *ret_lost is set when items after `seq` have left the ring
 * already (the reader must take a fresh snapshot). */
const struct feed_item *feed_after(const struct feed *feed, uint64_t seq,
                                   bool *ret_lost);

/* feed_seq returns the last seq published, 0 for none. */
uint64_t feed_seq(const struct feed *feed);

/* feed_listen has news(ctx) called after items were added, once a turn. One
 * listener: http.c. */
void feed_listen(struct feed *feed, void (*news)(void *ctx), void *ctx);

#endif
