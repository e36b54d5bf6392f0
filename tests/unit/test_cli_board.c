/* SPDX-License-Identifier: Apache-2.0
 *
 * What watch shows: lines of events, and the board of a whole terminal; what
 * its keys do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/watch/board.h"
#include "cli/watch/event.h"
#include "quoted.h"

static void expect_line(const char *event, const char *line)
{
    struct term term = {0};
    struct buf out;
    json_t *json = quoted(event);
    buf_init(&out, 4096);
    assert_int_equal(event_tell(json, &term, &out), line != NULL);
    assert_string_equal(buf_text(&out), line == NULL ? "" : line);
    buf_free(&out);
    json_decref(json);
}

static void test_lines(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    expect_line("{'type':'frame','time':'2026-11-24T14:07:31.5Z','job':'j1',"
                "'name':'shot','frame':96,'state':'done','agent':'n2',"
                "'seconds':38.2,'files':[{'path':'/o/s_0096.png'}]}",
                "14:07:31 * shot #96 done on n2 in 38 s -> /o/s_0096.png\n");
    expect_line("{'type':'frame','job':'j1','name':null,'frame':7,"
                "'state':'pending','fault':'crash','text':'signal 11',"
                "'agent':'n2'}",
                "o j1 #7 lost an attempt on n2: crash: signal 11\n");
    expect_line("{'type':'frame','job':'j1','name':'s','frames':'7-9',"
                "'state':'pending'}",
                "o s #7-9 to be rendered again\n");
    expect_line("{'type':'frame','job':'j1','name':'s','frames':'7-9',"
                "'state':'failed','fault':'bad_name','text':'no scene X'}",
                "x s #7-9 failed: bad_name: no scene X\n");
    expect_line("{'type':'job','job':'j1','name':'s','change':'submitted',"
                "'state':'queued','counts':{'total':20}}",
                "o s submitted, 20 frames\n");
    expect_line("{'type':'job','job':'j1','change':'forgotten'}",
                "o j1 forgotten\n");
    expect_line("{'type':'agent','name':'n3','state':'lost','change':'lost',"
                "'why':'not heard for too long'}",
                "x agent n3 lost: not heard for too long\n");
    expect_line("{'type':'agent','name':'n3','change':'changed'}", NULL);
    expect_line("{'type':'progress','job':'j1','frame':1}", NULL);
    expect_line("{'type':'lease','job':'j1'}", NULL);
    expect_line("{'type':'of a newer broker'}", NULL);
}

static struct mirror mirror_new(void)
{
    struct mirror mirror = {0};
    json_t *farm = quoted("{'epoch':7,'seq':'7:100'}");
    json_t *jobs =
        quoted("[{'id':'abcdefghij','name':'shot','state':'running','counts':"
               "{'total':20,'done':10,'failed':2,'leased':4},'eta_seconds':"
               "{'low':720,'high':960},'failures':[{'frame':3,'fault':'crash',"
               "'text':'signal 11'}]},"
               "{'id':'klmnop','name':'late','state':'queued','counts':"
               "{'total':3}}]");
    json_t *agents = quoted(
        "[{'name':'n1','state':'up','drain':'off','leases':[{'lease':'1',"
        "'job':'abcdefghij','job_name':'shot','frame':13,'progress':0.62}]},"
        "{'name':'n2','state':'up','drain':'soft','why':'drained',"
        "'leases':[]}]");
    mirror_take(&mirror, farm, jobs, agents);
    json_decref(farm);
    json_decref(jobs);
    json_decref(agents);
    return mirror;
}

/* Draws the board and compares the lines, without blank ones. */
static void expect_board(struct board *board, const char *expected)
{
    struct buf out, full;
    buf_init(&out, 65536);
    buf_init(&full, 65536);
    board_draw(board, &out);
    int n = 0;
    for (const char *at = buf_text(&out); *at != '\0'; n++) {
        size_t len = strcspn(at, "\n");
        assert_true(len < 200);
        if (len > 0)
            buf_add(&full, at, len + 1);
        at += len + 1;
    }
    assert_string_equal(buf_text(&full), expected);
    assert_int_equal(n, board->rows);
    buf_free(&out);
    buf_free(&full);
}

static const struct term wide = {.width = 80};

static struct board board_new(const struct mirror *mirror)
{
    return (struct board){.mirror = mirror,
                          .term = &wide,
                          .url = "http://h:1",
                          .rows = 24,
                          .keys = true};
}

static void test_farm(void **state)
{
    (void)state;
    struct mirror mirror = mirror_new();
    struct board board = board_new(&mirror);
    board_recent(&board, "klmnop", "late submitted");
    expect_board(
        &board,
        "frameq  http://h:1  jobs:  1 running  1 queued  agents:  1 up  1 "
        "drained\n"
        "JOBS\n"
        "] > shot                   ############xx=====..... 10/20  x 2  12-16 "
        "m\n"
        "  o late                   ........................ 0/3  queued\n"
        "AGENTS\n"
        "  * n1                     shot #13 62 %\n"
        "  = n2                     drained\n"
        "FAILURES\n"
        "x shot 1 x crash: signal 11\n"
        "  Blender crashed; see the log of the attempt.\n"
        "LATELY\n"
        "  late submitted\n"
        "j/k choose  Enter open  p pause  r retry failed  c cancel  ? help  q "
        "quit\n");
    board_done(&board);
    mirror_done(&mirror);
}

