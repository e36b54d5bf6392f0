/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text is a frame expression or is refused with a reason; what was read
 * can be written, reads as the same again, and its ordinals go both ways.
 */
#include "common/frames.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/text.h"

#define FEW 10000 /* frames; checking more would cost most of the time */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_text(const struct frames *frames)
{
    struct frames again = {0};
    struct buf text;
    char why[256];
    buf_init(&text, (size_t)LIMIT_FRAME_SPANS * 32);
    frames_text(frames, &text);
    assert(!text.over);
    if (text.len <= LIMIT_FRAMES_TEXT) {
        assert(frames_parse(buf_text(&text), &again, why, sizeof why));
        assert(frames_equal(frames, &again));
    }
    frames_free(&again);
    buf_free(&text);
}

static void check_ordinals(const struct frames *frames)
{
    int32_t ends[] = {0, frames->count / 2, frames->count - 1};
    for (int i = 0; i < 3; i++) {
        int32_t number = frames_number(frames, ends[i]);
        assert(0 <= number && number <= LIMIT_FRAME_MAX);
        assert(frames_ordinal(frames, number) == ends[i]);
    }
}

static void check_select(const struct frames *frames)
{
    struct ranges set = {0};
    assert(frames_select(frames, frames, &set) == 0);
    ranges_check(&set);
    assert(set.n == 1 && set.count == frames->count);
    ranges_free(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct frames frames = {0};
    char why[256] = "";
    char *text = mem_new(len + 1);
    if (len > 0)
        memcpy(text, bytes, len);
    if (frames_parse(text, &frames, why, sizeof why)) {
        assert(frames.count > 0 && frames.n <= LIMIT_FRAME_SPANS);
        check_ordinals(&frames);
        if (frames.count <= FEW) {
            check_text(&frames);
            check_select(&frames);
        }
    } else {
        assert(why[0] != '\0' && text_is_plain(why, strlen(why)));
    }
    frames_free(&frames);
    mem_free(text);
    return 0;
}
