/* SPDX-License-Identifier: Apache-2.0
 *
 * Text or JSON, by headers as clients send them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/http/negotiate.h"

static void test_accept_that_prefers_json(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "application/json",
        "APPLICATION/Json",
        "application/problem+json",
        "application/json, text/plain;q=0.9",
        "text/plain;q=0.5, application/json;q=0.6",
        "application/json;q=0.001",
        "application/json, */*;q=0.8",
        "application/*",
        "text/plain;q=0, */*;q=0.1",
        "application/json;charset=utf-8",
        "application/json; profile=\"a,b;q=0\"",
        ",, application/json ,",
        "text/html, application/json",
        "application/json;q=0.2, text/*;q=0.1",
        "text/*;q=0.9, text/plain;q=0.1, application/json;q=0.5",
        "application/json ; q=1.000",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!accept_json(rows[i]))
            fail_msg("%s", rows[i]);
}

static void test_accept_of_metrics(void **state)
{
    (void)state;
    assert_true(accept_openmetrics("application/openmetrics-text;"
                                   "version=1.0.0;q=0.5,text/plain;q=0.3"));
    assert_false(accept_openmetrics(NULL));
    assert_false(accept_openmetrics("*/*"));
    assert_false(accept_openmetrics("application/openmetrics-text;q=0.3,"
                                    "text/plain;q=0.5"));
}

static void test_accept_that_does_not(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "*/*",
        "application/json, text/plain, */*", /* axios */
        "text/plain",
        "text/*",
        "text/plain, application/json;q=0.9",
        "application/json;q=0",
        "application/json;q=0, */*",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "application/jsonx",
        "application/*, text/plain",
        /* not by the grammar */
        "application/json;q=2",
        "application/json;q=1.1",
        "application/json;q=0.1234",
        "application/json;q=x",
        "application/json;q=",
        "application/json;q",
        "application/json text/plain",
        "application",
        "application/",
        "/json",
        "application/json;a=\"b",
        "application/json, text",
    };
    assert_false(accept_json(NULL));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (accept_json(rows[i]))
            fail_msg("%s", rows[i]);
}

static void test_content_types(void **state)
{
    (void)state;
    static const char form[] = "application/x-www-form-urlencoded";
    assert_true(content_is_json(NULL, true));
    assert_true(content_is_json("", true));
    assert_true(content_is_json("application/json", true));
    assert_true(content_is_json("Application/JSON; charset=utf-8", true));
    assert_true(content_is_json(" application/merge-patch+json", true));
    assert_true(content_is_json(form, false));
    assert_false(content_is_json(form, true));
    assert_false(content_is_json("text/plain", false));
    assert_false(content_is_json("application/jsonx", false));
    assert_false(content_is_json("multipart/form-data; boundary=x", false));
    assert_false(content_is_json("+json", false));
    assert_false(content_is_json("application/json, text/plain", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept_that_prefers_json),
        cmocka_unit_test(test_accept_that_does_not),
        cmocka_unit_test(test_accept_of_metrics),
        cmocka_unit_test(test_content_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
