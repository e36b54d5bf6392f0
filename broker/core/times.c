/* SPDX-License-Identifier: Apache-2.0
 *
 * A sketch of frame times: mean and variance as they come (Welford), and a
 * histogram in quarter octaves for quantiles. Fixed size however many frames.
 */
#include "broker/core/state.h"

#include <assert.h>
#include <math.h>

#include "common/mem.h"

/* Before three frames nobody knows; renders of one scene seldom spread more. */
#define SPREAD_ASSUMED 0.3

static int bucket_of(int64_t ms)
{
    if (ms <= 1)
        return 0;
    int i = (int)(4.0 * log2((double)ms));
    return i < TIMES_BUCKETS ? i : TIMES_BUCKETS - 1;
}

void times_add(struct times *times, int64_t ms)
{
    assert(ms >= 0);
    if (!times->bucket)
        times->bucket = mem_new(TIMES_BUCKETS * sizeof *times->bucket);
    times->bucket[bucket_of(ms)]++;
    times->n++;
    if (ms > times->max_ms)
        times->max_ms = ms;
    double delta = (double)ms - times->mean_ms;
    times->mean_ms += delta / (double)times->n;
    times->m2 += delta * ((double)ms - times->mean_ms);
}

void times_free(struct times *times)
{
    mem_free(times->bucket);
    *times = (struct times){0};
}

int64_t times_quantile(const struct times *times, double q)
{
    if (times->n == 0)
        return 0;
    int64_t rank = (int64_t)(q * (double)(times->n - 1));
    int i = 0;
    for (int64_t seen = 0; i < TIMES_BUCKETS - 1; i++) {
        seen += times->bucket[i];
        if (seen > rank)
            break;
    }
    int64_t ms = (int64_t)exp2(((double)i + 0.5) / 4.0);
    return ms < times->max_ms ? ms : times->max_ms;
}

double times_spread(const struct times *times)
{
    if (times->n < 3 || times->mean_ms <= 0.0)
        return SPREAD_ASSUMED;
    return sqrt(times->m2 / (double)(times->n - 1)) / times->mean_ms;
}
