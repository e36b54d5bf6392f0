/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger in peace: what is appended comes back in order, and a ledger that
 * is not ours, newer, damaged or held by somebody else is refused with a
 * reason. A check changes nothing.
 */
#include "broker/ledger/store.h"

#include "store_world.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

/* --- Keeping. --- */

static void test_a_new_ledger_is_empty(void **state)
{
    struct world *w = *state;
    world_open(w);
    assert_int_equal(world_audit(w, 0), 0);
    assert_int_equal(world_begin(w), 1);
    assert_int_equal(store_poll(w->store), 0);
}

static void test_a_ledger_is_its_owners_alone(void **state)
{
    static const char *const names[] = {"ledger.db", "ledger.db-wal", "lock",
                                        "ballast"};
    struct world *w = *state;
    world_open(w);
    world_begin(w);
    world_append(w, 1, 20);
    world_commit(w, 20);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct stat file = {0};
        assert_int_equal(stat(world_path(w, names[i]), &file), 0);
        assert_int_equal(file.st_mode & 0777, 0600);
    }
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
    assert_false(store_verify(w->dir, world_count, &events, why, sizeof why));
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
    meddle(w, "PRAGMA user_version = 4");
    assert_refused(w, "of a newer frameq (format 4, this one reads 3)");
    meddle(w, "PRAGMA user_version = 3");
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
        assert_true(world_verify(w, &events));
        assert_int_equal(events, 8);
        meddle(w, damages[i]);
        assert_int_equal(replay_fails(w), -1);
        assert_non_null(strstr(w->why, "event 5"));
        assert_false(world_verify(w, &events));
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
    assert_false(world_verify(w, &events));
    assert_non_null(strstr(w->why, "put a backup in its place"));
}

/* --- Checking. --- */

static char *read_file(const char *path, size_t *ret_len)
{
    int fd = open(path, O_RDONLY);
    struct stat file = {0};
    assert_int_equal(fstat(fd, &file), 0);
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
    if (!world_verify(w, &events))
        fail_msg("%s", w->why);
    assert_int_equal(events, 22);
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

static void shorten(const char *path, off_t size)
{
    assert_int_equal(truncate(path, size), 0);
}

static void spoil(const char *path, off_t at)
{
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "spoilt", 6, at), 6);
    close(fd);
}

/* Whatever became of the log's end, what is read is a beginning of what was
 * written, and the next broker goes on from there. */
static void assert_tail_lost(struct world *w,
                             void (*damage)(const char *path, off_t at),
                             off_t left)
{
    int64_t events;
    copy_file(world_path(w, "keep"), world_path(w, "ledger.db"));
    copy_file(world_path(w, "keep-wal"), world_path(w, "ledger.db-wal"));
    damage(world_path(w, "ledger.db-wal"), left);
    if (!world_verify(w, &events))
        fail_msg("%s", w->why);
    world_open(w);
    uint64_t last = world_audit(w, 0);
    world_begin(w);
    world_append(w, last + 1, last + 5);
    world_commit(w, last + 5);
    store_close(&w->store);
    world_open(w);
    assert_int_equal(world_audit(w, last + 5), last + 5);
    store_close(&w->store);
}

static void test_a_torn_log_is_a_shorter_one(void **state)
{
    struct world *w = *state;
    struct stat log;
    make_killed_ledger(w, 30);
    assert_int_equal(stat(world_path(w, "keep-wal"), &log), 0);
    off_t schema = 8 * 4096; /* the first transaction makes the tables */
    assert_true(log.st_size > 2 * schema);
    for (off_t left = log.st_size - 1; left > 2 * schema; left -= 1371) {
        assert_tail_lost(w, shorten, left);
        assert_tail_lost(w, spoil, left - 10);
    }
}

static void test_a_check_needs_a_ledger(void **state)
{
    struct world *w = *state;
    int64_t events;
    assert_false(world_verify(w, &events));
    assert_non_null(strstr(w->why, "unable to open"));
    assert_false(world_has(w, "ledger.db"));
    assert_false(world_has(w, "lock"));
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_new_ledger_is_empty),
        TEST(test_a_ledger_is_its_owners_alone),
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
        TEST(test_a_torn_log_is_a_shorter_one),
        TEST(test_a_check_needs_a_ledger),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
