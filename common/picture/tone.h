/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear light, as OpenEXR holds it, shown as sRGB.
 */
#ifndef FRAMEQ_COMMON_PICTURE_TONE_H
#define FRAMEQ_COMMON_PICTURE_TONE_H

#include <stdint.h>

#include "common/picture/decode.h"

enum { TONE_STEPS = 4096, TONE_LANES = 4 };

struct tone {
    uint8_t srgb[TONE_STEPS + 1];
};

void tone_init(struct tone *tone);

/* tone_pixels shows n pixels of line y from column x: R, G, B, A as floats,
 * alpha multiplied in. */
void tone_pixels(const struct tone *tone, struct decode *decode, int32_t x,
                 int32_t y, int32_t n, const float *rgba);

#endif
