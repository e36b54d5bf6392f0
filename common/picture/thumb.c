/* SPDX-License-Identifier: Apache-2.0
 *
 * Box filter in whole numbers: a cell sums its pixels and divides once at the
 * end. Refuses to enlarge.
 */
#include "common/picture/thumb.h"

#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/decode.h"

enum { BEHIND = 0x30 }; /* what shows through transparent pixels */

struct thumb_cell {
    uint64_t sum[3];
    uint64_t n;
};

static int32_t edge_scaled(int32_t edge, int32_t longest)
{
    if (longest <= LIMIT_THUMB_EDGE)
        return edge;
    const int64_t scaled = (int64_t)edge * LIMIT_THUMB_EDGE / longest;
    return scaled > 0 ? (int32_t)scaled : 1;
}

void thumb_begin(struct thumb *thumb, int32_t width, int32_t height)
{
    thumb_done(thumb);
    const int32_t longest = width > height ? width : height;
    thumb->from_width = width;
    thumb->from_height = height;
    thumb->width = edge_scaled(width, longest);
    thumb->height = edge_scaled(height, longest);
    thumb->cells = mem_new((size_t)thumb->width * (size_t)thumb->height *
                           sizeof *thumb->cells);
}

static void cell_add(struct thumb_cell *cell, const uint8_t rgba[4])
{
    const unsigned alpha = rgba[3];
    for (int i = 0; i < 3; i++)
        cell->sum[i] += (rgba[i] * alpha + BEHIND * (255 - alpha)) / 255;
    cell->n++;
}

void thumb_add(struct thumb *thumb, int32_t x, int32_t y, int32_t n,
               const uint8_t *rgba)
{
    if (!thumb->cells || y < 0 || y >= thumb->from_height)
        return;
    const int64_t row = (int64_t)y * thumb->height / thumb->from_height;
    struct thumb_cell *cells = thumb->cells + row * thumb->width;
    for (int32_t i = 0; i < n; i++, rgba += 4) {
        const int64_t column = (int64_t)x + i;
        if (column >= 0 && column < thumb->from_width)
            cell_add(&cells[column * thumb->width / thumb->from_width], rgba);
    }
}

static uint8_t *rgb_new(const struct thumb *thumb)
{
    const size_t count = (size_t)thumb->width * (size_t)thumb->height;
    uint8_t *rgb = mem_new(count * 3);
    for (size_t at = 0; at < count; at++)
        for (size_t i = 0; thumb->cells[at].n && i < 3; i++)
            rgb[at * 3 + i] =
                (uint8_t)(thumb->cells[at].sum[i] / thumb->cells[at].n);
    return rgb;
}

unsigned char *thumb_encode(const struct thumb *thumb, size_t *ret_len)
{
    if (!thumb->cells)
        return NULL;
    uint8_t *rgb = rgb_new(thumb);
    unsigned char *jpeg = NULL;
    for (int quality = 82; quality >= 10 && !jpeg; quality -= 12) {
        size_t len = 0;
        jpeg = jpeg_encode(rgb, thumb->width, thumb->height, quality, &len);
        if (jpeg && len > LIMIT_THUMB) {
            mem_free(jpeg);
            jpeg = NULL;
        }
        *ret_len = len;
    }
    mem_free(rgb);
    return jpeg;
}

void thumb_done(struct thumb *thumb)
{
    mem_free(thumb->cells);
    *thumb = (struct thumb){0};
}
