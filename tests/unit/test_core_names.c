/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose word is heard: two agents under one name, and leases under an id that
 * another broker gave out before.
 */
#include <string.h>

#include "tests/unit/core_farm.h"

/* --- One name. --- */

/* All say a STATE every two seconds, in this order; notes who is refused. */
static void round_of(struct farm *farm, struct hand *const hands[], size_t n,
                     bool refused[])
{
    farm_tick(farm, 2000);
    for (size_t i = 0; i < n; i++) {
        hand_say(farm, hands[i]);
        const struct event *order = farm_event(farm, EVENT_REFUSED, 0);
        if (order)
            refused[i] = order->inc == hands[i]->state.inc;
    }
}

static void every_second_agent_of_a_name_is_refused(void **state)
{
    struct farm *farm = *state;
    struct hand first, second, third;
    struct hand *const all[] = {&first, &second, &third};
    bool refused[3] = {false};
    hand_init(&first, "a", 1);
    hand_join(farm, &first);
    hand_init(&second, "a", 1);
    hand_init(&third, "a", 1);
    for (int i = 0; i < 4; i++)
        round_of(farm, all, 3, refused);
    assert_false(refused[0]);
    assert_true(refused[1] && refused[2]);
    assert_int_equal(agent_find(farm->core, "a")->inc, first.state.inc);
}

/* Something starts the second one again and again, each time as a new one. */
static void restarts_of_a_second_agent_change_nothing(void **state)
{
    struct farm *farm = *state;
    struct hand first, second;
    struct hand *const both[] = {&first, &second};
    hand_init(&first, "a", 1);
    hand_join(farm, &first);
    const struct job *job = farm_job(farm, "job", "1-5");
    hand_take(farm, &first);
    for (int start = 0; start < 10; start++) {
        bool refused[2] = {false};
        hand_init(&second, "a", 1);
        for (int i = 0; i < 2; i++)
            round_of(farm, both, 2, refused);
        assert_true(refused[1] && !refused[0]);
    }
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
    hand_finish(farm, &first, 0);
    assert_int_equal(job_status(job), JOB_COMPLETED);
}

/* It is refused when it comes back; a message to it may be lost. */
static void refusal_is_said_again(void **state)
{
    struct farm *farm = *state;
    struct hand first, second;
    struct hand *const both[] = {&first, &second};
    hand_init(&first, "a", 1);
    hand_join(farm, &first);
    hand_init(&second, "a", 1);
    for (int i = 0; i < 3; i++) {
        bool refused[2] = {false};
        round_of(farm, both, 2, refused);
        round_of(farm, both, 2, refused);
        assert_true(refused[1]);
    }
}

/* The agent of the name was killed unseen, and both its restart and a stranger
 * want to be it: one of them is, the other is told. */
static void one_of_two_takes_a_dead_name(void **state)
{
    struct farm *farm = *state;
    struct hand first, second, third;
    struct hand *const living[] = {&second, &third};
    bool refused[2] = {false};
    hand_init(&first, "a", 1);
    hand_join(farm, &first);
    hand_init(&second, "a", 1);
    hand_init(&third, "a", 1);
    for (int i = 0; i < 7; i++)
        round_of(farm, living, 2, refused);
    uint64_t inc = agent_find(farm->core, "a")->inc;
    assert_true(inc != first.state.inc);
    assert_true(refused[inc == second.state.inc ? 1 : 0]);
}

/* A frozen agent wakes up when its restart has the name. */
static void the_one_that_was_replaced_is_refused(void **state)
{
    struct farm *farm = *state;
    struct hand first, second;
    struct hand *const both[] = {&second, &first};
    bool refused[2] = {false};
    hand_init(&first, "a", 1);
    hand_join(farm, &first);
    hand_init(&second, "a", 1);
    for (int i = 0; i < 4; i++) {
        farm_tick(farm, 2000);
        hand_say(farm, &second);
    }
    assert_int_equal(agent_find(farm->core, "a")->inc, second.state.inc);
    for (int i = 0; i < 2; i++)
        round_of(farm, both, 2, refused);
    assert_true(refused[1] && !refused[0]);
}

/* --- One id. --- */

/* The ledger was lost: ids are given out a second time, and an agent still has
 * a lease of the old farm under one of them. */
static void old_lease(struct farm *farm, struct hand *hand,
                      enum lease_status status)
{
    hand_init(hand, "a", 1);
    hand_join(farm, hand);
    hand->leases[0] = (struct msg_lease){.lease = LEASE_ID(1, 1),
                                         .job = "of-another-farm-aaaa",
                                         .from = 1,
                                         .to = 5,
                                         .step = 1,
                                         .status = LEASE_RUNNING,
                                         .frame = -1,
                                         .blamed = -1,
                                         .text = ""};
    hand->leases[0].results = hand->results[0];
    hand->state.n_leases = 1;
    hand_render(hand, 0, 1, 5);
    hand_end(hand, 0, status, FAULT_NONE, -1);
}

static void result_of_another_job_does_not_count(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    old_lease(farm, &hand, LEASE_DONE);
    const struct job *job = farm_job(farm, "job", "1-5");
    assert_int_equal(farm_event(farm, EVENT_LEASED, 0)->lease, LEASE_ID(1, 1));
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_DONE), 0);
    assert_true(
        farm_event(farm, EVENT_ACKED, 0)->acks.at[0].closed); /* let go of it */
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
}

static void lease_of_another_job_keeps_none_alive(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    old_lease(farm, &hand, LEASE_RUNNING);
    farm_job(farm, "job", "1-5");
    hand.state.dseq = 1; /* and declined ours, whose id it has */
    hand_say(farm, &hand);
    assert_int_equal(farm_event(farm, EVENT_REVOKED, 0)->lease, LEASE_ID(1, 1));
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
}

static void lease_of_another_agent_is_not_its_to_report(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    hand_init(&a, "a", 1);
    hand_join(farm, &a);
    const struct job *job = farm_job(farm, "job", "1-5");
    hand_take(farm, &a);
    hand_init(&b, "b", 1);
    b.state.n_leases = 1;
    b.leases[0] = a.leases[0];
    b.leases[0].results = b.results[0];
    hand_render(&b, 0, 1, 5);
    hand_end(&b, 0, LEASE_DONE, FAULT_NONE, -1);
    hand_say(farm, &b);
    assert_int_equal(farm_count(farm, EVENT_DONE), 0);
    assert_true(farm_event(farm, EVENT_ACKED, 0)->acks.at[0].closed);
    hand_finish(farm, &a, 0);
    assert_int_equal(job_status(job), JOB_COMPLETED);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_second_agent_of_a_name_is_refused),
        TEST(restarts_of_a_second_agent_change_nothing),
        TEST(refusal_is_said_again),
        TEST(one_of_two_takes_a_dead_name),
        TEST(the_one_that_was_replaced_is_refused),
        TEST(result_of_another_job_does_not_count),
        TEST(lease_of_another_job_keeps_none_alive),
        TEST(lease_of_another_agent_is_not_its_to_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
