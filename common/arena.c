/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks in a list, the newest first, each twice as large as the one before;
 * only the newest is filled. Frees nothing alone and moves nothing, so pointers
 * hold until the reset, which keeps the largest: soon one is enough.
 */
#include "common/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

#define BLOCK_SIZE 65536   /* of the first */
#define KEPT_SIZE  1048576 /* that a reset keeps at most */

struct arena_block {
    struct arena_block *next;
    size_t cap, used;
    alignas(max_align_t) char bytes[];
};

static size_t round_up(size_t n)
{
    assert(n <= SIZE_MAX / 2);
    return (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static void block_add(struct arena *arena, size_t n)
{
    size_t cap = arena->blocks ? 2 * arena->blocks->cap : BLOCK_SIZE;
    if (cap > KEPT_SIZE)
        cap = KEPT_SIZE;
    if (cap < n)
        cap = n;
    struct arena_block *block = mem_grow(NULL, 1, sizeof *block + cap);
    *block = (struct arena_block){.next = arena->blocks, .cap = cap};
    arena->blocks = block;
}

void *arena_new(struct arena *arena, size_t n)
{
    n = round_up(n == 0 ? 1 : n);
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->cap - block->used < n) {
        block_add(arena, n);
        block = arena->blocks;
    }
    void *p = memset(block->bytes + block->used, 0, n);
    block->used += n;
    arena->used += n;
    return p;
}

char *arena_text(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_new(arena, len + 1);
    if (len > 0)
        memcpy(copy, text, len);
    return copy;
}

char *arena_print(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    assert(len >= 0);
    char *text = arena_new(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

/* Under AddressSanitizer no block is reused, so that it sees every use of
 * memory after the reset. */
static bool block_is_kept(const struct arena_block *block, const void *kept)
{
#ifdef __SANITIZE_ADDRESS__
    (void)block;
    (void)kept;
    return false;
#else
    return kept == NULL && block->cap <= KEPT_SIZE;
#endif
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = NULL;
    for (struct arena_block *b = arena->blocks, *next; b != NULL; b = next) {
        next = b->next;
        if (block_is_kept(b, kept))
            kept = b;
        else
            mem_free(b);
    }
    if (kept != NULL)
        *kept = (struct arena_block){.cap = kept->cap};
    *arena = (struct arena){.blocks = kept};
}

void arena_done(struct arena *arena)
{
    arena_reset(arena);
    mem_free(arena->blocks);
    *arena = (struct arena){0};
}
