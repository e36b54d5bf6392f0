/* SPDX-License-Identifier: Apache-2.0
 *
 * What counts as plain text, and how the rest is shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/text.h"

static bool plain(const char *text)
{
    return text_is_plain(text, strlen(text));
}

static void test_plain(void **state)
{
    (void)state;
    assert_true(plain(""));
    assert_true(plain("shot 010"));
    assert_true(plain("\u00e4\u20ac\U0001f600"));
    assert_true(plain("\xf4\x8f\xbf\xbf")); /* U+10FFFF */
    assert_true(plain("\xee\x80\x80"));     /* U+E000, past the surrogates */
    assert_true(plain("\xc2\xa0"));         /* U+00A0, past C1 */
}

static void test_not_plain(void **state)
{
    (void)state;
    static const char *const bad[] = {"a\nb",
                                      "\t",
                                      "\x7f",
                                      "\x1f",
                                      "\x80",
                                      "\xc2\x9f", /* U+009F is a control */
                                      "\xc0\xaf", /* overlong / */
                                      "\xe0\x80\xaf",
                                      "\xf0\x80\x80\xaf",
                                      "\xed\xa0\x80",     /* a surrogate */
                                      "\xf4\x90\x80\x80", /* past U+10FFFF */
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xe2\x82",
                                      "\xe2\x82x",
                                      "a\xc3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (plain(bad[i]))
            fail_msg("text %zu passes", i);
    assert_false(text_is_plain("a\0b", 3));
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(text_equals("done", "done,failed", 4));
    assert_true(text_equals("", "x", 0));
    assert_false(text_equals("done", "done,failed", 3));
    assert_false(text_equals("done", "done,failed", 5));
    assert_false(text_equals("done", "Done", 4));
}

static void test_name_chars(void **state)
{
    (void)state;
    static const char good[] = "azAZ09._-", bad[] = " /:@[`{,+\x7f\x80";
    for (const char *c = good; *c != '\0'; c++)
        assert_true(text_is_name_char(*c));
    for (const char *c = bad; *c != '\0'; c++)
        assert_false(text_is_name_char(*c));
    assert_false(text_is_name_char('\0'));
}

static const char *shown(const char *text, size_t size)
{
    static char ret[64];
    memset(ret, '#', sizeof ret);
    text_excerpt(text, strlen(text), ret, size);
    assert_int_equal(ret[size], '#');
    return ret;
}

static void test_excerpts(void **state)
{
    (void)state;
    assert_string_equal(shown("", 8), "");
    assert_string_equal(shown("1234567", 8), "1234567");
    assert_string_equal(shown("12345678", 8), "1234...");
    assert_string_equal(shown("a\nb\xff\xc3\xa4", 16), "a?b?\u00e4");
    /* characters are not cut in two */
    assert_string_equal(shown("123\u20ac5678", 8), "123...");
    assert_string_equal(shown("1\u20ac5678", 8), "1\u20ac...");
    assert_string_equal(shown("\U0001f600\U0001f600", 8), "\U0001f600...");
    assert_string_equal(shown("\U0001f600\U0001f600", 9),
                        "\U0001f600\U0001f600");
}

static void test_choices(void **state)
{
    (void)state;
    static const char *const words[] = {"auto", "cpu", "cuda", NULL};
    char text[32], small[12];
    assert_string_equal(text_choice(words, text, sizeof text),
                        "auto, cpu or cuda");
    assert_string_equal(text_choice(words + 1, text, sizeof text),
                        "cpu or cuda");
    assert_string_equal(text_choice(words + 2, text, sizeof text), "cuda");
    assert_string_equal(text_choice(words + 3, text, sizeof text), "");
    assert_string_equal(text_choice(words, small, sizeof small), "auto, cpu o");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),      cmocka_unit_test(test_not_plain),
        cmocka_unit_test(test_name_chars), cmocka_unit_test(test_excerpts),
        cmocka_unit_test(test_choices),    cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
