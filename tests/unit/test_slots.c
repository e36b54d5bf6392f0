/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's pure part, scenario by scenario: what comes in, which acts come
 * out, what a STATE then says. Lives and deaths beside nodes of both kinds.
 */
#include "tests/unit/slots_world.h"

/* --- A life at our own node. --- */

static void test_life(void **state)
{
    struct world *world = *state;
    const struct answer_frame two[] = {{1, 100, "[]"}, {2, 110, "[]"}};
    assert_true(give(world, 1, 1, 2));
    assert_acts(world, "save1 post1");
    assert_status(world, 1, LEASE_ACCEPTED);
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_TAKEN, .pid = 7));
    assert_acts(world, "save1");
    pass(world, 10);
    assert_acts(world, "poll1");
    answer(world, 1, CALL_POLL,
           ANSWER(.word = ANSWER_RUNNING, .revision = 2, .frame = 2,
                  .permille = 500, .frames = two, .n_frames = 1));
    pass(world, 10);
    assert_acts(world, "poll1");
    assert_status(world, 1, LEASE_RUNNING);
    assert_int_equal(shown(world, 1)->frame, 2);
    assert_int_equal(shown(world, 1)->permille, 500);
    assert_int_equal(shown(world, 1)->done, 1);
    assert_int_equal(shown(world, 1)->results[0].ms, 100);
    answer(world, 1, CALL_POLL,
           ANSWER(.word = ANSWER_COMPLETED, .revision = 3, .frames = two,
                  .n_frames = 2));
    assert_acts(world, "end1");
    assert_status(world, 1, LEASE_DONE);
    assert_int_equal(shown(world, 1)->n_results, 2);
    assert_int_equal(slots_live(&world->slots), 0);
    ack(world, 1, 1, 1, false);
    assert_acts(world, "");
    assert_int_equal(shown(world, 1)->n_results, 1);
    assert_int_equal(shown(world, 1)->done, 2);
    ack(world, 1, 2, 2, true);
    assert_acts(world, "forget1");
    assert_null(shown(world, 1));
}

static void test_news(void **state)
{
    struct world *world = *state;
    const struct answer_frame one[] = {{1, 100, "[]"}};
    step(world);
    assert_int_equal(slots_news(&world->slots), NEWS_NOW);
    assert_int_equal(slots_news(&world->slots), NEWS_NONE);
    give_running(world, 1, 1, 3);
    assert_int_equal(slots_news(&world->slots), NEWS_NOW);
    pass(world, 10);
    step(world);
    assert_int_equal(slots_news(&world->slots), NEWS_NONE);
    answer(world, 1, CALL_POLL,
           ANSWER(.word = ANSWER_RUNNING, .frames = one, .n_frames = 1));
    step(world);
    assert_int_equal(slots_news(&world->slots), NEWS_PROGRESS);
    slots_revoke(&world->slots, ID(1));
    step(world);
    assert_int_equal(slots_news(&world->slots), NEWS_NOW);
}

static void test_declines(void **state)
{
    struct world *world = *state;
    struct node_facts facts = ours;
    assert_true(give(world, 1, 1, 5));
    assert_true(give(world, 1, 1, 5));
    assert_int_equal(world->slots.n_leases, 1);
    assert_false(give(world, 2, 6, 10));
    facts.slots = 2;
    slots_node(&world->slots, world->now_ms, &facts);
    assert_true(give(world, 2, 6, 10));
    facts.up = false;
    facts.slots = 9;
    slots_node(&world->slots, world->now_ms, &facts);
    assert_false(give(world, 3, 11, 15));
    facts.up = true;
    facts.well = false;
    slots_node(&world->slots, world->now_ms, &facts);
    assert_false(give(world, 3, 11, 15));
    slots_node(&world->slots, world->now_ms, &ours);
    slots_leave(&world->slots);
    assert_false(give(world, 3, 11, 15));
}

static void test_slots_asked_for(void **state)
{
    struct world *world = *state;
    slots_init(&world->slots, 3, false);
    step(world);
    assert_int_equal(room(world), 0);
    assert_string_equal(world->state.state.why,
                        "the node has not answered yet");
    slots_node(&world->slots, world->now_ms, &classic);
    step(world);
    assert_int_equal(room(world), 3);
}

/* --- Classic nodes. --- */

