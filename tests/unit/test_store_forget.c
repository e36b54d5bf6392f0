/* SPDX-License-Identifier: Apache-2.0
 *
 * Forgotten jobs leave a history that replays to the state that was left,
 * however much of them is removed by then.
 */
#include "broker/ledger/store.h"

#include "store_world.h"

#include <sqlite3.h>

#include "broker/core/state.h"
#include "broker/ledger/ledger.h"

#define JOB "a-job-of-9000-frames"

static struct core *new_core(void)
{
    struct core_options options = {.max_attempts = 3,
                                   .lease_ttl_ms = 15000,
                                   .orphan_grace_ms = -1,
                                   .jobs_max = 1000,
                                   .agents_max = 10};
    return core_new(&options);
}

static void replay_into(void *ctx, const struct event *event)
{
    char why[256];
    if (!core_replay(ctx, event, why, sizeof why))
        fail_msg("%s", why);
}

struct farm {
    struct world *world;
    struct core *core;
    struct arena arena;
    int64_t now_ms;
    int jobs;
};

/* Does one command and appends what comes of it. */
static void farm_do(struct farm *farm, struct cmd *cmd)
{
    struct events out = {0};
    (void)core_step(farm->core, ++farm->now_ms, cmd, &farm->arena, &out, NULL,
                    0);
    for (size_t i = 0; i < out.n; i++)
        if (event_keep(out.at[i].type) != EVENT_SOFT)
            store_append(farm->world->store, &out.at[i]);
    arena_reset(&farm->arena);
}

static const char *farm_job(char name[32], int number)
{
    snprintf(name, 32, "farm-job-%08d", number);
    return name;
}

static void farm_submit(struct farm *farm)
{
    char name[32];
    struct span span = {1, 40, 1, 0};
    struct job_spec spec = {.id = farm_job(name, farm->jobs++),
                            .name = "",
                            .user = "anna",
                            .key = "",
                            .frames = {&span, 1, 40},
                            .blender = "",
                            .blend = "",
                            .render = "{}",
                            .doc = "{}"};
    struct cmd cmd = {.type = CMD_SUBMIT, .spec = &spec};
    farm_do(farm, &cmd);
}

/* A random command on a random job; most of them mean something. */
static void farm_act(struct farm *farm, unsigned short dice[3])
{
    static const enum cmd_type types[] = {CMD_CANCEL, CMD_RETRY, CMD_PATCH,
                                          CMD_CANCEL, CMD_FORGET};
    char name[32];
    long kind = nrand48(dice) % 6;
    if (kind == 5 || farm->jobs == 0) {
        farm_submit(farm);
        return;
    }
    struct frames some = {0};
    if (kind < 2 && nrand48(dice) % 2 == 0)
        frames_span(&some, 1 + (int32_t)(nrand48(dice) % 40), 40, 3);
    struct cmd cmd = {
        .type = types[kind],
        .job = farm_job(name, (int)(nrand48(dice) % farm->jobs)),
        .text = "",
        .frames = some.count > 0 ? &some : NULL,
        .patch = {.has_priority = true,
                  .priority = (int32_t)(nrand48(dice) % 101)},
    };
    farm_do(farm, &cmd);
    frames_free(&some);
}

static void farm_open(struct farm *farm, struct world *w)
{
    *farm = (struct farm){.world = w, .core = new_core()};
    world_open(w);
    assert_true(store_replay(w->store, replay_into, farm->core, w->why,
                             sizeof w->why) >= 0);
    struct cmd cmd = {.type = CMD_RESTART, .epoch = world_begin(w)};
    farm->now_ms = 1000000 * (int64_t)cmd.epoch;
    farm_do(farm, &cmd);
}

/* The state that lives on is the one that is replayed, whatever was forgotten
 * and however little of it was removed by then. */
static void test_replay_gives_the_state_that_was_left(void **state)
{
    struct world *w = *state;
    unsigned short dice[3] = {1, 2, 3};
    int jobs = 0;
    uint64_t digest = 0, seq = 0;
    for (int round = 0; round < 12; round++) {
        struct farm farm;
        farm_open(&farm, w);
        farm.jobs = jobs;
        core_check(farm.core);
        assert_true(farm.core->seq == seq);
        if (round > 0)
            assert_true(core_digest(farm.core) == digest);
        for (int i = 0; i < 60; i++)
            farm_act(&farm, dice);
        if (round % 3 == 2) { /* the last event of all is a FORGOTTEN */
            char name[32];
            struct cmd cancel = {.type = CMD_CANCEL, .text = ""};
            struct cmd forget = {.type = CMD_FORGET};
            farm_submit(&farm);
            cancel.job = forget.job = farm_job(name, farm.jobs - 1);
            farm_do(&farm, &cancel);
            farm_do(&farm, &forget);
        }
        digest = core_digest(farm.core);
        seq = farm.core->seq;
        jobs = farm.jobs;
        world_commit(w, seq);
        core_free(&farm.core);
        arena_done(&farm.arena);
        store_close(&w->store);
    }
}

