/* SPDX-License-Identifier: Apache-2.0
 *
 * The frames of a job: an ascending list of distinct frame numbers, written
 * "1-100x5,200" (Blender's and OpenCue's way), held as spans. A frame's
 * ordinal is its place in that list, from 0.
 */
#ifndef FRAMEQ_COMMON_FRAMES_H
#define FRAMEQ_COMMON_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/ranges.h"

struct span {
    int32_t first, last; /* frame numbers, both included; step divides them */
    int32_t step;        /* >= 1; 1 for a single frame */
    int32_t base;        /* ordinal of first */
};

/* A zeroed struct frames has no frames. */
struct frames {
    struct span *at;
    int32_t n;     /* spans, at most LIMIT_FRAME_SPANS */
    int32_t count; /* frames, at most LIMIT_FRAMES */
};

/* frames_parse reads an expression: parts "N", "A-B" or "A-BxS" with commas
 * between, blanks around parts allowed, any order, overlaps united. Numbers
 * are 0..LIMIT_FRAME_MAX, A <= B, S >= 1. On success fills ret (which must be
 * zeroed; release with frames_free) and returns true. On failure returns
 * false, leaves ret alone and writes the reason to why (at most size bytes,
 * for people, without a full stop). Ranges that cannot be written in
 * LIMIT_FRAME_SPANS spans are refused. */
bool frames_parse(const char *text, struct frames *ret, char *why, size_t size);

/* frames_span makes the list from, from+step, ... up to to. Requires
 * 0 <= from <= to <= LIMIT_FRAME_MAX and step >= 1. */
void frames_span(struct frames *ret, int32_t from, int32_t to, int32_t step);

/* frames_number returns the frame number of an ordinal in 0..count-1. */
int32_t frames_number(const struct frames *frames, int32_t ordinal);

/* frames_ordinal returns the ordinal of a frame number, or -1. */
int32_t frames_ordinal(const struct frames *frames, int32_t number);

/* frames_run returns the span that holds ordinal (0..count-1). Borrowed. */
const struct span *frames_run(const struct frames *frames, int32_t ordinal);

/* frames_select adds to ret the ordinals of those frames of `wanted` that are
 * frames of the job, and returns how many of wanted are not. */
int32_t frames_select(const struct frames *frames, const struct frames *wanted,
                      struct ranges *ret);

/* frames_text appends the expression, such that parsing gives it again. */
void frames_text(const struct frames *frames, struct buf *out);

/* frames_list appends the frame numbers of a set of ordinals for people, as
 * "7, 12, 220-233" (a step other than 1 as "1-100x5"), at most most ranges,
 * then ", ...". */
void frames_list(const struct frames *frames, const struct ranges *set,
                 int32_t most, struct buf *out);

void frames_copy(struct frames *dst, const struct frames *src);
bool frames_equal(const struct frames *a, const struct frames *b);
void frames_free(struct frames *frames);

#endif
