/* SPDX-License-Identifier: Apache-2.0
 *
 * What the broker is held against in the same run: a task queue of others that
 * syncs every write, started for the measurement alone, or the bare disk.
 */
#ifndef FRAMEQ_TESTS_BENCH_PEER_H
#define FRAMEQ_TESTS_BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/stint.h"
#include "tests/bench/tally.h"

struct peer;

/* Rows of a verb's table of settings. */
#define PEER_SETTING(kind)                                                     \
    {                                                                          \
        .name = "peer", .argument = "NAME", .fallback = (kind),                \
        .help = "Measured beside it: beanstalkd or redis, which sync every "   \
                "write (Debian packages beanstalkd, redis-server), "           \
                "fdatasync, or none",                                          \
        .check = peer_is_known                                                 \
    }
#define PEER_SETTING_ROUNDS                                                    \
    {                                                                          \
        .name = "rounds", .argument = "N", .fallback = "1",                    \
        .help = "Times it is measured, taking turns with the peer who is "     \
                "first; figures are medians",                                  \
        .check = peer_is_rounds                                                \
    }
const char *peer_is_known(const char *value);
const char *peer_is_rounds(const char *value);

/* peer_get returns the peer of a name that is known, NULL for none. It ends the
 * program with 2 when the peer is not installed. */
const struct peer *peer_get(const char *name);
const char *peer_name(const struct peer *peer);

struct peer_load {
    bool put_only;     /* jobs are put; else each is put, taken, acknowledged */
    size_t n;          /* connections that put, or that take */
    struct stint rate; /* how long as fast as it goes */
    int64_t steady;    /* then so many jobs at STEADY_PER_S, for the waits */
    const char *dir;   /* its folder is made below */
};
#define STEADY_PER_S 500

/* peer_measure runs one round and adds to the tally: peer_per_s, peer_p50_us
 * and peer_p99_us (put_only: of a put; else from a put to its taker), and
 * peer_cpu_us, its processor time for each job. The bare disk has the time of
 * one append and fdatasync instead, and no process. Returns peer_per_s. Any
 * error ends the program. */
double peer_measure(const struct peer *peer, const struct peer_load *load,
                    struct tally *tally);

#endif
