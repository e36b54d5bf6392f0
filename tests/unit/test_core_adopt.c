/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker crashed: what it finds in its ledger, what agents tell it of, and
 * that nothing is lost, counted twice or rendered for nothing.
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

static struct job *only_job(struct farm *farm)
{
    return farm->core->jobs;
}

/* --- Leases that the ledger knows. --- */

static void known_lease_waits_for_its_agent(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    begin(farm, &a, "1-5");
    farm_restart(farm, 0);
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    assert_int_equal(b.state.n_leases, 0);
    hand_render(&a, 0, 1, 2);
    hand_say(farm, &a); /* still on the lane of the old epoch */
    assert_int_equal(farm_count(farm, EVENT_DONE), 2);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 0);
    hand_lane(farm, &a);
    hand_finish(farm, &a, 0);
    assert_int_equal(job_status(only_job(farm)), JOB_COMPLETED);
}

static void known_lease_goes_elsewhere_in_time(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    begin(farm, &a, "1-5");
    farm_restart(farm, 0);
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    farm_tick(farm, FARM_TTL_MS - 1);
    hand_say(farm, &b);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    farm_tick(farm, 1);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
    assert_int_equal(hand_take(farm, &b), 1);
}

static void known_lease_that_is_not_listed_is_free(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    farm_restart(farm, 0);
    hand_drop(&hand, 0);
    hand.state.lane = hand.state.dseq = 0;
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
}

static void order_to_stop_is_given_again(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    farm_ask(farm, CMD_CANCEL, job, NULL, "");
    farm_restart(farm, 0);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
}

static void agent_drained_at_once_stays_so(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    farm_drain(farm, "a", DRAIN_NOW, 0);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
    farm_restart(farm, 0);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
    assert_non_null(
        strstr(farm_event(farm, EVENT_REVOKED, 0)->text, "drained"));
}

/* A crash between two records of one step: the charge is on disk, the end of
 * the lease is not. */
static void half_a_failure_is_not_charged_twice(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    hand_end(&hand, 0, LEASE_FAILED, FAULT_CRASH, 1);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 1);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
    farm_restart(farm, 2); /* RELEASED and LEASED */
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 0);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
}

static void half_an_unproven_end_is_not_charged_twice(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    hand_render(&hand, 0, 1, 3); /* of five, it says */
    hand_end(&hand, 0, LEASE_DONE, FAULT_NONE, -1);
    hand_say(farm, &hand);
    assert_run(farm_event(farm, EVENT_CHARGED, 0), 3, 4);
    farm_restart(farm, 2); /* RELEASED and LEASED */
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 0);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
}

/* --- Leases that it does not. --- */

static void unknown_lease_is_adopted(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    farm_restart(farm, 1);
    hand_say(farm, &hand);
    const struct event *leased = farm_event(farm, EVENT_LEASED, 0);
    assert_run(leased, 0, 5);
    assert_int_equal(leased->number, 0);
    assert_int_equal(leased->lease, LEASE_ID(1, 1));
    assert_int_equal(only_job(farm)->in[FRAME_LEASED].count, 5);
    hand_lane(farm, &hand);
    hand_finish(farm, &hand, 0);
    assert_int_equal(job_status(only_job(farm)), JOB_COMPLETED);
}

static void adopted_lease_must_be_a_run_of_the_job(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5,7-9");
    farm_restart(farm, 1);
    static const int32_t runs[][3] = {
        {1, 5, 2}, {1, 9, 1}, {0, 4, 1}, {2, 6, 1}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        hand.leases[0].from = runs[i][0];
        hand.leases[0].to = runs[i][1];
        hand.leases[0].step = runs[i][2];
        hand_say(farm, &hand);
        assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
        assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
    }
}

static void adoption_wants_open_frames(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    farm_restart(farm, 1);
    farm_ask(farm, CMD_CANCEL, only_job(farm), NULL, "");
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
}

static void second_copy_of_what_went_elsewhere(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    begin(farm, &a, "1-5");
    farm_restart(farm, 1);
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    assert_int_equal(b.state.n_leases, 1);
    hand_say(farm, &a);
    const struct lease *copy = lease_find(farm->core, LEASE_ID(1, 1));
    assert_int_equal(copy->left.count, 5);
    assert_int_equal(copy->held.count, 0);
    /* The first result wins; the other one is told once it renders for
     * nothing. */
    hand_render(&a, 0, 1, 4);
    hand_say(farm, &a);
    assert_int_equal(farm_count(farm, EVENT_DONE), 4);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 0);
    hand_render(&b, 0, 1, 5);
    hand_say(farm, &b);
    assert_int_equal(farm_count(farm, EVENT_DONE), 1);
    assert_string_equal(farm_event(farm, EVENT_REVOKED, 0)->agent, "a");
    assert_int_equal(job_status(only_job(farm)), JOB_COMPLETED);
}

