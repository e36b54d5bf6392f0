/* SPDX-License-Identifier: Apache-2.0
 *
 * A bump allocator for everything that lives for one turn of a loop: decoded
 * messages, commands, events. Nothing in it is freed alone; arena_reset ends
 * all of it at once.
 */
#ifndef FRAMEQ_COMMON_ARENA_H
#define FRAMEQ_COMMON_ARENA_H

#include <stddef.h>

struct arena_block;

/* A zeroed struct arena is empty and ready for use. */
struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes handed out since the last reset */
};

/* arena_new returns n zeroed bytes aligned for any type, valid until the next
 * arena_reset. Never NULL; aborts when there is no memory. */
void *arena_new(struct arena *arena, size_t n);

/* arena_text copies len bytes of text and adds a NUL. */
char *arena_text(struct arena *arena, const char *text, size_t len);

/* arena_print formats into the arena. */
char *arena_print(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* arena_reset ends all that was handed out; keeps one block for reuse. */
void arena_reset(struct arena *arena);

/* arena_done releases everything; the arena is empty and usable again. */
void arena_done(struct arena *arena);

#endif
