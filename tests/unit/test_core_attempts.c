/* SPDX-License-Identifier: Apache-2.0
 *
 * Who gets a frame that failed, how often, and that it ends, on farms of one,
 * two and many; that second copies follow the same rule; and when a failure is
 * one that every frame would meet.
 */
#include <string.h>

#include "tests/unit/core_farm.h"

#define HANDS  5
#define ROUNDS 2000

static void join(struct farm *farm, struct hand *hands, size_t n)
{
    static const char *const names[HANDS] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < n; i++) {
        hand_init(&hands[i], names[i], 1);
        hand_join(farm, &hands[i]);
    }
}

static struct job *submit(struct farm *farm, const char *frames,
                          int32_t max_attempts)
{
    struct job_spec spec = farm_spec(farm, "job", frames);
    spec.max_attempts = max_attempts;
    return farm_submit(farm, &spec);
}

static void drain(struct farm *farm, struct hand *hands, size_t n,
                  const char *agent)
{
    farm_drain(farm, agent, DRAIN_SOFT, 0);
    for (size_t i = 0; i < n; i++)
        hand_take(farm, &hands[i]);
}

/* --- Attempts. --- */

static enum fault frame_17_crashes(const char *agent, int32_t frame)
{
    (void)agent;
    return frame == 17 ? FAULT_CRASH : FAULT_NONE;
}

static enum fault all_crash(const char *agent, int32_t frame)
{
    (void)agent;
    (void)frame;
    return FAULT_CRASH;
}

static void one_bad_frame_costs_itself_alone(void **state)
{
    static const char *const charged[HANDS] = {"a:17 a:17 a:17", NULL, NULL,
                                               NULL, NULL};
    for (size_t n = 1; n <= HANDS; n++) {
        struct hand hands[HANDS];
        farm_teardown(state);
        farm_setup(state);
        struct farm *farm = *state;
        join(farm, hands, n);
        const struct job *job = farm_job(farm, "job", "1-60");
        farm_work(farm, hands, n, frame_17_crashes, ROUNDS);
        assert_int_equal(job->in[FRAME_DONE].count, 59);
        assert_true(ranges_has(&job->in[FRAME_FAILED], 16));
        assert_int_equal(job->attempts->charges, 3);
        if (charged[n - 1])
            assert_string_equal(buf_text(&farm->charges), charged[n - 1]);
    }
}

/* Whoever failed it longest ago is next. */
static void attempts_go_round(void **state)
{
    struct farm *farm = *state;
    struct hand hands[3];
    join(farm, hands, 3);
    submit(farm, "17", 7);
    farm_work(farm, hands, 3, all_crash, ROUNDS);
    assert_string_equal(buf_text(&farm->charges),
                        "a:17 b:17 c:17 a:17 b:17 c:17 a:17");
}

/* But not while it is away. */
static void attempts_pass_over_who_is_away(void **state)
{
    struct farm *farm = *state;
    struct hand hands[3];
    join(farm, hands, 3);
    submit(farm, "17", 5);
    farm_work(farm, hands, 3, all_crash, 1); /* a, b and c in one round */
    drain(farm, hands, 3, "b");
    farm_work(farm, hands, 3, all_crash, ROUNDS);
    assert_string_equal(buf_text(&farm->charges), "a:17 b:17 c:17 a:17 c:17");
}

static void avoided_agent_is_the_last_to_try(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    join(farm, hands, 2);
    struct job *job = submit(farm, "17", 4);
    farm_work(farm, hands, 2, frame_17_crashes, ROUNDS);
    buf_clear(&farm->charges);
    farm_ask(farm, CMD_RETRY, job, "17", "a");
    farm_commit(farm);
    farm_work(farm, hands, 2, all_crash, 2);
    drain(farm, hands, 2, "b"); /* which has it a third time */
    farm_work(farm, hands, 2, all_crash, ROUNDS);
    assert_string_equal(buf_text(&farm->charges), "b:17 b:17 b:17 a:17");
    assert_int_equal(job_status(job), JOB_FAILED);
}

static void job_of_bad_frames_ends(void **state)
{
    for (size_t n = 1; n <= HANDS; n++) {
        struct hand hands[HANDS];
        farm_teardown(state);
        farm_setup(state);
        struct farm *farm = *state;
        join(farm, hands, n);
        const struct job *job = farm_job(farm, "job", "1-20");
        assert_int_equal(farm_work(farm, hands, n, all_crash, ROUNDS), 60);
        assert_int_equal(job->in[FRAME_FAILED].count, 20);
    }
}

static enum fault way_of_frame_1;

static enum fault frame_1_fails(const char *agent, int32_t frame)
{
    (void)agent;
    return frame == 1 ? way_of_frame_1 : FAULT_NONE;
}