static void test_classic_believed(void **state)
{
    struct world *world = *state;
    use_classic(world, false);
    give_running(world, 1, 11, 14);
    pass(world, 400);
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_COMPLETED));
    assert_acts(world, "end1");
    assert_status(world, 1, LEASE_DONE);
    assert_int_equal(shown(world, 1)->n_results, 4);
    assert_int_equal(shown(world, 1)->results[3].frame, 14);
    assert_int_equal(shown(world, 1)->results[3].ms, 100);
    assert_string_equal(shown(world, 1)->results[3].files, "");
}

/* Polls of a launch of total_ms; returns how long after its end the end was
 * noticed. */
static int64_t poll_to_end(struct world *world, unsigned n, int64_t total_ms,
                           int *ret_polls)
{
    int64_t began_ms = world->now_ms;
    give_running(world, n, 1, 10);
    for (*ret_polls = 0;; ++*ret_polls) {
        int64_t wait_ms = pass_to_act(world, 5000);
        assert_in_range(wait_ms, 10, 1000);
        bool over = world->now_ms - began_ms >= total_ms;
        answer(world, n, CALL_POLL,
               ANSWER(.word = over ? ANSWER_COMPLETED : ANSWER_RUNNING));
        if (over)
            return world->now_ms - began_ms - total_ms;
    }
}

static void test_classic_polls(void **state)
{
    struct world *world = *state;
    int polls;
    use_classic(world, false);
    assert_in_range(poll_to_end(world, 1, 1000, &polls), 0, 50);
    step(world);
    assert_in_range(poll_to_end(world, 2, 1000, &polls), 0, 50);
    assert_in_range(polls, 2, 8); /* it knows when to expect the end */
    step(world);
    assert_in_range(poll_to_end(world, 3, 30000, &polls), 0, 620);
    assert_in_range(polls, 2, 170);
}

/* Where launches are short an end is noticed within 10 ms, once it is known
 * how short they are. */
static void test_classic_short_polls(void **state)
{
    struct world *world = *state;
    int polls;
    use_classic(world, false);
    for (unsigned n = 1; n < 6; n++) {
        poll_to_end(world, n, 60, &polls);
        step(world);
    }
    for (unsigned n = 6; n < 10; n++) {
        step(world);
        assert_in_range(poll_to_end(world, n, 60, &polls), 0, 10);
        assert_in_range(polls, 1, 8);
    }
}

static void test_proven_frames_end_early(void **state)
{
    struct world *world = *state;
    use_classic(world, true);
    give_running(world, 1, 1, 4);
    slots_proven(&world->slots, ID(1), 1, 120, "[{}]");
    slots_proven(&world->slots, ID(1), 2, 130, "[{}]");
    slots_proven(&world->slots, ID(1), 2, 999, "[]");
    slots_proven(&world->slots, ID(1), 9, 999, "[]");
    step(world);
    assert_int_equal(shown(world, 1)->done, 2);
    assert_int_equal(shown(world, 1)->frame, 3);
    assert_int_equal(shown(world, 1)->results[1].ms, 130);
}

static void test_completed_is_not_proof(void **state)
{
    struct world *world = *state;
    use_classic(world, true);
    give_running(world, 1, 1, 5);
    slots_proven(&world->slots, ID(1), 1, 120, "[{}]");
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_COMPLETED));
    assert_acts(world, "settle1");
    assert_status(world, 1, LEASE_RUNNING);
    slots_proven(&world->slots, ID(1), 2, 120, "[{}]");
    slots_proven(&world->slots, ID(1), 4, 120, "[{}]");
    slots_settled(&world->slots, world->now_ms, ID(1));
    assert_acts(world, "end1");
    assert_failed(world, 1, FAULT_UNPROVEN, 3);
    assert_int_equal(shown(world, 1)->n_results, 3);
    assert_non_null(strstr(shown(world, 1)->text, "frame 3"));
}

static void test_settled_whole(void **state)
{
    struct world *world = *state;
    use_classic(world, true);
    give_running(world, 1, 1, 1);
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_COMPLETED));
    slots_proven(&world->slots, ID(1), 1, 120, "[{}]");
    assert_acts(world, "settle1");
    slots_settled(&world->slots, world->now_ms, ID(1));
    slots_settled(&world->slots, world->now_ms, ID(1));
    assert_acts(world, "end1");
    assert_status(world, 1, LEASE_DONE);
}

