/* SPDX-License-Identifier: Apache-2.0
 *
 * What watch shows: lines of events, and the block of a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/event.h"
#include "cli/view.h"
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

static void expect_view(const char *job, int width, int rows,
                        const char *expected)
{
    struct mirror mirror = mirror_new();
    struct term term = {.width = width};
    struct view view = {&mirror, &term, job, "", rows};
    struct buf out;
    buf_init(&out, 65536);
    int lines = view_draw(&view, &out), n = 0;
    for (const char *at = buf_text(&out); (at = strchr(at, '\n')); at++)
        n++;
    assert_string_equal(buf_text(&out), expected);
    assert_int_equal(lines, n);
    buf_free(&out);
    mirror_done(&mirror);
}

static void test_block(void **state)
{
    (void)state;
    expect_view(
        NULL, 80, 20,
        "> shot                   ############xx=====..... 10/20  x 2  "
        "12-16 m\n"
        "o late                   ........................ 0/3  queued\n"
        "* n1                     shot #13 62 %\n"
        "= n2                     drained\n"
        "x shot 1 x crash: signal 11\n"
        "  again: frameq retry abcdefgh\n");
    expect_view("abcdefghij", 80, 20,
                "> shot                   ############xx=====..... 10/20  x 2  "
                "12-16 m\n"
                "* n1                     shot #13 62 %\n"
                "x 1 x crash: signal 11\n"
                "  again: frameq retry abcdefgh\n");
}

static void test_narrow(void **state)
{
    (void)state;
    expect_view("abcdefghij", 31, 20,
                "> shot                   10...\n"
                "* n1                     sh...\n"
                "x 1 x crash: signal 11\n"
                "  again: frameq retry abcdefgh\n");
}

static void test_never_more_rows(void **state)
{
    (void)state;
    for (int rows = 3; rows < 12; rows++) {
        struct mirror mirror = mirror_new();
        struct term term = {.width = 80};
        struct view view = {&mirror, &term, NULL, "", rows};
        struct buf out;
        buf_init(&out, 65536);
        assert_in_range(view_draw(&view, &out), 1, rows);
        buf_free(&out);
        mirror_done(&mirror);
    }
}

static void test_empty(void **state)
{
    (void)state;
    struct mirror mirror = {0};
    struct term term = {.width = 80};
    struct view view = {&mirror, &term, NULL, "", 10};
    struct buf out;
    json_t *farm = json_object(), *none = json_array();
    mirror_take(&mirror, farm, none, none);
    buf_init(&out, 65536);
    assert_int_equal(view_draw(&view, &out), 1);
    assert_string_equal(buf_text(&out), "no jobs under way\n");
    buf_free(&out);
    mirror_done(&mirror);
    json_decref(none);
    json_decref(farm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),  cmocka_unit_test(test_block),
        cmocka_unit_test(test_narrow), cmocka_unit_test(test_never_more_rows),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
