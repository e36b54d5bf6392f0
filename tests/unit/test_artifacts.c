/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs and thumbnails as they are kept: by attempt, bounded, the oldest first
 * out, gone with their job, begun anew where they are damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/files/artifacts.h"

#define A "aaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbb"

static struct {
    char dir[64];
    struct artifacts *artifacts;
    int answers;
    char why[64]; /* of the last PUT */
    bool found;
    int32_t attempt, attempts;
    uint64_t lease, offset;
    char bytes[LIMIT_LOG + 1];
    size_t n;
} world;

static void open_store(uint64_t bytes_max)
{
    char why[256] = "";
    const struct artifacts_options options = {world.dir, bytes_max};
    world.artifacts = artifacts_open(&options, why, sizeof why);
    if (!world.artifacts)
        fail_msg("%s", why);
}

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    strcpy(world.dir, "/tmp/frameq-artifacts-XXXXXX");
    assert_non_null(mkdtemp(world.dir));
    open_store(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    static const char *const files[] = {"artifacts.db", "artifacts.db-wal"};
    char path[128];
    (void)state;
    artifacts_close(&world.artifacts);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", world.dir, files[i]);
        unlink(path);
    }
    return rmdir(world.dir);
}

static void until(int answers)
{
    while (world.answers < answers) {
        struct pollfd item = {artifacts_fd(world.artifacts), POLLIN, 0};
        assert_int_equal(poll(&item, 1, 20000), 1);
        artifacts_run(world.artifacts);
    }
}

static void kept(void *ctx, const char *why)
{
    assert_ptr_equal(ctx, &world);
    snprintf(world.why, sizeof world.why, "%s", why ? why : "");
    world.answers++;
}

static void found(void *ctx, const struct artifact *artifact, int32_t attempt,
                  int32_t attempts)
{
    assert_ptr_equal(ctx, &world);
    world.answers++;
    world.found = artifact != NULL;
    world.attempt = attempt;
    world.attempts = attempts;
    if (!artifact)
        return;
    world.lease = artifact->lease;
    world.offset = artifact->offset;
    world.n = artifact->n;
    memcpy(world.bytes, artifact->bytes, artifact->n);
    world.bytes[artifact->n] = '\0';
}

static void put_bytes(enum artifact_kind kind, const char *job, int32_t frame,
                      uint64_t lease, const void *bytes, size_t n)
{
    const struct artifact artifact = {kind, job, frame, lease, 3, bytes, n};
    int answers = world.answers;
    assert_true(artifacts_put(world.artifacts, &artifact, kept, &world));
    until(answers + 1);
    assert_string_equal(world.why, "");
}

static void put(enum artifact_kind kind, const char *job, int32_t frame,
                uint64_t lease, const char *text)
{
    put_bytes(kind, job, frame, lease, text, strlen(text));
}

static bool get(enum artifact_kind kind, const char *job, int32_t frame,
                int32_t attempt)
{
    const struct artifact_key key = {kind, job, frame, attempt};
    int answers = world.answers;
    assert_true(artifacts_get(world.artifacts, &key, found, &world));
    until(answers + 1);
    return world.found;
}

static void the_last_attempt_and_earlier_ones(void **state)
{
    (void)state;
    assert_false(get(ARTIFACT_LOG, A, 1, 0));
    put(ARTIFACT_LOG, A, 1, 20, "second");
    put(ARTIFACT_LOG, A, 1, 10, "first");
    put(ARTIFACT_LOG, A, 2, 30, "another frame");
    put(ARTIFACT_LOG, B, 1, 40, "another job");
    assert_true(get(ARTIFACT_LOG, A, 1, 0));
    assert_string_equal(world.bytes, "second");
    assert_int_equal(world.attempt, 2);
    assert_int_equal(world.attempts, 2);
    assert_int_equal(world.lease, 20);
    assert_int_equal(world.offset, 3);
    assert_true(get(ARTIFACT_LOG, A, 1, 1));
    assert_string_equal(world.bytes, "first");
    assert_false(get(ARTIFACT_LOG, A, 1, 3));
    assert_false(get(ARTIFACT_THUMBNAIL, A, 1, 0));
}

static void the_same_lease_replaces(void **state)
{
    (void)state;
    put(ARTIFACT_LOG, A, 1, 10, "half");
    put(ARTIFACT_LOG, A, 1, 10, "");
    assert_true(get(ARTIFACT_LOG, A, 1, 0));
    assert_int_equal(world.n, 0);
    assert_int_equal(world.attempts, 1);
}

