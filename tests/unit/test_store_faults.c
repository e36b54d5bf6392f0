/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger on a disk that fails: at every write and sync in turn, with the
 * power cut at each, and full. Whatever happens, what was acknowledged is
 * there afterwards, in order, and a full disk drops nothing.
 */
#include "broker/ledger/store_parts.h"

#include "store_world.h"

#include <errno.h>
#include <sched.h>

#include <sys/eventfd.h>
#include <sys/statvfs.h>

#include "fault_vfs.h"

/* --- The room that the disk says it has. --- */

static _Atomic unsigned long long free_bytes;

int __real_statvfs(const char *path, struct statvfs *ret);
int __wrap_statvfs(const char *path, struct statvfs *ret);

int __wrap_statvfs(const char *path, struct statvfs *ret)
{
    int rc = __real_statvfs(path, ret);
    ret->f_frsize = 1;
    ret->f_bavail = atomic_load(&free_bytes);
    return rc;
}

/* A thousand ballasts are not worth their bytes. */
static bool hollow;

int __real_posix_fallocate(int fd, off_t at, off_t size);
int __wrap_posix_fallocate(int fd, off_t at, off_t size);

int __wrap_posix_fallocate(int fd, off_t at, off_t size)
{
    if (!hollow)
        return __real_posix_fallocate(fd, at, size);
    return ftruncate(fd, at + size) == 0 ? 0 : errno;
}

static int set_up(void **state)
{
    atomic_store(&free_bytes, 1ULL << 40);
    fault_vfs_set(FAULT_OFF, 0);
    hollow = false;
    return world_set_up(state);
}

static int tear_down(void **state)
{
    fault_vfs_set(FAULT_OFF, 0);
    return world_tear_down(state);
}

static enum store_health health(struct world *w)
{
    const char *reason;
    enum store_health health = store_health(w->store, &reason);
    assert_int_equal(health != STORE_WELL, reason[0] != '\0');
    return health;
}

static void wait_health(struct world *w, enum store_health wanted)
{
    (void)store_poll(w->store);
    while (health(w) != wanted)
        (void)world_news(w->store);
}

/* --- One failure, at every place in turn. --- */

static bool is_durable(uint64_t seq)
{
    struct story story;
    story_tell(&story, seq);
    return event_keep(story.event.type) == EVENT_DURABLE;
}

/* A life of a ledger, from its making to its close. Returns the last seq that
 * was acknowledged; stops at the first sign that something is broken. */
static uint64_t live(struct world *w, uint64_t from, uint64_t to)
{
    uint64_t seen = 0, at = from;
    w->store = store_open(w->dir, w->why, sizeof w->why);
    if (w->store == NULL)
        return 0;
    if (store_begin(w->store, w->why, sizeof w->why) == 0) {
        store_close(&w->store);
        return 0;
    }
    for (; at <= to && health(w) != STORE_BROKEN;) {
        uint64_t last = at + 6;
        while (last < to && !is_durable(last)) /* nobody waits for a lazy one */
            last++;
        last = last < to ? last : to;
        world_append(w, at, last);
        at = last + 1;
        while ((seen = store_poll(w->store)) < last &&
               health(w) != STORE_BROKEN)
            (void)world_news(w->store);
    }
    store_close(&w->store);
    return seen;
}

/* Afterwards everything acknowledged is there. */
static uint64_t assert_survived(struct world *w, uint64_t acknowledged)
{
    fault_vfs_set(FAULT_OFF, 0);
    world_open(w);
    uint64_t last = world_audit(w, acknowledged);
    store_close(&w->store);
    return last;
}

/* The ledger is sound, and life goes on from there. */
static void assert_goes_on(struct world *w, uint64_t last)
{
    int64_t events;
    if (!world_verify(w, &events))
        fail_msg("%s", w->why);
    assert_int_equal(live(w, last + 1, last + 20), last + 20);
    assert_int_equal(assert_survived(w, last + 20), last + 20);
}

#define LIFE 71 /* events; a job is forgotten on the way */

/* What a power cut does to a file. */
typedef void power_cut(const char *path);

static void tear(const char *path)
{
    static unsigned short dice[3] = {1, 2, 3};
    fault_vfs_power_tear(path, dice);
}

