/* SPDX-License-Identifier: Apache-2.0
 *
 * Small readers, one a header. None changes or keeps its text.
 */
#include "broker/people/headers.h"

#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* Reads digits up to most, staying there where there are more. */
static bool read_digits(const char **at, uint64_t most, uint64_t *ret)
{
    uint64_t value = 0;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        uint64_t digit = (uint64_t)(**at - '0');
        value = value > (most - digit) / 10 ? most : value * 10 + digit;
    }
    *ret = value;
    return true;
}

/* Reads wait=SECONDS at the beginning of text, quoted or not. */
static bool read_wait(const char *text, uint64_t *ret_seconds)
{
    if (strncasecmp(text, "wait", 4) != 0)
        return false;
    text = skip_blanks(text + 4);
    if (*text++ != '=')
        return false;
    text = skip_blanks(text);
    text += *text == '"';
    return read_digits(&text, LIMIT_WAIT_MS / 1000, ret_seconds);
}

int64_t headers_wait_ms(const char *prefer)
{
    uint64_t seconds;
    for (; prefer; prefer = strpbrk(prefer, ",;")) {
        prefer = skip_blanks(prefer + strspn(prefer, ",;"));
        if (read_wait(prefer, &seconds))
            return (int64_t)seconds * 1000;
    }
    return -1;
}

static struct headers_part part_from(uint64_t first, uint64_t last,
                                     uint64_t size)
{
    if (first >= size)
        return (struct headers_part){0};
    return (struct headers_part){first,
                                 (last < size ? last + 1 : size) - first};
}

bool headers_range(const char *range, uint64_t size, struct headers_part *ret)
{
    uint64_t first = 0, last = UINT64_MAX;
    if (!range || strncasecmp(range, "bytes=", 6) != 0)
        return false;
    range += 6;
    bool has_first = read_digits(&range, UINT64_MAX, &first);
    if (*range++ != '-')
        return false;
    bool has_last = read_digits(&range, UINT64_MAX, &last);
    if (*range || !(has_first || has_last) || (has_first && last < first))
        return false;
    if (has_first)
        *ret = part_from(first, last, size);
    else /* the last so many bytes */
        *ret = part_from(last < size ? size - last : 0, UINT64_MAX, size);
    return true;
}

/* Whether the quoted tag at `at` is tag; *ret_next is what follows it. */
static bool is_tag(const char *at, const char *tag, const char **ret_next)
{
    const char *end = strchr(at + 1, '"');
    *ret_next = end ? end + 1 : at + strlen(at);
    return end && strlen(tag) == (size_t)(end - at - 1) &&
           memcmp(at + 1, tag, strlen(tag)) == 0;
}

bool headers_has_tag(const char *list, const char *tag)
{
    if (!list)
        return false;
    if (*skip_blanks(list) == '*')
        return true;
    for (const char *at = strchr(list, '"'); at; at = strchr(at, '"'))
        if (is_tag(at, tag, &at))
            return true;
    return false;
}

bool headers_key(const char *value, char ret[LIMIT_KEY + 1])
{
    size_t len = strlen(value);
    if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
        value++;
        len -= 2;
    }
    if (len == 0 || len > LIMIT_KEY)
        return false;
    for (size_t i = 0; i < len; i++)
        if (value[i] < '!' || value[i] > '~')
            return false;
    memcpy(ret, value, len);
    ret[len] = '\0';
    return true;
}

bool headers_event(const char *value, uint64_t *ret_epoch, uint64_t *ret_seq)
{
    uint64_t epoch, seq;
    if (!read_digits(&value, UINT64_MAX, &epoch) || *value++ != ':' ||
        !read_digits(&value, UINT64_MAX, &seq) || *value != '\0')
        return false;
    *ret_epoch = epoch;
    *ret_seq = seq;
    return true;
}
