/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's small pure parts: is the node there (node_watch), is the broker
 * there (session), which batches are ours (seat), when STATE leaves (pace).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "worker-agent/node_watch.h"
#include "worker-agent/pace.h"
#include "worker-agent/seat.h"
#include "worker-agent/session.h"

/* --- node_watch. --- */

static const struct node_facts ours = {.well = true, .slots = 3};

static void probe(struct node_watch *watch, int64_t *now_ms, enum probe want,
                  const struct probe_answer *answer)
{
    *now_ms = node_watch_next(watch);
    assert_int_equal(node_watch_step(watch, *now_ms), want);
    assert_int_equal(node_watch_step(watch, *now_ms + 9999), PROBE_NONE);
    assert_true(node_watch_next(watch) == INT64_MAX);
    node_watch_answer(watch, *now_ms, answer);
}

static const struct probe_answer informed = {PROBE_INFORMED, &ours, ""};
static const struct probe_answer alive = {PROBE_ALIVE, NULL, ""};
static const struct probe_answer strange = {PROBE_STRANGE, NULL, "strange"};
static const struct probe_answer unsent = {PROBE_UNSENT, NULL, "refused"};
static const struct probe_answer silent = {PROBE_SILENT, NULL, "silent"};

static void test_finds_ours(void **state)
{
    struct node_watch watch;
    int64_t now_ms = 1000;
    (void)state;
    node_watch_init(&watch, now_ms);
    probe(&watch, &now_ms, PROBE_INFO, &informed);
    assert_true(watch.facts.known && watch.facts.up && !watch.facts.classic);
    assert_int_equal(watch.facts.slots, 3);
    assert_int_equal(node_watch_next(&watch), now_ms + 3000);
    probe(&watch, &now_ms, PROBE_INFO, &informed);
}

static void test_finds_classic(void **state)
{
    struct node_watch watch;
    int64_t now_ms = 1000;
    (void)state;
    node_watch_init(&watch, now_ms);
    probe(&watch, &now_ms, PROBE_INFO, &strange);
    assert_false(watch.facts.known);
    probe(&watch, &now_ms, PROBE_HEALTH, &alive);
    assert_int_equal(now_ms, 1000);
    assert_true(watch.facts.up && watch.facts.classic && watch.facts.well);
    assert_int_equal(watch.facts.slots, 1);
    probe(&watch, &now_ms, PROBE_HEALTH, &alive);
}

static void test_stranger_is_no_node(void **state)
{
    struct node_watch watch;
    int64_t now_ms = 1000;
    (void)state;
    node_watch_init(&watch, now_ms);
    probe(&watch, &now_ms, PROBE_INFO, &strange);
    probe(&watch, &now_ms, PROBE_HEALTH, &strange);
    assert_false(watch.facts.up);
    assert_string_equal(watch.facts.error, "strange");
}

/* A node that is down is looked for ten times a second at first, once a second
 * later; what was known of it stays. */
static void test_looks_for_lost_node(void **state)
{
    struct node_watch watch;
    int64_t now_ms = 1000, last_ms, wait_ms = 0;
    (void)state;
    node_watch_init(&watch, now_ms);
    probe(&watch, &now_ms, PROBE_INFO, &informed);
    probe(&watch, &now_ms, PROBE_INFO, &unsent);
    assert_false(watch.facts.up);
    assert_true(watch.facts.known);
    assert_string_equal(watch.facts.error, "refused");
    assert_int_equal(node_watch_next(&watch), now_ms + 100);
    for (int i = 0; i < 20; i++) {
        last_ms = now_ms;
        probe(&watch, &now_ms, PROBE_INFO, &unsent);
        assert_true(now_ms - last_ms >= wait_ms);
        wait_ms = now_ms - last_ms;
    }
    assert_int_equal(wait_ms, 1000);
    probe(&watch, &now_ms, PROBE_INFO, &informed);
    assert_true(watch.facts.up);
    assert_string_equal(watch.facts.error, "");
    probe(&watch, &now_ms, PROBE_INFO, &unsent);
    assert_int_equal(node_watch_next(&watch), now_ms + 100);
}

