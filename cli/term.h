/* SPDX-License-Identifier: Apache-2.0
 *
 * The terminal a verb writes to: how wide it is, whether it shows colours and
 * more than ASCII. Colour never says anything that a glyph or word does not.
 */
#ifndef FRAMEQ_CLI_TERM_H
#define FRAMEQ_CLI_TERM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

struct term {
    int width;   /* columns; 0: no limit (a pipe or a file) */
    bool live;   /* a terminal whose lines can be written over */
    bool colour; /* not so with NO_COLOR or TERM=dumb */
    bool utf8;   /* the locale's encoding */
};

/* term_look fills ret for a file descriptor: COLUMNS beats what the terminal
 * says. */
void term_look(struct term *ret, int fd);

enum colour { PLAIN, DIM, BOLD, RED, GREEN, YELLOW, BLUE, MAGENTA };

/* term_paint appends text in a colour where the terminal has any. */
void term_paint(const struct term *term, enum colour colour, const char *text,
                struct buf *out);

/* How a state of a job, a frame or an agent looks. */
struct glyph {
    const char *word;
    const char *utf8;
    const char *ascii; /* one character */
    enum colour colour;
};

/* glyph_find returns the look of a state; a state it does not know looks like
 * "queued". glyph_text is what of it this terminal can show. */
const struct glyph *glyph_find(const char *word);
const char *glyph_text(const struct glyph *glyph, const struct term *term);

/* Frames of a job by what became of them, for a bar. */
struct bar {
    int64_t done, failed, cancelled, leased, total;
};

/* bar_draw appends a bar of exactly width columns: done, failed and cancelled
 * cells, then leased ones, then what is left. Any that is not 0 shows in at
 * least one cell while there are cells enough, and the bar is full only when
 * nothing is left. */
void bar_draw(const struct bar *bar, const struct term *term, int width,
              struct buf *out);

/* width_of returns the columns that UTF-8 text takes. */
int width_of(const char *text);

/* width_cut appends text, cut to columns and ended by an ellipsis where it is
 * wider. Returns the columns written. */
int width_cut(const char *text, int columns, const struct term *term,
              struct buf *out);

#endif
