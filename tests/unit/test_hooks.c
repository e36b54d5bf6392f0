/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks against a core and a ledger of the test's own: how many wait, and
 * what is found when there is room. Nothing is posted: the URL's address is one
 * that they do not go to.
 */
#include "tests/unit/broker_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/hooks/hooks.h"
#include "common/limits.h"

static struct {
    struct core *core;
    struct broker *broker;
    struct hooks *hooks;
    char dir[32];
    int64_t now_ms;
} farm;

static const struct broker_facts facts = {.epoch = 1};

static int setup(void **state)
{
    (void)state;
    const struct core_options options = {.max_attempts = 1,
                                         .lease_ttl_ms = 15000,
                                         .orphan_grace_ms = -1,
                                         .jobs_max = LIMIT_HOOKS + 1,
                                         .agents_max = 1};
    const struct cmd restart = {.type = CMD_RESTART, .epoch = 1};
    snprintf(farm.dir, sizeof farm.dir, "/tmp/frameq-hooks-XXXXXX");
    assert_non_null(mkdtemp(farm.dir));
    farm.now_ms = INT64_C(1800000000000);
    farm.core = core_new(&options);
    farm.broker = broker_new(farm.core, NULL, &facts);
    broker_turn(farm.broker, farm.now_ms);
    assert_int_equal(broker_do(farm.broker, &restart, NULL, 0), RC_OK);
    return 0;
}

static void remove_file(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", farm.dir, name);
    (void)unlink(path);
}

static int teardown(void **state)
{
    (void)state;
    hooks_close(&farm.hooks);
    broker_free(&farm.broker);
    remove_file("webhooks.key");
    remove_file("webhooks.told");
    return rmdir(farm.dir);
}

static void open_hooks(void)
{
    char why[256] = "";
    const struct hooks_options options = {.dir = farm.dir};
    farm.hooks = hooks_open(farm.broker, &options, why, sizeof why);
    assert_string_equal(why, "");
    assert_non_null(farm.hooks);
}

static void turn(void)
{
    broker_turn(farm.broker, farm.now_ms);
    broker_settle(farm.broker);
    broker_report(farm.broker);
    hooks_settle(farm.hooks);
}

/* A job that has ended by being cancelled. */
static void end_job(int number, const char *doc)
{
    char id[LIMIT_ID_MIN + 1];
    struct job_spec spec = {.id = id,
                            .name = "",
                            .user = "u",
                            .key = "",
                            .blender = "",
                            .blend = "",
                            .render = "{}",
                            .doc = doc};
    snprintf(id, sizeof id, "%016d", number);
    frames_span(&spec.frames, 1, 1, 1);
    struct cmd submit = {.type = CMD_SUBMIT, .spec = &spec};
    struct cmd cancel = {.type = CMD_CANCEL, .job = id, .text = ""};
    assert_int_equal(broker_do(farm.broker, &submit, NULL, 0), RC_OK);
    assert_int_equal(broker_do(farm.broker, &cancel, NULL, 0), RC_OK);
    frames_free(&spec.frames);
}

#define NOTIFY "{\"notify\":\"http://127.0.0.1:1/\"}"

static void none_without_notify(void **state)
{
    (void)state;
    open_hooks();
    end_job(1, "{\"name\":\"a\"}");
    end_job(2, "{\"labels\":{\"notify\":\"http://127.0.0.1:1/\"}}");
    turn();
    turn();
    assert_int_equal(hooks_waiting(farm.hooks), 0);
}

/* At the limit and one past it; and a start finds what there is to tell. */
static void so_many_wait(void **state)
{
    (void)state;
    open_hooks();
    for (int i = 0; i < LIMIT_HOOKS; i++)
        end_job(i, NOTIFY);
    for (int i = 0; i < 20; i++)
        turn();
    assert_int_equal(hooks_waiting(farm.hooks), LIMIT_HOOKS);
    end_job(LIMIT_HOOKS, NOTIFY);
    for (int i = 0; i < 20; i++)
        turn();
    assert_int_equal(hooks_waiting(farm.hooks), LIMIT_HOOKS);
}

static void a_start_finds_them(void **state)
{
    (void)state;
    end_job(1, NOTIFY);
    open_hooks();
    turn();
    turn();
    assert_int_equal(hooks_waiting(farm.hooks), 1);
}

/* Nobody is told of what is older than patience. */
static void what_is_old_is_not_told(void **state)
{
    (void)state;
    end_job(1, NOTIFY);
    farm.now_ms += HOOKS_PATIENCE_MS;
    broker_turn(farm.broker, farm.now_ms);
    open_hooks();
    turn();
    turn();
    assert_int_equal(hooks_waiting(farm.hooks), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(none_without_notify), TEST(so_many_wait), TEST(a_start_finds_them),
        TEST(what_is_old_is_not_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
