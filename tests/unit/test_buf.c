/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing bytes and what happens at their maximum.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

static void test_pieces_add_up(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100000);
    assert_string_equal(buf_text(&buf), "");
    for (int i = 0; i < 1000; i++) {
        assert_true(buf_add(&buf, "ab", 2));
        assert_true(buf_print(&buf, "%03d", i));
    }
    assert_int_equal(buf.len, 5000);
    assert_int_equal(strlen(buf_text(&buf)), 5000);
    assert_memory_equal(buf.data + 4990, "ab998ab999", 11);
    assert_false(buf.over);
    buf_free(&buf);
}

static void test_the_maximum_is_exact(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 5);
    assert_true(buf_add(&buf, "123", 3));
    assert_true(buf_print(&buf, "%d", 45));
    assert_false(buf.over);
    assert_true(buf_add(&buf, "", 0));
    assert_false(buf_print(&buf, "%c", '6'));
    assert_true(buf.over);
    assert_string_equal(buf_text(&buf), "12345");
    buf_free(&buf);
}

static void test_after_a_refusal_nothing_is_added(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 5);
    assert_false(buf_add(&buf, "123456", 6));
    assert_false(buf_add(&buf, "1", 1));
    assert_false(buf_print(&buf, "1"));
    assert_int_equal(buf.len, 0);
    buf_clear(&buf);
    assert_false(buf.over);
    assert_true(buf_add(&buf, "12345", 5));
    assert_false(buf_add(&buf, "6", 1));
    buf_free(&buf);
    assert_false(buf.over);
    assert_int_equal(buf.max, 5);
    assert_true(buf_add(&buf, "12345", 5));
    buf_free(&buf);
}

static void test_drop_and_clear(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    buf_drop(&buf, 0);
    buf_add(&buf, "abcdef", 6);
    buf_drop(&buf, 2);
    assert_string_equal(buf_text(&buf), "cdef");
    buf_drop(&buf, 4);
    assert_string_equal(buf_text(&buf), "");
    buf_add(&buf, "x", 1);
    buf_clear(&buf);
    assert_string_equal(buf.data, "");
    buf_free(&buf);
}

static void test_take_hands_over(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    char *none = buf_take(&buf);
    assert_string_equal(none, "");
    buf_add(&buf, "abc", 3);
    char *bytes = buf_take(&buf);
    assert_string_equal(bytes, "abc");
    assert_null(buf.data);
    assert_int_equal(buf.max, 100);
    mem_free(none);
    mem_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_add_up),
        cmocka_unit_test(test_the_maximum_is_exact),
        cmocka_unit_test(test_after_a_refusal_nothing_is_added),
        cmocka_unit_test(test_drop_and_clear),
        cmocka_unit_test(test_take_hands_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
