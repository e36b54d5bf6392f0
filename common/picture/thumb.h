/* SPDX-License-Identifier: Apache-2.0
 *
 * A small picture made while a big one is decoded: every pixel is added to the
 * cell it falls into, so no more than the small one is ever in memory.
 */
#ifndef FRAMEQ_COMMON_PICTURE_THUMB_H
#define FRAMEQ_COMMON_PICTURE_THUMB_H

#include <stddef.h>
#include <stdint.h>

struct thumb_cell;

/* A zeroed struct thumb has no size yet. */
struct thumb {
    int32_t width, height;           /* at most LIMIT_THUMB_EDGE each */
    int32_t from_width, from_height; /* of the big picture */
    struct thumb_cell *cells;        /* NULL: none can be made */
};

/* thumb_begin sets the size of the big picture (both >= 1). The small one is
 * never larger than it. */
void thumb_begin(struct thumb *thumb, int32_t width, int32_t height);

/* thumb_add adds n RGBA pixels of line y from column x; what lies outside the
 * picture is left out. Transparent ones show a dark grey behind them. */
void thumb_add(struct thumb *thumb, int32_t x, int32_t y, int32_t n,
               const uint8_t *rgba);

/* thumb_encode returns the JPEG, owned (mem_free), at most LIMIT_THUMB bytes,
 * or NULL when there is none to make. */
unsigned char *thumb_encode(const struct thumb *thumb, size_t *ret_len);

/* thumb_done releases the memory; the thumb is as zeroed. */
void thumb_done(struct thumb *thumb);

#endif
