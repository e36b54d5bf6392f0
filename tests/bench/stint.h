/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a measurement goes on, and how much it saw.
 */
#ifndef FRAMEQ_TESTS_BENCH_STINT_H
#define FRAMEQ_TESTS_BENCH_STINT_H

#include <stdbool.h>
#include <stdint.h>

struct stint {
    int64_t count, seconds; /* its ends, whichever is first; 0: not this one */
    int64_t from_us, moved_us, took_us, done; /* stint_begin's, stint_over's */
};

void stint_begin(struct stint *stint);

/* stint_over is told how many things happened since stint_begin. When there is
 * none for 30 s it ends the program: something is broken. */
bool stint_over(struct stint *stint, int64_t done);

/* stint_rate returns how many happened a second, once it is over. */
double stint_rate(const struct stint *stint);

#endif
