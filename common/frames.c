/* SPDX-License-Identifier: Apache-2.0
 *
 * Frame numbers and their ordinals. Spans ascend and never interleave, so the
 * ordinals of one span follow one another and both ways are a binary search.
 * The written form is frames_text.c's.
 */
#include "common/frames.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

static int32_t span_number(const struct span *span, int32_t ordinal)
{
    return span->first + (ordinal - span->base) * span->step;
}

void frames_span(struct frames *ret, int32_t from, int32_t to, int32_t step)
{
    assert(0 <= from && from <= to && to <= LIMIT_FRAME_MAX && step >= 1);
    int32_t count = (to - from) / step + 1;
    int32_t last = from + (count - 1) * step;
    bool lone = count == 2 && step > 1; /* two frames are no stepped span */
    *ret = (struct frames){.n = lone ? 2 : 1, .count = count};
    ret->at = mem_new((size_t)ret->n * sizeof *ret->at);
    if (lone || count == 1)
        step = 1;
    ret->at[0] = (struct span){from, lone ? from : last, step, 0};
    if (lone)
        ret->at[1] = (struct span){last, last, 1, 1};
}

const struct span *frames_run(const struct frames *frames, int32_t ordinal)
{
    assert(0 <= ordinal && ordinal < frames->count);
    int32_t low = 0, high = frames->n - 1;
    while (low < high) {
        int32_t mid = low + (high - low + 1) / 2;
        if (frames->at[mid].base <= ordinal)
            low = mid;
        else
            high = mid - 1;
    }
    return &frames->at[low];
}

int32_t frames_number(const struct frames *frames, int32_t ordinal)
{
    return span_number(frames_run(frames, ordinal), ordinal);
}

/* The index of the first span that ends at or past number; n if none does. */
static int32_t first_ending_at(const struct frames *frames, int32_t number)
{
    int32_t low = 0, high = frames->n;
    while (low < high) {
        int32_t mid = low + (high - low) / 2;
        if (frames->at[mid].last < number)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool span_has(const struct span *span, int32_t number)
{
    return span->first <= number && number <= span->last &&
           (number - span->first) % span->step == 0;
}

int32_t frames_ordinal(const struct frames *frames, int32_t number)
{
    int32_t at = first_ending_at(frames, number);
    if (at == frames->n || !span_has(&frames->at[at], number))
        return -1;
    const struct span *span = &frames->at[at];
    return span->base + (number - span->first) / span->step;
}

/* The first member of span at or past number. */
static int32_t member_from(const struct span *span, int32_t number)
{
    if (number <= span->first)
        return span->first;
    int32_t steps = (number - span->first + span->step - 1) / span->step;
    return span->first + steps * span->step;
}

/* Adds the ordinals of span's members in lo..hi: at one stroke, since they
 * follow one another. Returns how many there are. */
static int32_t select_all(const struct span *span, int32_t lo, int32_t hi,
                          struct ranges *ret)
{
    int32_t first = member_from(span, lo);
    int32_t end = hi < span->last ? hi : span->last;
    if (first > end)
        return 0;
    int32_t base = span->base + (first - span->first) / span->step;
    int32_t count = (end - first) / span->step + 1;
    ranges_add(ret, base, base + count);
    return count;
}

/* The same for the members that a stepped wanted span has too. */
static int32_t select_some(const struct span *span, const struct span *wanted,
                           struct ranges *ret)
{
    int32_t count = 0;
    int32_t end = wanted->last < span->last ? wanted->last : span->last;
    int32_t at = member_from(wanted, span->first);
    for (; at <= end; at += wanted->step)
        if (span_has(span, at))
            count += select_all(span, at, at, ret);
    return count;
}

int32_t frames_select(const struct frames *frames, const struct frames *wanted,
                      struct ranges *ret)
{
    int32_t found = 0;
    for (int32_t w = 0; w < wanted->n; w++) {
        const struct span *want = &wanted->at[w];
        int32_t i = first_ending_at(frames, want->first);
        for (; i < frames->n && frames->at[i].first <= want->last; i++)
            found += want->step == 1 ? select_all(&frames->at[i], want->first,
                                                  want->last, ret)
                                     : select_some(&frames->at[i], want, ret);
    }
    return wanted->count - found;
}

void frames_copy(struct frames *dst, const struct frames *src)
{
    if (dst == src)
        return;
    frames_free(dst);
    *dst = *src;
    dst->at = mem_copy(src->at, (size_t)src->n * sizeof *src->at);
}

bool frames_equal(const struct frames *a, const struct frames *b)
{
    if (a->count != b->count || a->n != b->n)
        return false;
    return a->n == 0 || memcmp(a->at, b->at, (size_t)a->n * sizeof *a->at) == 0;
}

void frames_free(struct frames *frames)
{
    mem_free(frames->at);
    *frames = (struct frames){0};
}
