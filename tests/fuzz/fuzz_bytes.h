/* SPDX-License-Identifier: Apache-2.0
 *
 * Choices out of a fuzzer's bytes: each takes what it needs from the front.
 * Where none are left every choice is its lowest, so an input may end
 * anywhere, and a byte changed changes one choice.
 */
#ifndef FRAMEQ_TESTS_FUZZ_FUZZ_BYTES_H
#define FRAMEQ_TESTS_FUZZ_FUZZ_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/arena.h"

struct fuzz_bytes {
    const uint8_t *at;
    size_t left;
};

static inline uint64_t fuzz_take(struct fuzz_bytes *in, size_t n)
{
    uint64_t value = 0;
    for (; n > 0 && in->left > 0; n--, in->left--)
        value = value << 8 | *in->at++;
    return value;
}

/* A number of low..high: one byte where that is enough, else eight. */
static inline int64_t fuzz_number(struct fuzz_bytes *in, int64_t low,
                                  int64_t high)
{
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t value = fuzz_take(in, span < 256 ? 1 : 8);
    if (span != UINT64_MAX)
        value %= span + 1;
    return (int64_t)((uint64_t)low + value);
}

static inline bool fuzz_bool(struct fuzz_bytes *in)
{
    return (fuzz_take(in, 1) & 1) != 0;
}

/* One of n. */
static inline size_t fuzz_pick(struct fuzz_bytes *in, size_t n)
{
    return (size_t)fuzz_take(in, 1) % n;
}

/* The next piece, up to a byte `end`, as a text without it; what stands behind
 * a zero byte in it is lost. */
static inline char *fuzz_text(struct fuzz_bytes *in, char end,
                              struct arena *arena)
{
    const uint8_t *stop = in->left > 0 ? memchr(in->at, end, in->left) : NULL;
    size_t n = stop != NULL ? (size_t)(stop - in->at) : in->left;
    char *text = arena_text(arena, (const char *)in->at, n);
    size_t used = stop != NULL ? n + 1 : n;
    in->at += used;
    in->left -= used;
    return text;
}

#endif
