/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/jobs: documents, lists, conditions, waits, changes.
 */
#include "tests/unit/broker_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/people/http_state.h"

#define BODY "{\"from\":1,\"to\":2}"

static char id[LIMIT_ID + 1];

static void submit(const char *body)
{
    snprintf(id, sizeof id, "%s", world_submit(body));
}

/* The path of the job with a tail, valid until the next. */
static const char *path_of(const char *tail)
{
    static char path[256];
    snprintf(path, sizeof path, "/v1/jobs/%s%s", id, tail);
    return path;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "(no text)";
}

/* The job's entity tag, with quotes. */
static const char *tag_of(void)
{
    static char tag[64];
    struct got got = world_ask("GET", path_of(""), "", NULL);
    assert_int_equal(got.status, 200);
    snprintf(tag, sizeof tag, "%s", got_header(&got, "ETag"));
    got_free(&got);
    return tag;
}

static void a_submit(void **state)
{
    char location[128];
    (void)state;
    struct got got = world_ask("POST", "/v1/jobs", "", BODY);
    assert_int_equal(got.status, 202);
    json_t *job = json_loads(got.body, 0, NULL);
    snprintf(location, sizeof location, "/v1/jobs/%s", text_of(job, "id"));
    assert_string_equal(got_header(&got, "Location"), location);
    assert_string_equal(text_of(job, "state"), "queued");
    assert_false(job_find(world.core, text_of(job, "id"))->plain);
    json_decref(job);
    got_free(&got);
}

static void problems_are_json(void **state)
{
    (void)state;
    struct got got =
        world_ask("POST", "/v1/jobs", "Accept: text/plain\r\n", "{}");
    assert_int_equal(got.status, 400);
    assert_string_equal(got_header(&got, "Content-Type"),
                        "application/problem+json");
    got_free(&got);
    json_decref(world_json("GET", "/v1/jobs/nothing", NULL, 404));
}

static void unknown_jobs_to_wait_for(void **state)
{
    (void)state;
    json_decref(world_json("POST", "/v1/jobs",
                           "{\"from\":1,\"to\":2,\"depends_on\":"
                           "[\"abcdefghijklmnop\"]}",
                           400));
}

/* A job that waits for one that will not complete says so, and what to do. */
static void waiting_in_vain(void **state)
{
    char body[256];
    (void)state;
    submit("{\"from\":1,\"to\":2,\"name\":\"sim\"}");
    snprintf(body, sizeof body, "{\"from\":1,\"to\":2,\"depends_on\":[\"%s\"]}",
             id);
    json_decref(world_json("POST", path_of(":cancel"), NULL, 200));
    json_t *job = world_json("POST", "/v1/jobs", body, 202);
    const json_t *list = json_object_get(job, "warnings");
    assert_int_equal(json_array_size(list), 2); /* no agent is there */
    assert_string_equal(
        json_string_value(json_array_get(list, 1)),
        "it waits for job sim, which was cancelled: retry that one, or remove "
        "it to go on without");
    json_decref(job);
}

