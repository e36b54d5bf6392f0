/* SPDX-License-Identifier: Apache-2.0
 *
 * A sorted array with binary search. Ranges that touch are joined at once, so
 * a set of members has exactly one form and equality is that of the arrays.
 */
#include "common/ranges.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"

/* Up to so many ranges are added one by one; each costs a move of what stands
 * behind it, which for half a million of them would be minutes. */
#define FEW 8

/* The first range that ends at or past i: the one an addition touching i may
 * join. n when there is none. */
static int32_t first_reaching(const struct ranges *set, int32_t i)
{
    int32_t low = 0, high = set->n;
    while (low < high) {
        int32_t mid = low + (high - low) / 2;
        if (set->at[mid].hi < i)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* The first range that has a member at or past i. */
static int32_t first_past(const struct ranges *set, int32_t i)
{
    int32_t at = first_reaching(set, i);
    return at < set->n && set->at[at].hi == i ? at + 1 : at;
}

static int32_t length(struct range range)
{
    return range.hi - range.lo;
}

/* Puts the n ranges of with in place of those in [from, to). */
static void splice(struct ranges *set, int32_t from, int32_t to,
                   const struct range *with, int32_t n)
{
    int32_t total = set->n - (to - from) + n;
    if (total > set->cap) {
        set->cap = total + total / 2 + 4;
        set->at = mem_grow(set->at, (size_t)set->cap, sizeof *set->at);
    }
    for (int32_t i = from; i < to; i++)
        set->count -= length(set->at[i]);
    if (set->n > to)
        memmove(set->at + from + n, set->at + to,
                (size_t)(set->n - to) * sizeof *set->at);
    for (int32_t i = 0; i < n; i++) {
        set->at[from + i] = with[i];
        set->count += length(with[i]);
    }
    set->n = total;
}

void ranges_add(struct ranges *set, int32_t lo, int32_t hi)
{
    assert(0 <= lo && lo <= hi);
    if (lo == hi)
        return;
    int32_t from = first_reaching(set, lo), to = from;
    struct range joined = {lo, hi};
    for (; to < set->n && set->at[to].lo <= hi; to++) {
        if (set->at[to].lo < joined.lo)
            joined.lo = set->at[to].lo;
        if (set->at[to].hi > joined.hi)
            joined.hi = set->at[to].hi;
    }
    splice(set, from, to, &joined, 1);
}

void ranges_remove(struct ranges *set, int32_t lo, int32_t hi)
{
    assert(0 <= lo && lo <= hi);
    if (lo == hi)
        return;
    int32_t from = first_past(set, lo), to = from, n = 0;
    struct range rest[2];
    for (; to < set->n && set->at[to].lo < hi; to++) {
        if (set->at[to].lo < lo)
            rest[n++] = (struct range){set->at[to].lo, lo};
        if (set->at[to].hi > hi)
            rest[n++] = (struct range){hi, set->at[to].hi};
    }
    if (to > from)
        splice(set, from, to, rest, n);
}

/* Takes the place of set. */
static void replace(struct ranges *set, const struct ranges *by)
{
    mem_free(set->at);
    *set = *by;
}

/* One walk over both: each addition goes to the end of the new set. */
static void merge(struct ranges *set, const struct ranges *other)
{
    struct ranges all = {0};
    int32_t i = 0, j = 0;
    while (i < set->n || j < other->n) {
        bool mine =
            j == other->n || (i < set->n && set->at[i].lo < other->at[j].lo);
        struct range next = mine ? set->at[i++] : other->at[j++];
        ranges_add(&all, next.lo, next.hi);
    }
    replace(set, &all);
}

static void subtract(struct ranges *set, const struct ranges *other)
{
    struct ranges rest = {0};
    int32_t j = 0;
    for (int32_t i = 0; i < set->n; i++) {
        struct range left = set->at[i];
        while (j < other->n && other->at[j].hi <= left.lo)
            j++;
        for (int32_t k = j; k < other->n && other->at[k].lo < left.hi; k++) {
            if (left.lo < other->at[k].lo)
                ranges_add(&rest, left.lo, other->at[k].lo);
            left.lo = other->at[k].hi;
        }
        if (left.lo < left.hi)
            ranges_add(&rest, left.lo, left.hi);
    }
    replace(set, &rest);
}

void ranges_add_all(struct ranges *set, const struct ranges *other)
{
    assert(set != other);
    if (other->n > FEW) {
        merge(set, other);
        return;
    }
    for (int32_t i = 0; i < other->n; i++)
        ranges_add(set, other->at[i].lo, other->at[i].hi);
}

void ranges_remove_all(struct ranges *set, const struct ranges *other)
{
    assert(set != other);
    if (other->n > FEW) {
        subtract(set, other);
        return;
    }
    for (int32_t i = 0; i < other->n; i++)
        ranges_remove(set, other->at[i].lo, other->at[i].hi);
}

bool ranges_has(const struct ranges *set, int32_t i)
{
    int32_t at = first_past(set, i);
    return at < set->n && set->at[at].lo <= i;
}

bool ranges_meets(const struct ranges *set, int32_t lo, int32_t hi)
{
    int32_t at = first_past(set, lo);
    return lo < hi && at < set->n && set->at[at].lo < hi;
}

void ranges_within(const struct ranges *set, int32_t lo, int32_t hi,
                   struct ranges *ret)
{
    assert(set != ret);
    int32_t i = first_past(set, lo);
    for (; i < set->n && set->at[i].lo < hi; i++) {
        struct range part = set->at[i];
        ranges_add(ret, part.lo > lo ? part.lo : lo,
                   part.hi < hi ? part.hi : hi);
    }
}

/* Gathered apart, each goes to an end, not into the middle of ret. */
void ranges_common(const struct ranges *a, const struct ranges *b,
                   struct ranges *ret)
{
    struct ranges both = {0};
    for (int32_t i = 0; i < b->n; i++)
        ranges_within(a, b->at[i].lo, b->at[i].hi, &both);
    ranges_add_all(ret, &both);
    ranges_free(&both);
}

bool ranges_equal(const struct ranges *a, const struct ranges *b)
{
    if (a->n != b->n)
        return false;
    return a->n == 0 || memcmp(a->at, b->at, (size_t)a->n * sizeof *a->at) == 0;
}

void ranges_copy(struct ranges *dst, const struct ranges *src)
{
    if (dst == src)
        return;
    dst->n = dst->count = 0;
    ranges_add_all(dst, src);
}

void ranges_free(struct ranges *set)
{
    mem_free(set->at);
    *set = (struct ranges){0};
}

void ranges_check(const struct ranges *set)
{
    int32_t count = 0;
    assert(0 <= set->n && set->n <= set->cap);
    for (int32_t i = 0; i < set->n; i++) {
        assert(0 <= set->at[i].lo && set->at[i].lo < set->at[i].hi);
        assert(i == 0 || set->at[i - 1].hi < set->at[i].lo);
        count += length(set->at[i]);
    }
    assert(count == set->count);
}
