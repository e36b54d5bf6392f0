/* SPDX-License-Identifier: Apache-2.0
 *
 * A ledger leaves out what a replay does not need: records of leases that are
 * over, jobs that were forgotten, how a job came to its end. What it still
 * tells is the farm that a replay of everything gives, and neither the rows nor
 * the file grow with what has come and gone.
 */
#include "broker/ledger/ledger.h"

#include "store_world.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "broker/views/view.h"
#include "tests/unit/core_farm.h"

/* --- A farm whose ledger is written twice: whole, and into the file. --- */

#define HANDS 3
#define JOBS  5

struct twice {
    struct world *w;
    struct farm *farm;
    struct hand hands[HANDS];
    struct ledger *ledger;
    size_t written; /* records of farm->ledger */
    int submitted;
    unsigned short dice[3];
};

static long roll(struct twice *t, long n)
{
    return nrand48(t->dice) % n;
}

static void open_ledger(struct twice *t)
{
    uint64_t epoch;
    char *why = t->w->why;
    t->ledger = ledger_open(t->w->dir, LEDGER_SERVE, why, sizeof t->w->why);
    if (t->ledger == NULL ||
        ledger_begin(t->ledger, &epoch, why, sizeof t->w->why) != LEDGER_OK)
        fail_msg("%s", why);
}

/* What the broker tells, or some of it, and some steps. */
static void pack_some(struct twice *t)
{
    const struct job *job;
    DL_FOREACH (t->farm->core->jobs, job)
        if (job_ended(job) && !job->leases && roll(t, 4) == 0)
            pack_add(t->ledger, job->id);
    for (long i = roll(t, 4); i > 0 && t->ledger->pack; i--)
        assert_int_equal(ledger_pack(t->ledger, t->w->why, sizeof t->w->why),
                         LEDGER_OK);
}

/* What is new goes into the file, in transactions of any size. */
static void write_some(struct twice *t)
{
    struct buf records;
    buf_init(&records, LIMIT_LEDGER_QUEUE);
    while (t->written < t->farm->n_ledger) {
        const struct buf *record = &t->farm->ledger[t->written++];
        uint32_t len = (uint32_t)record->len;
        buf_add(&records, &len, sizeof len);
        buf_add(&records, record->data, record->len);
        if (t->written < t->farm->n_ledger && roll(t, 3) > 0)
            continue;
        if (ledger_write(t->ledger, &records, NULL, t->w->why,
                         sizeof t->w->why) != LEDGER_OK)
            fail_msg("%s", t->w->why);
        buf_clear(&records);
        pack_some(t);
    }
    buf_free(&records);
}

static void replay_into(void *ctx, const struct event *event)
{
    char why[256];
    if (!core_replay(ctx, event, why, sizeof why))
        fail_msg("%s", why);
}

static void assert_same_view(json_t *a, json_t *b)
{
    assert_true(json_equal(a, b));
    json_decref(a);
    json_decref(b);
}

/* A replay counts other changes than a life: leases are left out. */
static json_t *view_without_revision(const struct job *job)
{
    static const struct core core = {.options = {.max_attempts = 3}};
    json_t *view = view_job(&core, job);
    json_object_del(view, "revision");
    json_object_del(view, "eta_seconds");
    json_object_del(view, "warnings");
    return view;
}

static void assert_same_job(const struct core *core, const struct job *job)
{
    const struct job *other = job_find(core, job->id);
    assert_non_null(other);
    assert_true(other->started_ms == job->started_ms);
    assert_true(other->created_ms == job->created_ms);
    assert_true(other->ended_ms == job->ended_ms);
    assert_true(other->key_hash == job->key_hash);
    assert_int_equal(other->in[FRAME_LEASED].count,
                     job->in[FRAME_LEASED].count);
    assert_memory_equal(&other->times.mean_ms, &job->times.mean_ms,
                        sizeof job->times.mean_ms);
    assert_memory_equal(&other->times.m2, &job->times.m2, sizeof job->times.m2);
    assert_true(times_quantile(&other->times, 0.5) ==
                times_quantile(&job->times, 0.5));
    assert_same_view(view_failures(other), view_failures(job));
    assert_same_view(view_without_revision(other), view_without_revision(job));
}

