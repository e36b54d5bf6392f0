/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes are a record or are refused with a reason; a record that was read
 * can be written, and reads as the same again.
 */
#include "broker/record.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_again(const struct buf *once, struct arena *arena)
{
    struct event event;
    struct buf twice;
    char why[256];
    buf_init(&twice, LIMIT_RECORD);
    assert(
        record_decode(once->data, once->len, arena, &event, why, sizeof why));
    record_encode(&event, &twice);
    assert(twice.len == once->len);
    assert(memcmp(twice.data, once->data, once->len) == 0);
    buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    struct event event;
    struct buf once;
    char why[256] = "";
    buf_init(&once, LIMIT_RECORD);
    if (record_decode(bytes, len, &arena, &event, why, sizeof why)) {
        record_encode(&event, &once);
        check_again(&once, &arena);
    } else {
        assert(why[0] != '\0');
    }
    buf_free(&once);
    arena_done(&arena);
    return 0;
}