static void add_record(struct buf *records, const struct event *event)
{
    struct buf one;
    buf_init(&one, LIMIT_RECORD);
    record_encode(event, &one);
    uint32_t len = (uint32_t)one.len;
    buf_add(records, &len, sizeof len);
    buf_add(records, one.data, one.len);
    buf_free(&one);
}

static int64_t count_rows(struct ledger *ledger, const char *table)
{
    char sql[64];
    sqlite3_stmt *count;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    assert_int_equal(sqlite3_prepare_v2(ledger->db, sql, -1, &count, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(count), SQLITE_ROW);
    int64_t rows = sqlite3_column_int64(count, 0);
    sqlite3_finalize(count);
    return rows;
}

/* A job of 9,000 events and as many facts, and its end. */
static void write_long_job(struct ledger *ledger, char *why, size_t size)
{
    struct buf records;
    struct span span = {1, 9000, 1, 0};
    struct job_spec spec = {.id = JOB, .frames = {&span, 1, 9000}};
    struct event event = {.type = EVENT_SUBMITTED, .job = JOB, .spec = &spec};
    buf_init(&records, LIMIT_LEDGER_QUEUE);
    add_record(&records, &event);
    for (int32_t i = 0; i < 9000; i++) {
        event = (struct event){
            .type = EVENT_DONE, .job = JOB, .agent = "a", .lo = i, .hi = i + 1};
        add_record(&records, &event);
    }
    event = (struct event){.type = EVENT_FORGOTTEN, .job = JOB};
    add_record(&records, &event);
    assert_int_equal(ledger_write(ledger, &records, NULL, why, size),
                     LEDGER_OK);
    buf_free(&records);
}

struct steps {
    struct core *core;
    uint64_t last;
    uint64_t gap; /* the first event before which one is missing; 0 none */
};

static void replay_step(void *ctx, const struct event *event)
{
    struct steps *steps = ctx;
    replay_into(steps->core, event);
    if (steps->gap == 0 && event->seq != steps->last + 1)
        steps->gap = event->seq;
    steps->last = event->seq;
}

/* The core takes it, ends where it should, and what is missing of the job are
 * its newest events before its end, 9002. */
static void assert_replays(struct ledger *ledger, uint64_t seq)
{
    char why[256];
    struct steps steps = {.core = new_core()};
    int64_t last = ledger_replay(ledger, replay_step, &steps, why, sizeof why);
    assert_true(last == (int64_t)seq && steps.core->seq == seq);
    assert_int_equal(steps.core->n_jobs, 0);
    assert_true(steps.gap == 0 || steps.gap == seq || seq > 9002);
    core_check(steps.core);
    core_free(&steps.core);
}

static void test_a_long_job_goes_in_steps_that_all_replay(void **state)
{
    struct world *w = *state;
    struct ledger *ledger =
        ledger_open(w->dir, LEDGER_SERVE, w->why, sizeof w->why);
    assert_non_null(ledger);
    write_long_job(ledger, w->why, sizeof w->why);
    int steps = 0;
    for (; ledger->purge; steps++) {
        assert_int_equal(ledger_purge(ledger, w->why, sizeof w->why),
                         LEDGER_OK);
        assert_replays(ledger, 9002);
    }
    assert_in_range(steps, 4, 8);
    assert_int_equal(count_rows(ledger, "event"), 2); /* the number is last */
    assert_int_equal(count_rows(ledger, "frame"), 0);
    struct buf records;
    struct event event = {.type = EVENT_DRAINED, .agent = "a"};
    buf_init(&records, LIMIT_RECORD);
    add_record(&records, &event);
    assert_int_equal(
        ledger_write(ledger, &records, NULL, w->why, sizeof w->why), LEDGER_OK);
    assert_int_equal(ledger_purge(ledger, w->why, sizeof w->why), LEDGER_OK);
    assert_replays(ledger, 9003);
    assert_int_equal(count_rows(ledger, "event"), 1);
    assert_int_equal(count_rows(ledger, "job"), 0);
    buf_free(&records);
    ledger_close(&ledger);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_replay_gives_the_state_that_was_left),
        TEST(test_a_long_job_goes_in_steps_that_all_replay),
    };
    return cmocka_run_group_tests_name("store_forget", tests, NULL, NULL);
}
