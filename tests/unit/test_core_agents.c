/* SPDX-License-Identifier: Apache-2.0
 *
 * Agents come, fall silent, die, come back, are drained, and share a name.
 */
#include <string.h>

#include "tests/unit/core_farm.h"

static enum agent_life life_of(const struct farm *farm, const char *name)
{
    return agent_find(farm->core, name)->life;
}

static void gone(struct farm *farm, const struct hand *hand)
{
    struct cmd cmd = {
        .type = CMD_GONE, .agent = hand->state.agent, .inc = hand->state.inc};
    farm_do(farm, &cmd);
}

static struct job *begin(struct farm *farm, struct hand *hand,
                         const char *frames)
{
    hand_init(hand, "a", 1);
    hand_join(farm, hand);
    struct job *job = farm_job(farm, "job", frames);
    hand_take(farm, hand);
    return job;
}

/* A new start of the same agent; it knows what it had. */
static void reborn(struct hand *hand)
{
    hand->state.inc += 1000;
    hand->state.seq = hand->state.lane = hand->state.dseq = 0;
}

/* --- Silence. --- */

static void silent_agent_gets_nothing_new(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    farm_tick(farm, 5999);
    assert_int_equal(life_of(farm, "a"), AGENT_UP);
    assert_true(core_next(farm->core) <= farm->now_ms + 1);
    farm_tick(farm, 1);
    assert_int_equal(life_of(farm, "a"), AGENT_SILENT);
    farm_job(farm, "job", "1-5");
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    hand_say(farm, &hand);
    assert_int_equal(life_of(farm, "a"), AGENT_UP);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

/* Nobody waits for one that is no longer of the farm. */
static void expelled_agent_loses_its_leases_at_once(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    const struct cmd expel = {.type = CMD_EXPEL, .agent = "a"};
    const struct cmd nobody = {.type = CMD_EXPEL, .agent = "nobody"};
    begin(farm, &a, "1-5");
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    farm_do(farm, &nobody);
    assert_null(agent_find(farm->core, "b")->leases);
    farm_do(farm, &expel);
    assert_int_equal(life_of(farm, "a"), AGENT_LOST);
    assert_null(agent_find(farm->core, "a")->leases);
    assert_non_null(agent_find(farm->core, "b")->leases);
    farm_do(farm, &expel);
}

static void lost_agent_loses_its_leases(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    farm_tick(farm, FARM_TTL_MS - 1);
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
    farm_tick(farm, 1);
    assert_int_equal(life_of(farm, "a"), AGENT_LOST);
    assert_int_equal(farm_event(farm, EVENT_RELEASED, 0)->fault,
                     FAULT_AGENT_LOST);
    assert_int_equal(job->in[FRAME_PENDING].count, 5);
    assert_null(job->attempts);
    farm_tick(farm, 1);
    assert_int_equal(core_next(farm->core), INT64_MAX);
}

static void hearing_an_agent_renews_its_leases(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    for (int i = 0; i < 20; i++) {
        farm_tick(farm, 2000);
        hand_say(farm, &hand);
    }
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
}

/* --- Death. --- */

static void killed_agent_is_waited_for(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    const struct job *job = begin(farm, &a, "1-5");
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    gone(farm, &a);
    assert_int_equal(life_of(farm, "a"), AGENT_GONE);
    farm_tick(farm, 0);
    farm_tick(farm, 1999);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 0);
    assert_true(core_next(farm->core) <= farm->now_ms + 1);
    farm_tick(farm, 1);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->agent, "b");
    assert_int_equal(job->agents, 1);
}

static void killed_agent_comes_back_with_its_lease(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    gone(farm, &hand);
    farm_tick(farm, 1500);
    reborn(&hand);
    hand_say(farm, &hand); /* at once: the old inc is gone */
    assert_int_equal(life_of(farm, "a"), AGENT_UP);
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
    hand_lane(farm, &hand);
    hand_finish(farm, &hand, 0);
    assert_int_equal(job_status(job), JOB_COMPLETED);
}

static void restarted_agent_lists_what_it_still_has(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    hand.state.seq = 0; /* the next one has the seq at which it was granted */
    gone(farm, &hand);
    reborn(&hand);
    hand_drop(&hand, 0);
    hand.state.seq = agent_find(farm->core, "a")->seq - 1;
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
}

