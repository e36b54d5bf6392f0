/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever Blender prints is taken apart alike in one piece and in two, and
 * its last words are plain text.
 */
#include "node/output.h"

#include <assert.h>
#include <string.h>

#include "common/text.h"

#define LOG_SHOWN 2000

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_plain(const char *text)
{
    assert(text_is_plain(text, strlen(text)));
}

static void check_log(const struct output *one, const struct output *two)
{
    struct buf log, again;
    buf_init(&log, LIMIT_LOG);
    buf_init(&again, LIMIT_LOG);
    output_log(one, LOG_SHOWN, &log);
    output_log(two, LOG_SHOWN, &again);
    assert(log.len == again.len && !log.over);
    assert(memcmp(buf_text(&log), buf_text(&again), log.len) == 0);
    buf_free(&log);
    buf_free(&again);
}

static void check_same(const struct output *one, const struct output *two)
{
    assert(one->frame == two->frame && one->sample == two->sample);
    assert(strcmp(one->error, two->error) == 0);
    assert(strcmp(one->last, two->last) == 0);
    assert(strcmp(one->missing, two->missing) == 0);
    assert(memcmp(one->hints, two->hints, sizeof one->hints) == 0);
    check_log(one, two);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct output one, two;
    const char *text = (const char *)bytes;
    size_t half = len / 2;
    output_add(&one, text, len);
    output_add(&two, text, half);
    output_add(&two, text + half, len - half);
    check_same(&one, &two);
    check_plain(one.error);
    check_plain(one.last);
    double fraction = output_fraction(&one, one.frame);
    assert(fraction >= 0 && fraction <= 1);
    output_done(&one);
    output_done(&two);
    return 0;
}
