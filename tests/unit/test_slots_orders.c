/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's pure part under orders: stop, trim, forget, leave; and what it
 * makes of leases that an earlier run has left.
 */
#include "tests/unit/slots_world.h"

/* --- Orders. --- */

static void test_revoke_unposted(void **state)
{
    struct world *world = *state;
    assert_true(give(world, 1, 1, 3));
    slots_revoke(&world->slots, ID(1));
    assert_acts(world, "end1");
    assert_status(world, 1, LEASE_STOPPED);
}

static void test_revoke_while_posting(void **state)
{
    struct world *world = *state;
    assert_true(give(world, 1, 1, 3));
    assert_acts(world, "save1 post1");
    slots_revoke(&world->slots, ID(1));
    assert_acts(world, "");
    assert_status(world, 1, LEASE_STOPPING);
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_TAKEN, .pid = 7));
    assert_acts(world, "save1 stop1");
}

/* Its scene is on its way: the node has seen nothing of it yet. */
static void test_orders_while_fetching(void **state)
{
    struct world *world = *state;
    assert_true(give(world, 1, 1, 3));
    assert_acts(world, "save1 post1");
    slots_fetching(&world->slots, ID(1));
    trim(world, 1, 2);
    assert_acts(world, "save1");
    assert_int_equal(slots_find(&world->slots, ID(1))->to, 2);
    slots_revoke(&world->slots, ID(1));
    assert_acts(world, "end1");
    assert_status(world, 1, LEASE_STOPPED);
    slots_fetched(&world->slots, world->slots.now_ms, ID(1), "/a.blend",
                  FAULT_NONE, NULL); /* too late */
    assert_acts(world, "");
    assert_null(slots_find(&world->slots, ID(1))->blend);
}

static void test_leave_while_fetching(void **state)
{
    struct world *world = *state;
    assert_true(give(world, 1, 1, 3));
    assert_acts(world, "save1 post1");
    slots_fetching(&world->slots, ID(1));
    slots_leave(&world->slots);
    assert_acts(world, "end1");
    assert_status(world, 1, LEASE_STOPPED);
}

static void test_scene_that_does_not_come(void **state)
{
    struct world *world = *state;
    assert_true(give(world, 1, 1, 3));
    assert_acts(world, "save1 post1");
    slots_fetching(&world->slots, ID(1));
    slots_fetched(&world->slots, world->slots.now_ms, ID(1), NULL,
                  FAULT_NOT_FETCHED, "no room");
    assert_acts(world, "end1");
    assert_status(world, 1, LEASE_FAILED);
    assert_int_equal(shown(world, 1)->fault, FAULT_NOT_FETCHED);
    assert_int_equal(shown(world, 1)->blamed, -1);
}

static void test_revoke_running(void **state)
{
    struct world *world = *state;
    const struct answer_frame one[] = {{1, 100, "[]"}};
    give_running(world, 1, 1, 3);
    slots_revoke(&world->slots, ID(1));
    slots_revoke(&world->slots, ID(1));
    assert_acts(world, "stop1");
    assert_status(world, 1, LEASE_STOPPING);
    answer(world, 1, CALL_STOP, ANSWER(.word = ANSWER_SILENT));
    pass(world, 249);
    assert_acts(world, "poll1");
    pass(world, 1);
    assert_acts(world, "stop1");
    answer(world, 1, CALL_STOP, ANSWER(.word = ANSWER_AGREED));
    pass(world, 1000);
    assert_acts(world, "");
    assert_int_equal(slots_live(&world->slots), 1);
    answer(world, 1, CALL_POLL,
           ANSWER(.word = ANSWER_STOPPED, .frames = one, .n_frames = 1));
    assert_acts(world, "end1");
    assert_status(world, 1, LEASE_STOPPED);
    assert_int_equal(shown(world, 1)->n_results, 1);
}

/* All of it was rendered before the stop got there. */
static void test_revoked_too_late(void **state)
{
    struct world *world = *state;
    const struct answer_frame one[] = {{1, 100, "[]"}};
    give_running(world, 1, 1, 1);
    slots_revoke(&world->slots, ID(1));
    step(world);
    answer(world, 1, CALL_STOP, ANSWER(.word = ANSWER_AGREED));
    answer(world, 1, CALL_POLL,
           ANSWER(.word = ANSWER_COMPLETED, .frames = one, .n_frames = 1));
    step(world);
    assert_status(world, 1, LEASE_DONE);
}

