/* SPDX-License-Identifier: Apache-2.0
 *
 * What the HTTP server refuses before any handler, and that the refusal
 * reaches a client that is still sending.
 */
#include "http_world.h"

#include "common/http/httpd_parts.h"

#define POST "POST /b HTTP/1.1\r\nHost: x\r\n"

/* One request on a connection of its own; the server closes it. */
static void refused(const char *request, const char *start, const char *end)
{
    struct buf in;
    buf_init(&in, 1 << 20);
    int fd = client_open(), handled = world.handled;
    client_send(fd, request);
    while (client_read(fd, &in) > 0)
        ;
    assert_starts(buf_text(&in), start);
    assert_ends(buf_text(&in), end);
    assert_non_null(strstr(buf_text(&in),
                           "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    assert_int_equal(world.handled, handled);
    buf_free(&in);
    close(fd);
}

static void test_ambiguous_framing(void **state)
{
    (void)state;
    refused(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "0\r\n\r\n",
            "HTTP/1.1 400 ",
            "\r\n\r\nInvalid input: both Content-Length and Transfer-Encoding");
    refused(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
                 "0\r\n\r\n",
            "HTTP/1.1 400 ",
            "\r\n\r\nInvalid input: both Content-Length and Transfer-Encoding");
    refused(POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 400 ",
            "\r\n\r\nInvalid input: header `Content-Length`: more than one");
    refused(POST "Transfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 400 ",
            "Invalid input: header `Transfer-Encoding`: something else than "
            "chunked");
    refused(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
            "HTTP/1.1 400 ",
            "Invalid input: header `Transfer-Encoding`: something else than "
            "chunked");
}

static void test_paths(void **state)
{
    (void)state;
    static const char control[] =
        "Invalid input: control character or broken UTF-8 in the path";
    refused(GET("/a%00b"), "HTTP/1.1 400 ", control);
    refused(GET("/a%1fb"), "HTTP/1.1 400 ", control);
    refused(GET("/a%7f"), "HTTP/1.1 400 ", control);
    refused(GET("/a%ff"), "HTTP/1.1 400 ", control);
    refused(GET("/a\x01"), "HTTP/1.1 400 ",
            "Invalid input: control character or none in the target");
    refused(GET("/a%4"), "HTTP/1.1 400 ",
            "Invalid input: broken % escape in the path");
    refused(GET("/a?b=%00"), "HTTP/1.1 400 ",
            "Invalid input: control character or broken UTF-8 in the query");
}

/* Which methods a path takes is the handler's business; only OPTIONS * asks
 * the server. */
static void test_methods(void **state)
{
    (void)state;
    int fd = client_open();
    exchange(fd, "BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200",
             "/pot");
    exchange(fd, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 204",
             "\r\n\r\n");
    assert_int_equal(world.handled, 1);
    close(fd);
}

/* Not only the first request of a connection is looked at. */
static void test_later_requests(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "GET /2 HTTP/1.1\nHost: x\n\n",
        "GET /2 HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
        "GET /2 HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n",
        "GET /2 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /2 HTTP/1.1\r\n\r\n",
        POST "Content-Length: 1, 1\r\n\r\na",
        POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct buf in;
        buf_init(&in, 10000);
        int fd = client_open();
        exchange(fd, GET("/1"), "HTTP/1.1 200", "/1");
        client_send(fd, heads[i]);
        while (client_read(fd, &in) > 0)
            ;
        assert_starts(buf_text(&in), "HTTP/1.1 400 ");
        assert_non_null(strstr(buf_text(&in), "\r\n\r\nInvalid input: "));
        buf_free(&in);
        close(fd);
    }
    assert_int_equal(world.handled, sizeof heads / sizeof *heads);
}

static void test_problem_json(void **state)
{
    (void)state;
    static const char accept[] = "Accept: application/json\r\n";
    char request[300];
    const char *const rows[][2] = {
        {"/v1/jobs", ""}, {"/v1", ""}, {"/render", accept}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int late = 0; late < 2; late++) {
            struct buf in;
            buf_init(&in, 10000);
            int fd = client_open();
            snprintf(request, sizeof request,
                     "GET %s%s HTTP/1.1\r\nHost: x\r\n%s%s\r\n", rows[i][0],
                     late ? "?a=%" : "", rows[i][1], late ? "" : "A : b\r\n");
            client_send(fd, request);
            while (client_read(fd, &in) > 0)
                ;
            assert_starts(buf_text(&in), "HTTP/1.1 400 ");
            assert_non_null(strstr(buf_text(&in), "application/problem+json"));
            assert_non_null(
                strstr(buf_text(&in), "\"status\":400,\"detail\":"));
            buf_free(&in);
            close(fd);
        }
}

static void test_body_at_the_limit(void **state)
{
    (void)state;
    char request[BODY_MAX + 200], body[BODY_MAX + 1];
    memset(body, 'b', BODY_MAX);
    body[BODY_MAX] = '\0';
    int fd = client_open();
    snprintf(request, sizeof request, POST "Content-Length: %d\r\n\r\n%s",
             BODY_MAX, body);
    exchange(fd, request, "HTTP/1.1 200", "/b");
    assert_int_equal(world.body.len, BODY_MAX);
    snprintf(request, sizeof request,
             POST "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n",
             BODY_MAX, body);
    exchange(fd, request, "HTTP/1.1 200", "/b");
    assert_int_equal(world.body.len, BODY_MAX);
    close(fd);
}

static void test_announced_body_past_the_limit(void **state)
{
    (void)state;
    char request[200];
    snprintf(request, sizeof request, POST "Content-Length: %d\r\n\r\n",
             BODY_MAX + 1);
    refused(request, "HTTP/1.1 413 ",
            "Content too large: a body of at most 1000 bytes is taken");
    refused(POST "Content-Length: 9999999999999999999\r\n\r\n", "HTTP/1.1 413 ",
            "taken");
}

/* The answer must survive bytes that the server never reads. */
static void test_early_answer_reaches_a_busy_sender(void **state)
{
    (void)state;
    static char block[1 << 20];
    struct buf in;
    buf_init(&in, 10000);
    int fd = client_open();
    client_send(fd, POST "Content-Length: 99999999\r\n\r\n");
    for (int i = 0; i < 8; i++)
        assert_true(client_try(fd, block, sizeof block));
    for (int i = 0; i < 5; i++)
        httpd_run(world.httpd);
    while (client_read(fd, &in) > 0)
        ;
    assert_starts(buf_text(&in), "HTTP/1.1 413 ");
    assert_ends(buf_text(&in), "taken");
    buf_free(&in);
    close(fd);
}

static void test_dropping_ends_at_its_limit(void **state)
{
    (void)state;
    static char block[1 << 20];
    int fd = client_open(), sent = 0;
    client_send(fd, POST "Content-Length: 999999999\r\n\r\n");
    while (client_try(fd, block, sizeof block))
        assert_true(++sent < 100);
    assert_true(sent >= LIMIT_BODY_DROPPED / (int)sizeof block);
    close(fd);
}

static void test_dropping_ends_in_time(void **state)
{
    (void)state;
    struct buf in;
    buf_init(&in, 10000);
    int fd = client_open();
    client_send(fd, POST "Content-Length: 999999999\r\n\r\n");
    client_until(fd, &in, "taken");
    assert_true(client_try(fd, "x", 1));
    world.skew_ms += LIMIT_DROP_MS + 1000;
    httpd_run(world.httpd);
    int64_t deadline = real_ms() + PATIENCE_MS;
    while (client_try(fd, "x", 1)) {
        assert_true(real_ms() < deadline);
        world_turn(fd, POLLHUP);
    }
    buf_free(&in);
    close(fd);
}

/* A client that is answered early and goes on as if it would send. */
static int client_refused(void)
{
    struct buf in;
    buf_init(&in, 10000);
    int fd = client_open();
    client_send(fd, POST "Content-Length: 99999999\r\n\r\n");
    while (client_read(fd, &in) > 0)
        ;
    assert_ends(buf_text(&in), "taken");
    buf_free(&in);
    return fd;
}

static void test_the_oldest_of_too_many_goes(void **state)
{
    (void)state;
    int fds[LIMIT_LINGERERS + 1];
    for (int i = 0; i < LIMIT_LINGERERS; i++)
        fds[i] = client_refused();
    httpd_run(world.httpd);
    assert_int_equal(world.httpd->n_lingerers, LIMIT_LINGERERS);
    const struct lingerer *second = world.httpd->lingerers->next;
    fds[LIMIT_LINGERERS] = client_refused();
    httpd_run(world.httpd);
    assert_int_equal(world.httpd->n_lingerers, LIMIT_LINGERERS);
    assert_ptr_equal(world.httpd->lingerers, second);
    for (int i = 0; i <= LIMIT_LINGERERS; i++)
        close(fds[i]);
}

static void test_chunked_body_past_the_limit(void **state)
{
    (void)state;
    char chunk[BODY_MAX + 50];
    int n = snprintf(chunk, sizeof chunk, "%x\r\n", BODY_MAX);
    memset(chunk + n, 'b', BODY_MAX);
    snprintf(chunk + n + BODY_MAX, 20, "\r\n");
    int fd = client_open();
    client_send(fd, POST "Transfer-Encoding: chunked\r\n\r\n");
    client_send(fd, chunk);
    client_send(fd, chunk);
    struct buf in;
    buf_init(&in, 10000);
    while (client_read(fd, &in) > 0)
        ; /* it does not wait for the end */
    assert_starts(buf_text(&in), "HTTP/1.1 413 ");
    assert_ends(buf_text(&in),
                "Content too large: a body of at most 1000 bytes is taken");
    buf_free(&in);
    close(fd);
}

/* 423: such a one got a page of HTML. */
static void test_a_broken_chunk_behind_good_ones(void **state)
{
    (void)state;
    static const char *const broken[] = {"zz\r\nabc\r\n", "-1\r\n",
                                         "123456789012345678\r\n", "3 abc\r\n"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct buf in;
        buf_init(&in, 10000);
        int other = client_open(), fd = client_open();
        client_send(other, POST "Transfer-Encoding: chunked\r\n\r\n");
        client_send(fd, POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        for (int n = 0; n < 5; n++)
            httpd_run(world.httpd);
        client_send(fd, broken[i]);
        while (client_read(fd, &in) > 0)
            ;
        assert_starts(buf_text(&in), "HTTP/1.1 400 ");
        assert_ends(buf_text(&in),
                    "Invalid input: a body whose chunks are none");
        assert_null(strstr(buf_text(&in) + 1, "HTTP/1.1"));
        exchange(other, "3\r\nxyz\r\n0\r\n\r\n", "HTTP/1.1 200", "/b");
        assert_string_equal(buf_text(&world.body), "xyz");
        buf_free(&in);
        close(other);
        close(fd);
    }
    assert_int_equal(world.handled, 4);
}

static void test_endless_chunks_are_cut(void **state)
{
    (void)state;
    enum { CHUNK = 1 << 20 };
    static char chunk[CHUNK + 16];
    int n = snprintf(chunk, sizeof chunk, "%x\r\n", CHUNK), sent = 0;
    memset(chunk + n, 'b', CHUNK);
    chunk[n + CHUNK] = '\r';
    chunk[n + CHUNK + 1] = '\n';
    int fd = client_open();
    client_send(fd, POST "Transfer-Encoding: chunked\r\n\r\n");
    while (client_try(fd, chunk, (size_t)n + CHUNK + 2))
        assert_true(++sent < 100);
    assert_true(sent >= LIMIT_BODY_DROPPED / CHUNK);
    assert_int_equal(world.handled, 0);
    close(fd);
}

static size_t limit_by_path(void *ctx, const struct httpd_request *request)
{
    (void)ctx;
    return strcmp(request->path, "/big") == 0 ? 8 : 4;
}

/* A head of LIMIT_HEAD bytes, and one more. */
static void test_head_at_the_limit(void **state)
{
    (void)state;
    static char head[LIMIT_HEAD + 2];
    for (int extra = 0; extra < 2; extra++) {
        int n =
            snprintf(head, sizeof head, "GET /h HTTP/1.1\r\nHost: x\r\nA: ");
        memset(head + n, 'a', sizeof head - (size_t)n);
        memcpy(head + LIMIT_HEAD + extra - 4, "\r\n\r\n", 5);
        if (extra == 0) {
            int fd = client_open();
            exchange(fd, head, "HTTP/1.1 200", "/h");
            close(fd);
        } else {
            refused(head, "HTTP/1.1 431 ",
                    "at most 16384 bytes of headers "
                    "are taken");
        }
    }
}

static void test_limit_of_a_path(void **state)
{
    (void)state;
    httpd_close(&world.httpd);
    buf_free(&world.body);
    world_open((struct httpd_options){.limit = limit_by_path});
    int fd = client_open();
    exchange(fd,
             "PUT /big HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n"
             "12345678",
             "HTTP/1.1 200", "/big");
    close(fd);
    refused("PUT /small HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345",
            "HTTP/1.1 413 ", "at most 4 bytes is taken");
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ambiguous_framing),
        TEST(test_paths),
        TEST(test_methods),
        TEST(test_later_requests),
        TEST(test_problem_json),
        TEST(test_body_at_the_limit),
        TEST(test_announced_body_past_the_limit),
        TEST(test_early_answer_reaches_a_busy_sender),
        TEST(test_dropping_ends_at_its_limit),
        TEST(test_dropping_ends_in_time),
        TEST(test_the_oldest_of_too_many_goes),
        TEST(test_chunked_body_past_the_limit),
        TEST(test_a_broken_chunk_behind_good_ones),
        TEST(test_endless_chunks_are_cut),
        TEST(test_head_at_the_limit),
        TEST(test_limit_of_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
