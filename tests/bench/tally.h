/* SPDX-License-Identifier: Apache-2.0
 *
 * The figures of several rounds under their names, and the median of each.
 */
#ifndef FRAMEQ_TESTS_BENCH_TALLY_H
#define FRAMEQ_TESTS_BENCH_TALLY_H

#include <stddef.h>
#include <stdio.h>

#define TALLY_NAMES  16
#define TALLY_ROUNDS 99

/* A zeroed struct tally is empty. */
struct tally {
    struct tally_row {
        const char *name; /* static */
        int decimals;
        double at[TALLY_ROUNDS];
        size_t n;
    } rows[TALLY_NAMES];
    size_t n;
};

/* tally_add adds the figure of one round, at most TALLY_ROUNDS a name;
 * decimals is how many tally_print shows. */
void tally_add(struct tally *tally, const char *name, int decimals,
               double value);

/* tally_median returns the middle one, the mean of the two middle ones of an
 * even number; 0 when there is none of that name. */
double tally_median(const struct tally *tally, const char *name);

/* tally_print writes ,"name":median of each, in the order they first came. */
void tally_print(const struct tally *tally, FILE *out);

#endif
