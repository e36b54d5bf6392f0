/* SPDX-License-Identifier: Apache-2.0
 *
 * Event streams: what they greet with, give, leave out, resume and drop.
 */
#include "tests/unit/broker_world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/people/http_state.h"
#include "broker/people/stream.h"

/* Opens a stream and reads its greeting. */
static int listen_to(const char *path, const char *headers)
{
    int fd = world_send("GET", path, headers, NULL);
    char *text = world_read(fd, "retry: 2000\n");
    assert_non_null(strcasestr(text, "Content-Type: text/event-stream"));
    free(text);
    return fd;
}

static void hears(int fd, const char *text)
{
    char *all = world_read(fd, text);
    free(all);
}

/* Hears `until` without `not` before it. */
static void hears_but(int fd, const char *until, const char * not )
{
    char *all = world_read(fd, until);
    assert_null(strstr(all, not ));
    free(all);
}

static void events_in_form(void **state)
{
    (void)state;
    int fd = listen_to("/v1/events", "");
    world_publish("job", "job/x/", "{\"id\":\"7:1\"}");
    hears(fd, "id: 7:1\nevent: job\ndata: {\"id\":\"7:1\"}\n\n");
    close(fd);
}

static void new_readers_get_what_is_new(void **state)
{
    (void)state;
    world_publish("job", "job/x/", "{\"n\":1}");
    world_turn();
    int fd = world_send("GET", "/v1/events", "", NULL);
    hears(fd, "retry: 2000\nid: 7:1\n\n");
    world_publish("job", "job/x/", "{\"n\":2}");
    hears_but(fd, "\"n\":2", "\"n\":1");
    close(fd);
}

static void readers_resume(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        world_publish("job", "job/x/", "{}");
    world_turn();
    int fd = world_send("GET", "/v1/events", "Last-Event-ID: 7:1\r\n", NULL);
    hears_but(fd, "id: 7:3\nevent: job", "reset");
    close(fd);
    fd = world_send("GET", "/v1/events?after=7:2", "", NULL);
    hears_but(fd, "id: 7:3\nevent: job", "id: 7:2\nevent");
    close(fd);
}

static void each_event_comes_once(void **state)
{
    (void)state;
    world_publish("job", "job/x/", "{\"n\":1}");
    int fd = listen_to("/v1/events?after=7:0", ""); /* not announced yet */
    world_publish("job", "job/x/", "{\"n\":2}");
    char *all = world_read(fd, "\"n\":2");
    assert_null(strstr(all, "id: 7:1\nevent"));
    free(all);
    close(fd);
}

static void too_late_is_a_reset(void **state)
{
    static const char *const last[] = {"Last-Event-ID: 7:1\r\n",
                                       "Last-Event-ID: 6:3\r\n",
                                       "Last-Event-ID: 7:4\r\n"};
    (void)state;
    for (int i = 0; i < 3; i++)
        world_publish("job", "job/x/", "{}");
    world_turn();
    world_forget(2);
    for (size_t i = 0; i < 3; i++) {
        int fd = world_send("GET", "/v1/events", last[i], NULL);
        hears(fd, "id: 7:3\nevent: reset\ndata: {\"id\":\"7:3\"}\n\n");
        close(fd);
    }
}

