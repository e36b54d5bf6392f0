/* SPDX-License-Identifier: Apache-2.0
 *
 * OUTPUT/.work: folders with owners, numbers that never come twice; and the
 * list of requests that wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/limits.h"
#include "node/serial.h"
#include "node/wait.h"
#include "node/work.h"

static char root[64];

static bool exists(const char *name)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", root, name);
    return lstat(path, &st) == 0;
}

static void file_make(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", root, name);
    const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void folder_make(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void one_owner(void **state)
{
    (void)state;
    struct work one = {NULL, -1};
    struct work two = {NULL, -1};
    assert_true(work_open(root, "key", 1, &one));
    assert_true(exists("key"));
    assert_true(work_open(root, "key", 9, &two));
    assert_true(exists("key.9"));
    file_make("key/picture.png");
    work_close(&one);
    assert_false(exists("key"));
    assert_null(one.path);
    work_close(&two);
    assert_false(exists("key.9"));
}

static void sweeping(void **state)
{
    (void)state;
    struct work mine = {NULL, -1};
    assert_true(work_open(root, "mine", 1, &mine));
    folder_make("dead");
    file_make("dead/lock");
    folder_make("dead/5");
    file_make("dead/5/f.png");
    folder_make("empty"); /* its owner died before it took the lock */
    file_make("serial");
    assert_int_equal(work_sweep(root), 2);
    assert_true(exists("mine"));
    assert_false(exists("dead"));
    assert_false(exists("empty"));
    assert_true(exists("serial"));
    work_close(&mine);
}

static void dead_owners_name(void **state)
{
    (void)state;
    struct work work = {NULL, -1};
    folder_make("key");
    file_make("key/lock");
    file_make("key/old");
    assert_true(work_open(root, "key", 1, &work));
    assert_true(exists("key/lock"));
    assert_false(exists("key/old"));
    work_close(&work);
}

static void names_in_the_way(void **state)
{
    (void)state;
    struct work work = {NULL, -1};
    file_make("serial");
    assert_true(work_open(root, "serial", 3, &work));
    assert_true(exists("serial.3"));
    work_close(&work);
    assert_false(work_open("/nowhere/at/all", "key", 3, &work));
}

static void links_are_not_followed(void **state)
{
    (void)state;
    char path[128];
    struct work work = {NULL, -1};
    folder_make("treasure");
    file_make("treasure/gold");
    assert_true(work_open(root, "key", 1, &work));
    snprintf(path, sizeof path, "%s/key/link", root);
    assert_int_equal(symlink("../treasure", path), 0);
    work_close(&work);
    assert_true(exists("treasure/gold"));
}

static void numbers_rise(void **state)
{
    (void)state;
    struct serial one = {0};
    struct serial two = {0};
    const int64_t first = serial_next(&one, root);
    const int64_t other = serial_next(&two, root);
    assert_int_equal(first, 1);
    assert_true(other > first);
    int64_t last = first;
    for (int i = 0; i < 250; i++) {
        const int64_t next = serial_next(&one, root);
        assert_true(next > last);
        assert_true(next != other);
        last = next;
    }
    struct serial restarted = {0};
    assert_true(serial_next(&restarted, root) > last);
    assert_int_equal(serial_next(&(struct serial){0}, "/nowhere"), -1);
}

static bool is_even(void *ctx, const struct wait *wait)
{
    (void)ctx;
    return wait->pid % 2 == 0;
}

static void waits(void **state)
{
    (void)state;
    struct waits list = {0};
    struct httpd_request *requests[4] = {(void *)1, (void *)2, (void *)3,
                                         (void *)4};
    for (int i = 0; i < 4; i++)
        assert_true(waits_add(&list, &(struct wait){.request = requests[i],
                                                    .pid = i,
                                                    .until_ms = 100 + i}));
    assert_int_equal(waits_due(&list), 100);
    waits_remove(&list, requests[0]);
    waits_remove(&list, (void *)99);
    assert_int_equal(waits_due(&list), 101);
    struct wait taken;
    assert_true(waits_take(&list, is_even, NULL, &taken));
    assert_int_equal(taken.pid, 2);
    assert_false(waits_take(&list, is_even, NULL, &taken));
    assert_int_equal(list.n, 2);
    waits_done(&list);
    assert_int_equal(waits_due(&list), 0);
}

static void waits_at_their_limit(void **state)
{
    (void)state;
    struct waits list = {0};
    for (int i = 0; i < LIMIT_PARKED; i++)
        assert_true(waits_add(&list, &(struct wait){0}));
    assert_false(waits_add(&list, &(struct wait){0}));
    waits_done(&list);
}

static int root_make(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/test_work.XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int root_remove(void **state)
{
    (void)state;
    work_remove(root);
    return 0;
}

#define ROOTED(test)                                                           \
    cmocka_unit_test_setup_teardown(test, root_make, root_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOTED(one_owner),
        ROOTED(sweeping),
        ROOTED(dead_owners_name),
        ROOTED(names_in_the_way),
        ROOTED(links_are_not_followed),
        ROOTED(numbers_rise),
        cmocka_unit_test(waits),
        cmocka_unit_test(waits_at_their_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