/* --- Starts that fail. --- */

static void test_busy(void **state)
{
    struct world *world = *state;
    assert_true(give(world, 1, 1, 5));
    assert_acts(world, "save1 post1");
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_BUSY, .text = "full"));
    assert_acts(world, "end1");
    assert_failed(world, 1, FAULT_REFUSED, -1);
    assert_string_equal(shown(world, 1)->text, "full");
    assert_int_equal(room(world), 0);
    assert_string_equal(world->state.state.why, "full");
    assert_false(give(world, 2, 1, 5));
    pass(world, 199);
    step(world);
    assert_int_equal(room(world), 0);
    assert_int_equal(slots_next(&world->slots), world->now_ms + 1);
    pass(world, 1);
    slots_news(&world->slots);
    step(world);
    assert_int_equal(room(world), 1);
    assert_int_equal(slots_news(&world->slots), NEWS_NOW);
}

/* Refusals one after the other make longer and longer pauses; a start ends
 * that. */
static void test_pauses_grow(void **state)
{
    struct world *world = *state;
    static const int64_t pauses[] = {200,  400,  800,   1600,
                                     3200, 6400, 10000, 10000};
    unsigned n = 1;
    for (; n <= 8; n++) {
        assert_true(give(world, n, 1, 5));
        step(world);
        answer(world, n, CALL_POST, ANSWER(.word = ANSWER_BUSY));
        step(world);
        assert_int_equal(world->slots.pause_until_ms - world->now_ms,
                         pauses[n - 1]);
        pass(world, pauses[n - 1]);
    }
    give_running(world, n, 1, 5);
    answer(world, n, CALL_POLL, ANSWER(.word = ANSWER_UNKNOWN));
    step(world);
    assert_true(give(world, n + 1, 1, 5));
    step(world);
    answer(world, n + 1, CALL_POST, ANSWER(.word = ANSWER_BUSY));
    assert_int_equal(world->slots.pause_until_ms - world->now_ms, 200);
}

static void test_refused(void **state)
{
    struct world *world = *state;
    assert_true(give(world, 1, 1, 5));
    step(world);
    answer(world, 1, CALL_POST,
           ANSWER(.word = ANSWER_REFUSED, .fault = FAULT_INVALID,
                  .text = "no such file"));
    step(world);
    assert_failed(world, 1, FAULT_INVALID, 1);
    assert_string_equal(shown(world, 1)->text, "no such file");
    assert_int_equal(room(world), 1); /* other jobs may well be taken */
}

static void test_unsent_is_given_back_at_once(void **state)
{
    struct world *world = *state;
    assert_true(give(world, 1, 1, 5));
    step(world);
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_UNSENT));
    step(world);
    assert_failed(world, 1, FAULT_NODE_DOWN, -1);
}

static void test_silent_is_asked_again_by_key(void **state)
{
    struct world *world = *state;
    assert_true(give(world, 1, 1, 5));
    assert_acts(world, "save1 post1");
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_SILENT));
    assert_acts(world, "");
    assert_status(world, 1, LEASE_RUNNING);
    pass(world, 250);
    assert_acts(world, "post1");
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_UNSENT));
    pass(world, 250);
    assert_acts(world, "post1");
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_TAKEN, .pid = 7));
    pass(world, 10);
    assert_acts(world, "save1 poll1");
}

static void test_silent_is_given_up(void **state)
{
    struct world *world = *state;
    int64_t began_ms = world->now_ms;
    assert_true(give(world, 1, 1, 5));
    step(world);
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_SILENT));
    while (slots_live(&world->slots) > 0) {
        pass_to_act(world, 2000);
        answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_SILENT));
    }
    step(world);
    assert_failed(world, 1, FAULT_NODE_DOWN, -1);
    assert_in_range(world->now_ms - began_ms, 30000, 32000);
}

/* A classic node may have started it: it is never posted a second time, and
 * nothing else is until that launch would be over. */
