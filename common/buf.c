/* SPDX-License-Identifier: Apache-2.0
 *
 * One allocation that doubles up to its maximum. After a refusal everything
 * further is refused too: text with a hole in it is worse than a short one.
 */
#include "common/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

#define FIRST_CAP 64

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

static bool buf_fits(struct buf *buf, size_t n)
{
    if (n > buf->max - buf->len)
        buf->over = true;
    return !buf->over;
}

/* Makes room for n more bytes and the NUL. */
static void buf_reserve(struct buf *buf, size_t n)
{
    size_t need = buf->len + n + 1;
    if (need <= buf->cap)
        return;
    size_t cap = buf->cap == 0 ? FIRST_CAP : buf->cap;
    while (cap < need)
        cap *= 2;
    buf->data = mem_grow(buf->data, cap, 1);
    buf->cap = cap;
}

bool buf_add(struct buf *buf, const void *bytes, size_t n)
{
    if (!buf_fits(buf, n))
        return false;
    buf_reserve(buf, n);
    if (n > 0)
        memcpy(buf->data + buf->len, bytes, n);
    buf->len += n;
    buf->data[buf->len] = '\0';
    return true;
}

/* Most texts fit into what is there already; then one pass is enough. */
bool buf_print(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t room = buf->data == NULL ? 0 : buf->cap - buf->len;
    char *end = room == 0 ? NULL : buf->data + buf->len;
    int n = vsnprintf(end, room, format, args);
    assert(n >= 0);
    bool fits = buf_fits(buf, (size_t)n);
    if (fits && (size_t)n >= room) {
        buf_reserve(buf, (size_t)n);
        vsnprintf(buf->data + buf->len, (size_t)n + 1, format, again);
    }
    if (fits)
        buf->len += (size_t)n;
    else if (end != NULL)
        *end = '\0';
    va_end(again);
    va_end(args);
    return fits;
}

const char *buf_text(const struct buf *buf)
{
    return buf->len == 0 ? "" : buf->data;
}

void buf_drop(struct buf *buf, size_t n)
{
    assert(n <= buf->len);
    if (n == 0)
        return;
    buf->len -= n;
    memmove(buf->data, buf->data + n, buf->len);
    buf->data[buf->len] = '\0';
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->over = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

void buf_free(struct buf *buf)
{
    mem_free(buf->data);
    buf_init(buf, buf->max);
}

char *buf_take(struct buf *buf)
{
    char *bytes = buf->data != NULL ? buf->data : mem_new(1);
    buf_init(buf, buf->max);
    return bytes;
}
