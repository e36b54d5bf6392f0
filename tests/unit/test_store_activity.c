/* SPDX-License-Identifier: Apache-2.0
 *
 * The activity in the ledger: kept over a restart, read by page and filter,
 * alike failures as one row, never more or older than it may be, and no part of
 * what a replay reads.
 */
#include "broker/ledger/ledger.h"
#include "tests/unit/store_world.h"

struct told {
    char text[4096]; /* "what:text:times ..." newest first */
    int64_t last;    /* number of the last row */
    bool came;
};

static void take(void *ctx, const struct activity *rows, size_t n)
{
    struct told *told = ctx;
    told->came = true;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(told->text);
        snprintf(told->text + len, sizeof told->text - len, "%s%s:%s:%d",
                 len > 0 ? " " : "", rows[i].what, rows[i].text, rows[i].times);
        told->last = rows[i].number;
    }
}

static struct activity_query any(void)
{
    return (struct activity_query){
        .before = INT64_MAX, .job = "", .agent = "", .who = "", .limit = 10};
}

static struct told ask(struct world *world, const struct activity_query *query)
{
    struct told told = {.last = 0};
    store_activity(world->store, query, take, &told);
    while (!told.came) {
        struct pollfd fd = {store_fd(world->store), POLLIN, 0};
        assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
        store_poll(world->store);
    }
    return told;
}

static void note(struct world *world, int64_t at_ms, const char *what,
                 const char *text)
{
    bool failure = strcmp(what, "attempt_failed") == 0;
    const struct activity row = {.at_ms = at_ms,
                                 .merge = failure,
                                 .what = what,
                                 .who = failure ? "" : "ann",
                                 .job = failure ? "job" : "",
                                 .name = "",
                                 .agent = failure ? "node-1" : "",
                                 .text = text};
    store_note(world->store, NULL, &row, 1);
}

static void start(struct world *world)
{
    world->store = store_open(world->dir, world->why, sizeof world->why);
    assert_non_null(world->store);
    assert_true(store_begin(world->store, world->why, sizeof world->why) > 0);
}

static void kept_and_read_in_pages(void **state)
{
    struct world *world = *state;
    start(world);
    for (int i = 0; i < 5; i++) {
        char text[2] = {(char)('a' + i), '\0'};
        note(world, 1000 + i, "paused", text);
    }
    store_close(&world->store);
    start(world);
    struct activity_query query = any();
    query.limit = 2;
    struct told told = ask(world, &query);
    assert_string_equal(told.text, "paused:e:1 paused:d:1");
    query.before = told.last;
    assert_string_equal(ask(world, &query).text, "paused:c:1 paused:b:1");
    query = any();
    query.since_ms = 1003;
    assert_string_equal(ask(world, &query).text, "paused:e:1 paused:d:1");
    query = any();
    query.who = "bob";
    assert_string_equal(ask(world, &query).text, "");
}

static void alike_failures_are_one_row(void **state)
{
    struct world *world = *state;
    start(world);
    note(world, 1000, "attempt_failed", "frame 1");
    note(world, 2000, "attempt_failed", "frame 2");
    note(world, 1000 + 600000, "attempt_failed", "frame 3");
    struct activity_query query = any();
    assert_string_equal(ask(world, &query).text,
                        "attempt_failed:frame 3:1 attempt_failed:frame 1:2");
    query.agent = "node-1";
    query.since_ms = 2000; /* the first row was last so then */
    assert_string_equal(ask(world, &query).text,
                        "attempt_failed:frame 3:1 attempt_failed:frame 1:2");
}

/* However busy the thread is at that moment: most so when it has begun. */
static void an_answer_has_what_was_noted_before(void **state)
{
    struct world *world = *state;
    struct activity_query query = any();
    query.limit = 1;
    for (int i = 0; i < 20; i++) {
        char text[16], wanted[32];
        snprintf(text, sizeof text, "%d", i);
        snprintf(wanted, sizeof wanted, "paused:%d:1", i);
        start(world);
        for (int before = 0; before < i; before++)
            note(world, 1000, "paused", "before");
        note(world, 1000 + i, "paused", text);
        assert_string_equal(ask(world, &query).text, wanted);
        store_close(&world->store);
    }
}

static void old_ones_go(void **state)
{
    struct world *world = *state;
    start(world);
    note(world, 1000, "paused", "old");
    note(world, 2000, "paused", "new");
    struct activity_query query = any();
    ask(world, &query);
    store_keep(world->store, 1500);
    store_close(
        &world->store); /* the thread has tended by then, or tends now */
    start(world);
    store_keep(world->store, 1500);
    for (int i = 0; i < 3; i++)
        ask(world, &query);
    assert_string_equal(ask(world, &query).text, "paused:new:1");
}

/* In one transaction, as a full disk leaves them to wait. */
static void no_more_than_the_limit(void **state)
{
    struct world *world = *state;
    char why[256];
    uint64_t epoch;
    struct buf none, notes;
    struct arena arena = {0};
    struct activity row = {.what = "paused",
                           .who = "",
                           .job = "",
                           .name = "",
                           .agent = "",
                           .text = ""};
    struct ledger *ledger =
        ledger_open(world->dir, LEDGER_SERVE, why, sizeof why);
    assert_int_equal(ledger_begin(ledger, &epoch, why, sizeof why), LEDGER_OK);
    buf_init(&none, 1);
    buf_init(&notes, LIMIT_LEDGER_QUEUE);
    for (int i = 0; i < LIMIT_ACTIVITY; i++)
        activity_write(&row, &notes);
    assert_int_equal(ledger_write(ledger, &none, &notes, why, sizeof why),
                     LEDGER_OK);
    struct activity_query query = any();
    query.before = 2;
    size_t n;
    activity_read(ledger, &query, &arena, &n);
    assert_int_equal(n, 1);
    buf_clear(&notes);
    activity_write(&row, &notes);
    assert_int_equal(ledger_write(ledger, &none, &notes, why, sizeof why),
                     LEDGER_OK);
    activity_read(ledger, &query, &arena, &n);
    assert_int_equal(n, 0);
    arena_done(&arena);
    buf_free(&notes);
    ledger_close(&ledger);
}

int main(void)
{
#define TEST(f)                                                                \
    cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(kept_and_read_in_pages),
        TEST(alike_failures_are_one_row),
        TEST(an_answer_has_what_was_noted_before),
        TEST(old_ones_go),
        TEST(no_more_than_the_limit),
    };
    return cmocka_run_group_tests_name("store_activity", tests, NULL, NULL);
}