static void old_news_of_a_closed_connection_is_nothing(void **state)
{
    struct farm *farm = *state;
    struct hand hand, old;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    old = hand;
    gone(farm, &hand);
    reborn(&hand);
    hand_say(farm, &hand);
    gone(farm, &old);
    assert_int_equal(farm->out.n, 0);
    assert_int_equal(life_of(farm, "a"), AGENT_UP);
}

/* A heartbeat that gave a cut connection up closes it too. */
static void cut_connection_is_no_death(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    farm_tick(farm, 5000);
    gone(farm, &hand);
    assert_int_equal(life_of(farm, "a"), AGENT_SILENT);
    farm_tick(farm, 9000);
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
    farm_tick(farm, 1000);
    assert_int_equal(job->in[FRAME_PENDING].count, 5);
}

static void grace_follows_the_frame_time(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    struct job *job = begin(farm, &hand, "1-10");
    hand_render(&hand, 0, 1, 5);
    for (int i = 0; i < 5; i++)
        hand.results[0][i].ms = 400000;
    hand_end(&hand, 0, LEASE_DONE, FAULT_NONE, -1);
    hand_say(farm, &hand);
    hand_drop(&hand, 0);
    hand_take(farm, &hand);
    gone(farm, &hand);
    farm_tick(farm, 0);
    /* A tenth of 400 s: longer than the lease time, which is for agents that
     * are cut off. */
    farm_tick(farm, FARM_TTL_MS);
    assert_int_equal(life_of(farm, "a"), AGENT_GONE);
    farm_tick(farm, 39999 - FARM_TTL_MS);
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
    assert_true(core_next(farm->core) > farm->now_ms);
    farm_tick(farm, 1);
    assert_int_equal(job->in[FRAME_PENDING].count, 5);
    farm_tick(farm, 0);
    assert_int_equal(life_of(farm, "a"), AGENT_LOST);
}

static void grace_can_be_set(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    farm->core->options.orphan_grace_ms = 0;
    gone(farm, &hand);
    farm_tick(farm, 0);
    assert_int_equal(job->in[FRAME_PENDING].count, 5);
}

static void leaving_agent_gets_nothing_new(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-10");
    hand.state.leaving = true;
    hand_end(&hand, 0, LEASE_STOPPED, FAULT_NONE, -1);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    assert_int_equal(job->in[FRAME_PENDING].count, 10);
}

/* --- Two of one name. --- */

static void second_agent_of_a_name_is_refused(void **state)
{
    struct farm *farm = *state;
    struct hand first, second;
    hand_init(&first, "a", 1);
    hand_join(farm, &first);
    hand_init(&second, "a", 1);
    hand_say(farm, &second);
    assert_int_equal(farm_count(farm, EVENT_RIVAL), 1);
    assert_int_equal(farm_count(farm, EVENT_HEARD), 0);
    farm_tick(farm, 2000);
    hand_say(farm, &first);
    hand_say(farm, &second);
    const struct event *refused = farm_event(farm, EVENT_REFUSED, 0);
    assert_non_null(refused);
    assert_int_equal(refused->inc, second.state.inc);
    assert_int_equal(agent_find(farm->core, "a")->inc, first.state.inc);
}

/* The last word of a dead agent comes late. */
static void late_word_of_a_dead_agent_refuses_nobody(void **state)
{
    struct farm *farm = *state;
    struct hand first, second;
    hand_init(&first, "a", 1);
    hand_join(farm, &first);
    hand_init(&second, "a", 1);
    hand_say(farm, &second);
    farm_tick(farm, 500);
    hand_say(farm, &first);
    farm_tick(farm, 2000);
    hand_say(farm, &second);
    assert_int_equal(farm_count(farm, EVENT_REFUSED), 0);
}

/* A restart whose closed connection went unseen. */
static void second_agent_takes_over_from_a_dead_one(void **state)
{
    struct farm *farm = *state;
    struct hand first, second;
    hand_init(&first, "a", 1);
    hand_join(farm, &first);
    hand_init(&second, "a", 1);
    hand_say(farm, &second);
    farm_tick(farm, 3000);
    hand_say(farm, &second);
    assert_int_equal(farm->out.n, 0);
    farm_tick(farm, 3000);
    hand_say(farm, &second);
    assert_int_equal(farm_count(farm, EVENT_HEARD), 1);
    assert_int_equal(agent_find(farm->core, "a")->inc, second.state.inc);
}

/* --- How many. --- */

