/* SPDX-License-Identifier: Apache-2.0
 *
 * Which job a word names, and how one that failed is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/doc.h"
#include "cli/job.h"

/* Newest first, as the broker lists them. */
static json_t *jobs_new(void)
{
    return json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s}]", "id",
                     "abcd1111aaaaaaaa", "name", "shot_010", "id",
                     "abcd2222bbbbbbbb", "name", "comp", "id",
                     "efgh3333cccccccc", "name", "shot_010", "id",
                     "abcxyz4444dddddd", "name", "efgh");
}

static void expect(const char *text, enum job_match match, const char *id)
{
    json_t *jobs = jobs_new(), *found = NULL;
    assert_int_equal(job_match(jobs, text, &found), match);
    if (match == JOB_ONE)
        assert_string_equal(doc_text(found, "id"), id);
    if (match == JOB_MANY) {
        assert_int_equal(json_array_size(found), strlen(text) > 3 ? 2 : 3);
        json_decref(found);
    }
    json_decref(jobs);
}

static void test_match(void **state)
{
    (void)state;
    expect("efgh3333cccccccc", JOB_ONE, "efgh3333cccccccc");
    expect("efgh3", JOB_ONE, "efgh3333cccccccc");
    expect("abcd1", JOB_ONE, "abcd1111aaaaaaaa");
    expect("abcd", JOB_MANY, NULL);
    expect("abc", JOB_MANY, NULL);
    expect("e", JOB_ONE, "efgh3333cccccccc");        /* however short */
    expect("shot_010", JOB_ONE, "abcd1111aaaaaaaa"); /* the newest */
    expect("shot", JOB_NONE, NULL);                  /* names are whole */
    expect("efgh", JOB_ONE, "efgh3333cccccccc");     /* beginning before name */
    expect("", JOB_NONE, NULL);
    expect("bcd1", JOB_NONE, NULL);
}

static void test_name_beats_several_beginnings(void **state)
{
    (void)state;
    json_t *found = NULL;
    json_t *jobs = json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s}]", "id",
                             "comp1111", "name", "a", "id", "comp2222", "name",
                             "b", "id", "zzzz3333", "name", "comp");
    assert_int_equal(job_match(jobs, "comp", &found), JOB_ONE);
    assert_string_equal(doc_text(found, "id"), "zzzz3333");
    json_decref(jobs);
}

/* A short name is easily the beginning of somebody's id. */
static void test_short_names_beat_a_beginning(void **state)
{
    (void)state;
    json_t *found = NULL;
    json_t *jobs = json_pack("[{s:s,s:s},{s:s,s:s}]", "id", "A1zz1111", "name",
                             "x", "id", "zzzz2222", "name", "A1");
    assert_int_equal(job_match(jobs, "A1", &found), JOB_ONE);
    assert_string_equal(doc_text(found, "id"), "zzzz2222");
    assert_int_equal(job_match(jobs, "A1z", &found), JOB_ONE);
    assert_string_equal(doc_text(found, "id"), "A1zz1111");
    json_decref(jobs);
}

static void test_failures_are_grouped(void **state)
{
    (void)state;
    struct term term = {0};
    struct buf out;
    json_t *job =
        json_pack("{s:s,s:[{s:i,s:s,s:s},{s:i,s:s,s:s},{s:i,s:s,s:s}]}", "id",
                  "x", "failures", "frame", 7, "fault", "crash", "text",
                  "signal 11", "frame", 8, "fault", "crash", "text",
                  "signal 11", "frame", 12, "fault", "timeout", "text", "60 s");
    buf_init(&out, 4096);
    job_tell_failures(job, &term, &out);
    assert_string_equal(buf_text(&out),
                        "  x frames 7-8  crash: signal 11\n"
                        "    Blender crashed; see the log of the attempt.\n"
                        "  x frame 12  timeout: 60 s\n"
                        "    The frame took longer than timeout_seconds.\n");
    buf_free(&out);
    json_decref(job);
}

static void test_end(void **state)
{
    (void)state;
    struct term term = {0};
    struct buf out;
    json_t *job =
        json_pack("{s:s,s:s,s:s,s:{s:i,s:i,s:i}}", "id", "abcdefghijklmnop",
                  "name", "shot", "state", "failed", "counts", "total", 20,
                  "done", 18, "failed", 2);
    buf_init(&out, 4096);
    job_tell_end(job, &term, " --broker http://b:1", &out);
    assert_string_equal(buf_text(&out),
                        "shot failed: 18 of 20 frames done, 2 failed\n"
                        "  again: frameq retry abcdefgh --broker http://b:1\n");
    assert_int_equal(job_code(job), 1);
    json_object_set_new(job, "state", json_string("completed"));
    assert_int_equal(job_code(job), 0);
    buf_free(&out);
    json_decref(job);
}

static void test_over(void **state)
{
    (void)state;
    assert_true(job_over("completed"));
    assert_true(job_over("failed"));
    assert_true(job_over("cancelled"));
    assert_false(job_over("running"));
    assert_false(job_over("paused"));
    assert_false(job_over("queued"));
    assert_false(job_over(""));
}

static void test_clean(void **state)
{
    (void)state;
    json_t *doc =
        json_pack("{s:s,s:[s,i]}", "name", "a\x1b[31mb", "list", "c\nd", 3);
    doc_clean(doc);
    assert_string_equal(doc_text(doc, "name"), "a?[31mb");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(doc, "list"), 0)),
        "c?d");
    assert_int_equal(doc_int(doc, "name"), 0); /* another type: nothing */
    assert_string_equal(doc_text(doc, "list"), "");
    assert_string_equal(doc_text(NULL, "x"), "");
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_name_beats_several_beginnings),
        cmocka_unit_test(test_short_names_beat_a_beginning),
        cmocka_unit_test(test_failures_are_grouped),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_over),
        cmocka_unit_test(test_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
