/* SPDX-License-Identifier: Apache-2.0
 *
 * All values are kept: a run is short and its quantiles should be exact.
 */
#include "tests/bench/figures.h"

#include <stdlib.h>
#include <time.h>

#include "common/mem.h"

int64_t now_us(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

void figures_add(struct figures *figures, int64_t value)
{
    if (figures->n == figures->cap) {
        figures->cap = 2 * figures->cap + 1024;
        figures->at = mem_grow(figures->at, figures->cap, sizeof *figures->at);
    }
    figures->at[figures->n++] = value;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t figures_quantile(struct figures *figures, double q)
{
    if (figures->n == 0)
        return 0;
    qsort(figures->at, figures->n, sizeof *figures->at, compare);
    return figures->at[(size_t)(q * (double)(figures->n - 1))];
}

void figures_done(struct figures *figures)
{
    mem_free(figures->at);
    *figures = (struct figures){0};
}
