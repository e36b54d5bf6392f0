/* SPDX-License-Identifier: Apache-2.0
 *
 * A ledger that packs jobs that ended beside one that does not: the same farm
 * and the same facts at every step, whatever is killed, goes on or is forgotten
 * meanwhile; and few rows.
 */
#include "broker/ledger/ledger.h"

#include "store_world.h"

#include <sqlite3.h>

#include "broker/core/state.h"

#define JOB    "a-job-that-has-ended"
#define FRAMES 2600
#define HASH   "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

struct pair {
    struct world *plain, *packed;
    struct ledger *ledgers[2]; /* of the two */
    struct buf records;
    int32_t frames;
    bool went_on; /* after it was packed */
};

static struct world *world_of(struct pair *pair, int i)
{
    return i == 0 ? pair->plain : pair->packed;
}

static void open_ledger(struct pair *pair, int i)
{
    uint64_t epoch;
    struct world *w = world_of(pair, i);
    pair->ledgers[i] = ledger_open(w->dir, LEDGER_SERVE, w->why, sizeof w->why);
    if (pair->ledgers[i] == NULL ||
        ledger_begin(pair->ledgers[i], &epoch, w->why, sizeof w->why) !=
            LEDGER_OK)
        fail_msg("%s", w->why);
}

static int set_up(void **state)
{
    struct pair *pair = mem_new(sizeof *pair);
    void *worlds[2];
    if (world_set_up(&worlds[0]) != 0 || world_set_up(&worlds[1]) != 0)
        return -1;
    pair->plain = worlds[0];
    pair->packed = worlds[1];
    buf_init(&pair->records, LIMIT_LEDGER_QUEUE);
    for (int i = 0; i < 2; i++)
        open_ledger(pair, i);
    *state = pair;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    void *worlds[2] = {pair->plain, pair->packed};
    for (int i = 0; i < 2; i++) {
        ledger_close(&pair->ledgers[i]);
        world_tear_down(&worlds[i]);
    }
    buf_free(&pair->records);
    mem_free(pair);
    return 0;
}

/* --- The job's life. --- */

static void add(struct pair *pair, struct event event)
{
    static int64_t at_ms = 1000;
    struct buf one;
    buf_init(&one, LIMIT_RECORD);
    event.at_ms = at_ms += 7;
    event.job = event.type == EVENT_DRAINED ? NULL : JOB;
    record_encode(&event, &one);
    uint32_t len = (uint32_t)one.len;
    buf_add(&pair->records, &len, sizeof len);
    buf_add(&pair->records, one.data, one.len);
    buf_free(&one);
}

static void flush(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        struct world *w = world_of(pair, i);
        if (ledger_write(pair->ledgers[i], &pair->records, NULL, w->why,
                         sizeof w->why) != LEDGER_OK)
            fail_msg("%s", w->why);
    }
    buf_clear(&pair->records);
}

static void submit(struct pair *pair, int32_t frames)
{
    struct span span = {1, frames, 1, 0};
    struct job_spec spec = {
        .id = JOB, .frames = {&span, 1, frames}, .doc = "{\"a\":1}"};
    pair->frames = frames;
    add(pair, (struct event){.type = EVENT_SUBMITTED, .spec = &spec});
}

/* A frame that now and then fails at b before a renders it. */
static void render(struct pair *pair, int32_t at)
{
    char files[300];
    struct event event = {.job = JOB,
                          .lease = LEASE_ID(1, (uint64_t)at + 1),
                          .lo = at,
                          .hi = at + 1};
    snprintf(files, sizeof files,
             "[{\"path\":\"/out/%04d.png\",\"sha256\":\"" HASH
             "\",\"blend_sha256\":\"%064x\"}]",
             at, at % 2);
    if (at % 7 == 0) {
        event.type = EVENT_CHARGED;
        event.agent = "b";
        event.fault = FAULT_CRASH;
        event.text = at % 2 == 0 ? "Blender ended with signal 11" : "";
        add(pair, event);
    }
    event.type = EVENT_DONE;
    event.agent = at % 3 == 0 ? "a" : "c";
    event.fault = FAULT_NONE;
    event.number = 1000 + at;
    event.text = files;
    event.detail = "4.2.3";
    add(pair, event);
}

static void add_frames(struct pair *pair, enum event_type type, int32_t lo,
                       int32_t hi)
{
    struct range range = {lo, hi};
    struct ranges set = {.at = &range, .n = 1, .cap = 1, .count = hi - lo};
    add(pair, (struct event){.type = type,
                             .agent = type == EVENT_FAILED ? "b" : NULL,
                             .fault = type == EVENT_FAILED ? FAULT_RENDER : 0,
                             .text = type == EVENT_RETRIED ? "b" : "so it is",
                             .flag = type == EVENT_CANCELLED,
                             .frames = &set});
}

