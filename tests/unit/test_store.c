/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger in peace: what is appended comes back in order, facts and copies
 * are what they should be, forgotten jobs leave a history that replays to the
 * same state, and a ledger that is not ours, newer, damaged or held by
 * somebody else is refused with a reason.
 */
#include "broker/store.h"

#include "store_world.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "broker/core/state.h"
#include "broker/ledger.h"

/* --- Keeping. --- */

static void test_a_new_ledger_is_empty(void **state)
{
    struct world *w = *state;
    world_open(w);
    assert_int_equal(world_audit(w, 0), 0);
    assert_int_equal(world_begin(w), 1);
    assert_int_equal(store_poll(w->store), 0);
}

static void test_what_is_appended_comes_back(void **state)
{
    struct world *w = *state;
    world_open(w);
    world_begin(w);
    world_append(w, 1, 100);
    world_commit(w, 100);
    store_close(&w->store);
    world_open(w);
    assert_int_equal(world_audit(w, 100), 100);
    world_begin(w);
    assert_int_equal(store_poll(w->store), 100);
    world_append(w, 101, 150);
    world_commit(w, 150);
    store_close(&w->store);
    world_open(w);
    assert_int_equal(world_audit(w, 150), 150);
}

static void test_closing_commits_what_is_queued(void **state)
{
    struct world *w = *state;
    world_open(w);
    world_begin(w);
    world_append(w, 1, 2000);
    store_close(&w->store);
    world_open(w);
    assert_int_equal(world_audit(w, 2000), 2000);
}

static void test_a_lazy_event_is_committed_by_itself(void **state)
{
    struct world *w = *state;
    world_open(w);
    world_begin(w);
    world_append(w, 1, 1);
    world_commit(w, 1);
    world_append(w, 2, 2);
    world_commit(w, 2);
    struct story story;
    story_tell(&story, 2);
    assert_int_equal(event_keep(story.event.type), EVENT_LAZY);
}

static void test_every_begin_is_a_new_epoch(void **state)
{
    struct world *w = *state;
    for (uint64_t epoch = 1; epoch <= 4; epoch++) {
        world_open(w);
        assert_int_equal(world_begin(w), epoch);
        store_close(&w->store);
    }
    world_open(w); /* without a begin nothing counts */
    store_close(&w->store);
    world_open(w);
    assert_int_equal(world_begin(w), 5);
}

/* Nothing but a log of bounded length lies beside the ledger. */
static void test_the_log_does_not_grow_without_end(void **state)
{
    struct world *w = *state;
    static char doc[LIMIT_SPEC + 1];
    memset(doc, 'd', LIMIT_SPEC);
    world_open(w);
    world_begin(w);
    struct story story;
    for (uint64_t seq = 1; seq <= 400; seq++) {
        story_tell(&story, 1);
        story.event.seq = seq;
        story_name(story.job, seq);
        story.spec.doc = doc;
        store_append(w->store, &story.event);
        if (seq % 10 == 0)
            world_commit(w, seq);
    }
    struct stat log, ledger;
    assert_int_equal(stat(world_path(w, "ledger.db-wal"), &log), 0);
    assert_int_equal(stat(world_path(w, "ledger.db"), &ledger), 0);
    assert_true(log.st_size < 8 * 1024 * 1024);
    assert_true(ledger.st_size > 20 * 1024 * 1024);
    assert_false(world_has(w, "ledger.db-shm")); /* one connection only */
    store_close(&w->store);
    assert_false(world_has(w, "ledger.db-wal"));
}

/* --- Refusing. --- */

static void assert_refused(struct world *w, const char *reason)
{
    w->store = store_open(w->dir, w->why, sizeof w->why);
    assert_null(w->store);
    if (strstr(w->why, reason) == NULL)
        fail_msg("%s", w->why);
}

static void test_a_second_broker_is_refused(void **state)
{
    struct world *w = *state;
    world_open(w);
    char why[256], holder[64];
    int64_t events;
    snprintf(holder, sizeof holder, "in use by another broker (process %ld)",
             (long)getpid());
    assert_null(store_open(w->dir, why, sizeof why));
    assert_non_null(strstr(why, holder));
    assert_false(store_verify(w->dir, &events, why, sizeof why));
    assert_non_null(strstr(why, holder));
    store_close(&w->store);
    world_open(w);
}

