/* SPDX-License-Identifier: Apache-2.0
 *
 * What the HTTP face refuses whatever the route, and the commit gate that every
 * answer about the core waits behind.
 */
#include "tests/unit/broker_world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/people/http_state.h"

static void answers(const char *method, const char *path, const char *headers,
                    int status, const char *body)
{
    struct got got = world_ask(method, path, headers, NULL);
    assert_int_equal(got.status, status);
    if (body)
        assert_string_equal(got.body, body);
    assert_string_equal(got_header(&got, "X-Content-Type-Options"), "nosniff");
    got_free(&got);
}

static void unknown_paths(void **state)
{
    (void)state;
    answers("GET", "/nothing", "", 404, "Not found: there is no /nothing");
    answers("GET", "/nothing", "Accept: application/json\r\n", 404,
            "{\"type\":\"about:blank\",\"title\":\"Not found\",\"status\":404,"
            "\"detail\":\"there is no /nothing\",\"instance\":\"/nothing\"}");
    answers("GET", "/v1/nothing", "Accept: text/plain\r\n", 404,
            "{\"type\":\"about:blank\",\"title\":\"Not found\",\"status\":404,"
            "\"detail\":\"there is no /v1/nothing\","
            "\"instance\":\"/v1/nothing\"}");
}

static void long_paths(void **state)
{
    char path[3001] = "/v1/";
    (void)state;
    for (size_t at = 4; at + 6 < sizeof path; at += 6)
        memcpy(path + at, "%C3%A4", 7);
    json_t *problem = world_json("GET", path, NULL, 404);
    const json_t *detail = json_object_get(problem, "detail");
    assert_true(json_is_string(detail));
    assert_true(json_string_length(detail) < 300);
    json_decref(problem);
}

static void other_methods(void **state)
{
    (void)state;
    struct got got = world_ask("GET", "/render", "", NULL);
    assert_int_equal(got.status, 405);
    assert_string_equal(got_header(&got, "Allow"), "POST");
    assert_string_equal(got.body, "Method not allowed: this path takes POST");
    got_free(&got);
    got = world_ask("OPTIONS", "/v1/jobs", "", NULL);
    assert_int_equal(got.status, 204);
    assert_string_equal(got_header(&got, "Allow"), "POST, GET, HEAD");
    got_free(&got);
}

static void pages_of_other_sites(void **state)
{
    (void)state;
    const char *evil = "Origin: http://evil.example\r\n";
    struct got got =
        world_ask("POST", "/render", evil, "{\"from\":1,\"to\":2}");
    assert_int_equal(got.status, 403);
    got_free(&got);
    assert_int_equal(world.core->n_jobs, 0);
    got = world_ask("GET", "/health", evil, NULL);
    assert_int_equal(got.status, 200);
    assert_null(got_header(&got, "Access-Control-Allow-Origin"));
    got_free(&got);
    got = world_ask("POST", "/render", "Sec-Fetch-Site: cross-site\r\n",
                    "{\"from\":1,\"to\":2}");
    assert_int_equal(got.status, 403);
    got_free(&got);
    assert_int_equal(world.core->n_jobs, 0);
    assert_int_equal(broker_refusals(world.broker, REFUSED_SITE), 2);
}

static int ask_typed(const char *type)
{
    struct got got =
        world_ask("POST", "/render", type, "{\"from\":1,\"to\":2}");
    int status = got.status;
    got_free(&got);
    return status;
}

static void content_types(void **state)
{
    (void)state;
    assert_int_equal(ask_typed(""), 202);
    assert_int_equal(ask_typed("Content-Type: application/json\r\n"), 202);
    assert_int_equal(
        ask_typed("Content-Type: application/x-www-form-urlencoded\r\n"), 202);
    assert_int_equal(ask_typed("Content-Type: text/plain\r\n"), 415);
    assert_int_equal(ask_typed("Content-Type: multipart/form-data\r\n"), 415);
}

static void head_has_no_body(void **state)
{
    (void)state;
    int fd = world_send("HEAD", "/health", "Connection: close\r\n", NULL);
    char *all = world_read(fd, "\r\n\r\n");
    assert_non_null(strstr(all, "200 OK"));
    assert_null(strstr(all, "\r\n\r\nOK"));
    free(all);
    close(fd);
}

static void the_gate_holds_submits_and_reads(void **state)
{
    (void)state;
    world.hold = true;
    int submit = world_send("POST", "/render", "", "{\"from\":1,\"to\":2}");
    world_silent(submit);
    assert_int_equal(world.core->n_jobs, 1);
    int read = world_send("GET", "/v1/jobs", "", NULL);
    world_silent(read);
    answers("GET", "/health", "", 200, "OK");
    world.hold = false;
    struct got got = world_receive(submit);
    assert_int_equal(got.status, 202);
    got_free(&got);
    got = world_receive(read);
    assert_int_equal(got.status, 200);
    got_free(&got);
}

static void clients_may_leave_at_the_gate(void **state)
{
    (void)state;
    world.hold = true;
    int fd = world_send("POST", "/render", "", "{\"from\":1,\"to\":2}");
    world_silent(fd);
    assert_int_equal(world.http->n_open, 1);
    world_leave(fd, 0);
    assert_int_equal(world.http->n_open, 0);
    assert_false(broker_waiting(world.broker));
    world.hold = false;
    world_turn();
    assert_int_equal(world.core->n_jobs, 1);
}

static void a_broken_ledger_is_said(void **state)
{
    (void)state;
    world.hold = true;
    int fd = world_send("POST", "/render", "", "{\"from\":1,\"to\":2}");
    world_silent(fd);
    world.health = STORE_BROKEN;
    world.reason = "no disk";
    struct got got = world_receive(fd);
    assert_int_equal(got.status, 503);
    assert_non_null(strstr(got.body, "ledger"));
    got_free(&got);
    answers("GET", "/v1/jobs", "", 503, NULL);
    answers("GET", "/readyz", "", 503, NULL);
    answers("GET", "/health", "", 200, "OK");
    answers("GET", "/livez", "", 200, "ok");
}

static void no_more_than_can_be_parked(void **state)
{
    (void)state;
    world.http->n_open = LIMIT_PARKED - 1;
    answers("GET", "/health", "", 200, "OK");
    world.http->n_open = LIMIT_PARKED;
    struct got got = world_ask("GET", "/health", "", NULL);
    assert_int_equal(got.status, 503);
    assert_string_equal(got_header(&got, "Retry-After"), "5");
    got_free(&got);
    world.http->n_open = 0;
}

static void nothing_new_while_draining(void **state)
{
    (void)state;
    broker_drain(world.broker);
    http_drain(world.http);
    struct got got = world_ask("POST", "/render", "", "{\"from\":1,\"to\":2}");
    assert_int_equal(got.status, 503);
    assert_string_equal(got_header(&got, "Retry-After"), "5");
    got_free(&got);
    answers("GET", "/readyz", "", 503, NULL);
    answers("GET", "/v1/events", "", 503, NULL);
    assert_int_equal(world.core->n_jobs, 0);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unknown_paths),
        TEST(long_paths),
        TEST(other_methods),
        TEST(pages_of_other_sites),
        TEST(content_types),
        TEST(head_has_no_body),
        TEST(the_gate_holds_submits_and_reads),
        TEST(clients_may_leave_at_the_gate),
        TEST(a_broken_ledger_is_said),
        TEST(no_more_than_can_be_parked),
        TEST(nothing_new_while_draining),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
