/* SPDX-License-Identifier: Apache-2.0
 *
 * What the decoders of this folder share: the open file, where pixels go, how
 * a failure is said. Not for use outside it; picture.h is the face.
 */
#ifndef FRAMEQ_COMMON_PICTURE_DECODE_H
#define FRAMEQ_COMMON_PICTURE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/picture/thumb.h"

struct decode {
    FILE *file;            /* at its start when a decoder is called */
    uint64_t bytes;        /* of the file */
    int32_t width, height; /* set by decode_begin */
    struct thumb *thumb;   /* gets the pixels; NULL: nobody wants them */
    const char *kind;      /* "PNG"; begins every reason */
    char *why;             /* the first failure */
    size_t why_size;
};

/* decode_fail writes the reason, unless there is one already, and returns
 * false. What a library quotes of the file is made plain text (text.h). */
bool decode_fail(struct decode *decode, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* decode_begin takes the size of the picture, refuses one past LIMIT_PIXELS or
 * empty, and readies the thumbnail. */
bool decode_begin(struct decode *decode, int64_t width, int64_t height);

/* decode_pixels hands on n pixels of line y from column x, as RGBA, 8 bits
 * each, alpha not multiplied in. Does nothing when nobody wants them. */
void decode_pixels(struct decode *decode, int32_t x, int32_t y, int32_t n,
                   const uint8_t *rgba);

/* decode_no_thumb: these pixels cannot be shown; the proof goes on. */
void decode_no_thumb(struct decode *decode);

/* Each decodes the whole of decode->file and returns whether it is whole. */
bool png_decode(struct decode *decode);
bool jpeg_decode(struct decode *decode);
bool tiff_decode(struct decode *decode);
bool webp_decode(struct decode *decode);
bool exr_decode(struct decode *decode);
bool exr_rgba_decode(struct decode *decode);

/* jpeg_encode makes a JPEG of RGB pixels without gaps. Returns its bytes,
 * owned (mem_free), or NULL. */
unsigned char *jpeg_encode(const uint8_t *rgb, int32_t width, int32_t height,
                           int quality, size_t *ret_len);

#endif
