/* SPDX-License-Identifier: Apache-2.0
 *
 * Agents that fail what others render: kept from that job, as long as there is
 * anybody better, and never so that a job does not end.
 */
#include <string.h>

#include "tests/unit/core_farm.h"

#define ROUNDS 2000

static void join(struct farm *farm, struct hand *hands, size_t n)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < n; i++) {
        hand_init(&hands[i], names[i], 1);
        hand_join(farm, &hands[i]);
    }
}

/* Their broker was started anew. */
static void rejoin(struct farm *farm, struct hand *hands, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hands[i].state.lane = hands[i].state.dseq = 0;
        hand_join(farm, &hands[i]);
    }
}

static enum bench level(const struct farm *farm, const char *agent)
{
    return bench_of(farm->core->jobs, agent);
}

/* Frames of an agent that were charged. */
static int charges_of(const struct farm *farm, const char *agent)
{
    int n = 0;
    const char *at = buf_text(&farm->charges);
    while ((at = strstr(at, agent)) != NULL) {
        n++;
        at++;
    }
    return n;
}

static enum fault b_lies(const char *agent, int32_t frame)
{
    (void)frame;
    return strcmp(agent, "b") == 0 ? FAULT_UNPROVEN : FAULT_NONE;
}

static enum fault nobody_fails(const char *agent, int32_t frame)
{
    (void)agent;
    (void)frame;
    return FAULT_NONE;
}

static enum fault all_crash(const char *agent, int32_t frame)
{
    (void)agent;
    (void)frame;
    return FAULT_CRASH;
}

/* --- When. --- */

static void liar_is_benched(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    join(farm, hands, 2);
    const struct job *job = farm_job(farm, "job", "1-60");
    farm_work(farm, hands, 2, b_lies, ROUNDS);
    assert_int_equal(job->in[FRAME_DONE].count, 60);
    assert_int_equal(level(farm, "b"), BENCH_BENCHED);
    assert_int_equal(level(farm, "a"), BENCH_NONE);
    assert_in_range(charges_of(farm, "b"), 3, 5);
    assert_in_range(agent_find(farm->core, "b")->benches->wrong, 3, 5);
}

/* However fast it fails, it gets no more than this before others have shown
 * what is wrong. */
static void doubtful_agent_waits_for_the_others(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    join(farm, hands, 2);
    farm_job(farm, "job", "1-60");
    hand_take(farm, &hands[0]);
    hand_take(farm, &hands[1]);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hands[1].state.n_leases, 1);
        hand_work(farm, &hands[1], b_lies);
        hand_take(farm, &hands[1]);
    }
    assert_int_equal(hands[1].state.n_leases, 0);
    assert_int_equal(level(farm, "b"), BENCH_DOUBT);
    hand_work(farm, &hands[0], b_lies); /* its own five */
    hand_take(farm, &hands[0]);
    hand_work(farm, &hands[0], b_lies); /* the first that failed at b */
    assert_int_equal(level(farm, "b"), BENCH_NONE);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 2);
}

static void bad_frames_bench_nobody(void **state)
{
    struct farm *farm = *state;
    struct hand hands[3];
    join(farm, hands, 3);
    const struct job *job = farm_job(farm, "job", "1-30");
    farm_work(farm, hands, 3, all_crash, ROUNDS);
    assert_int_equal(job->in[FRAME_FAILED].count, 30);
    for (int i = 0; i < 3; i++)
        assert_int_equal(level(farm, hands[i].state.agent), BENCH_NONE);
}

static enum fault b_fails_one_in_ten(const char *agent, int32_t frame)
{
    bool fails = strcmp(agent, "b") == 0 && frame % 10 == 8;
    return fails ? FAULT_CRASH : FAULT_NONE;
}

static void agent_that_renders_more_than_it_fails_stays(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    join(farm, hands, 2);
    const struct job *job = farm_job(farm, "job", "1-100");
    farm_work(farm, hands, 2, b_fails_one_in_ten, ROUNDS);
    assert_int_equal(job->in[FRAME_DONE].count, 100);
    assert_int_equal(level(farm, "b"), BENCH_NONE);
    assert_in_range(job->standings->wrong, 3, 10);
    assert_true(job->standings->done > job->standings->wrong);
}

/* What a dead node, a refusal or a stop costs is not the agent's failure. */
static enum fault b_refuses(const char *agent, int32_t frame)
{
    (void)frame;
    return strcmp(agent, "b") == 0 ? FAULT_REFUSED : FAULT_NONE;
}

static void uncharged_failures_bench_nobody(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    join(farm, hands, 2);
    const struct job *job = farm_job(farm, "job", "1-60");
    farm_work(farm, hands, 2, b_refuses, ROUNDS);
    assert_int_equal(job->in[FRAME_DONE].count, 60);
    assert_null(job->standings);
}

/* --- How far. --- */

static struct job *benched(struct farm *farm, struct hand hands[2],
                           const char *frames)
{
    join(farm, hands, 2);
    struct job *job = farm_job(farm, "job", frames);
    for (int i = 0; level(farm, "b") != BENCH_BENCHED && i < 100; i++)
        farm_work(farm, hands, 2, b_lies, 1);
    assert_int_equal(level(farm, "b"), BENCH_BENCHED);
    buf_clear(&farm->charges);
    return job;
}

