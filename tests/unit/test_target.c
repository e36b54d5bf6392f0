/* SPDX-License-Identifier: Apache-2.0
 *
 * Request targets into paths.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/http/httpd_parts.h"
#include "common/limits.h"

static void test_paths(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"/", "/"},
        {"/a/b", "/a/b"},
        {"/a%20b%2Fc", "/a b/c"},
        {"/%c3%a4", "/\u00e4"},
        {"/%2541", "/%41"},
        {"/a?b=%c3%a4&c=+&d", "/a"},
        {"/a?", "/a"},
        {"/a?&&b=1&", "/a"},
        {"*", "*"},
        {"http://host:1/a?b", "/a"},
        {"HTTP://host", "/"},
        {"https://host?b", "/"},
        {"/http://x", "/http://x"},
    };
    char path[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_null(target_path(rows[i][0], path));
        assert_string_equal(path, rows[i][1]);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "/%00",      "/a%0a",   "/%7F",       "/\x01",   "/%ff",
        "/%c3",      "/%c0%af", "/%",         "/%4",     "/%4x",
        "/%x4",      "/a?%00",  "/a?b=c%00d", "/?a=%ff", "/?a=%4x",
        "/?a=1&a=2", "/?a&b&a", "/?a=1&%61=2"};
    char path[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (target_path(rows[i], path) == NULL)
            fail_msg("%s", rows[i]);
}

/* LIMIT_HEADERS parameters, and one more. */
static void test_parameters_at_the_limit(void **state)
{
    (void)state;
    char target[16 + 8 * (LIMIT_HEADERS + 1)] = "/?", path[sizeof target];
    for (int i = 0; i < LIMIT_HEADERS; i++)
        snprintf(target + strlen(target), 8, "%sp%d", i == 0 ? "" : "&", i);
    assert_null(target_path(target, path));
    memcpy(target + strlen(target), "&more", 6);
    assert_string_equal(target_path(target, path),
                        "too many parameters in the query");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_parameters_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
