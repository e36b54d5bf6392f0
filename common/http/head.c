/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines end in CRLF, header names in a colon; nothing is folded, trimmed or
 * repaired. The first fault counts, but the rest is read on, as Accept tells
 * how the answer is to look.
 */
#include "common/http/head.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/limits.h"

#define METHOD_MAX 16
#define LENGTH_MAX 18 /* digits: as many as any number of bytes needs */
#define TLS_HELLO  0x16

static void fault(struct head *head, enum rc rc, const char *why)
{
    if (head->rc != RC_OK)
        return;
    head->rc = rc;
    snprintf(head->why, sizeof head->why, "%s", why);
}

static bool is_token(char c)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return c != '\0' && strchr(token, c) != NULL;
}

static size_t token_len(const char *at, size_t n)
{
    size_t len = 0;
    while (len < n && is_token(at[len]))
        len++;
    return len;
}

static bool text_is(struct head_text text, const char *word)
{
    return text.len == strlen(word) &&
           strncasecmp(text.at, word, text.len) == 0;
}

/* Copies what fits; a text that does not is as good as none. */
static void keep(char ret[HEAD_SHOWN_MAX], struct head_text text)
{
    size_t len = text.len < HEAD_SHOWN_MAX ? text.len : 0;
    memcpy(ret, text.at, len);
    ret[len] = '\0';
}

/* Empty lines before a request are passed over, as RFC 9112 (2.2) asks for. */
static size_t skip_empty(const char *bytes, size_t n)
{
    size_t at = 0;
    while (at + 1 < n && bytes[at] == '\r' && bytes[at + 1] == '\n')
        at += 2;
    return at;
}

bool head_starts(const char *bytes, size_t n, struct head *ret)
{
    size_t at = skip_empty(bytes, n);
    size_t left = n - at, len = token_len(bytes + at, left);
    bool cr = left == 1 && bytes[at] == '\r';
    if (left > 0 && bytes[at] == TLS_HELLO)
        fault(ret, RC_INVALID, "this port speaks http, not https");
    else if (len > METHOD_MAX ||
             (len < left && !cr && (len == 0 || bytes[at + len] != ' ')))
        fault(ret, RC_INVALID, "not an HTTP request");
    return ret->rc == RC_OK;
}

size_t head_end(const char *bytes, size_t n)
{
    const char *end = bytes + n, *at = bytes + skip_empty(bytes, n);
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (at < end && *at == '\n')
            return (size_t)(at + 1 - bytes);
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
            return (size_t)(at + 2 - bytes);
    }
    return 0;
}

void head_overflow(const char *bytes, size_t n, struct head *ret)
{
    char why[64];
    if (memchr(bytes, '\n', n) == NULL) {
        snprintf(why, sizeof why, "at most %d bytes are taken", LIMIT_TARGET);
        fault(ret, RC_TARGET, why);
        return;
    }
    snprintf(why, sizeof why, "at most %d bytes of headers are taken",
             LIMIT_HEAD);
    fault(ret, RC_HEADERS, why);
}

/* -- Headers --------------------------------------------------------------- */

static void fault_in(struct head *head, enum rc rc, const char *name,
                     const char *why)
{
    char text[sizeof head->why];
    snprintf(text, sizeof text, "header `%s`: %s", name, why);
    fault(head, rc, text);
}

static void add_host(struct head *head, struct head_text value)
{
    (void)value;
    if (head->hosts++ > 0)
        fault_in(head, RC_INVALID, "Host", "more than one");
}

static void add_length(struct head *head, struct head_text value)
{
    if (head->has_length)
        fault_in(head, RC_INVALID, "Content-Length", "more than one");
    head->has_length = true;
    size_t digits = 0;
    while (digits < value.len && value.at[digits] >= '0' &&
           value.at[digits] <= '9')
        digits++;
    if (digits == 0 || digits < value.len)
        fault_in(head, RC_INVALID, "Content-Length", "not a number of bytes");
    else if (digits > LENGTH_MAX)
        fault_in(head, RC_TOO_LARGE, "Content-Length", "more than is taken");
    for (size_t i = 0; i < digits && digits <= LENGTH_MAX; i++)
        head->length = head->length * 10 + (unsigned)(value.at[i] - '0');
}

static void add_encoding(struct head *head, struct head_text value)
{
    head->encodings++;
    head->chunked = text_is(value, "chunked");
    if (!head->chunked || head->encodings > 1)
        fault_in(head, RC_INVALID, "Transfer-Encoding",
                 "something else than chunked");
}

static void add_content(struct head *head, struct head_text value)
{
    if (!text_is(value, "identity"))
        fault_in(head, RC_MEDIA_TYPE, "Content-Encoding",
                 "send the body as it is, not compressed");
}

static void add_accept(struct head *head, struct head_text value)
{
    size_t len = strlen(head->accept), more = len > 0 ? 2 : 0;
    if (len + more + value.len < HEAD_SHOWN_MAX)
        snprintf(head->accept + len, HEAD_SHOWN_MAX - len, "%s%.*s",
                 more > 0 ? ", " : "", (int)value.len, value.at);
}

static void add_cookie(struct head *head, struct head_text value)
{
    for (size_t i = 0; i < value.len; i++)
        head->headers += value.at[i] == ';';
}

