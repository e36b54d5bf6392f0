/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulator's only source of chance: splitmix64. The same seed gives the
 * same numbers on every machine.
 */
#ifndef FRAMEQ_TESTS_SIM_RNG_H
#define FRAMEQ_TESTS_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state; /* any value is a fine seed */
};

uint64_t rng_next(struct rng *rng);

/* rng_between returns a number in low..high, both included; low <= high. */
int64_t rng_between(struct rng *rng, int64_t low, int64_t high);

/* rng_skewed is rng_between with small numbers far likelier than great ones. */
int64_t rng_skewed(struct rng *rng, int64_t low, int64_t high);

/* rng_chance is true in permille of 1000 cases. */
bool rng_chance(struct rng *rng, int permille);

#endif