static void test_one_job(void **state)
{
    (void)state;
    struct mirror mirror = mirror_new();
    struct board board = board_new(&mirror);
    board_recent(&board, "klmnop", "late submitted");
    board_recent(&board, "abcdefghij", "shot #9 done");
    assert_int_equal(board_key(&board, KEY_ENTER), BOARD_NOTHING);
    expect_board(
        &board,
        "shot  running  abcdefghij\n"
        "> shot                   ############xx=====..... 10/20  x 2  12-16 "
        "m\n"
        "10 done, 4 rendering, 2 failed, 0 cancelled of 20; left: 12-16 m\n"
        "AGENTS\n"
        "  * n1                     shot #13 62 %\n"
        "FAILURES\n"
        "x 1 x crash: signal 11\n"
        "  Blender crashed; see the log of the attempt.\n"
        "LATELY\n"
        "  shot #9 done\n"
        "p pause  r retry failed  c cancel  Esc back  ? help  q quit\n");
    assert_int_equal(board_key(&board, KEY_ESCAPE), BOARD_NOTHING);
    assert_int_equal(board.page, BOARD_FARM);
    assert_int_equal(board_key(&board, KEY_ESCAPE), BOARD_QUIT);
    board_done(&board);
    mirror_done(&mirror);
}

static void test_keys_choose(void **state)
{
    static const struct {
        int key;
        const char *chosen;
    } rows[] = {{'k', "abcdefghij"},  {'j', "klmnop"},
                {KEY_DOWN, "klmnop"}, {KEY_UP, "abcdefghij"},
                {'G', "klmnop"},      {'g', "abcdefghij"},
                {KEY_END, "klmnop"},  {KEY_HOME, "abcdefghij"}};
    (void)state;
    struct mirror mirror = mirror_new();
    struct board board = board_new(&mirror);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(board_key(&board, rows[i].key), BOARD_NOTHING);
        assert_string_equal(board.chosen, rows[i].chosen);
    }
    assert_int_equal(board_key(&board, 'p'), BOARD_PAUSE);
    assert_int_equal(board_key(&board, 'r'), BOARD_RETRY);
    assert_int_equal(board_key(&board, 'z'), BOARD_NOTHING);
    assert_int_equal(board_key(&board, '?'), BOARD_NOTHING);
    assert_int_equal(board_key(&board, 'q'), BOARD_NOTHING); /* the help goes */
    assert_int_equal(board_key(&board, 'q'), BOARD_QUIT);
    board_done(&board);
    mirror_done(&mirror);
}

static void test_cancel_is_asked(void **state)
{
    (void)state;
    struct mirror mirror = mirror_new();
    struct board board = board_new(&mirror);
    assert_int_equal(board_key(&board, 'c'), BOARD_NOTHING);
    assert_int_equal(board_key(&board, 'n'), BOARD_NOTHING);
    assert_string_equal(board.note, "not cancelled");
    assert_int_equal(board_key(&board, 'c'), BOARD_NOTHING);
    assert_int_equal(board_key(&board, 'y'), BOARD_CANCEL);
    /* Never another job than the one that was asked for. */
    assert_int_equal(board_key(&board, 'c'), BOARD_NOTHING);
    json_object_del(mirror.jobs, "abcdefghij");
    assert_string_equal(
        json_string_value(json_object_get(board_job(&board), "id")), "klmnop");
    assert_int_equal(board_key(&board, 'y'), BOARD_NOTHING);
    json_object_del(mirror.jobs, "klmnop");
    assert_int_equal(board_key(&board, 'p'), BOARD_NOTHING);
    assert_string_equal(board.note, "no job is chosen");
    board_done(&board);
    mirror_done(&mirror);
}

static void test_any_size(void **state)
{
    (void)state;
    for (int rows = 3; rows < 40; rows++)
        for (int page = BOARD_FARM; page <= BOARD_JOB; page++) {
            struct mirror mirror = mirror_new();
            struct term term = {.width = 20 + rows};
            struct board board = board_new(&mirror);
            struct buf out;
            board.rows = rows;
            board.term = &term;
            board_key(&board, page == BOARD_JOB ? KEY_ENTER : 'x');
            board.help = rows % 5 == 0;
            buf_init(&out, 65536);
            board_draw(&board, &out);
            int n = 0;
            for (const char *at = buf_text(&out); *at != '\0'; n++) {
                size_t len = strcspn(at, "\n");
                assert_true(len < (size_t)term.width);
                at += len + 1;
            }
            assert_int_equal(n, rows);
            buf_free(&out);
            board_done(&board);
            mirror_done(&mirror);
        }
}

static void test_key_sequences(void **state)
{
    static const struct {
        const char *bytes;
        size_t n, used;
        int key;
    } rows[] = {
        {"jk", 2, 1, 'j'},
        {"\x1b", 1, 1, KEY_ESCAPE},
        {"\x1bj", 2, 1, KEY_ESCAPE},
        {"\x1b[A", 3, 3, KEY_UP},
        {"\x1bOB", 3, 3, KEY_DOWN},
        {"\x1b[1;5Bx", 7, 6, KEY_DOWN},
        {"\x1b[3~", 4, 4, KEY_OTHER},
        {"\x1b[", 2, 0, KEY_ESCAPE},
        {"\xc3\xa4", 2, 1, KEY_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int key = KEY_NONE;
        assert_int_equal(key_read(rows[i].bytes, rows[i].n, &key),
                         rows[i].used);
        if (rows[i].used > 0)
            assert_int_equal(key, rows[i].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_farm),
        cmocka_unit_test(test_one_job),
        cmocka_unit_test(test_keys_choose),
        cmocka_unit_test(test_cancel_is_asked),
        cmocka_unit_test(test_any_size),
        cmocka_unit_test(test_key_sequences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
