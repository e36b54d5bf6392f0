/* SPDX-License-Identifier: Apache-2.0
 *
 * The classic routes, byte for byte.
 */
#include "tests/unit/broker_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT "text/plain; charset=utf-8"
#define JSON "Accept: application/json\r\n"

/* Submits by the classic route; returns the id, valid until the next. */
static const char *render(const char *body)
{
    static char id[LIMIT_ID + 1];
    struct got got = world_ask("POST", "/render", "", body);
    assert_int_equal(got.status, 202);
    assert_int_equal(sscanf(got.body, "{\"jobId\":\"%64[^\"]\"}", id), 1);
    got_free(&got);
    return id;
}

static struct got status_of(const char *id, const char *headers)
{
    char path[128];
    snprintf(path, sizeof path, "/status/%s", id);
    return world_ask("GET", path, headers, NULL);
}

static void status_is(const char *id, int code, const char *text)
{
    struct got got = status_of(id, "");
    assert_int_equal(got.status, code);
    assert_string_equal(got.body, text);
    assert_string_equal(got_header(&got, "Content-Type"), TEXT);
    assert_int_equal(got_header(&got, "Retry-After") != NULL, code == 202);
    assert_int_equal(got_header(&got, "Location") != NULL, code == 202);
    got_free(&got);
}

static void a_submit(void **state)
{
    char id[LIMIT_ID + 1], expected[128];
    (void)state;
    struct got got =
        world_ask("POST", "/render", "Content-Type: application/json\r\n",
                  "{\"from\":1,\"to\":20}");
    assert_int_equal(got.status, 202);
    assert_int_equal(sscanf(got.body, "{\"jobId\":\"%64[A-Za-z0-9_-]\"}", id),
                     1);
    assert_int_equal(strlen(id), 22);
    snprintf(expected, sizeof expected, "{\"jobId\":\"%s\"}", id);
    assert_string_equal(got.body, expected);
    snprintf(expected, sizeof expected, "/status/%s", id);
    assert_string_equal(got_header(&got, "Location"), expected);
    assert_string_equal(got_header(&got, "Content-Type"), "application/json");
    got_free(&got);
    assert_true(job_find(world.core, id)->plain);
}

static void ids_differ(void **state)
{
    char first[LIMIT_ID + 1];
    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(first, sizeof first, "%s", render("{\"from\":1,\"to\":2}"));
        assert_true(first[0] != '-' && first[0] != '_');
        assert_string_not_equal(first, render("{\"from\":1,\"to\":2}"));
    }
}

static void any_field_may_be_added(void **state)
{
    (void)state;
    const struct job *job = job_find(
        world.core,
        render("{\"from\":1,\"to\":20,\"name\":\"shot\",\"priority\":9}"));
    assert_false(job->plain);
    assert_string_equal(job->name, "shot");
    assert_string_equal(job->user, "127.0.0.1");
    assert_int_equal(job->priority, 9);
}