static void topics(void **state)
{
    (void)state;
    int fd = listen_to("/v1/events?topics=jobs,job:x", "");
    world_publish("frame", "job/y/", "{\"n\":1}");
    world_publish("agent", "agent/a/", "{\"n\":2}");
    world_publish("job", "job/y/", "{\"n\":3}");
    hears_but(fd, "\"n\":3", "\"n\":1");
    world_publish("agent", "agent/a/", "{\"n\":4}");
    world_publish("frame", "job/x/", "{\"n\":5}");
    hears_but(fd, "\"n\":5", "\"n\":4");
    world_publish("frame", "job/xy/", "{\"n\":6}");
    world_publish("progress", "job/x/", "{\"n\":7}");
    hears_but(fd, "\"n\":7", "\"n\":6");
    close(fd);
    static const char *const bad[] = {"/v1/events?topics=",
                                      "/v1/events?topics=job",
                                      "/v1/events?topics=job:",
                                      "/v1/events?topics=jobs,",
                                      "/v1/events?topics=jobs,,agents",
                                      "/v1/events?topics=everything",
                                      "/v1/events?after=x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        json_decref(world_json("GET", bad[i], NULL, 400));
}

static void a_sign_of_life(void **state)
{
    (void)state;
    int fd = listen_to("/v1/events?topics=agents", "");
    world_publish("job", "job/x/", "{}");
    world_turn();
    world.now_ms += STREAM_BEAT_MS;
    assert_int_equal(http_wait(world.http, world.now_ms), 0);
    hears(fd, ": beat\nid: 7:1\n\n");
    close(fd);
}

static void readers_are_bounded(void **state)
{
    (void)state;
    world.http->n_streams = LIMIT_SSE;
    json_decref(world_json("GET", "/v1/events", NULL, 503));
    world.http->n_streams = LIMIT_SSE - 1;
    int fd = listen_to("/v1/events", "");
    world_leave(fd, 0);
    assert_int_equal(world.http->n_streams, LIMIT_SSE - 1);
    world.http->n_streams = 0;
}

/* Publishes events of 100 KB, n of them, a turn each. */
static void flood(int n)
{
    char *json = malloc(100000);
    memset(json, ' ', 100000);
    memcpy(json, "{}", 2);
    json[99999] = '\0';
    for (int i = 0; i < n; i++) {
        world_publish("job", "job/x/", json);
        world_turn();
    }
    free(json);
}

static void slow_readers_lag_and_catch_up(void **state)
{
    (void)state;
    int fd = listen_to("/v1/events", "");
    flood(200); /* far more than sockets and LIMIT_SSE_BEHIND hold */
    assert_true(http_wait(world.http, world.now_ms) > 0); /* no busy loop */
    world_publish("job", "job/x/", "{\"last\":1}");
    hears(fd, "id: 7:100\nevent: job");
    hears_but(fd, "\"last\":1", "reset");
    close(fd);
}

static void slow_readers_lose_what_left_the_ring(void **state)
{
    (void)state;
    int fd = listen_to("/v1/events", "");
    flood(200);
    world_forget(190);
    hears(fd, "event: reset\ndata: {\"id\":\"7:200\"}");
    world_publish("job", "job/x/", "{\"last\":1}");
    hears(fd, "\"last\":1");
    close(fd);
}

/* Turns until the stream has been ended by the server. */
static void is_ended(int fd)
{
    int64_t turns = 0;
    while (world.http->n_streams > 0 && turns++ < 100000)
        world_turn();
    assert_int_equal(world.http->n_streams, 0);
    close(fd);
}

static void readers_that_take_nothing_are_dropped(void **state)
{
    (void)state;
    int fd = listen_to("/v1/events", "");
    flood(200);
    for (int i = 0; i < 3; i++) {
        world.now_ms += STREAM_BEAT_MS;
        world_turn();
    }
    char *rest = world_read(fd, "\r\n0\r\n\r\n");
    free(rest);
    is_ended(fd);
}

static void streams_end_with_the_broker(void **state)
{
    (void)state;
    int fd = listen_to("/v1/events", "");
    http_drain(world.http);
    is_ended(fd);
    assert_false(http_busy(world.http));
}

static void closing_with_open_streams(void **state)
{
    (void)state;
    int fd = listen_to("/v1/events", "");
    http_close(&world.http);
    close(fd);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_in_form),
        TEST(new_readers_get_what_is_new),
        TEST(readers_resume),
        TEST(each_event_comes_once),
        TEST(too_late_is_a_reset),
        TEST(topics),
        TEST(a_sign_of_life),
        TEST(readers_are_bounded),
        TEST(slow_readers_lag_and_catch_up),
        TEST(slow_readers_lose_what_left_the_ring),
        TEST(readers_that_take_nothing_are_dropped),
        TEST(streams_end_with_the_broker),
        TEST(closing_with_open_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
