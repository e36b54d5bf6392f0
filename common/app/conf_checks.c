/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks of settings: each reads text and says what is wrong with it.
 * None looks anything up.
 */
#include "common/app/conf.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define COUNT_MAX     INT32_MAX
#define GIGABYTES_MAX 1000000
#define SECONDS_MAX   1000000000
#define HOST_MAX      255 /* DNS */
#define SHOWN_SIZE    64

const char *conf_reason(const char *format, ...)
{
    /* One reason at a time is all that is ever needed; threads apart. */
    static _Thread_local char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return reason;
}

static const char *must_be(const char *what, const char *value)
{
    char shown[SHOWN_SIZE];
    text_excerpt(value, strlen(value), shown, sizeof shown);
    return conf_reason("must be %s, not `%s`", what, shown);
}

/* Reads the digits at text as far as they go; -1 when there are none or they
 * pass most. */
static int64_t read_number(const char *text, int64_t most, const char **ret_end)
{
    int64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && value <= most; at++)
        value = value * 10 + (*at - '0');
    *ret_end = at;
    return at == text || value > most ? -1 : value;
}

static bool is_number(const char *text, int64_t least, int64_t most)
{
    const char *end;
    return read_number(text, most, &end) >= least && *end == '\0';
}

const char *conf_is_count(const char *value)
{
    if (is_number(value, 1, COUNT_MAX))
        return NULL;
    return must_be("a whole number from 1 on", value);
}

const char *conf_is_count0(const char *value)
{
    if (is_number(value, 0, COUNT_MAX))
        return NULL;
    return must_be("a whole number", value);
}

const char *conf_is_auto_count(const char *value)
{
    if (strcmp(value, "auto") == 0 || conf_is_count(value) == NULL)
        return NULL;
    return must_be("auto or a whole number from 1 on", value);
}

/* Digits with at most one point among them: no sign, exponent, inf or nan. */
static bool is_decimal(const char *value)
{
    size_t whole = strspn(value, "0123456789");
    const char *point = value + whole;
    size_t part = *point == '.' ? strspn(point + 1, "0123456789") : 0;
    const char *end = *point == '.' ? point + 1 + part : point;
    return whole + part > 0 && *end == '\0';
}

const char *conf_is_seconds(const char *value)
{
    double seconds = is_decimal(value) ? strtod(value, NULL) : 0;
    if (seconds > 0 && seconds <= SECONDS_MAX)
        return NULL;
    return must_be("seconds, more than 0", value);
}

const char *conf_is_auto_seconds(const char *value)
{
    if (strcmp(value, "auto") == 0 || conf_is_seconds(value) == NULL)
        return NULL;
    return must_be("auto or seconds, more than 0", value);
}

const char *conf_is_gigabytes(const char *value)
{
    double gigabytes = is_decimal(value) ? strtod(value, NULL) : 0;
    if (gigabytes > 0 && gigabytes <= GIGABYTES_MAX)
        return NULL;
    return must_be("gigabytes, more than 0", value);
}

/* The end of the host at text, past its brackets; NULL when there is none. */
static const char *host_end(const char *text)
{
    if (*text == '[') {
        const char *end = strchr(text, ']');
        return end == NULL || end == text + 1 ? NULL : end + 1;
    }
    const char *end = text + strcspn(text, ":/ []");
    return end == text ? NULL : end;
}

/* A host is a name, an IPv4 address, or an IPv6 address in brackets. */
static bool host_is_valid(const char *text, const char *end)
{
    char host[HOST_MAX + 1];
    struct in6_addr address;
    if (end == NULL || end - text > HOST_MAX)
        return false;
    snprintf(host, sizeof host, "%.*s", (int)(end - text), text);
    if (*host != '[')
        return host[strcspn(host, "?#@%\"'\\")] == '\0';
    host[strlen(host) - 1] = '\0';
    return inet_pton(AF_INET6, host + 1, &address) == 1;
}

const char *conf_is_address(const char *value)
{
    const char *end = host_end(value);
    if (host_is_valid(value, end) && *end == ':' &&
        is_number(end + 1, 0, UINT16_MAX))
        return NULL;
    return must_be("HOST:PORT such as 127.0.0.1:4000 or [::1]:4000", value);
}

int conf_address(const char *value, char *host, size_t size)
{
    assert(conf_is_address(value) == NULL);
    const char *end = host_end(value), *port;
    bool brackets = *value == '[';
    int len = (int)(end - value) - (brackets ? 2 : 0);
    int n = snprintf(host, size, "%.*s", len, value + (brackets ? 1 : 0));
    assert(n > 0 && (size_t)n < size);
    return (int)read_number(end + 1, UINT16_MAX, &port);
}

static const char *skip_scheme(const char *url)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (int i = 0; i < 2; i++)
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            return url + strlen(schemes[i]);
    return NULL;
}

const char *conf_is_url(const char *value)
{
    const char *host = skip_scheme(value);
    const char *end = host == NULL ? NULL : host_end(host);
    bool ok = end != NULL && host_is_valid(host, end);
    if (ok && *end == ':')
        ok = read_number(end + 1, UINT16_MAX, &end) > 0;
    if (ok && (strcmp(end, "") == 0 || strcmp(end, "/") == 0))
        return NULL;
    return must_be("http://HOST:PORT or https://HOST:PORT", value);
}

const char *conf_is_token(const char *value)
{
    for (const char *at = value; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~')
            return "must be a secret as `frameq token add` prints it";
    return NULL;
}

const char *conf_choice(const char *value, const char *const *words)
{
    char all[256], reason[384];
    size_t n = 0;
    for (; words[n] != NULL; n++)
        if (strcmp(words[n], value) == 0)
            return NULL;
    const char *why = must_be(text_choice(words, all, sizeof all), value);
    const char *nearest = conf_nearest(value, words, n);
    if (nearest == NULL)
        return why;
    snprintf(reason, sizeof reason, "%s", why);
    return conf_reason("%s (did you mean %s?)", reason, nearest);
}
