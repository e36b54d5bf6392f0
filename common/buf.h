/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing bytes, born with a maximum. A buffer that would pass it keeps what
 * it has, refuses the rest and remembers so in `over`: callers may write many
 * pieces and look once at the end.
 */
#ifndef FRAMEQ_COMMON_BUF_H
#define FRAMEQ_COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* always NUL-terminated once anything was added */
    size_t len; /* without that NUL */
    size_t cap;
    size_t max; /* len never passes it */
    bool over;  /* something was refused */
};

/* buf_init makes an empty buffer of at most max bytes; allocates nothing. */
void buf_init(struct buf *buf, size_t max);

/* buf_add appends n bytes. Returns false, and adds nothing, past max. */
bool buf_add(struct buf *buf, const void *bytes, size_t n);

/* buf_print appends formatted text. Returns false, adding nothing, past max. */
bool buf_print(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* buf_text returns the bytes as a string; "" for an empty buffer. Borrowed. */
const char *buf_text(const struct buf *buf);

/* buf_drop removes the first n bytes (n <= len). */
void buf_drop(struct buf *buf, size_t n);

/* buf_clear empties it and keeps its memory; buf_free releases that too.
 * Both reset `over`. */
void buf_clear(struct buf *buf);
void buf_free(struct buf *buf);

/* buf_take hands the bytes (NUL-terminated, never NULL) to the caller, who
 * releases them with mem_free; the buffer is empty afterwards. */
char *buf_take(struct buf *buf);

#endif