static void fail_everywhere(struct world *w, enum fault_kind kind,
                            power_cut *cut)
{
    long n = 1;
    hollow = true;
    for (bool hit = true; hit; n++) {
        fault_vfs_set(kind, n);
        uint64_t acknowledged = live(w, 1, LIFE);
        hit = atomic_load(&fault_vfs.failed) > 0;
        if (hit && cut != NULL) {
            cut(world_path(w, "ledger.db"));
            cut(world_path(w, "ledger.db-wal"));
        }
        uint64_t last = assert_survived(w, acknowledged);
        if (!hit || kind == FAULT_NO_ROOM)
            assert_true(acknowledged == LIFE || acknowledged == 0);
        assert_true(last <= LIFE);
        if (n % 5 == 0)
            assert_goes_on(w, last);
        world_empty(w);
    }
    assert_true(n > 80); /* it was worth the while */
}

static void test_every_failing_write_and_sync_is_survived(void **state)
{
    fail_everywhere(*state, FAULT_ERROR, NULL);
}

static void test_every_power_cut_is_survived(void **state)
{
    fail_everywhere(*state, FAULT_POWER, fault_vfs_power_cut);
}

static void test_every_power_cut_that_tears_is_survived(void **state)
{
    fail_everywhere(*state, FAULT_POWER, tear);
}

static void test_every_failing_call_is_survived(void **state)
{
    fail_everywhere(*state, FAULT_ANY, NULL);
}

/* The other extreme: all that was written is there, synced or not. */
static void test_every_stop_is_survived(void **state)
{
    fail_everywhere(*state, FAULT_POWER, NULL);
}

static void test_every_write_without_room_is_made_good(void **state)
{
    fail_everywhere(*state, FAULT_NO_ROOM, NULL);
}

/* --- The log goes into the ledger. --- */

/* Events of 64 KiB: some 17 pages each, so that 60 fill the log. */
#define LARGE 70

static uint64_t live_large(struct world *w, int events)
{
    static char doc[LIMIT_SPEC + 1];
    memset(doc, 'd', LIMIT_SPEC);
    uint64_t seen = 0;
    world_open(w);
    world_begin(w);
    for (int i = 1; i <= events && health(w) != STORE_BROKEN; i++) {
        struct story story;
        story_tell(&story, 1);
        story_name(story.job, (uint64_t)i);
        story.spec.doc = doc;
        story.event.seq = (uint64_t)i;
        store_append(w->store, &story.event);
        while ((seen = store_poll(w->store)) < (uint64_t)i &&
               health(w) != STORE_BROKEN)
            (void)world_news(w->store);
    }
    store_close(&w->store);
    return seen;
}

static void count_event(void *ctx, const struct event *event)
{
    uint64_t *last = ctx;
    assert_true(event->seq == *last + 1);
    *last = event->seq;
}

static void cut_while_large(struct world *w, long n)
{
    uint64_t last = 0;
    fault_vfs_set(FAULT_POWER, n);
    uint64_t acknowledged = live_large(w, LARGE);
    bool hit = atomic_load(&fault_vfs.failed) > 0;
    if (hit) {
        fault_vfs_power_cut(world_path(w, "ledger.db"));
        fault_vfs_power_cut(world_path(w, "ledger.db-wal"));
    }
    fault_vfs_set(FAULT_OFF, 0);
    world_open(w);
    assert_true(
        store_replay(w->store, count_event, &last, w->why, sizeof w->why) >= 0);
    store_close(&w->store);
    assert_true(last >= acknowledged);
    assert_true(hit || last == LARGE);
    world_empty(w);
}

/* One checkpoint on the way and one at the close, cut at many places. */
static void test_a_power_cut_at_a_checkpoint_is_survived(void **state)
{
    for (long n = 100; n < 4000; n += 307)
        cut_while_large(*state, n);
}

/* --- A broken disk. --- */

static void take_nothing(void *ctx, const struct frame_fact *facts, size_t n)
{
    (void)facts;
    (void)n;
    *(bool *)ctx = true;
}

static void test_a_broken_ledger_acknowledges_nothing_more(void **state)
{
    struct world *w = *state;
    world_open(w);
    world_begin(w);
    world_append(w, 1, 5);
    world_commit(w, 5);
    fault_vfs_set(FAULT_ERROR, 1);
    world_append(w, 6, 6);
    wait_health(w, STORE_BROKEN);
    const char *reason;
    (void)store_health(w->store, &reason);
    assert_non_null(strstr(reason, "disk I/O error"));
    world_append(w, 7, 30); /* the disk would take them now */
    bool answered = false;
    store_frames(w->store, "any", (struct range){0, 9}, 9, take_nothing,
                 &answered);
    while (!answered)
        assert_int_equal(world_news(w->store), 5);
    assert_int_equal(health(w), STORE_BROKEN);
    store_close(&w->store);
    world_open(w);
    assert_in_range(world_audit(w, 5), 5, 6);
}

/* --- A full disk. --- */