static void test_a_folder_that_is_not_there_is_refused(void **state)
{
    char why[256];
    assert_null(store_open("/tmp/frameq-no-such-folder", why, sizeof why));
    assert_non_null(strstr(why, "No such file"));
    char *dir = mem_new(8192), *long_why = mem_new(16384);
    memset(dir, 'x', 8191);
    assert_null(store_open(dir, long_why, 16384));
    assert_non_null(strstr(long_why, "name too long"));
    mem_free(dir);
    mem_free(long_why);
    (void)state;
}

/* Runs SQL on a ledger that no store holds. */
static void meddle(struct world *w, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(world_path(w, "ledger.db"), &db), SQLITE_OK);
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    sqlite3_close(db);
}

static void make_ledger(struct world *w, uint64_t events)
{
    world_open(w);
    world_begin(w);
    world_append(w, 1, events);
    store_close(&w->store);
}

static void test_another_program_on_the_file_is_named(void **state)
{
    struct world *w = *state;
    make_ledger(w, 3);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(world_path(w, "ledger.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "BEGIN; SELECT * FROM meta", NULL, NULL, NULL),
        SQLITE_OK);
    assert_refused(w, "open in another program");
    sqlite3_close(db);
    world_open(w);
}

static void test_a_newer_ledger_is_refused_untouched(void **state)
{
    struct world *w = *state;
    make_ledger(w, 3);
    meddle(w, "PRAGMA user_version = 2");
    assert_refused(w, "of a newer frameq (format 2, this one reads up to 1)");
    meddle(w, "PRAGMA user_version = 1");
    world_open(w);
    assert_int_equal(world_audit(w, 3), 3);
}

static void test_a_file_of_something_else_is_refused(void **state)
{
    struct world *w = *state;
    meddle(w, "CREATE TABLE recipes(name)");
    assert_refused(w, "not a ledger of frameq");
    world_empty(w);
    FILE *file = fopen(world_path(w, "ledger.db"), "w");
    for (int i = 0; i < 1000; i++)
        fputs("no database at all\n", file);
    fclose(file);
    assert_refused(w, "not a database");
}

static int64_t replay_fails(struct world *w)
{
    uint64_t last;
    world_open(w);
    int64_t rc =
        store_replay(w->store, audit_count, &last, w->why, sizeof w->why);
    store_close(&w->store);
    return rc;
}

static void test_a_damaged_record_is_found(void **state)
{
    struct world *w = *state;
    static const char *const damages[] = {
        "UPDATE event SET body = x'c1' WHERE seq = 5",
        "UPDATE event SET body = substr(body, 1, 20) WHERE seq = 5",
        "UPDATE event SET body = x'' WHERE seq = 5",
        "UPDATE event SET kind = 'drained' WHERE seq = 5",
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        int64_t events;
        make_ledger(w, 10);
        assert_true(store_verify(w->dir, &events, w->why, sizeof w->why));
        assert_int_equal(events, 10);
        meddle(w, damages[i]);
        assert_int_equal(replay_fails(w), -1);
        assert_non_null(strstr(w->why, "event 5"));
        assert_false(store_verify(w->dir, &events, w->why, sizeof w->why));
        assert_non_null(strstr(w->why, "event 5"));
        world_empty(w);
    }
}

static void test_damaged_pages_are_found(void **state)
{
    struct world *w = *state;
    make_ledger(w, 3000);
    int fd = open(world_path(w, "ledger.db"), O_WRONLY);
    char zeros[4096] = {0};
    for (int page = 40; page < 60; page++)
        assert_int_equal(pwrite(fd, zeros, sizeof zeros, page * 4096), 4096);
    close(fd);
    int64_t events;
    assert_false(store_verify(w->dir, &events, w->why, sizeof w->why));
    assert_true(w->why[0] != '\0');
}

/* --- Checking. --- */

static char *read_file(const char *path, size_t *ret_len)
{
    int fd = open(path, O_RDONLY);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) != 0)
        fail_msg("%s", path);
    char *bytes = mem_new((size_t)file.st_size);
    assert_int_equal(read(fd, bytes, (size_t)file.st_size), file.st_size);
    close(fd);
    *ret_len = (size_t)file.st_size;
    return bytes;
}