static void test_revoke_classic_keeps_slot(void **state)
{
    struct world *world = *state;
    use_classic(world, false);
    give_running(world, 1, 1, 3);
    slots_revoke(&world->slots, ID(1));
    assert_acts(world, "");
    assert_status(world, 1, LEASE_STOPPING);
    assert_int_equal(room(world), 1);
    assert_false(give(world, 2, 4, 6));
    pass(world, 120000);
    step(world);
    assert_int_equal(room(world), 1);
    pass(world, 1);
    step(world);
    assert_int_equal(room(world), 0);
    assert_non_null(strstr(world->state.state.why, "long ago"));
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_COMPLETED));
    step(world);
    assert_status(world, 1, LEASE_DONE);
    assert_int_equal(room(world), 1);
}

static void test_revoked_node_gone(void **state)
{
    struct world *world = *state;
    give_running(world, 1, 1, 3);
    slots_revoke(&world->slots, ID(1));
    step(world);
    answer(world, 1, CALL_STOP, ANSWER(.word = ANSWER_UNKNOWN));
    step(world);
    assert_status(world, 1, LEASE_STOPPED);
}

static void test_trim_unposted(void **state)
{
    struct world *world = *state;
    assert_true(give(world, 1, 1, 9));
    trim(world, 1, 4);
    assert_acts(world, "save1 save1 post1");
    assert_int_equal(shown(world, 1)->to, 4);
}

static void test_trim_all_of_unposted(void **state)
{
    struct world *world = *state;
    assert_true(give(world, 1, 5, 9));
    trim(world, 1, 4);
    assert_acts(world, "end1");
    assert_status(world, 1, LEASE_STOPPED);
}

static void test_trim_running(void **state)
{
    struct world *world = *state;
    give_running(world, 1, 1, 9);
    trim(world, 1, 4);
    trim(world, 1, 4);
    assert_acts(world, "trim1:4");
    assert_int_equal(shown(world, 1)->to, 9);
    answer(world, 1, CALL_TRIM, ANSWER(.word = ANSWER_TRIMMED, .to = 6));
    slots_news(&world->slots);
    assert_acts(world, "save1");
    assert_int_equal(slots_news(&world->slots), NEWS_NOW);
    assert_int_equal(shown(world, 1)->to, 6);
    trim(world, 1, 4);
    trim(world, 1, 7);
    assert_acts(world, "");
    trim(world, 1, 2);
    assert_acts(world, "trim1:2");
}

static void test_trim_that_failed(void **state)
{
    struct world *world = *state;
    give_running(world, 1, 1, 9);
    trim(world, 1, 4);
    assert_acts(world, "trim1:4");
    answer(world, 1, CALL_TRIM, ANSWER(.word = ANSWER_SILENT));
    assert_acts(world, "");
    trim(world, 1, 4);
    assert_acts(world, "trim1:4");
}

/* The answer to a trim was lost; the node's next word tells. */
static void test_trim_seen_in_poll(void **state)
{
    struct world *world = *state;
    give_running(world, 1, 1, 9);
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_RUNNING, .to = 5));
    step(world);
    assert_int_equal(shown(world, 1)->to, 5);
}

static void test_trim_never_below_results(void **state)
{
    struct world *world = *state;
    const struct answer_frame some[] = {{1, 1, ""}, {7, 1, ""}};
    struct msg_batch batch = batch_of(1, 1, 21);
    batch.step = 2;
    assert_true(slots_batch(&world->slots, world->now_ms, &batch));
    step(world);
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_TAKEN, .pid = 7));
    answer(world, 1, CALL_POLL,
           ANSWER(.word = ANSWER_RUNNING, .frame = 9, .frames = some,
                  .n_frames = 2));
    trim(world, 1, 3);
    step(world);
    answer(world, 1, CALL_TRIM, ANSWER(.word = ANSWER_TRIMMED, .to = 14));
    step(world);
    assert_int_equal(shown(world, 1)->to, 13);
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_RUNNING, .to = 2));
    step(world);
    assert_int_equal(shown(world, 1)->to, 7);
}

static void test_trim_classic_is_ignored(void **state)
{
    struct world *world = *state;
    use_classic(world, false);
    give_running(world, 1, 1, 9);
    trim(world, 1, 4);
    assert_acts(world, "");
    assert_int_equal(shown(world, 1)->to, 9);
}

