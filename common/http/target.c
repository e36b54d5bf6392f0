/* SPDX-License-Identifier: Apache-2.0
 *
 * A request target (RFC 9112, 3.2). libmicrohttpd's own decoding would end a
 * text silently at %00 and take the first of two parameters of one name; here
 * nothing is repaired, only refused.
 */
#include "common/http/httpd_parts.h"

#include <string.h>
#include <strings.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/text.h"

/* Skips the scheme and host of the form that is sent to proxies. */
static const char *skip_origin(const char *target)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (int i = 0; i < 2; i++)
        if (strncasecmp(target, schemes[i], strlen(schemes[i])) == 0) {
            target += strlen(schemes[i]);
            return target + strcspn(target, "/?");
        }
    return target;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits) % 16;
}

/* The byte that a % escape at text stands for; -1 when it is none. */
static int escaped_byte(const char *text)
{
    int high = hex_digit(text[1]);
    int low = high < 0 ? -1 : hex_digit(text[2]);
    return low < 0 ? -1 : high * 16 + low;
}

/* Decodes up to end into ret, which is NUL-terminated. Returns the length, or
 * -1 for a broken escape. */
static int decode(const char *at, const char *end, bool plus, char *ret)
{
    int len = 0;
    for (; at < end; at++) {
        int byte = *at == '%' ? escaped_byte(at) : *at;
        if (*at == '%' && byte < 0)
            return -1;
        at += *at == '%' ? 2 : 0;
        ret[len++] = (char)(plus && byte == '+' ? ' ' : byte);
    }
    ret[len] = '\0';
    return len;
}

/* One "name=value" or "name". Its decoded name is in scratch afterwards. */
static const char *parameter(const char *at, const char *end, char *scratch)
{
    const char *equals = memchr(at, '=', (size_t)(end - at));
    int len = decode(at, end, true, scratch);
    if (len < 0)
        return "broken % escape in the query";
    if (!text_is_plain(scratch, (size_t)len))
        return "control character or broken UTF-8 in the query";
    decode(at, equals == NULL ? end : equals, true, scratch);
    return NULL;
}

/* Looks at the parameters of a query; scratch has room for all of them. */
static const char *check_query(const char *query, char *scratch)
{
    const char *names[LIMIT_HEADERS];
    int n = 0;
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        if (len == 0) { /* && says nothing */
            query++;
            continue;
        }
        const char *fault = parameter(query, query + len, scratch);
        for (int i = 0; i < n && fault == NULL; i++)
            if (strcmp(names[i], scratch) == 0)
                fault = "a parameter of the query is given twice";
        if (fault == NULL && n == LIMIT_HEADERS)
            fault = "too many parameters in the query";
        if (fault != NULL)
            return fault;
        names[n++] = scratch;
        scratch += strlen(scratch) + 1;
        query += len + (query[len] == '&');
    }
    return NULL;
}

const char *target_path(const char *target, char *path)
{
    const char *start = skip_origin(target);
    size_t n = strcspn(start, "?");
    const char *query = start[n] == '?' ? start + n + 1 : "";
    char *scratch = mem_new(strlen(query) + 2);
    const char *fault = check_query(query, scratch);
    mem_free(scratch);
    int len = decode(start, start + n, false, path);
    if (len < 0)
        return "broken % escape in the path";
    if (!text_is_plain(path, (size_t)len))
        return "control character or broken UTF-8 in the path";
    if (len == 0)
        memcpy(path, "/", 2);
    return fault;
}
