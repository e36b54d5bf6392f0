/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a job: frames in order, one at a time; the first failure ends
 * it; trimming never takes back what is being rendered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "node/job.h"

static struct job *job_make(const char *frames)
{
    struct spec spec = {.body = json_object()};
    char why[256];
    if (!frames_parse(frames, &spec.frames, why, sizeof why))
        fail_msg("%s: %s", frames, why);
    return job_new(7, &spec);
}

static void prove(struct job *job, int32_t ordinal)
{
    json_t *files = json_pack("[{s:s}]", "path", "/x.png");
    job_proved(job, ordinal, files, NULL, 0);
    json_decref(files);
}

static void render_next(struct job *job)
{
    const int32_t ordinal = job_begin(job, 1000);
    assert_true(ordinal >= 0);
    job_rendered(job, 0.5);
    prove(job, ordinal);
}

static const char *state_of(const struct job *job, int32_t at)
{
    static char word[16];
    json_t *json = job_json(job);
    const json_t *frame = json_array_get(json_object_get(json, "frames"), at);
    assert_non_null(frame);
    snprintf(word, sizeof word, "%s",
             json_string_value(json_object_get(frame, "state")));
    json_decref(json);
    return word;
}

static void print(struct job *job, const char *text)
{
    output_add(&job->output, text, strlen(text));
}

static void assert_log(struct job *job, int32_t number, const char *text,
                       uint64_t offset)
{
    struct buf log;
    uint64_t got = UINT64_MAX;
    buf_init(&log, LIMIT_LOG);
    assert_true(job_frame_log(job, number, &log, &got));
    assert_string_equal(buf_text(&log), text);
    assert_int_equal(got, offset);
    buf_free(&log);
}

static void each_frame_has_its_log(void **state)
{
    (void)state;
    uint64_t unused;
    struct buf none;
    struct job *job = job_make("3,5,7");
    buf_init(&none, LIMIT_LOG);
    print(job, "Read blend: a\n");
    assert_false(job_frame_log(job, 3, &none, &unused));
    job_begin(job, 1000);
    print(job, "Fra:3 Sample 1\nFra:3 Sample 2\n");
    /* Who looks has the last progress line in it, for good. */
    assert_log(job, 3, "Read blend: a\nFra:3 Sample 2\n", 0);
    print(job, "Fra:3 Sample 3\nhalf a li");
    assert_log(job, 3, "Read blend: a\nFra:3 Sample 2\nFra:3 Sample 3\n", 0);
    print(job, "ne\n");
    job_rendered(job, 0.5);
    job_begin(job, 2000);
    print(job, "Error: x\nthe end");
    prove(job, 0);
    assert_log(job, 3,
               "Read blend: a\nFra:3 Sample 2\nFra:3 Sample 3\nhalf a line\n",
               0);
    assert_log(job, 5, "Error: x\n", 0);
    assert_false(job_frame_log(job, 7, &none, &unused));
    assert_false(job_frame_log(job, 4, &none, &unused));
    job_fail(job, FAULT_RENDER, "x");
    job_end(job);
    assert_log(job, 5, "Error: x\nthe end", 0);
    buf_free(&none);
    job_free(&job);
}

static void a_long_log_loses_its_beginning(void **state)
{
    (void)state;
    static char line[1025];
    struct buf log;
    uint64_t offset = 0;
    struct job *job = job_make("1-2");
    memset(line, 'x', 1023);
    line[1023] = '\n';
    job_begin(job, 1000);
    print(job, "beginning\n");
    for (int i = 0; i < LIMIT_LOG / 1024; i++)
        print(job, line);
    buf_init(&log, LIMIT_LOG);
    assert_true(job_frame_log(job, 1, &log, &offset));
    assert_int_equal(log.len, LIMIT_LOG);
    assert_int_equal(offset, 10);
    buf_free(&log);
    job_free(&job);
}

/* No frame was begun: the one it failed at has all there is. */
static void a_job_that_never_began(void **state)
{
    (void)state;
    struct job *job = job_make("1-2");
    print(job, "Error: Failed to read blend file\n");
    job_fail(job, FAULT_BAD_BLEND, "x");
    job_end(job);
    assert_log(job, 1, "Error: Failed to read blend file\n", 0);
    job_free(&job);
}

static void completes(void **state)
{
    (void)state;
    struct job *job = job_make("3,5-7x2");
    assert_int_equal(job->to, 7);
    for (int i = 0; i < 3; i++)
        render_next(job);
    assert_int_equal(job_begin(job, 1000), -1);
    job_end(job);
    assert_int_equal(job->state, JOB_COMPLETED);
    assert_int_equal(job->fault, FAULT_NONE);
    assert_true(job_progress(job) == 1);
    assert_non_null(job_frame(job, 5));
    assert_null(job_frame(job, 6));
    job_free(&job);
    assert_null(job);
}

