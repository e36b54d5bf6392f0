/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows and columns of text, laid out for a terminal's width.
 */
#include "cli/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

#define GAP  2    /* blanks between columns */
#define GONE (-1) /* the width of a column that is left out */

struct cell {
    char *text;
    enum colour colour;
};

struct table {
    const struct column *columns;
    size_t n_columns;
    struct cell *cells;
    size_t n, cap;
};

struct table *table_new(const struct column *columns, size_t n)
{
    assert(n > 0);
    struct table *table = mem_new(sizeof *table);
    table->columns = columns;
    table->n_columns = n;
    return table;
}

void table_free(struct table **table)
{
    if (*table == NULL)
        return;
    for (size_t i = 0; i < (*table)->n; i++)
        mem_free((*table)->cells[i].text);
    mem_free((*table)->cells);
    mem_free(*table);
    *table = NULL;
}

void table_cell(struct table *table, enum colour colour, const char *format,
                ...)
{
    char text[LIMIT_REASON + LIMIT_PATH];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (table->n == table->cap) {
        table->cap = table->cap == 0 ? 64 : table->cap * 2;
        table->cells = mem_grow(table->cells, table->cap, sizeof *table->cells);
    }
    table->cells[table->n++] =
        (struct cell){.text = mem_text(text), .colour = colour};
}

void table_count(struct table *table, enum colour colour, int64_t n)
{
    if (n == 0)
        table_cell(table, colour, "%s", "");
    else
        table_cell(table, colour, "%lld", (long long)n);
}

void table_state(struct table *table, const struct term *term, const char *word)
{
    const struct glyph *glyph = glyph_find(word);
    table_cell(table, glyph->colour, "%s %s", glyph_text(glyph, term), word);
}

static int *widths_natural(const struct table *table)
{
    int *widths = mem_new(table->n_columns * sizeof *widths);
    for (size_t c = 0; c < table->n_columns; c++)
        widths[c] = width_of(table->columns[c].title);
    for (size_t i = 0; i < table->n; i++) {
        int width = width_of(table->cells[i].text);
        int *column = &widths[i % table->n_columns];
        if (width > *column)
            *column = width;
    }
    return widths;
}

/* Narrows the widest column that may still be cut. */
static bool widths_narrow(const struct table *table, int *widths)
{
    int *widest = NULL;
    for (size_t c = 0; c < table->n_columns; c++) {
        int least = table->columns[c].least;
        if (least > 0 && widths[c] > least &&
            (widest == NULL || widths[c] > *widest))
            widest = &widths[c];
    }
    if (widest != NULL)
        --*widest;
    return widest != NULL;
}

static int widths_used(const struct table *table, const int *widths)
{
    int used = -GAP;
    for (size_t c = 0; c < table->n_columns; c++)
        used += widths[c] == GONE ? 0 : widths[c] + GAP;
    return used;
}

/* Leaves the last column out that may go. */
static bool widths_drop(const struct table *table, int *widths)
{
    size_t c = table->n_columns;
    while (c > 0 && (!table->columns[c - 1].goes || widths[c - 1] == GONE))
        c--;
    if (c > 0)
        widths[c - 1] = GONE;
    return c > 0;
}

static bool widths_squeeze(const struct table *table, int *widths, int width)
{
    while (widths_used(table, widths) > width)
        if (!widths_narrow(table, widths))
            return false;
    return true;
}

static void widths_fit(const struct table *table, int *widths, int width)
{
    size_t size = table->n_columns * sizeof *widths;
    int *whole = mem_new(size);
    memcpy(whole, widths, size);
    while (width > 0 && !widths_squeeze(table, widths, width) &&
           widths_drop(table, whole))
        memcpy(widths, whole, size);
    mem_free(whole);
}

/* Appends one row of texts; blanks are held back until text follows them. */
static void row_write(const struct table *table, const struct cell *row,
                      const int *widths, const struct term *term,
                      struct buf *out)
{
    int blanks = 0;
    for (size_t c = 0; c < table->n_columns; c++) {
        struct buf text;
        if (widths[c] == GONE)
            continue;
        buf_init(&text, LIMIT_ANSWER);
        int used = width_cut(row[c].text, widths[c], term, &text);
        int before = table->columns[c].right ? widths[c] - used : 0;
        if (used > 0) {
            buf_print(out, "%*s", blanks + before, "");
            term_paint(term, row[c].colour, buf_text(&text), out);
            blanks = widths[c] - used - before + GAP;
        } else {
            blanks += widths[c] + GAP;
        }
        buf_free(&text);
    }
    buf_print(out, "\n");
}

static void titles_write(const struct table *table, const int *widths,
                         const struct term *term, struct buf *out)
{
    struct cell *titles = mem_new(table->n_columns * sizeof *titles);
    for (size_t c = 0; c < table->n_columns; c++) {
        titles[c].text = mem_text(table->columns[c].title);
        titles[c].colour = DIM;
    }
    row_write(table, titles, widths, term, out);
    for (size_t c = 0; c < table->n_columns; c++)
        mem_free(titles[c].text);
    mem_free(titles);
}

void table_write(const struct table *table, const struct term *term,
                 struct buf *out)
{
    assert(table->n % table->n_columns == 0);
    int *widths = widths_natural(table);
    widths_fit(table, widths, term->width);
    titles_write(table, widths, term, out);
    for (size_t i = 0; i < table->n; i += table->n_columns)
        row_write(table, &table->cells[i], widths, term, out);
    mem_free(widths);
}