static void longest_gone_agent_makes_room(void **state)
{
    struct farm *farm = *state;
    struct hand a, b, c;
    farm->core->options.agents_max = 2;
    hand_init(&a, "a", 1);
    hand_say(farm, &a);
    hand_init(&b, "b", 1);
    hand_say(farm, &b);
    hand_init(&c, "c", 1);
    hand_say(farm, &c);
    assert_null(agent_find(farm->core, "c"));
    gone(farm, &a);
    gone(farm, &b);
    farm_drain(farm, "a", DRAIN_SOFT, 0); /* must be remembered */
    hand_say(farm, &c);
    assert_non_null(agent_find(farm->core, "a"));
    assert_null(agent_find(farm->core, "b"));
    assert_non_null(agent_find(farm->core, "c"));
    assert_int_equal(farm->core->n_agents, 2);
}

/* --- Drain. --- */

static void drain_wants_a_known_agent(void **state)
{
    struct farm *farm = *state;
    assert_int_equal(farm_drain(farm, "nobody", DRAIN_SOFT, 0), RC_NOT_FOUND);
}

static void soft_drain_lets_work_end(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-10");
    assert_int_equal(farm_drain(farm, "a", DRAIN_SOFT, 0), RC_OK);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 0);
    hand_finish(farm, &hand, 0);
    assert_int_equal(farm_count(farm, EVENT_DONE), 5);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    farm_drain(farm, "a", DRAIN_SOFT, 0);
    assert_int_equal(farm->out.n, 0);
    farm_drain(farm, "a", DRAIN_OFF, 0);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

static void drain_now_stops_work(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-10");
    farm_drain(farm, "a", DRAIN_NOW, 0);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
    hand_end(&hand, 0, LEASE_STOPPED, FAULT_NONE, -1);
    hand_say(farm, &hand);
    assert_int_equal(job->in[FRAME_PENDING].count, 10);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
}

static void drain_ends_when_its_time_comes(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    farm_drain(farm, "a", DRAIN_SOFT, farm->now_ms + 3000);
    farm_job(farm, "job", "1-5");
    farm_tick(farm, 1000);
    assert_true(core_next(farm->core) <= farm->now_ms + 2000);
    hand_say(farm, &hand);
    farm_tick(farm, 1999);
    assert_int_equal(farm_count(farm, EVENT_DRAINED), 0);
    farm_tick(farm, 1);
    assert_int_equal(farm_event(farm, EVENT_DRAINED, 0)->number, DRAIN_OFF);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

static void drain_outlives_both_sides(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    farm_drain(farm, "a", DRAIN_SOFT, farm->now_ms + 60000);
    farm_restart(farm, 0);
    assert_int_equal(agent_find(farm->core, "a")->drain, DRAIN_SOFT);
    reborn(&hand);
    hand_join(farm, &hand);
    farm_job(farm, "job", "1-5");
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    assert_true(core_next(farm->core) <= farm->now_ms + 60000);
}

/* With LIMIT_UNACKED ended leases unacknowledged it gets no more. */
static void unacknowledged_leases_are_few(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 2);
    hand_join(farm, &hand);
    struct agent agent = *agent_find(farm->core, "a");
    agent.unacked = LIMIT_UNACKED - 1;
    assert_int_equal(agent_free(&agent), 2);
    agent.unacked = LIMIT_UNACKED;
    assert_int_equal(agent_free(&agent), 0);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(silent_agent_gets_nothing_new),
        TEST(lost_agent_loses_its_leases),
        TEST(expelled_agent_loses_its_leases_at_once),
        TEST(hearing_an_agent_renews_its_leases),
        TEST(killed_agent_is_waited_for),
        TEST(killed_agent_comes_back_with_its_lease),
        TEST(restarted_agent_lists_what_it_still_has),
        TEST(old_news_of_a_closed_connection_is_nothing),
        TEST(cut_connection_is_no_death),
        TEST(grace_follows_the_frame_time),
        TEST(grace_can_be_set),
        TEST(leaving_agent_gets_nothing_new),
        TEST(second_agent_of_a_name_is_refused),
        TEST(late_word_of_a_dead_agent_refuses_nobody),
        TEST(second_agent_takes_over_from_a_dead_one),
        TEST(longest_gone_agent_makes_room),
        TEST(drain_wants_a_known_agent),
        TEST(soft_drain_lets_work_end),
        TEST(drain_now_stops_work),
        TEST(drain_ends_when_its_time_comes),
        TEST(drain_outlives_both_sides),
        TEST(unacknowledged_leases_are_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
