/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of ranges against a plain array of bools, and the edges by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/ranges.h"

#define SPACE 200 /* numbers of the random test */
#define STEPS 20000

/* A small generator of our own: the same numbers everywhere, every run. */
static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*seed >> 33);
}

static int32_t below(uint64_t *seed, int32_t n)
{
    return (int32_t)(next_random(seed) % (uint32_t)n);
}

static void assert_same(const struct ranges *set, const bool *bits)
{
    int32_t count = 0, runs = 0;
    ranges_check(set);
    for (int32_t i = 0; i < SPACE; i++) {
        assert_int_equal(ranges_has(set, i), bits[i]);
        count += bits[i];
        runs += bits[i] && (i == 0 || !bits[i - 1]);
    }
    assert_int_equal(set->count, count);
    assert_int_equal(set->n, runs);
}

static void assert_queries(const struct ranges *set, const bool *bits,
                           int32_t lo, int32_t hi)
{
    bool meets = false, within[SPACE] = {false};
    struct ranges part = {0};
    for (int32_t i = lo; i < hi; i++) {
        meets = meets || bits[i];
        within[i] = bits[i];
    }
    assert_int_equal(ranges_meets(set, lo, hi), meets);
    ranges_within(set, lo, hi, &part);
    assert_same(&part, within);
    ranges_free(&part);
}

static void test_random_against_bits(void **state)
{
    (void)state;
    uint64_t seed = 42;
    struct ranges set = {0};
    bool bits[SPACE] = {false};
    for (int step = 0; step < STEPS; step++) {
        int32_t lo = below(&seed, SPACE);
        int32_t hi = lo + below(&seed, below(&seed, SPACE - lo) + 1);
        bool add = below(&seed, 2) == 0;
        if (add)
            ranges_add(&set, lo, hi);
        else
            ranges_remove(&set, lo, hi);
        memset(bits + lo, add, (size_t)(hi - lo));
        assert_same(&set, bits);
        assert_queries(&set, bits, below(&seed, lo + 1), hi);
    }
    ranges_free(&set);
}

static void test_random_sets_against_bits(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 500; round++) {
        struct ranges a = {0}, b = {0}, sum = {0}, rest = {0}, common = {0};
        bool both[SPACE] = {false}, only[SPACE] = {false};
        bool shared[SPACE] = {false};
        for (int i = 0; i < 60; i++) {
            int32_t at = below(&seed, SPACE);
            ranges_add(i % 2 ? &a : &b, at, at + below(&seed, SPACE - at) % 5);
        }
        for (int32_t i = 0; i < SPACE; i++) {
            both[i] = ranges_has(&a, i) || ranges_has(&b, i);
            only[i] = ranges_has(&a, i) && !ranges_has(&b, i);
            shared[i] = ranges_has(&a, i) && ranges_has(&b, i);
        }
        ranges_copy(&sum, &a);
        ranges_add_all(&sum, &b);
        assert_same(&sum, both);
        ranges_copy(&rest, &a);
        ranges_remove_all(&rest, &b);
        assert_same(&rest, only);
        ranges_common(&a, &b, &common);
        assert_same(&common, shared);
        ranges_common(&a, &a, &common); /* to what is there */
        assert_true(ranges_equal(&common, &a));
        ranges_free(&a);
        ranges_free(&b);
        ranges_free(&sum);
        ranges_free(&rest);
        ranges_free(&common);
    }
}

/* Half a million ranges, as a person can name them in one request: moved one
 * by one they would take minutes. */
static void test_large_sets(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    struct ranges evens = {0}, fourths = {0};
    for (int32_t i = 0; i < N; i += 2)
        ranges_add(&evens, i, i + 1);
    for (int32_t i = 0; i < N; i += 4)
        ranges_add(&fourths, i, i + 1);
    ranges_remove_all(&evens, &fourths);
    assert_int_equal(evens.n, N / 4);
    assert_false(ranges_meets(&evens, 0, 2));
    ranges_add_all(&evens, &fourths);
    assert_int_equal(evens.n, N / 2);
    ranges_check(&evens);
    ranges_free(&evens);
    ranges_free(&fourths);
}

static void test_touching_ranges_join(void **state)
{
    (void)state;
    struct ranges set = {0};
    ranges_add(&set, 0, 2);
    ranges_add(&set, 4, 6);
    assert_int_equal(set.n, 2);
    ranges_add(&set, 2, 4);
    assert_int_equal(set.n, 1);
    assert_int_equal(set.at[0].lo, 0);
    assert_int_equal(set.at[0].hi, 6);
    ranges_add(&set, 3, 3);
    ranges_remove(&set, 3, 3);
    assert_int_equal(set.n, 1);
    assert_int_equal(set.count, 6);
    ranges_remove(&set, 0, 6);
    assert_int_equal(set.n, 0);
    ranges_free(&set);
}

static void test_ends_of_the_numbers(void **state)
{
    (void)state;
    struct ranges set = {0};
    ranges_add(&set, 0, INT32_MAX);
    assert_true(ranges_has(&set, 0));
    assert_true(ranges_has(&set, INT32_MAX - 1));
    assert_false(ranges_has(&set, INT32_MAX));
    assert_false(ranges_has(&set, -1));
    assert_false(ranges_meets(&set, 5, 5));
    ranges_remove(&set, 1, INT32_MAX);
    assert_int_equal(set.count, 1);
    ranges_free(&set);
}

static void test_equality(void **state)
{
    (void)state;
    struct ranges a = {0}, b = {0};
    assert_true(ranges_equal(&a, &b));
    ranges_add(&a, 1, 5);
    assert_false(ranges_equal(&a, &b));
    ranges_add(&b, 3, 5);
    ranges_add(&b, 1, 3);
    assert_true(ranges_equal(&a, &b));
    ranges_copy(&a, &a);
    assert_int_equal(a.count, 4);
    ranges_copy(&a, &(struct ranges){0});
    assert_int_equal(a.count, 0);
    ranges_free(&a);
    ranges_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_against_bits),
        cmocka_unit_test(test_random_sets_against_bits),
        cmocka_unit_test(test_large_sets),
        cmocka_unit_test(test_touching_ranges_join),
        cmocka_unit_test(test_ends_of_the_numbers),
        cmocka_unit_test(test_equality),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
