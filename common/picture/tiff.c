/* SPDX-License-Identifier: Apache-2.0
 *
 * TIFF by libtiff: every strip or tile of every page. The first page gives
 * size and thumbnail; a thumbnail only of RGB and RGBA, 8 or 16 bits, in
 * strips, which is what Blender writes.
 */
#include <tiffio.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/decode.h"

enum { PAGES_MAX = 64 };

struct page {
    struct decode *decode;
    TIFF *tiff;
    uint16_t samples; /* per pixel */
    uint16_t bits;    /* per sample */
    bool shown;       /* its pixels go to the thumbnail */
    uint32_t rows;    /* of a strip */
    uint8_t *bytes;   /* one strip or tile */
    tmsize_t bytes_len;
};

/* A printf in the form libtiff wants. */
static int on_error(TIFF *tiff, void *ctx, const char *module,
                    const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static int on_error(TIFF *tiff, void *ctx, const char *module,
                    const char *format, va_list args)
{
    (void)tiff;
    (void)module;
    char message[160];
    vsnprintf(message, sizeof message, format, args);
    decode_fail(ctx, "%s", message);
    return 1;
}

static int on_warning(TIFF *tiff, void *ctx, const char *module,
                      const char *format, va_list args)
{
    (void)tiff;
    (void)ctx;
    (void)module;
    (void)format;
    (void)args;
    return 1;
}

static uint8_t sample_read(const struct page *page, const uint8_t *row,
                           uint32_t at)
{
    return page->bits == 8
               ? row[at]
               : (uint8_t)(((const uint16_t *)(const void *)row)[at] >> 8);
}

static void row_show(const struct page *page, const uint8_t *row, int32_t y)
{
    for (int32_t x = 0; x < page->decode->width; x++) {
        const uint32_t at = (uint32_t)x * page->samples;
        const uint8_t rgba[4] = {
            sample_read(page, row, at), sample_read(page, row, at + 1),
            sample_read(page, row, at + 2),
            page->samples > 3 ? sample_read(page, row, at + 3) : 255};
        decode_pixels(page->decode, x, y, 1, rgba);
    }
}

static void strip_show(const struct page *page, uint32_t strip, tmsize_t len)
{
    const tmsize_t stride = TIFFScanlineSize(page->tiff);
    const int64_t first = (int64_t)strip * page->rows;
    for (int64_t i = 0; stride > 0 && (i + 1) * stride <= len; i++)
        row_show(page, page->bytes + i * stride, (int32_t)(first + i));
}

static bool parts_read(struct page *page)
{
    const bool tiled = TIFFIsTiled(page->tiff);
    const uint32_t count =
        tiled ? TIFFNumberOfTiles(page->tiff) : TIFFNumberOfStrips(page->tiff);
    for (uint32_t i = 0; i < count; i++) {
        const tmsize_t len =
            tiled ? TIFFReadEncodedTile(page->tiff, i, page->bytes,
                                        page->bytes_len)
                  : TIFFReadEncodedStrip(page->tiff, i, page->bytes,
                                         page->bytes_len);
        if (len < 0)
            return decode_fail(page->decode, "ends too early");
        if (page->shown)
            strip_show(page, i, len);
    }
    return count > 0 || decode_fail(page->decode, "has no strips");
}

static void page_describe(struct page *page, bool first)
{
    uint16_t photometric = 0;
    uint16_t planar = PLANARCONFIG_CONTIG;
    TIFFGetFieldDefaulted(page->tiff, TIFFTAG_SAMPLESPERPIXEL, &page->samples);
    TIFFGetFieldDefaulted(page->tiff, TIFFTAG_BITSPERSAMPLE, &page->bits);
    TIFFGetFieldDefaulted(page->tiff, TIFFTAG_PLANARCONFIG, &planar);
    TIFFGetFieldDefaulted(page->tiff, TIFFTAG_ROWSPERSTRIP, &page->rows);
    TIFFGetField(page->tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    const bool plain = !TIFFIsTiled(page->tiff) &&
                       planar == PLANARCONFIG_CONTIG &&
                       photometric == PHOTOMETRIC_RGB && page->samples >= 3 &&
                       (page->bits == 8 || page->bits == 16);
    page->shown = first && plain;
    if (first && !plain)
        decode_no_thumb(page->decode);
}

static bool page_read(struct decode *decode, TIFF *tiff, bool first)
{
    uint32_t width = 0;
    uint32_t height = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    if (first && !decode_begin(decode, width, height))
        return false;
    struct page page = {.decode = decode, .tiff = tiff};
    page_describe(&page, first);
    page.bytes_len =
        TIFFIsTiled(tiff) ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    if (page.bytes_len <= 0 || page.bytes_len > LIMIT_PICTURE)
        return decode_fail(decode, "has strips of no sensible size");
    page.bytes = mem_new((size_t)page.bytes_len);
    const bool whole = parts_read(&page);
    mem_free(page.bytes);
    return whole;
}

static bool pages_read(struct decode *decode, TIFF *tiff)
{
    int pages = 0;
    do {
        if (pages == PAGES_MAX)
            return decode_fail(decode, "has more than %d pages", PAGES_MAX);
        if (!page_read(decode, tiff, pages == 0))
            return false;
        pages++;
    } while (TIFFReadDirectory(tiff));
    return true;
}

static TIFF *tiff_open(struct decode *decode)
{
    const int fd = dup(fileno(decode->file));
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    TIFF *tiff = NULL;
    if (fd >= 0 && options) {
        TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, decode);
        TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, decode);
        TIFFOpenOptionsSetMaxSingleMemAlloc(options, LIMIT_PICTURE);
        lseek(fd, 0, SEEK_SET);
        tiff = TIFFFdOpenExt(fd, "picture", "rm", options); /* m: no mmap */
    }
    if (!tiff && fd >= 0)
        close(fd);
    TIFFOpenOptionsFree(options);
    return tiff;
}

bool tiff_decode(struct decode *decode)
{
    TIFF *tiff = tiff_open(decode);
    if (!tiff)
        return decode_fail(decode, "has no directory");
    const bool whole = pages_read(decode, tiff);
    TIFFClose(tiff);
    return whole;
}
