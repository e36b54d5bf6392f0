/* SPDX-License-Identifier: Apache-2.0
 *
 * A picture for a frame: tiny, valid, and of that frame's own colour, so that
 * one frame's file is never taken for another's.
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

/* paint_frame writes the PNG of a frame to path, over what is there, making
 * the folders it lies in. Returns false with errno set when it cannot. */
bool paint_frame(const char *path, int32_t frame, enum paint_part part,
                 struct painted *ret);

#endif