static void first_failure_ends_it(void **state)
{
    (void)state;
    struct job *job = job_make("1-5");
    render_next(job);
    const int32_t second = job_begin(job, 1000);
    job_rendered(job, 0.5);
    assert_int_equal(job_begin(job, 2000), second + 1);
    job_fail(job, FAULT_UNPROVEN, "cut short");
    job_fail(job, FAULT_CRASH, "comes too late");
    job_rendered(job, 0.5);
    prove(job, second + 1);
    assert_int_equal(job_begin(job, 3000), -1);
    job_end(job);
    assert_int_equal(job->state, JOB_FAILED);
    assert_int_equal(job->fault, FAULT_UNPROVEN);
    assert_string_equal(job->text, "cut short");
    assert_string_equal(state_of(job, 0), "done");
    assert_string_equal(state_of(job, 1), "failed");
    assert_string_equal(state_of(job, 2), "done");
    assert_string_equal(state_of(job, 3), "stopped");
    job_free(&job);
}

static void failure_before_any_frame(void **state)
{
    (void)state;
    struct job *job = job_make("4-6");
    job_fail(job, FAULT_MISSING_FILE, "missing files: /a");
    job_end(job);
    assert_string_equal(state_of(job, 0), "failed");
    assert_string_equal(state_of(job, 1), "stopped");
    job_free(&job);
}

/* Names that Blender prints may hold any bytes; JSON may not. */
static void failure_in_odd_words(void **state)
{
    (void)state;
    struct job *job = job_make("1-2");
    job_fail(job, FAULT_MISSING_FILE, "missing: \xff\x1b[31m");
    json_t *json = job_json(job);
    assert_string_equal(json_string_value(json_object_get(json, "text")),
                        "missing: ??[31m");
    json_decref(json);
    job_free(&job);
}

static void failure_between_frames(void **state)
{
    (void)state;
    struct job *job = job_make("4-6");
    render_next(job);
    job_fail(job, FAULT_CRASH, "gone");
    job_end(job);
    assert_string_equal(state_of(job, 0), "done");
    assert_string_equal(state_of(job, 1), "failed");
    assert_string_equal(state_of(job, 2), "stopped");
    job_free(&job);
}

static void stopping(void **state)
{
    (void)state;
    struct job *job = job_make("1-3");
    render_next(job);
    job_begin(job, 1000);
    job_stop(job);
    job_end(job);
    assert_int_equal(job->state, JOB_STOPPED);
    assert_string_equal(state_of(job, 0), "done");
    assert_string_equal(state_of(job, 1), "stopped");
    assert_string_equal(state_of(job, 2), "stopped");
    job_free(&job);
}

static void stopped_when_all_was_done(void **state)
{
    (void)state;
    struct job *job = job_make("1");
    render_next(job);
    job_stop(job);
    job_end(job);
    assert_int_equal(job->state, JOB_COMPLETED);
    assert_int_equal(job->fault, FAULT_NONE);
    assert_null(job->text);
    job_free(&job);
}

static void trimming(void **state)
{
    (void)state;
    struct job *job = job_make("1-20x5"); /* 1 6 11 16 */
    render_next(job);
    assert_int_equal(job_begin(job, 1000), 1);
    assert_int_equal(job_trim(job, 13), 13);
    assert_int_equal(job->end, 3);
    assert_int_equal(job_trim(job, 20), 13);
    assert_int_equal(job_trim(job, 2), 6);
    assert_int_equal(job_trim(job, 0), 6);
    job_rendered(job, 1);
    prove(job, 1);
    assert_int_equal(job_begin(job, 1000), -1);
    job_end(job);
    assert_int_equal(job->state, JOB_COMPLETED);
    assert_string_equal(state_of(job, 2), "stopped");
    assert_int_equal(job_trim(job, 30), -1);
    job_free(&job);
}

static void trimming_to_nothing(void **state)
{
    (void)state;
    struct job *job = job_make("10-12");
    assert_int_equal(job_trim(job, 9), 9);
    assert_int_equal(job_begin(job, 1000), -1);
    job_end(job);
    assert_int_equal(job->state, JOB_STOPPED);
    assert_string_equal(state_of(job, 0), "stopped");
    job_free(&job);
}

static void every_change_counts(void **state)
{
    (void)state;
    struct job *job = job_make("1-2");
    uint64_t rev = job->rev;
    const int32_t ordinal = job_begin(job, 1000);
    assert_true(job->rev > rev);
    rev = job->rev;
    job_rendered(job, 1);
    assert_true(job->rev > rev);
    rev = job->rev;
    prove(job, ordinal);
    assert_true(job->rev > rev);
    rev = job->rev;
    job_trim(job, 2);
    assert_int_equal(job->rev, rev);
    job_trim(job, 1);
    assert_true(job->rev > rev);
    rev = job->rev;
    job_end(job);
    assert_true(job->rev > rev);
    job_free(&job);
}

