/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches that come back untried: the agent gets another at once, but not again
 * and again. An hour of it must not be an hour of grants at full speed.
 */
#include "tests/unit/core_farm.h"

/* Grants to an agent in a minute of which it makes what `end` does. */
static int grants(struct farm *farm, struct hand *hand,
                  void (*end)(struct farm *, struct hand *))
{
    int n = 0;
    int64_t until_ms = farm->now_ms + 60000;
    while (farm->now_ms < until_ms) {
        while (hand->state.n_leases > 0) {
            assert_true(++n < 1000);
            end(farm, hand);
            hand_take(farm, hand);
        }
        hand_say(farm, hand);
        hand_take(farm, hand);
        farm_tick(farm, 50);
        hand_take(farm, hand);
    }
    return n;
}

static enum fault way;

static void end_failed(struct farm *farm, struct hand *hand)
{
    hand_end(hand, 0, LEASE_FAILED, way, -1);
    hand_say(farm, hand);
    hand_drop(hand, 0);
}

static void end_declined(struct farm *farm, struct hand *hand)
{
    hand_drop(hand, 0);
    hand_say(farm, hand);
}

static void end_unsent(struct farm *farm, struct hand *hand)
{
    struct cmd cmd = {.type = CMD_UNSENT, .lease = hand->leases[0].lease};
    hand_drop(hand, 0);
    farm_do(farm, &cmd);
    hand_lane(farm, hand);
    hand_say(farm, hand);
}

static void begin(void **state, struct hand *hand, int32_t slots)
{
    farm_teardown(state);
    farm_setup(state);
    hand_init(hand, "a", slots);
    hand_join(*state, hand);
    farm_job(*state, "job", "1-60");
    assert_int_equal(hand_take(*state, hand), slots);
}

static void bounded(struct farm *farm, struct hand *hand,
                    void (*end)(struct farm *, struct hand *))
{
    assert_in_range(grants(farm, hand, end), 3, 15);
    assert_in_range(grants(farm, hand, end), 3, 7);
    assert_int_equal(farm->core->jobs->in[FRAME_PENDING].count, 60);
    assert_null(farm->core->jobs->attempts);
}

static void grants_are_bounded(void **state)
{
    static const enum fault ways[] = {FAULT_REFUSED,    FAULT_NODE_DOWN,
                                      FAULT_UNKNOWN,    FAULT_DISK_FULL,
                                      FAULT_UNWRITABLE, FAULT_NO_BLENDER};
    struct hand hand;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        way = ways[i];
        print_message("%s\n", fault_word(way));
        begin(state, &hand, 1);
        bounded(*state, &hand, end_failed);
    }
    begin(state, &hand, 1);
    bounded(*state, &hand, end_declined);
    begin(state, &hand, 1);
    bounded(*state, &hand, end_unsent);
}

/* Who is restless for a moment is not punished for it. */
static void two_in_a_row_cost_no_time(void **state)
{
    struct hand hand;
    way = FAULT_REFUSED;
    begin(state, &hand, 1);
    struct farm *farm = *state;
    for (int i = 0; i < 2; i++) {
        end_failed(farm, &hand);
        assert_int_equal(hand_take(farm, &hand), 1);
    }
    end_failed(farm, &hand);
    assert_int_equal(hand_take(farm, &hand), 0);
    assert_int_equal(agent_free(farm->core->agents), 0);
    assert_int_equal(farm->core->slots, 0);
    farm_tick(farm, 250);
    assert_int_equal(farm_count(farm, EVENT_RESTED), 1);
    assert_int_equal(hand_take(farm, &hand), 1);
    hand_finish(farm, &hand, 0);
    assert_int_equal(farm->core->agents->misses, 0);
}

/* All that it had came back for one reason. */
static void a_wave_counts_once(void **state)
{
    struct hand hand;
    begin(state, &hand, 8);
    struct farm *farm = *state;
    farm_tick(farm, 10);
    for (int i = 0; i < 8; i++)
        hand_end(&hand, i, LEASE_FAILED, FAULT_NODE_DOWN, -1);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_MISSED), 1);
    assert_int_equal(farm->core->agents->misses, 1);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 8);
}

static void unwell_node_rests_at_once(void **state)
{
    struct hand hand;
    way = FAULT_DISK_FULL;
    begin(state, &hand, 1);
    struct farm *farm = *state;
    end_failed(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    farm_tick(farm, 999);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    farm_tick(farm, 1);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

/* What says that it is not well shows no slots: no rest is needed. */
static void node_that_says_it_is_unwell_gets_nothing(void **state)
{
    struct hand hand;
    way = FAULT_DISK_FULL;
    begin(state, &hand, 1);
    struct farm *farm = *state;
    hand.state.slots = 0;
    hand.state.why = "the disk is full";
    end_failed(farm, &hand);
    for (int i = 0; i < 100; i++) {
        farm_tick(farm, 1000);
        assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
        hand_say(farm, &hand);
        assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    }
    hand.state.slots = 1;
    hand.state.why = "";
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

static void new_start_of_the_agent_begins_anew(void **state)
{
    struct hand hand;
    way = FAULT_REFUSED;
    begin(state, &hand, 1);
    struct farm *farm = *state;
    do
        end_failed(farm, &hand);
    while (hand_take(farm, &hand) > 0);
    struct cmd gone = {.type = CMD_GONE, .agent = "a", .inc = hand.state.inc};
    farm_do(farm, &gone);
    hand_init(&hand, "a", 1);
    hand_say(farm, &hand);
    hand_lane(farm, &hand);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

static enum fault a_crashes_b_gets_nothing(const char *agent, int32_t frame)
{
    if (agent[0] == 'b')
        return FAULT_UNKNOWN;
    return frame == 1 ? FAULT_CRASH : FAULT_NONE;
}

/* An agent whom no batch ever reaches (its lane's port is shut) is no reason to
 * spare others the frames they failed. */
static void resting_agent_is_not_waited_for(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    hand_init(&hands[0], "a", 1);
    hand_join(farm, &hands[0]);
    hand_init(&hands[1], "b", 1);
    hand_join(farm, &hands[1]);
    const struct job *job = farm_job(farm, "job", "1-60");
    for (int i = 0; i < 100 && !job_ended(job); i++) {
        farm_work(farm, hands, 2, a_crashes_b_gets_nothing, 100);
        farm_tick(farm, 1000);
    }
    assert_int_equal(job->in[FRAME_DONE].count, 59);
    assert_int_equal(job->in[FRAME_FAILED].count, 1);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(grants_are_bounded),
        TEST(two_in_a_row_cost_no_time),
        TEST(a_wave_counts_once),
        TEST(unwell_node_rests_at_once),
        TEST(node_that_says_it_is_unwell_gets_nothing),
        TEST(new_start_of_the_agent_begins_anew),
        TEST(resting_agent_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
