/* SPDX-License-Identifier: Apache-2.0
 *
 * Proof that a picture file is whole: it is decoded from its first to its last
 * pixel. PNG, JPEG, TIFF, WEBP and OpenEXR (scan line and tiled, multi-part,
 * deep parts read by header only). The same decode can give a thumbnail.
 */
#ifndef FRAMEQ_COMMON_PICTURE_PICTURE_H
#define FRAMEQ_COMMON_PICTURE_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct picture {
    int32_t width, height;
    uint64_t bytes;       /* of the file */
    char sha256[65];      /* of the file, lower-case hex */
    unsigned char *thumb; /* JPEG, at most LIMIT_THUMB; NULL unless asked for
                             or when none can be made (EXR with odd channels) */
    size_t thumb_len;
};

/* picture_is tells whether a file name ends in a picture's suffix this can
 * prove (.png .jpg .jpeg .tif .tiff .webp .exr, any case). */
bool picture_is(const char *name);

/* picture_prove decodes the file whole and fills ret (release with
 * picture_done). Returns false with the reason in why (size at least 8; "PNG
 * ends before its last chunk") when it is not a whole picture of a kind it
 * knows: the format is told by its first bytes, not by its name. Bounded by
 * LIMIT_PICTURE and LIMIT_PIXELS. */
bool picture_prove(const char *path, bool thumb, struct picture *ret, char *why,
                   size_t size);
void picture_done(struct picture *picture);

#endif
