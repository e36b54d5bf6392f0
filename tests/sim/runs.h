/* SPDX-License-Identifier: Apache-2.0
 *
 * Many stories, over as many processes as asked for.
 */
#ifndef FRAMEQ_TESTS_SIM_RUNS_H
#define FRAMEQ_TESTS_SIM_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/stats.h"

#define RUNS_JOBS_MAX 64

struct runs {
    uint64_t seeds, from;
    uint64_t jobs;     /* processes, 1..RUNS_JOBS_MAX */
    uint64_t crash_at; /* see struct story */
    bool crash_every;  /* each seed once for every event of it */
    bool verbose;
};

/* runs_live lives through them all and adds up what happened. Returns false
 * after the first one in which something is wrong; what, and the command that
 * shows it again, is on stderr then. */
bool runs_live(const struct runs *runs, struct stats *ret_stats);

#endif