static void copy_file(const char *from, const char *to)
{
    size_t len;
    char *bytes = read_file(from, &len);
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
    mem_free(bytes);
}

static void assert_same_file(const char *a, const char *b)
{
    size_t len_a, len_b;
    char *bytes_a = read_file(a, &len_a), *bytes_b = read_file(b, &len_b);
    assert_int_equal(len_a, len_b);
    assert_memory_equal(bytes_a, bytes_b, len_a);
    mem_free(bytes_a);
    mem_free(bytes_b);
}

/* Leaves the folder as a broker that was killed does: with a log. */
static void make_killed_ledger(struct world *w, uint64_t events)
{
    world_open(w);
    world_begin(w);
    world_append(w, 1, events);
    world_commit(w, events);
    copy_file(world_path(w, "ledger.db"), world_path(w, "keep"));
    copy_file(world_path(w, "ledger.db-wal"), world_path(w, "keep-wal"));
    store_close(&w->store);
    copy_file(world_path(w, "keep"), world_path(w, "ledger.db"));
    copy_file(world_path(w, "keep-wal"), world_path(w, "ledger.db-wal"));
}

static void assert_untouched(const struct world *w)
{
    assert_same_file(world_path(w, "keep"), world_path(w, "ledger.db"));
    assert_same_file(world_path(w, "keep-wal"), world_path(w, "ledger.db-wal"));
}

static void test_a_check_changes_nothing(void **state)
{
    struct world *w = *state;
    make_killed_ledger(w, 30);
    int64_t events = 0;
    if (!store_verify(w->dir, &events, w->why, sizeof w->why))
        fail_msg("%s", w->why);
    assert_int_equal(events, 30);
    assert_untouched(w);
    world_open(w);
    assert_int_equal(world_audit(w, 30), 30);
}

static void test_nothing_is_written_before_the_begin(void **state)
{
    struct world *w = *state;
    make_killed_ledger(w, 30);
    world_open(w);
    assert_int_equal(world_audit(w, 30), 30);
    store_close(&w->store);
    assert_untouched(w);
}

static void test_a_check_needs_a_ledger(void **state)
{
    struct world *w = *state;
    int64_t events;
    assert_false(store_verify(w->dir, &events, w->why, sizeof w->why));
    assert_non_null(strstr(w->why, "unable to open"));
    assert_false(world_has(w, "ledger.db"));
}

/* --- Facts. --- */

struct facts {
    size_t n;
    int calls;
    struct frame_fact at[8];
    char texts[8][64]; /* "agent blender files fault text" */
};

static void take_facts(void *ctx, const struct frame_fact *facts, size_t n)
{
    struct facts *to = ctx;
    to->calls++;
    to->n = n;
    for (size_t i = 0; i < n && i < 8; i++) {
        to->at[i] = facts[i];
        snprintf(to->texts[i], sizeof to->texts[i], "%s %s %s %s %s",
                 facts[i].agent, facts[i].blender, facts[i].files,
                 facts[i].fault, facts[i].text);
    }
}

static struct facts read_facts(struct world *w, const char *job,
                               struct range ordinals, size_t limit)
{
    struct facts facts = {0};
    store_frames(w->store, job, ordinals, limit, take_facts, &facts);
    while (facts.calls == 0)
        (void)world_news(w->store);
    assert_int_equal(facts.calls, 1);
    return facts;
}

#define JOB "facts-of-this-job"

/* A store with one job of 100,000 frames; *ret_seq is the last event. */
static void begin_with_job(struct world *w, uint64_t *ret_seq)
{
    struct span span = {1, 100000, 1, 0};
    struct job_spec spec = {.id = JOB, .frames = {&span, 1, 100000}};
    struct event event = {.type = EVENT_SUBMITTED, .seq = 1, .spec = &spec};
    world_open(w);
    world_begin(w);
    store_append(w->store, &event);
    *ret_seq = 1;
}

static void append(struct world *w, uint64_t *seq, struct event event)
{
    event.seq = ++*seq;
    event.at_ms = (int64_t)event.seq * 1000;
    event.job = JOB;
    store_append(w->store, &event);
}

