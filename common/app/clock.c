/* SPDX-License-Identifier: Apache-2.0
 *
 * The wall clock once, the monotonic clock ever after, and RFC 3339 both ways
 * in UTC, without the C library's time zones.
 */
#include "common/app/clock.h"

#include <assert.h>
#include <ctype.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SPAN_MOST                                                              \
    (36500LL * 86400) /* a hundred years is a slip of the hand                 \
                       */

/* Wall clock minus monotonic clock, without and with the time suspended, at the
 * first reading; one for the whole process, so that all of it agrees on the
 * time. */
static int64_t offset_ms, boot_offset_ms;
static pthread_once_t offset_once = PTHREAD_ONCE_INIT;

static int64_t read_ms(clockid_t clock)
{
    struct timespec at;
    int rc = clock_gettime(clock, &at);
    assert(rc == 0);
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static void take_offset(void)
{
    int64_t wall_ms = clock_wall_ms();
    offset_ms = wall_ms - read_ms(CLOCK_MONOTONIC);
    boot_offset_ms = wall_ms - read_ms(CLOCK_BOOTTIME);
}

int64_t clock_now_ms(void)
{
    pthread_once(&offset_once, take_offset);
    return read_ms(CLOCK_MONOTONIC) + offset_ms;
}

int64_t clock_boot_ms(void)
{
    pthread_once(&offset_once, take_offset);
    return read_ms(CLOCK_BOOTTIME) + boot_offset_ms;
}

int64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

char *clock_text(int64_t ms, char ret[CLOCK_TEXT_SIZE])
{
    int64_t rest = ms % 1000;
    time_t seconds = (time_t)(ms / 1000);
    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    struct tm tm;
    char date[CLOCK_TEXT_SIZE - 6] = "";
    if (gmtime_r(&seconds, &tm) != NULL)
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(ret, CLOCK_TEXT_SIZE, "%s.%03dZ", date, (int)rest);
    return ret;
}

/* Reads exactly n digits at *at. Returns -1 when there are fewer. */
static int read_digits(const char **at, int n)
{
    int value = 0;
    for (; n > 0; n--, ++*at) {
        if (**at < '0' || **at > '9')
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

/* Reads a number of n digits within low..high at *at. */
static bool read_part(const char **at, int n, int low, int high, int *ret)
{
    *ret = read_digits(at, n);
    return *ret >= low && *ret <= high;
}

static bool read_sign(const char **at, const char *signs)
{
    if (**at == '\0' || strchr(signs, **at) == NULL)
        return false;
    ++*at;
    return true;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static bool read_date(const char **at, struct tm *tm)
{
    bool ok = read_part(at, 4, 1970, 9999, &tm->tm_year) &&
              read_sign(at, "-") && read_part(at, 2, 1, 12, &tm->tm_mon) &&
              read_sign(at, "-") && read_part(at, 2, 1, 31, &tm->tm_mday) &&
              tm->tm_mday <= month_days(tm->tm_year, tm->tm_mon);
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    return ok;
}

static bool read_time(const char **at, struct tm *tm)
{
    return read_part(at, 2, 0, 23, &tm->tm_hour) && read_sign(at, ":") &&
           read_part(at, 2, 0, 59, &tm->tm_min) && read_sign(at, ":") &&
           read_part(at, 2, 0, 60, &tm->tm_sec); /* 60: a leap second */
}

/* Reads ".digits", if it is there, into milliseconds; what is finer is cut. */
static bool read_fraction(const char **at, int *ret_ms)
{
    *ret_ms = 0;
    if (!read_sign(at, "."))
        return true;
    const char *start = *at;
    for (int weight = 100; **at >= '0' && **at <= '9'; ++*at, weight /= 10)
        *ret_ms += weight * (**at - '0');
    return *at != start;
}

/* Reads "Z" or "+hh:mm" into minutes east of UTC. */
static bool read_offset(const char **at, int *ret_minutes)
{
    *ret_minutes = 0;
    if (read_sign(at, "Zz"))
        return true;
    int sign = **at == '-' ? -1 : 1, hours, minutes;
    if (!read_sign(at, "+-") || !read_part(at, 2, 0, 23, &hours) ||
        !read_sign(at, ":") || !read_part(at, 2, 0, 59, &minutes))
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

int64_t clock_parse(const char *text)
{
    const char *at = text;
    struct tm tm = {0};
    int ms, minutes;
    bool ok = read_date(&at, &tm) && read_sign(&at, "Tt ") &&
              read_time(&at, &tm) && read_fraction(&at, &ms) &&
              read_offset(&at, &minutes) && *at == '\0';
    if (!ok)
        return -1;
    int64_t seconds = (int64_t)timegm(&tm) - (int64_t)minutes * 60;
    return seconds < 0 ? -1 : seconds * 1000 + ms;
}

int64_t clock_span(const char *text)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    if (!isdigit((unsigned char)*text))
        return -1;
    char *end;
    long long n = strtoll(text, &end, 10);
    if (end[0] == '\0' || end[1] != '\0')
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].letter == *end && n <= SPAN_MOST / units[i].seconds)
            return n * units[i].seconds * 1000;
    return -1;
}
