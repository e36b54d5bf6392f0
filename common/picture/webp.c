/* SPDX-License-Identifier: Apache-2.0
 *
 * WEBP by libwebp, which wants the file in memory. Animations are refused: no
 * frame is one.
 */
#include <webp/decode.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/decode.h"

static bool features_read(struct decode *decode, const uint8_t *bytes)
{
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(bytes, decode->bytes, &features) != VP8_STATUS_OK)
        return decode_fail(decode, "has no header");
    if (features.has_animation)
        return decode_fail(decode, "is an animation");
    return decode_begin(decode, features.width, features.height);
}

static bool pixels_read(struct decode *decode, const uint8_t *bytes)
{
    int width = 0;
    int height = 0;
    uint8_t *rgba = WebPDecodeRGBA(bytes, decode->bytes, &width, &height);
    if (!rgba)
        return decode_fail(decode, "is damaged or ends too early");
    for (int32_t y = 0; y < decode->height; y++)
        decode_pixels(decode, 0, y, decode->width,
                      rgba + (size_t)y * (size_t)decode->width * 4);
    WebPFree(rgba);
    return true;
}

bool webp_decode(struct decode *decode)
{
    uint8_t *bytes = mem_new(decode->bytes);
    const bool whole =
        fread(bytes, 1, decode->bytes, decode->file) == decode->bytes &&
        features_read(decode, bytes) && pixels_read(decode, bytes);
    mem_free(bytes);
    return whole;
}
