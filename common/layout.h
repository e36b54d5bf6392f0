/* SPDX-License-Identifier: Apache-2.0
 *
 * Structs as positional msgpack arrays, told by a table: one row a field, in
 * the order of the wire. The same row bounds a value when it is read and is
 * asserted when it is written. Knows no message; msg.c has the tables.
 */
#ifndef FRAMEQ_COMMON_LAYOUT_H
#define FRAMEQ_COMMON_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/unpack.h"

enum form {
    FORM_BOOL,
    FORM_I32,    /* int32_t, low..high */
    FORM_I64,    /* int64_t, low..high */
    FORM_U64,    /* uint64_t, low..high, both taken as uint64_t */
    FORM_TEXT,   /* const char *, low..high bytes, NULL written as "" */
    FORM_TEXTS,  /* const char *const *, each low..high bytes, at most most */
    FORM_STRUCT, /* a struct within the struct: `of` */
    FORM_LIST,   /* const struct *, at most most of them: `of` */
    FORMS
};

struct field_row {
    const char *name;
    enum form form;
    size_t at;       /* offset in the struct */
    size_t count_at; /* TEXTS, LIST: offset of their size_t count */
    int64_t low, high;
    size_t most;
    const char *(*refuse)(const char *text, size_t len); /* TEXT, TEXTS: NULL
                                                when fit, else why not */
    const struct layout *of;
};

struct layout {
    size_t size; /* of the struct */
    size_t n;
    /* Fields that must be there; 0: all. Those behind them came later: texts,
     * "" where an older writer has left them away. */
    size_t least;
    const struct field_row *fields;
    /* Rules between fields: NULL when they hold, else what is wrong. */
    const char *(*refuse)(const void *value);
};

/* Where a reading is, for the reason of a refusal. */
struct layout_reader {
    struct unpack in;
    struct arena *arena;
    const char *what; /* "STATE": begins every reason */
    char *why;
    size_t size;
};

/* layout_encode appends the fields of value, without the head of the array
 * they stand in. Asserts every bound and rule. Look at out->over. */
void layout_encode(const struct layout *layout, const void *value,
                   struct buf *out);

/* layout_decode reads count items into value (zeroed by the caller): the
 * fields, then items it passes over. Returns false with the reason in why
 * ("STATE field leases[3].step: 0 is less than 1"). */
bool layout_decode(struct layout_reader *reader, const struct layout *layout,
                   size_t count, void *value);

/* layout_array appends the head of an array of n items, layout_number a
 * number. */
void layout_array(size_t n, struct buf *out);
void layout_number(uint64_t number, struct buf *out);

#endif
