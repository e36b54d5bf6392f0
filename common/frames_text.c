/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames as people write them. Reading goes through a bitmap of all frames
 * there can be, so order and overlaps need no care, and the spans taken out of
 * it depend on the members alone: one set has one written form.
 */
#include "common/frames.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/text.h"

#define WORDS ((LIMIT_FRAMES + 63) / 64)

/* What a parse is about: where its reason goes and the part being read. */
struct reader {
    char *why;
    size_t size;
    const char *part; /* without blanks around it */
    size_t len;
};

__attribute__((format(printf, 2, 3))) static bool
refuse(const struct reader *r, const char *format, ...)
{
    char shown[40];
    text_excerpt(r->part, r->len, shown, sizeof shown);
    int n = snprintf(r->why, r->size, "`%s`: ", shown);
    if (n < 0 || (size_t)n >= r->size)
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(r->why + n, r->size - (size_t)n, format, args);
    va_end(args);
    return false;
}

/* Reads the digits at *at, stopping where a value is past every limit.
 * Returns -1 when there are none. */
static int32_t read_number(const char **at, const char *end)
{
    int32_t value = -1;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        value = (value < 0 ? 0 : value) * 10 + (**at - '0');
        if (value > LIMIT_FRAMES)
            value = LIMIT_FRAMES;
    }
    return value;
}

/* Reads the number behind a sign of the expression, if that sign is there. */
static bool read_optional(const char **at, const char *end, char sign,
                          int32_t *ret)
{
    if (*at == end || **at != sign)
        return true;
    ++*at;
    *ret = read_number(at, end);
    return *ret >= 0;
}

static bool read_part(const struct reader *r, struct span *ret)
{
    if (r->len == 0)
        return refuse(r, "an empty part");
    const char *at = r->part, *end = r->part + r->len;
    int32_t first = read_number(&at, end), last = first, step = 1;
    bool ranged = at < end && *at == '-';
    bool ok = first >= 0 && read_optional(&at, end, '-', &last) &&
              (!ranged || read_optional(&at, end, 'x', &step)) && at == end;
    if (!ok)
        return refuse(r, "not a frame or a range such as 1-100 or 1-100x5");
    if (first > LIMIT_FRAME_MAX || last > LIMIT_FRAME_MAX)
        return refuse(r, "past %d, the last frame there can be",
                      LIMIT_FRAME_MAX);
    if (first > last)
        return refuse(r, "starts after it ends");
    if (step < 1)
        return refuse(r, "the step must be at least 1");
    *ret = (struct span){first, last, step, 0};
    return true;
}

static int32_t span_count(const struct span *span)
{
    return (span->last - span->first) / span->step + 1;
}

static void bits_add(uint64_t *bits, const struct span *span)
{
    for (int32_t i = span->first; i <= span->last; i += span->step)
        bits[i / 64] |= UINT64_C(1) << (i % 64);
}

