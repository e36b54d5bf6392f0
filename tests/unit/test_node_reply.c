/* SPDX-License-Identifier: Apache-2.0
 *
 * What nodes answer, both dialects, and what broken ones do: every answer
 * becomes one of a few words, within bounds.
 */
#include "worker-agent/node_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/text.h"

static struct arena arena;
static struct node_answer answer;

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct web_answer web_of(int status, const char *body)
{
    return (struct web_answer){WEB_ANSWERED, status, body, strlen(body),
                               "no fault"};
}

static void read_it(enum call call, bool ours, int status, const char *body)
{
    struct web_answer web = web_of(status, body);
    node_reply_read(call, ours, &web, &arena, &answer);
    assert_non_null(answer.text);
    assert_true(text_is_plain(answer.text, strlen(answer.text)));
    assert_true(strlen(answer.text) <= LIMIT_REASON);
}

struct row {
    enum call call;
    int status;
    const char *body;
    enum answer_word word;
    bool ours;
};

static const struct row rows[] = {
    {CALL_POST, 202, "{\"pid\":12345}", ANSWER_TAKEN, false},
    {CALL_POST, 202, "{\"pid\":1}", ANSWER_TAKEN, true},
    {CALL_POST, 202, "<html>", ANSWER_TAKEN, false},
    {CALL_POST, 503, "Server busy, try again later", ANSWER_BUSY, false},
    {CALL_POST, 429, "", ANSWER_BUSY, true},
    {CALL_POST, 400, "Invalid input", ANSWER_REFUSED, false},
    {CALL_POST, 404, "<html>", ANSWER_REFUSED, false},
    {CALL_POST, 200, "<h1>Welcome</h1>", ANSWER_ODD, false},
    {CALL_POST, 500, "oops", ANSWER_ODD, false},
    {CALL_POLL, 202, "Job still running", ANSWER_RUNNING, false},
    {CALL_POLL, 200, "Job completed", ANSWER_COMPLETED, false},
    {CALL_POLL, 500, "Job failed: 2 frames", ANSWER_FAILED, false},
    {CALL_POLL, 400, "Job not found", ANSWER_UNKNOWN, false},
    {CALL_POLL, 200, "<h1>Welcome</h1>", ANSWER_ODD, false},
    {CALL_POLL, 200, "{\"state\":\"completed\"}", ANSWER_ODD, false},
    {CALL_POLL, 500, "oops", ANSWER_ODD, false},
    {CALL_POLL, 404, "<html>", ANSWER_ODD, false},
    {CALL_POLL, 200, "Job completed", ANSWER_ODD, true},
    {CALL_POLL, 202, "Job still running", ANSWER_ODD, true},
    {CALL_POLL, 404, "{}", ANSWER_UNKNOWN, true},
    {CALL_POLL, 400, "Job not found", ANSWER_UNKNOWN, true},
    {CALL_POLL, 200, "{\"state\":\"running\"}", ANSWER_RUNNING, true},
    {CALL_POLL, 200, "{\"state\":\"dreaming\"}", ANSWER_RUNNING, true},
    {CALL_POLL, 200, "{\"state\":\"completed\"}", ANSWER_COMPLETED, true},
    {CALL_POLL, 200, "{\"state\":\"stopped\"}", ANSWER_STOPPED, true},
    {CALL_POLL, 200, "{\"state\":\"failed\"}", ANSWER_FAILED, true},
    {CALL_POLL, 200, "{\"state\":7}", ANSWER_ODD, true},
    {CALL_POLL, 200, "[]", ANSWER_ODD, true},
    {CALL_POLL, 200, "{\"state\":\"completed\"", ANSWER_ODD, true},
    {CALL_POLL, 200, "{\"state\":\"a\",\"state\":\"a\"}", ANSWER_ODD, true},
    {CALL_POLL, 500, "{\"state\":\"completed\"}", ANSWER_ODD, true},
    {CALL_TRIM, 200, "{\"to\":7}", ANSWER_TRIMMED, true},
    {CALL_TRIM, 200, "{\"to\":-7}", ANSWER_ODD, true},
    {CALL_TRIM, 200, "{\"to\":7.5}", ANSWER_ODD, true},
    {CALL_TRIM, 200, "{\"to\":1048575}", ANSWER_ODD, true},
    {CALL_TRIM, 409, "over", ANSWER_ODD, true},
    {CALL_STOP, 202, "", ANSWER_AGREED, true},
    {CALL_STOP, 409, "", ANSWER_AGREED, true},
    {CALL_STOP, 400, "Job not found", ANSWER_UNKNOWN, true},
    {CALL_STOP, 500, "", ANSWER_ODD, true},
};

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        read_it(rows[i].call, rows[i].ours, rows[i].status, rows[i].body);
        if (answer.word != rows[i].word)
            fail_msg("row %zu (%d %s): word %d, not %d", i, rows[i].status,
                     rows[i].body, answer.word, rows[i].word);
    }
}

