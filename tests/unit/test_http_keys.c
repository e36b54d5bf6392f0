/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of agents over HTTP: a change is answered once it is on disk, the next
 * waits for it, and nobody else does.
 */
#include "tests/unit/broker_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/agents/keys.h"

static char dir[64];

static int setup(void **state)
{
    char why[LIMIT_REASON];
    snprintf(dir, sizeof dir, "/tmp/frameq-http-keys-XXXXXX");
    assert_non_null(mkdtemp(dir));
    world_keys = keys_open(dir, why, sizeof why);
    assert_non_null(world_keys);
    return world_setup(state);
}

static int teardown(void **state)
{
    char path[80];
    world_teardown(state);
    keys_close(&world_keys);
    snprintf(path, sizeof path, "%s/keys", dir);
    unlink(path);
    return rmdir(dir);
}

static int send_add(const char *name)
{
    char body[64];
    snprintf(body, sizeof body, "{\"name\":\"%s\"}", name);
    return world_send("POST", "/v1/agents", "", body);
}

static void receive(int fd, int status, const char *text)
{
    struct got got = world_receive(fd);
    assert_int_equal(got.status, status);
    if (!strstr(got.body, text))
        fail_msg("`%s` does not say `%s`", got.body, text);
    got_free(&got);
}

static void a_slow_disk_is_waited_for(void **state)
{
    (void)state;
    world.hold = true;
    int first = send_add("a");
    world_silent(first);
    int second = send_add("b"), again = send_add("a");
    world_silent(second);
    world_silent(again);
    assert_non_null(keys_named(world_keys, "a"));
    assert_null(keys_named(world_keys, "b")); /* not its turn */
    receive(world_send("GET", "/livez", "", NULL), 200, "");
    world.hold = false;
    receive(first, 201, "\"name\":\"a\"");
    receive(second, 201, "\"name\":\"b\"");
    receive(again, 409, "agent a has a key");
    int gone = world_send("DELETE", "/v1/agents/a", "", NULL);
    receive(gone, 204, "");
    assert_null(keys_named(world_keys, "a"));
    assert_string_equal(world.notes[2], "agent_removed|127.0.0.1||a|");
}

static void what_is_not_written_is_undone(void **state)
{
    (void)state;
    receive(send_add("a"), 201, "fqj_");
    world.file_reason = "keys: No space left on device";
    receive(send_add("b"), 500, "No space left on device");
    assert_null(keys_named(world_keys, "b"));
    int gone = world_send("DELETE", "/v1/agents/a", "", NULL);
    receive(gone, 500, "No space left on device");
    assert_non_null(keys_named(world_keys, "a"));
    assert_int_equal(world.n_notes, 1);
    world.file_reason = NULL;
    receive(send_add("b"), 201, "fqj_");
}

/* The one at work goes on, one that waits does not begin. */
static void clients_that_leave(void **state)
{
    (void)state;
    world.hold = true;
    int first = send_add("a");
    world_silent(first);
    int second = send_add("b");
    world_silent(second);
    world_leave(second, 1);
    world_leave(first, 0);
    world.hold = false;
    receive(send_add("c"), 201, "fqj_");
    assert_non_null(keys_named(world_keys, "a"));
    assert_null(keys_named(world_keys, "b"));
}

static void an_end_with_one_at_work(void **state)
{
    (void)state;
    world.hold = true;
    int first = send_add("a"), second = send_add("b");
    world_silent(first);
    world_silent(second);
    close(first);
    close(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_slow_disk_is_waited_for),
        TEST(what_is_not_written_is_undone),
        TEST(clients_that_leave),
        TEST(an_end_with_one_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