static void test_closed_while_running(void **state)
{
    struct world *world = *state;
    give_running(world, 1, 1, 9);
    ack(world, 1, 1, 0, true);
    assert_acts(world, "stop1");
    assert_status(world, 1, LEASE_STOPPING);
    answer(world, 1, CALL_STOP, ANSWER(.word = ANSWER_AGREED));
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_STOPPED));
    assert_acts(world, "end1 forget1");
}

/* --- Leaving. --- */

static void test_leave(void **state)
{
    struct world *world = *state;
    struct node_facts facts = ours;
    facts.slots = 3;
    slots_node(&world->slots, world->now_ms, &facts);
    give_running(world, 1, 1, 9);
    pass(world, 10);
    step(world);
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_RUNNING, .frame = 3));
    assert_true(give(world, 2, 10, 19));
    assert_acts(world, "poll1 save2 post2");
    assert_true(give(world, 3, 20, 29));
    slots_leave(&world->slots);
    assert_acts(world, "trim1:3 end3");
    assert_true(world->state.state.leaving);
    assert_int_equal(room(world), 0);
    assert_status(world, 3, LEASE_STOPPED);
    answer(world, 2, CALL_POST, ANSWER(.word = ANSWER_TAKEN, .pid = 8));
    assert_acts(world, "save2 trim2:10");
    slots_abandon(&world->slots);
    assert_acts(world, "end1 end2");
    assert_status(world, 1, LEASE_STOPPED);
    assert_int_equal(slots_live(&world->slots), 0);
}

static void test_leave_classic(void **state)
{
    struct world *world = *state;
    use_classic(world, false);
    give_running(world, 1, 1, 9);
    slots_leave(&world->slots);
    assert_acts(world, "");
    assert_status(world, 1, LEASE_RUNNING);
}

/* --- Leases of an earlier run. --- */

static void test_adopt_with_pid(void **state)
{
    struct world *world = *state;
    struct msg_batch batch = batch_of(1, 1, 3);
    slots_init(&world->slots, 0, false);
    slots_adopt(&world->slots, world->now_ms, &batch, 5000, 7);
    slots_adopt(&world->slots, world->now_ms, &batch, 5000, 7);
    assert_acts(world, "");
    assert_int_equal(world->slots.n_leases, 1);
    assert_status(world, 1, LEASE_RUNNING);
    slots_node(&world->slots, world->now_ms, &ours);
    assert_acts(world, "poll1");
}

static void test_adopt_without_pid(void **state)
{
    struct world *world = *state;
    struct msg_batch batch = batch_of(1, 1, 3);
    slots_adopt(&world->slots, world->now_ms, &batch, 5000, 0);
    assert_acts(world, "post1");
    use_classic(world, false);
    slots_adopt(&world->slots, world->now_ms, &batch, world->now_ms - 29999, 0);
    assert_acts(world, "");
    pass(world, 1);
    assert_acts(world, "end1");
    assert_failed(world, 1, FAULT_UNKNOWN, -1);
}

static void test_adopt_lost(void **state)
{
    struct world *world = *state;
    struct msg_batch batch = batch_of(1, 1, 3);
    slots_adopt_lost(&world->slots, world->now_ms, &batch, "moved");
    assert_acts(world, "end1");
    assert_failed(world, 1, FAULT_UNKNOWN, -1);
    assert_string_equal(shown(world, 1)->text, "moved");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_revoke_unposted),
        TEST(test_revoke_while_posting),
        TEST(test_orders_while_fetching),
        TEST(test_leave_while_fetching),
        TEST(test_scene_that_does_not_come),
        TEST(test_revoke_running),
        TEST(test_revoked_too_late),
        TEST(test_revoke_classic_keeps_slot),
        TEST(test_revoked_node_gone),
        TEST(test_trim_unposted),
        TEST(test_trim_all_of_unposted),
        TEST(test_trim_running),
        TEST(test_trim_that_failed),
        TEST(test_trim_seen_in_poll),
        TEST(test_trim_never_below_results),
        TEST(test_trim_classic_is_ignored),
        TEST(test_closed_while_running),
        TEST(test_leave),
        TEST(test_leave_classic),
        TEST(test_adopt_with_pid),
        TEST(test_adopt_without_pid),
        TEST(test_adopt_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
