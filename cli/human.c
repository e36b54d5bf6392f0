/* SPDX-License-Identifier: Apache-2.0
 *
 * Times as people say and type them.
 */
#include "cli/human.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/doc.h"
#include "common/app/clock.h"

#define ETA_FRAMES 3 /* seen of a job before anybody can tell */
#define MINUTE     60
#define HOUR       3600
#define DAY        86400

char *human_seconds(double seconds, char ret[HUMAN_SIZE])
{
    if (!(seconds > 0)) /* NaN too */
        seconds = 0;
    if (seconds < 9.95) {
        snprintf(ret, HUMAN_SIZE, "%.1f s", seconds);
        return ret;
    }
    double most = 1e15; /* fits int64_t */
    int64_t s = (int64_t)((seconds < most ? seconds : most) + 0.5);
    if (s < MINUTE)
        snprintf(ret, HUMAN_SIZE, "%d s", (int)s);
    else if (s < HOUR)
        snprintf(ret, HUMAN_SIZE, "%d m %02d s", (int)(s / MINUTE),
                 (int)(s % MINUTE));
    else if (s < DAY)
        snprintf(ret, HUMAN_SIZE, "%d h %02d m", (int)(s / HOUR),
                 (int)(s % HOUR / MINUTE));
    else
        snprintf(ret, HUMAN_SIZE, "%lld d %d h", (long long)(s / DAY),
                 (int)(s % DAY / HOUR));
    return ret;
}

/* The unit in which `seconds` reads best, for a range in one unit. */
static const char *unit_of(double seconds, double *ret_size)
{
    *ret_size = seconds >= 2 * DAY      ? DAY
                : seconds >= 2 * HOUR   ? HOUR
                : seconds >= 2 * MINUTE ? MINUTE
                                        : 1;
    return *ret_size == DAY      ? "d"
           : *ret_size == HOUR   ? "h"
           : *ret_size == MINUTE ? "m"
                                 : "s";
}

char *human_eta(const json_t *eta, char ret[HUMAN_SIZE])
{
    ret[0] = '\0';
    if (!json_is_object(eta))
        return ret;
    double size;
    bool open = !doc_has(eta, "high");
    const char *unit = unit_of(doc_real(eta, open ? "low" : "high"), &size);
    double low = doc_real(eta, "low") / size,
           high = doc_real(eta, "high") / size;
    if (open)
        snprintf(ret, HUMAN_SIZE, "%.0f %s or more", low, unit);
    else if ((int)(low + 0.5) >= (int)(high + 0.5))
        snprintf(ret, HUMAN_SIZE, "%.0f %s", high, unit);
    else
        snprintf(ret, HUMAN_SIZE, "%.0f-%.0f %s", low, high, unit);
    return ret;
}

char *human_left(const json_t *job, char ret[HUMAN_SIZE])
{
    const json_t *counts = json_object_get(job, "counts");
    human_eta(json_object_get(job, "eta_seconds"), ret);
    if (*ret == '\0' && doc_is(job, "state", "running") &&
        doc_int(counts, "leased") > 0 && doc_int(counts, "done") < ETA_FRAMES)
        snprintf(ret, HUMAN_SIZE, "estimating");
    return ret;
}

char *human_ago(int64_t then_ms, int64_t now_ms, char ret[HUMAN_SIZE])
{
    double size, seconds = (double)(now_ms - then_ms) / 1000;
    const char *unit = unit_of(seconds, &size);
    if (then_ms < 0)
        snprintf(ret, HUMAN_SIZE, "-");
    else
        snprintf(ret, HUMAN_SIZE, "%lld %s ago",
                 seconds > 0 ? (long long)(seconds / size) : 0, unit);
    return ret;
}

/* The next moment at which local clocks show hour:minute. */
static int64_t time_of_day(int hour, int minute, int64_t now_ms)
{
    time_t now = (time_t)(now_ms / 1000);
    struct tm at;
    localtime_r(&now, &at);
    at.tm_hour = hour;
    at.tm_min = minute;
    at.tm_sec = 0;
    at.tm_isdst = -1;
    struct tm tomorrow = at;
    tomorrow.tm_mday++;
    time_t then = mktime(&at);
    if (then <= now)
        then = mktime(&tomorrow);
    return (int64_t)then * 1000;
}

static bool is_time_of_day(const char *text, int *ret_hour, int *ret_minute)
{
    if (strlen(text) != 5 || text[2] != ':')
        return false;
    for (int i = 0; i < 5; i++)
        if (i != 2 && !isdigit((unsigned char)text[i]))
            return false;
    *ret_hour = (text[0] - '0') * 10 + text[1] - '0';
    *ret_minute = (text[3] - '0') * 10 + text[4] - '0';
    return *ret_hour < 24 && *ret_minute < 60;
}

int64_t human_time(const char *text, int64_t now_ms)
{
    int hour, minute;
    if (is_time_of_day(text, &hour, &minute))
        return time_of_day(hour, minute, now_ms);
    int64_t span = clock_span(text);
    return span >= 0 ? now_ms + span : clock_parse(text);
}