/* What each error says of the way on. */
static void errors_name_what_is_wrong(void **state)
{
    char path[256];
    (void)state;
    submit(BODY);
    snprintf(path, sizeof path, "%s", path_of("/frames:cancel"));
    const char *const rows[][4] = {
        {"GET", "/v1/jobs?cursor=x", NULL,
         "parameter `cursor`: must be the `next` of the page before"},
        {"GET", "/v1/activity?cursor=0", NULL,
         "parameter `cursor`: must be the `next` of the page before"},
        {"GET", "/v1/events?after=x", NULL,
         "parameter `after`: must be an event's id, such as 7:123"},
        {"POST", path, "{\"frames\":\"2,99\"}",
         "field `frames`: 1 of them is not of this job, which has 2 from 1 to "
         "2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *problem = world_json(rows[i][0], rows[i][1], rows[i][2], 400);
        assert_string_equal(text_of(problem, "detail"), rows[i][3]);
        json_decref(problem);
    }
    struct got got =
        world_ask("GET", "/v1/events", "Last-Event-ID: x\r\n", NULL);
    assert_int_equal(got.status, 400);
    assert_non_null(strstr(got.body, "header `Last-Event-ID`: must be an"));
    got_free(&got);
}

static void tags_save_the_body(void **state)
{
    char header[128];
    (void)state;
    submit(BODY);
    assert_string_equal(tag_of(), "\"7-1\"");
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", tag_of());
    struct got got = world_ask("GET", path_of(""), header, NULL);
    assert_int_equal(got.status, 304);
    assert_int_equal(got.len, 0);
    assert_string_equal(got_header(&got, "ETag"), tag_of());
    got_free(&got);
    got = world_ask("GET", path_of(""), "If-None-Match: \"6-1\"\r\n", NULL);
    assert_int_equal(got.status, 200);
    got_free(&got);
}

static int waiting_for_change(const char *headers)
{
    int fd = world_send("GET", path_of(""), headers, NULL);
    world_silent(fd);
    assert_non_null(world.http->waiting);
    return fd;
}

static void waits_end_with_a_change(void **state)
{
    char header[128];
    (void)state;
    submit(BODY);
    snprintf(header, sizeof header, "Prefer: wait=30\r\nIf-None-Match: %s\r\n",
             tag_of());
    int fd = waiting_for_change(header);
    json_decref(world_json("PATCH", path_of(""), "{\"priority\":7}", 200));
    struct got got = world_receive(fd);
    assert_int_equal(got.status, 200);
    assert_string_equal(got_header(&got, "Preference-Applied"), "wait=30");
    assert_non_null(strstr(got.body, "\"priority\":7"));
    got_free(&got);
    assert_null(world.http->waiting);
    assert_null(world.http->waits);
}

static void waits_end_in_time(void **state)
{
    char header[128];
    (void)state;
    submit(BODY);
    snprintf(header, sizeof header, "Prefer: wait=30\r\nIf-None-Match: %s\r\n",
             tag_of());
    int fd = waiting_for_change(header);
    world.now_ms += 29999;
    world_silent(fd);
    assert_int_equal(http_wait(world.http, world.now_ms) <= 1, 1);
    world.now_ms += 1;
    struct got got = world_receive(fd);
    assert_int_equal(got.status, 304);
    got_free(&got);
}

static void waits_without_a_tag_want_the_next_change(void **state)
{
    (void)state;
    submit(BODY);
    int fd = waiting_for_change("Prefer: wait=5\r\n");
    world.now_ms += 5000;
    struct got got = world_receive(fd);
    assert_int_equal(got.status, 200);
    got_free(&got);
    fd = waiting_for_change("Prefer: wait=5\r\n");
    json_decref(world_json("POST", path_of(":cancel"), NULL, 200));
    got = world_receive(fd);
    assert_non_null(strstr(got.body, "\"state\":\"cancelled\""));
    got_free(&got);
    /* It has ended: there is nothing to wait for. */
    got = world_ask("GET", path_of(""), "Prefer: wait=5\r\n", NULL);
    assert_int_equal(got.status, 200);
    got_free(&got);
}

static void waits_by_query(void **state)
{
    (void)state;
    submit(BODY);
    struct got got = world_ask("GET", path_of("?wait=5&after=6-9"), "", NULL);
    assert_int_equal(got.status, 200);
    got_free(&got);
    int fd = world_send("GET", path_of("?wait=5&after=7-1"), "", NULL);
    world_silent(fd);
    world.now_ms += 5000;
    got = world_receive(fd);
    assert_int_equal(got.status, 200);
    got_free(&got);
    json_decref(world_json("GET", path_of("?wait=soon"), NULL, 400));
}

static void waits_are_capped(void **state)
{
    (void)state;
    submit(BODY);
    int fd = waiting_for_change("Prefer: wait=86400\r\n");
    world.now_ms += LIMIT_WAIT_MS;
    struct got got = world_receive(fd);
    assert_string_equal(got_header(&got, "Preference-Applied"), "wait=60");
    got_free(&got);
}

static void waits_end_with_the_job(void **state)
{
    (void)state;
    submit(BODY);
    json_decref(world_json("POST", path_of(":cancel"), NULL, 200));
    char header[128];
    snprintf(header, sizeof header, "Prefer: wait=30\r\nIf-None-Match: %s\r\n",
             tag_of());
    int fd = waiting_for_change(header);
    struct got got = world_ask("DELETE", path_of(""), "", NULL);
    assert_int_equal(got.status, 204);
    got_free(&got);
    got = world_receive(fd);
    assert_int_equal(got.status, 404);
    got_free(&got);
}

static void waits_end_when_clients_leave_or_the_broker_ends(void **state)
{
    (void)state;
    submit(BODY);
    int first = waiting_for_change("Prefer: wait=30\r\n");
    int second = waiting_for_change("Prefer: wait=30\r\n");
    world_leave(first, 1);
    assert_non_null(world.http->waiting);
    http_drain(world.http);
    assert_null(world.http->waiting);
    struct got got = world_receive(second);
    assert_int_equal(got.status, 200);
    got_free(&got);
}

static void patches(void **state)
{
    (void)state;
    submit(BODY);
    json_t *job =
        world_json("PATCH", path_of(""),
                   "{\"priority\":100,\"paused\":true,\"max_agents\":3}", 200);
    assert_string_equal(text_of(job, "state"), "paused");
    assert_int_equal(json_integer_value(json_object_get(job, "priority")), 100);
    json_decref(job);
    job = world_json("PATCH", path_of(""), "{\"paused\":false}", 200);
    assert_string_equal(text_of(job, "state"), "queued");
    assert_int_equal(json_integer_value(json_object_get(job, "max_agents")), 3);
    json_decref(job);
    static const char *const bad[] = {"{}",
                                      "{\"priority\":101}",
                                      "{\"priority\":null}",
                                      "{\"paused\":\"yes\"}",
                                      "{\"max_agents\":-1}",
                                      "{\"name\":\"x\"}",
                                      "[]",
                                      ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        json_decref(world_json("PATCH", path_of(""), bad[i], 400));
    json_decref(
        world_json("PATCH", "/v1/jobs/nothing", "{\"paused\":true}", 404));
}

static void changes_may_be_conditional(void **state)
{
    char header[128];
    (void)state;
    submit(BODY);
    struct got got = world_ask("PATCH", path_of(""), "If-Match: \"7-9\"\r\n",
                               "{\"priority\":1}");
    assert_int_equal(got.status, 412);
    got_free(&got);
    assert_int_equal(job_find(world.core, id)->priority, 50);
    snprintf(header, sizeof header, "If-Match: %s\r\n", tag_of());
    got = world_ask("PATCH", path_of(""), header, "{\"priority\":1}");
    assert_int_equal(got.status, 200);
    got_free(&got);
}

static void cancels(void **state)
{
    (void)state;
    submit(BODY);
    json_t *job =
        world_json("POST", path_of(":cancel"), "{\"reason\":\"wrong\"}", 200);
    assert_string_equal(text_of(job, "state"), "cancelled");
    assert_string_equal(text_of(job, "reason"), "wrong");
    json_decref(job);
    submit(BODY);
    json_decref(
        world_json("POST", path_of(":cancel"), "{\"reason\":\"\"}", 200));
    json_decref(world_json("POST", path_of(":cancel"), "{\"reason\":7}", 400));
    json_decref(world_json("POST", "/v1/jobs/nothing:cancel", NULL, 404));
}

static void only_ended_jobs_are_forgotten(void **state)
{
    (void)state;
    submit(BODY);
    json_decref(world_json("DELETE", path_of(""), NULL, 409));
    json_decref(world_json("DELETE", path_of("?frames=burn"), NULL, 400));
    json_decref(world_json("POST", path_of(":cancel"), NULL, 200));
    struct got got = world_ask("DELETE", path_of(""), "", NULL);
    assert_int_equal(got.status, 204);
    assert_int_equal(got.len, 0);
    got_free(&got);
    json_decref(world_json("GET", path_of(""), NULL, 404));
    json_decref(world_json("DELETE", path_of(""), NULL, 404));
}

/* The names of a list's jobs, one letter each, in order. */
static const char *names_of(const char *path)
{
    static char names[64];
    size_t i;
    json_t *job;
    json_t *list = world_json("GET", path, NULL, 200);
    memset(names, 0, sizeof names);
    json_array_foreach(json_object_get(list, "jobs"), i, job)
    {
        assert_true(i < sizeof names - 1);
        names[i] = text_of(job, "name")[0];
    }
    json_decref(list);
    return names;
}

static void submit_named(const char *name, const char *user)
{
    char body[128];
    snprintf(body, sizeof body,
             "{\"from\":1,\"to\":2,\"name\":\"%s\",\"user\":\"%s\"}", name,
             user);
    submit(body);
}

static void lists(void **state)
{
    (void)state;
    assert_string_equal(names_of("/v1/jobs"), "");
    submit_named("a-shot", "mira");
    submit_named("b-shot", "jon");
    json_decref(world_json("POST", path_of(":cancel"), NULL, 200));
    submit_named("c-turn", "mira");
    assert_string_equal(names_of("/v1/jobs"), "cba");
    assert_string_equal(names_of("/v1/jobs?state=cancelled"), "b");
    assert_string_equal(names_of("/v1/jobs?state=queued,cancelled"), "cba");
    assert_string_equal(names_of("/v1/jobs?state=running"), "");
    assert_string_equal(names_of("/v1/jobs?user=mira"), "ca");
    assert_string_equal(names_of("/v1/jobs?q=SHOT"), "ba");
    assert_string_equal(names_of("/v1/jobs?q=shot&user=jon"), "b");
    char path[128];
    snprintf(path, sizeof path, "/v1/jobs?q=%.10s", id);
    assert_string_equal(names_of(path), "c");
}

static void lists_by_the_page(void **state)
{
    char path[512];
    (void)state;
    for (char name[] = "a"; *name <= 'e'; ++*name)
        submit_named(name, "m & m");
    struct got got = world_ask(
        "GET", "/v1/jobs?limit=2&user=m+%26+m&state=queued", "", NULL);
    json_t *list = json_loads(got.body, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(list, "jobs")), 2);
    assert_string_equal(text_of(list, "next"), "4");
    json_decref(list);
    const char *link = got_header(&got, "Link");
    assert_string_equal(link, "</v1/jobs?limit=2&cursor=4&state=queued&user="
                              "m%20%26%20m>; rel=\"next\"");
    assert_int_equal(sscanf(link, "<%511[^>]", path), 1);
    got_free(&got);
    assert_string_equal(names_of(path), "cb");
    assert_string_equal(names_of("/v1/jobs?limit=2&cursor=2"), "a");
    list = world_json("GET", "/v1/jobs?limit=5", NULL, 200);
    assert_true(json_is_null(json_object_get(list, "next")));
    json_decref(list);
}

static void bad_lists(void **state)
{
    static const char *const paths[] = {"/v1/jobs?limit=0",
                                        "/v1/jobs?limit=1001",
                                        "/v1/jobs?limit=x",
                                        "/v1/jobs?limit=",
                                        "/v1/jobs?limit=1x",
                                        "/v1/jobs?limit=-1",
                                        "/v1/jobs?cursor=x",
                                        "/v1/jobs?state=done",
                                        "/v1/jobs?limit=99999999999999999999"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        json_decref(world_json("GET", paths[i], NULL, 400));
    json_decref(world_json("GET", "/v1/jobs?limit=1000", NULL, 200));
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_submit),
        TEST(problems_are_json),
        TEST(unknown_jobs_to_wait_for),
        TEST(waiting_in_vain),
        TEST(errors_name_what_is_wrong),
        TEST(tags_save_the_body),
        TEST(waits_end_with_a_change),
        TEST(waits_end_in_time),
        TEST(waits_without_a_tag_want_the_next_change),
        TEST(waits_by_query),
        TEST(waits_are_capped),
        TEST(waits_end_with_the_job),
        TEST(waits_end_when_clients_leave_or_the_broker_ends),
        TEST(patches),
        TEST(changes_may_be_conditional),
        TEST(cancels),
        TEST(only_ended_jobs_are_forgotten),
        TEST(lists),
        TEST(lists_by_the_page),
        TEST(bad_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
