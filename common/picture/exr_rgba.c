/* SPDX-License-Identifier: Apache-2.0
 *
 * DWAA and DWAB, which OpenEXRCore 3.1 cannot decode: by the C face of the
 * older library, line by line. It decompresses all channels of a chunk to read
 * the four it gives. The first part only; Blender writes no other.
 */
#include <ImfCRgbaFile.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/tone.h"

static void line_show(struct decode *decode, const struct tone *tone,
                      const ImfRgba *line, int32_t y)
{
    for (int32_t x = 0; x < decode->width; x++) {
        const float rgba[TONE_LANES] = {
            ImfHalfToFloat(line[x].r), ImfHalfToFloat(line[x].g),
            ImfHalfToFloat(line[x].b), ImfHalfToFloat(line[x].a)};
        tone_pixels(tone, decode, x, y, 1, rgba);
    }
}

static bool lines_read(struct decode *decode, ImfInputFile *in, int min_x,
                       int min_y)
{
    struct tone *tone = mem_new(sizeof *tone);
    ImfRgba *line = mem_new((size_t)decode->width * sizeof *line);
    bool whole = true;
    tone_init(tone);
    for (int32_t y = 0; whole && y < decode->height; y++) {
        whole = ImfInputSetFrameBuffer(in, line - min_x, 1, 0) &&
                ImfInputReadPixels(in, min_y + y, min_y + y);
        if (whole && decode->thumb)
            line_show(decode, tone, line, y);
    }
    mem_free(line);
    mem_free(tone);
    return whole || decode_fail(decode, "%s", ImfErrorMessage());
}

bool exr_rgba_decode(struct decode *decode)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(decode->file));
    ImfInputFile *in = ImfOpenInputFile(path);
    if (!in)
        return decode_fail(decode, "%s", ImfErrorMessage());
    int min_x = 0;
    int min_y = 0;
    int max_x = 0;
    int max_y = 0;
    ImfHeaderDataWindow(ImfInputHeader(in), &min_x, &min_y, &max_x, &max_y);
    const bool whole = decode_begin(decode, (int64_t)max_x - min_x + 1,
                                    (int64_t)max_y - min_y + 1) &&
                       lines_read(decode, in, min_x, min_y);
    ImfCloseInputFile(in);
    return whole;
}
