/* SPDX-License-Identifier: Apache-2.0
 *
 * A real server on a free port of the loopback and its clients, both driven
 * from one thread: whoever waits for an answer turns the server meanwhile.
 * The clock is the test's own (world.skew_ms is added), so that no test waits
 * for a time-out. Included by one test program at a time.
 */
#ifndef FRAMEQ_TESTS_UNIT_HTTP_WORLD_H
#define FRAMEQ_TESTS_UNIT_HTTP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/app/clock.h"
#include "common/buf.h"
#include "common/http/httpd.h"
#include "common/limits.h"

#define BODY_MAX    1000
#define PATIENCE_MS 20000 /* an event that takes longer will not come */

static struct world {
    _Atomic int64_t skew_ms; /* first: the thread of TLS reads it too */
    struct httpd *httpd;
    struct httpd_request *kept[8]; /* parked requests and streams */
    int n_kept;
    int handled, answered, left; /* left: ended without an answer */
    struct buf body;             /* of the last request handled */
} world;

/* The server's clock; stands in for the one of common/app. */
int64_t clock_now_ms(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000 + world.skew_ms;
}

static inline void reply_text(struct httpd_request *request, const char *text)
{
    struct httpd_answer answer = {.status = 200,
                                  .type = "text/plain",
                                  .body = text,
                                  .len = strlen(text),
                                  .headers = {"X-Odd-CaSe", "kept"}};
    httpd_reply(request, &answer);
}

static inline void keep(struct httpd_request *request)
{
    assert_true(world.n_kept < 8);
    world.kept[world.n_kept++] = request;
}

static inline void world_handle(void *ctx, struct httpd_request *request)
{
    assert_ptr_equal(ctx, &world);
    world.handled++;
    assert_int_equal(strlen(request->body), request->body_len);
    buf_clear(&world.body);
    buf_add(&world.body, request->body, request->body_len);
    if (strcmp(request->path, "/park") == 0) {
        keep(request);
    } else if (strcmp(request->path, "/stream") == 0) {
        httpd_stream(request, "text/event-stream", NULL);
        keep(request);
    } else if (strcmp(request->path, "/query") == 0) {
        const char *a = httpd_query(request, "a");
        reply_text(request, a == NULL ? "none" : a);
    } else if (strcmp(request->path, "/origin") == 0) {
        char text[256];
        snprintf(text, sizeof text, "%s %s%s%s", request->peer, request->host,
                 request->secure ? " secure" : "",
                 request->passed_on ? " passed on" : "");
        reply_text(request, text);
    } else if (strcmp(request->path, "/header") == 0) {
        const char *h = httpd_header(request, "x-mine");
        reply_text(request, h == NULL ? "none" : h);
    } else {
        reply_text(request, request->path);
    }
}

static inline void world_ended(void *ctx, struct httpd_request *request,
                               bool answered)
{
    (void)ctx;
    int *count = answered ? &world.answered : &world.left;
    *count += 1;
    for (int i = 0; i < world.n_kept; i++)
        if (world.kept[i] == request)
            world.kept[i] = world.kept[--world.n_kept];
}

static inline void world_open(struct httpd_options options)
{
    char why[256];
    world.skew_ms = 0;
    memset(&world.httpd, 0, sizeof world - offsetof(struct world, httpd));
    buf_init(&world.body, 1 << 20);
    options.host = "127.0.0.1";
    options.handle = world_handle;
    options.ended = world_ended;
    options.ctx = &world;
    if (options.body_max == 0)
        options.body_max = BODY_MAX;
    if (options.connections == 0)
        options.connections = 100;
    world.httpd = httpd_open(&options, why, sizeof why);
    assert_non_null(world.httpd);
}

static inline int world_setup(void **state)
{
    (void)state;
    world_open((struct httpd_options){0});
    return 0;
}

static inline int world_teardown(void **state)
{
    (void)state;
    httpd_close(&world.httpd);
    assert_null(world.httpd);
    buf_free(&world.body);
    return 0;
}

