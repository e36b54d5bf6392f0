/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploaded files at the broker: bounds, and what a sweep drops.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "broker/files/blobs.h"
#include "common/limits.h"
#include "common/mem.h"

static struct {
    char dir[64];
    struct blobs *blobs;
    struct blobs_answer answer;
    int answers;
} world;

static void take(void *ctx, const struct blobs_answer *answer)
{
    (void)ctx;
    world.answer = *answer;
    world.answers++;
}

static void await_answers(int n)
{
    struct pollfd fd = {.fd = blobs_fd(world.blobs), .events = POLLIN};
    while (world.answers < n) {
        assert_int_equal(poll(&fd, 1, 20000), 1);
        blobs_run(world.blobs);
    }
    world.answers = 0;
}

static void name_of(const char *text, char ret[BLOB_NAME + 1])
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(sum, (const unsigned char *)text, strlen(text));
    blob_name(sum, ret);
}

static enum blobs_result put(const char *text)
{
    char name[BLOB_NAME + 1];
    name_of(text, name);
    struct blobs_piece piece = {name, text, strlen(text), 0, strlen(text)};
    assert_true(blobs_put(world.blobs, &piece, take, NULL));
    await_answers(1);
    return world.answer.result;
}

static bool there(const char *text)
{
    char name[BLOB_NAME + 1];
    uint64_t size;
    name_of(text, name);
    int fd = blobs_open_file(world.blobs, name, &size);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Makes a file look as if it was asked for so long ago. part: what of it has
 * come. */
static void age(const char *text, int64_t ms, bool part)
{
    char name[BLOB_NAME + 1], path[256];
    struct timespec at[2];
    name_of(text, name);
    clock_gettime(CLOCK_REALTIME, &at[0]);
    at[0].tv_sec -= ms / 1000 + 1;
    at[1] = at[0];
    snprintf(path, sizeof path, "%s/%.*s/%s", world.dir, part ? 4 : 2,
             part ? "part" : name, name);
    assert_int_equal(utimensat(AT_FDCWD, path, at, 0), 0);
}

static void reopen(uint64_t bytes_max, size_t files_max)
{
    char why[256];
    const struct blobs_options options = {
        .dir = world.dir, .bytes_max = bytes_max, .files_max = files_max};
    blobs_close(&world.blobs);
    world.blobs = blobs_open(&options, why, sizeof why);
    assert_non_null(world.blobs);
}

/* A sweep, and a question after it, which is answered when it is over. */
static void sweep(char *names, size_t n, int64_t keep_ms)
{
    blobs_sweep(world.blobs, names, n, keep_ms);
    (void)put("after the sweep");
}

static void takes_what_fits(void **state)
{
    (void)state;
    reopen(10, 100);
    assert_int_equal(put("0123456789"), BLOBS_WHOLE);
    assert_int_equal(put("x"), BLOBS_FULL);
    assert_int_equal(put("0123456789"), BLOBS_WHOLE);
}

/* As LIMIT_BLOBS, but fewer. */
static void takes_so_many_files(void **state)
{
    (void)state;
    reopen(1000, 3);
    assert_int_equal(put("1"), BLOBS_WHOLE);
    assert_int_equal(put("2"), BLOBS_WHOLE);
    assert_int_equal(put("3"), BLOBS_WHOLE);
    assert_int_equal(put("4"), BLOBS_FULL);
    reopen(1000, 3);
    assert_int_equal(put("4"), BLOBS_FULL);
    reopen(1000, LIMIT_BLOBS);
    assert_int_equal(put("4"), BLOBS_WHOLE);
}

static void drops_what_is_old(void **state)
{
    (void)state;
    put("old");
    put("young");
    age("old", 2 * LIMIT_BLOB_FRESH_MS, false);
    sweep(NULL, 0, 0);
    assert_true(there("old")); /* and so it was asked for */
    age("old", 2 * LIMIT_BLOB_FRESH_MS, false);
    sweep(NULL, 0, 3 * LIMIT_BLOB_FRESH_MS);
    assert_true(there("old"));
    age("old", 2 * LIMIT_BLOB_FRESH_MS, false);
    sweep(NULL, 0, 1);
    assert_false(there("old"));
    assert_true(there("young")); /* within LIMIT_BLOB_FRESH_MS */
}

static void drops_the_oldest_where_it_is_full(void **state)
{
    (void)state;
    reopen(30, 100);
    put("0123456789");
    put("abcdefghij");
    put("klmnopqr");
    age("abcdefghij", 3 * LIMIT_BLOB_FRESH_MS, false);
    age("0123456789", 2 * LIMIT_BLOB_FRESH_MS, false);
    sweep(NULL, 0, 0);
    assert_false(there("abcdefghij"));
    assert_true(there("0123456789"));
}

static void drops_uploads_that_do_not_get_on(void **state)
{
    char name[BLOB_NAME + 1];
    uint64_t size;
    (void)state;
    name_of("partial", name);
    struct blobs_piece piece = {name, "part", 4, 0, 7};
    blobs_put(world.blobs, &piece, take, NULL);
    await_answers(1);
    assert_int_equal(world.answer.result, BLOBS_TAKEN);
    age("partial", LIMIT_BLOB_PART_MS - 60000, true);
    sweep(NULL, 0, 0);
    assert_int_equal(blobs_open_file(world.blobs, name, &size), -1);
    assert_int_equal(size, 4);
    age("partial", LIMIT_BLOB_PART_MS, true);
    sweep(NULL, 0, 0);
    assert_int_equal(blobs_open_file(world.blobs, name, &size), -1);
    assert_int_equal(size, 0);
}

static void keeps_what_a_live_job_names(void **state)
{
    char text[256], blend[BLOB_NAME + 1], list[BLOB_NAME + 1];
    (void)state;
    put("blend");
    put("other");
    name_of("blend", blend);
    snprintf(text, sizeof text,
             "[{\"path\":\"a.blend\",\"sha256\":\"%s\",\"size\":5}]", blend);
    name_of(text, list);
    assert_true(blobs_keep(world.blobs, list, text, strlen(text), take, NULL));
    await_answers(1);
    assert_int_equal(world.answer.result, BLOBS_WHOLE);
    age("blend", 2 * LIMIT_BLOB_FRESH_MS, false);
    age("other", 2 * LIMIT_BLOB_FRESH_MS, false);
    age(text, 2 * LIMIT_BLOB_FRESH_MS, false);
    sweep(mem_copy(list, sizeof list), 1, 1);
    assert_true(there("blend"));
    assert_true(there(text));
    assert_false(there("other"));
}

/* A thread that waits for nothing may take some meanwhile; more than all that
 * can wait and these are not taken. */
static void lets_so_many_pieces_wait(void **state)
{
    char name[BLOB_NAME + 1];
    int taken = 0;
    (void)state;
    name_of("never", name);
    struct blobs_piece piece = {name, "x", 1, 5, 7};
    while (taken < 100 * LIMIT_PUTS &&
           blobs_put(world.blobs, &piece, take, NULL))
        taken++;
    assert_true(taken >= LIMIT_PUTS);
    await_answers(taken);
}

static void forgets_who_left(void **state)
{
    char name[BLOB_NAME + 1];
    int who;
    (void)state;
    name_of("x", name);
    struct blobs_piece piece = {name, "x", 1, 0, 1};
    blobs_put(world.blobs, &piece, take, &who);
    blobs_forget(world.blobs, &who);
    put("y");
    assert_int_equal(world.answers, 0);
    assert_true(there("x"));
}

static enum blobs_result check(const char *text)
{
    char name[BLOB_NAME + 1];
    name_of(text, name);
    assert_true(blobs_check(world.blobs, name, take, NULL));
    await_answers(1);
    return world.answer.result;
}

/* What was dropped counts no more: as much fits in its place. */
static void drops_what_the_disk_lost(void **state)
{
    char name[BLOB_NAME + 1], path[256];
    (void)state;
    reopen(10, 1);
    put("0123456789");
    assert_int_equal(check("0123456789"), BLOBS_WHOLE);
    assert_int_equal(check("x"), BLOBS_MISSING);
    name_of("0123456789", name);
    snprintf(path, sizeof path, "%s/%.2s/%s", world.dir, name, name);
    assert_int_equal(chmod(path, 0600), 0);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "8", 1, 9), 1);
    close(fd);
    assert_true(there("0123456789"));
    assert_int_equal(check("0123456789"), BLOBS_WRONG);
    assert_false(there("0123456789"));
    assert_int_equal(check("0123456789"), BLOBS_MISSING);
    assert_int_equal(put("abcdefghij"), BLOBS_WHOLE);
}

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    snprintf(world.dir, sizeof world.dir, "/tmp/frameq-blobs-XXXXXX");
    assert_non_null(mkdtemp(world.dir));
    reopen(1 << 20, 100);
    return 0;
}

static int remove_one(const char *path, const struct stat *facts, int type,
                      struct FTW *where)
{
    (void)facts;
    (void)type;
    (void)where;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    blobs_close(&world.blobs);
    return nftw(world.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_what_fits),
        TEST(takes_so_many_files),
        TEST(drops_what_is_old),
        TEST(drops_the_oldest_where_it_is_full),
        TEST(drops_uploads_that_do_not_get_on),
        TEST(keeps_what_a_live_job_names),
        TEST(lets_so_many_pieces_wait),
        TEST(forgets_who_left),
        TEST(drops_what_the_disk_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