static void bench_is_for_one_job(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    benched(farm, hands, "1-60");
    const struct job *next = farm_job(farm, "next", "1-5");
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->agent, "b");
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->job, next->id);
}

static void bench_outlives_the_broker(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    benched(farm, hands, "1-60");
    hand_finish(farm, &hands[0], 0);
    uint64_t digest = core_digest(farm->core);
    farm_restart(farm, 0);
    assert_int_equal(core_digest(farm->core), digest);
    assert_int_equal(level(farm, "b"), BENCH_BENCHED);
    assert_ptr_equal(agent_find(farm->core, "b")->benches->job,
                     farm->core->jobs);
    rejoin(farm, hands, 2);
    farm_work(farm, hands, 2, b_lies, ROUNDS);
    assert_int_equal(charges_of(farm, "b"), 0);
    assert_int_equal(job_status(farm->core->jobs), JOB_COMPLETED);
}

/* The crash that lost the verdict lost none of what it follows from. */
static void lost_verdict_is_given_again(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    benched(farm, hands, "1-60");
    farm_restart(farm, farm->n_ledger - (farm->benched_seq - 1));
    assert_int_equal(level(farm, "b"), BENCH_NONE);
    rejoin(farm, hands, 2);
    farm_work(farm, hands, 2, b_lies, ROUNDS);
    assert_int_equal(level(farm, "b"), BENCH_BENCHED);
    assert_int_equal(job_status(farm->core->jobs), JOB_COMPLETED);
}

static void retry_lifts_it(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    struct job *job = benched(farm, hands, "1-60");
    farm_work(farm, hands, 2, b_lies, ROUNDS);
    assert_int_equal(farm_ask(farm, CMD_RETRY, job, "1-60", ""), RC_OK);
    assert_null(job->standings);
    assert_null(agent_find(farm->core, "b")->benches);
    farm_commit(farm);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 2);
    farm_work(farm, hands, 2, nobody_fails, ROUNDS);
    assert_int_equal(job_status(job), JOB_COMPLETED);
}

/* --- It is no dead end. --- */

static void benched_agent_goes_on_alone(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    struct job *job = benched(farm, hands, "1-60");
    farm_drain(farm, "a", DRAIN_NOW, 0);
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->agent, "b");
    hand_take(farm, &hands[1]);
    if (hands[0].state.n_leases > 0) {
        hand_end(&hands[0], 0, LEASE_STOPPED, FAULT_NONE, -1);
        hand_say(farm, &hands[0]);
        hand_drop(&hands[0], 0);
    }
    farm_work(farm, &hands[1], 1, b_lies, ROUNDS);
    assert_int_equal(job_status(job), JOB_FAILED);
    assert_int_equal(job->in[FRAME_PENDING].count, 0);
}

static void better_agent_takes_over_again(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    struct job *job = benched(farm, hands, "1-60");
    farm_drain(farm, "a", DRAIN_SOFT, 0);
    assert_int_equal(hand_take(farm, &hands[1]), 1);
    farm_drain(farm, "a", DRAIN_OFF, 0);
    hand_take(farm, &hands[0]);
    hand_work(farm, &hands[1], b_lies);
    assert_int_equal(hand_take(farm, &hands[1]), 0);
    farm_work(farm, hands, 2, b_lies, ROUNDS);
    assert_int_equal(job_status(job), JOB_COMPLETED);
}

/* The other one, which is not benched, fails everything now. */
static void less_bad_agent_ends_the_job(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    struct job *job = benched(farm, hands, "1-60");
    farm_work(farm, hands, 2, all_crash, ROUNDS);
    assert_int_equal(charges_of(farm, "b"), 0);
    assert_int_equal(job_status(job), JOB_FAILED);
}

/* Of a job that is over the bench says nothing, and the agent may be forgotten.
 */
static void bench_goes_with_job_or_agent(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2], third;
    struct job *job = benched(farm, hands, "1-60");
    struct cmd gone = {
        .type = CMD_GONE, .agent = "b", .inc = hands[1].state.inc};
    farm_work(farm, hands, 2, b_lies, ROUNDS);
    farm_do(farm, &gone);
    farm->core->options.agents_max = 2;
    hand_init(&third, "c", 1);
    hand_say(farm, &third);
    assert_null(agent_find(farm->core, "b"));
    assert_int_equal(level(farm, "b"), BENCH_BENCHED);
    assert_int_equal(farm_ask(farm, CMD_FORGET, job, NULL, NULL), RC_OK);
    assert_null(farm->core->jobs);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(liar_is_benched),
        TEST(doubtful_agent_waits_for_the_others),
        TEST(bad_frames_bench_nobody),
        TEST(agent_that_renders_more_than_it_fails_stays),
        TEST(uncharged_failures_bench_nobody),
        TEST(bench_is_for_one_job),
        TEST(bench_outlives_the_broker),
        TEST(lost_verdict_is_given_again),
        TEST(retry_lifts_it),
        TEST(benched_agent_goes_on_alone),
        TEST(better_agent_takes_over_again),
        TEST(less_bad_agent_ends_the_job),
        TEST(bench_goes_with_job_or_agent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