/* Two replays, of everything and of the file, come to one farm. */
static void assert_same_farm(struct twice *t)
{
    struct core *core = core_new(&t->farm->options);
    int64_t last = ledger_replay(t->ledger, replay_into, core, t->w->why,
                                 sizeof t->w->why);
    assert_true(last == (int64_t)t->farm->n_ledger);
    core_check(core);
    assert_true(core_digest(core) == core_digest(t->farm->core));
    assert_true(core->seq == t->farm->core->seq);
    assert_int_equal(HASH_COUNT(core->leases),
                     HASH_COUNT(t->farm->core->leases));
    const struct job *job;
    DL_FOREACH (t->farm->core->jobs, job)
        assert_same_job(core, job);
    core_free(&core);
}

/* --- Its life. --- */

static void take_all(struct twice *t)
{
    for (int i = 0; i < HANDS; i++)
        hand_take(t->farm, &t->hands[i]);
}

static void submit(struct twice *t)
{
    char name[16];
    snprintf(name, sizeof name, "job%d", t->submitted++);
    (void)farm_job(t->farm, name, "1-25");
}

/* A job drawn at random. */
static struct job *any_job(struct twice *t)
{
    long n = roll(t, t->farm->core->n_jobs);
    struct job *job = t->farm->core->jobs;
    while (n-- > 0)
        job = job->next;
    return job;
}

static void act_people(struct twice *t)
{
    struct job *job = any_job(t);
    struct cmd_patch patch = {.has_priority = true,
                              .priority = (int32_t)roll(t, 101)};
    switch (roll(t, 6)) {
    case 0:
        farm_ask(t->farm, CMD_CANCEL, job, "3-7", "");
        break;
    case 1:
        farm_ask(t->farm, CMD_CANCEL, job, NULL, "no");
        break;
    case 2:
        farm_ask(t->farm, CMD_FORGET, job, NULL, "");
        break;
    case 3:
        farm_patch(t->farm, job, &patch);
        break;
    default:
        farm_ask(t->farm, CMD_RETRY, job, "1-20", roll(t, 2) ? "a1" : "");
    }
    farm_commit(t->farm);
}

static void fail_lease(struct twice *t, struct hand *hand)
{
    hand_end(hand, 0, LEASE_FAILED, FAULT_CRASH, hand->leases[0].from);
    hand_say(t->farm, hand);
    hand_drop(hand, 0);
}

static void act_agent(struct twice *t)
{
    struct hand *hand = &t->hands[roll(t, HANDS)];
    bool busy = hand->state.n_leases > 0;
    switch (busy ? roll(t, 6) : 9) {
    case 0:
        fail_lease(t, hand);
        break;
    case 1:
        hand_drop(hand, 0);
        hand_say(t->farm, hand);
        break;
    case 2:
        hand->leases[0].to = hand->leases[0].from;
        hand_say(t->farm, hand);
        break;
    case 9:
        hand_say(t->farm, hand);
        break;
    default:
        if (hand->leases[0].n_results == 0)
            hand_finish(t->farm, hand, 0);
    }
}

/* The broker is killed, and what agents held goes on or is lost. */
static void restart(struct twice *t)
{
    ledger_close(&t->ledger);
    open_ledger(t);
    farm_restart(t->farm, 0);
    assert_same_farm(t);
    for (int i = 0; i < HANDS; i++) {
        t->hands[i].state.lane = 0;
        while (t->hands[i].state.n_leases > 0 && roll(t, 2) == 0)
            hand_drop(&t->hands[i], 0);
        hand_join(t->farm, &t->hands[i]);
    }
}

