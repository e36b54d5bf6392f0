/* SPDX-License-Identifier: Apache-2.0
 *
 * Grows by doubling to its limit, then goes round.
 */
#include "node/ring.h"

#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

static void room_make(struct ring *ring, size_t n)
{
    size_t cap = ring->cap ? ring->cap : 4096;
    while (cap < ring->len + n && cap < LIMIT_LOG)
        cap *= 2;
    if (cap > LIMIT_LOG)
        cap = LIMIT_LOG;
    if (cap == ring->cap)
        return;
    ring->bytes = mem_grow(ring->bytes, cap, 1);
    ring->cap = cap;
}

static void part_add(struct ring *ring, const char *bytes, size_t n)
{
    const size_t end = (ring->start + ring->len) % ring->cap;
    const size_t first = n < ring->cap - end ? n : ring->cap - end;
    memcpy(ring->bytes + end, bytes, first);
    memcpy(ring->bytes, bytes + first, n - first);
    ring->len += n;
    if (ring->len > ring->cap) {
        ring->start = (ring->start + ring->len - ring->cap) % ring->cap;
        ring->len = ring->cap;
    }
}

void ring_add(struct ring *ring, const char *bytes, size_t n)
{
    ring->total += n;
    if (n > LIMIT_LOG) {
        bytes += n - LIMIT_LOG;
        n = LIMIT_LOG;
    }
    if (n == 0)
        return;
    room_make(ring, n);
    part_add(ring, bytes, n);
}

void ring_copy(const struct ring *ring, size_t most, struct buf *out)
{
    const size_t n = ring->len < most ? ring->len : most;
    ring_part(ring, ring->total - n, ring->total, out);
}

void ring_part(const struct ring *ring, uint64_t from, uint64_t to,
               struct buf *out)
{
    const uint64_t oldest = ring->total - ring->len;
    from = from > oldest ? from : oldest;
    to = to < ring->total ? to : ring->total;
    if (from >= to)
        return;
    const size_t n = (size_t)(to - from);
    const size_t at = (ring->start + (size_t)(from - oldest)) % ring->cap;
    const size_t first = n < ring->cap - at ? n : ring->cap - at;
    buf_add(out, ring->bytes + at, first);
    buf_add(out, ring->bytes, n - first);
}

void ring_done(struct ring *ring)
{
    mem_free(ring->bytes);
    *ring = (struct ring){0};
}