static void test_one_silence_is_forgiven(void **state)
{
    struct node_watch watch;
    int64_t now_ms = 1000;
    (void)state;
    node_watch_init(&watch, now_ms);
    probe(&watch, &now_ms, PROBE_INFO, &informed);
    probe(&watch, &now_ms, PROBE_INFO, &silent);
    assert_true(watch.facts.up);
    probe(&watch, &now_ms, PROBE_INFO, &informed);
    probe(&watch, &now_ms, PROBE_INFO, &silent);
    assert_true(watch.facts.up);
    probe(&watch, &now_ms, PROBE_INFO, &silent);
    assert_false(watch.facts.up);
}

static void test_doubt_asks_soon(void **state)
{
    struct node_watch watch;
    int64_t now_ms = 1000;
    (void)state;
    node_watch_init(&watch, now_ms);
    probe(&watch, &now_ms, PROBE_INFO, &informed);
    node_watch_doubt(&watch, now_ms);
    assert_int_equal(node_watch_next(&watch), now_ms + 100);
}

/* --- session. --- */

static const struct farm farm = {4001, 4002, "", false};

/* Asks and answers; returns when the question came. */
static int64_t ask(struct session *session, const struct farm *answer,
                   enum session_wish want)
{
    int64_t now_ms = session_next(session);
    assert_true(now_ms < INT64_MAX);
    assert_int_equal(session_step(session, now_ms), SESSION_ASK);
    assert_int_equal(session_step(session, now_ms + 99999), SESSION_WAIT);
    assert_int_equal(session_farm(session, now_ms, answer, 12345), want);
    return now_ms;
}

static void test_session_backs_off(void **state)
{
    struct session session;
    (void)state;
    session_init(&session, 1000);
    int64_t last_ms = ask(&session, NULL, SESSION_WAIT);
    assert_int_equal(last_ms, 1000);
    for (int i = 0; i < 10; i++) {
        int64_t now_ms = ask(&session, NULL, SESSION_WAIT);
        assert_in_range(now_ms - last_ms, 50, 2000);
        last_ms = now_ms;
    }
    ask(&session, &farm, SESSION_CONNECT);
    assert_int_equal(session.farm.control_port, 4002);
}

/* Beats keep it quiet; three missing make it ask; sockets on which nothing is
 * heard get more and more time, up to the limit of the protocol. */
static void test_session_deaf(void **state)
{
    struct session session;
    static const int64_t waits[] = {3000, 3000, 6000, 12000, 15000, 15000};
    (void)state;
    session_init(&session, 1000);
    int64_t now_ms = ask(&session, &farm, SESSION_CONNECT);
    session_beat(&session, now_ms);
    for (int i = 0; i < 5; i++) {
        now_ms += 1000;
        assert_int_equal(session_step(&session, now_ms), SESSION_WAIT);
        session_beat(&session, now_ms);
    }
    for (size_t i = 1; i < sizeof waits / sizeof *waits; i++) {
        int64_t asked_ms = ask(&session, &farm, SESSION_CONNECT);
        assert_int_equal(asked_ms - now_ms, waits[i]);
        now_ms = asked_ms;
    }
    session_beat(&session, now_ms);
    assert_int_equal(session_next(&session), now_ms + 3000);
}

/* 431: a connection that was cut before anything was heard on it is no news:
 * an agent whose key is refused asked and connected again without a pause. */
static void test_session_431_cut_unheard(void **state)
{
    struct session session;
    (void)state;
    session_init(&session, 1000);
    int64_t now_ms = ask(&session, &farm, SESSION_CONNECT);
    session_cut(&session, now_ms + 1);
    assert_int_equal(session_next(&session), now_ms + 3000);
    session_beat(&session, now_ms + 2);
    session_cut(&session, now_ms + 3);
    assert_int_equal(session_next(&session), now_ms + 3);
}

