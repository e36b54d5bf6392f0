/* SPDX-License-Identifier: Apache-2.0
 *
 * Second copies of leases that show nothing for too long: given only to who has
 * nothing else to do, never ending anything, the first result winning.
 */
#include "core_farm.h"

#include "common/mem.h"

/* Two agents; "fast" has rendered frames 1-5 in a second each and has no more
 * to do; "stuck" holds 6-10 and says nothing new about them. */
struct scene {
    struct hand fast, stuck;
    struct job *job;
};

static void scene_set(struct farm *farm, struct scene *scene)
{
    hand_init(&scene->fast, "fast", 1);
    hand_init(&scene->stuck, "stuck", 1);
    hand_join(farm, &scene->fast);
    hand_join(farm, &scene->stuck);
    scene->job = farm_job(farm, "tail", "1-10");
    assert_int_equal(hand_take(farm, &scene->fast), 1);
    assert_int_equal(hand_take(farm, &scene->stuck), 1);
    hand_finish(farm, &scene->fast, 0);
}

/* Both are heard, so that neither is lost meanwhile. Ends with the step that
 * grants something. */
static void time_passes(struct farm *farm, struct scene *scene, int64_t ms)
{
    for (int64_t gone = 0; gone < ms; gone += 1000) {
        hand_say(farm, &scene->stuck);
        hand_say(farm, &scene->fast);
        farm_tick(farm, 1000);
        if (farm_count(farm, EVENT_LEASED) > 0)
            return;
    }
}

static void test_nobody_is_late_at_once(void **state)
{
    struct farm *farm = *state;
    struct scene scene;
    scene_set(farm, &scene);
    time_passes(farm, &scene, 2000);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
}

static void test_copy(void **state)
{
    struct farm *farm = *state;
    struct scene scene;
    scene_set(farm, &scene);
    time_passes(farm, &scene, 20000);
    const struct event *copy = farm_event(farm, EVENT_LEASED, 0);
    assert_non_null(copy);
    assert_string_equal(copy->agent, "fast");
    assert_true(copy->flag);
    assert_run(copy, 5, 10);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 0);
    farm_tick(farm, 1000);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0); /* one copy at most */
}

static void test_first_result_wins(void **state)
{
    struct farm *farm = *state;
    struct scene scene;
    scene_set(farm, &scene);
    time_passes(farm, &scene, 20000);
    assert_int_equal(hand_take(farm, &scene.fast), 1);
    hand_render(&scene.fast, 0, 6, 10);
    hand_end(&scene.fast, 0, LEASE_DONE, FAULT_NONE, -1);
    hand_say(farm, &scene.fast);
    assert_int_equal(job_status(scene.job), JOB_COMPLETED);
    const struct event *stop = farm_event(farm, EVENT_REVOKED, 0);
    assert_non_null(stop);
    assert_string_equal(stop->agent, "stuck");
}

static void test_copy_that_fails_costs_nothing(void **state)
{
    struct farm *farm = *state;
    struct scene scene;
    scene_set(farm, &scene);
    time_passes(farm, &scene, 20000);
    assert_int_equal(hand_take(farm, &scene.fast), 1);
    hand_end(&scene.fast, 0, LEASE_FAILED, FAULT_CRASH, 6);
    hand_say(farm, &scene.fast);
    assert_true(farm_event(farm, EVENT_CHARGED, 0)->flag); /* noted only */
    assert_int_equal(scene.job->attempts->charges, 0);
    assert_int_equal(scene.job->in[FRAME_LEASED].count, 5);
}

static void test_unknown_times_make_nobody_late(void **state)
{
    struct farm *farm = *state;
    struct scene scene;
    hand_init(&scene.fast, "fast", 1);
    hand_init(&scene.stuck, "stuck", 1);
    hand_join(farm, &scene.stuck);
    farm_job(farm, "tail", "1-5");
    assert_int_equal(hand_take(farm, &scene.stuck), 1);
    hand_join(farm, &scene.fast);
    time_passes(farm, &scene, 60000);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
}

/* Nothing of a job is handed out while its retry is not on disk. */
static void test_copy_waits_for_the_commit(void **state)
{
    struct farm *farm = *state;
    struct scene scene;
    scene_set(farm, &scene);
    time_passes(farm, &scene, 16000);
    farm->now_ms += 2000; /* now it is late */
    farm_ask(farm, CMD_RETRY, scene.job, "1", "");
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    farm_commit(farm);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
    assert_false(farm_event(farm, EVENT_LEASED, 0)->flag);
}

/* It cannot count by steps. */
static void test_copy_for_a_classic_node(void **state)
{
    struct farm *farm = *state;
    struct scene scene;
    hand_init(&scene.fast, "fast", 1);
    scene.fast.state.node.classic = true;
    hand_init(&scene.stuck, "stuck", 1);
    hand_join(farm, &scene.stuck);
    farm_job(farm, "tail", "1-19x3");
    assert_int_equal(hand_take(farm, &scene.stuck), 1);
    hand_join(farm, &scene.fast);
    for (int i = 0; i < 2; i++) { /* 16 and 19, one by one */
        hand_finish(farm, &scene.fast, 0);
        assert_int_equal(farm_count(farm, EVENT_DONE), 1);
        hand_take(farm, &scene.fast);
    }
    time_passes(farm, &scene, 20000);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 0, 1);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_nobody_is_late_at_once),
        TEST(test_copy),
        TEST(test_first_result_wins),
        TEST(test_copy_that_fails_costs_nothing),
        TEST(test_unknown_times_make_nobody_late),
        TEST(test_copy_waits_for_the_commit),
        TEST(test_copy_for_a_classic_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