static void one_thumbnail_a_frame(void **state)
{
    (void)state;
    put(ARTIFACT_THUMBNAIL, A, 1, 10, "old");
    put(ARTIFACT_THUMBNAIL, A, 1, 20, "new");
    assert_true(get(ARTIFACT_THUMBNAIL, A, 1, 0));
    assert_string_equal(world.bytes, "new");
    assert_int_equal(world.attempts, 1);
}

static void gone_with_the_job(void **state)
{
    (void)state;
    put(ARTIFACT_LOG, A, 1, 10, "a");
    put(ARTIFACT_LOG, A, 2, 11, "a");
    put(ARTIFACT_LOG, B, 1, 12, "b");
    artifacts_drop(world.artifacts, A);
    assert_false(get(ARTIFACT_LOG, A, 1, 0));
    assert_false(get(ARTIFACT_LOG, A, 2, 0));
    assert_true(get(ARTIFACT_LOG, B, 1, 0));
}

/* 1 MiB holds three of 256 KiB and what they cost beside, not four. */
static void the_oldest_go_first(void **state)
{
    char *log = calloc(1, LIMIT_LOG);
    (void)state;
    for (int32_t frame = 1; frame <= 3; frame++)
        put_bytes(ARTIFACT_LOG, A, frame, (uint64_t)frame, log, LIMIT_LOG);
    assert_true(get(ARTIFACT_LOG, A, 1, 0));
    assert_int_equal(world.n, LIMIT_LOG);
    put_bytes(ARTIFACT_LOG, B, 1, 4, log, LIMIT_LOG);
    assert_false(get(ARTIFACT_LOG, A, 1, 0));
    assert_true(get(ARTIFACT_LOG, A, 2, 0));
    /* The count is right after a restart, too. */
    artifacts_close(&world.artifacts);
    open_store(1 << 20);
    put_bytes(ARTIFACT_LOG, B, 2, 5, log, LIMIT_LOG);
    assert_false(get(ARTIFACT_LOG, A, 2, 0));
    assert_true(get(ARTIFACT_LOG, A, 3, 0));
    assert_true(get(ARTIFACT_LOG, B, 1, 0));
    free(log);
}

static void what_waits_is_bounded(void **state)
{
    const struct artifact artifact = {ARTIFACT_LOG, A, 1, 1, 0, "x", 1};
    int taken = 0;
    (void)state;
    /* The thread is faster or slower; more than the limit never wait. */
    while (taken < 100 * LIMIT_ARTIFACT_PUTS &&
           artifacts_put(world.artifacts, &artifact, kept, &world))
        taken++;
    assert_true(taken >= LIMIT_ARTIFACT_PUTS);
    until(taken);
}

static void who_left_is_not_told(void **state)
{
    const struct artifact_key key = {ARTIFACT_LOG, A, 1, 0};
    (void)state;
    assert_true(artifacts_get(world.artifacts, &key, found, &world));
    artifacts_forget(world.artifacts, &world);
    put(ARTIFACT_LOG, A, 1, 1, "x");
    assert_int_equal(world.answers, 1);
}

static void a_damaged_file_is_begun_anew(void **state)
{
    char path[128];
    (void)state;
    put(ARTIFACT_LOG, A, 1, 1, "x");
    artifacts_close(&world.artifacts);
    snprintf(path, sizeof path, "%s/artifacts.db", world.dir);
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "no database, whatever it was before", 35), 35);
    close(fd);
    open_store(1 << 20);
    assert_false(get(ARTIFACT_LOG, A, 1, 0));
    put(ARTIFACT_LOG, A, 1, 2, "y");
    assert_true(get(ARTIFACT_LOG, A, 1, 0));
}

/* It is no way out of the folder of data. */
static void a_link_is_not_followed(void **state)
{
    char path[128], why[256];
    const struct artifacts_options options = {world.dir, 1 << 20};
    (void)state;
    artifacts_close(&world.artifacts);
    snprintf(path, sizeof path, "%s/artifacts.db", world.dir);
    unlink(path);
    assert_int_equal(symlink("/tmp/frameq-artifacts-elsewhere", path), 0);
    world.artifacts = artifacts_open(&options, why, sizeof why);
    assert_non_null(world.artifacts);
    assert_int_not_equal(access("/tmp/frameq-artifacts-elsewhere", F_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_last_attempt_and_earlier_ones),
        TEST(the_same_lease_replaces),
        TEST(one_thumbnail_a_frame),
        TEST(gone_with_the_job),
        TEST(the_oldest_go_first),
        TEST(what_waits_is_bounded),
        TEST(who_left_is_not_told),
        TEST(a_damaged_file_is_begun_anew),
        TEST(a_link_is_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
