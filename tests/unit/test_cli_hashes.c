/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes kept between submits: when they are believed, and how many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/send/hashes.h"
#include "common/limits.h"

#define NOW_S 2000000000
#define A     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct {
    char dir[64], file[80];
    struct hashes *hashes;
} world;

/* A file that changed so many seconds before now. */
static struct stat facts_of(int age_s)
{
    return (struct stat){.st_size = 100,
                         .st_ino = 7,
                         .st_mtim = {.tv_sec = NOW_S - age_s, .tv_nsec = 5},
                         .st_ctim = {.tv_sec = NOW_S - age_s, .tv_nsec = 9}};
}

static void begin(void)
{
    world.hashes = hashes_open(world.dir, (int64_t)NOW_S * 1000);
}

static void again(void)
{
    hashes_close(&world.hashes);
    begin();
}

static void note(const char *path, int age_s)
{
    struct stat facts = facts_of(age_s);
    hashes_note(world.hashes, path, &facts, A);
}

static bool knows(const char *path, const struct stat *facts)
{
    char name[BLOB_NAME + 1] = "";
    bool known = hashes_find(world.hashes, path, facts, name);
    assert_true(!known || strcmp(name, A) == 0);
    return known;
}

static bool knows_aged(const char *path, int age_s)
{
    struct stat facts = facts_of(age_s);
    return knows(path, &facts);
}

static void keeps_what_was_read(void **state)
{
    (void)state;
    note("/tex/a b.png", 3600);
    assert_true(knows_aged("/tex/a b.png", 3600));
    assert_false(knows_aged("/tex/b.png", 3600));
    again();
    assert_true(knows_aged("/tex/a b.png", 3600));
}

static void believes_nothing_of_a_changed_file(void **state)
{
    (void)state;
    const struct stat was = facts_of(60);
    note("/a", 60);
    again();
    struct stat is = was;
    is.st_size++;
    assert_false(knows("/a", &is));
    is = was;
    is.st_ino++;
    assert_false(knows("/a", &is));
    is = was;
    is.st_mtim.tv_nsec++;
    assert_false(knows("/a", &is));
    is = was;
    is.st_ctim.tv_nsec++; /* as a copy that sets mtime back leaves it */
    assert_false(knows("/a", &is));
    assert_true(knows("/a", &was));
}

/* It may change again and look as it did. */
static void keeps_no_file_younger_than_its_hash(void **state)
{
    (void)state;
    note("/a", 60);
    note("/a", 1);
    assert_false(knows_aged("/a", 1));
    assert_false(knows_aged("/a", 60));
    note("/b", -60);
    assert_false(knows_aged("/b", -60));
    struct stat touched = facts_of(60);
    touched.st_ctim.tv_sec = NOW_S;
    hashes_note(world.hashes, "/c", &touched, A);
    assert_false(knows("/c", &touched));
}

static void keeps_so_many(void **state)
{
    char path[32];
    (void)state;
    for (int i = 0; i < LIMIT_HASHES; i++) {
        snprintf(path, sizeof path, "/%d", i);
        note(path, 60);
    }
    again();
    assert_true(knows_aged("/0", 60)); /* so it is not the oldest any more */
    note("/one more", 60);
    again();
    assert_true(knows_aged("/0", 60));
    assert_false(knows_aged("/1", 60));
    assert_true(knows_aged("/2", 60));
    assert_true(knows_aged("/one more", 60));
}

static void keeps_no_odd_path(void **state)
{
    char path[LIMIT_PATH + 2];
    (void)state;
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[LIMIT_PATH + 1] = '\0';
    note(path, 60);
    assert_false(knows_aged(path, 60));
    note("/a\nb", 60);
    assert_false(knows_aged("/a\nb", 60));
    path[LIMIT_PATH] = '\0';
    note(path, 60);
    again();
    assert_true(knows_aged(path, 60));
}

static void write_file(const char *text)
{
    int fd = open(world.file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void believes_no_damaged_file(void **state)
{
    static const char *const lines[] = {
        "",
        "\n",
        "x",
        A,
        A " 100 7 1 1\n",
        A " 100 7 1999999940000000005 1999999940000000009 relative\n",
        A " 100 7 1999999940000000005 1999999940000000009 /a",
        A " 100 7 1999999940000000005 99999999999999999999 /a\n",
        "A" A " 100 7 1999999940000000005 1999999940000000009 /a\n",
        B "100 7 1999999940000000005 1999999940000000009 /a\n"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        hashes_close(&world.hashes);
        write_file(lines[i]);
        begin();
        assert_false(knows_aged("/a", 60));
    }
    hashes_close(&world.hashes);
    write_file(A " 100 7 1999999940000000005 1999999940000000009 /a\n");
    begin();
    assert_true(knows_aged("/a", 60));
    hashes_forget(world.dir);
    assert_int_equal(access(world.file, F_OK), -1);
}

static void does_without_a_folder(void **state)
{
    (void)state;
    hashes_close(&world.hashes);
    world.hashes = hashes_open(NULL, (int64_t)NOW_S * 1000);
    note("/a", 60);
    assert_true(knows_aged("/a", 60));
    hashes_close(&world.hashes);
    world.hashes = hashes_open("/nowhere", (int64_t)NOW_S * 1000);
    note("/a", 60);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(world.dir, sizeof world.dir, "/tmp/frameq-hashes-XXXXXX");
    assert_non_null(mkdtemp(world.dir));
    snprintf(world.file, sizeof world.file, "%s/hashes", world.dir);
    begin();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hashes_close(&world.hashes);
    unlink(world.file);
    return rmdir(world.dir); /* nothing else was left there */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_what_was_read),
        TEST(believes_nothing_of_a_changed_file),
        TEST(keeps_no_file_younger_than_its_hash),
        TEST(keeps_so_many),
        TEST(keeps_no_odd_path),
        TEST(believes_no_damaged_file),
        TEST(does_without_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