static void test_no_answer(void **state)
{
    struct web_answer web = {WEB_UNSENT, 0, "", 0, "refused"};
    (void)state;
    node_reply_read(CALL_POST, true, &web, &arena, &answer);
    assert_int_equal(answer.word, ANSWER_UNSENT);
    assert_non_null(strstr(answer.text, "refused"));
    web.result = WEB_SILENT;
    node_reply_read(CALL_POLL, true, &web, &arena, &answer);
    assert_int_equal(answer.word, ANSWER_SILENT);
    web.result = WEB_TOO_MUCH;
    node_reply_read(CALL_POLL, true, &web, &arena, &answer);
    assert_int_equal(answer.word, ANSWER_ODD);
}

static void test_pids(void **state)
{
    static const struct {
        const char *body;
        int64_t pid;
    } cases[] = {
        {"{\"pid\":12345}", 12345},
        {"{\"pid\":\"12345\"}", 0},
        {"{\"pid\":0}", 0},
        {"{\"pid\":-4}", 0},
        {"{\"pid\":1.0}", 0},
        {"{\"pid\":9223372036854775808}", 0},
        {"{}", 0},
        {"", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_it(CALL_POST, true, 202, cases[i].body);
        assert_int_equal(answer.pid, cases[i].pid);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    read_it(CALL_POST, true, 400, "Invalid input: field `from`");
    assert_int_equal(answer.fault, FAULT_INVALID);
    assert_string_equal(answer.text,
                        "the node answered 400: Invalid input: field `from`");
    read_it(CALL_POST, true, 422, "{\"detail\":\"no such file\"}");
    assert_int_equal(answer.fault, FAULT_INVALID);
    assert_string_equal(answer.text, "the node answered 422: no such file");
    read_it(CALL_POST, true, 409, "{\"title\":\"Conflict\"}");
    assert_int_equal(answer.fault, FAULT_REFUSED);
}

/* Whatever stands in an answer can be put into a STATE. */
static void test_texts_are_tamed(void **state)
{
    struct buf body;
    (void)state;
    buf_init(&body, 100000);
    for (int i = 0; i < 20000; i++)
        buf_add(&body, i % 2 ? "\xf0\x9f\x98\x80" : "\x01", i % 2 ? 4 : 1);
    read_it(CALL_POST, false, 400, body.data);
    assert_true(strlen(answer.text) > 500);
    read_it(CALL_POLL, false, 500, "Job failed: a\nb\xff");
    assert_string_equal(answer.text, "Job failed: a?b?");
    buf_free(&body);
}

static void test_job_document(void **state)
{
    (void)state;
    read_it(CALL_POLL, true, 200,
            "{\"state\":\"running\",\"rev\":9,\"to\":20,\"frame\":4,"
            "\"total\":20,\"done\":3,\"progress\":0.1625,\"frames\":["
            "{\"frame\":3,\"state\":\"done\",\"seconds\":1.5,"
            "\"files\":[{\"path\":\"/f/a_0003.png\",\"bytes\":7}]},"
            "{\"frame\":4,\"state\":\"rendering\",\"seconds\":null},"
            "{\"frame\":-5,\"state\":\"done\"},"
            "{\"frame\":\"6\",\"state\":\"done\"},"
            "{\"frame\":7,\"state\":\"done\",\"seconds\":-1,\"files\":7},"
            "{\"frame\":8,\"state\":\"done\",\"seconds\":1e300},"
            "null,{}]}");
    assert_int_equal(answer.revision, 9);
    assert_int_equal(answer.to, 20);
    assert_int_equal(answer.frame, 4);
    assert_int_equal(answer.permille, 250);
    assert_int_equal(answer.n_frames, 3);
    assert_int_equal(answer.frames[0].frame, 3);
    assert_int_equal(answer.frames[0].ms, 1500);
    assert_string_equal(answer.frames[0].files,
                        "[{\"path\":\"/f/a_0003.png\",\"bytes\":7}]");
    assert_int_equal(answer.frames[1].frame, 7);
    assert_int_equal(answer.frames[1].ms, 0);
    assert_string_equal(answer.frames[1].files, "");
    assert_int_equal(answer.frames[2].ms, INT32_MAX);
}

static void test_failed_document(void **state)
{
    (void)state;
    read_it(
        CALL_POLL, true, 200,
        "{\"state\":\"failed\",\"fault\":\"crash\",\"text\":\"signal 11\"}");
    assert_int_equal(answer.fault, FAULT_CRASH);
    assert_string_equal(answer.text, "signal 11");
    read_it(CALL_POLL, true, 200,
            "{\"state\":\"failed\",\"fault\":\"of_the_future\"}");
    assert_int_equal(answer.fault, FAULT_RENDER);
    read_it(CALL_POLL, true, 200, "{\"state\":\"failed\",\"fault\":\"none\"}");
    assert_int_equal(answer.fault, FAULT_RENDER);
}

/* No frame has more files than this, however short a list of them is: a long
 * one would keep the agent busy for an hour. */
static void test_countless_files(void **state)
{
    struct buf body;
    (void)state;
    buf_init(&body, 100000);
    buf_print(&body, "{\"state\":\"running\",\"frames\":[{\"frame\":1,"
                     "\"state\":\"done\",\"files\":[");
    for (int i = 0; i < 1000; i++)
        buf_print(&body, "%s1", i == 0 ? "" : ",");
    buf_print(&body, "]}]}");
    read_it(CALL_POLL, true, 200, body.data);
    assert_int_equal(strlen(answer.frames[0].files), 2 * LIMIT_FRAME_FILES + 1);
    buf_free(&body);
}

/* Of more files than may travel the last are left out. */
static void test_many_files(void **state)
{
    struct buf body;
    (void)state;
    buf_init(&body, 100000);
    buf_print(&body, "{\"state\":\"running\",\"frames\":[{\"frame\":1,"
                     "\"state\":\"done\",\"files\":[");
    for (int i = 0; i < 64; i++)
        buf_print(&body, "%s{\"path\":\"%0100d\"}", i == 0 ? "" : ",", i);
    buf_print(&body, "]}]}");
    read_it(CALL_POLL, true, 200, body.data);
    assert_int_equal(answer.n_frames, 1);
    size_t len = strlen(answer.frames[0].files);
    assert_in_range(len, LIMIT_FILES - 120, LIMIT_FILES);
    assert_int_equal(answer.frames[0].files[len - 1], ']');
    buf_free(&body);
}

/* --- GET /info, GET /health. --- */

static struct probe_answer probe_it(enum probe probe, int status,
                                    const char *body)
{
    struct probe_answer ret;
    struct web_answer web = web_of(status, body);
    node_reply_probe(probe, &web, &arena, &ret);
    return ret;
}

static void test_info(void **state)
{
    (void)state;
    struct probe_answer got = probe_it(
        PROBE_INFO, 200,
        "{\"name\":\"n\",\"version\":\"0.1\","
        "\"blender\":{\"version\":\"3.4.1\"},"
        "\"device\":\"cpu\",\"cores\":8,\"memory_mb\":16000,\"gpus\":[1,2],"
        "\"slots\":4,\"features\":[\"wait\",\"trim\",\"key\",7,\"sing\"]}");
    assert_int_equal(got.word, PROBE_INFORMED);
    assert_int_equal(got.facts->slots, 4);
    assert_int_equal(got.facts->gpus, 2);
    assert_int_equal(got.facts->memory_mb, 16000);
    assert_string_equal(got.facts->blender, "3.4.1");
    assert_true(got.facts->can_wait && got.facts->can_trim);
    assert_true(got.facts->can_key && !got.facts->can_stop);
    assert_true(got.facts->well);
}

static void test_info_unwell(void **state)
{
    (void)state;
    struct probe_answer got =
        probe_it(PROBE_INFO, 200,
                 "{\"features\":[],\"slots\":100000,\"healthy\":false,"
                 "\"fault\":\"disk_full\",\"blender\":\"4.2\"}");
    assert_int_equal(got.word, PROBE_INFORMED);
    assert_string_equal(got.facts->blender, "4.2");
    assert_int_equal(got.facts->slots, 1);
    assert_false(got.facts->well);
    assert_non_null(strstr(got.facts->error, "make room"));
}

static void test_info_of_others(void **state)
{
    static const char *const bodies[] = {"<html>", "{}", "[]", "",
                                         "{\"features\":true}"};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_int_equal(probe_it(PROBE_INFO, 200, bodies[i]).word,
                         PROBE_STRANGE);
    assert_int_equal(probe_it(PROBE_INFO, 404, "{\"features\":[]}").word,
                     PROBE_STRANGE);
    assert_int_equal(probe_it(PROBE_HEALTH, 200, "OK").word, PROBE_ALIVE);
    assert_int_equal(probe_it(PROBE_HEALTH, 500, "OK").word, PROBE_STRANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_pids),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_texts_are_tamed),
        cmocka_unit_test(test_job_document),
        cmocka_unit_test(test_failed_document),
        cmocka_unit_test(test_countless_files),
        cmocka_unit_test(test_many_files),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_info_unwell),
        cmocka_unit_test(test_info_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