static void begin_with_ballast(struct world *w)
{
    snprintf(fault_vfs.ballast, sizeof fault_vfs.ballast, "%s",
             world_path(w, "ballast"));
    world_open(w);
    world_begin(w);
    world_append(w, 1, 20);
    world_commit(w, 20);
    assert_true(world_has(w, "ballast"));
    assert_int_equal(health(w), STORE_WELL);
}

static void test_the_ballast_is_given_up_first(void **state)
{
    struct world *w = *state;
    begin_with_ballast(w);
    atomic_store(&free_bytes, 0);
    fault_vfs_set(FAULT_FULL_BALLAST, 0);
    world_append(w, 21, 40);
    world_commit(w, 40);
    assert_true(atomic_load(&fault_vfs.failed) > 0);
    assert_false(world_has(w, "ballast"));
    wait_health(w, STORE_FULL);
    fault_vfs_set(FAULT_OFF, 0);
    atomic_store(&free_bytes, LIMIT_DISK_LOW); /* but not for the ballast */
    world_append(w, 41, 60);
    world_commit(w, 60);
    assert_int_equal(health(w), STORE_FULL);
    atomic_store(&free_bytes, LIMIT_DISK_LOW + LIMIT_BALLAST);
    wait_health(w, STORE_WELL);
    assert_true(world_has(w, "ballast"));
}

/* Waits until the disk has refused so many writes. */
static void wait_refusals(int fd, uint64_t wanted)
{
    for (uint64_t seen = 0, n; seen < wanted; seen += n) {
        struct pollfd poll_fd = {fd, POLLIN, 0};
        assert_int_equal(poll(&poll_fd, 1, PATIENCE_MS), 1);
        assert_int_equal(read(fd, &n, sizeof n), sizeof n);
    }
}

static void test_a_full_disk_drops_nothing(void **state)
{
    struct world *w = *state;
    begin_with_ballast(w);
    fault_vfs.told_fd = eventfd(0, EFD_CLOEXEC);
    fault_vfs_set(FAULT_FULL, 0);
    atomic_store(&free_bytes, 0);
    world_append(w, 21, 30);
    wait_health(w, STORE_FULL);
    wait_refusals(fault_vfs.told_fd, 5); /* it tries and tries */
    world_append(w, 31, 3000);
    assert_int_equal(store_poll(w->store), 20);
    wait_refusals(fault_vfs.told_fd, 3);
    assert_int_equal(store_poll(w->store), 20);
    fault_vfs_set(FAULT_OFF, 0);
    world_commit(w, 3000);
    assert_int_equal(health(w), STORE_FULL);
    atomic_store(&free_bytes, 1ULL << 40);
    wait_health(w, STORE_WELL);
    close(fault_vfs.told_fd);
    fault_vfs.told_fd = -1;
    store_close(&w->store);
    world_open(w);
    assert_int_equal(world_audit(w, 3000), 3000);
}

static void test_closing_on_a_full_disk_ends(void **state)
{
    struct world *w = *state;
    begin_with_ballast(w);
    fault_vfs_set(FAULT_FULL, 0);
    world_append(w, 21, 30);
    wait_health(w, STORE_FULL);
    world_append(w, 31, 40);
    store_close(&w->store);
    assert_survived(w, 20);
}

static void test_a_broker_begins_on_a_full_disk_with_ballast(void **state)
{
    struct world *w = *state;
    begin_with_ballast(w);
    store_close(&w->store);
    atomic_store(&free_bytes, 0);
    fault_vfs_set(FAULT_FULL_BALLAST, 0);
    world_open(w);
    assert_int_equal(world_audit(w, 20), 20);
    assert_int_equal(world_begin(w), 2);
    world_append(w, 21, 30);
    world_commit(w, 30);
    wait_health(w, STORE_FULL);
}

static void test_little_room_is_told_before_it_is_none(void **state)
{
    struct world *w = *state;
    begin_with_ballast(w);
    atomic_store(&free_bytes, LIMIT_DISK_LOW - 1);
    world_append(w, 21, 22);
    world_commit(w, 22);
    wait_health(w, STORE_FULL);
    assert_true(world_has(w, "ballast"));
    const char *reason;
    (void)store_health(w->store, &reason);
    assert_non_null(strstr(reason, w->dir));
    atomic_store(&free_bytes, LIMIT_DISK_LOW);
    wait_health(w, STORE_WELL);
}

static void take_reason(void *ctx, const char *reason)
{
    snprintf(ctx, 64, "%s", reason == NULL ? "done" : reason);
}

