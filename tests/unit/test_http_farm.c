/* SPDX-License-Identifier: Apache-2.0
 *
 * Farm, agents, what machines ask of the broker, and the files built in.
 */
#include "tests/unit/broker_world.h"

#include <stdlib.h>
#include <string.h>

#include "broker/people/http_state.h"

static json_t *get(const char *path)
{
    return world_json("GET", path, NULL, 200);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "(no text)";
}

static json_int_t int_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void the_farm(void **state)
{
    (void)state;
    world_submit("{\"from\":1,\"to\":20}");
    world_agent("a");
    json_t *farm = get("/v1/farm");
    assert_string_equal(text_of(farm, "version"), FRAMEQ_VERSION);
    assert_int_equal(int_of(farm, "epoch"), 7);
    assert_string_equal(text_of(farm, "seq"), "7:0");
    assert_string_equal(text_of(farm, "state"), "working");
    assert_string_equal(text_of(farm, "started_at"),
                        "1970-01-01T00:00:01.000Z");
    const json_t *ports = json_object_get(farm, "ports");
    assert_int_equal(int_of(ports, "http"), 1);
    assert_int_equal(int_of(ports, "status"), 2);
    assert_int_equal(int_of(ports, "control"), 3);
    assert_int_equal(int_of(ports, "feed"), 4);
    assert_true(json_is_null(json_object_get(farm, "server_key")));
    assert_int_equal(int_of(json_object_get(farm, "agents"), "up"), 1);
    assert_int_equal(int_of(json_object_get(farm, "slots"), "total"), 1);
    assert_int_equal(int_of(json_object_get(farm, "jobs"), "running"), 1);
    const json_t *ledger = json_object_get(farm, "ledger");
    assert_string_equal(text_of(ledger, "state"), "ok");
    assert_true(json_is_null(json_object_get(ledger, "reason")));
    json_decref(farm);
}

static void a_full_ledger_is_said(void **state)
{
    (void)state;
    world.health = STORE_FULL;
    world.reason = "1 MiB left";
    json_t *farm = get("/v1/farm");
    const json_t *ledger = json_object_get(farm, "ledger");
    assert_string_equal(text_of(ledger, "state"), "full");
    assert_string_equal(text_of(ledger, "reason"), "1 MiB left");
    json_decref(farm);
}

static void agents(void **state)
{
    (void)state;
    world_agent("a");
    world_agent("b");
    json_t *list = get("/v1/agents");
    const json_t *all = json_object_get(list, "agents");
    assert_int_equal(json_array_size(all), 2);
    assert_string_equal(text_of(json_array_get(all, 1), "name"), "b");
    json_decref(list);
    json_t *agent = get("/v1/agents/a");
    assert_int_equal(int_of(agent, "free"), 1);
    json_decref(agent);
    json_decref(world_json("GET", "/v1/agents/c", NULL, 404));
}

static void drains(void **state)
{
    (void)state;
    world_agent("a");
    json_t *agent = world_json(
        "PATCH", "/v1/agents/a",
        "{\"drain\":\"soft\",\"until\":\"2027-01-16T00:00:00Z\"}", 200);
    assert_string_equal(text_of(agent, "drain"), "soft");
    assert_string_equal(text_of(agent, "drain_until"),
                        "2027-01-16T00:00:00.000Z");
    json_decref(agent);
    agent = world_json("PATCH", "/v1/agents/a",
                       "{\"drain\":\"off\",\"until\":null}", 200);
    assert_string_equal(text_of(agent, "drain"), "off");
    json_decref(agent);
    json_decref(
        world_json("PATCH", "/v1/agents/a", "{\"drain\":\"now\"}", 200));
    json_decref(
        world_json("PATCH", "/v1/agents/c", "{\"drain\":\"now\"}", 404));
}

static void bad_drains(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"drain\":\"on\"}",
        "{\"drain\":true}",
        "{\"until\":null}",
        "{\"drain\":\"soft\",\"until\":\"2027-01-15T08:00:00Z\"}",
        "{\"drain\":\"soft\",\"until\":\"2020-01-15T08:00:00Z\"}",
        "{\"drain\":\"soft\",\"until\":\"tomorrow\"}",
        "{\"drain\":\"soft\",\"until\":7}",
        "{\"drain\":\"off\",\"until\":\"2028-01-15T08:00:00Z\"}",
        "{\"drian\":\"off\"}"};
    (void)state;
    world_agent("a");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        json_decref(world_json("PATCH", "/v1/agents/a", bad[i], 400));
    assert_int_equal(agent_find(world.core, "a")->drain, DRAIN_OFF);
}