static void bad_bodies(void **state)
{
    static const char *const rows[][2] = {
        {"", "Invalid input: the body is empty; send a JSON object"},
        {"{}", "Invalid input: field `from`: missing"},
        {"{\"from\":1}", "Invalid input: field `to`: missing"},
        {"{\"from\":\"1\",\"to\":20}",
         "Invalid input: field `from`: must be a whole number, not a string"},
        {"{\"from\":1,\"to\":1.5}",
         "Invalid input: field `to`: must be a whole number, not a real "
         "number"},
        {"{\"from\":9,\"to\":2}",
         "Invalid input: field `from`: must not be greater than `to` (9 > 2)"},
        {"{\"from\":1,\"to\":1048575}",
         "Invalid input: field `to`: must be from 0 to 1048574, not 1048575"},
        {"{\"from\":1,\"to\":2,\"form\":3}",
         "Invalid input: unknown field `form` (did you mean `from`?)"},
        {"[1,2]", "Invalid input: must be a JSON object, not a list"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct got got = world_ask("POST", "/render", "", rows[i][0]);
        assert_int_equal(got.status, 400);
        assert_string_equal(got.body, rows[i][1]);
        assert_string_equal(got_header(&got, "Content-Type"), TEXT);
        assert_string_equal(got_header(&got, "Vary"), "Accept");
        got_free(&got);
    }
    assert_int_equal(world.core->n_jobs, 0);
}

static void bad_bodies_as_json(void **state)
{
    (void)state;
    struct got got = world_ask("POST", "/render", JSON, "{\"from\":1}");
    assert_int_equal(got.status, 400);
    assert_string_equal(got_header(&got, "Content-Type"),
                        "application/problem+json");
    assert_string_equal(
        got.body,
        "{\"type\":\"about:blank\",\"title\":\"Invalid input\",\"status\":400,"
        "\"detail\":\"field `to`: missing\",\"instance\":\"/render\"}");
    got_free(&got);
}

static void a_job_from_start_to_end(void **state)
{
    char id[LIMIT_ID + 1];
    (void)state;
    snprintf(id, sizeof id, "%s", render("{\"from\":1,\"to\":3,\"batch\":3}"));
    status_is(id, 202, "Job still running");
    world_agent("a");
    status_is(id, 202, "Job still running");
    world_finish("a", 1);
    status_is(id, 202, "Job still running");
    world_finish("a", 2);
    status_is(id, 200, "Job completed");
}

static void a_job_that_failed(void **state)
{
    char id[LIMIT_ID + 1];
    (void)state;
    snprintf(id, sizeof id, "%s",
             render("{\"from\":1,\"to\":2,\"batch\":1,\"max_attempts\":1}"));
    world_agent("a");
    world_fail("a", FAULT_CRASH, "signal 11");
    status_is(id, 202, "Job still running");
    world_agent("a");
    world_finish("a", 1);
    status_is(id, 500, "Job failed: 1 of 2 frames failed (1)");
}

static void a_job_that_was_cancelled(void **state)
{
    char id[LIMIT_ID + 1], path[128];
    (void)state;
    snprintf(id, sizeof id, "%s", render("{\"from\":1,\"to\":2}"));
    snprintf(path, sizeof path, "/v1/jobs/%s:cancel", id);
    json_decref(world_json("POST", path, NULL, 200));
    status_is(id, 500, "Job cancelled");
}

static void paused_jobs_run_on(void **state)
{
    (void)state;
    status_is(render("{\"from\":1,\"to\":2,\"paused\":true}"), 202,
              "Job still running");
}

static void unknown_jobs(void **state)
{
    (void)state;
    status_is("nothing", 404, "Job not found");
    status_is("a%2Fb", 404, "Job not found");
    status_is("nothing:cancel", 404, "Job not found");
    status_is("of-an-id-that-is-longer-than-any-id-can-be-as-it-has-70-"
              "characters-now",
              404, "Job not found");
    struct got got = status_of("nothing", JSON);
    assert_int_equal(got.status, 404);
    assert_string_equal(got_header(&got, "Content-Type"),
                        "application/problem+json");
    got_free(&got);
}

static void documents_where_json_is_preferred(void **state)
{
    char id[LIMIT_ID + 1];
    (void)state;
    snprintf(id, sizeof id, "%s", render("{\"from\":1,\"to\":2}"));
    struct got got = status_of(id, JSON);
    assert_int_equal(got.status, 202);
    assert_string_equal(got_header(&got, "Content-Type"), "application/json");
    assert_non_null(strstr(got.body, "\"state\":\"queued\""));
    got_free(&got);
    got = status_of(id, "Accept: application/json, text/plain, */*\r\n");
    assert_string_equal(got.body, "Job still running");
    got_free(&got);
}

static void health(void **state)
{
    (void)state;
    struct got got = world_ask("GET", "/health", JSON, NULL);
    assert_int_equal(got.status, 200);
    assert_string_equal(got.body, "OK");
    assert_string_equal(got_header(&got, "Content-Type"), TEXT);
    got_free(&got);
}

static int render_with(const char *headers, const char *body, char *ret_id)
{
    struct got got = world_ask("POST", "/render", headers, body);
    int status = got.status;
    if (status == 202)
        sscanf(got.body, "{\"jobId\":\"%64[^\"]", ret_id);
    got_free(&got);
    return status;
}

static void keys_make_submits_repeatable(void **state)
{
    char first[LIMIT_ID + 1], again[LIMIT_ID + 1];
    const char *quoted = "Idempotency-Key: \"k-1\"\r\n";
    const char *plain = "Idempotency-Key: k-1\r\n";
    const char *body = "{\"from\":1,\"to\":2}";
    (void)state;
    assert_int_equal(render_with(quoted, body, first), 202);
    assert_int_equal(render_with(plain, body, again), 202);
    assert_string_equal(first, again);
    assert_int_equal(world.core->n_jobs, 1);
    assert_int_equal(render_with(plain, "{\"from\":1,\"to\":3}", again), 422);
    assert_int_equal(render_with("Idempotency-Key: \"\"\r\n", body, again),
                     400);
    assert_int_equal(world.core->n_jobs, 1);
}

static void a_full_disk_refuses_new_jobs(void **state)
{
    char id[LIMIT_ID + 1];
    const char *key = "Idempotency-Key: k\r\n", *body = "{\"from\":1,\"to\":2}";
    (void)state;
    assert_int_equal(render_with(key, body, id), 202);
    world.health = STORE_FULL;
    world.reason = "1 MiB left";
    struct got got = world_ask("POST", "/render", "", body);
    assert_int_equal(got.status, 507);
    assert_string_equal(
        got.body, "Insufficient storage: no room for new jobs: 1 MiB left");
    got_free(&got);
    assert_int_equal(render_with(key, body, id), 202); /* made already */
    status_is(id, 202, "Job still running");
}

static void a_full_farm_refuses_new_jobs(void **state)
{
    (void)state;
    for (int i = 0; i < world.core->options.jobs_max; i++)
        render("{\"from\":1,\"to\":2}");
    struct got got = world_ask("POST", "/render", "", "{\"from\":1,\"to\":2}");
    assert_int_equal(got.status, 429);
    assert_string_equal(got_header(&got, "Retry-After"), "5");
    got_free(&got);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_submit),
        TEST(ids_differ),
        TEST(any_field_may_be_added),
        TEST(bad_bodies),
        TEST(bad_bodies_as_json),
        TEST(a_job_from_start_to_end),
        TEST(a_job_that_failed),
        TEST(a_job_that_was_cancelled),
        TEST(paused_jobs_run_on),
        TEST(unknown_jobs),
        TEST(documents_where_json_is_preferred),
        TEST(health),
        TEST(keys_make_submits_repeatable),
        TEST(a_full_disk_refuses_new_jobs),
        TEST(a_full_farm_refuses_new_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
