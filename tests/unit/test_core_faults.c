/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches that fail: who is charged, when a frame is given up, and when the
 * whole job is.
 */
#include <string.h>

#include "tests/unit/core_farm.h"

static struct job *begin(struct farm *farm, struct hand *hand,
                         const char *frames)
{
    hand_init(hand, "a", 1);
    hand_join(farm, hand);
    struct job *job = farm_job(farm, "job", frames);
    hand_take(farm, hand);
    return job;
}

static void fail_launch(struct farm *farm, struct hand *hand, enum fault fault,
                        int32_t blamed)
{
    hand_end(hand, 0, LEASE_FAILED, fault, blamed);
    hand_say(farm, hand);
    hand_drop(hand, 0);
}

/* --- Who is charged. --- */

struct blame_case {
    const char *name;
    enum lease_status status;
    enum fault fault;
    int32_t blamed;  /* by the agent */
    int32_t charged; /* ordinal; -1: nobody */
};

static void first_frame_without_picture_pays(void **state)
{
    static const struct blame_case cases[] = {
        {"the one named", LEASE_FAILED, FAULT_CRASH, 3, 2},
        {"none named", LEASE_FAILED, FAULT_RENDER, -1, 2},
        {"done before", LEASE_FAILED, FAULT_CRASH, 1, -1},
        {"cancelled", LEASE_FAILED, FAULT_CRASH, 5, -1},
        {"refused", LEASE_FAILED, FAULT_REFUSED, -1, -1},
        {"node down", LEASE_FAILED, FAULT_NODE_DOWN, -1, -1},
        {"disk full", LEASE_FAILED, FAULT_DISK_FULL, -1, -1},
        {"unknown", LEASE_FAILED, FAULT_UNKNOWN, -1, -1},
        {"stopped", LEASE_STOPPED, FAULT_NONE, -1, -1},
        {"done, it says", LEASE_DONE, FAULT_NONE, -1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hand hand;
        print_message("%s\n", cases[i].name);
        farm_teardown(state);
        farm_setup(state);
        struct farm *farm = *state;
        const struct job *job = begin(farm, &hand, "1-5");
        hand_render(&hand, 0, 1, 2);
        hand_say(farm, &hand);
        farm_ask(farm, CMD_CANCEL, job, "5", "");
        hand_end(&hand, 0, cases[i].status, cases[i].fault, cases[i].blamed);
        hand_say(farm, &hand);
        const struct event *charged = farm_event(farm, EVENT_CHARGED, 0);
        if (cases[i].charged < 0)
            assert_null(charged);
        else
            assert_run(charged, cases[i].charged, cases[i].charged + 1);
        assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
        assert_int_equal(job->in[FRAME_DONE].count, 2);
    }
}

static void frame_is_given_up_after_its_attempts(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    struct job *job = begin(farm, &hand, "1-5");
    fail_launch(farm, &hand, FAULT_CRASH, 1);
    const struct event *charged = farm_event(farm, EVENT_CHARGED, 0);
    assert_run(charged, 0, 1);
    assert_string_equal(charged->text, "it broke");
    hand_take(farm, &hand);
    fail_launch(farm, &hand, FAULT_TIMEOUT, 1);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 1);
    hand_take(farm, &hand);
    fail_launch(farm, &hand, FAULT_CRASH, 1);
    const struct event *failed = farm_event(farm, EVENT_FAILED, 0);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 0);
    assert_false(failed->flag);
    assert_int_equal(failed->fault, FAULT_CRASH);
    assert_int_equal(failed->frames->at[0].lo, 0);
    assert_int_equal(failed->frames->count, 1);
    assert_int_equal(job->in[FRAME_FAILED].count, 1);
    assert_int_equal(job->attempts->charges, 3);
    assert_int_equal(agent_find(farm->core, "a")->charged, 3);
    hand_take(farm, &hand);
    hand_finish(farm, &hand, 0);
    assert_int_equal(job_status(job), JOB_FAILED);
}

static void job_sets_its_own_attempts(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    struct job_spec spec = farm_spec(farm, "job", "1-5");
    spec.max_attempts = 1;
    farm_submit(farm, &spec);
    hand_take(farm, &hand);
    fail_launch(farm, &hand, FAULT_CRASH, 2);
    assert_int_equal(farm_count(farm, EVENT_FAILED), 1);
}

/* --- When the whole job fails. --- */

static void proven_fault_of_the_job_ends_it(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    struct job *job = begin(farm, &a, "1-20");
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    hand_render(&b, 0, 6, 7);
    hand_say(farm, &b);
    fail_launch(farm, &a, FAULT_MISSING_FILE, 1);
    const struct event *failed = farm_event(farm, EVENT_FAILED, 0);
    assert_true(failed->flag);
    assert_int_equal(failed->frames->count, 18);
    assert_int_equal(job_status(job), JOB_FAILED);
    assert_int_equal(job->fault, FAULT_MISSING_FILE);
    assert_string_equal(job->reason, "it broke");
    assert_null(job->attempts);
    /* The other agent need not go on. */
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
    assert_string_equal(farm_event(farm, EVENT_REVOKED, 0)->agent, "b");
}

static void likely_fault_of_the_job_wants_two_agents(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    struct job *job = begin(farm, &a, "1-5");
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    fail_launch(farm, &a, FAULT_BAD_BLEND, 1);
    assert_int_equal(farm_count(farm, EVENT_FAILED), 0);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 1);
    assert_int_equal(hand_take(farm, &b), 1); /* frame 1, alone */
    fail_launch(farm, &b, FAULT_BAD_BLEND, 1);
    assert_int_equal(farm_count(farm, EVENT_FAILED), 1);
    assert_int_equal(job_status(job), JOB_FAILED);
    assert_int_equal(job->fault, FAULT_BAD_BLEND);
}

static void likely_fault_is_enough_on_a_farm_of_one(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    struct job *job = begin(farm, &hand, "1-20");
    fail_launch(farm, &hand, FAULT_NO_CAMERA, 1);
    assert_int_equal(job_status(job), JOB_FAILED);
    assert_int_equal(job->in[FRAME_FAILED].count, 20);
}

static void retry_forgets_who_saw_the_fault(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    struct job *job = begin(farm, &a, "1");
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    fail_launch(farm, &a, FAULT_BAD_BLEND, 1);
    hand_take(farm, &b);
    fail_launch(farm, &b, FAULT_BAD_BLEND, 1);
    assert_int_equal(job_status(job), JOB_FAILED);
    farm_ask(farm, CMD_RETRY, job, NULL, "");
    assert_int_equal(job->fault, FAULT_NONE);
    farm_commit(farm);
    struct hand *next = hand_take(farm, &a) == 1 ? &a : &b;
    if (next == &b)
        hand_take(farm, &b);
    fail_launch(farm, next, FAULT_BAD_BLEND, 1);
    assert_int_equal(job_status(job), JOB_RUNNING);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(first_frame_without_picture_pays),
        TEST(frame_is_given_up_after_its_attempts),
        TEST(job_sets_its_own_attempts),
        TEST(proven_fault_of_the_job_ends_it),
        TEST(likely_fault_of_the_job_wants_two_agents),
        TEST(likely_fault_is_enough_on_a_farm_of_one),
        TEST(retry_forgets_who_saw_the_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