/* Ends with one frame failed and one cancelled. */
static void live(struct pair *pair, int32_t frames)
{
    struct event lease = {.type = EVENT_LEASED,
                          .agent = "a",
                          .lease = LEASE_ID(1, 1),
                          .hi = frames};
    submit(pair, frames);
    add(pair, lease);
    for (int32_t at = 0; at < frames - 2; at++)
        render(pair, at);
    add_frames(pair, EVENT_FAILED, frames - 2, frames - 1);
    add_frames(pair, EVENT_CANCELLED, frames - 1, frames);
    lease.type = EVENT_RELEASED;
    add(pair, lease);
    flush(pair);
}

/* --- What there is. --- */

static void replay_into(void *ctx, const struct event *event)
{
    char why[256];
    if (!core_replay(ctx, event, why, sizeof why))
        fail_msg("%s", why);
}

static struct core *replay(struct pair *pair, int i)
{
    static const struct core_options options = {
        .max_attempts = 3, .jobs_max = 10, .agents_max = 10};
    struct world *w = world_of(pair, i);
    struct core *core = core_new(&options);
    if (ledger_replay(pair->ledgers[i], replay_into, core, w->why,
                      sizeof w->why) < 0)
        fail_msg("%s", w->why);
    core_check(core);
    return core;
}

static void assert_same_fact(const struct frame_fact *a,
                             const struct frame_fact *b)
{
    assert_int_equal(a->ordinal, b->ordinal);
    assert_int_equal(a->attempts, b->attempts);
    assert_true(a->at_ms == b->at_ms && a->lease == b->lease);
    assert_int_equal(a->ms, b->ms);
    assert_string_equal(a->agent, b->agent);
    assert_string_equal(a->blender, b->blender);
    assert_string_equal(a->files, b->files);
    assert_string_equal(a->fault, b->fault);
    assert_string_equal(a->text, b->text);
}

static void assert_same_facts(struct pair *pair, int32_t lo, int32_t hi,
                              size_t limit)
{
    struct arena arena = {0};
    const struct frames_query query = {JOB, {lo, hi}, limit};
    const struct frame_fact *facts[2];
    size_t n[2];
    for (int i = 0; i < 2; i++)
        facts[i] = ledger_frames(pair->ledgers[i], &query, &arena, &n[i]);
    assert_int_equal(n[0], n[1]);
    for (size_t i = 0; i < n[0]; i++)
        assert_same_fact(&facts[0][i], &facts[1][i]);
    arena_done(&arena);
}

/* Of an agent's speed only what a whole job left is packed: as much as an
 * estimate needs, not enough for the same one once the job went on. */
static void assert_same_agents(const struct core *a, const struct core *b,
                               bool went_on)
{
    const struct agent *agent;
    assert_int_equal(a->n_agents, b->n_agents);
    DL_FOREACH (a->agents, agent) {
        const struct agent *other = agent_find(b, agent->name);
        assert_non_null(other);
        assert_true(agent->done == other->done);
        assert_true(agent->charged == other->charged);
        double apart = agent->speed - other->speed;
        assert_true(went_on || (-1e-6 < apart && apart < 1e-6));
    }
}

static void assert_same_names(const struct agent_name *a,
                              const struct agent_name *b)
{
    for (; a != NULL && b != NULL; a = a->next, b = b->next)
        assert_string_equal(a->name, b->name);
    assert_true(a == NULL && b == NULL);
}

static void assert_same(struct pair *pair)
{
    struct core *cores[2] = {replay(pair, 0), replay(pair, 1)};
    const struct job *a = job_find(cores[0], JOB), *b = job_find(cores[1], JOB);
    assert_true(core_digest(cores[0]) == core_digest(cores[1]));
    assert_true(cores[0]->seq == cores[1]->seq);
    assert_same_agents(cores[0], cores[1], pair->went_on);
    if (a != NULL) {
        assert_true(a->revision == b->revision);
        assert_true(a->started_ms == b->started_ms);
        assert_true(a->ended_ms == b->ended_ms);
        assert_same_names(a->versions, b->versions);
    }
    for (int i = 0; i < 2; i++)
        core_free(&cores[i]);
    assert_same_facts(pair, 0, pair->frames, (size_t)pair->frames);
    assert_same_facts(pair, 0, pair->frames, 3);
    assert_same_facts(pair, 250, 260, 500);
    assert_same_facts(pair, 256, 257, 1);
    assert_same_facts(pair, pair->frames - 3, pair->frames, 2);
}

