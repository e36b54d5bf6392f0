/* SPDX-License-Identifier: Apache-2.0
 *
 * Lanes and batches that do not arrive (rules R1 to R3).
 */
#include <string.h>

#include "tests/unit/core_farm.h"

/* An agent with a lane, and a job of which it was sent `slots` batches that it
 * has not seen yet. */
static struct job *begin(struct farm *farm, struct hand *hand, int32_t slots)
{
    hand_init(hand, "a", slots);
    hand_join(farm, hand);
    struct job *job = farm_job(farm, "job", "1-100");
    assert_int_equal(farm_count(farm, EVENT_LEASED), slots);
    return job;
}

static void lane_is_announced_until_it_is_taken(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_say(farm, &hand);
    uint64_t lane = farm_event(farm, EVENT_LANE, 0)->lane;
    assert_int_equal(farm_event(farm, EVENT_LANE, 0)->inc, hand.state.inc);
    farm_tick(farm, 2000);
    hand_say(farm, &hand);
    assert_int_equal(farm_event(farm, EVENT_LANE, 0)->lane, lane);
    farm_tick(farm, 2000);
    hand_say(farm, &hand); /* something is wrong with that one */
    assert_int_not_equal(farm_event(farm, EVENT_LANE, 0)->lane, lane);
    hand_lane(farm, &hand);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LANE), 0);
}

static void lane_of_another_epoch_is_none(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    farm_restart(farm, 0);
    farm_job(farm, "job", "1-5");
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LANE), 1);
    assert_int_equal(LEASE_EPOCH(farm_event(farm, EVENT_LANE, 0)->lane), 2);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    hand_lane(farm, &hand);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

static void batch_that_was_skipped_is_sent_again(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, 2);
    hand_take(farm, &hand);
    hand_drop(&hand, 0); /* only the second came */
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
    assert_int_equal(farm_event(farm, EVENT_RELEASED, 0)->fault, FAULT_UNKNOWN);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 0, 5);
}

static void batch_on_its_way_is_waited_for(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, 1);
    hand_say(farm, &hand);
    farm_tick(farm, 3999);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 0);
    farm->now_ms += 1;
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
    assert_int_equal(farm_count(farm, EVENT_LANE), 1); /* a late copy is void */
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    hand_lane(farm, &hand);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

/* The first of the batches on their way reaches the hand. */
static void arrive(struct hand *sent, struct hand *hand)
{
    size_t i = hand->state.n_leases++;
    hand->leases[i] = sent->leases[0];
    hand->leases[i].results = hand->results[i];
    hand->state.dseq++;
    hand_drop(sent, 0);
}

/* There are always some on their way, but none for long. */
static void busy_lane_is_not_replaced(void **state)
{
    struct farm *farm = *state;
    struct hand hand, sent;
    begin(farm, &hand, 3);
    sent = hand;
    assert_int_equal(hand_take(farm, &sent), 3);
    arrive(&sent, &hand);
    hand_say(farm, &hand);
    for (int i = 0; i < 5; i++) {
        farm_tick(farm, 2000);
        arrive(&sent, &hand);
        hand_finish(farm, &hand, 0);
        assert_int_equal(farm_count(farm, EVENT_LANE), 0);
        assert_int_equal(hand_take(farm, &sent), 1);
    }
}

static void agent_cannot_have_seen_more_than_was_sent(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 2);
    hand_join(farm, &hand);
    hand.state.dseq = 1000;
    hand_say(farm, &hand);
    assert_int_equal(agent_free(farm->core->agents), 2);
    farm_job(farm, "job", "1-100");
    assert_int_equal(farm_count(farm, EVENT_LEASED), 2);
    assert_int_equal(agent_free(farm->core->agents), 0);
}

static void unsent_batch_goes_back(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    hand_init(&b, "b", 1);
    begin(farm, &a, 1);
    struct cmd cmd = {.type = CMD_UNSENT,
                      .lease = farm_event(farm, EVENT_LEASED, 0)->lease};
    farm_do(farm, &cmd);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
    assert_int_equal(farm_count(farm, EVENT_LANE), 1);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    farm_do(farm, &cmd);
    assert_int_equal(farm->out.n, 0);
    hand_join(farm, &b);
    assert_int_equal(b.leases[0].from, 1);
}

static void lost_agent_has_no_lane(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, 1);
    hand_say(farm, &hand); /* the batch is not seen, and never will be */
    farm_tick(farm, 3000);
    farm_tick(farm, FARM_TTL_MS);
    assert_int_equal(farm->core->agents->life, AGENT_LOST);
    assert_int_equal(farm->core->agents->lane, 0);
    farm_tick(farm, 5000);
    assert_int_equal(farm->out.n, 0);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LANE), 1);
}

static void leaving_agent_needs_no_lane(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand.state.leaving = true;
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LANE), 0);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(lane_is_announced_until_it_is_taken),
        TEST(lane_of_another_epoch_is_none),
        TEST(batch_that_was_skipped_is_sent_again),
        TEST(batch_on_its_way_is_waited_for),
        TEST(busy_lane_is_not_replaced),
        TEST(agent_cannot_have_seen_more_than_was_sent),
        TEST(unsent_batch_goes_back),
        TEST(lost_agent_has_no_lane),
        TEST(leaving_agent_needs_no_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
