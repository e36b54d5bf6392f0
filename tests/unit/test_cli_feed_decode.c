/* SPDX-License-Identifier: Apache-2.0
 *
 * msgpack events as JSON, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <msgpack.h>
#include <stdlib.h>

#include "cli/watch/feed.h"
#include "common/limits.h"

static msgpack_sbuffer bytes;
static msgpack_packer packer;

static int setup(void **state)
{
    (void)state;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&packer, &bytes, msgpack_sbuffer_write);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    msgpack_sbuffer_destroy(&bytes);
    return 0;
}

static void pack_text(const char *text)
{
    msgpack_pack_str_with_body(&packer, text, strlen(text));
}

static void expect(const char *json)
{
    json_t *got = feed_decode(bytes.data, bytes.size);
    if (json == NULL) {
        assert_null(got);
        return;
    }
    assert_non_null(got);
    char *text = json_dumps(got, JSON_COMPACT);
    assert_string_equal(text, json);
    free(text);
    json_decref(got);
}

static void test_event(void **state)
{
    (void)state;
    msgpack_pack_map(&packer, 6);
    pack_text("id");
    pack_text("7:123");
    pack_text("seq");
    msgpack_pack_uint64(&packer, 123);
    pack_text("progress");
    msgpack_pack_double(&packer, 0.5);
    pack_text("files");
    msgpack_pack_array(&packer, 1);
    msgpack_pack_map(&packer, 1);
    pack_text("bytes");
    msgpack_pack_int(&packer, -1);
    pack_text("text");
    msgpack_pack_nil(&packer);
    pack_text("up");
    msgpack_pack_true(&packer);
    expect("{\"id\":\"7:123\",\"seq\":123,\"progress\":0.5,"
           "\"files\":[{\"bytes\":-1}],\"text\":null,\"up\":true}");
}

static void test_no_map(void **state)
{
    (void)state;
    msgpack_pack_array(&packer, 0);
    expect(NULL);
}

static void test_bytes_left_over(void **state)
{
    (void)state;
    msgpack_pack_map(&packer, 0);
    msgpack_pack_nil(&packer);
    expect(NULL);
}

static void test_cut_off(void **state)
{
    (void)state;
    msgpack_pack_map(&packer, 2);
    pack_text("a");
    msgpack_pack_nil(&packer);
    expect(NULL);
    assert_null(feed_decode("", 0));
}

static void pack_key_and(void (*value)(void))
{
    msgpack_pack_map(&packer, 1);
    pack_text("a");
    value();
    expect(NULL);
}

static void value_binary(void)
{
    msgpack_pack_bin_with_body(&packer, "x", 1);
}

static void value_nan(void)
{
    msgpack_pack_double(&packer, NAN);
}

static void value_huge(void)
{
    msgpack_pack_uint64(&packer, UINT64_MAX);
}

static void value_broken_text(void)
{
    msgpack_pack_str_with_body(&packer, "\xff", 1);
}

static void value_deep(void)
{
    for (int i = 0; i <= LIMIT_JSON_DEPTH; i++)
        msgpack_pack_array(&packer, 1);
    msgpack_pack_nil(&packer);
}

static void test_what_json_cannot_hold(void **state)
{
    static void (*const values[])(void) = {value_binary, value_nan, value_huge,
                                           value_broken_text, value_deep};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        setup(state);
        pack_key_and(values[i]);
        teardown(state);
    }
    setup(state);
}

static void test_key_no_text(void **state)
{
    (void)state;
    msgpack_pack_map(&packer, 1);
    msgpack_pack_int(&packer, 1);
    msgpack_pack_int(&packer, 1);
    expect(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_event),       TEST(test_no_map),
        TEST(test_cut_off),     TEST(test_bytes_left_over),
        TEST(test_key_no_text), TEST(test_what_json_cannot_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