static struct event done(int32_t ordinal, const char *agent)
{
    return (struct event){.type = EVENT_DONE,
                          .agent = agent,
                          .lease = LEASE_ID(1, 7),
                          .lo = ordinal,
                          .hi = ordinal + 1,
                          .number = 1234,
                          .text = "[files]",
                          .detail = "3.4.1"};
}

static struct event charged(int32_t ordinal, const char *agent)
{
    return (struct event){.type = EVENT_CHARGED,
                          .agent = agent,
                          .lease = LEASE_ID(1, 8),
                          .lo = ordinal,
                          .hi = ordinal + 1,
                          .fault = FAULT_CRASH,
                          .text = "oh"};
}

static void test_facts_follow_done_and_charges(void **state)
{
    struct world *w = *state;
    uint64_t seq;
    begin_with_job(w, &seq);
    append(w, &seq, charged(3, "a"));
    append(w, &seq, charged(3, "b"));
    append(w, &seq, done(3, "c"));
    append(w, &seq, done(9, "a"));
    append(w, &seq, charged(9, "b"));
    world_commit(w, seq);
    struct facts facts = read_facts(w, JOB, (struct range){0, 100}, 8);
    assert_int_equal(facts.n, 2);
    assert_int_equal(facts.at[0].ordinal, 3);
    assert_int_equal(facts.at[0].attempts, 2);
    assert_int_equal(facts.at[0].ms, 1234);
    assert_true(facts.at[0].at_ms == 4000);
    assert_true(facts.at[0].lease == LEASE_ID(1, 7));
    assert_string_equal(facts.texts[0], "c 3.4.1 [files] crash oh");
    assert_int_equal(facts.at[1].ordinal, 9);
    assert_int_equal(facts.at[1].attempts, 1);
    assert_true(facts.at[1].lease == LEASE_ID(1, 8));
    assert_string_equal(facts.texts[1], "b 3.4.1 [files] crash oh");
}

static void test_facts_of_the_frames_that_are_asked_for(void **state)
{
    struct world *w = *state;
    uint64_t seq;
    begin_with_job(w, &seq);
    for (int32_t ordinal = 0; ordinal < 20; ordinal++)
        append(w, &seq, done(19 - ordinal, "a"));
    world_commit(w, seq);
    struct facts facts = read_facts(w, JOB, (struct range){4, 8}, 8);
    assert_int_equal(facts.n, 4);
    for (int32_t i = 0; i < 4; i++)
        assert_int_equal(facts.at[i].ordinal, 4 + i);
    assert_int_equal(read_facts(w, JOB, (struct range){4, 8}, 3).n, 3);
    assert_int_equal(read_facts(w, JOB, (struct range){20, 99}, 8).n, 0);
    assert_int_equal(read_facts(w, JOB, (struct range){7, 7}, 8).n, 0);
    assert_int_equal(read_facts(w, "no-such-job", (struct range){0, 9}, 8).n,
                     0);
}

static struct event failed(const struct ranges *frames, bool whole_job)
{
    return (struct event){.type = EVENT_FAILED,
                          .agent = "a",
                          .frames = frames,
                          .flag = whole_job,
                          .fault = FAULT_BAD_NAME,
                          .text = "no"};
}

static void test_a_last_charge_is_an_attempt(void **state)
{
    struct world *w = *state;
    uint64_t seq;
    struct ranges one = {0};
    ranges_add(&one, 5, 6);
    begin_with_job(w, &seq);
    append(w, &seq, charged(5, "b"));
    append(w, &seq, failed(&one, false));
    world_commit(w, seq);
    struct facts facts = read_facts(w, JOB, (struct range){0, 100}, 8);
    assert_int_equal(facts.n, 1);
    assert_int_equal(facts.at[0].attempts, 2);
    assert_string_equal(facts.texts[0], "a   bad_name no");
    ranges_free(&one);
}

static void test_a_failed_job_leaves_bounded_facts(void **state)
{
    struct world *w = *state;
    uint64_t seq;
    struct ranges all = {0};
    ranges_add(&all, 0, 10);
    ranges_add(&all, 20, 100000);
    begin_with_job(w, &seq);
    append(w, &seq, failed(&all, true));
    world_commit(w, seq);
    int32_t last = LIMIT_FAILED_FACTS + 10; /* the first that has none */
    struct facts facts =
        read_facts(w, JOB, (struct range){last - 2, last + 2}, 8);
    assert_int_equal(facts.n, 2);
    assert_int_equal(facts.at[1].ordinal, last - 1);
    assert_int_equal(facts.at[1].attempts, 0);
    ranges_free(&all);
}

