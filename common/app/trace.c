/* SPDX-License-Identifier: Apache-2.0
 *
 * https://www.w3.org/TR/trace-context/, "traceparent Header". What follows the
 * flags in a version to come is left away.
 */
#include "common/app/trace.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Where the parts begin, and how long they are. */
enum {
    TRACE_AT = 3,
    TRACE_DIGITS = 32,
    SPAN_AT = TRACE_AT + TRACE_DIGITS + 1,
    SPAN_DIGITS = 16,
    FLAGS_AT = SPAN_AT + SPAN_DIGITS + 1,
};

static bool is_hex(const char *text, size_t n)
{
    return strspn(text, "0123456789abcdef") >= n;
}

/* Neither id may be nothing but zeros. */
static bool is_id(const char *text, size_t n)
{
    return is_hex(text, n) && strspn(text, "0") < n;
}

static bool is_shaped(const char *header)
{
    size_t len = strlen(header);
    if (len < LIMIT_TRACE || header[TRACE_AT - 1] != '-' ||
        header[SPAN_AT - 1] != '-' || header[FLAGS_AT - 1] != '-')
        return false;
    if (strncmp(header, "00-", 3) == 0)
        return len == LIMIT_TRACE;
    return strncmp(header, "ff-", 3) != 0 &&
           (len == LIMIT_TRACE || header[LIMIT_TRACE] == '-');
}

bool trace_read(const char *header, char ret[TRACE_SIZE])
{
    ret[0] = '\0';
    if (!header || !is_shaped(header) || !is_hex(header, 2) ||
        !is_id(header + TRACE_AT, TRACE_DIGITS) ||
        !is_id(header + SPAN_AT, SPAN_DIGITS) || !is_hex(header + FLAGS_AT, 2))
        return false;
    bool sampled = strtoul(header + FLAGS_AT + 1, NULL, 16) & 1;
    snprintf(ret, TRACE_SIZE, "00-%.*s-%.*s-%s", TRACE_DIGITS,
             header + TRACE_AT, SPAN_DIGITS, header + SPAN_AT,
             sampled ? "01" : "00");
    return true;
}

bool trace_child(const char *parent, char ret[TRACE_SIZE])
{
    uint64_t span = 0;
    char text[SPAN_DIGITS + 1];
    if (!trace_read(parent, ret))
        return false;
    while (span == 0)
        if (getrandom(&span, sizeof span, 0) != sizeof span)
            abort(); /* a kernel without random numbers */
    snprintf(text, sizeof text, "%016" PRIx64, span);
    memcpy(ret + SPAN_AT, text, SPAN_DIGITS);
    return true;
}

const char *trace_words(const char *trace, char ret[TRACE_WORDS])
{
    ret[0] = '\0';
    if (trace && trace[0] != '\0')
        snprintf(ret, TRACE_WORDS, " trace=%.*s span=%.*s", TRACE_DIGITS,
                 trace + TRACE_AT, SPAN_DIGITS, trace + SPAN_AT);
    return ret;
}
