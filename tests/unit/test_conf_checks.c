/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks of settings, and which word is the nearest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/app/conf.h"

static void assert_takes(conf_check *check, const char *const *values)
{
    for (; *values != NULL; values++)
        if (check(*values) != NULL)
            fail_msg("`%s` is refused: %s", *values, check(*values));
}

static void assert_refuses(conf_check *check, const char *const *values)
{
    for (; *values != NULL; values++)
        if (check(*values) == NULL)
            fail_msg("`%s` is taken", *values);
}

#define TAKES(check, ...)                                                      \
    assert_takes(check, (const char *const[]){__VA_ARGS__, NULL})
#define REFUSES(check, ...)                                                    \
    assert_refuses(check, (const char *const[]){__VA_ARGS__, NULL})

static void test_addresses(void **state)
{
    (void)state;
    TAKES(conf_is_address, "127.0.0.1:4000", "[::1]:0", "node-1.lan:65535",
          "[fe80::1]:1", "0.0.0.0:80", "*:80");
    REFUSES(conf_is_address, "", "x", ":80", "x:", "x:65536", "x:-1", "x:8 0",
            "::1:80", "[::1]", "[]:80", "[x]:80", "[::1:80", "x:80/", "x y:80",
            "x:80:90", "[127.0.0.1]:80");
    char host[64];
    assert_int_equal(conf_address("[::1]:40", host, sizeof host), 40);
    assert_string_equal(host, "::1");
    assert_int_equal(conf_address("localhost:0", host, sizeof host), 0);
    assert_string_equal(host, "localhost");
}

static void test_counts(void **state)
{
    (void)state;
    TAKES(conf_is_count, "1", "007", "2147483647");
    REFUSES(conf_is_count, "", "0", "-1", "+1", "1.0", "2147483648", "1e3",
            " 1", "1 ", "0x1", "99999999999999999999");
    TAKES(conf_is_count0, "0", "2147483647");
    REFUSES(conf_is_count0, "", "-0", "2147483648");
    TAKES(conf_is_auto_count, "auto", "5");
    REFUSES(conf_is_auto_count, "0", "Auto", "");
}

static void test_seconds(void **state)
{
    (void)state;
    TAKES(conf_is_seconds, "1", "0.001", ".5", "5.", "1000000000");
    REFUSES(conf_is_seconds, "", "0", "0.0", ".", "-1", "1e3", "inf", "nan",
            "1s", "1000000001", "1.2.3", "0x1");
    TAKES(conf_is_auto_seconds, "auto", "2.5");
    REFUSES(conf_is_auto_seconds, "never", "0");
}

static void test_urls(void **state)
{
    (void)state;
    TAKES(conf_is_url, "http://127.0.0.1:4000", "https://render.lan",
          "http://[::1]:80/", "http://x/");
    REFUSES(conf_is_url, "", "127.0.0.1:4000", "ftp://x", "http://",
            "http://x:0", "http://x:", "http://x/path", "http://x?y",
            "http://u@x", "HTTP://x y");
}

static void test_reasons_show_the_value(void **state)
{
    (void)state;
    assert_string_equal(conf_is_count("x\n"),
                        "must be a whole number from 1 on, not `x?`");
    static const char *const words[] = {"auto", "off", NULL};
    assert_null(conf_choice("off", words));
    assert_string_equal(conf_choice("zzz", words),
                        "must be auto or off, not `zzz`");
    assert_string_equal(conf_choice("of", words),
                        "must be auto or off, not `of` (did you mean off?)");
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const words[] = {"from",   "to",      "format",
                                        "frames", "samples", "priority"};
    static const char *const rows[][2] = {
        {"form", "from"},     {"frame", "frames"},
        {"prio", "priority"}, {"smaples", "samples"},
        {"too", "to"},        {"Format", "format"},
        {"frmaes", "frames"}, {"prioritize", "priority"},
        {"FRAMES", "frames"}, {"SMAPLES", "samples"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(conf_nearest(rows[i][0], words, 6), rows[i][1]);
    assert_null(conf_nearest("zzzz", words, 6));
    assert_null(conf_nearest("", words, 6));
    assert_null(conf_nearest("from", words, 0));
    char wide[300];
    memset(wide, 'f', sizeof wide);
    wide[sizeof wide - 1] = '\0';
    assert_null(conf_nearest(wide, words, 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_reasons_show_the_value),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