static void failed_copy_charges_nobody(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    begin(farm, &a, "1-5");
    farm_restart(farm, 1);
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    hand_say(farm, &a);
    hand_end(&a, 0, LEASE_FAILED, FAULT_CRASH, 1);
    hand_say(farm, &a);
    assert_true(farm_event(farm, EVENT_CHARGED, 0)->flag); /* noted only */
    assert_int_equal(only_job(farm)->attempts->charges, 0);
    assert_int_equal(only_job(farm)->in[FRAME_LEASED].count, 5);
}

/* Its holder failed on a frame; the copy did not. */
static void copy_of_a_charged_frame_counts(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    begin(farm, &a, "1-5");
    farm_restart(farm, 1);
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    hand_say(farm, &a);
    hand_end(&b, 0, LEASE_FAILED, FAULT_CRASH, 1);
    hand_say(farm, &b);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 1);
    hand_render(&a, 0, 1, 1);
    hand_say(farm, &a);
    assert_int_equal(farm_count(farm, EVENT_DONE), 1);
}

/* Two agents say they have the same frames; the ledger knows neither. */
static void younger_lease_takes_over(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    begin(farm, &a, "1-5");
    b = a;
    b.state.agent = "b";
    b.state.inc += 1000;
    b.leases[0].results = b.results[0];
    b.leases[0].lease = LEASE_ID(1, 2);
    b.leases[0].from = 3;
    farm_restart(farm, 1);
    hand_say(farm, &a);
    hand_say(farm, &b);
    const struct lease *old = lease_find(farm->core, LEASE_ID(1, 1));
    const struct lease *young = lease_find(farm->core, LEASE_ID(1, 2));
    assert_int_equal(old->left.count, 5);
    assert_int_equal(old->held.count, 2);
    assert_int_equal(young->held.count, 3);
}

static void late_pictures_count_late_failures_do_not(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    farm_restart(farm, 1);
    hand_render(&hand, 0, 1, 2);
    hand_end(&hand, 0, LEASE_FAILED, FAULT_CRASH, 3);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_DONE), 2);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 0);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    assert_true(farm_event(farm, EVENT_ACKED, 0)->acks.at[0].closed);
    assert_int_equal(only_job(farm)->in[FRAME_PENDING].count, 3);
}

/* The lease of an earlier epoch ends, and is listed until its acknowledgement
 * comes: it is not a new one each time. */
static void ended_lease_is_not_adopted_again(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    farm_restart(farm, 0);
    hand_end(&hand, 0, LEASE_FAILED, FAULT_CRASH, 1);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 1);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 0);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    assert_true(farm_event(farm, EVENT_ACKED, 0)->acks.at[0].closed);
}

static void frames_in_no_lease_go_out_at_once(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    begin(farm, &a, "1-10");
    farm_restart(farm, 0);
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    assert_int_equal(b.state.n_leases, 1);
    assert_int_equal(b.leases[0].from, 6);
    assert_int_equal(b.leases[0].lease, LEASE_ID(2, 1));
}

/* 402: its new run asks the node again, which says again how the launch ended;
 * that was counted before broker and agent were killed. */
static void a_failure_counts_once_over_two_kills(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    (void)farm_job(farm, "job", "1-5");
    hand_take(farm, &hand);
    struct hand again = hand;
    hand_end(&hand, 0, LEASE_FAILED, FAULT_CRASH, 2);
    hand_say(farm, &hand);
    farm_restart(farm, 0);
    const struct job *job = farm->core->jobs;
    assert_int_equal(job_attempt_find(job, 1)->charges, 1);
    hand_init(&hand, "a", 1);
    hand.state.n_leases = 1;
    hand.leases[0] = again.leases[0];
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
    hand_end(&hand, 0, LEASE_FAILED, FAULT_CRASH, 2);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
    assert_int_equal(job_attempt_find(job, 1)->charges, 1);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(known_lease_waits_for_its_agent),
        TEST(known_lease_goes_elsewhere_in_time),
        TEST(known_lease_that_is_not_listed_is_free),
        TEST(order_to_stop_is_given_again),
        TEST(agent_drained_at_once_stays_so),
        TEST(half_a_failure_is_not_charged_twice),
        TEST(half_an_unproven_end_is_not_charged_twice),
        TEST(unknown_lease_is_adopted),
        TEST(adopted_lease_must_be_a_run_of_the_job),
        TEST(adoption_wants_open_frames),
        TEST(second_copy_of_what_went_elsewhere),
        TEST(failed_copy_charges_nobody),
        TEST(copy_of_a_charged_frame_counts),
        TEST(younger_lease_takes_over),
        TEST(late_pictures_count_late_failures_do_not),
        TEST(ended_lease_is_not_adopted_again),
        TEST(frames_in_no_lease_go_out_at_once),
        TEST(a_failure_counts_once_over_two_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