/* The copy's first page is held until the disk is full. */
static void test_a_copy_makes_way_on_a_full_disk(void **state)
{
    struct world *w = *state;
    char reason[64] = "";
    int hold[2];
    assert_int_equal(pipe(hold), 0);
    begin_with_ballast(w);
    world_append(w, 21, 20000);
    world_commit(w, 20000);
    fault_vfs.hold_fd = hold[0];
    fault_vfs.hold = "/copy";
    fault_vfs_set(FAULT_HOLD, 0);
    store_backup(w->store, world_path(w, "copy"), take_reason, reason);
    while (!world_has(w, "copy"))
        sched_yield();
    fault_vfs_set(FAULT_FULL, 0);
    assert_int_equal(write(hold[1], "", 1), 1);
    while (reason[0] == '\0')
        (void)world_news(w->store);
    assert_non_null(strstr(reason, "full"));
    assert_false(world_has(w, "copy"));
    fault_vfs_set(FAULT_OFF, 0);
    fault_vfs.hold = "";
    world_append(w, 20001, 20002);
    world_commit(w, 20002);
    close(hold[0]);
    close(hold[1]);
}

/* --- A slow disk. --- */

static void *close_store(void *arg)
{
    struct world *w = arg;
    store_close(&w->store);
    return NULL;
}

static bool is_stopping(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    bool stop = store->stop;
    pthread_mutex_unlock(&store->mutex);
    return stop;
}

/* So many events that the copy's first page is written long before its last is
 * read. */
#define MANY 120000

/* The disk holds the copy's first page until the end is called for. */
static void test_closing_removes_an_unfinished_copy(void **state)
{
    struct world *w = *state;
    char reason[64] = "";
    int hold[2];
    pthread_t closer;
    assert_int_equal(pipe(hold), 0);
    begin_with_ballast(w);
    world_append(w, 21, MANY);
    world_commit(w, MANY);
    fault_vfs.hold_fd = hold[0];
    fault_vfs.hold = "/copy";
    fault_vfs_set(FAULT_HOLD, 0);
    store_backup(w->store, world_path(w, "copy"), take_reason, reason);
    while (!world_has(w, "copy"))
        sched_yield();
    struct store *store = w->store;
    assert_int_equal(pthread_create(&closer, NULL, close_store, w), 0);
    while (!is_stopping(store))
        sched_yield();
    assert_int_equal(write(hold[1], "", 1), 1);
    assert_int_equal(pthread_join(closer, NULL), 0);
    assert_string_equal(reason, "");
    assert_false(world_has(w, "copy"));
    fault_vfs.hold = "";
    close(hold[0]);
    close(hold[1]);
}

static void test_work_that_piles_up_is_told(void **state)
{
    struct world *w = *state;
    int hold[2];
    assert_int_equal(pipe(hold), 0);
    begin_with_ballast(w);
    fault_vfs.hold_fd = hold[0];
    fault_vfs_set(FAULT_HOLD, 0);
    struct story story;
    char text[LIMIT_FILES + 1];
    memset(text, 't', LIMIT_FILES);
    text[LIMIT_FILES] = '\0';
    story_tell(&story, 2); /* a lazy event: the thread takes it when it may */
    story.event.text = text;
    world_append(w, 21, 21);
    uint64_t last = 21 + 2 * (LIMIT_LEDGER_BEHIND / LIMIT_FILES);
    for (uint64_t seq = 22; seq <= last; seq++) {
        story.event.seq = seq;
        store_append(w->store, &story.event);
    }
    const char *reason;
    assert_int_equal(store_health(w->store, &reason), STORE_FULL);
    assert_string_equal(reason, "the disk does not keep up");
    assert_int_equal(write(hold[1], "", 1), 1);
    world_commit(w, last);
    assert_int_equal(health(w), STORE_WELL);
    close(hold[0]);
    close(hold[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_every_failing_write_and_sync_is_survived),
        TEST(test_every_power_cut_is_survived),
        TEST(test_every_power_cut_that_tears_is_survived),
        TEST(test_every_failing_call_is_survived),
        TEST(test_every_stop_is_survived),
        TEST(test_every_write_without_room_is_made_good),
        TEST(test_a_power_cut_at_a_checkpoint_is_survived),
        TEST(test_a_broken_ledger_acknowledges_nothing_more),
        TEST(test_the_ballast_is_given_up_first),
        TEST(test_a_full_disk_drops_nothing),
        TEST(test_closing_on_a_full_disk_ends),
        TEST(test_a_broker_begins_on_a_full_disk_with_ballast),
        TEST(test_little_room_is_told_before_it_is_none),
        TEST(test_a_copy_makes_way_on_a_full_disk),
        TEST(test_work_that_piles_up_is_told),
        TEST(test_closing_removes_an_unfinished_copy),
    };
    fault_vfs_register();
    return cmocka_run_group_tests_name("store_faults", tests, NULL, NULL);
}