static inline int64_t real_ms(void)
{
    return clock_now_ms() - world.skew_ms;
}

/* One turn of the server's loop: waits for it, or for events on fd. */
static inline void world_turn(int fd, short events)
{
    struct pollfd items[] = {{httpd_fd(world.httpd), POLLIN, 0},
                             {fd, events, 0}};
    int64_t wait = httpd_wait(world.httpd);
    if (wait < 0 || wait > PATIENCE_MS)
        wait = PATIENCE_MS;
    poll(items, fd < 0 ? 1 : 2, (int)wait);
    httpd_run(world.httpd);
}

/* Turns the server until *count has become value. */
static inline void world_until(const int *count, int value)
{
    int64_t deadline = real_ms() + PATIENCE_MS;
    while (*count != value) {
        assert_true(real_ms() < deadline);
        world_turn(-1, 0);
    }
}

static inline int client_open(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port =
                                      htons((uint16_t)httpd_port(world.httpd)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address),
                     0);
    return fd;
}

/* Sends all of it, turning the server while the pipe is full. Returns false
 * when the server has closed. */
static inline bool client_try(int fd, const char *bytes, size_t len)
{
    int64_t deadline = real_ms() + PATIENCE_MS;
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return false;
        assert_true(real_ms() < deadline);
        if (n < 0) {
            world_turn(fd, POLLOUT);
            continue;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static inline void client_send(int fd, const char *text)
{
    assert_true(client_try(fd, text, strlen(text)));
}

/* Reads one piece into in. Returns what recv does: 0 at the end, -1 for a
 * reset; turns the server until there is something. */
static inline ssize_t client_read(int fd, struct buf *in)
{
    char piece[65536];
    int64_t deadline = real_ms() + PATIENCE_MS;
    for (;;) {
        ssize_t n = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
        if (n > 0)
            assert_true(buf_add(in, piece, (size_t)n));
        if (n >= 0 || errno != EAGAIN)
            return n;
        assert_true(real_ms() < deadline);
        world_turn(fd, POLLIN);
    }
}

/* Reads until text has come. */
static inline void client_until(int fd, struct buf *in, const char *text)
{
    while (strstr(buf_text(in), text) == NULL)
        assert_true(client_read(fd, in) > 0);
}

/* How long the answer at the start of in is; 0 when it is not whole yet. */
static inline size_t answer_len(const struct buf *in)
{
    const char *text = buf_text(in), *end = strstr(text, "\r\n\r\n");
    const char *field = strstr(text, "\r\nContent-Length: ");
    if (end == NULL)
        return 0;
    size_t len = (size_t)(end + 4 - text);
    if (field != NULL && field < end)
        len += strtoul(field + strlen("\r\nContent-Length: "), NULL, 10);
    return in->len >= len ? len : 0;
}

/* Reads one answer with its body; what follows stays in rest. Returns it
 * owned. */
static inline char *client_answer(int fd, struct buf *rest)
{
    size_t len;
    while ((len = answer_len(rest)) == 0)
        assert_true(client_read(fd, rest) > 0);
    char *answer = strndup(buf_text(rest), len);
    buf_drop(rest, len);
    return answer;
}

static inline void assert_starts(const char *text, const char *start)
{
    if (strncmp(text, start, strlen(start)) != 0)
        fail_msg("`%s` does not start with `%s`", text, start);
}

static inline void assert_ends(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    if (n < m || strcmp(text + n - m, end) != 0)
        fail_msg("`%s` does not end with `%s`", text, end);
}

/* Sends a request on a connection that is kept and checks the answer. */
static inline void exchange(int fd, const char *request, const char *start,
                            const char *end)
{
    struct buf rest;
    buf_init(&rest, 1 << 20);
    client_send(fd, request);
    char *answer = client_answer(fd, &rest);
    assert_starts(answer, start);
    assert_ends(answer, end);
    assert_int_equal(rest.len, 0);
    free(answer);
    buf_free(&rest);
}

/* Closes with a reset instead of an orderly end. */
static inline void client_vanish(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

#endif