static void test_what_is_left_out_changes_nothing(void **state)
{
    struct farm *farm = *state;
    struct world *w;
    assert_int_equal(world_set_up((void **)&w), 0);
    struct twice t = {.w = w, .farm = farm, .dice = {4, 5, 6}};
    open_ledger(&t);
    for (int i = 0; i < HANDS; i++) {
        static const char *const names[HANDS] = {"a1", "a2", "a3"};
        hand_init(&t.hands[i], names[i], 2);
        hand_join(farm, &t.hands[i]);
    }
    for (int i = 1; i <= 2000; i++) {
        if (farm->core->n_jobs < JOBS)
            submit(&t);
        else if (roll(&t, 20) == 0)
            act_people(&t);
        else
            act_agent(&t);
        take_all(&t);
        if (roll(&t, 10) == 0)
            farm_tick(farm, 500);
        write_some(&t);
        if (i % 100 == 0)
            restart(&t);
    }
    ledger_close(&t.ledger);
    void *old = w;
    world_tear_down(&old);
}

/* --- Growth. --- */

static int64_t number(struct ledger *ledger, const char *sql)
{
    sqlite3_stmt *query;
    assert_int_equal(sqlite3_prepare_v2(ledger->db, sql, -1, &query, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    int64_t ret = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return ret;
}

static void add(struct buf *records, struct event event)
{
    struct buf one;
    buf_init(&one, LIMIT_RECORD);
    event.at_ms = 1;
    record_encode(&event, &one);
    uint32_t len = (uint32_t)one.len;
    buf_add(records, &len, sizeof len);
    buf_add(records, one.data, one.len);
    buf_free(&one);
}

static void add_job(struct buf *records, const char *id, int32_t frames)
{
    struct span span = {1, frames, 1, 0};
    struct job_spec spec = {
        .id = id, .frames = {&span, 1, frames}, .doc = "{\"a\":1}"};
    add(records, (struct event){.type = EVENT_SUBMITTED, .spec = &spec});
}

static void write_down(struct world *w, struct ledger *ledger,
                       struct buf *records)
{
    if (ledger_write(ledger, records, NULL, w->why, sizeof w->why) != LEDGER_OK)
        fail_msg("%s", w->why);
    buf_clear(records);
    while (ledger->purge)
        assert_int_equal(ledger_purge(ledger, w->why, sizeof w->why),
                         LEDGER_OK);
    assert_int_equal(ledger_tend(ledger, w->why, sizeof w->why), LEDGER_OK);
}

static struct ledger *begin(struct world *w)
{
    uint64_t epoch;
    struct ledger *ledger =
        ledger_open(w->dir, LEDGER_SERVE, w->why, sizeof w->why);
    assert_non_null(ledger);
    assert_int_equal(ledger_begin(ledger, &epoch, w->why, sizeof w->why),
                     LEDGER_OK);
    return ledger;
}

static off_t size_of_ledger(struct world *w)
{
    struct stat file;
    assert_int_equal(stat(world_path(w, "ledger.db"), &file), 0);
    return file.st_size;
}

#define LONG_JOB "a-job-that-lives-for-months"

/* A million frames, of which 20,000 leases came to nothing. */
static void test_a_long_job_does_not_grow_by_its_leases(void **state)
{
    struct world *w = *state;
    struct ledger *ledger = begin(w);
    struct buf records;
    buf_init(&records, LIMIT_LEDGER_QUEUE);
    add_job(&records, LONG_JOB, 1000000);
    for (int32_t i = 0; i < 20000; i++) {
        struct event event = {.type = EVENT_LEASED,
                              .job = LONG_JOB,
                              .agent = "a",
                              .lease = LEASE_ID(1, (uint64_t)i + 1),
                              .lo = i,
                              .hi = i + 5};
        add(&records, event);
        event.type = EVENT_SHORTENED;
        event.lo = i + 1;
        if (i % 3 == 0)
            add(&records, event);
        event.type = EVENT_RELEASED;
        add(&records, event);
        if (i % 100 == 99)
            write_down(w, ledger, &records);
    }
    /* SUBMITTED, the first lease's three, and the number of the last event */
    assert_int_equal(number(ledger, "SELECT count(*) FROM event"), 5);
    ledger_close(&ledger);
    assert_true(size_of_ledger(w) < 128 * 1024);
    buf_free(&records);
}

static void add_short_life(struct buf *records, int n)
{
    char id[32];
    snprintf(id, sizeof id, "short-job-%08d", n);
    struct event event = {.job = id, .agent = "a", .lease = LEASE_ID(1, 1)};
    add_job(records, id, 3);
    for (event.lo = 0; event.lo < 3; event.lo++) {
        event.type = EVENT_DONE;
        event.hi = event.lo + 1;
        event.text = "[{\"path\":\"/frames/shot_0001.png\"}]";
        add(records, event);
    }
    add(records, (struct event){.type = EVENT_FORGOTTEN, .job = id});
}

static void count_events(void *ctx, const struct event *event)
{
    (void)event;
    ++*(int64_t *)ctx;
}

/* What a start reads, and the file, are those of a ledger with few jobs. */
static void test_jobs_that_came_and_went_leave_nothing(void **state)
{
    struct world *w = *state;
    struct ledger *ledger = begin(w);
    struct buf records;
    off_t most = 0;
    int64_t events = 0;
    buf_init(&records, LIMIT_LEDGER_QUEUE);
    for (int i = 0; i < 20000; i++) {
        add_short_life(&records, i);
        if (i % 500 != 499)
            continue;
        write_down(w, ledger, &records);
        if (size_of_ledger(w) > most)
            most = size_of_ledger(w);
    }
    assert_true(ledger_replay(ledger, count_events, &events, w->why,
                              sizeof w->why) == 20000 * 5);
    assert_in_range(events, 1, 3);
    ledger_close(&ledger);
    assert_true(most < 16 * 1024 * 1024);
    assert_true(size_of_ledger(w) < 8 * 1024 * 1024);
    buf_free(&records);
}

/* Much that is forgotten at once gives its room back, in pieces. */
static void test_room_is_given_back(void **state)
{
    struct world *w = *state;
    struct ledger *ledger = begin(w);
    struct buf records;
    char files[400];
    memset(files, 'f', sizeof files);
    files[sizeof files - 1] = '\0';
    buf_init(&records, LIMIT_LEDGER_QUEUE);
    add_job(&records, LONG_JOB, 1000000);
    for (int32_t i = 0; i < 20000; i++)
        add(&records, (struct event){.type = EVENT_DONE,
                                     .job = LONG_JOB,
                                     .agent = "a",
                                     .lo = i,
                                     .hi = i + 1,
                                     .text = files});
    write_down(w, ledger, &records);
    off_t before = size_of_ledger(w);
    add(&records, (struct event){.type = EVENT_FORGOTTEN, .job = LONG_JOB});
    add_job(&records, "another-job-after-it", 1);
    write_down(w, ledger, &records);
    ledger_close(&ledger);
    assert_true(before > 8 * 1024 * 1024);
    assert_true(size_of_ledger(w) < 5 * 1024 * 1024);
    buf_free(&records);
}

/* --- Ledgers of before. --- */

static void meddle(struct world *w, const char *sql)
{
    sqlite3 *db;
    char *error = NULL;
    assert_int_equal(sqlite3_open(world_path(w, "ledger.db"), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    sqlite3_close(db);
}

static void test_a_ledger_of_an_older_format_is_refused(void **state)
{
    struct world *w = *state;
    struct ledger *ledger = begin(w);
    ledger_close(&ledger);
    meddle(w, "PRAGMA user_version = 2");
    ledger = ledger_open(w->dir, LEDGER_SERVE, w->why, sizeof w->why);
    assert_null(ledger);
    assert_string_equal(w->why,
                        "ledger.db is of an older frameq (format 2, this one "
                        "reads 3); go on with that one, or begin in an empty "
                        "folder");
    meddle(w, "PRAGMA user_version = 3");
    ledger = begin(w); /* it was left as it was */
    ledger_close(&ledger);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_left_out_changes_nothing,
                                        farm_setup, farm_teardown),
        TEST(test_a_long_job_does_not_grow_by_its_leases),
        TEST(test_jobs_that_came_and_went_leave_nothing),
        TEST(test_room_is_given_back),
        TEST(test_a_ledger_of_an_older_format_is_refused),
    };
    return cmocka_run_group_tests_name("store_compact", tests, NULL, NULL);
}