static void ask_again(void *ctx, const struct frame_fact *facts, size_t n)
{
    struct world *w = ctx;
    (void)facts;
    (void)n;
    store_frames(w->store, JOB, (struct range){0, 9}, 8, take_facts, w->why);
    store_forget(w->store, w->why);
}

static void test_a_forgotten_question_gets_no_answer(void **state)
{
    struct world *w = *state;
    uint64_t seq;
    struct facts first = {0}, second = {0};
    begin_with_job(w, &seq);
    struct range all = {0, 100};
    store_frames(w->store, JOB, all, 8, take_facts, &first);
    store_frames(w->store, JOB, all, 8, take_facts, &second);
    store_frames(w->store, JOB, all, 8, take_facts, &first);
    store_frames(w->store, JOB, all, 8, ask_again, w);
    store_forget(w->store, &first);
    (void)read_facts(w, JOB, all, 8);
    assert_int_equal(first.calls, 0);
    assert_int_equal(second.calls, 1);
    store_frames(w->store, JOB, all, 8, take_facts, &first);
}

/* --- Copies. --- */

struct copied {
    int calls;
    char reason[256];
};

static void take_reason(void *ctx, const char *reason)
{
    struct copied *copied = ctx;
    copied->calls++;
    snprintf(copied->reason, sizeof copied->reason, "%s",
             reason == NULL ? "" : reason);
}

static void wait_copy(struct world *w, const struct copied *copied)
{
    while (copied->calls == 0)
        (void)world_news(w->store);
}

static void test_a_copy_is_whole_and_of_later_epochs(void **state)
{
    struct world *w = *state;
    struct copied copied = {0};
    world_open(w);
    world_begin(w);
    world_append(w, 1, 20000);
    world_commit(w, 20000);
    store_backup(w->store, world_path(w, "copy"), take_reason, &copied);
    uint64_t seq = 20000;
    while (copied.calls == 0) { /* work goes on meanwhile */
        world_append(w, seq + 1, seq + 1);
        world_commit(w, ++seq);
    }
    assert_string_equal(copied.reason, "");
    assert_true(seq > 20000);
    store_close(&w->store);
    assert_false(world_has(w, "copy-wal"));
    assert_int_equal(rename(world_path(w, "copy"), world_path(w, "ledger.db")),
                     0);
    world_open(w);
    (void)world_audit(w, 20000);
    assert_int_equal(world_begin(w), 1002);
}

static void test_a_copy_replaces_no_file(void **state)
{
    struct world *w = *state;
    struct copied copied = {0};
    make_ledger(w, 10);
    FILE *file = fopen(world_path(w, "precious"), "w");
    fputs("precious\n", file);
    fclose(file);
    world_open(w);
    world_begin(w);
    store_backup(w->store, world_path(w, "precious"), take_reason, &copied);
    wait_copy(w, &copied);
    assert_non_null(strstr(copied.reason, "File exists"));
    struct stat after;
    assert_int_equal(stat(world_path(w, "precious"), &after), 0);
    assert_int_equal(after.st_size, 9);
    copied.calls = 0;
    store_backup(w->store, world_path(w, "no/such"), take_reason, &copied);
    wait_copy(w, &copied);
    assert_non_null(strstr(copied.reason, "No such file"));
}

static void test_one_copy_at_a_time(void **state)
{
    struct world *w = *state;
    struct copied first = {0}, second = {0};
    make_ledger(w, 20000);
    world_open(w);
    world_begin(w);
    store_backup(w->store, world_path(w, "one"), take_reason, &first);
    store_backup(w->store, world_path(w, "two"), take_reason, &second);
    wait_copy(w, &second);
    assert_string_equal(second.reason, "another backup is under way");
    wait_copy(w, &first);
    assert_string_equal(first.reason, "");
    assert_false(world_has(w, "two"));
}

