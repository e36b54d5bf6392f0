/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows and columns of text, laid out for a terminal's width. Where they do not
 * fit, columns that may be cut get narrower, the widest first. Pure.
 */
#ifndef FRAMEQ_CLI_TABLE_H
#define FRAMEQ_CLI_TABLE_H

#include <stddef.h>

#include "cli/term.h"
#include "common/buf.h"

struct column {
    const char *title;
    int least;  /* may be cut to so many columns; 0: never cut */
    bool right; /* numbers stand at the right */
    bool goes;  /* left out where all do not fit, the last first */
};

struct table;

/* table_new borrows columns, n of them (at least 1). */
struct table *table_new(const struct column *columns, size_t n);
void table_free(struct table **table);

/* table_cell adds the next cell, row by row. Texts are copied. */
void table_cell(struct table *table, enum colour colour, const char *format,
                ...) __attribute__((format(printf, 3, 4)));

/* table_count adds a cell of a number, an empty one for 0. */
void table_count(struct table *table, enum colour colour, int64_t n);

/* table_state adds a cell of a state's glyph and word. */
void table_state(struct table *table, const struct term *term,
                 const char *word);

/* table_write appends the titles and all rows, a line each, without blanks at
 * their ends. The last row must be whole. */
void table_write(const struct table *table, const struct term *term,
                 struct buf *out);

#endif
