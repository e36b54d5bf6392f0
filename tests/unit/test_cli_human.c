/* SPDX-License-Identifier: Apache-2.0
 *
 * Times as people say and type them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "cli/human.h"
#include "common/app/clock.h"

static void test_seconds(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } rows[] = {
        {0, "0.0 s"},       {-4, "0.0 s"},       {0.44, "0.4 s"},
        {9.9, "9.9 s"},     {9.96, "10 s"},      {59.4, "59 s"},
        {59.6, "1 m 00 s"}, {124, "2 m 04 s"},   {3599.4, "59 m 59 s"},
        {3600, "1 h 00 m"}, {4320, "1 h 12 m"},  {86399, "23 h 59 m"},
        {86400, "1 d 0 h"}, {273600, "3 d 4 h"},
    };
    char text[HUMAN_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(human_seconds(rows[i].seconds, text), rows[i].text);
    human_seconds(1e300, text); /* no overflow */
}

static void expect_eta(int low, int high, const char *expected)
{
    char text[HUMAN_SIZE];
    json_t *eta = json_pack("{s:i,s:i}", "low", low, "high", high);
    assert_string_equal(human_eta(eta, text), expected);
    json_decref(eta);
}

static void test_eta(void **state)
{
    (void)state;
    char text[HUMAN_SIZE];
    json_t *null = json_null();
    expect_eta(0, 1, "0-1 s");
    expect_eta(40, 110, "40-110 s");
    expect_eta(720, 960, "12-16 m");
    expect_eta(950, 960, "16 m");
    expect_eta(7200, 10800, "2-3 h");
    expect_eta(172800, 432000, "2-5 d");
    json_t *open = json_pack("{s:i,s:n}", "low", 720, "high");
    assert_string_equal(human_eta(open, text), "12 m or more");
    json_decref(open);
    assert_string_equal(human_eta(null, text), "");
    assert_string_equal(human_eta(NULL, text), "");
}

static void expect_left(const char *state, int leased, int done,
                        const char *expected)
{
    char text[HUMAN_SIZE];
    json_t *job = json_pack("{s:s,s:{s:i,s:i},s:n}", "state", state, "counts",
                            "leased", leased, "done", done, "eta_seconds");
    assert_string_equal(human_left(job, text), expected);
    json_object_set_new(job, "eta_seconds",
                        json_pack("{s:i,s:i}", "low", 1, "high", 2));
    assert_string_equal(human_left(job, text), "1-2 s");
    json_decref(job);
}

static void test_left(void **state)
{
    (void)state;
    expect_left("running", 1, 2, "estimating");
    expect_left("running", 1, 3, "");
    expect_left("running", 0, 2, "");
    expect_left("queued", 0, 0, "");
}

static void test_ago(void **state)
{
    (void)state;
    char text[HUMAN_SIZE];
    assert_string_equal(human_ago(1000, 241000, text), "4 m ago");
    assert_string_equal(human_ago(0, 119900, text), "119 s ago");
    assert_string_equal(human_ago(0, 10799000, text), "2 h ago");
    assert_string_equal(human_ago(-1, 241000, text), "-");
    assert_string_equal(human_ago(5000, 1000, text), "0 s ago");
}

static void test_span(void **state)
{
    (void)state;
    assert_int_equal(clock_span("90s"), 90000);
    assert_int_equal(clock_span("30m"), 1800000);
    assert_int_equal(clock_span("2h"), 7200000);
    assert_int_equal(clock_span("30d"), 2592000000);
    assert_int_equal(clock_span("0s"), 0);
    static const char *const bad[] = {
        "",      "30",   "m",  "-5m", "30 m",
        "3.5h",  "30md", "5w", "+5m", "99999999999999999999d",
        "36501d"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (clock_span(bad[i]) != -1)
            fail_msg("%s", bad[i]);
}

static void test_time(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    int64_t now_ms = clock_parse("2026-11-24T12:00:00Z");
    assert_int_equal(human_time("2026-11-24T18:00:00Z", now_ms),
                     clock_parse("2026-11-24T18:00:00Z"));
    assert_int_equal(human_time("30m", now_ms), now_ms + 1800000);
    assert_int_equal(human_time("18:30", now_ms),
                     clock_parse("2026-11-24T18:30:00Z"));
    assert_int_equal(human_time("11:59", now_ms),
                     clock_parse("2026-11-25T11:59:00Z"));
    assert_int_equal(human_time("12:00", now_ms),
                     clock_parse("2026-11-25T12:00:00Z"));
    static const char *const bad[] = {"24:00", "12:60", "1:30",
                                      "noon",  "",      "12:3a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (human_time(bad[i], now_ms) != -1)
            fail_msg("%s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seconds), cmocka_unit_test(test_eta),
        cmocka_unit_test(test_left),    cmocka_unit_test(test_ago),
        cmocka_unit_test(test_span),    cmocka_unit_test(test_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
