/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of a body in chunks (RFC 9112, 7.1), as far as one has come.
 * libmicrohttpd reads the same bytes later, takes bare line feeds for line
 * ends, and answers what it cannot read in HTML. Decodes nothing.
 */
#include "common/http/httpd_parts.h"

#include <string.h>

#include "common/limits.h"

#define DIGITS_MAX   8
#define TRAILERS_MAX 4096

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits) % 16;
}

/* Reads "size[;extension]" without its line end; -1: it is none. */
static long read_size(const char *at, size_t n)
{
    long size = 0;
    size_t digits = 0;
    for (; digits < n && hex_digit(at[digits]) >= 0; digits++) {
        if (digits == DIGITS_MAX)
            return -1;
        size = size * 16 + hex_digit(at[digits]);
    }
    bool whole = digits == n || at[digits] == ';';
    return digits == 0 || !whole ? -1 : size;
}

/* What may follow the last chunk: headers nobody reads, and an empty line. */
static bool trailers_fit(const char *at, size_t n)
{
    bool none = n >= 2 && at[0] == '\r' && at[1] == '\n';
    return none || n <= TRAILERS_MAX || head_end(at, TRAILERS_MAX) > 0;
}

/* Looks at the chunk that begins at *at, and passes it. Returns false for one
 * that is none; *at is NULL when no more has come, or all is over. */
static bool chunk_pass(const char **at, const char *end)
{
    const char *start = *at;
    size_t left = (size_t)(end - start);
    const char *newline = memchr(start, '\n', left);
    *at = NULL;
    if (newline == NULL)
        return left <= CHUNK_LINE_MAX;
    if (newline == start || newline[-1] != '\r' ||
        newline - start > CHUNK_LINE_MAX)
        return false;
    long size = read_size(start, (size_t)(newline - 1 - start));
    size_t rest = (size_t)(end - newline - 1);
    if (size == 0)
        return trailers_fit(newline + 1, rest);
    if (size < 0 || (size_t)size >= rest)
        return size > 0;
    const char *after = newline + 1 + size;
    *at = end - after >= 2 ? after + 2 : NULL;
    return after[0] == '\r' && (end - after < 2 || after[1] == '\n');
}

const char *chunks_fault(const char *bytes, size_t n)
{
    const char *at = bytes, *end = bytes + n;
    while (at != NULL && at < end)
        if (!chunk_pass(&at, end))
            return CHUNKS_BROKEN;
    return NULL;
}
