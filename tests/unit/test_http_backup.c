/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v1/backup: the copy is sent and leaves nothing behind, whoever stays or
 * leaves meanwhile.
 */
#include "tests/unit/broker_world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *copy_path(void)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/backup.tmp", world.data_dir);
    return path;
}

static int set_up(void **state)
{
    int rc = world_setup(state);
    snprintf(world.data_dir, sizeof world.data_dir,
             "/tmp/frameq-backup-XXXXXX");
    return rc == 0 && mkdtemp(world.data_dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    assert_int_equal(access(copy_path(), F_OK), -1);
    assert_int_equal(rmdir(world.data_dir), 0);
    return world_teardown(state);
}

static void assert_sent(struct got got)
{
    assert_int_equal(got.status, 200);
    assert_string_equal(got_header(&got, "Content-Type"),
                        "application/vnd.sqlite3");
    assert_int_equal(got.len, strlen(WORLD_COPY));
    assert_memory_equal(got.body, WORLD_COPY, got.len);
    got_free(&got);
}

static void the_copy_is_sent(void **state)
{
    (void)state;
    assert_sent(world_ask("GET", "/v1/backup", "", NULL));
    assert_sent(world_ask("GET", "/v1/backup", "", NULL));
    assert_int_equal(world.backups, 2);
}

static void a_rest_of_a_killed_broker_is_no_hindrance(void **state)
{
    (void)state;
    FILE *file = fopen(copy_path(), "w");
    fputs("half", file);
    fclose(file);
    assert_sent(world_ask("GET", "/v1/backup", "", NULL));
}

static void one_at_a_time(void **state)
{
    (void)state;
    world.hold = true;
    int first = world_send("GET", "/v1/backup", "", NULL);
    world_silent(first);
    json_decref(world_json("GET", "/v1/backup", NULL, 503));
    world.hold = false;
    assert_sent(world_receive(first));
    assert_int_equal(world.backups, 1);
}

static void who_leaves_leaves_no_copy(void **state)
{
    (void)state;
    world.hold = true;
    int fd = world_send("GET", "/v1/backup", "", NULL);
    world_silent(fd);
    world_leave(fd, 0);
    json_decref(world_json("GET", "/v1/backup", NULL, 503));
    world.hold = false;
    world_turn();
    assert_int_equal(world.backups, 1);
    assert_sent(world_ask("GET", "/v1/backup", "", NULL));
}

static void a_copy_that_fails_says_why(void **state)
{
    (void)state;
    world.backup_reason = "the disk is full";
    json_t *problem = world_json("GET", "/v1/backup", NULL, 507);
    assert_non_null(
        strstr(json_string_value(json_object_get(problem, "detail")),
               "the disk is full"));
    json_decref(problem);
    world.backup_reason = NULL;
    assert_sent(world_ask("GET", "/v1/backup", "", NULL));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_copy_is_sent),
        TEST(a_rest_of_a_killed_broker_is_no_hindrance),
        TEST(one_at_a_time),
        TEST(who_leaves_leaves_no_copy),
        TEST(a_copy_that_fails_says_why),
    };
    return cmocka_run_group_tests_name("http_backup", tests, NULL, NULL);
}