/* The other one, which has not failed it, hangs on other frames. */
static void stuck_agent_is_not_waited_for(void **state)
{
    static const enum fault faults[] = {FAULT_CRASH, FAULT_NO_CAMERA};
    for (size_t i = 0; i < 2; i++) {
        struct hand hands[2];
        farm_teardown(state);
        farm_setup(state);
        struct farm *farm = *state;
        join(farm, hands, 2);
        const struct job *job = farm_job(farm, "job", "1-6");
        hand_take(farm, &hands[0]);
        hand_take(farm, &hands[1]);
        hand_end(&hands[0], 0, LEASE_FAILED, faults[i], 1);
        hand_say(farm, &hands[0]);
        hand_drop(&hands[0], 0);
        for (int s = 0; s < 2000 && job->in[FRAME_FAILED].count == 0; s++) {
            hand_take(farm, &hands[0]);
            if (hands[0].state.n_leases > 0) {
                way_of_frame_1 = faults[i];
                hand_work(farm, &hands[0], frame_1_fails);
                continue;
            }
            hand_say(farm, &hands[1]);
            hand_say(farm, &hands[0]);
            farm_tick(farm, 1000);
        }
        assert_true(ranges_has(&job->in[FRAME_FAILED], 0));
    }
}

/* --- Second copies. --- */

/* Frames take a second; "a" failed frame 6, "b" has it and shows nothing. */
static struct job *stuck(struct farm *farm, struct hand *hands, size_t n)
{
    join(farm, hands, 2);
    struct job *job = submit(farm, "1-6", 3);
    hand_take(farm, &hands[0]);
    hand_take(farm, &hands[1]);
    hand_end(&hands[1], 0, LEASE_RUNNING, FAULT_NONE, -1);
    assert_int_equal(hands[1].leases[0].from, 6);
    hand_finish(farm, &hands[0], 0);
    hand_end(&hands[1], 0, LEASE_FAILED, FAULT_CRASH, 6);
    hand_say(farm, &hands[1]);
    hand_drop(&hands[1], 0);
    hand_take(farm, &hands[0]); /* now it has frame 6 */
    for (size_t i = 2; i < n; i++) {
        hand_init(&hands[i], "c", 1);
        hand_join(farm, &hands[i]);
    }
    return job;
}

/* Lets time pass until something is granted, for a minute at most; to whom. */
static const char *granted(struct farm *farm, struct hand *hands, size_t n)
{
    for (int i = 0; i < 60; i++) {
        for (size_t k = 0; k < n; k++)
            hand_say(farm, &hands[k]);
        farm_tick(farm, 1000);
        const struct event *lease = farm_event(farm, EVENT_LEASED, 0);
        if (lease) {
            assert_true(lease->flag);
            for (size_t k = 0; k < n; k++)
                hand_take(farm, &hands[k]);
            return lease->agent;
        }
    }
    return "";
}

static void copy_goes_to_who_has_not_failed_it(void **state)
{
    struct farm *farm = *state;
    struct hand hands[3];
    stuck(farm, hands, 3);
    assert_string_equal(granted(farm, hands, 3), "c");
}

static void copy_goes_to_who_has_failed_it_where_no_other_is(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    stuck(farm, hands, 2);
    assert_string_equal(granted(farm, hands, 2), "b");
}

static void copy_avoids_whom_a_retry_avoids(void **state)
{
    struct farm *farm = *state;
    struct hand hands[3];
    join(farm, hands, 2);
    struct job *job = farm_job(farm, "job", "1-5");
    hand_take(farm, &hands[0]);
    hand_finish(farm, &hands[0], 0);
    farm_ask(farm, CMD_RETRY, job, "1", "b");
    farm_commit(farm);
    assert_int_equal(hand_take(farm, &hands[0]), 1);
    hand_init(&hands[2], "c", 1);
    hand_join(farm, &hands[2]);
    assert_string_equal(granted(farm, hands, 3), "c");
}

/* They cost no attempts, and yet there is an end to them. */
static void copies_that_fail_are_bounded(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    struct job *job = stuck(farm, hands, 2);
    assert_string_equal(granted(farm, hands, 2), "b");
    for (int i = 1; i <= 3; i++) {
        hand_end(&hands[1], 0, LEASE_FAILED, FAULT_CRASH, 6);
        hand_say(farm, &hands[1]);
        assert_true(farm_event(farm, EVENT_CHARGED, 0)->flag);
        hand_drop(&hands[1], 0);
        assert_int_equal(hand_take(farm, &hands[1]), i < 3);
    }
    assert_string_equal(granted(farm, hands, 2), "");
    assert_int_equal(job->attempts->charges, 1);
    hand_finish(farm, &hands[0], 0);
    assert_int_equal(job_status(job), JOB_COMPLETED);
}