static void text_is(const char *path, int status, const char *body)
{
    struct got got = world_ask("GET", path, "", NULL);
    assert_int_equal(got.status, status);
    assert_string_equal(got.body, body);
    got_free(&got);
}

static void alive_and_ready(void **state)
{
    (void)state;
    text_is("/livez", 200, "ok");
    text_is("/readyz", 200, "ok");
    text_is("/healthz", 200, "ok");
    text_is("/readyz?verbose", 200, "[+]ledger ok\n[+]serving ok\n");
    world.health = STORE_FULL;
    world.reason = "1 MiB left";
    text_is("/livez", 200, "ok");
    text_is("/readyz", 503, "[-]ledger failed: 1 MiB left\n[+]serving ok\n");
}

/* Whether a line of text begins so. */
static void has_line(const char *text, const char *begin)
{
    size_t len = strlen(begin);
    for (const char *at = text; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, begin, len) == 0)
            return;
    }
    fail_msg("no line \"%s\" in:\n%s", begin, text);
}

static void metrics(void **state)
{
    (void)state;
    world_submit("{\"from\":1,\"to\":20}");
    struct ranges four = {.count = 4};
    const struct event events[] = {
        {.type = EVENT_DONE, .number = 1500},
        {.type = EVENT_CANCELLED, .frames = &four},
        {.type = EVENT_CHARGED, .lo = 2},
        {.type = EVENT_HEARD},
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        meter_event(&world.http->meter, &events[i]);
    world_turn();
    http_turned(world.http, 7);
    struct got got = world_ask("GET", "/metrics", "", NULL);
    assert_int_equal(got.status, 200);
    assert_string_equal(got_header(&got, "Content-Type"),
                        "text/plain; version=0.0.4; charset=utf-8");
    has_line(got.body, "frameq_queue_frames{state=\"pending\"} 20\n");
    has_line(got.body, "frameq_jobs{state=\"queued\"} 1\n");
    has_line(got.body, "frameq_frames_total{state=\"done\"} 1\n");
    has_line(got.body, "frameq_frames_total{state=\"cancelled\"} 4\n");
    has_line(got.body, "frameq_frames_total{state=\"charged\"} 1\n");
    has_line(got.body, "frameq_frame_render_seconds_bucket{le=\"1\"} 0\n");
    has_line(got.body, "frameq_frame_render_seconds_bucket{le=\"2\"} 1\n");
    has_line(got.body, "frameq_frame_render_seconds_sum 1.5\n");
    has_line(got.body, "frameq_http_requests_total{method=\"POST\","
                       "route=\"/v1/jobs\",code=\"202\"} 1\n");
    has_line(got.body, "frameq_loop_turn_seconds_bucket{le=\"0.005\"} 0\n");
    has_line(got.body, "frameq_loop_turn_seconds_bucket{le=\"0.01\"} 1\n");
    has_line(got.body, "frameq_sse_clients 0\n");
    has_line(got.body, "frameq_ledger_ok 1\n");
    has_line(got.body, "frameq_refused_total{why=\"token\"} 0\n");
    has_line(got.body, "process_resident_memory_bytes ");
    assert_null(strstr(got.body, "process_open_fds 0\n"));
    got_free(&got);
}

/* What Prometheus asks for. */
static void open_metrics(void **state)
{
    (void)state;
    struct got got =
        world_ask("GET", "/metrics",
                  "Accept: application/openmetrics-text;version=1.0.0;q=0.6,"
                  "text/plain;version=0.0.4;q=0.3,*/*;q=0.2\r\n",
                  NULL);
    assert_int_equal(got.status, 200);
    assert_string_equal(got_header(&got, "Content-Type"),
                        "application/openmetrics-text; version=1.0.0; "
                        "charset=utf-8");
    has_line(got.body, "# TYPE frameq_frames counter\n");
    has_line(got.body, "frameq_frames_total{state=\"done\"} 0\n");
    has_line(got.body, "# TYPE frameq_queue_frames gauge\n");
    assert_string_equal(got.body + got.len - 6, "# EOF\n");
    got_free(&got);
}

/* Jobs that cannot be handed out are not what has waited longest. */
static void metrics_of_the_queue(void **state)
{
    (void)state;
    world_submit("{\"from\":1,\"to\":2,\"paused\":true}");
    world_submit("{\"from\":1,\"to\":2,"
                 "\"not_before\":\"2099-01-01T00:00:00Z\"}");
    world.now_ms += 5000;
    world_submit("{\"from\":1,\"to\":2}");
    world_submit("{\"from\":1,\"to\":2,\"priority\":90}");
    world.now_ms += 2500;
    struct got got = world_ask("GET", "/metrics", "", NULL);
    has_line(got.body, "frameq_queue_oldest_seconds 2.5\n");
    has_line(got.body, "frameq_jobs{state=\"queued\"} 3\n");
    has_line(got.body, "frameq_jobs{state=\"paused\"} 1\n");
    got_free(&got);
}

/* It is the disk that they are to tell of. */
static void metrics_without_a_disk(void **state)
{
    (void)state;
    world.hold = true;
    world.health = STORE_FULL;
    world.reason = "no space left";
    struct got got = world_ask("GET", "/metrics", "", NULL);
    assert_int_equal(got.status, 200);
    has_line(got.body, "frameq_ledger_ok 0\n");
    got_free(&got);
}

static void the_page(void **state)
{
    static const char *const paths[] = {"/", "/app.js", "/app.css",
                                        "/favicon.svg", "/v1/openapi.yaml"};
    char header[128];
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct got got = world_ask("GET", paths[i], "", NULL);
        assert_int_equal(got.status, 200);
        assert_true(got.len > 50);
        assert_non_null(strstr(got_header(&got, "Content-Security-Policy"),
                               "default-src 'none'"));
        snprintf(header, sizeof header, "If-None-Match: %s\r\n",
                 got_header(&got, "ETag"));
        got_free(&got);
        got = world_ask("GET", paths[i], header, NULL);
        assert_int_equal(got.status, 304);
        got_free(&got);
    }
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

static void noted(size_t i, const char *expected)
{
    assert_string_equal(world.notes[i], expected);
}

static void who_did_what(void **state)
{
    (void)state;
    char path[128];
    char id[LIMIT_ID + 1];
    snprintf(id, sizeof id, "%s",
             world_submit("{\"frames\":\"1-3\",\"name\":\"shot\","
                          "\"user\":\"ann\"}"));
    snprintf(path, sizeof path, "/v1/jobs/%s", id);
    struct got got = world_ask(
        "PATCH", path, "Content-Type: application/json\r\nFrameq-User: bob\r\n",
        "{\"paused\":true,\"priority\":80}");
    assert_int_equal(got.status, 200);
    got_free(&got);
    snprintf(path, sizeof path, "/v1/jobs/%s:cancel", id);
    json_decref(world_json("POST", path, "{\"reason\":\"no\"}", 200));
    snprintf(path, sizeof path, "/v1/jobs/%s", id);
    got = world_ask("DELETE", path, "", NULL);
    assert_int_equal(got.status, 204);
    got_free(&got);
    noted(0, "submitted|ann|shot||3 frames, priority 50");
    noted(1, "paused|bob|shot||");
    noted(2, "priority|bob|shot||50 to 80");
    noted(3, "cancelled|127.0.0.1|shot||no");
    noted(4, "ended||shot||cancelled: 0 frames done, 0 failed, 3 cancelled: "
             "no");
    noted(5, "deleted|127.0.0.1|shot||");
    assert_int_equal(world.n_notes, 6);
    world_agent("a");
    noted(6, "agent_up|||a|");
}

static void activity_in_pages(void **state)
{
    (void)state;
    world.n_rows = 3;
    json_t *page = get("/v1/activity?limit=2&since=12h&user=ann");
    const json_t *rows = json_object_get(page, "activity");
    assert_int_equal(json_array_size(rows), 2);
    const json_t *row = json_array_get(rows, 0);
    assert_string_equal(text_of(row, "what"), "cancelled");
    assert_string_equal(text_of(row, "user"), "ann");
    assert_int_equal(int_of(row, "times"), 3);
    assert_true(json_is_null(json_object_get(row, "job")));
    assert_string_equal(text_of(page, "next"), "99");
    assert_int_equal(world.asked.limit, 3);
    assert_int_equal(world.asked.since_ms, world.now_ms - 12 * 3600 * 1000);
    json_decref(page);
    page = get("/v1/activity?limit=3&since=2026-11-24T20:00:00Z&cursor=99");
    assert_true(json_is_null(json_object_get(page, "next")));
    assert_int_equal(world.asked.before, 99);
    json_decref(page);
    static const char *const wrong[] = {"since=soon", "limit=0", "limit=1001",
                                        "cursor=0"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char path[64];
        snprintf(path, sizeof path, "/v1/activity?%s", wrong[i]);
        json_decref(world_json("GET", path, NULL, 400));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_farm),
        TEST(a_full_ledger_is_said),
        TEST(agents),
        TEST(who_did_what),
        TEST(activity_in_pages),
        TEST(drains),
        TEST(bad_drains),
        TEST(alive_and_ready),
        TEST(metrics),
        TEST(open_metrics),
        TEST(metrics_of_the_queue),
        TEST(metrics_without_a_disk),
        TEST(the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