static void test_closing_removes_an_unfinished_copy(void **state)
{
    struct world *w = *state;
    struct copied copied = {0};
    struct facts facts = {0};
    make_ledger(w, 20000);
    world_open(w);
    world_begin(w);
    store_backup(w->store, world_path(w, "copy"), take_reason, &copied);
    store_frames(w->store, JOB, (struct range){0, 1}, 1, take_facts, &facts);
    while (facts.calls == 0) /* asked later: the copy has begun */
        (void)world_news(w->store);
    store_close(&w->store);
    assert_int_equal(copied.calls, 0);
    assert_false(world_has(w, "copy"));
}

/* --- Forgetting. --- */

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
    struct ranges all = {0};
    struct span span = {1, 9000, 1, 0};
    struct job_spec spec = {.id = JOB, .frames = {&span, 1, 9000}};
    struct event event = {.type = EVENT_SUBMITTED, .job = JOB, .spec = &spec};
    ranges_add(&all, 0, 9000);
    buf_init(&records, LIMIT_LEDGER_QUEUE);
    add_record(&records, &event);
    for (int32_t i = 0; i < 9000; i++) {
        event = done(i, "a");
        event.job = JOB;
        add_record(&records, &event);
    }
    event = (struct event){.type = EVENT_FORGOTTEN, .job = JOB};
    add_record(&records, &event);
    assert_int_equal(ledger_write(ledger, &records, why, size), LEDGER_OK);
    buf_free(&records);
    ranges_free(&all);
}

static void assert_replays(struct ledger *ledger, uint64_t seq)
{
    char why[256];
    struct core *core = new_core();
    int64_t last = ledger_replay(ledger, replay_into, core, why, sizeof why);
    assert_true(last == (int64_t)seq && core->seq == seq);
    assert_int_equal(core->n_jobs, 0);
    core_check(core);
    core_free(&core);
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
    assert_int_equal(ledger_write(ledger, &records, w->why, sizeof w->why),
                     LEDGER_OK);
    assert_int_equal(ledger_purge(ledger, w->why, sizeof w->why), LEDGER_OK);
    assert_replays(ledger, 9003);
    assert_int_equal(count_rows(ledger, "event"), 1);
    assert_int_equal(count_rows(ledger, "job"), 0);
    buf_free(&records);
    ledger_close(&ledger);
}

static void test_a_forgotten_job_has_no_facts(void **state)
{
    struct world *w = *state;
    uint64_t seq;
    begin_with_job(w, &seq);
    append(w, &seq, done(3, "c"));
    append(w, &seq, (struct event){.type = EVENT_FORGOTTEN});
    world_commit(w, seq);
    assert_int_equal(read_facts(w, JOB, (struct range){0, 9}, 8).n, 0);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_new_ledger_is_empty),
        TEST(test_what_is_appended_comes_back),
        TEST(test_closing_commits_what_is_queued),
        TEST(test_a_lazy_event_is_committed_by_itself),
        TEST(test_every_begin_is_a_new_epoch),
        TEST(test_the_log_does_not_grow_without_end),
        TEST(test_a_second_broker_is_refused),
        TEST(test_a_folder_that_is_not_there_is_refused),
        TEST(test_another_program_on_the_file_is_named),
        TEST(test_a_newer_ledger_is_refused_untouched),
        TEST(test_a_file_of_something_else_is_refused),
        TEST(test_a_damaged_record_is_found),
        TEST(test_damaged_pages_are_found),
        TEST(test_a_check_changes_nothing),
        TEST(test_nothing_is_written_before_the_begin),
        TEST(test_a_check_needs_a_ledger),
        TEST(test_facts_follow_done_and_charges),
        TEST(test_facts_of_the_frames_that_are_asked_for),
        TEST(test_a_last_charge_is_an_attempt),
        TEST(test_a_failed_job_leaves_bounded_facts),
        TEST(test_a_forgotten_question_gets_no_answer),
        TEST(test_a_copy_is_whole_and_of_later_epochs),
        TEST(test_a_copy_replaces_no_file),
        TEST(test_one_copy_at_a_time),
        TEST(test_closing_removes_an_unfinished_copy),
        TEST(test_replay_gives_the_state_that_was_left),
        TEST(test_a_long_job_goes_in_steps_that_all_replay),
        TEST(test_a_forgotten_job_has_no_facts),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