/* The first member at or past i; -1 when there is none. */
static int32_t bits_next(const uint64_t *bits, int32_t i)
{
    while (i < LIMIT_FRAMES) {
        uint64_t rest = bits[i / 64] >> (i % 64);
        if (rest != 0)
            return i + __builtin_ctzll(rest);
        i = (i / 64 + 1) * 64;
    }
    return -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Sets r to the part that begins at text, returns what follows its comma or
 * NULL after the last. */
static const char *next_part(struct reader *r, const char *text)
{
    size_t len = strcspn(text, ",");
    const char *next = text[len] == ',' ? text + len + 1 : NULL;
    while (len > 0 && is_blank(*text)) {
        text++;
        len--;
    }
    while (len > 0 && is_blank(text[len - 1]))
        len--;
    r->part = text;
    r->len = len;
    return next;
}

/* A short text can name all frames thousands of times; the sum is bounded so
 * that reading it takes no noticeable time. */
static bool read_parts(struct reader *r, const char *text, uint64_t *bits)
{
    struct span span = {.step = 1};
    int32_t named = 0;
    for (const char *at = text; at != NULL;) {
        at = next_part(r, at);
        if (!read_part(r, &span))
            return false;
        named += span_count(&span);
        if (named > LIMIT_FRAMES_NAMED)
            return refuse(r, "too many overlapping ranges up to here");
        bits_add(bits, &span);
    }
    return true;
}

/* The span that starts at first: as long as the next member is the next step.
 * Two frames with a gap between are no span of their own. */
static struct span take_span(const uint64_t *bits, int32_t first)
{
    int32_t second = bits_next(bits, first + 1), last = first;
    if (second < 0)
        return (struct span){first, first, 1, 0};
    int32_t step = second - first;
    while (bits_next(bits, last + 1) == last + step)
        last += step;
    if (step > 1 && last == second)
        return (struct span){first, first, 1, 0};
    return (struct span){first, last, step, 0};
}

/* Takes all spans out of bits. Returns false when they are too many. */
static bool take_spans(const uint64_t *bits, struct frames *ret)
{
    struct frames frames = {0};
    int32_t cap = 0;
    int32_t at = bits_next(bits, 0);
    while (at >= 0 && frames.n < LIMIT_FRAME_SPANS) {
        if (frames.n == cap) {
            cap = cap * 2 + 1;
            frames.at = mem_grow(frames.at, (size_t)cap, sizeof *frames.at);
        }
        struct span span = take_span(bits, at);
        span.base = frames.count;
        frames.at[frames.n++] = span;
        frames.count += span_count(&span);
        at = bits_next(bits, span.last + 1);
    }
    if (at >= 0) {
        frames_free(&frames);
        return false;
    }
    *ret = frames;
    return true;
}

bool frames_parse(const char *text, struct frames *ret, char *why, size_t size)
{
    size_t len = strnlen(text, LIMIT_FRAMES_TEXT + 1);
    if (len == 0 || len > LIMIT_FRAMES_TEXT) {
        snprintf(why, size, len == 0 ? "empty" : "longer than %d bytes",
                 LIMIT_FRAMES_TEXT);
        return false;
    }
    struct reader r = {.why = why, .size = size};
    uint64_t *bits = mem_new(WORDS * sizeof *bits);
    bool ok = read_parts(&r, text, bits);
    if (ok && !take_spans(bits, ret)) {
        snprintf(why, size, "more than %d separate ranges", LIMIT_FRAME_SPANS);
        ok = false;
    }
    mem_free(bits);
    return ok;
}

/* Writes count frames from first on. */
static void write_run(struct buf *out, int32_t first, int32_t count,
                      int32_t step)
{
    int32_t last = first + (count - 1) * step;
    if (count == 1)
        buf_print(out, "%d", first);
    else if (step == 1)
        buf_print(out, "%d-%d", first, last);
    else
        buf_print(out, "%d-%dx%d", first, last, step);
}

void frames_text(const struct frames *frames, struct buf *out)
{
    for (int32_t i = 0; i < frames->n; i++) {
        const struct span *span = &frames->at[i];
        if (i > 0)
            buf_add(out, ",", 1);
        write_run(out, span->first, span_count(span), span->step);
    }
}

/* How many members of span, from the ordinal at on and before end, make one
 * range of a list: all, but two with a gap between are two ranges. */
static int32_t run_length(const struct span *span, int32_t at, int32_t end)
{
    int32_t rest = span->base + span_count(span) - at;
    int32_t count = rest < end - at ? rest : end - at;
    return count == 2 && span->step > 1 ? 1 : count;
}

void frames_list(const struct frames *frames, const struct ranges *set,
                 int32_t most, struct buf *out)
{
    int32_t written = 0;
    for (int32_t i = 0; i < set->n; i++) {
        int32_t at = set->at[i].lo, count;
        for (; at < set->at[i].hi; at += count) {
            if (written > 0)
                buf_add(out, ", ", 2);
            if (written++ == most) {
                buf_add(out, "...", 3);
                return;
            }
            const struct span *span = frames_run(frames, at);
            count = run_length(span, at, set->at[i].hi);
            write_run(out, frames_number(frames, at), count, span->step);
        }
    }
}
