/* SPDX-License-Identifier: Apache-2.0
 *
 * See stats.h.
 */
#include "tests/sim/stats.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *text;
} kinds[FAULT_KINDS] = {
#define FAULT_KIND(name, words) [STRUCK_##name] = {words},
#include "tests/sim/stats.def"
#undef FAULT_KIND
};

void stats_add(struct stats *sum, const struct stats *more)
{
    sum->stories += more->stories;
    sum->events += more->events;
    sum->leases += more->leases;
    sum->done += more->done;
    sum->pictures += more->pictures;
    sum->again += more->again;
    sum->ms += more->ms;
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        sum->struck[kind] += more->struck[kind];
}

void stats_print(const struct stats *stats, double seconds)
{
    double again = stats->pictures > 0
                       ? 100.0 * (double)stats->again / (double)stats->pictures
                       : 0.0;
    printf("%" PRId64 " stories in %.1f s, %.0f a second; %.0f virtual hours\n",
           stats->stories, seconds, (double)stats->stories / seconds,
           (double)stats->ms / 3600000.0);
    printf("%" PRId64 " events, %" PRId64 " leases, %" PRId64
           " frames done, %.1f %% of pictures rendered twice\n",
           stats->events, stats->leases, stats->done, again);
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        printf("%10" PRId64 "  %s\n", stats->struck[kind], kinds[kind].text);
}

bool stats_complete(const struct stats *stats)
{
    bool all = true;
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        if (stats->struck[kind] > 0)
            continue;
        fprintf(stderr, "never happened: %s\n", kinds[kind].text);
        all = false;
    }
    return all;
}
