/* SPDX-License-Identifier: Apache-2.0
 *
 * Which jobs may share a Blender, and what /proc says of memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "node/proc.h"
#include "node/seat.h"

static char blend[] = "/tmp/frameq-seat-XXXXXX";
static const struct run_site site = {.blender = "/bin/sh"};

static char *key_of(const char *folder, const char *settings)
{
    json_t *order = json_loads(settings, 0, NULL);
    assert_non_null(order);
    char *key = seat_key(&site, blend, folder, order);
    json_decref(order);
    return key;
}

static bool alike(char *a, char *b)
{
    const bool same = strcmp(a, b) == 0;
    mem_free(a);
    mem_free(b);
    return same;
}

static void settings_count(void **state)
{
    (void)state;
    const char *plain =
        "{\"samples\":4,\"device\":\"cpu\",\"output\":\"a_##\"}";
    const char *named =
        "{\"output\":\"b_##\",\"device\":\"cpu\",\"samples\":4}";
    const char *other =
        "{\"samples\":5,\"device\":\"cpu\",\"output\":\"a_##\"}";
    assert_true(alike(key_of("job", plain), key_of("job", named)));
    assert_false(alike(key_of("job", plain), key_of("job", other)));
    assert_false(alike(key_of("job", plain), key_of("other", plain)));
}

static void the_file_counts(void **state)
{
    (void)state;
    char *before = key_of("", "{}");
    assert_true(alike(mem_text(before), key_of("", "{}")));
    assert_int_equal(truncate(blend, 1), 0);
    assert_false(alike(mem_text(before), key_of("", "{}")));
    assert_int_equal(unlink(blend), 0);
    assert_false(alike(before, key_of("", "{}")));
}

static void memory(void **state)
{
    (void)state;
    struct proc_memory memory;
    assert_true(proc_memory(&memory));
    assert_true(memory.available <= memory.total);
    assert_true(proc_session_memory(getsid(0)) > 0);
    assert_int_equal(proc_session_memory(-1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_count),
        cmocka_unit_test(the_file_counts),
        cmocka_unit_test(memory),
    };
    const int fd = mkstemp(blend);
    if (fd < 0 || close(fd) < 0)
        return 1;
    const int rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(blend);
    return rc;
}
