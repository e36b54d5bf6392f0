/* SPDX-License-Identifier: Apache-2.0
 *
 * What lines of Blender's say of failures, and the first of them in a log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/blender_log.h"

static size_t first(const char *log, const char *line)
{
    const char *at = NULL;
    size_t number = blender_first_error(log, strlen(log), &at);
    if (number > 0)
        assert_memory_equal(at, line, strlen(line));
    return number;
}

static void the_first_line_that_tells(void **state)
{
    (void)state;
    assert_int_equal(first("", ""), 0);
    assert_int_equal(first("Read blend: a\nFra:1\nSaved: x\n", ""), 0);
    assert_int_equal(first("a\nError: b\nError: c\n", "Error: b\n"), 2);
    assert_int_equal(first("a\n\nstd::bad_alloc", "std::bad_alloc"), 3);
    assert_int_equal(first("CUDA out of memory", "CUDA"), 1);
    assert_int_equal(first("no Error: inside a line", ""), 0);
    assert_int_equal(
        first("LIB: Object: 'Cube' missing from '/a.blend', parent", "LIB"), 1);
    assert_int_equal(blender_first_error("x\nError: y", 3, NULL), 0);
}

static void what_lies_far_out_in_a_line(void **state)
{
    char log[4096];
    (void)state;
    memset(log, 'x', sizeof log);
    memcpy(log + 3000, "std::bad_allocx", 14);
    memcpy(log + 4000, "\nError: yx", 9);
    assert_int_equal(blender_first_error(log, sizeof log, NULL), 2);
}

static void the_class_of_a_line(void **state)
{
    (void)state;
    assert_int_equal(blender_line_fault("Error: Cannot read file x"),
                     FAULT_BAD_BLEND);
    assert_int_equal(blender_line_fault("write: No space left on device"),
                     FAULT_DISK_FULL);
    assert_int_equal(blender_line_fault("Error: else"), FAULT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_that_tells),
        cmocka_unit_test(what_lies_far_out_in_a_line),
        cmocka_unit_test(the_class_of_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
