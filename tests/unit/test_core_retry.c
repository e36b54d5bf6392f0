/* SPDX-License-Identifier: Apache-2.0
 *
 * Retry: which frames, by whom, and what reports from before are worth then.
 */
#include <string.h>

#include "tests/unit/core_farm.h"

/* A job of ten frames, five of them done by a, the others cancelled. */
static struct job *ended_job(struct farm *farm, struct hand *hand)
{
    hand_init(hand, "a", 1);
    hand_join(farm, hand);
    struct job *job = farm_job(farm, "job", "1-10");
    hand_take(farm, hand);
    hand_finish(farm, hand, 0);
    hand_take(farm, hand);
    farm_ask(farm, CMD_CANCEL, job, NULL, "");
    hand_end(hand, 0, LEASE_STOPPED, FAULT_NONE, -1);
    hand_say(farm, hand);
    hand_drop(hand, 0);
    farm_commit(farm);
    return job;
}

static void retry_of_nothing_is_refused(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = ended_job(farm, &hand);
    assert_int_equal(farm_ask(farm, CMD_RETRY, job, NULL, ""), RC_CONFLICT);
    const struct job *fresh = farm_job(farm, "fresh", "1-5");
    assert_int_equal(farm_ask(farm, CMD_RETRY, fresh, "1-5", ""), RC_CONFLICT);
}

static void retry_waits_for_its_commit(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = ended_job(farm, &hand);
    assert_int_equal(farm_ask(farm, CMD_RETRY, job, "6-10", ""), RC_OK);
    assert_int_equal(job->in[FRAME_PENDING].count, 5);
    assert_int_equal(job->ended_ms, 0);
    assert_null(job->reason);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    farm_commit(farm);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 5, 10);
}

static void retried_pictures_replace_in_batches_of_their_own(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    struct job *job = ended_job(farm, &hand);
    farm_ask(farm, CMD_RETRY, job, "4-10", ""); /* 4 and 5 are done */
    farm_commit(farm);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 3, 5);
    assert_true(ranges_has(&job->redo, 3) && ranges_has(&job->redo, 4));
    hand_take(farm, &hand);
    hand_finish(farm, &hand, 0);
    assert_int_equal(job->redo.count, 0);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 5, 10);
}

/* The picture of the first time lies there whatever became of the retry. */
static void a_retry_that_was_cancelled_replaces_when_retried(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = ended_job(farm, &hand);
    farm_ask(farm, CMD_RETRY, job, "4-5", "");
    farm_commit(farm);
    farm_ask(farm, CMD_CANCEL, job, "4-5", "");
    farm_ask(farm, CMD_RETRY, job, "4-5", "");
    assert_true(ranges_has(&job->redo, 3) && ranges_has(&job->redo, 4));
}

static void crash(struct farm *farm, struct hand *hand)
{
    hand_take(farm, hand);
    hand_end(hand, 0, LEASE_FAILED, FAULT_CRASH, 1);
    hand_say(farm, hand);
    hand_drop(hand, 0);
}

static void retry_gives_all_attempts_back(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    struct job_spec spec = farm_spec(farm, "job", "1");
    spec.max_attempts = 2;
    const struct job *job = farm_submit(farm, &spec);
    crash(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 1);
    crash(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_FAILED), 1);
    assert_int_equal(job_status(job), JOB_FAILED);
    assert_int_equal(farm_ask(farm, CMD_RETRY, job, NULL, ""), RC_OK);
    assert_null(job->attempts);
    farm_commit(farm);
    crash(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 1);
}

static void avoided_agent_stands_back(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    const struct job *job = ended_job(farm, &a);
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    farm_ask(farm, CMD_RETRY, job, "1-10", "a");
    farm_commit(farm);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->agent, "b");
    assert_run(farm_event(farm, EVENT_LEASED, 0), 0, 5);
    hand_take(farm, &b);
    hand_finish(farm, &b, 0);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 5, 10);
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->agent, "b");
}

static void avoided_agent_is_better_than_none(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = ended_job(farm, &hand);
    farm_ask(farm, CMD_RETRY, job, "6-10", "a");
    farm_commit(farm);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 5, 10);
}

/* A result that was counted, its acknowledgement lost, then the frame retried:
 * the old picture is not the new one. */
static void old_result_does_not_fulfil_a_retry(void **state)
{
    struct farm *farm = *state;
    struct hand hand, other;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    struct job *job = farm_job(farm, "job", "1-5");
    hand_take(farm, &hand);
    hand_render(&hand, 0, 1, 5);
    hand_end(&hand, 0, LEASE_DONE, FAULT_NONE, -1);
    hand_say(farm, &hand);
    assert_int_equal(job_status(job), JOB_COMPLETED);
    farm_ask(farm, CMD_RETRY, job, "1-5", "");
    farm_restart(farm, 0);
    job = farm->core->jobs;
    hand_init(&other, "b", 1);
    hand_join(farm, &other);
    assert_int_equal(other.state.n_leases, 1);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_DONE), 0);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    assert_true(farm_event(farm, EVENT_ACKED, 0)->acks.at[0].closed);
    /* Nor does one that still runs. */
    hand_end(&hand, 0, LEASE_RUNNING, FAULT_NONE, -1);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
    assert_int_equal(job->in[FRAME_DONE].count, 0);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(retry_of_nothing_is_refused),
        TEST(retry_waits_for_its_commit),
        TEST(retried_pictures_replace_in_batches_of_their_own),
        TEST(a_retry_that_was_cancelled_replaces_when_retried),
        TEST(retry_gives_all_attempts_back),
        TEST(avoided_agent_stands_back),
        TEST(avoided_agent_is_better_than_none),
        TEST(old_result_does_not_fulfil_a_retry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
