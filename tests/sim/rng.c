/* SPDX-License-Identifier: Apache-2.0
 *
 * splitmix64 by Sebastiano Vigna; the slight bias of % does no harm here.
 */
#include "tests/sim/rng.h"

#include <assert.h>

uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int64_t rng_between(struct rng *rng, int64_t low, int64_t high)
{
    assert(low <= high);
    return low + (int64_t)(rng_next(rng) % (uint64_t)(high - low + 1));
}

int64_t rng_skewed(struct rng *rng, int64_t low, int64_t high)
{
    return rng_between(rng, low, rng_between(rng, low, high));
}

bool rng_chance(struct rng *rng, int permille)
{
    return rng_between(rng, 0, 999) < permille;
}
