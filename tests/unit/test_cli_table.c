/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables: alignment, fitting, and no blanks at the ends of lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/table.h"

static const struct column columns[] = {{"state", 0, false, false},
                                        {"job", 6, false, false},
                                        {"done", 0, true, true}};

static void expect(int width, bool colour, const char *expected)
{
    struct term term = {.width = width, .colour = colour};
    struct table *table = table_new(columns, 3);
    struct buf out;
    buf_init(&out, 4096);
    table_state(table, &term, "running");
    table_cell(table, PLAIN, "%s_%d", "turntable", 1);
    table_cell(table, PLAIN, "5/20");
    table_state(table, &term, "failed");
    table_cell(table, RED, "%s", "comp");
    table_count(table, PLAIN, 0);
    table_write(table, &term, &out);
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
    table_free(&table);
    assert_null(table);
}

static void test_natural(void **state)
{
    (void)state;
    expect(0, false,
           "state      job          done\n"
           "> running  turntable_1  5/20\n"
           "x failed   comp\n");
}

static void test_cut_to_fit(void **state)
{
    (void)state;
    expect(25, false,
           "state      job       done\n"
           "> running  turnt...  5/20\n"
           "x failed   comp\n");
}

static void test_never_below_the_least(void **state)
{
    (void)state;
    expect(23, false,
           "state      job     done\n"
           "> running  tur...  5/20\n"
           "x failed   comp\n");
}

static void test_columns_that_may_go(void **state)
{
    (void)state;
    expect(22, false,
           "state      job\n"
           "> running  turntable_1\n"
           "x failed   comp\n");
    expect(10, false, /* the others may not */
           "state      job\n"
           "> running  tur...\n"
           "x failed   comp\n");
}

static void test_colour_takes_no_columns(void **state)
{
    (void)state;
    expect(80, true,
           "\x1b[2mstate\x1b[0m      \x1b[2mjob\x1b[0m          "
           "\x1b[2mdone\x1b[0m\n"
           "\x1b[33m> running\x1b[0m  turntable_1  5/20\n"
           "\x1b[31mx failed\x1b[0m   \x1b[31mcomp\x1b[0m\n");
}

static void test_titles_alone(void **state)
{
    (void)state;
    struct term term = {0};
    struct table *table = table_new(columns, 3);
    struct buf out;
    buf_init(&out, 4096);
    table_write(table, &term, &out);
    assert_string_equal(buf_text(&out), "state  job  done\n");
    buf_free(&out);
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_natural),
        cmocka_unit_test(test_cut_to_fit),
        cmocka_unit_test(test_never_below_the_least),
        cmocka_unit_test(test_columns_that_may_go),
        cmocka_unit_test(test_colour_takes_no_columns),
        cmocka_unit_test(test_titles_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
