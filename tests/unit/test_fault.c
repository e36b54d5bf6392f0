/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of failure classes and outcomes: words lead back to where they
 * came from, and every entry is whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/fault.h"
#include "common/rc.h"

static void test_words_lead_back(void **state)
{
    (void)state;
    for (int i = 0; i < FAULT_COUNT; i++) {
        const char *word = fault_word((enum fault)i);
        assert_int_equal(fault_find(word), i);
        assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz_"),
                         strlen(word));
        if (i != FAULT_NONE)
            assert_true(strlen(fault_remedy((enum fault)i)) > 10);
    }
}

static void test_unknown_words_are_render(void **state)
{
    (void)state;
    assert_int_equal(fault_find(NULL), FAULT_RENDER);
    assert_int_equal(fault_find(""), FAULT_RENDER);
    assert_int_equal(fault_find("of a newer node"), FAULT_RENDER);
}

static void test_charges_and_reaches(void **state)
{
    (void)state;
    assert_int_equal(fault_charge(FAULT_CRASH), FAULT_CHARGE_FRAME);
    assert_int_equal(fault_charge(FAULT_REFUSED), FAULT_CHARGE_NONE);
    assert_int_equal(fault_reach(FAULT_MISSING_FILE), FAULT_REACH_JOB);
    assert_int_equal(fault_reach(FAULT_BAD_BLEND), FAULT_REACH_LIKELY);
    assert_int_equal(fault_reach(FAULT_DISK_FULL), FAULT_REACH_NODE);
    assert_int_equal(fault_charge(FAULT_DISK_FULL), FAULT_CHARGE_NONE);
}

static void test_outcomes(void **state)
{
    (void)state;
    assert_int_equal(rc_status(RC_OK), 200);
    assert_int_equal(rc_status(RC_NO_SPACE), 507);
    assert_string_equal(rc_title(RC_INVALID), "Invalid input");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_lead_back),
        cmocka_unit_test(test_unknown_words_are_render),
        cmocka_unit_test(test_charges_and_reaches),
        cmocka_unit_test(test_outcomes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