/* --- What every frame would meet. --- */

static enum fault no_camera(const char *agent, int32_t frame)
{
    (void)agent;
    (void)frame;
    return FAULT_NO_CAMERA;
}

static void two_agents_are_enough_on_any_farm(void **state)
{
    for (size_t n = 1; n <= HANDS; n++) {
        struct hand hands[HANDS];
        farm_teardown(state);
        farm_setup(state);
        struct farm *farm = *state;
        join(farm, hands, n);
        const struct job *job = farm_job(farm, "job", "1-60");
        int launches = farm_work(farm, hands, n, no_camera, ROUNDS);
        assert_in_range(launches, 1, n);
        assert_int_equal(job->in[FRAME_FAILED].count, 60);
        assert_int_equal(job->fault, FAULT_NO_CAMERA);
    }
}

/* Both were out before either came back. */
static void reports_may_cross(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    join(farm, hands, 2);
    const struct job *job = farm_job(farm, "job", "1-60");
    hand_take(farm, &hands[0]);
    hand_take(farm, &hands[1]);
    hand_work(farm, &hands[0], no_camera);
    assert_int_equal(job->in[FRAME_FAILED].count, 0);
    hand_work(farm, &hands[1], no_camera);
    assert_int_equal(job->in[FRAME_FAILED].count, 60);
}

/* One has seen it; the other, who could tell, goes away. */
static void who_goes_away_is_not_waited_for(void **state)
{
    static const char *const ways[] = {"drained", "gone", "no slots"};
    for (size_t way = 0; way < 3; way++) {
        struct hand hands[2];
        farm_teardown(state);
        farm_setup(state);
        struct farm *farm = *state;
        print_message("%s\n", ways[way]);
        join(farm, hands, 2);
        const struct job *job = farm_job(farm, "job", "1-5");
        hand_take(farm, &hands[0]);
        hand_work(farm, &hands[0], no_camera);
        hand_take(farm, &hands[1]);
        struct cmd gone = {
            .type = CMD_GONE, .agent = "b", .inc = hands[1].state.inc};
        hands[1].state.slots = 0;
        hand_end(&hands[1], 0, LEASE_STOPPED, FAULT_NONE, -1);
        if (way == 0)
            farm_drain(farm, "b", DRAIN_NOW, 0);
        hand_take(farm, &hands[0]);
        if (way != 1)
            hand_say(farm, &hands[1]);
        else
            farm_do(farm, &gone);
        hand_take(farm, &hands[0]);
        farm_work(farm, hands, 1, no_camera, ROUNDS);
        assert_int_equal(job->in[FRAME_FAILED].count, 5);
    }
}

/* Two machines that lack the scene join a farm that renders it well. */
static enum fault d_and_e_lack_the_scene(const char *agent, int32_t frame)
{
    (void)frame;
    return agent[0] >= 'd' ? FAULT_BAD_BLEND : FAULT_NONE;
}

static void frames_that_are_done_prove_it_wrong(void **state)
{
    struct farm *farm = *state;
    struct hand hands[HANDS];
    join(farm, hands, 4);
    const struct job *job = submit(farm, "1-100", 3);
    farm_work(farm, hands, 4, d_and_e_lack_the_scene, 2);
    hand_init(&hands[4], "e", 1);
    hand_join(farm, &hands[4]);
    farm_work(farm, hands, 5, d_and_e_lack_the_scene, ROUNDS);
    assert_int_equal(job->in[FRAME_DONE].count, 100);
}

static void second_copies_are_witnesses(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    struct job *job = stuck(farm, hands, 2);
    assert_string_equal(granted(farm, hands, 2), "b");
    hand_end(&hands[1], 0, LEASE_FAILED, FAULT_BAD_BLEND, 6);
    hand_say(farm, &hands[1]);
    assert_string_equal(job->likely->name, "b");
    hand_work(farm, &hands[0], no_camera);
    assert_int_equal(job_status(job), JOB_FAILED);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_bad_frame_costs_itself_alone),
        TEST(attempts_go_round),
        TEST(attempts_pass_over_who_is_away),
        TEST(avoided_agent_is_the_last_to_try),
        TEST(job_of_bad_frames_ends),
        TEST(stuck_agent_is_not_waited_for),
        TEST(copy_goes_to_who_has_not_failed_it),
        TEST(copy_goes_to_who_has_failed_it_where_no_other_is),
        TEST(copy_avoids_whom_a_retry_avoids),
        TEST(copies_that_fail_are_bounded),
        TEST(two_agents_are_enough_on_any_farm),
        TEST(reports_may_cross),
        TEST(who_goes_away_is_not_waited_for),
        TEST(frames_that_are_done_prove_it_wrong),
        TEST(second_copies_are_witnesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