static void test_classic_silent_is_waited_for(void **state)
{
    struct world *world = *state;
    use_classic(world, true);
    assert_true(give(world, 1, 1, 3));
    assert_acts(world, "save1 post1");
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_SILENT));
    slots_proven(&world->slots, ID(1), 1, 8000, "[{}]");
    assert_int_equal(pass_to_act(world, 100000), 36000);
    assert_string_equal(buf_text(&world->log), "settle1");
    assert_false(give(world, 2, 4, 6));
    slots_settled(&world->slots, world->now_ms, ID(1));
    step(world);
    assert_failed(world, 1, FAULT_UNKNOWN, -1);
    assert_int_equal(shown(world, 1)->n_results, 1);
    assert_true(give(world, 2, 4, 6));
}

static void test_classic_silent_but_whole(void **state)
{
    struct world *world = *state;
    use_classic(world, true);
    assert_true(give(world, 1, 1, 2));
    step(world);
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_SILENT));
    slots_proven(&world->slots, ID(1), 1, 100, "[{}]");
    slots_proven(&world->slots, ID(1), 2, 100, "[{}]");
    buf_clear(&world->log);
    assert_acts(world, "settle1");
    slots_settled(&world->slots, world->now_ms, ID(1));
    step(world);
    assert_status(world, 1, LEASE_DONE);
    assert_string_equal(shown(world, 1)->text, "");
}

/* 202 and no number: it runs, and can't be asked for. */
static void test_classic_without_pid(void **state)
{
    struct world *world = *state;
    use_classic(world, false);
    assert_true(give(world, 1, 1, 1));
    step(world);
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_TAKEN));
    buf_clear(&world->log);
    assert_acts(world, "save1");
    assert_int_equal(pass_to_act(world, 100000), 10000);
    assert_string_equal(buf_text(&world->log), "end1");
    assert_failed(world, 1, FAULT_UNKNOWN, -1);
}

static void test_classic_nonsense(void **state)
{
    struct world *world = *state;
    use_classic(world, false);
    assert_true(give(world, 1, 1, 1));
    step(world);
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_ODD, .text = "html"));
    step(world);
    assert_failed(world, 1, FAULT_REFUSED, -1);
}

/* --- Nodes that go away. --- */

static void test_node_forgets(void **state)
{
    struct world *world = *state;
    const struct answer_frame one[] = {{1, 100, "[]"}};
    give_running(world, 1, 1, 3);
    answer(world, 1, CALL_POLL,
           ANSWER(.word = ANSWER_RUNNING, .frames = one, .n_frames = 1));
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_UNKNOWN));
    assert_acts(world, "end1");
    assert_failed(world, 1, FAULT_NODE_DOWN, 2);
    assert_int_equal(shown(world, 1)->n_results, 1);
}

/* A restarted classic node counts from 1 again: its first launch is given the
 * number of one that is gone, whose end must not be taken from it. */
static void test_number_given_again(void **state)
{
    struct world *world = *state;
    use_classic(world, false);
    world->slots.wanted = 2;
    give_running(world, 1, 1, 3);
    assert_true(give(world, 2, 4, 6));
    step(world);
    answer(world, 2, CALL_POST, ANSWER(.word = ANSWER_TAKEN, .pid = 7));
    step(world);
    assert_failed(world, 1, FAULT_NODE_DOWN, 1);
    assert_status(world, 2, LEASE_RUNNING);
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_COMPLETED));
    answer(world, 2, CALL_POLL, ANSWER(.word = ANSWER_COMPLETED));
    step(world);
    assert_failed(world, 1, FAULT_NODE_DOWN, 1);
    assert_status(world, 2, LEASE_DONE);
}

static int64_t fail_polls(struct world *world, enum answer_word word)
{
    int64_t began_ms = world->now_ms;
    while (slots_live(&world->slots) > 0) {
        answer(world, 1, CALL_POLL, ANSWER(.word = word, .text = "gone"));
        assert_in_range(pass_to_act(world, 5000), 0, 1000);
    }
    return world->now_ms - began_ms;
}

static void test_node_away(void **state)
{
    struct world *world = *state;
    give_running(world, 1, 1, 3);
    for (int i = 0; i < 5; i++) {
        answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_UNSENT));
        pass_to_act(world, 5000);
        assert_string_equal(buf_text(&world->log), "poll1");
    }
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_RUNNING));
    assert_in_range(fail_polls(world, ANSWER_UNSENT), 10000, 11000);
    assert_failed(world, 1, FAULT_NODE_DOWN, 1);
    assert_string_equal(shown(world, 1)->text, "gone");
}

