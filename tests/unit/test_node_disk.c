/* SPDX-License-Identifier: Apache-2.0
 *
 * When a disk is full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/statvfs.h>

#include "common/limits.h"
#include "node/disk.h"

static uint64_t left; /* blocks of one byte; UINT64_MAX: no such disk */

int __wrap_statvfs(const char *path, struct statvfs *st);
int __wrap_statvfs(const char *path, struct statvfs *st)
{
    assert_string_equal(path, "/out");
    *st = (struct statvfs){.f_bavail = left, .f_frsize = 1};
    return left == UINT64_MAX ? -1 : 0;
}

static void full_below_the_limit(void **state)
{
    (void)state;
    left = LIMIT_DISK_FREE;
    assert_false(disk_is_full("/out"));
    left = LIMIT_DISK_FREE - 1;
    assert_true(disk_is_full("/out"));
    left = UINT64_MAX;
    assert_false(disk_is_full("/out"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_below_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
