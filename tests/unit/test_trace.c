/* SPDX-License-Identifier: Apache-2.0
 *
 * traceparent headers: what is one, what is none, and that a child keeps all
 * but the span.
 */
#include "common/app/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"
#define GOOD  "00-" TRACE "-" SPAN "-01"

static void what_is_one(void **state)
{
    (void)state;
    static const struct {
        const char *header, *read;
    } rows[] = {
        {GOOD, GOOD},
        {"00-" TRACE "-" SPAN "-00", "00-" TRACE "-" SPAN "-00"},
        {"00-" TRACE "-" SPAN "-ff", GOOD},
        {"01-" TRACE "-" SPAN "-02", "00-" TRACE "-" SPAN "-00"},
        {"cc-" TRACE "-" SPAN "-01-what comes later", GOOD},
    };
    char got[TRACE_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(trace_read(rows[i].header, got));
        assert_string_equal(got, rows[i].read);
    }
    assert_int_equal(strlen(GOOD), LIMIT_TRACE);
}

static void what_is_none(void **state)
{
    (void)state;
    static const char *const rows[] = {
        NULL,
        "",
        "00",
        "00-" TRACE "-" SPAN,
        "00-" TRACE "-" SPAN "-0",
        GOOD "0", /* LIMIT_TRACE + 1 */
        GOOD "-",
        "ff-" TRACE "-" SPAN "-01",
        "0x-" TRACE "-" SPAN "-01",
        "01-" TRACE "-" SPAN "-010",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
        "00-" TRACE "-" SPAN "-0g",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
        "00-" TRACE "-" SPAN "_01",
        "00-0af7651916cd43dd8448eb211c80319-" SPAN "0-01",
    };
    char got[TRACE_SIZE] = "x", words[TRACE_WORDS];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (trace_read(rows[i], got))
            fail_msg("%s", rows[i]);
        assert_string_equal(got, "");
        assert_false(trace_child(rows[i], got));
        assert_string_equal(got, "");
    }
    assert_string_equal(trace_words(NULL, words), "");
    assert_string_equal(trace_words("", words), "");
}

static void a_child(void **state)
{
    (void)state;
    char child[TRACE_SIZE], other[TRACE_SIZE], words[TRACE_WORDS];
    assert_true(trace_child(GOOD, child));
    assert_true(trace_child(GOOD, other));
    assert_memory_equal(child, GOOD, 36);
    assert_string_equal(child + 52, "-01");
    assert_string_not_equal(child, GOOD);
    assert_string_not_equal(child, other);
    assert_true(trace_read(child, other));
    assert_string_equal(trace_words(GOOD, words),
                        " trace=" TRACE " span=" SPAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_one),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(a_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
