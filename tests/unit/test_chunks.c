/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies in chunks, whole and cut anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/http/httpd_parts.h"

static void test_taken_however_cut(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "0\r\n\r\n",
        "3\r\nabc\r\n0\r\n\r\n",
        "00000003;a=\"b\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
        "1\r\n\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        for (size_t n = 0; n <= strlen(bodies[i]); n++)
            assert_null(chunks_fault(bodies[i], n));
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "\r\n",        "ZZ\r\n",        "-1\r\n",        " 1\r\n",
        "1 \r\n",      "0x1\r\na\r\n",  "3\nabc\n0\n\n", "3\r\nabcX0\r\n",
        "3\r\nabc\rX", "fffffffff\r\n", "000000001\r\n", "1\r\na\r\nx\r\n",
        ";a\r\n"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (chunks_fault(bodies[i], strlen(bodies[i])) == NULL)
            fail_msg("%s", bodies[i]);
}

static void test_long_lines_and_trailers(void **state)
{
    (void)state;
    char text[10000];
    for (int extra = 0; extra < 2; extra++) {
        int n = snprintf(text, sizeof text, "1;");
        memset(text + n, 'a', CHUNK_LINE_MAX);
        memcpy(text + CHUNK_LINE_MAX - 1 + extra, "\r\nx\r\n", 6);
        assert_int_equal(chunks_fault(text, strlen(text)) != NULL, extra);
    }
    int n = snprintf(text, sizeof text, "0\r\n");
    while (n < 9000)
        n += snprintf(text + n, sizeof text - (size_t)n, "A: b\r\n");
    assert_non_null(chunks_fault(text, strlen(text)));
    memcpy(text + 999, "\r\n\r\n", 5);
    memset(text + 1003, 'x', 8000);
    assert_null(chunks_fault(text, 9000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_however_cut),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long_lines_and_trailers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
