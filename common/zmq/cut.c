/* SPDX-License-Identifier: Apache-2.0
 *
 * See guard.h. Who is cut off may come back a thousand times a second: the log
 * has few lines of it.
 */
#include <stdatomic.h>

#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/zmq/guard.h"

#define COMPLAIN_MS 10000

static atomic_uint_fast64_t untaken;

uint64_t cut_taken(void)
{
    return atomic_exchange(&untaken, 0);
}

void cut_told(const char *address)
{
    static atomic_int_fast64_t tell_ms; /* not before */
    int64_t now_ms = clock_monotonic_ms();
    int_fast64_t due_ms = atomic_load(&tell_ms);
    atomic_fetch_add(&untaken, 1);
    if (now_ms >= due_ms &&
        atomic_compare_exchange_strong(&tell_ms, &due_ms, now_ms + COMPLAIN_MS))
        log_warn("peer_cut", "address=%s reason=%s", log_quoted(address),
                 log_quoted("a message too large, or without an end"));
}
