/* SPDX-License-Identifier: Apache-2.0
 *
 * The feed: every event that people see, numbered without a gap, to ZeroMQ
 * subscribers (XPUB) and to SSE streams from one ring. A feed event is built
 * once, as JSON, when its turn at the gate comes.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_FEED_H
#define FRAMEQ_BROKER_PEOPLE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct feed;

/* One event of the ring. json holds the keys of the SSE data (docs/protocol.md,
 * "Feed"), among them "id" ("<epoch>:<seq>"), "type", "time". */
struct feed_item {
    uint64_t seq;
    const char *type;  /* "job", "frame", "lease", "progress", "agent" */
    const char *topic; /* "job/<id>/", "agent/<name>/" */
    const char *json;
};

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