static bool value_is_plain(struct head_text value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

void head_add(struct head *head, struct head_text name, struct head_text value)
{
    static const struct {
        const char *name;
        void (*add)(struct head *head, struct head_text value);
    } known[] = {
        {"Host", add_host},
        {"Content-Length", add_length},
        {"Transfer-Encoding", add_encoding},
        {"Content-Encoding", add_content},
        {"Accept", add_accept},
        {"Cookie", add_cookie},
    };
    if (name.len == 0 || token_len(name.at, name.len) < name.len)
        fault(head, RC_INVALID, "a header whose name is none");
    if (!value_is_plain(value))
        fault(head, RC_INVALID, "a header with a control character in it");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_is(name, known[i].name))
            known[i].add(head, value);
    if (++head->headers > LIMIT_HEADERS) {
        char why[64];
        snprintf(why, sizeof why, "at most %d headers are taken",
                 LIMIT_HEADERS);
        fault(head, RC_HEADERS, why);
    }
}

/* Two readings of where a body ends let one request hide in another. */
void head_finish(struct head *head)
{
    if (head->encodings > 0 && head->has_length)
        fault(head, RC_INVALID, "both Content-Length and Transfer-Encoding");
    if (head->encodings > 0 && head->old)
        fault_in(head, RC_INVALID, "Transfer-Encoding", "HTTP/1.0 has none");
    if (head->hosts == 0 && !head->old)
        fault_in(head, RC_INVALID, "Host", "missing");
}

/* -- Lines ----------------------------------------------------------------- */

/* Takes the next line of a whole head; the last one is empty. */
static struct head_text take_line(struct head *head, const char **at,
                                  const char *end)
{
    const char *start = *at;
    const char *newline = memchr(start, '\n', (size_t)(end - start));
    assert(newline != NULL);
    bool whole = newline > start && newline[-1] == '\r';
    if (!whole)
        fault(head, RC_INVALID, "a line that does not end in CRLF");
    *at = newline + 1;
    return (struct head_text){start, (size_t)(newline - whole - start)};
}

static struct head_text trimmed(struct head_text text)
{
    while (text.len > 0 && strchr(" \t", *text.at) != NULL && *text.at != '\0')
        text.at++, text.len--;
    while (text.len > 0 &&
           (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static void read_header(struct head *head, struct head_text line)
{
    const char *colon = memchr(line.at, ':', line.len);
    if (*line.at == ' ' || *line.at == '\t') {
        fault(head, RC_INVALID, "a header that goes on in a second line");
    } else if (colon == NULL) {
        fault(head, RC_INVALID, "a header without a colon");
    } else {
        size_t len = (size_t)(colon - line.at);
        head_add(head, (struct head_text){line.at, len},
                 trimmed((struct head_text){colon + 1, line.len - len - 1}));
    }
}

static void read_version(struct head *head, struct head_text version)
{
    bool http = version.len == 8 && memcmp(version.at, "HTTP/", 5) == 0;
    head->old = http && memcmp(version.at + 5, "1.0", 3) == 0;
    if (!http)
        fault(head, RC_INVALID, "the request line does not end in HTTP/1.1");
    else if (!head->old && memcmp(version.at + 5, "1.1", 3) != 0)
        fault(head, RC_VERSION, "HTTP/1.1 and HTTP/1.0 are spoken here");
}

static void check_target(struct head *head, struct head_text target)
{
    char why[64];
    snprintf(why, sizeof why, "at most %d bytes are taken", LIMIT_TARGET);
    if (target.len > LIMIT_TARGET)
        fault(head, RC_TARGET, why);
    if (target.len == 0 || !value_is_plain(target) ||
        memchr(target.at, '\t', target.len) != NULL)
        fault(head, RC_INVALID, "control character or none in the target");
    for (size_t i = 0, n = 0; i < target.len; i++)
        if (target.at[i] == '&' && ++n == LIMIT_HEADERS)
            fault(head, RC_INVALID, "too many parameters in the query");
    keep(head->target, target);
}

/* method SP target SP version, with nothing more between them. */
static void read_request_line(struct head *head, struct head_text line)
{
    const char *end = line.at + line.len;
    size_t method = token_len(line.at, line.len);
    const char *target = line.at + method + 1;
    const char *space =
        target < end ? memchr(target, ' ', (size_t)(end - target)) : NULL;
    if (method == 0 || method == line.len || line.at[method] != ' ' ||
        space == NULL) {
        fault(head, RC_INVALID, "the request line is not one");
        return;
    }
    check_target(head, (struct head_text){target, (size_t)(space - target)});
    read_version(head,
                 (struct head_text){space + 1, (size_t)(end - space - 1)});
}

void head_read(const char *bytes, size_t n, struct head *ret)
{
    const char *at = bytes + skip_empty(bytes, n), *end = bytes + n;
    if (n == 0 || !head_starts(bytes, n, ret))
        return;
    read_request_line(ret, take_line(ret, &at, end));
    for (;;) {
        struct head_text line = take_line(ret, &at, end);
        if (line.len == 0)
            break;
        read_header(ret, line);
    }
    head_finish(ret);
}
