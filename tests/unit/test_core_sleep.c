/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker did not run for a while: stopped, or suspended with its machine.
 * Nobody was silent then.
 */
#include "tests/unit/core_farm.h"

#define HOUR_MS 3600000

static struct job *begin(struct farm *farm, struct hand *hand,
                         const char *frames)
{
    hand_init(hand, "a", 1);
    hand_join(farm, hand);
    struct job *job = farm_job(farm, "job", frames);
    hand_take(farm, hand);
    farm_tick(farm, 0);
    return job;
}

static enum agent_life life_of(const struct farm *farm, const char *name)
{
    return agent_find(farm->core, name)->life;
}

static void nothing_expires_in_a_sleep(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    farm_sleep(farm, HOUR_MS);
    assert_int_equal(farm_count(farm, EVENT_SLEPT), 1);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 0);
    farm_tick(farm, FARM_TTL_MS - 6001);
    assert_int_equal(farm_count(farm, EVENT_SLEPT), 0);
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
    hand_say(farm, &hand);
    assert_int_equal(life_of(farm, "a"), AGENT_UP);
    hand_finish(farm, &hand, 0);
    assert_int_equal(job_status(job), JOB_COMPLETED);
}

static void who_is_silent_after_it_is_lost_in_time(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    farm_sleep(farm, HOUR_MS);
    farm_tick(farm, FARM_TTL_MS);
    assert_int_equal(life_of(farm, "a"), AGENT_LOST);
    assert_int_equal(job->in[FRAME_PENDING].count, 5);
}

/* Connections may not live through it, and new ones take their time. */
static void who_was_late_before_has_a_whole_lease_time(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    farm_tick(farm, 5000);
    farm_sleep(farm, HOUR_MS);
    farm_tick(farm, FARM_TTL_MS - 1);
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
    farm_tick(farm, 1);
    assert_int_equal(job->in[FRAME_PENDING].count, 5);
}

static void who_was_not_heard_since_gets_no_work(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    farm_tick(farm, 0);
    farm_sleep(farm, HOUR_MS);
    const struct job *job = farm_job(farm, "job", "1-5");
    farm_tick(farm, 1000);
    assert_int_equal(job->in[FRAME_LEASED].count, 0);
    hand_say(farm, &hand);
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
}

/* The first thing it reads may be a STATE, before it looks at the time. */
static void a_state_before_the_tick_is_as_good(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    const struct job *job = begin(farm, &a, "1-10");
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    farm_tick(farm, 0);
    farm->now_ms += HOUR_MS;
    hand_say(farm, &b);
    assert_int_equal(farm_count(farm, EVENT_SLEPT), 1);
    farm_tick(farm, 0);
    assert_int_equal(farm_count(farm, EVENT_SLEPT), 0);
    assert_int_equal(job->in[FRAME_LEASED].count, 10);
    assert_int_equal(life_of(farm, "a"), AGENT_UP);
    hand_say(farm, &a);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 0);
}

static void a_killed_agent_is_still_waited_for(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    struct cmd gone = {.type = CMD_GONE, .agent = "a", .inc = hand.state.inc};
    farm_do(farm, &gone);
    farm_sleep(farm, HOUR_MS);
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
    farm_tick(farm, 2000);
    assert_int_equal(job->in[FRAME_PENDING].count, 5);
}

static void close_connection(struct farm *farm, const struct hand *hand)
{
    struct cmd gone = {.type = CMD_GONE, .agent = "a", .inc = hand->state.inc};
    farm_do(farm, &gone);
}

/* What it sent before may be read after it; that says nothing of the agent. */
static void a_connection_lost_in_a_sleep_is_no_kill(void **state)
{
    for (int heard = 0; heard < 2; heard++) {
        struct hand hand;
        farm_teardown(state);
        farm_setup(state);
        struct farm *farm = *state;
        const struct job *job = begin(farm, &hand, "1-5");
        farm_sleep(farm, HOUR_MS);
        if (heard)
            hand_say(farm, &hand);
        close_connection(farm, &hand);
        assert_int_equal(life_of(farm, "a"), AGENT_SILENT);
        farm_tick(farm, FARM_TTL_MS - 1);
        assert_int_equal(job->in[FRAME_LEASED].count, 5);
        hand_say(farm, &hand);
        assert_int_equal(life_of(farm, "a"), AGENT_UP);
        hand_finish(farm, &hand, 0);
        assert_int_equal(job_status(job), JOB_COMPLETED);
    }
}

