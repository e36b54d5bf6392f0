/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads of requests: what is taken, and what each refusal is for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/http/head.h"
#include "common/limits.h"
#include "common/mem.h"

#define GET  "GET / HTTP/1.1\r\nHost: x\r\n"
#define POST "POST / HTTP/1.1\r\nHost: x\r\n"

static struct head read_head(const char *text, size_t n)
{
    struct head head = {0};
    size_t len = head_end(text, n);
    assert_int_equal(len, n);
    head_read(text, n, &head);
    return head;
}

static void assert_rc(const char *text, size_t n, enum rc rc)
{
    struct head head = read_head(text, n);
    if (head.rc != rc)
        fail_msg("%d `%s` instead of %d: %s", (int)head.rc, head.why, (int)rc,
                 text);
    assert_int_equal(*head.why == '\0', rc == RC_OK);
}

static void test_taken(void **state)
{
    (void)state;
    static const char *const heads[] = {
        GET "\r\n",
        "\r\n\r\n" GET "\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "BREW http://x/a?b HTTP/1.1\r\nhost:x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
        GET "A:\r\nB: \t b c\td\t \r\nC: \xff\xfe\r\n\r\n",
        GET "A: 1\r\nA: 2\r\n\r\n",
        POST "Content-Length: 0\r\n\r\n",
        POST "content-LENGTH:\t999999999999999999 \r\n\r\n",
        POST "Transfer-Encoding: CHUNKED\r\n\r\n",
        POST "Content-Encoding: identity\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        assert_rc(heads[i], strlen(heads[i]), RC_OK);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        enum rc rc;
    } rows[] = {
        {"GET /\r\n\r\n", RC_INVALID},
        {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", RC_INVALID},
        {"GET /  HTTP/1.1\r\nHost: x\r\n\r\n", RC_INVALID},
        {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", RC_INVALID},
        {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", RC_INVALID},
        {"GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n", RC_INVALID},
        {"GET /a\x7f HTTP/1.1\r\nHost: x\r\n\r\n", RC_INVALID},
        {"GET / http/1.1\r\nHost: x\r\n\r\n", RC_INVALID},
        {"GET / HTTP/1.10\r\nHost: x\r\n\r\n", RC_INVALID},
        {"GET / HTTP/1.2\r\nHost: x\r\n\r\n", RC_VERSION},
        {"PRI * HTTP/2.0\r\n\r\n", RC_VERSION},
        {" GET / HTTP/1.1\r\nHost: x\r\n\r\n", RC_INVALID},
        {"GE(T / HTTP/1.1\r\nHost: x\r\n\r\n", RC_INVALID},
        {"GET / HTTP/1.1\nHost: x\r\n\r\n", RC_INVALID},
        {"GET / HTTP/1.1\r\nHost: x\n\r\n", RC_INVALID},
        {"GET / HTTP/1.1\r\nHost: x\r\n\n", RC_INVALID},
        {"GET / HTTP/1.1\nHost: x\n\n", RC_INVALID},
        {GET "A: b\rC: d\r\n\r\n", RC_INVALID},
        {GET "A: b\r\n c\r\n\r\n", RC_INVALID},
        {"GET / HTTP/1.1\r\n Host: x\r\nHost: x\r\n\r\n", RC_INVALID},
        {GET "A : b\r\n\r\n", RC_INVALID},
        {GET ": b\r\n\r\n", RC_INVALID},
        {GET "A\r\n\r\n", RC_INVALID},
        {GET "A: \x01\r\n\r\n", RC_INVALID},
        {GET "A: \x7f\r\n\r\n", RC_INVALID},
        {GET "\xc3\xa4: b\r\n\r\n", RC_INVALID},
        {"GET / HTTP/1.1\r\nA: b\r\n\r\n", RC_INVALID},
        {GET "host: y\r\n\r\n", RC_INVALID},
        {POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", RC_INVALID},
        {POST "Content-Length: 1, 1\r\n\r\n", RC_INVALID},
        {POST "Content-Length: -1\r\n\r\n", RC_INVALID},
        {POST "Content-Length: +1\r\n\r\n", RC_INVALID},
        {POST "Content-Length: 0x1\r\n\r\n", RC_INVALID},
        {POST "Content-Length: 1 2\r\n\r\n", RC_INVALID},
        {POST "Content-Length:\r\n\r\n", RC_INVALID},
        {POST "Content-Length: 1000000000000000000\r\n\r\n", RC_TOO_LARGE},
        {POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         RC_INVALID},
        {POST "Transfer-Encoding: gzip, chunked\r\n\r\n", RC_INVALID},
        {POST "Transfer-Encoding: \x0b"
              "chunked\r\n\r\n",
         RC_INVALID},
        {POST
         "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         RC_INVALID},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", RC_INVALID},
        {POST "Content-Encoding: gzip\r\n\r\n", RC_MEDIA_TYPE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_rc(rows[i].head, strlen(rows[i].head), rows[i].rc);
    static const char nul[] = GET "A: b\0c\r\n\r\n";
    assert_rc(nul, sizeof nul - 1, RC_INVALID);
}

static void test_what_is_kept(void **state)
{
    (void)state;
    static const char text[] = "PUT /v1/x HTTP/1.0\r\nAccept: text/html\r\n"
                               "Content-Length: 042\r\nBad\r\n"
                               "Accept: a/b\r\n\r\n";
    struct head head = read_head(text, strlen(text));
    assert_int_equal(head.rc, RC_INVALID);
    assert_string_equal(head.why, "a header without a colon");
    assert_string_equal(head.target, "/v1/x");
    assert_string_equal(head.accept, "text/html, a/b");
    assert_true(head.old && head.has_length && !head.chunked);
    assert_int_equal(head.length, 42);
}

/* A head with n headers (Host is one) and a target of that length. */
static char *head_of(int n, size_t target)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_print(&text, "GET /");
    for (size_t i = 1; i < target; i++)
        buf_print(&text, "a");
    buf_print(&text, " HTTP/1.1\r\nHost: x\r\n");
    for (int i = 1; i < n; i++)
        buf_print(&text, "A: b\r\n");
    buf_print(&text, "\r\n");
    return buf_take(&text);
}

static void test_limits(void **state)
{
    (void)state;
    static const struct {
        size_t target;
        int headers;
        enum rc rc;
    } rows[] = {
        {1, LIMIT_HEADERS, RC_OK},
        {1, LIMIT_HEADERS + 1, RC_HEADERS},
        {LIMIT_TARGET, 1, RC_OK},
        {LIMIT_TARGET + 1, 1, RC_TARGET},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = head_of(rows[i].headers, rows[i].target);
        assert_rc(text, strlen(text), rows[i].rc);
        mem_free(text);
    }
}

/* Cookies and parameters count like headers. */
static void test_many_small_things(void **state)
{
    (void)state;
    char cookies[3 * LIMIT_HEADERS] = "", query[2 * LIMIT_HEADERS + 1] = "";
    char text[sizeof cookies + sizeof query + 100];
    for (int extra = 0; extra < 2; extra++) {
        int most = LIMIT_HEADERS - 2 + extra; /* beside Host and Cookie */
        for (int i = 0; i < most; i++)
            memcpy(cookies + 2 * i, "a;", 3);
        snprintf(text, sizeof text, GET "Cookie: %s\r\n\r\n", cookies);
        assert_rc(text, strlen(text), extra ? RC_HEADERS : RC_OK);
        for (int i = 0; i < LIMIT_HEADERS - 1 + extra; i++)
            memcpy(query + 2 * i, "a&", 3);
        snprintf(text, sizeof text, "GET /?%s HTTP/1.1\r\nHost: x\r\n\r\n",
                 query);
        assert_rc(text, strlen(text), extra ? RC_INVALID : RC_OK);
    }
}

static void test_overflow(void **state)
{
    (void)state;
    struct head line = {0}, headers = {0};
    head_overflow("GET /aaa", 8, &line);
    assert_int_equal(line.rc, RC_TARGET);
    head_overflow("GET / HTTP/1.1\r\nA", 17, &headers);
    assert_int_equal(headers.rc, RC_HEADERS);
}

/* Byte by byte nothing is refused too early, and the end is found. */
static void test_in_pieces(void **state)
{
    (void)state;
    static const char text[] = "\r\nDELETE /a HTTP/1.1\r\nHost: x\r\n\r\n";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        struct head head = {0};
        assert_int_equal(head_end(text, n), 0);
        assert_true(head_starts(text, n, &head));
    }
    assert_int_equal(head_end(text, sizeof text - 1), sizeof text - 1);
}

static void test_what_is_no_request(void **state)
{
    (void)state;
    static const char *const starts[] = {
        "\x16\x03\x01",      "\xff", "GET\t/", "{\"from\":1}",
        "AAAAAAAAAAAAAAAAA", "\n",   " G",     "G\r"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct head head = {0};
        assert_false(head_starts(starts[i], strlen(starts[i]), &head));
        assert_int_equal(head.rc, RC_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_what_is_kept),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_many_small_things),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_in_pieces),
        cmocka_unit_test(test_what_is_no_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
