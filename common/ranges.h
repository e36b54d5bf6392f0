/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of whole numbers held as sorted, disjoint, non-touching ranges
 * [lo, hi). The core keeps the ordinals of a job's frames in these, so a job
 * of a million frames costs about the memory of one of twenty. Ordinals count
 * a job's frames from 0; frames.h turns them into frame numbers.
 */
#ifndef FRAMEQ_COMMON_RANGES_H
#define FRAMEQ_COMMON_RANGES_H

#include <stdbool.h>
#include <stdint.h>

struct range {
    int32_t lo, hi; /* lo included, hi not; lo < hi */
};

/* A zeroed struct ranges is the empty set. */
struct ranges {
    struct range *at;
    int32_t n, cap;
    int32_t count; /* members over all ranges */
};

/* ranges_add and ranges_remove take [lo, hi); an empty or partly covered one
 * is fine. Requires 0 <= lo <= hi. */
void ranges_add(struct ranges *set, int32_t lo, int32_t hi);
void ranges_remove(struct ranges *set, int32_t lo, int32_t hi);

/* The same for every range of another set, in time of the size of both; other
 * may not be set itself. */
void ranges_add_all(struct ranges *set, const struct ranges *other);
void ranges_remove_all(struct ranges *set, const struct ranges *other);

/* ranges_has tells whether i is a member: O(log n). */
bool ranges_has(const struct ranges *set, int32_t i);

/* ranges_meets tells whether any member lies in [lo, hi). */
bool ranges_meets(const struct ranges *set, int32_t lo, int32_t hi);

/* ranges_within adds to ret the members of set that lie in [lo, hi). */
void ranges_within(const struct ranges *set, int32_t lo, int32_t hi,
                   struct ranges *ret);

/* ranges_common adds to ret the members that both have, in time of the size of
 * all three. */
void ranges_common(const struct ranges *a, const struct ranges *b,
                   struct ranges *ret);

/* ranges_equal tells whether both hold the same members. */
bool ranges_equal(const struct ranges *a, const struct ranges *b);

/* ranges_copy makes dst the same set as src; dst must be initialised. */
void ranges_copy(struct ranges *dst, const struct ranges *src);

/* ranges_free releases the memory; the set is empty and usable again. */
void ranges_free(struct ranges *set);

/* ranges_check asserts that set is well-formed. */
void ranges_check(const struct ranges *set);

#endif