/* A cut is noticed by the first heartbeat, 2 s later, or its time-out, 6 s. */
static void late_closes_are_of_the_sleep_too(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    farm_sleep(farm, HOUR_MS);
    farm_tick(farm, 6000);
    hand_say(farm, &hand);
    farm_tick(farm, 2000);
    close_connection(farm, &hand);
    assert_int_equal(life_of(farm, "a"), AGENT_SILENT);
    farm_tick(farm, 12999);
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
}

static void a_kill_long_after_a_sleep_is_one(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    farm_sleep(farm, HOUR_MS);
    farm_tick(farm, 10000);
    hand_say(farm, &hand);
    close_connection(farm, &hand);
    assert_int_equal(life_of(farm, "a"), AGENT_GONE);
    farm_tick(farm, 2000);
    assert_int_equal(job->in[FRAME_PENDING].count, 5);
}

static void no_second_copies_for_a_sleep(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    begin(farm, &a, "1-10");
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    hand_finish(farm, &b, 0); /* frames take a second */
    hand_say(farm, &b);
    farm_sleep(farm, HOUR_MS);
    hand_say(farm, &a);
    hand_say(farm, &b);
    farm_tick(farm, 0);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
}

static void a_late_turn_is_no_sleep(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    farm_sleep(farm, 1000 + 2999);
    assert_int_equal(farm_count(farm, EVENT_SLEPT), 0);
}

/* Eight seconds are enough to lose every connection, and a short lease. */
static void a_short_sleep_is_seen_at_any_time(void **state)
{
    for (int64_t after_ms = 0; after_ms < 2000; after_ms += 100) {
        farm_teardown(state);
        farm_setup(state);
        struct farm *farm = *state;
        struct hand hand;
        farm->core->options.lease_ttl_ms = 4000;
        begin(farm, &hand, "1-5");
        farm_tick(farm, after_ms);
        farm_sleep(farm, 8000);
        assert_int_equal(farm_count(farm, EVENT_SLEPT), 1);
        assert_int_equal(farm_count(farm, EVENT_RELEASED), 0);
    }
}

static void times_that_people_set_are_kept(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    farm_drain(farm, "a", DRAIN_SOFT, farm->now_ms + 60000);
    farm_sleep(farm, HOUR_MS);
    assert_int_equal(farm_event(farm, EVENT_DRAINED, 0)->number, DRAIN_OFF);
    struct job_spec spec = farm_spec(farm, "later", "1-5");
    spec.not_before_ms = farm->now_ms + 60000;
    const struct job *job = farm_submit(farm, &spec);
    farm_sleep(farm, 60000);
    assert_int_equal(job->place, PLACE_QUEUE);
    hand_say(farm, &hand);
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
}

/* Deadlines from before are no measure. */
static void time_between_two_runs_is_no_sleep(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    farm_drain(farm, "a", DRAIN_SOFT, farm->now_ms + 1000);
    farm->now_ms += HOUR_MS;
    farm_restart(farm, 0);
    farm_tick(farm, 0);
    assert_int_equal(farm_count(farm, EVENT_SLEPT), 0);
    farm_drain(farm, "a", DRAIN_SOFT, farm->now_ms - HOUR_MS);
    farm_tick(farm, FARM_TTL_MS);
    assert_int_equal(farm_count(farm, EVENT_SLEPT), 0);
    assert_int_equal(life_of(farm, "a"), AGENT_LOST);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_expires_in_a_sleep),
        TEST(who_is_silent_after_it_is_lost_in_time),
        TEST(who_was_late_before_has_a_whole_lease_time),
        TEST(who_was_not_heard_since_gets_no_work),
        TEST(a_state_before_the_tick_is_as_good),
        TEST(a_killed_agent_is_still_waited_for),
        TEST(a_connection_lost_in_a_sleep_is_no_kill),
        TEST(late_closes_are_of_the_sleep_too),
        TEST(a_kill_long_after_a_sleep_is_one),
        TEST(no_second_copies_for_a_sleep),
        TEST(a_late_turn_is_no_sleep),
        TEST(a_short_sleep_is_seen_at_any_time),
        TEST(times_that_people_set_are_kept),
        TEST(time_between_two_runs_is_no_sleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
