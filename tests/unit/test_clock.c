/* SPDX-License-Identifier: Apache-2.0
 *
 * Time as text, both ways, and a clock that never goes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/app/clock.h"

#define TIME   1795491732345 /* 2026-11-24T03:42:12.345Z */
#define SECOND (TIME - 345)

/* How long the machine of this test was suspended. */
static time_t asleep_s;

/* Stands in for the C library's. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
    long rc = syscall(SYS_clock_gettime, clock, ret);
    if (clock != CLOCK_MONOTONIC)
        ret->tv_sec += asleep_s;
    return (int)rc;
}

static void test_suspended(void **state)
{
    (void)state;
    int64_t now = clock_now_ms(), boot = clock_boot_ms();
    assert_true(boot - now < 1000 && now - boot < 1000);
    asleep_s = 3600;
    int64_t now_after = clock_now_ms(), boot_after = clock_boot_ms();
    asleep_s = 0;
    assert_in_range(now_after - now, 0, 60000);
    assert_in_range(boot_after - boot, 3600000, 3660000);
}

static void test_now_never_goes_back(void **state)
{
    (void)state;
    int64_t last = clock_now_ms(), wall = clock_wall_ms();
    assert_true(last > 1600000000000 && wall - last < 60000);
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_now_ms();
        assert_true(now >= last);
        last = now;
    }
}

static void test_text(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_SIZE];
    assert_string_equal(clock_text(TIME, text), "2026-11-24T03:42:12.345Z");
    assert_string_equal(clock_text(0, text), "1970-01-01T00:00:00.000Z");
    assert_string_equal(clock_text(-1, text), "1969-12-31T23:59:59.999Z");
    assert_string_equal(clock_text(951827696007, text),
                        "2000-02-29T12:34:56.007Z");
    assert_true(strlen(clock_text(INT64_MAX, text)) < sizeof text);
    assert_true(strlen(clock_text(INT64_MIN, text)) < sizeof text);
}

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"2026-11-24T03:42:12.345Z", TIME},
        {"2026-11-24T03:42:12Z", SECOND},
        {"2026-11-24t03:42:12z", SECOND},
        {"2026-11-24 03:42:12Z", SECOND},
        {"2026-11-24T04:42:12.3459999+01:00", TIME},
        {"2026-11-23T22:12:12-05:30", SECOND},
        {"2026-11-24T03:42:12.5Z", SECOND + 500},
        {"2026-11-24T03:42:12-00:00", SECOND},
        {"1970-01-01T00:00:00Z", 0},
        {"2000-02-29T12:34:56.007Z", 951827696007},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"9999-12-31T23:59:59Z", 253402300799000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (clock_parse(rows[i].text) != rows[i].ms)
            fail_msg("%s: %lld", rows[i].text,
                     (long long)clock_parse(rows[i].text));
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11-24",
        "2026-11-24T03:42:12",
        "2026-11-24T03:42Z",
        "2026-11-24T03:42:12.Z",
        "2026-11-24T03:42:12ZZ",
        "2026-11-24T03:42:12+1:00",
        "2026-11-24T03:42:12+24:00",
        "2026-11-24T03:42:12+0100",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-11-00T00:00:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T00:60:00Z",
        "2026-11-24T00:00:61Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00",
        "-026-11-24T03:42:12Z",
        " 2026-11-24T03:42:12Z",
        "now",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (clock_parse(bad[i]) != -1)
            fail_msg("%s is taken", bad[i]);
}

static void test_text_and_parse_agree(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_SIZE];
    for (int64_t ms = 1; ms < 253402300799000; ms += 7777777777777)
        assert_int_equal(clock_parse(clock_text(ms, text)), ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suspended),
        cmocka_unit_test(test_now_never_goes_back),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_text_and_parse_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
