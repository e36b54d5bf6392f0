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

/* Shares out width cells by counts: rounded down, at least one for each count
 * that is not 0; then cells are taken from or given to the largest. */
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
        int largest = CELL_LEFT;
        for (int i = 0; i < CELLS; i++)
            if (ret[i] > ret[largest])
                largest = i;
        int step = used < width ? 1 : -1;
        ret[largest] += step;
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