static void test_node_silent(void **state)
{
    struct world *world = *state;
    give_running(world, 1, 1, 3);
    assert_in_range(fail_polls(world, ANSWER_SILENT), 30000, 31000);
    assert_failed(world, 1, FAULT_NODE_DOWN, 1);
}

/* A long poll that stays open does not hold up what the watch has found out. */
static void test_node_down_ends_open_poll(void **state)
{
    struct world *world = *state;
    struct node_facts down = ours;
    give_running(world, 1, 1, 3);
    pass(world, 10);
    assert_acts(world, "poll1");
    down.up = false;
    snprintf(down.error, sizeof down.error, "no answer");
    slots_node(&world->slots, world->now_ms, &down);
    slots_node(&world->slots, world->now_ms + 5000, &down);
    assert_int_equal(pass_to_act(world, 60000), 10000);
    assert_string_equal(buf_text(&world->log), "end1");
    assert_failed(world, 1, FAULT_NODE_DOWN, 1);
    assert_string_equal(shown(world, 1)->text, "no answer");
}

static void test_node_back_in_time(void **state)
{
    struct world *world = *state;
    struct node_facts down = ours;
    give_running(world, 1, 1, 3);
    pass(world, 10);
    step(world);
    down.up = false;
    slots_node(&world->slots, world->now_ms, &down);
    pass(world, 9999);
    slots_node(&world->slots, world->now_ms, &ours);
    pass(world, 9999);
    step(world);
    assert_status(world, 1, LEASE_RUNNING);
}

static void test_node_failure(void **state)
{
    struct world *world = *state;
    const struct answer_frame one[] = {{1, 100, "[]"}};
    give_running(world, 1, 1, 3);
    answer(world, 1, CALL_POLL,
           ANSWER(.word = ANSWER_FAILED, .fault = FAULT_CRASH, .text = "boom",
                  .frames = one, .n_frames = 1));
    step(world);
    assert_failed(world, 1, FAULT_CRASH, 2);
    assert_int_equal(room(world), 1);
}

/* A node that is unwell gets no more work before it had time to say so. */
static void test_unwell_node_pauses(void **state)
{
    struct world *world = *state;
    give_running(world, 1, 1, 3);
    answer(world, 1, CALL_POLL,
           ANSWER(.word = ANSWER_FAILED, .fault = FAULT_DISK_FULL,
                  .text = "no room"));
    step(world);
    assert_failed(world, 1, FAULT_DISK_FULL, -1);
    assert_int_equal(room(world), 0);
    assert_string_equal(world->state.state.why, "no room");
}

/* Completed, says our node, and shows less than it was asked for. */
static void test_ours_completed_short(void **state)
{
    struct world *world = *state;
    const struct answer_frame one[] = {{2, 100, "[]"}};
    give_running(world, 1, 1, 2);
    answer(world, 1, CALL_POLL,
           ANSWER(.word = ANSWER_COMPLETED, .frames = one, .n_frames = 1));
    step(world);
    assert_failed(world, 1, FAULT_UNPROVEN, 1);
}

/* --- What fits in a STATE. --- */

static void prove_all(struct world *world, unsigned n, int32_t to,
                      const char *files)
{
    for (int32_t i = 1; i <= to; i++)
        slots_proven(&world->slots, ID(n), i, 1, files);
}

static void test_many_results(void **state)
{
    struct world *world = *state;
    give_running(world, 1, 1, LIMIT_RESULTS + 10);
    prove_all(world, 1, LIMIT_RESULTS + 10, "[]");
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_COMPLETED));
    step(world);
    assert_status(world, 1, LEASE_RUNNING); /* until all can be shown */
    assert_int_equal(shown(world, 1)->n_results, LIMIT_RESULTS);
    ack(world, 1, 1, 9, false);
    step(world);
    assert_status(world, 1, LEASE_RUNNING);
    ack(world, 1, 10, 10, false);
    step(world);
    assert_status(world, 1, LEASE_DONE);
    assert_int_equal(shown(world, 1)->n_results, LIMIT_RESULTS);
    assert_int_equal(shown(world, 1)->done, LIMIT_RESULTS + 10);
}

