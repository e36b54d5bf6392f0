/* SPDX-License-Identifier: Apache-2.0
 *
 * What happened in the stories told: how much work there was, and how often
 * each kind of bad luck struck. Only sums: they add up over processes.
 */
#ifndef FRAMEQ_TESTS_SIM_STATS_H
#define FRAMEQ_TESTS_SIM_STATS_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
#define FAULT_KIND(name, words) STRUCK_##name,
#include "tests/sim/stats.def"
#undef FAULT_KIND
    FAULT_KINDS
};

struct stats {
    int64_t stories;
    int64_t events; /* of the core */
    int64_t leases;
    int64_t done;     /* frames, as the ledger has it */
    int64_t pictures; /* whole ones that nodes made */
    int64_t again;    /* of these: of a frame that had one already */
    int64_t ms;       /* of virtual time */
    int64_t struck[FAULT_KINDS];
};

void stats_add(struct stats *sum, const struct stats *more);

/* stats_print writes it for people; seconds: of real time. */
void stats_print(const struct stats *stats, double seconds);

/* stats_complete tells whether every kind struck at least once, and names on
 * stderr those that did not. */
bool stats_complete(const struct stats *stats);

#endif
