/* SPDX-License-Identifier: Apache-2.0
 *
 * The bump allocator: alignment, zeroes, blocks of every size, reuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdalign.h>
#include <string.h>

#include "common/arena.h"

static void test_bytes_are_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (int turn = 0; turn < 3; turn++) {
        for (size_t n = 0; n < 5000; n += 7) {
            unsigned char *p = arena_new(&arena, n);
            assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xff, n);
        }
        arena_reset(&arena);
        assert_int_equal(arena.used, 0);
    }
    arena_done(&arena);
}

static void test_pointers_hold_until_the_reset(void **state)
{
    (void)state;
    struct arena arena = {0};
    char *first = arena_text(&arena, "first", 5);
    char *big = arena_new(&arena, 1 << 20); /* a block of its own */
    big[(1 << 20) - 1] = 'x';
    for (int i = 0; i < 10000; i++)
        arena_new(&arena, 100);
    assert_string_equal(first, "first");
    assert_int_equal(big[(1 << 20) - 1], 'x');
    assert_true(arena.used >= (1 << 20) + 10000 * 100 + 6);
    arena_done(&arena);
    assert_null(arena.blocks);
}

static void test_texts(void **state)
{
    (void)state;
    struct arena arena = {0};
    assert_string_equal(arena_text(&arena, "abcdef", 3), "abc");
    assert_string_equal(arena_text(&arena, NULL, 0), "");
    assert_string_equal(arena_print(&arena, "%d-%s", 12, "x"), "12-x");
    char *wide = arena_print(&arena, "%0100000d", 7);
    assert_int_equal(strlen(wide), 100000);
    arena_done(&arena);
    assert_string_equal(arena_print(&arena, "again"), "again");
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_are_zeroed_and_aligned),
        cmocka_unit_test(test_pointers_hold_until_the_reset),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