static void test_large_results(void **state)
{
    struct world *world = *state;
    static char files[LIMIT_FILES + 1];
    memset(files, ' ', LIMIT_FILES);
    files[0] = '[';
    files[LIMIT_FILES - 1] = ']';
    give_running(world, 1, 1, 200);
    prove_all(world, 1, 200, files);
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_COMPLETED));
    step(world);
    assert_status(world, 1, LEASE_RUNNING);
    assert_in_range(shown(world, 1)->n_results, 100, 130);
    ack(world, 1, 1, 100, false);
    step(world);
    assert_status(world, 1, LEASE_DONE);
    assert_int_equal(shown(world, 1)->n_results, 100);
}

/* What an older lease has to say leaves a younger one that was shown as over no
 * room. */
static void test_over_stays_over(void **state)
{
    struct world *world = *state;
    slots_done(&world->slots);
    slots_init(&world->slots, 2, false);
    slots_node(&world->slots, world->now_ms, &ours);
    give_running(world, 1, 1, LIMIT_RESULTS);
    give_running(world, 2, 1, 10);
    prove_all(world, 2, 10, "[]");
    answer(world, 2, CALL_POLL, ANSWER(.word = ANSWER_COMPLETED));
    step(world);
    assert_status(world, 2, LEASE_DONE);
    prove_all(world, 1, LIMIT_RESULTS, "[]");
    step(world);
    assert_status(world, 2, LEASE_DONE);
    assert_int_equal(shown(world, 2)->n_results, 10);
    assert_int_equal(shown(world, 1)->n_results, LIMIT_RESULTS - 10);
}

/* As many leases as there can be, each with the longest text. */
static void test_full_table(void **state)
{
    struct world *world = *state;
    static char text[LIMIT_REASON + 1];
    memset(text, 'x', LIMIT_REASON);
    for (unsigned n = 1; n <= LIMIT_LEASES + 1; n++) {
        struct msg_batch batch = batch_of(n, 1, 1);
        slots_adopt_lost(&world->slots, world->now_ms, &batch, text);
    }
    step(world);
    assert_int_equal(world->state.state.n_leases, LIMIT_LEASES);
    assert_false(give(world, 999, 1, 1));
}

/* --- Nonsense. --- */

static void test_late_and_strange_answers(void **state)
{
    struct world *world = *state;
    const struct answer_frame odd[] = {
        {0, 1, ""}, {4, 1, ""}, {1048574, 1, ""}, {2, 1, ""}, {2, 9, ""}};
    answer(world, 42, CALL_POST, ANSWER(.word = ANSWER_TAKEN, .pid = 7));
    slots_revoke(&world->slots, ID(42));
    trim(world, 42, 1);
    ack(world, 42, 1, 2, true);
    assert_acts(world, "");
    give_running(world, 1, 1, 3);
    answer(world, 1, CALL_POLL,
           ANSWER(.word = ANSWER_RUNNING, .to = 1048574, .frame = 77,
                  .permille = 9, .frames = odd, .n_frames = 5));
    step(world);
    assert_int_equal(shown(world, 1)->frame, -1);
    assert_int_equal(shown(world, 1)->permille, 0);
    assert_int_equal(shown(world, 1)->to, 3);
    assert_int_equal(shown(world, 1)->n_results, 1);
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_UNKNOWN));
    step(world);
    answer(world, 1, CALL_POLL, ANSWER(.word = ANSWER_COMPLETED));
    answer(world, 1, CALL_POST, ANSWER(.word = ANSWER_TAKEN, .pid = 9));
    step(world);
    assert_failed(world, 1, FAULT_NODE_DOWN, 1);
}

/* A random node, broker and clock: whatever happens, STATE is right (read_state
 * asserts it), no lease is posted twice where that could start it twice, and
 * in the end everything is over and forgotten. */
struct chance {
    uint64_t state;
};

static uint32_t draw(struct chance *chance, uint32_t n)
{
    chance->state = chance->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(chance->state >> 33) % n;
}

static void answer_anything(struct world *world, struct chance *chance,
                            const struct lease *lease, enum call call)
{
    struct answer_frame frames[3];
    for (int i = 0; i < 3; i++)
        frames[i] = (struct answer_frame){(int32_t)draw(chance, 30),
                                          (int32_t)draw(chance, 9), "[]"};
    struct node_answer any = {
        .word = (enum answer_word)draw(chance, ANSWER_ODD + 1),
        .pid = draw(chance, 3),
        .revision = draw(chance, 100),
        .to = (int32_t)draw(chance, 40) - 1,
        .frame = (int32_t)draw(chance, 40) - 1,
        .permille = (int32_t)draw(chance, 1001),
        .fault = (enum fault)(1 + draw(chance, FAULT_COUNT - 1)),
        .text = "text",
        .frames = frames,
        .n_frames = draw(chance, 4)};
    slots_answer(&world->slots, world->now_ms, lease->id, call, &any);
}

