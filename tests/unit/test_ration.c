/* SPDX-License-Identifier: Apache-2.0
 *
 * What a turn takes of one socket, by a clock of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/agents/ration.h"

static void test_so_many(void **state)
{
    (void)state;
    struct ration ration = ration_of_turn(7);
    for (int i = 0; i < LIMIT_DRAIN_PER_TURN; i++)
        assert_true(ration_take(&ration, 7));
    assert_false(ration_take(&ration, 7));
    assert_false(ration_take(&ration, 7));
}

static void test_so_long(void **state)
{
    (void)state;
    struct ration ration = ration_of_turn(7);
    assert_true(ration_take(&ration, 7));
    assert_true(ration_take(&ration, 7 + LIMIT_READ_MS - 1));
    assert_false(ration_take(&ration, 7 + LIMIT_READ_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_so_many),
        cmocka_unit_test(test_so_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
