/* SPDX-License-Identifier: Apache-2.0
 *
 * The allocator of every program. It never returns NULL and never reports:
 * a program without memory ends at once.
 */
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

static void *mem_sure(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

/* Asking for 0 bytes may give NULL, which would look like having none. */
static size_t at_least_one(size_t n)
{
    return n == 0 ? 1 : n;
}

void *mem_new(size_t n)
{
    return mem_sure(calloc(1, at_least_one(n)));
}

void *mem_grow(void *old, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n))
        abort();
    return mem_sure(realloc(old, at_least_one(n)));
}

char *mem_text(const char *text)
{
    return text == NULL ? NULL : mem_copy(text, strlen(text) + 1);
}

void *mem_copy(const void *bytes, size_t n)
{
    void *copy = mem_sure(malloc(at_least_one(n)));
    if (n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

void mem_free(void *p)
{
    free(p);
}
