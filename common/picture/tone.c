/* SPDX-License-Identifier: Apache-2.0
 *
 * A table instead of a power for every pixel. What is brighter than white is
 * white; no other grading.
 */
#include "common/picture/tone.h"

#include <math.h>

static const float behind = 0.03F; /* the grey of thumb.c, as light */

void tone_init(struct tone *tone)
{
    for (int i = 0; i <= TONE_STEPS; i++) {
        const double light = (double)i / TONE_STEPS;
        const double srgb = light <= 0.0031308
                                ? 12.92 * light
                                : 1.055 * pow(light, 1 / 2.4) - 0.055;
        tone->srgb[i] = (uint8_t)lrint(srgb * 255);
    }
}

static uint8_t tone_of(const struct tone *tone, float light)
{
    if (!(light > 0)) /* NaN too */
        return 0;
    return tone->srgb[light >= 1 ? TONE_STEPS : (int)(light * TONE_STEPS)];
}

void tone_pixels(const struct tone *tone, struct decode *decode, int32_t x,
                 int32_t y, int32_t n, const float *rgba)
{
    for (int32_t i = 0; i < n; i++, rgba += TONE_LANES) {
        const float through = behind * (1 - fminf(fmaxf(rgba[3], 0), 1));
        const uint8_t out[4] = {tone_of(tone, rgba[0] + through),
                                tone_of(tone, rgba[1] + through),
                                tone_of(tone, rgba[2] + through), 255};
        decode_pixels(decode, x + i, y, 1, out);
    }
}
