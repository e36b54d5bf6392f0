/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text can stand in the headers that the broker listens to. The input is
 * two lines: a header, and what it is held against.
 */
#include "broker/people/headers.h"

#include <assert.h>
#include <string.h>

#include "common/http/site.h"
#include "common/text.h"
#include "tests/fuzz/fuzz_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_key(const char *value)
{
    char key[LIMIT_KEY + 1];
    if (!headers_key(value, key))
        return;
    assert(key[0] != '\0' && strlen(key) <= LIMIT_KEY);
    assert(text_is_plain(key, strlen(key)));
}

/* A list that begins with a tag has it. */
static void check_tag(const char *value, const char *tag, struct arena *arena)
{
    headers_has_tag(value, tag);
    if (tag[0] == '\0' || strpbrk(tag, "\"\\,") != NULL)
        return;
    assert(headers_has_tag(arena_print(arena, "\"%s\"", tag), tag));
    assert(headers_has_tag(arena_print(arena, "W/\"%s\", \"b\"", tag), tag));
}

/* A part lies in its file. */
static void check_range(const char *value, uint64_t size)
{
    struct headers_part part;
    if (headers_range(value, size, &part) && part.n > 0)
        assert(part.offset < size && part.n <= size - part.offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct arena arena;
    struct fuzz_bytes in = {bytes, len};
    uint64_t epoch, seq;
    arena_reset(&arena);
    const char *value = fuzz_text(&in, '\n', &arena);
    const char *other = fuzz_text(&in, '\n', &arena);
    int64_t wait_ms = headers_wait_ms(value);
    assert(-1 <= wait_ms && wait_ms <= LIMIT_WAIT_MS);
    headers_event(value, &epoch, &seq);
    check_range(value, len);
    check_range(value, UINT64_MAX);
    const struct site site = {.self = value};
    site_is_ours(&site, other);
    site_is_foreign(NULL, value, other);
    check_tag(value, other, &arena);
    check_key(value);
    return 0;
}
