/* SPDX-License-Identifier: Apache-2.0
 *
 * A picture for a frame: tiny, valid, and of that frame's own colour, so that
 * one frame's file is never taken for another's. A larger one is of a ball that
 * a light goes around, for who wants to look at it.
 */
#ifndef FRAMEQ_TESTS_FAKE_PAINT_H
#define FRAMEQ_TESTS_FAKE_PAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum paint_part { PAINT_WHOLE, PAINT_HALF, PAINT_NOTHING };

struct painted {
    size_t bytes;
    char sha256[65];
};

#define PAINT_LEAST 8 /* pixels of an edge */
#define PAINT_MOST  1024

/* paint_frame writes the PNG of a frame, width pixels wide, to path, over what
 * is there, making the folders it lies in. Returns false with errno set when it
 * cannot. */
bool paint_frame(const char *path, int32_t frame, int width,
                 enum paint_part part, struct painted *ret);

#endif
