/* SPDX-License-Identifier: Apache-2.0
 *
 * How states look, and the bar that is drawn of them. Pure.
 */
#include <string.h>

#include "cli/term.h"

static const struct glyph glyphs[] = {
    {"queued", "○", "o", DIM},
    {"running", "◑", ">", YELLOW},
    {"paused", "‖", "=", MAGENTA},
    {"completed", "●", "*", GREEN},
    {"failed", "✕", "x", RED},
    {"cancelled", "–", "-", DIM},
    /* frames */
    {"pending", "○", "o", DIM},
    {"leased", "◔", "~", YELLOW},
    {"rendering", "◑", ">", YELLOW},
    {"done", "●", "*", GREEN},
    /* agents */
    {"up", "●", "*", GREEN},
    {"silent", "◌", "?", YELLOW},
    {"gone", "◌", "?", YELLOW},
    {"lost", "✕", "x", RED},
    {"drained", "‖", "=", MAGENTA},
    /* the farm */
    {"working", "◑", ">", YELLOW},
    {"idle", "●", "*", GREEN},
    {"waiting", "!", "!", MAGENTA},
    {"down", "✕", "x", RED},
};

const struct glyph *glyph_find(const char *word)
{
    for (size_t i = 0; i < sizeof glyphs / sizeof *glyphs; i++)
        if (strcmp(glyphs[i].word, word) == 0)
            return &glyphs[i];
    return &glyphs[0];
}

const char *glyph_text(const struct glyph *glyph, const struct term *term)
{
    return term->utf8 ? glyph->utf8 : glyph->ascii;
}

enum { CELL_DONE, CELL_FAILED, CELL_CANCELLED, CELL_LEASED, CELL_LEFT, CELLS };

/* How many cells (in parts of total) count i has too few; too many below 0. */
static int64_t cell_lacks(const int64_t counts[CELLS], const int cells[CELLS],
                          int i, int width)
{
    int64_t total = 0;
    for (int k = 0; k < CELLS; k++)
        total += counts[k];
    return counts[i] * width - cells[i] * total;
}

/* The count that lacks most when a cell is to be given (step 1), or has most
 * too many when one is to be taken (step -1), last of all its only one. */
static int cell_pick(const int64_t counts[CELLS], const int cells[CELLS],
                     int width, int step)
{
    int best = CELL_LEFT;
    for (int i = CELL_LEFT; i >= 0; i--) {
        bool better = step * cell_lacks(counts, cells, i, width) >
                      step * cell_lacks(counts, cells, best, width);
        if (step > 0 ? better
                     : cells[i] > 0 &&
                           (cells[best] <= 1 || (better && cells[i] > 1)))
            best = i;
    }
    return best;
}

/* Shares out width cells: rounded down, but one for each count that is not 0,
 * then one by one to or from where that is fairest. */
static void cells_share(const int64_t counts[CELLS], int width, int ret[CELLS])
{
    int64_t total = 0;
    int used = 0;
    for (int i = 0; i < CELLS; i++)
        total += counts[i];
    for (int i = 0; i < CELLS; i++) {
        ret[i] = total == 0 ? 0 : (int)(counts[i] * width / total);
        if (ret[i] == 0 && counts[i] > 0)
            ret[i] = 1;
        used += ret[i];
    }
    while (used != width) {
        int step = used < width ? 1 : -1;
        ret[cell_pick(counts, ret, width, step)] += step;
        used += step;
    }
}

static void cells_draw(const struct term *term, int cell, int n,
                       struct buf *out)
{
    static const char *const utf8[CELLS] = {"█", "✕", "–", "▒", "░"};
    static const char *const ascii[CELLS] = {"#", "x", "-", "=", "."};
    for (int i = 0; i < n; i++)
        buf_print(out, "%s", term->utf8 ? utf8[cell] : ascii[cell]);
}

static int64_t at_least_0(int64_t n)
{
    return n < 0 ? 0 : n;
}

void bar_draw(const struct bar *bar, const struct term *term, int width,
              struct buf *out)
{
    int64_t counts[CELLS] = {
        [CELL_DONE] = at_least_0(bar->done),
        [CELL_FAILED] = at_least_0(bar->failed),
        [CELL_CANCELLED] = at_least_0(bar->cancelled),
        [CELL_LEASED] = at_least_0(bar->leased),
    };
    counts[CELL_LEFT] =
        at_least_0(bar->total - counts[CELL_DONE] - counts[CELL_FAILED] -
                   counts[CELL_CANCELLED] - counts[CELL_LEASED]);
    int cells[CELLS];
    cells_share(counts, width, cells);
    for (int i = 0; i < CELLS; i++)
        cells_draw(term, i, cells[i], out);
}
