/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON in a test's text without a backslash before every quote.
 */
#ifndef FRAMEQ_TESTS_UNIT_QUOTED_H
#define FRAMEQ_TESTS_UNIT_QUOTED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

/* JSON with ' for ". */
static inline json_t *quoted(const char *text)
{
    char json[2048];
    size_t i = 0;
    assert_true(strlen(text) < sizeof json);
    for (; text[i] != '\0'; i++)
        json[i] = text[i] == '\'' ? '"' : text[i];
    json[i] = '\0';
    json_t *value = json_loads(json, 0, NULL);
    assert_non_null(value);
    return value;
}

#endif
