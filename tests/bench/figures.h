/* SPDX-License-Identifier: Apache-2.0
 *
 * Times measured, and what is said of them.
 */
#ifndef FRAMEQ_TESTS_BENCH_FIGURES_H
#define FRAMEQ_TESTS_BENCH_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#define SECOND_US 1000000

/* now_us reads the monotonic clock, in microseconds. */
int64_t now_us(void);

/* A zeroed struct figures is empty. */
struct figures {
    int64_t *at; /* owned */
    size_t n, cap;
};

void figures_add(struct figures *figures, int64_t value);

/* figures_quantile returns the value at q in 0..1; 0 when there is none. It
 * sorts them. */
int64_t figures_quantile(struct figures *figures, double q);

void figures_done(struct figures *figures);

#endif
