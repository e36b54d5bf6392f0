/* SPDX-License-Identifier: Apache-2.0
 *
 * The last LIMIT_LOG bytes of a log: what is older falls out. Takes memory
 * only as it fills.
 */
#ifndef FRAMEQ_NODE_RING_H
#define FRAMEQ_NODE_RING_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* A zeroed struct ring is empty. */
struct ring {
    char *bytes;
    size_t cap;     /* of bytes, at most LIMIT_LOG */
    size_t len;     /* in use */
    size_t start;   /* of the oldest one; 0 until it is full */
    uint64_t total; /* bytes ever added */
};

void ring_add(struct ring *ring, const char *bytes, size_t n);

/* ring_copy appends the last most bytes (all when there are fewer) to out. */
void ring_copy(const struct ring *ring, size_t most, struct buf *out);

/* ring_part appends those of bytes [from, to), counted from the first ever
 * added, that are still there. */
void ring_part(const struct ring *ring, uint64_t from, uint64_t to,
               struct buf *out);

/* ring_done releases the memory; the ring is empty and usable again. */
void ring_done(struct ring *ring);

#endif
