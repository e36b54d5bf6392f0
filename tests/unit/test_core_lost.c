/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes and agents that go down: no frame is charged for it, and yet one that
 * takes down whoever renders it comes to an end, on a farm of any size.
 */
#include "tests/unit/core_farm.h"

#include <stdio.h>
#include <string.h>

#define HANDS_MAX 20

static struct hand hands[HANDS_MAX];

static void begin(void **state, int n)
{
    static char names[HANDS_MAX][16];
    farm_teardown(state);
    farm_setup(state);
    for (int i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "a%d", i);
        hand_init(&hands[i], names[i], 1);
        hand_join(*state, &hands[i]);
    }
}

/* All agents say that they are there while they have to rest. */
static void pause(struct farm *farm, int n)
{
    farm_tick(farm, 1000);
    for (int i = 0; i < n; i++)
        hand_take(farm, &hands[i]);
    for (int i = 0; i < n; i++) {
        hand_say(farm, &hands[i]);
        for (int k = 0; k < n; k++)
            hand_take(farm, &hands[k]);
    }
    farm->out = (struct events){0};
}

static void work(struct farm *farm, int n, hand_rule *rule,
                 const struct job *job)
{
    for (int i = 0; i < 500 && !job_ended(job); i++) {
        farm_work(farm, hands, (size_t)n, rule, 100);
        pause(farm, n);
    }
}

static enum fault frame_7_is_deadly(const char *agent, int32_t frame)
{
    (void)agent;
    return frame == 7 ? FAULT_NODE_DOWN : FAULT_NONE;
}

static enum fault frames_7_and_30_are_deadly(const char *agent, int32_t frame)
{
    (void)agent;
    return frame == 7 || frame == 30 ? FAULT_NODE_DOWN : FAULT_NONE;
}

static enum fault a0_always_goes_down(const char *agent, int32_t frame)
{
    (void)frame;
    return strcmp(agent, "a0") == 0 ? FAULT_NODE_DOWN : FAULT_NONE;
}

static const struct attempt *lost(const struct job *job, int32_t ordinal,
                                  int32_t losses)
{
    const struct attempt *attempt = job_attempt_find(job, ordinal);
    assert_non_null(attempt);
    assert_int_equal(attempt->losses, losses);
    assert_int_equal(attempt->charges, 0);
    return attempt;
}

/* 401: it went round for ever. */
static void a_deadly_frame_fails(void **state)
{
    static const int farms[] = {1, 2, 3, HANDS_MAX};
    for (size_t i = 0; i < sizeof farms / sizeof *farms; i++) {
        begin(state, farms[i]);
        struct farm *farm = *state;
        const struct job *job = farm_job(farm, "job", "1-60");
        work(farm, farms[i], frame_7_is_deadly, job);
        assert_int_equal(job->in[FRAME_DONE].count, 59);
        assert_int_equal(job->in[FRAME_FAILED].count, 1);
        const struct attempt *attempt = lost(job, 6, 10);
        assert_int_equal(attempt->fault, FAULT_NODE_DOWN);
        assert_non_null(strstr(attempt->text, "10 times in a row a node"));
        assert_null(job->standings);
    }
}

static void two_of_them_fail_both(void **state)
{
    for (int n = 1; n < 4; n++) {
        begin(state, n);
        struct farm *farm = *state;
        const struct job *job = farm_job(farm, "job", "1-60");
        work(farm, n, frames_7_and_30_are_deadly, job);
        assert_int_equal(job->in[FRAME_DONE].count, 58);
        assert_int_equal(job->in[FRAME_FAILED].count, 2);
    }
}

static void a_node_that_always_goes_down_fails_nothing(void **state)
{
    for (int n = 2; n < 4; n++) {
        begin(state, n);
        struct farm *farm = *state;
        const struct job *job = farm_job(farm, "job", "1-200");
        work(farm, n, a0_always_goes_down, job);
        assert_int_equal(job->in[FRAME_DONE].count, 200);
        const struct attempt *attempt;
        for (attempt = job->attempts; attempt; attempt = attempt->hh.next)
            lost(job, attempt->ordinal, 1);
    }
}

/* What follows the last frame of all, which is tried alone. */
static void it_goes_behind_the_others(void **state)
{
    begin(state, 1);
    struct farm *farm = *state;
    const struct job *job = farm_job(farm, "job", "1-10");
    hand_take(farm, hands);
    hand_end(hands, 0, LEASE_FAILED, FAULT_NODE_DOWN, 1);
    hand_say(farm, hands);
    hand_drop(hands, 0);
    lost(job, 0, 1);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 1, 6);
    hand_take(farm, hands);
    hand_finish(farm, hands, 0);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 6, 10);
    hand_take(farm, hands);
    hand_finish(farm, hands, 0);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 0, 1);
}

