/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's journal: what is saved is read again by the next run, damaged
 * files are put away, and one agent at a time holds the folder.
 */
#include "worker-agent/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/buf.h"

#define JOB "AAAAAAAAAAAAAAAA"

struct place {
    char dir[64];
    struct journal *journal;
    struct buf seen; /* of what was read */
};

static struct place place;

static int set_up(void **state)
{
    (void)state;
    char why[256];
    snprintf(place.dir, sizeof place.dir, "/tmp/frameq-journal-XXXXXX");
    assert_non_null(mkdtemp(place.dir));
    buf_init(&place.seen, 65536);
    place.journal = journal_open(place.dir, why, sizeof why);
    assert_non_null(place.journal);
    return 0;
}

static int tear_down(void **state)
{
    char path[128];
    static const char *const names[] = {"lock", "new",  "1-1",
                                        "1-2",  "1-10", "2-1"};
    (void)state;
    journal_close(&place.journal);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", place.dir, names[i]);
        unlink(path);
    }
    rmdir(place.dir);
    buf_free(&place.seen);
    return 0;
}

static struct journal_record record_of(uint64_t lease)
{
    return (struct journal_record){.batch = {.lease = lease,
                                             .job = JOB,
                                             .name = "shot",
                                             .from = 1,
                                             .to = 9,
                                             .step = 2,
                                             .plain = true,
                                             .render = "{\"a\":1}",
                                             .trace = "t"},
                                   .node = "http://n:1",
                                   .posted_ms = 5,
                                   .pid = 7};
}

static void save(uint64_t lease)
{
    struct journal_record record = record_of(lease);
    assert_true(journal_save(place.journal, &record));
}

static void see(void *ctx, const struct journal_record *record)
{
    const struct msg_batch *batch = &record->batch;
    (void)ctx;
    buf_print(&place.seen, "%d-%d:%s,%s,%d-%dx%d,%s,%s,%s,%d,%d ",
              (int)LEASE_EPOCH(batch->lease),
              (int)(batch->lease - LEASE_ID(LEASE_EPOCH(batch->lease), 0)),
              batch->job, batch->name, (int)batch->from, (int)batch->to,
              (int)batch->step, batch->render, batch->trace, record->node,
              (int)record->posted_ms, (int)record->pid);
    assert_true(batch->plain && !batch->replace);
}

static void see_any(void *ctx, const struct journal_record *record)
{
    (void)ctx;
    assert_true(record->batch.from <= record->batch.to);
}

static size_t read_all(void)
{
    buf_clear(&place.seen);
    return journal_read(place.journal, see, NULL);
}

#define ENTRY ":" JOB ",shot,1-9x2,{\"a\":1},t,http://n:1,5,7 "

static void test_read_again(void **state)
{
    char why[256];
    (void)state;
    save(LEASE_ID(2, 1));
    save(LEASE_ID(1, 10));
    save(LEASE_ID(1, 2));
    save(LEASE_ID(1, 2));
    journal_close(&place.journal);
    place.journal = journal_open(place.dir, why, sizeof why);
    assert_int_equal(read_all(), 0);
    assert_string_equal(buf_text(&place.seen),
                        "1-2" ENTRY "1-10" ENTRY "2-1" ENTRY);
    journal_remove(place.journal, LEASE_ID(1, 10));
    journal_remove(place.journal, LEASE_ID(1, 11));
    read_all();
    assert_string_equal(buf_text(&place.seen), "1-2" ENTRY "2-1" ENTRY);
}

static void write_file(const char *name, const char *bytes, size_t len)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", place.dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static size_t read_bytes(const char *name, char *ret, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", place.dir, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t n = fread(ret, 1, size, file);
    assert_int_equal(fclose(file), 0);
    return n;
}

/* Cut off anywhere, with a byte more, or under another lease's name: removed,
 * and nothing else suffers. */
static void test_damaged(void **state)
{
    char bytes[1024];
    (void)state;
    save(LEASE_ID(1, 1));
    save(LEASE_ID(1, 2));
    size_t len = read_bytes("1-1", bytes, sizeof bytes);
    for (size_t i = 0; i < len; i++) {
        write_file("1-1", bytes, i);
        assert_int_equal(read_all(), 1);
        assert_string_equal(buf_text(&place.seen), "1-2" ENTRY);
    }
    bytes[len] = '\0';
    write_file("1-1", bytes, len + 1);
    assert_int_equal(read_all(), 1);
    write_file("1-10", bytes, len);
    assert_int_equal(read_all(), 1);
    write_file("1-1", bytes, len);
    assert_int_equal(read_all(), 0);
    assert_string_equal(buf_text(&place.seen), "1-1" ENTRY "1-2" ENTRY);
}

/* Any byte changed to any other: read within bounds, or removed. */
static void test_any_byte(void **state)
{
    char bytes[1024];
    (void)state;
    save(LEASE_ID(1, 1));
    size_t len = read_bytes("1-1", bytes, sizeof bytes);
    for (size_t i = 0; i < len; i++) {
        char was = bytes[i];
        for (int c = 0; c < 256; c += 5) {
            bytes[i] = (char)c;
            write_file("1-1", bytes, len);
            journal_read(place.journal, see_any, NULL);
        }
        bytes[i] = was;
    }
}

static void test_one_holder(void **state)
{
    char why[256] = "";
    (void)state;
    assert_null(journal_open(place.dir, why, sizeof why));
    assert_non_null(strstr(why, "another agent"));
    journal_close(&place.journal);
    place.journal = journal_open(place.dir, why, sizeof why);
    assert_non_null(place.journal);
}

static void test_unusable_folder(void **state)
{
    char why[256] = "";
    (void)state;
    assert_null(journal_open("/proc/nowhere/at/all", why, sizeof why));
    assert_non_null(strstr(why, "/proc/nowhere/at/all"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_read_again), TEST(test_damaged),         TEST(test_any_byte),
        TEST(test_one_holder), TEST(test_unusable_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