static void test_session_cut(void **state)
{
    struct session session;
    (void)state;
    session_init(&session, 1000);
    ask(&session, &farm, SESSION_CONNECT);
    session_beat(&session, 2000);
    session_cut(&session, 2500);
    assert_int_equal(session_next(&session), 2500);
    for (int i = 0; i < 5; i++)
        ask(&session, NULL, SESSION_WAIT);
    int64_t now_ms = session_next(&session);
    session_beat(&session, now_ms); /* libzmq was quicker */
    assert_int_equal(session_next(&session), now_ms + 3000);
    session_cut(&session, now_ms + 1);
    assert_int_equal(ask(&session, NULL, SESSION_WAIT), now_ms + 1);
    assert_in_range(session_next(&session), now_ms + 50, now_ms + 101);
    ask(&session, &farm, SESSION_CONNECT);
}

/* --- seat. --- */

static void test_seat(void **state)
{
    struct seat seat = {.inc = 5};
    struct msg_batch batch = {.epoch = 2, .lane = 8, .dseq = 3};
    (void)state;
    assert_false(seat_batch(&seat, &batch));
    assert_true(seat_beat(&seat, &(struct msg_beat){2, 0}));
    assert_false(seat_beat(&seat, &(struct msg_beat){2, 1}));
    assert_false(seat_lane(&seat, &(struct msg_lane){4, 8, 20000}));
    assert_false(seat_batch(&seat, &batch));
    assert_true(seat_lane(&seat, &(struct msg_lane){5, 8, 20000}));
    assert_false(seat_lane(&seat, &(struct msg_lane){5, 8, 20000}));
    assert_true(seat_batch(&seat, &batch));
    assert_int_equal(seat.dseq, 3);
    assert_false(seat_batch(&seat, &batch));
    batch.dseq = 9; /* a gap is none of our business */
    assert_true(seat_batch(&seat, &batch));
    batch.dseq = 10;
    batch.lane = 7;
    assert_false(seat_batch(&seat, &batch));
    batch.lane = 8;
    batch.epoch = 1;
    assert_false(seat_batch(&seat, &batch));
    assert_int_equal(seat.dseq, 9);
    assert_true(seat_lane(&seat, &(struct msg_lane){5, 9, 20001}));
    assert_int_equal(seat.dseq, 0);
    assert_true(seat_beat(&seat, &(struct msg_beat){3, 1}));
    assert_int_equal(seat.lane, 0);
}

/* --- pace. --- */

static void test_pace(void **state)
{
    struct pace pace;
    (void)state;
    pace_init(&pace, 1000);
    assert_int_equal(pace.due_ms, 1000);
    pace_sent(&pace, 1000, true);
    assert_int_equal(pace.due_ms, 3000);
    pace_news(&pace, 1010, NEWS_NONE);
    assert_int_equal(pace.due_ms, 3000);
    pace_news(&pace, 1010, NEWS_PROGRESS);
    pace_news(&pace, 1020, NEWS_PROGRESS);
    assert_int_equal(pace.due_ms, 1050);
    pace_news(&pace, 1030, NEWS_NOW);
    assert_int_equal(pace.due_ms, 1030);
    pace_sent(&pace, 1030, true);
    pace_ask(&pace, 1100, 700);
    assert_int_equal(pace.due_ms, 1800);
}

/* Until it has a lane an agent speaks up in quick succession, less and less
 * quick. */
static void test_pace_hello(void **state)
{
    struct pace pace;
    static const int64_t waits[] = {50, 100, 200, 400, 800, 1600, 2000, 2000};
    int64_t now_ms = 1000;
    (void)state;
    pace_init(&pace, now_ms);
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        pace_sent(&pace, now_ms, false);
        assert_int_equal(pace.due_ms - now_ms, waits[i]);
        now_ms = pace.due_ms;
    }
    pace_hello(&pace, now_ms);
    pace_sent(&pace, now_ms, false);
    assert_int_equal(pace.due_ms, now_ms + 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_ours),
        cmocka_unit_test(test_finds_classic),
        cmocka_unit_test(test_stranger_is_no_node),
        cmocka_unit_test(test_looks_for_lost_node),
        cmocka_unit_test(test_one_silence_is_forgiven),
        cmocka_unit_test(test_doubt_asks_soon),
        cmocka_unit_test(test_session_backs_off),
        cmocka_unit_test(test_session_deaf),
        cmocka_unit_test(test_session_cut),
        cmocka_unit_test(test_session_431_cut_unheard),
        cmocka_unit_test(test_seat),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_pace_hello),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
