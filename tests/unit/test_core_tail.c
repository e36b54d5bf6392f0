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

/* For as long as nodes let Blender be silent. */
static void test_unknown_times_make_late_in_the_end(void **state)
{
    struct farm *farm = *state;
    struct hand stuck;
    hand_init(&stuck, "stuck", 1);
    hand_join(farm, &stuck);
    farm_job(farm, "tail", "1-5");
    assert_int_equal(hand_take(farm, &stuck), 1);
    int64_t late_ms = farm->core->leases->news_ms + LIMIT_SILENCE_MS;
    while (farm->now_ms < late_ms - 1000) {
        hand_say(farm, &stuck);
        farm_tick(farm, 1000);
    }
    farm_tick(farm, late_ms - 1 - farm->now_ms);
    assert_int_equal(farm_count(farm, EVENT_LATE), 0);
    farm_tick(farm, 1);
    assert_int_equal(farm_count(farm, EVENT_LATE), 1);
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

/* --- Before anything is late. --- */

/* "slow" holds all of a job when "fast" comes; each frame takes a second. */
static void late_comer(struct farm *farm, struct scene *scene, bool trim)
{
    struct job_spec spec = {0};
    hand_init(&scene->stuck, "slow", 1);
    scene->stuck.state.node.can_trim = trim;
    hand_join(farm, &scene->stuck);
    spec = farm_spec(farm, "tail", "1-20");
    spec.batch = 20;
    scene->job = farm_submit(farm, &spec);
    hand_take(farm, &scene->stuck);
    scene->stuck.leases[0].frame = 1;
    hand_say(farm, &scene->stuck);
    farm->now_ms += 1000;
    hand_render(&scene->stuck, 0, 1, 1);
    scene->stuck.leases[0].frame = 2;
    hand_say(farm, &scene->stuck);
    hand_init(&scene->fast, "fast", 1);
    hand_join(farm, &scene->fast);
}

static void test_unbegun_frames_are_shared(void **state)
{
    struct farm *farm = *state;
    struct scene scene;
    late_comer(farm, &scene, true);
    const struct event *trim = farm_event(farm, EVENT_TRIMMED, 0);
    assert_non_null(trim);
    assert_in_range(trim->number, 8, 14); /* about half of them */
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    assert_int_equal(scene.job->in[FRAME_PENDING].count, 0);
    int32_t last = trim->number;
    hand_say(farm, &scene.stuck); /* it has not heard of it yet */
    assert_int_equal(farm_event(farm, EVENT_TRIMMED, 0)->number, last);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    scene.stuck.leases[0].to = last;
    hand_say(farm, &scene.stuck);
    assert_run(farm_event(farm, EVENT_LEASED, 0), last, 20);
    assert_false(farm_event(farm, EVENT_LEASED, 0)->flag);
}

static void test_unbegun_frames_are_copied(void **state)
{
    struct farm *farm = *state;
    struct scene scene;
    late_comer(farm, &scene, false);
    assert_int_equal(farm_count(farm, EVENT_TRIMMED), 0);
    const struct event *copy = farm_event(farm, EVENT_LEASED, 0);
    assert_true(copy->flag);
    assert_int_equal(copy->hi, 20); /* its last ones */
    assert_in_range(copy->lo, 8, 14);
}

static void test_unbegun_frames_are_copied_once(void **state)
{
    struct farm *farm = *state;
    struct scene scene;
    struct hand other;
    late_comer(farm, &scene, false);
    int32_t first = farm_event(farm, EVENT_LEASED, 0)->lo;
    hand_init(&other, "other", 1);
    hand_join(farm, &other);
    const struct event *copy = farm_event(farm, EVENT_LEASED, 0);
    if (copy)
        assert_in_range(copy->hi, 3, first);
    farm_tick(farm, 1000);
    core_check(farm->core);
}

/* What comes back frame by frame would be rendered in as many launches. */
static void test_shared_frames_come_together(void **state)
{
    struct farm *farm = *state;
    static const char *const names[] = {"a", "b"};
    struct hand slow[2], late;
    for (int i = 0; i < 2; i++) {
        hand_init(&slow[i], names[i], 1);
        hand_join(farm, &slow[i]);
    }
    struct job_spec spec = farm_spec(farm, "tail", "1-60");
    spec.batch = 30;
    farm_submit(farm, &spec);
    for (int i = 0; i < 2; i++) {
        hand_take(farm, &slow[i]);
        slow[i].leases[0].frame = slow[i].leases[0].from;
    }
    hand_say(farm, &slow[0]);
    hand_say(farm, &slow[1]);
    hand_init(&late, "late", 1);
    hand_join(farm, &late);
    assert_int_equal(farm_count(farm, EVENT_TRIMMED), 2);
    int32_t ends[2] = {farm_event(farm, EVENT_TRIMMED, 0)->number,
                       farm_event(farm, EVENT_TRIMMED, 1)->number};
    for (int i = 0; i < 2; i++) {
        bool first =
            ends[0] < slow[i].leases[0].to && ends[0] >= slow[i].leases[0].from;
        slow[i].leases[0].to = ends[first ? 0 : 1];
        hand_say(farm, &slow[i]);
        assert_int_equal(farm_count(farm, EVENT_LEASED), i);
    }
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
        TEST(test_unknown_times_make_late_in_the_end),
        TEST(test_copy_waits_for_the_commit),
        TEST(test_copy_for_a_classic_node),
        TEST(test_unbegun_frames_are_shared),
        TEST(test_unbegun_frames_are_copied),
        TEST(test_unbegun_frames_are_copied_once),
        TEST(test_shared_frames_come_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
