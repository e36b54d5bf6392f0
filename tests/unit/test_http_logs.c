/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs of frames that are being rendered, over HTTP: asked for while somebody
 * looks and once a second, told to all who wait, bounded, from the lease that
 * renders alone.
 */
#include "tests/unit/broker_world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/people/live.h"

#define FRAMES 40

static char id[LIMIT_ID + 1];
static int asked; /* ASKED events */

static void count(void *ctx, const struct event *event)
{
    (void)ctx;
    asked += event->type == EVENT_ASKED;
}

static int setup(void **state)
{
    world_setup(state);
    asked = 0;
    broker_project(world.broker, count, NULL);
    snprintf(id, sizeof id, "%s",
             world_submit("{\"frames\":\"1-40\",\"batch\":40}"));
    world_agent("a");
    world_finish("a", 1); /* frame 2 is being rendered */
    return 0;
}

static const char *log_path(int frame, const char *query)
{
    static char path[256];
    snprintf(path, sizeof path, "/v1/jobs/%s/frames/%d/log%s", id, frame,
             query);
    return path;
}

static int put_status(const char *lease, int frame, const char *query,
                      const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "/v1/leases/%s/frames/%d/log%s", lease, frame,
             query);
    struct got got = world_ask("PUT", path, "", text);
    int status = got.status;
    got_free(&got);
    return status;
}

static int get_status(int frame, const char *query)
{
    struct got got = world_ask("GET", log_path(frame, query), "", NULL);
    int status = got.status;
    got_free(&got);
    return status;
}

static void shown_as_it_grows(void **state)
{
    (void)state;
    assert_int_equal(get_status(2, "?wait=0"), 404);
    assert_int_equal(asked, 1);
    int one = world_send("GET", log_path(2, ""), "", NULL);
    int other = world_send("GET", log_path(2, "?wait=60"), "", NULL);
    world_silent(one);
    world_silent(other);
    assert_int_equal(put_status("7-1", 2, "?live", "abc"), 204);
    struct got got = world_receive(one);
    assert_string_equal(got.body, "abc");
    assert_string_equal(got_header(&got, "Log-State"), "live");
    assert_string_equal(got_header(&got, "Log-Offset"), "0");
    assert_string_equal(got_header(&got, "Log-Lease"), "7-1");
    assert_string_equal(got_header(&got, "Cache-Control"), "no-store");
    got_free(&got);
    got = world_receive(other);
    assert_string_equal(got.body, "abc");
    got_free(&got);
    /* Nobody is told what he knows; what of its beginning is gone is said. */
    one = world_send("GET", log_path(2, "?offset=3&wait=60"), "", NULL);
    assert_int_equal(put_status("7-1", 2, "?live", "abc"), 204);
    world_silent(one);
    assert_int_equal(put_status("7-1", 2, "?live&offset=5", "xyz"), 204);
    got = world_receive(one);
    assert_string_equal(got.body, "xyz");
    assert_string_equal(got_header(&got, "Log-Offset"), "5");
    got_free(&got);
}

static void asked_once_a_second_while_somebody_looks(void **state)
{
    (void)state;
    int fd[8];
    for (int i = 0; i < 8; i++) {
        fd[i] = world_send("GET", log_path(2, "?wait=5"), "", NULL);
        world_silent(fd[i]);
    }
    assert_int_equal(asked, 1);
    for (int i = 0; i < 40; i++) {
        world.now_ms += 100;
        world_turn();
    }
    assert_int_equal(asked, 5);
    world.now_ms += 1000; /* their time is over: there is still nothing */
    world_turn();
    for (int i = 0; i < 8; i++) {
        struct got got = world_receive(fd[i]);
        assert_int_equal(got.status, 404);
        assert_non_null(strstr(got.body, "agent a has sent nothing"));
        got_free(&got);
    }
    int before = asked;
    for (int i = 0; i < 100; i++) {
        world.now_ms += 1000;
        world_agent("a");
    }
    assert_int_equal(asked, before);
}

static void who_leaves_is_forgotten(void **state)
{
    (void)state;
    int fd = world_send("GET", log_path(2, "?wait=60"), "", NULL);
    world_silent(fd);
    world_leave(fd, 0);
    assert_int_equal(put_status("7-1", 2, "?live", "abc"), 204);
    assert_int_equal(get_status(2, "?wait=0"), 200);
}

/* LIMIT_LIVE_LOGS may be looked at; the next not before one was left alone. */
static void only_so_many(void **state)
{
    (void)state;
    for (int i = 0; i < LIMIT_LIVE_LOGS; i++) {
        assert_int_equal(get_status(2 + i, "?wait=0"), 404);
        world_finish("a", 1);
    }
    assert_int_equal(get_status(2 + LIMIT_LIVE_LOGS, "?wait=0"), 503);
    world.now_ms += LIVE_BUSY_MS;
    assert_int_equal(get_status(2 + LIMIT_LIVE_LOGS, "?wait=0"), 404);
}

static void fenced(void **state)
{
    (void)state;
    int fd = world_send("GET", log_path(2, "?wait=60"), "", NULL);
    world_silent(fd);
    assert_int_equal(put_status("7-2", 2, "?live", "forged"), 404);
    assert_int_equal(put_status("6-1", 2, "?live", "forged"), 404);
    assert_int_equal(put_status("7-1", 41, "?live", "forged"), 404);
    assert_int_equal(put_status("7-1", 3, "?live", "ahead"), 204);
    /* Of frame 2 there is no report yet. */
    assert_int_equal(put_status("7-1", 2, "", "early"), 409);
    world_silent(fd);
    close(fd);
}

/* The ledger knows the first attempt as that of lease 7-1, by a. */
static void nothing_before_its_report(void **state)
{
    (void)state;
    world.facts[world.n_facts++] = (struct frame_fact){.ordinal = 0,
                                                       .lease = LEASE_ID(7, 1),
                                                       .agent = "a",
                                                       .blender = "",
                                                       .files = "",
                                                       .fault = "",
                                                       .text = ""};
    assert_int_equal(put_status("7-9", 1, "", "x"), 404);
    /* Taken by the fence; this broker has no place for it. */
    assert_int_equal(put_status("7-1", 1, "", "x"), 404);
    assert_int_equal(put_status("7-1", 2, "", "x"), 409);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(shown_as_it_grows),
        TEST(asked_once_a_second_while_somebody_looks),
        TEST(who_leaves_is_forgotten),
        TEST(only_so_many),
        TEST(fenced),
        TEST(nothing_before_its_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