static void one_chance(struct world *world, struct chance *chance, unsigned *n)
{
    unsigned id = 1 + draw(chance, *n);
    const struct lease *lease = slots_find(&world->slots, ID(id));
    int32_t frame = (int32_t)draw(chance, 30);
    switch (draw(chance, 12)) {
    case 0:
        give(world, ++*n, frame, frame + (int32_t)draw(chance, 9));
        break;
    case 1:
        slots_revoke(&world->slots, ID(id));
        break;
    case 2:
        trim(world, id, frame);
        break;
    case 3:
        ack(world, id, frame, frame + 3, draw(chance, 4) == 0);
        break;
    case 4:
        slots_proven(&world->slots, ID(id), frame, 5, "[]");
        break;
    case 5:
        slots_settled(&world->slots, world->now_ms, ID(id));
        break;
    case 6:
        slots_node(&world->slots, world->now_ms,
                   draw(chance, 2) == 0 ? &ours : &classic);
        break;
    default:
        for (int call = 0; lease != NULL && call < CALLS; call++)
            if (lease->calling[call] && draw(chance, 2) == 0) {
                answer_anything(world, chance, lease, (enum call)call);
                break;
            }
    }
}

static void settle_everything(struct world *world)
{
    struct lease *lease, *next;
    for (int i = 0; i < 100 && world->slots.leases != NULL; i++) {
        DL_FOREACH_SAFE (world->slots.leases, lease, next) {
            unsigned n = (unsigned)(lease->id - LEASE_ID(1, 0));
            if (lease->calling[CALL_POST])
                answer(world, n, CALL_POST, ANSWER(.word = ANSWER_BUSY));
            if (lease->calling[CALL_POLL])
                answer(world, n, CALL_POLL, ANSWER(.word = ANSWER_UNKNOWN));
            slots_settled(&world->slots, world->now_ms, ID(n));
            ack(world, n, 0, LIMIT_FRAME_MAX, true);
        }
        pass(world, 2000000);
        step(world);
    }
    assert_null(world->slots.leases);
}

static void test_chances(void **state)
{
    struct world *world = *state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct chance chance = {seed};
        unsigned n = 1;
        slots_done(&world->slots);
        slots_init(&world->slots, 8, seed % 2 == 0);
        slots_node(&world->slots, world->now_ms, &ours);
        for (int i = 0; i < 400; i++) {
            one_chance(world, &chance, &n);
            pass(world, draw(&chance, 500));
            step(world);
        }
        settle_everything(world);
        buf_clear(&world->log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_life),
        TEST(test_news),
        TEST(test_declines),
        TEST(test_slots_asked_for),
        TEST(test_classic_believed),
        TEST(test_classic_polls),
        TEST(test_classic_short_polls),
        TEST(test_proven_frames_end_early),
        TEST(test_completed_is_not_proof),
        TEST(test_settled_whole),
        TEST(test_busy),
        TEST(test_pauses_grow),
        TEST(test_refused),
        TEST(test_unsent_is_given_back_at_once),
        TEST(test_silent_is_asked_again_by_key),
        TEST(test_silent_is_given_up),
        TEST(test_classic_silent_is_waited_for),
        TEST(test_classic_silent_but_whole),
        TEST(test_classic_without_pid),
        TEST(test_classic_nonsense),
        TEST(test_node_forgets),
        TEST(test_number_given_again),
        TEST(test_node_away),
        TEST(test_node_silent),
        TEST(test_node_down_ends_open_poll),
        TEST(test_node_back_in_time),
        TEST(test_node_failure),
        TEST(test_unwell_node_pauses),
        TEST(test_ours_completed_short),
        TEST(test_many_results),
        TEST(test_large_results),
        TEST(test_over_stays_over),
        TEST(test_full_table),
        TEST(test_late_and_strange_answers),
        TEST(test_chances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
