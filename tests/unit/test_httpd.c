/* SPDX-License-Identifier: Apache-2.0
 *
 * What the HTTP server does for requests it takes: answers at once and later,
 * streams, clients that leave, time-outs.
 */
#include "http_world.h"

#include <sys/resource.h>

#include "common/http/httpd_parts.h"

static void test_keep_alive(void **state)
{
    (void)state;
    int fd = client_open();
    exchange(fd, GET("/one"), "HTTP/1.1 200 OK\r\n", "\r\n\r\n/one");
    exchange(fd, GET("/two"), "HTTP/1.1 200 OK\r\n", "\r\n\r\n/two");
    assert_int_equal(world.handled, 2);
    world_until(&world.answered, 2);
    assert_int_equal(httpd_open_requests(world.httpd), 0);
    close(fd);
}

static void test_headers_are_as_given(void **state)
{
    (void)state;
    struct buf rest;
    buf_init(&rest, 10000);
    int fd = client_open();
    client_send(fd, GET("/one"));
    char *answer = client_answer(fd, &rest);
    assert_non_null(strstr(answer, "\r\nX-Odd-CaSe: kept\r\n"));
    assert_non_null(strstr(answer, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(answer, "\r\nDate: "));
    free(answer);
    buf_free(&rest);
    close(fd);
}

static void test_request_headers_and_query(void **state)
{
    (void)state;
    int fd = client_open();
    exchange(fd, "GET /header HTTP/1.1\r\nHost: x\r\nX-MINE: 7\r\n\r\n",
             "HTTP/1.1 200", "\r\n\r\n7");
    exchange(fd, GET("/header"), "HTTP/1.1 200", "\r\n\r\nnone");
    exchange(fd, GET("/query?b=1&a=x%20y+z"), "HTTP/1.1 200", "\r\n\r\nx y z");
    exchange(fd, GET("/query?a"), "HTTP/1.1 200", "\r\n\r\n");
    exchange(fd, GET("/query?a="), "HTTP/1.1 200", "\r\n\r\n");
    exchange(fd, GET("/query?b"), "HTTP/1.1 200", "\r\n\r\nnone");
    exchange(fd, GET("/a%2fb%2541"), "HTTP/1.1 200", "\r\n\r\n/a/b%41");
    close(fd);
}

static void test_pipelined_answers_keep_their_order(void **state)
{
    (void)state;
    struct buf rest;
    buf_init(&rest, 10000);
    int fd = client_open();
    client_send(fd, GET("/park") GET("/two") GET("/three"));
    world_until(&world.handled, 1);
    for (int i = 0; i < 5; i++)
        httpd_run(world.httpd); /* the others must not overtake */
    assert_int_equal(world.handled, 1);
    reply_text(world.kept[0], "one");
    static const char *const ends[] = {"one", "/two", "/three"};
    for (int i = 0; i < 3; i++) {
        char *answer = client_answer(fd, &rest);
        assert_ends(answer, ends[i]);
        free(answer);
    }
    world_until(&world.answered, 3);
    buf_free(&rest);
    close(fd);
}

static void test_bodies(void **state)
{
    (void)state;
    int fd = client_open();
    client_send(fd, "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n");
    for (int i = 0; i < 3; i++)
        httpd_run(world.httpd);
    client_send(fd, "abc");
    for (int i = 0; i < 3; i++)
        httpd_run(world.httpd);
    exchange(fd, "def", "HTTP/1.1 200", "/b");
    assert_string_equal(buf_text(&world.body), "abcdef");
    exchange(fd,
             "PUT /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
             "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
             "HTTP/1.1 200", "/b");
    assert_string_equal(buf_text(&world.body), "abcde");
    exchange(fd, "DELETE /b HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200", "/b");
    assert_string_equal(buf_text(&world.body), "");
    close(fd);
}

static void test_head_sends_no_body(void **state)
{
    (void)state;
    struct buf rest;
    buf_init(&rest, 10000);
    int fd = client_open();
    client_send(fd, "HEAD /head HTTP/1.1\r\nHost: x\r\n\r\n" GET("/next"));
    client_until(fd, &rest, "/next");
    const char *end = strstr(buf_text(&rest), "\r\n\r\n");
    assert_non_null(strstr(buf_text(&rest), "\r\nContent-Length: 5\r\n"));
    assert_starts(end + 4, "HTTP/1.1 200");
    buf_free(&rest);
    close(fd);
}

/* A list may stand in several lines (RFC 9110, 5.3), and blanks behind a value
 * are none of it. */
static void test_lines_of_one_header(void **state)
{
    (void)state;
    int fd = client_open();
    client_send(fd, "GET /park HTTP/1.1\r\nHost: x\r\n"
                    "Accept: text/plain \r\nOne: alone\r\n"
                    "ACCEPT:\tapplication/json\t\r\nNone:\r\n"
                    "Behind: it \t \r\n\r\n");
    world_until(&world.handled, 1);
    const struct httpd_request *request = world.kept[0];
    for (int i = 0; i < 2; i++) {
        assert_string_equal(httpd_header(request, "accept"),
                            "text/plain, application/json");
        assert_string_equal(httpd_header(request, "One"), "alone");
        assert_string_equal(httpd_header(request, "None"), "");
        assert_string_equal(httpd_header(request, "Behind"), "it");
        assert_null(httpd_header(request, "Absent"));
    }
    close(fd);
}

static void test_file(void **state)
{
    (void)state;
    struct buf rest;
    buf_init(&rest, 10000);
    FILE *file = tmpfile();
    fputs("pixels", file);
    fflush(file);
    int fd = client_open();
    client_send(fd, GET("/park"));
    world_until(&world.handled, 1);
    static const char *const headers[] = {"ETag", "\"1\"", NULL};
    httpd_file(world.kept[0], "image/png", dup(fileno(file)), 6, headers);
    char *answer = client_answer(fd, &rest);
    assert_non_null(strstr(answer, "\r\nETag: \"1\"\r\n"));
    assert_ends(answer, "\r\n\r\npixels");
    free(answer);
    fclose(file);
    buf_free(&rest);
    close(fd);
}

static void test_client_that_vanishes_while_parked(void **state)
{
    (void)state;
    int fd = client_open();
    client_send(fd, GET("/park"));
    world_until(&world.handled, 1);
    assert_int_equal(httpd_open_requests(world.httpd), 1);
    client_vanish(fd);
    world_until(&world.left, 1);
    assert_int_equal(world.n_kept, 0);
    assert_int_equal(httpd_open_requests(world.httpd), 0);
}

static void test_reply_to_one_who_vanished(void **state)
{
    (void)state;
    int fd = client_open();
    client_send(fd, GET("/park"));
    world_until(&world.handled, 1);
    client_vanish(fd);
    reply_text(world.kept[0], "too late"); /* before the server can know */
    int64_t deadline = real_ms() + PATIENCE_MS;
    while (world.answered + world.left == 0 && real_ms() < deadline)
        world_turn(-1, 0);
    assert_int_equal(world.answered + world.left, 1);
}

static void test_half_closed_client_gets_its_answer(void **state)
{
    (void)state;
    struct buf rest;
    buf_init(&rest, 10000);
    int fd = client_open();
    client_send(fd, GET("/park") GET("/two"));
    shutdown(fd, SHUT_WR);
    world_until(&world.handled, 1);
    for (int i = 0; i < 5; i++)
        httpd_run(world.httpd);
    assert_int_equal(world.left, 0);
    reply_text(world.kept[0], "here");
    while (client_read(fd, &rest) > 0)
        ; /* the server closes once it has answered all */
    assert_non_null(strstr(buf_text(&rest), "\r\n\r\nhere"));
    assert_ends(buf_text(&rest), "\r\n\r\n/two");
    buf_free(&rest);
    close(fd);
}

/* A server that finds work in nothing would keep a processor busy. */
static void test_nothing_to_do_costs_nothing(void **state)
{
    (void)state;
    int parked = client_open(), half = client_open(), stream = client_open();
    client_send(parked, GET("/park"));
    client_send(half, GET("/park"));
    client_send(stream, GET("/stream"));
    shutdown(half, SHUT_WR);
    world_until(&world.handled, 3);
    for (int i = 0; i < 20; i++)
        httpd_run(world.httpd);
    struct pollfd item = {httpd_fd(world.httpd), POLLIN, 0};
    assert_int_equal(poll(&item, 1, 0), 0);
    assert_true(httpd_wait(world.httpd) > 0);
    close(parked);
    close(half);
    close(stream);
}

static void test_stream(void **state)
{
    (void)state;
    struct buf in;
    buf_init(&in, 10000);
    int fd = client_open();
    client_send(fd, GET("/stream"));
    client_until(fd, &in, "\r\n\r\n");
    assert_non_null(
        strstr(buf_text(&in), "\r\nContent-Type: text/event-stream\r\n"));
    assert_true(httpd_stream_send(world.kept[0], "one\n", 4, 100));
    client_until(fd, &in, "one\n");
    assert_true(httpd_stream_send(world.kept[0], "two\n", 4, 100));
    assert_true(httpd_stream_send(world.kept[0], "three\n", 6, 100));
    httpd_stream_end(world.kept[0]);
    client_until(fd, &in, "\r\n0\r\n\r\n");
    const char *two = strstr(buf_text(&in), "two\n");
    assert_non_null(two);
    assert_non_null(strstr(two, "three\n"));
    world_until(&world.answered, 1);
    exchange(fd, GET("/after"), "HTTP/1.1 200", "/after");
    buf_free(&in);
    close(fd);
}

static void test_stream_with_slow_reader(void **state)
{
    (void)state;
    enum { BEHIND = 100000 };
    static char block[10000];
    struct buf in;
    buf_init(&in, 64 << 20);
    memset(block, 'x', sizeof block);
    int fd = client_open(), sent = 0;
    client_send(fd, GET("/stream"));
    world_until(&world.handled, 1);
    while (httpd_stream_send(world.kept[0], block, sizeof block, BEHIND)) {
        sent++;
        httpd_run(world.httpd);
        assert_true(sent < 5000); /* the kernel takes 50 MB from nobody */
    }
    assert_true(sent >= BEHIND / (int)sizeof block);
    assert_false(httpd_stream_send(world.kept[0], "y", BEHIND + 1, BEHIND));
    httpd_stream_end(world.kept[0]);
    client_until(fd, &in, "\r\n0\r\n\r\n");
    int found = 0;
    for (const char *at = strstr(buf_text(&in), "\r\n\r\n"); *at; at++)
        found += *at == 'x';
    assert_int_equal(found, sent * (int)sizeof block);
    buf_free(&in);
    close(fd);
}

static void test_stream_ends_when_its_client_does(void **state)
{
    (void)state;
    for (int vanish = 0; vanish < 2; vanish++) {
        struct buf in;
        buf_init(&in, 10000);
        int fd = client_open();
        client_send(fd, GET("/stream"));
        client_until(fd, &in, "\r\n\r\n");
        if (vanish)
            client_vanish(fd);
        else
            close(fd);
        world_until(&world.left, vanish + 1);
        assert_int_equal(world.n_kept, 0);
        buf_free(&in);
    }
}

static void world_open_for(unsigned connections)
{
    httpd_close(&world.httpd);
    buf_free(&world.body);
    world_open((struct httpd_options){.connections = connections});
}

static void test_connections_past_the_limit_wait(void **state)
{
    (void)state;
    world_open_for(2);
    int a = client_open(), b = client_open(), c = client_open();
    client_send(a, GET("/park"));
    client_send(b, GET("/park"));
    world_until(&world.handled, 2);
    client_send(c, GET("/c"));
    for (int i = 0; i < 5; i++)
        httpd_run(world.httpd);
    assert_int_equal(world.handled, 2);
    client_vanish(a);
    exchange(c, "", "HTTP/1.1 200", "/c");
    close(b);
    close(c);
}

static void assert_closed(int fd)
{
    struct buf in;
    buf_init(&in, 100);
    assert_int_equal(client_read(fd, &in), 0);
    buf_free(&in);
    close(fd);
}

/* At the limit those go first that never asked anything, then the one that has
 * rested for longest; who is being served stays. */
static void test_the_oldest_idle_connection_goes(void **state)
{
    (void)state;
    world_open_for(4);
    int busy = client_open(), first = client_open(), second = client_open();
    client_send(busy, GET("/park"));
    exchange(second, GET("/2"), "HTTP/1.1 200", "/2");
    exchange(first, GET("/1"), "HTTP/1.1 200", "/1");
    int silent = client_open();
    for (int i = 0; i < 5; i++)
        httpd_run(world.httpd);
    assert_int_equal(world.httpd->n_connections, 4);
    world.skew_ms += GATE_MS;
    int fourth = client_open();
    assert_closed(silent);
    exchange(fourth, GET("/4"), "HTTP/1.1 200", "/4");
    int fifth = client_open();
    assert_closed(second);
    exchange(fifth, GET("/5"), "HTTP/1.1 200", "/5");
    exchange(first, GET("/1"), "HTTP/1.1 200", "/1");
    assert_int_equal(world.httpd->n_connections, 4);
    reply_text(world.kept[0], "here");
    exchange(busy, "", "HTTP/1.1 200", "here");
    close(busy);
    close(first);
    close(fourth);
    close(fifth);
}

/* LIMIT_CONNECTIONS is more than half of what a process of few descriptors may
 * have. */
static void test_half_of_the_descriptors_are_for_clients(void **state)
{
    (void)state;
    struct rlimit before, few;
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &few);
    world_open_for(LIMIT_CONNECTIONS);
    assert_int_equal(world.httpd->options.connections, 32);
    few.rlim_cur = before.rlim_max;
    setrlimit(RLIMIT_NOFILE, &few);
    if (before.rlim_max >= 2 * LIMIT_CONNECTIONS + 2) {
        world_open_for(LIMIT_CONNECTIONS);
        assert_int_equal(world.httpd->options.connections, LIMIT_CONNECTIONS);
        world_open_for(LIMIT_CONNECTIONS + 1);
        assert_int_equal(world.httpd->options.connections,
                         LIMIT_CONNECTIONS + 1);
    }
    setrlimit(RLIMIT_NOFILE, &before);
}