static int64_t number(struct pair *pair, const char *sql)
{
    sqlite3_stmt *query;
    assert_int_equal(
        sqlite3_prepare_v2(pair->ledgers[1]->db, sql, -1, &query, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    int64_t ret = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return ret;
}

static void pack_step(struct pair *pair)
{
    struct world *w = pair->packed;
    if (ledger_pack(pair->ledgers[1], w->why, sizeof w->why) != LEDGER_OK)
        fail_msg("%s", w->why);
}

static void pack_all(struct pair *pair)
{
    pack_add(pair->ledgers[1], JOB);
    while (pair->ledgers[1]->pack)
        pack_step(pair);
}

/* The broker is killed and started again. What it replays it packs. */
static void restart(struct pair *pair)
{
    ledger_close(&pair->ledgers[1]);
    open_ledger(pair, 1);
    struct core *core = replay(pair, 1);
    const struct job *job = job_find(core, JOB);
    if (job != NULL && job_ended(job) && !job->leases && !job->packed)
        pack_add(pair->ledgers[1], JOB);
    core_free(&core);
}

#define PACKED_EVENTS "SELECT count(*) FROM event WHERE kind = 'packed'"

/* --- The tests. --- */

static void test_an_ended_job_is_two_events_and_a_few_rows(void **state)
{
    struct pair *pair = *state;
    live(pair, FRAMES);
    pack_all(pair);
    assert_int_equal(number(pair, "SELECT count(*) FROM event"), 2);
    assert_int_equal(number(pair, PACKED_EVENTS), 1);
    assert_int_equal(number(pair, "SELECT count(*) FROM frame"), 0);
    assert_int_equal(number(pair, "SELECT count(*) FROM pack"),
                     (FRAMES + FACTS_CHUNK - 1) / FACTS_CHUNK);
    assert_int_equal(
        number(pair, "SELECT count(*) FROM job WHERE packed IS NOT NULL"), 0);
    assert_same(pair);
}

static bool is_unfinished(struct pair *pair)
{
    return pair->ledgers[1]->packings != NULL ||
           number(pair, "SELECT count(*) FROM job WHERE packed IS NOT NULL") >
               0;
}

/* Killed between any two steps it goes on where it was. */
static void test_every_step_is_the_same_farm(void **state)
{
    struct pair *pair = *state;
    int steps = 0, marked = 0;
    live(pair, FRAMES);
    pack_add(pair->ledgers[1], JOB);
    while (is_unfinished(pair)) {
        pack_step(pair);
        assert_same(pair);
        int64_t packed = number(pair, PACKED_EVENTS);
        steps++;
        marked += (int)packed;
        if (packed > 0) /* before that nothing is kept of it */
            restart(pair);
        assert_same(pair);
    }
    assert_true(marked >= 8 && steps - marked >= 2);
    assert_int_equal(number(pair, "SELECT count(*) FROM event"), 2);
    assert_int_equal(number(pair, "SELECT count(*) FROM frame"), 0);
}

static void test_a_start_packs_what_was_left(void **state)
{
    struct pair *pair = *state;
    live(pair, 40);
    restart(pair);
    while (pair->ledgers[1]->pack)
        pack_step(pair);
    assert_int_equal(number(pair, "SELECT count(*) FROM event"), 2);
    restart(pair); /* and nothing of it again */
    assert_true(pair->ledgers[1]->packings == NULL);
    assert_same(pair);
}

/* The facts of before are there again, and change as they would have. */
static void test_a_packed_job_goes_on(void **state)
{
    struct pair *pair = *state;
    live(pair, FRAMES);
    pack_all(pair);
    restart(pair);
    pair->went_on = true;
    for (int round = 0; round < 3; round++) {
        add_frames(pair, EVENT_RETRIED, 300, 500);
        flush(pair);
        assert_same(pair);
        pack_all(pair); /* it has not ended: nothing is done */
        assert_int_equal(number(pair, PACKED_EVENTS), 1);
        for (int32_t at = 300; at < 500; at++) {
            render(pair, at);
            if (at % 50 == 0)
                flush(pair);
        }
        flush(pair);
        assert_same(pair);
        restart(pair);
        assert_same(pair);
        pack_all(pair);
        assert_same(pair);
        assert_int_equal(number(pair, "SELECT count(*) FROM event"), 2);
        assert_int_equal(number(pair, "SELECT count(*) FROM frame"), 0);
    }
}

/* At every step: a retry comes in between. */
static void test_a_job_goes_on_while_it_is_packed(void **state)
{
    struct pair *pair = *state;
    live(pair, 1100);
    pair->went_on = true;
    for (int stop = 1; stop < 12; stop++) {
        pack_add(pair->ledgers[1], JOB);
        for (int i = 0; i < stop && pair->ledgers[1]->pack; i++)
            pack_step(pair);
        add_frames(pair, EVENT_RETRIED, 0, 300);
        for (int32_t at = 0; at < 100; at++)
            render(pair, at);
        flush(pair);
        assert_same(pair);
        restart(pair);
        while (pair->ledgers[1]->pack)
            pack_step(pair);
        assert_same(pair);
        for (int32_t at = 100; at < 300; at++)
            render(pair, at);
        flush(pair);
    }
    pack_all(pair);
    assert_int_equal(number(pair, "SELECT count(*) FROM event"), 2);
    assert_same(pair);
}

/* One whose lease goes on may still change. */
static void test_a_job_with_a_lease_stays(void **state)
{
    struct pair *pair = *state;
    struct event lease = {
        .type = EVENT_LEASED, .agent = "a", .lease = LEASE_ID(1, 9), .hi = 5};
    submit(pair, 10);
    add(pair, lease);
    add_frames(pair, EVENT_CANCELLED, 0, 10);
    flush(pair);
    pack_all(pair);
    assert_int_equal(number(pair, PACKED_EVENTS), 0);
    lease.type = EVENT_RELEASED;
    add(pair, lease);
    flush(pair);
    pack_all(pair);
    assert_int_equal(number(pair, PACKED_EVENTS), 1);
    assert_same(pair);
}

/* The last event of all may be one that is there for its number alone. */
static void test_the_last_number_stays(void **state)
{
    struct pair *pair = *state;
    struct event lease = {.type = EVENT_LEASED, .agent = "a", .hi = 5};
    submit(pair, 10);
    for (uint64_t i = 1; i <= 2; i++) {
        lease.lease = LEASE_ID(1, i);
        lease.type = EVENT_LEASED;
        add(pair, lease);
        if (i == 2)
            add_frames(pair, EVENT_CANCELLED, 0, 10);
        lease.type = EVENT_RELEASED;
        add(pair, lease);
    }
    flush(pair);
    pack_all(pair);
    assert_int_equal(number(pair, PACKED_EVENTS), 1);
    assert_same(pair);
    add(pair, (struct event){.type = EVENT_DRAINED, .agent = "z"});
    flush(pair);
    assert_int_equal(number(pair, PACKED_EVENTS), 1);
    assert_same(pair);
}

/* At every step it may be forgotten; then nothing of it is left. */
static void test_a_job_is_forgotten_while_it_is_packed(void **state)
{
    struct pair *pair = *state;
    struct world *w = pair->packed;
    for (int stop = 0; stop < 14; stop++) {
        live(pair, 1100);
        pack_add(pair->ledgers[1], JOB);
        for (int i = 0; i < stop && pair->ledgers[1]->pack; i++)
            pack_step(pair);
        add(pair, (struct event){.type = EVENT_FORGOTTEN});
        add(pair, (struct event){.type = EVENT_DRAINED, .agent = "z"});
        flush(pair);
        while (pair->ledgers[1]->pack || pair->ledgers[1]->purge) {
            if (pair->ledgers[1]->purge)
                assert_int_equal(
                    ledger_purge(pair->ledgers[1], w->why, sizeof w->why),
                    LEDGER_OK);
            pack_step(pair);
            struct core *core = replay(pair, 1);
            assert_int_equal(core->n_jobs, 0);
            core_free(&core);
        }
        while (pair->ledgers[0]->purge) /* for the id is used again */
            assert_int_equal(
                ledger_purge(pair->ledgers[0], w->why, sizeof w->why),
                LEDGER_OK);
        assert_int_equal(number(pair, "SELECT count(*) FROM event"), stop + 1);
        assert_int_equal(number(pair, "SELECT count(*) FROM frame"), 0);
        assert_int_equal(number(pair, "SELECT count(*) FROM pack"), 0);
        assert_int_equal(number(pair, "SELECT count(*) FROM job"), 0);
    }
}

/* --- Damage. --- */

static void meddle(struct pair *pair, const char *sql)
{
    char *error = NULL;
    if (sqlite3_exec(pair->ledgers[1]->db, sql, NULL, NULL, &error) !=
        SQLITE_OK)
        fail_msg("%s: %s", sql, error);
}

static void assert_unsound(struct pair *pair, const char *reason)
{
    int64_t events;
    ledger_close(&pair->ledgers[1]);
    assert_false(world_verify(pair->packed, &events));
    assert_non_null(strstr(pair->packed->why, reason));
}

static void test_packed_facts_that_are_damaged_are_found(void **state)
{
    struct pair *pair = *state;
    live(pair, 300);
    pack_all(pair);
    meddle(pair, "UPDATE pack SET body = substr(body, 1, length(body) - 9)"
                 " WHERE chunk = 1");
    assert_unsound(pair, "packed frames 1 of job 1: facts: cannot be unpacked");
}

/* Frames of a damaged chunk are as without facts, and get new ones. */
static void test_the_other_facts_of_a_damaged_job_are_read(void **state)
{
    struct pair *pair = *state;
    live(pair, 600);
    pack_all(pair);
    meddle(pair, "UPDATE pack SET body = x'0102' WHERE chunk = 1");
    assert_same_facts(pair, 0, 256, 256);
    assert_same_facts(pair, 512, 600, 256);
    add_frames(pair, EVENT_RETRIED, 300, 301);
    render(pair, 300);
    flush(pair);
    pack_all(pair);
    assert_int_equal(number(pair, "SELECT count(*) FROM pack"), 3);
}

static void test_a_fate_that_leaves_out_a_frame_is_refused(void **state)
{
    struct pair *pair = *state;
    static const struct range done = {0, 9};
    static const struct job_fate fate = {.done = &done, .n_done = 1};
    char why[256] = "";
    static const struct core_options options = {.max_attempts = 3};
    struct core *core = core_new(&options);
    struct span span = {1, 10, 1, 0};
    struct job_spec spec = {.id = JOB, .frames = {&span, 1, 10}};
    struct event event = {
        .type = EVENT_SUBMITTED, .seq = 1, .job = JOB, .spec = &spec};
    (void)pair;
    assert_true(core_replay(core, &event, why, sizeof why));
    event = (struct event){
        .type = EVENT_PACKED, .seq = 2, .job = JOB, .fate = &fate};
    assert_false(core_replay(core, &event, why, sizeof why));
    assert_string_equal(why, "record 2 (packed) leaves out frames of the job");
    core_free(&core);
}

/* --- Through the thread. --- */

static void test_the_thread_packs_between_commits(void **state)
{
    struct world *w = *state;
    int64_t events;
    world_open(w);
    (void)world_begin(w);
    struct span span = {1, 3, 1, 0};
    struct job_spec spec = {.id = JOB, .frames = {&span, 1, 3}};
    struct event event = {
        .type = EVENT_SUBMITTED, .seq = 1, .job = JOB, .spec = &spec};
    store_append(w->store, &event);
    for (int32_t at = 0; at < 3; at++) {
        event = (struct event){.type = EVENT_DONE,
                               .seq = (uint64_t)at + 2,
                               .job = JOB,
                               .agent = "a",
                               .lo = at,
                               .hi = at + 1};
        store_append(w->store, &event);
    }
    store_pack(w->store, JOB);
    store_pack(w->store, JOB);
    world_commit(w, 4);
    /* The hint was taken with the events; the thread turns to a question only
     * after a step, and a small job is one of those. */
    for (uint64_t seq = 5; seq < 9; seq++) {
        event = (struct event){.type = EVENT_DRAINED, .seq = seq, .agent = "z"};
        store_append(w->store, &event);
        world_commit(w, seq);
    }
    store_close(&w->store);
    assert_true(world_verify(w, &events));
    assert_int_equal(events, 2 + 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_an_ended_job_is_two_events_and_a_few_rows),
        TEST(test_every_step_is_the_same_farm),
        TEST(test_a_start_packs_what_was_left),
        TEST(test_a_packed_job_goes_on),
        TEST(test_a_job_goes_on_while_it_is_packed),
        TEST(test_a_job_with_a_lease_stays),
        TEST(test_the_last_number_stays),
        TEST(test_a_job_is_forgotten_while_it_is_packed),
        TEST(test_packed_facts_that_are_damaged_are_found),
        TEST(test_the_other_facts_of_a_damaged_job_are_read),
        TEST(test_a_fate_that_leaves_out_a_frame_is_refused),
        cmocka_unit_test_setup_teardown(test_the_thread_packs_between_commits,
                                        world_set_up, world_tear_down),
    };
    return cmocka_run_group_tests_name("store_pack", tests, NULL, NULL);
}
