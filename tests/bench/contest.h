/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker and its peer, round by round. On a machine that others use as well
 * only figures that were taken side by side can be compared.
 */
#ifndef FRAMEQ_TESTS_BENCH_CONTEST_H
#define FRAMEQ_TESTS_BENCH_CONTEST_H

#include <stddef.h>

#include "common/app/conf.h"
#include "tests/bench/peer.h"
#include "tests/bench/tally.h"

struct contest {
    const struct peer *peer; /* NULL: the broker alone */
    size_t rounds;
    struct peer_load load;
    /* measures the broker for one round, adds its figures to the tally and
     * returns its rate, the one that is held against peer_per_s */
    double (*ours)(const void *plan, struct tally *tally);
    const void *plan;
};

/* contest_of reads --peer and --rounds. */
struct contest contest_of(const struct conf *conf);

/* contest_run runs all rounds, the two taking turns in being first, and adds
 * the peer's figures and "ratio", how many times the peer's rate ours is. */
void contest_run(const struct contest *contest, struct tally *tally);

/* contest_print_json writes the line {"bench":name, ...}; contest_print_peer a
 * line on the peer for people, nothing when there is none. */
void contest_print_json(const struct contest *contest, const char *name,
                        const struct tally *tally);
void contest_print_peer(const struct contest *contest,
                        const struct tally *tally);

#endif