static void test_slow_sender_is_cut(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "GET /slo", "GET /slow HTTP/1.1\r\nHost: x\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"};
    for (int i = 0; i < 3; i++) {
        struct buf in;
        buf_init(&in, 10000);
        int fd = client_open();
        client_send(fd, parts[i]);
        for (int n = 0; n < 5; n++)
            httpd_run(world.httpd);
        world.skew_ms += LIMIT_REQUEST_MS - 1000;
        httpd_run(world.httpd);
        assert_true(client_try(fd, "c", 1)); /* a byte buys no time */
        world.skew_ms += 2000;
        while (client_read(fd, &in) > 0)
            ;
        assert_starts(buf_text(&in), "HTTP/1.1 408 ");
        assert_ends(buf_text(&in), "took too long");
        buf_free(&in);
        close(fd);
    }
    assert_int_equal(world.handled, 0);
}

/* Each LIMIT_BODY_PACE bytes buy a second. */
static void test_a_long_body_has_time(void **state)
{
    (void)state;
    enum { SIZE = 4 * LIMIT_BODY_PACE };
    static char half[SIZE / 2];
    char head[100];
    httpd_close(&world.httpd);
    buf_free(&world.body);
    world_open((struct httpd_options){.body_max = SIZE});
    memset(half, 'b', sizeof half);
    snprintf(head, sizeof head,
             "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", SIZE);
    int fd = client_open();
    client_send(fd, head);
    assert_true(client_try(fd, half, sizeof half));
    for (int n = 0; n < 20; n++)
        httpd_run(world.httpd);
    world.skew_ms += LIMIT_REQUEST_MS + 1000;
    httpd_run(world.httpd);
    assert_true(client_try(fd, half, sizeof half));
    exchange(fd, "", "HTTP/1.1 200", "/");
    close(fd);
}

