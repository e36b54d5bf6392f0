/* SPDX-License-Identifier: Apache-2.0
 *
 * Bars and the width of text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <string.h>

#include "cli/term.h"

static const struct term ascii = {.width = 80};
static const struct term utf8 = {.width = 80, .utf8 = true};

static void expect_bar(struct bar bar, int width, const char *expected)
{
    struct buf out;
    buf_init(&out, 4096);
    bar_draw(&bar, &ascii, width, &out);
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
}

static void test_shares(void **state)
{
    (void)state;
    expect_bar((struct bar){.total = 20}, 10, "..........");
    expect_bar((struct bar){.done = 20, .total = 20}, 10, "##########");
    expect_bar((struct bar){.done = 10, .total = 20}, 10, "#####.....");
    expect_bar((struct bar){.done = 10, .leased = 4, .total = 20}, 10,
               "#####==...");
    expect_bar(
        (struct bar){.done = 4, .failed = 4, .cancelled = 12, .total = 20}, 10,
        "##xx------");
}

static void test_nothing_is_lost_or_finished_too_early(void **state)
{
    (void)state;
    expect_bar((struct bar){.failed = 1, .total = 100000}, 10, "x.........");
    expect_bar((struct bar){.done = 99999, .total = 100000}, 10, "#########.");
    expect_bar((struct bar){.done = 99998, .failed = 1, .total = 100000}, 10,
               "########x.");
    expect_bar((struct bar){.done = 1, .total = 1000}, 10, "#.........");
}

static void test_nonsense_is_drawn_too(void **state)
{
    (void)state;
    expect_bar((struct bar){0}, 5, ".....");
    expect_bar((struct bar){.done = 30, .total = 20}, 5, "#####");
    expect_bar((struct bar){.done = -3, .leased = -1, .total = 4}, 4, "....");
    expect_bar((struct bar){.done = 1, .failed = 1, .leased = 1, .total = 9}, 0,
               "");
    expect_bar((struct bar){.done = INT32_MAX, .total = INT32_MAX}, 3, "###");
}

static void test_every_width_is_kept(void **state)
{
    (void)state;
    for (int width = 1; width < 60; width++)
        for (int done = 0; done <= 17; done++) {
            struct buf out;
            struct bar bar = {
                .done = done, .failed = 1, .leased = 2, .total = 20};
            buf_init(&out, 4096);
            bar_draw(&bar, &utf8, width, &out);
            assert_int_equal(width_of(buf_text(&out)), width);
            buf_free(&out);
        }
}

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(width_of(""), 0);
    assert_int_equal(width_of("abc"), 3);
    assert_int_equal(width_of("h\u00e4user"), 6);
    assert_int_equal(width_of("\u2588\u2591"), 2);
    assert_int_equal(width_of("\xff\xc3"), 2); /* broken bytes count */
}

static void expect_cut(const char *text, int columns, const struct term *term,
                       const char *expected)
{
    struct buf out;
    buf_init(&out, 4096);
    int used = width_cut(text, columns, term, &out);
    assert_string_equal(buf_text(&out), expected);
    assert_int_equal(used, width_of(expected));
    assert_true(used <= columns);
    buf_free(&out);
}

static void test_cut(void **state)
{
    (void)state;
    expect_cut("lighting", 8, &ascii, "lighting");
    expect_cut("lighting", 7, &ascii, "ligh...");
    expect_cut("lighting", 7, &utf8, "lighti\u2026");
    expect_cut("h\u00e4user", 4, &utf8, "h\u00e4u\u2026");
    expect_cut("lighting", 2, &ascii, "..");
    expect_cut("lighting", 1, &utf8, "\u2026");
    expect_cut("lighting", 0, &utf8, "");
    expect_cut("lighting", 0, &ascii, "");
}

static void test_glyphs(void **state)
{
    (void)state;
    static const char *const words[] = {"queued", "running", "completed",
                                        "failed", "lost"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const struct glyph *glyph = glyph_find(words[i]);
        assert_string_equal(glyph->word, words[i]);
        assert_int_equal(strlen(glyph_text(glyph, &ascii)), 1);
        assert_int_equal(width_of(glyph_text(glyph, &utf8)), 1);
    }
    assert_string_equal(glyph_find("from-a-newer-broker")->word, "queued");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_nothing_is_lost_or_finished_too_early),
        cmocka_unit_test(test_nonsense_is_drawn_too),
        cmocka_unit_test(test_every_width_is_kept),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_glyphs),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
