/* SPDX-License-Identifier: Apache-2.0
 *
 * What is remembered of pictures that could not be sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "broker/files/gone.h"

static void for_a_minute(void **state)
{
    (void)state;
    struct gone_list list = {0};
    assert_null(gone_find(&list, "a", 5));
    gone_add(&list, "a", "no such file", 5);
    assert_string_equal(gone_find(&list, "a", 5 + GONE_MS - 1), "no such file");
    assert_null(gone_find(&list, "a", 5 + GONE_MS));
    assert_null(gone_find(&list, "b", 5));
    gone_add(&list, "a", "other bytes", 6);
    assert_string_equal(gone_find(&list, "a", 6), "other bytes");
}

static void the_last_few_only(void **state)
{
    (void)state;
    char name[16], why[LIMIT_GONE_REASON + 2];
    struct gone_list list = {0};
    for (int i = 0; i <= LIMIT_GONE; i++) {
        snprintf(name, sizeof name, "%d", i);
        gone_add(&list, name, "gone", 0);
    }
    assert_null(gone_find(&list, "0", 0));
    assert_non_null(gone_find(&list, "1", 0));
    memset(why, 'x', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    gone_add(&list, "long", why, 0);
    assert_int_equal(strlen(gone_find(&list, "long", 0)), LIMIT_GONE_REASON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(for_a_minute),
        cmocka_unit_test(the_last_few_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
