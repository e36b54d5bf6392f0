/* SPDX-License-Identifier: Apache-2.0
 *
 * Request headers, well-formed and not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "broker/people/headers.h"

static void prefer_wait(void **state)
{
    static const struct {
        const char *prefer;
        int64_t ms;
    } rows[] = {
        {NULL, -1},
        {"", -1},
        {"respond-async", -1},
        {"wait", -1},
        {"wait=", -1},
        {"wait=x", -1},
        {"wait=-1", -1},
        {"wait=0", 0},
        {"wait=30", 30000},
        {"WAIT=30", 30000},
        {"respond-async, wait=10", 10000},
        {"return=minimal;wait=5", 5000},
        {"wait=60", LIMIT_WAIT_MS},
        {"wait=61", LIMIT_WAIT_MS},
        {"wait=99999999999999999999999", LIMIT_WAIT_MS},
        {",,;, wait=7", 7000},
        {"awaits=3", -1},
        {"wait=\"30\"", 30000},
        {"wait = 30", 30000},
        {"respond-async, wait = \"5\" ; x=y", 5000},
        {"waits=3", -1},
        {"wait 3", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(headers_wait_ms(rows[i].prefer), rows[i].ms);
}

static void entity_tags(void **state)
{
    (void)state;
    assert_true(headers_has_tag("\"7-1\"", "7-1"));
    assert_true(headers_has_tag("W/\"7-1\"", "7-1"));
    assert_true(headers_has_tag("\"6-1\", \"7-1\"", "7-1"));
    assert_true(headers_has_tag("*", "7-1"));
    assert_true(headers_has_tag("  *", "7-1"));
    assert_false(headers_has_tag(NULL, "7-1"));
    assert_false(headers_has_tag("", "7-1"));
    assert_false(headers_has_tag("7-1", "7-1"));
    assert_false(headers_has_tag("\"7-1", "7-1"));
    assert_false(headers_has_tag("\"7-12\"", "7-1"));
    assert_false(headers_has_tag("\"\"", "7-1"));
    assert_false(headers_has_tag("\"", "7-1"));
}

static void parts_of_files(void **state)
{
    static const struct {
        const char *range;
        uint64_t size, offset, n;
    } rows[] = {
        {"bytes=0-", 10, 0, 10},
        {"bytes=2-5", 10, 2, 4},
        {"bytes=9-9", 10, 9, 1},
        {"bytes=5-99", 10, 5, 5},
        {"BYTES=5-99999999999999999999999", 10, 5, 5},
        {"bytes=-3", 10, 7, 3},
        {"bytes=-30", 10, 0, 10},
        {"bytes=10-", 10, 0, 0},
        {"bytes=11-", 10, 0, 0},
        {"bytes=11-20", 10, 0, 0},
        {"bytes=99999999999999999999999-", 10, 0, 0},
        {"bytes=-0", 10, 0, 0},
        {"bytes=0-", 0, 0, 0},
        {"bytes=-1", 0, 0, 0},
    };
    static const char *const none[] = {
        "",           "bytes",     "bytes=",    "bytes=-",       "bytes=5-4",
        "bytes=a-b",  "bytes=1",   "lines=1-2", "bytes=0-1,3-4", "bytes=--1",
        "bytes= 0-1", "bytes=0-x", "bytes=-1x", "bytes=0 - 1",   NULL};
    struct headers_part part;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(headers_range(rows[i].range, rows[i].size, &part));
        assert_int_equal(part.n, rows[i].n);
        if (part.n > 0)
            assert_int_equal(part.offset, rows[i].offset);
    }
    assert_false(headers_range(NULL, 10, &part));
    for (int i = 0; none[i]; i++)
        assert_false(headers_range(none[i], 10, &part));
}

static void idempotency_keys(void **state)
{
    char key[LIMIT_KEY + 1], longest[LIMIT_KEY + 2];
    (void)state;
    assert_true(headers_key("\"abc\"", key));
    assert_string_equal(key, "abc");
    assert_true(headers_key("abc", key));
    assert_string_equal(key, "abc");
    assert_false(headers_key("", key));
    assert_false(headers_key("\"\"", key));
    assert_false(headers_key("a b", key));
    assert_false(headers_key("a\tb", key));
    assert_false(headers_key("\xc3\xa4", key));
    memset(longest, 'k', sizeof longest);
    longest[LIMIT_KEY] = '\0';
    assert_true(headers_key(longest, key));
    longest[LIMIT_KEY] = 'k';
    longest[LIMIT_KEY + 1] = '\0';
    assert_false(headers_key(longest, key));
}

static void event_ids(void **state)
{
    uint64_t epoch = 1, seq = 2;
    (void)state;
    assert_true(headers_event("7:123", &epoch, &seq));
    assert_int_equal(epoch, 7);
    assert_int_equal(seq, 123);
    static const char *const bad[] = {"",     "7",     "7:",   ":7",   "a:1",
                                      "7:1a", "7:1:2", "-7:1", " 7:1", "7 :1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(headers_event(bad[i], &epoch, &seq));
    assert_int_equal(epoch, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefer_wait),    cmocka_unit_test(entity_tags),
        cmocka_unit_test(parts_of_files), cmocka_unit_test(idempotency_keys),
        cmocka_unit_test(event_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
