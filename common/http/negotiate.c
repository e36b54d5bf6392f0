/* SPDX-License-Identifier: Apache-2.0
 *
 * Accept (RFC 9110, 12.5.1) and Content-Type, as far as text or JSON goes. A
 * header that breaks the grammar is as good as none.
 */
#include "common/http/negotiate.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* A piece of a header. */
struct slice {
    const char *at;
    size_t len;
};

static bool slice_is(struct slice slice, const char *word)
{
    return slice.len == strlen(word) &&
           strncasecmp(slice.at, word, slice.len) == 0;
}

static bool slice_ends(struct slice slice, const char *word)
{
    size_t len = strlen(word);
    return slice.len > len &&
           strncasecmp(slice.at + slice.len - len, word, len) == 0;
}

static void skip_blanks(const char **at)
{
    *at += strspn(*at, BLANKS);
}

static bool skip_char(const char **at, char c)
{
    if (**at != c)
        return false;
    ++*at;
    return true;
}

static bool read_token(const char **at, struct slice *ret)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    *ret = (struct slice){*at, strspn(*at, token)};
    *at += ret->len;
    return ret->len > 0;
}

/* Reads type "/" subtype as one slice. */
static bool read_type(const char **at, struct slice *ret)
{
    struct slice type, subtype;
    if (!read_token(at, &type) || !skip_char(at, '/') ||
        !read_token(at, &subtype))
        return false;
    *ret = (struct slice){type.at, type.len + 1 + subtype.len};
    return true;
}

static bool read_quoted(const char **at, struct slice *ret)
{
    if (!skip_char(at, '"'))
        return false;
    ret->at = *at;
    for (; **at != '"'; ++*at)
        if (**at == '\0' || (**at == '\\' && *++*at == '\0'))
            return false;
    ret->len = (size_t)(*at - ret->at);
    ++*at;
    return true;
}

/* Reads a weight, 0 to 1 with at most three decimals, in thousandths. */
static bool read_weight(struct slice value, int *ret)
{
    const char *at = value.at, *end = at + value.len;
    if (at == end || (*at != '0' && *at != '1'))
        return false;
    int weight = (*at++ - '0') * 1000;
    if (at < end && *at++ != '.')
        return false;
    if (end - at > 3)
        return false;
    for (int unit = 100; at < end; at++, unit /= 10) {
        if (*at < '0' || *at > '9')
            return false;
        weight += (*at - '0') * unit;
    }
    *ret = weight;
    return weight <= 1000;
}

/* Reads ";name=value" pieces; only q means anything here. */
static bool read_parameters(const char **at, int *ret_weight)
{
    struct slice name, value;
    for (;;) {
        skip_blanks(at);
        if (!skip_char(at, ';'))
            return true;
        skip_blanks(at);
        if (!read_token(at, &name))
            continue; /* an empty parameter is allowed */
        if (!skip_char(at, '='))
            return false;
        if (!read_token(at, &value) && !read_quoted(at, &value))
            return false;
        if (slice_is(name, "q") && !read_weight(value, ret_weight))
            return false;
    }
}

/* What a header grants one type: the most specific range that names it. */
struct grant {
    const char *type, *family;
    int specific; /* 0: none yet, 1: all types, 2: its family, 3: itself */
    int weight;
};

static void grant_meet(struct grant *grant, struct slice range, int weight)
{
    int specific = slice_is(range, grant->type)     ? 3
                   : slice_is(range, grant->family) ? 2
                   : slice_is(range, "*/*")         ? 1
                                                    : 0;
    bool better = specific == grant->specific && weight > grant->weight;
    if (specific > grant->specific || (specific > 0 && better)) {
        grant->specific = specific;
        grant->weight = weight;
    }
}

static bool read_ranges(const char *at, struct grant *grants, int n)
{
    struct slice range;
    for (;;) {
        int weight = 1000;
        at += strspn(at, BLANKS ","); /* empty elements are allowed */
        if (*at == '\0')
            return true;
        if (!read_type(&at, &range) || !read_parameters(&at, &weight))
            return false;
        for (int i = 0; i < n; i++)
            grant_meet(&grants[i], range, weight);
        if (*at != '\0' && *at != ',')
            return false;
    }
}

bool accept_json(const char *accept)
{
    struct grant grants[] = {
        {"text/plain", "text/*", 0, 0},
        {"application/json", "application/*", 0, 0},
        {"application/problem+json", "application/*", 0, 0},
    };
    if (accept == NULL || !read_ranges(accept, grants, 3))
        return false;
    return grants[1].weight > grants[0].weight ||
           grants[2].weight > grants[0].weight;
}

bool accept_openmetrics(const char *accept)
{
    struct grant grants[] = {
        {"text/plain", "text/*", 0, 0},
        {"application/openmetrics-text", "application/*", 0, 0},
    };
    if (accept == NULL || !read_ranges(accept, grants, 2))
        return false;
    return grants[1].weight > grants[0].weight;
}

bool content_is_json(const char *content_type, bool has_origin)
{
    struct slice type;
    const char *at = content_type;
    int weight = 0; /* has no meaning here */
    if (at == NULL || *at == '\0')
        return true;
    skip_blanks(&at);
    if (!read_type(&at, &type) || !read_parameters(&at, &weight) || *at != '\0')
        return false;
    if (slice_is(type, "application/x-www-form-urlencoded"))
        return !has_origin;
    return slice_is(type, "application/json") || slice_ends(type, "+json");
}