static void progress_within_a_frame(void **state)
{
    (void)state;
    static const char line[] = "Fra:1 Mem:1M | Time:00:01 | Sample 16/64\n";
    struct job *job = job_make("1-4");
    job_begin(job, 1000);
    output_add(&job->output, line, sizeof line - 1);
    assert_true(job_progress(job) == 0.0625);
    assert_int_equal(job_current(job), 0);
    job_rendered(job, 1);
    assert_true(job_progress(job) == 0.25);
    assert_int_equal(job_current(job), -1);
    job_end(job);
    job_free(&job);
}

static void thumbs_are_few(void **state)
{
    (void)state;
    struct job *job = job_make("0-99");
    for (int32_t i = 0; i < 100; i++) {
        json_t *files = json_array();
        assert_int_equal(job_begin(job, 1000), i);
        job_rendered(job, 1);
        job_proved(job, i, files, mem_new(10), 10);
        json_decref(files);
    }
    int kept = 0;
    for (int32_t i = 0; i < 100; i++)
        kept += job->at[i].thumb != NULL;
    assert_int_equal(kept, LIMIT_NODE_THUMBS);
    assert_non_null(job->at[99].thumb);
    job_end(job);
    job_free(&job);
}

static void long_jobs_list_their_last_frames(void **state)
{
    (void)state;
    struct job *job = job_make("0-1048574");
    for (int i = 0; i < LIMIT_BATCH + 5; i++)
        render_next(job);
    json_t *json = job_json(job);
    const json_t *frames = json_object_get(json, "frames");
    assert_int_equal(json_array_size(frames), LIMIT_BATCH);
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(frames, 0), "frame")),
        5);
    assert_int_equal(json_integer_value(json_object_get(json, "total")),
                     LIMIT_FRAMES);
    json_decref(json);
    job_free(&job);
}

static void json_is_always_whole(void **state)
{
    (void)state;
    struct job *job = job_make("1");
    output_add(&job->output, "bad \xff\xfe utf\nnext\n", 17);
    json_t *json = job_json(job);
    static const char *const names[] = {
        "pid",  "key",   "state", "rev", "frames",  "frame",  "progress",
        "exit", "fault", "text",  "log", "blender", "device", "to"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_non_null(json_object_get(json, names[i]));
    assert_string_equal(json_string_value(json_object_get(json, "log")),
                        "bad ?? utf\nnext\n");
    assert_true(json_is_null(json_object_get(json, "exit")));
    assert_string_equal(json_string_value(json_object_get(json, "fault")),
                        "none");
    json_decref(json);
    job_free(&job);
}

/* A log of LIMIT_LOG_TAIL bytes is shown whole, a longer one's end. */
static void log_tail_is_short(void **state)
{
    (void)state;
    struct job *job = job_make("1");
    for (int i = 0; i < LIMIT_LOG_TAIL / 64; i++)
        output_add(&job->output,
                   "0123456789012345678901234567890123456789"
                   "01234567890123456789012\n",
                   64);
    for (int extra = 0; extra < 2; extra++) {
        json_t *json = job_json(job);
        const json_t *log = json_object_get(json, "log");
        assert_int_equal(json_string_length(log), LIMIT_LOG_TAIL);
        json_decref(json);
        output_add(&job->output, "x\n", 2);
    }
    job_free(&job);
}

/* LIMIT_NODE_QUEUE ended jobs are remembered; those that run always are. */
static void old_jobs_are_forgotten(void **state)
{
    (void)state;
    struct job *newest = NULL, *job;
    int n = 0;
    for (int i = 0; i < LIMIT_NODE_QUEUE + 3; i++) {
        job = job_make("1");
        job->next = newest;
        newest = job;
        if (i > 0)
            job->state = JOB_COMPLETED;
        jobs_forget(&newest);
    }
    assert_int_equal(newest->state, JOB_COMPLETED);
    for (job = newest; job->next; job = job->next)
        n++;
    assert_int_equal(n, LIMIT_NODE_QUEUE);
    assert_int_equal(job->state, JOB_RUNNING);
    while (newest) {
        job = newest->next;
        job_free(&newest);
        newest = job;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_frame_has_its_log),
        cmocka_unit_test(a_long_log_loses_its_beginning),
        cmocka_unit_test(a_job_that_never_began),
        cmocka_unit_test(completes),
        cmocka_unit_test(first_failure_ends_it),
        cmocka_unit_test(failure_before_any_frame),
        cmocka_unit_test(failure_in_odd_words),
        cmocka_unit_test(failure_between_frames),
        cmocka_unit_test(stopping),
        cmocka_unit_test(stopped_when_all_was_done),
        cmocka_unit_test(trimming),
        cmocka_unit_test(trimming_to_nothing),
        cmocka_unit_test(every_change_counts),
        cmocka_unit_test(progress_within_a_frame),
        cmocka_unit_test(thumbs_are_few),
        cmocka_unit_test(long_jobs_list_their_last_frames),
        cmocka_unit_test(json_is_always_whole),
        cmocka_unit_test(log_tail_is_short),
        cmocka_unit_test(old_jobs_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
