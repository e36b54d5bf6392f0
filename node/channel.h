/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire to the driver inside a Blender: JSON objects, one a line, both ways
 * over a socket pair. Never waits: orders are small and few, and what Blender
 * sends past LIMIT_EVENT without a line end breaks the channel.
 */
#ifndef FRAMEQ_NODE_CHANNEL_H
#define FRAMEQ_NODE_CHANNEL_H

#include <jansson.h>
#include <stdbool.h>

#include "common/buf.h"

struct channel {
    int fd; /* -1: closed */
    struct buf in;
};

/* channel_open makes both ends and returns the driver's, to be inherited by
 * it and closed here; -1 with errno when there are no descriptors. */
int channel_open(struct channel *channel);

/* channel_send sends one order; takes it. Returns false when the other end is
 * gone or does not read. */
bool channel_send(struct channel *channel, json_t *order);

/* channel_next returns the next event, owned by the caller, or NULL when there
 * is none yet. Whatever is no JSON object is left out. */
json_t *channel_next(struct channel *channel);

void channel_close(struct channel *channel);

#endif