/* Sends a request with so many bytes of body, but for the last one. */
static int client_almost(size_t size)
{
    static char body[LIMIT_BODY_QUICK];
    char head[100];
    memset(body, 'b', sizeof body);
    int fd = client_open();
    snprintf(head, sizeof head,
             "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", size);
    client_send(fd, head);
    assert_true(client_try(fd, body, size - 1));
    for (int n = 0; n < 20; n++)
        httpd_run(world.httpd);
    return fd;
}

/* Two bodies of a size are whole in the same turn. Returns how many requests
 * are handled in that turn, and leaves the clients in fds. */
static int two_at_once(size_t size, int fds[2])
{
    httpd_close(&world.httpd);
    buf_free(&world.body);
    world_open((struct httpd_options){.body_max = 2 * LIMIT_BODY_QUICK});
    for (int i = 0; i < 2; i++)
        fds[i] = client_almost(size);
    assert_int_equal(world.handled, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(send(fds[i], "b", 1, MSG_NOSIGNAL), 1);
    httpd_run(world.httpd);
    return world.handled;
}

/* 422: a crowd of large bodies held up everybody until all were handled. */
static void test_large_bodies_are_handled_one_a_turn(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(two_at_once(LIMIT_BODY_QUICK, fds), 2);
    for (int i = 0; i < 2; i++) {
        exchange(fds[i], "", "HTTP/1.1 200", "/");
        close(fds[i]);
    }
    assert_int_equal(two_at_once(LIMIT_BODY_QUICK + 1, fds), 1);
    assert_int_equal(httpd_wait(world.httpd), 0);
    int quick = client_open(); /* is not behind them */
    client_send(quick, GET("/quick"));
    httpd_run(world.httpd);
    assert_int_equal(world.handled, 3);
    for (int i = 0; i < 2; i++) {
        exchange(fds[i], "", "HTTP/1.1 200", "/");
        close(fds[i]);
    }
    exchange(quick, "", "HTTP/1.1 200", "/quick");
    close(quick);
}

static void test_one_who_vanishes_before_the_turn_of_his_body(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(two_at_once(LIMIT_BODY_QUICK + 1, fds), 1);
    client_vanish(fds[0]);
    client_vanish(fds[1]);
    for (int n = 0; n < 20; n++)
        httpd_run(world.httpd);
    assert_int_equal(world.handled, 1);
}

/* A server that is closed handles nothing more. */
static void test_close_with_a_body_whose_turn_has_not_come(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(two_at_once(LIMIT_BODY_QUICK + 1, fds), 1);
    httpd_close(&world.httpd);
    assert_int_equal(world.handled, 1);
    close(fds[0]);
    close(fds[1]);
}

static void test_a_silent_connection_is_closed(void **state)
{
    (void)state;
    int never = client_open(), kept = client_open();
    exchange(kept, GET("/a"), "HTTP/1.1 200", "/a");
    world.skew_ms += LIMIT_IDLE_MS - 1000;
    httpd_run(world.httpd);
    assert_int_equal(world.httpd->n_connections, 2);
    world.skew_ms += 2000;
    assert_closed(never);
    assert_closed(kept);
}

static void test_parked_requests_and_streams_have_time(void **state)
{
    (void)state;
    int parked = client_open(), stream = client_open();
    client_send(parked, GET("/park"));
    client_send(stream, GET("/stream"));
    world_until(&world.handled, 2);
    world.skew_ms += 10 * LIMIT_IDLE_MS;
    for (int i = 0; i < 5; i++)
        httpd_run(world.httpd);
    assert_int_equal(world.left, 0);
    assert_int_equal(world.n_kept, 2);
    close(parked);
    close(stream);
}

static void test_close_cuts_what_is_open(void **state)
{
    (void)state;
    int parked = client_open(), answered = client_open();
    client_send(parked, GET("/park"));
    world_until(&world.handled, 1);
    client_send(answered, GET("/park"));
    world_until(&world.handled, 2);
    reply_text(world.kept[1], "last");
    httpd_close(&world.httpd);
    assert_int_equal(world.answered, 1);
    assert_int_equal(world.left, 1);
    char text[1000] = "";
    ssize_t n = recv(answered, text, sizeof text - 1, 0);
    assert_true(n > 0);
    assert_ends(text, "last");
    assert_int_equal(recv(parked, text, sizeof text, 0), 0);
    close(parked);
    close(answered);
}

static void test_open_says_why_it_cannot(void **state)
{
    (void)state;
    char why[256] = "";
    struct httpd_options options = {.host = "127.0.0.1",
                                    .port = httpd_port(world.httpd),
                                    .connections = 1,
                                    .handle = world_handle};
    assert_null(httpd_open(&options, why, sizeof why));
    assert_starts(why, "cannot listen on 127.0.0.1:");
    options.host = "256.0.0.1";
    assert_null(httpd_open(&options, why, sizeof why));
    assert_starts(why, "cannot find 256.0.0.1: ");
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keep_alive),
        TEST(test_headers_are_as_given),
        TEST(test_request_headers_and_query),
        TEST(test_pipelined_answers_keep_their_order),
        TEST(test_bodies),
        TEST(test_head_sends_no_body),
        TEST(test_lines_of_one_header),
        TEST(test_file),
        TEST(test_client_that_vanishes_while_parked),
        TEST(test_reply_to_one_who_vanished),
        TEST(test_half_closed_client_gets_its_answer),
        TEST(test_nothing_to_do_costs_nothing),
        TEST(test_stream),
        TEST(test_stream_with_slow_reader),
        TEST(test_stream_ends_when_its_client_does),
        TEST(test_connections_past_the_limit_wait),
        TEST(test_the_oldest_idle_connection_goes),
        TEST(test_half_of_the_descriptors_are_for_clients),
        TEST(test_slow_sender_is_cut),
        TEST(test_a_long_body_has_time),
        TEST(test_large_bodies_are_handled_one_a_turn),
        TEST(test_one_who_vanishes_before_the_turn_of_his_body),
        TEST(test_close_with_a_body_whose_turn_has_not_come),
        TEST(test_a_silent_connection_is_closed),
        TEST(test_parked_requests_and_streams_have_time),
        TEST(test_close_cuts_what_is_open),
        TEST(test_open_says_why_it_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