/* Of two that were rendered side by side one may be innocent. */
static void suspects_are_never_beside_each_other(void **state)
{
    farm_teardown(state);
    farm_setup(state);
    struct farm *farm = *state;
    hand_init(hands, "a", 2);
    hand_join(farm, hands);
    const struct job *job = farm_job(farm, "job", "1-10");
    assert_int_equal(hand_take(farm, hands), 2);
    for (int i = 0; i < 2; i++)
        hand_end(hands, i, LEASE_FAILED, FAULT_NODE_DOWN,
                 hands->leases[i].from);
    hand_say(farm, hands);
    hand_drop(hands, 1);
    hand_drop(hands, 0);
    assert_int_equal(hand_take(farm, hands), 2);
    hand_finish(farm, hands, 0);
    hand_take(farm, hands);
    hand_finish(farm, hands, 0);
    hand_take(farm, hands);
    lost(job, 0, 1);
    lost(job, 5, 1);
    assert_int_equal(job->in[FRAME_DONE].count, 8);
    assert_int_equal(job->in[FRAME_LEASED].count, 1);
    hand_finish(farm, hands, 0);
    assert_int_equal(hand_take(farm, hands), 1);
    hand_finish(farm, hands, 0);
    assert_int_equal(job_status(job), JOB_COMPLETED);
}

/* A node that goes down again and again, and begins nothing. */
static void a_launch_that_never_began_counts_nothing(void **state)
{
    begin(state, 1);
    struct farm *farm = *state;
    const struct job *job = farm_job(farm, "job", "1-5");
    hand_take(farm, hands);
    for (int i = 0; i < 50; i++) {
        hand_end(hands, 0, LEASE_FAILED, FAULT_NODE_DOWN, -1);
        hand_say(farm, hands);
        hand_drop(hands, 0);
        hand_take(farm, hands);
        while (hands[0].state.n_leases == 0)
            pause(farm, 1);
    }
    assert_null(job->attempts);
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
}

/* Its agent falls silent with it; anew: it comes back as another process. */
static void vanish(struct farm *farm, bool anew)
{
    struct hand before = hands[0];
    assert_int_equal(hands[0].state.n_leases, 1);
    hand_say(farm, hands);
    farm_tick(farm, FARM_TTL_MS);
    hand_init(hands, "a0", 1);
    if (!anew) {
        hands[0].state.inc = before.state.inc;
        hands[0].state.seq = before.state.seq + 1;
    }
    hand_join(farm, hands);
}

static void a_machine_that_goes_down_counts(void **state)
{
    begin(state, 1);
    struct farm *farm = *state;
    const struct job *job = farm_job(farm, "job", "7");
    hand_take(farm, hands);
    for (int i = 1; i < 10; i++) {
        vanish(farm, true);
        lost(job, 0, i);
    }
    vanish(farm, true);
    assert_int_equal(job->in[FRAME_FAILED].count, 1);
}

static void a_cut_counts_nothing(void **state)
{
    begin(state, 1);
    struct farm *farm = *state;
    const struct job *job = farm_job(farm, "job", "7");
    hand_take(farm, hands);
    for (int i = 0; i < 20; i++) {
        vanish(farm, false);
        assert_null(job->attempts);
    }
}

/* A restart so quick that its leases were still there. */
static void a_quick_restart_counts_as_well(void **state)
{
    begin(state, 1);
    struct farm *farm = *state;
    const struct job *job = farm_job(farm, "job", "7");
    hand_take(farm, hands);
    hand_say(farm, hands);
    farm_tick(farm, 6000);
    hand_init(hands, "a0", 1);
    hand_join(farm, hands);
    lost(job, 0, 1);
}

static void the_count_outlives_the_broker(void **state)
{
    begin(state, 1);
    struct farm *farm = *state;
    farm_job(farm, "job", "7");
    hand_take(farm, hands);
    hand_end(hands, 0, LEASE_FAILED, FAULT_NODE_DOWN, 7);
    hand_say(farm, hands);
    uint64_t digest = core_digest(farm->core);
    farm_restart(farm, 0);
    assert_true(core_digest(farm->core) == digest);
    lost(farm->core->jobs, 0, 1);
    hand_say(farm, hands); /* the same report */
    lost(farm->core->jobs, 0, 1);
}

static void a_retry_begins_anew(void **state)
{
    begin(state, 1);
    struct farm *farm = *state;
    const struct job *job = farm_job(farm, "job", "7");
    work(farm, 1, frame_7_is_deadly, job);
    assert_int_equal(job->in[FRAME_FAILED].count, 1);
    farm_ask(farm, CMD_RETRY, job, NULL, "");
    assert_null(job->attempts);
    assert_int_equal(job->in[FRAME_PENDING].count + job->in[FRAME_LEASED].count,
                     1);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_deadly_frame_fails),
        TEST(two_of_them_fail_both),
        TEST(a_node_that_always_goes_down_fails_nothing),
        TEST(it_goes_behind_the_others),
        TEST(suspects_are_never_beside_each_other),
        TEST(a_launch_that_never_began_counts_nothing),
        TEST(a_machine_that_goes_down_counts),
        TEST(a_cut_counts_nothing),
        TEST(a_quick_restart_counts_as_well),
        TEST(the_count_outlives_the_broker),
        TEST(a_retry_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
