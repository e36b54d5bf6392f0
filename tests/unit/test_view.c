/* SPDX-License-Identifier: Apache-2.0
 *
 * The core as JSON. The state is made by events applied as a replay would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "broker/people/jobspec.h"
#include "broker/views/view.h"

#define ID     "job-0123456789abcdef"
#define NOW_MS INT64_C(1800000000000) /* 2027-01-15T08:00:00Z */

static struct core *core;
static struct arena arena;
static uint64_t seq;

static int make_core(void **state)
{
    (void)state;
    const struct core_options options = {.max_attempts = 3,
                                         .lease_ttl_ms = 15000,
                                         .jobs_max = 10,
                                         .agents_max = 10};
    core = core_new(&options);
    seq = 0;
    return 0;
}

static int drop_core(void **state)
{
    (void)state;
    core_free(&core);
    arena_done(&arena);
    return 0;
}

static void apply(struct event event)
{
    event.seq = ++seq;
    event.at_ms = NOW_MS + (int64_t)seq * 1000;
    core_apply(core, &event);
}

static const struct job *submit(const char *body)
{
    char why[256];
    struct job_spec spec;
    assert_true(
        jobspec_read(body, strlen(body), &arena, &spec, why, sizeof why));
    spec.id = ID;
    apply((struct event){.type = EVENT_SUBMITTED, .job = ID, .spec = &spec});
    jobspec_done(&spec);
    return job_find(core, ID);
}

static void lease(uint64_t id, const char *agent, int32_t lo, int32_t hi)
{
    apply((struct event){.type = EVENT_LEASED,
                         .job = ID,
                         .agent = agent,
                         .lease = id,
                         .lo = lo,
                         .hi = hi});
}

static void finish(uint64_t id, const char *agent, int32_t at, int32_t ms)
{
    apply((struct event){.type = EVENT_DONE,
                         .job = ID,
                         .agent = agent,
                         .lease = id,
                         .lo = at,
                         .hi = at + 1,
                         .number = ms,
                         .text = "",
                         .detail = "3.4.1"});
}

static void charge(enum event_type type, const char *agent, int32_t at,
                   enum fault fault, const char *text)
{
    struct range run = {at, at + 1};
    struct ranges one = {.at = &run, .n = 1, .cap = 1, .count = 1};
    apply((struct event){.type = type,
                         .job = ID,
                         .agent = agent,
                         .lo = at,
                         .hi = at + 1,
                         .frames = &one,
                         .fault = (int32_t)fault,
                         .text = text});
}

static void give_up(int32_t at, enum fault fault, const char *text)
{
    charge(EVENT_FAILED, "a", at, fault, text);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "(no text)";
}

static json_int_t int_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

/* Whether JSON is written exactly so; takes json. */
static void is_written(json_t *json, const char *expected)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_true(view_write(json, &text));
    assert_string_equal(buf_text(&text), expected);
    buf_free(&text);
    json_decref(json);
}

static void numbers_are_written_short(void **state)
{
    (void)state;
    is_written(view_seconds(1200), "1.2");
    is_written(view_seconds(100), "0.1");
    is_written(view_seconds(12345678), "12345.678");
    is_written(view_time(0), "null");
    is_written(view_time(NOW_MS), "\"2027-01-15T08:00:00.000Z\"");
    is_written(view_text_or_null(""), "null");
    is_written(view_text_or_null(NULL), "null");
}

static void leases_have_two_numbers(void **state)
{
    char text[VIEW_LEASE_SIZE];
    (void)state;
    assert_string_equal(view_lease(LEASE_ID(7, 12), text), "7-12");
    assert_string_equal(view_lease(UINT64_MAX, text), "16777215-1099511627775");
}

static void a_new_job(void **state)
{
    (void)state;
    json_t *doc = view_job(core, submit("{\"from\":1,\"to\":20}"));
    assert_string_equal(text_of(doc, "id"), ID);
    assert_string_equal(text_of(doc, "state"), "queued");
    assert_string_equal(text_of(doc, "frames"), "1-20");
    assert_int_equal(int_of(doc, "from"), 1);
    assert_int_equal(int_of(doc, "to"), 20);
    assert_string_equal(text_of(doc, "batch"), "auto");
    assert_int_equal(int_of(doc, "priority"), 50);
    assert_int_equal(int_of(doc, "max_attempts"), 3);
    assert_string_equal(text_of(doc, "missing_files"), "fail");
    assert_string_equal(text_of(doc, "scripts"), "off");
    assert_true(json_is_false(json_object_get(doc, "paused")));
    static const char *const nulls[] = {"eta_seconds", "seconds", "started_at",
                                        "ended_at", "reason"};
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        assert_true(json_is_null(json_object_get(doc, nulls[i])));
    assert_string_equal(text_of(doc, "created_at"), "2027-01-15T08:00:01.000Z");
    assert_int_equal(json_array_size(json_object_get(doc, "failures")), 0);
    json_decref(doc);
}

static void counts_by_state(void **state)
{
    (void)state;
    const struct job *job = submit("{\"from\":1,\"to\":10}");
    lease(1, "a", 0, 4);
    finish(1, "a", 0, 1000);
    give_up(8, FAULT_CRASH, "");
    is_written(view_counts(job), "{\"total\":10,\"pending\":5,\"leased\":3,"
                                 "\"done\":1,\"failed\":1,\"cancelled\":0}");
}

static void fields_come_back_as_given(void **state)
{
    (void)state;
    json_t *doc = view_job(
        core, submit("{\"frames\":\"1-9x2\",\"name\":\"shot\",\"samples\":64,"
                     "\"labels\":{\"a\":\"b\"},\"scripts\":\"on\","
                     "\"batch\":5,\"timeout_seconds\":0.1}"));
    assert_string_equal(text_of(doc, "name"), "shot");
    assert_string_equal(text_of(doc, "frames"), "1-9x2");
    assert_int_equal(int_of(doc, "samples"), 64);
    assert_int_equal(int_of(doc, "batch"), 5);
    assert_string_equal(text_of(doc, "scripts"), "on");
    assert_string_equal(text_of(json_object_get(doc, "labels"), "a"), "b");
    assert_null(json_object_get(doc, "from"));
    json_decref(doc);
}

static void changes_beat_what_was_given(void **state)
{
    (void)state;
    const struct job *job =
        submit("{\"from\":1,\"to\":2,\"priority\":9,\"paused\":false}");
    apply((struct event){.type = EVENT_PATCHED,
                         .job = ID,
                         .number = 77,
                         .flag = true,
                         .limit = 4});
    json_t *doc = view_job(core, job);
    assert_int_equal(int_of(doc, "priority"), 77);
    assert_int_equal(int_of(doc, "max_agents"), 4);
    assert_true(json_is_true(json_object_get(doc, "paused")));
    assert_string_equal(text_of(doc, "state"), "paused");
    json_decref(doc);
}

static void eta_wants_three_frames(void **state)
{
    (void)state;
    const struct job *job = submit("{\"from\":1,\"to\":23}");
    lease(1, "a", 0, 13);
    for (int32_t at = 0; at < 2; at++)
        finish(1, "a", at, 2000);
    json_t *doc = view_job(core, job);
    assert_true(json_is_null(json_object_get(doc, "eta_seconds")));
    json_decref(doc);
    finish(1, "a", 2, 2000);
    doc = view_job(core, job);
    const json_t *eta = json_object_get(doc, "eta_seconds");
    /* Twenty left, two seconds each, one lease; three alike do not prove that
     * all are. See test_eta.c. */
    assert_in_range(int_of(eta, "low"), 20, 38);
    assert_in_range(int_of(eta, "high"), 42, 70);
    const json_t *seconds = json_object_get(doc, "seconds");
    assert_true(json_real_value(json_object_get(seconds, "max")) == 2.0);
    json_decref(doc);
}

/* {"low","high"} of all that waits; high -1: open, both -2: nobody can tell. */
static void expect_queue(json_int_t low, json_int_t high)
{
    json_t *eta = view_queue_eta(core);
    json_int_t got_low = -2, got_high = -2;
    if (json_is_object(eta)) {
        got_low = int_of(eta, "low");
        bool open = json_is_null(json_object_get(eta, "high"));
        got_high = open ? -1 : int_of(eta, "high");
    }
    json_decref(eta);
    if (got_low != low || got_high != high)
        fail_msg("%lld-%lld", (long long)got_low, (long long)got_high);
}

static void how_long_all_takes(void **state)
{
    (void)state;
    expect_queue(-2, -2); /* nothing is there */
    core->committed = 1000;
    submit("{\"frames\":\"1-23\"}");
    expect_queue(-2, -2);
    core->slots = 10;
    lease(1, "a", 0, 3);
    for (int32_t i = 0; i < 3; i++)
        finish(1, "a", i, 10000);
    json_t *eta = view_queue_eta(core);
    /* 20 frames of 10 s by 10 slots. */
    assert_true(int_of(eta, "low") < 20 && int_of(eta, "high") > 20);
    json_decref(eta);
    ((struct job *)(uintptr_t)job_find(core, ID))->max_agents = 1;
    eta = view_queue_eta(core);
    assert_true(json_is_null(json_object_get(eta, "high")));
    json_decref(eta);
}

static void failed_frames_in_words(void **state)
{
    struct buf text;
    (void)state;
    const struct job *job = submit("{\"from\":1,\"to\":20}");
    give_up(6, FAULT_CRASH, "");
    give_up(11, FAULT_CRASH, "");
    buf_init(&text, 1000);
    view_failed_text(job, &text);
    assert_string_equal(buf_text(&text), "2 of 20 frames failed (7, 12)");
    buf_free(&text);
}

static void at_most_twenty_are_named(void **state)
{
    struct buf text;
    (void)state;
    const struct job *job = submit("{\"from\":1,\"to\":100}");
    for (int32_t at = 0; at < 84; at += 4)
        give_up(at, FAULT_CRASH, "");
    buf_init(&text, 1000);
    view_failed_text(job, &text);
    assert_string_equal(
        buf_text(&text),
        "21 of 100 frames failed (1, 5, 9, 13, 17, 21, 25, 29, 33, 37, 41, 45, "
        "49, 53, 57, 61, 65, 69, 73, 77, ...)");
    buf_free(&text);
    json_t *doc = view_job(core, job);
    assert_int_equal(json_array_size(json_object_get(doc, "failures")), 20);
    json_decref(doc);
}

static void states_are_letters(void **state)
{
    (void)state;
    const struct job *job = submit("{\"from\":1,\"to\":8}");
    lease(1, "a", 0, 4);
    finish(1, "a", 0, 1000);
    apply((struct event){.type = EVENT_PROGRESS,
                         .job = ID,
                         .agent = "a",
                         .lease = 1,
                         .lo = 2,
                         .number = 500});
    give_up(5, FAULT_CRASH, "");
    struct range run = {6, 7};
    struct ranges one = {.at = &run, .n = 1, .cap = 1, .count = 1};
    apply((struct event){.type = EVENT_CANCELLED, .job = ID, .frames = &one});
    json_t *view = view_states(job);
    assert_string_equal(text_of(view, "states"), "drllqfcq");
    assert_string_equal(text_of(view, "frames"), "1-8");
    assert_int_equal(int_of(view, "revision"), job->revision);
    json_decref(view);
}

static void a_frame_without_facts(void **state)
{
    (void)state;
    const struct job *job = submit("{\"from\":1,\"to\":8}");
    lease(LEASE_ID(7, 1), "a", 0, 4);
    apply((struct event){.type = EVENT_PROGRESS,
                         .job = ID,
                         .agent = "a",
                         .lease = LEASE_ID(7, 1),
                         .lo = 2,
                         .number = 500});
    json_t *frame = view_frame(job, 1, NULL);
    assert_int_equal(int_of(frame, "frame"), 2);
    assert_string_equal(text_of(frame, "state"), "rendering");
    assert_string_equal(text_of(frame, "agent"), "a");
    assert_string_equal(text_of(frame, "lease"), "7-1");
    assert_true(json_real_value(json_object_get(frame, "progress")) == 0.5);
    assert_true(json_is_null(json_object_get(frame, "seconds")));
    assert_true(json_is_null(json_object_get(frame, "fault")));
    json_decref(frame);
    frame = view_frame(job, 2, NULL);
    assert_string_equal(text_of(frame, "state"), "leased");
    assert_true(json_is_null(json_object_get(frame, "progress")));
    json_decref(frame);
}

static void a_frame_with_facts(void **state)
{
    (void)state;
    const struct job *job = submit("{\"from\":1,\"to\":8}");
    const struct frame_fact fact = {
        .ordinal = 0,
        .at_ms = NOW_MS,
        .ms = 1500,
        .agent = "b",
        .blender = "3.4.1",
        .files = "[{\"path\":\"/f/0001.png\",\"bytes\":9,\"sha256\":\"ab\"}]",
        .fault = "",
        .text = ""};
    lease(1, "a", 0, 4);
    charge(EVENT_CHARGED, "a", 0, FAULT_CRASH, "signal 11");
    finish(1, "b", 0, 1500);
    json_t *frame = view_frame(job, 0, &fact);
    const json_t *file = json_array_get(json_object_get(frame, "files"), 0);
    assert_string_equal(text_of(frame, "state"), "done");
    assert_string_equal(text_of(frame, "agent"), "b");
    assert_string_equal(text_of(file, "path"), "/f/0001.png");
    assert_true(json_real_value(json_object_get(frame, "seconds")) == 1.5);
    assert_int_equal(int_of(frame, "attempts"), 1);
    assert_string_equal(text_of(frame, "fault"), "crash");
    assert_string_equal(text_of(frame, "text"), "signal 11");
    json_decref(frame);
}

static void failures_are_grouped(void **state)
{
    (void)state;
    const struct job *job = submit("{\"from\":1,\"to\":20}");
    give_up(6, FAULT_CRASH, "frame 7: signal 11 at 0x7f01");
    give_up(7, FAULT_CRASH, "frame 8: signal 11 at 0x7f02");
    charge(EVENT_CHARGED, "b", 8, FAULT_CRASH, "frame 9: signal 11 at 0x7f03");
    give_up(12, FAULT_OUT_OF_MEMORY, "out of memory");
    json_t *view = view_failures(job);
    const json_t *groups = json_object_get(view, "failures");
    assert_int_equal(json_array_size(groups), 2);
    const json_t *first = json_array_get(groups, 0);
    assert_string_equal(text_of(first, "fault"), "crash");
    assert_string_equal(text_of(first, "frames"), "7-9");
    assert_string_equal(text_of(first, "text"), "frame 7: signal 11 at 0x7f01");
    assert_int_equal(int_of(first, "count"), 3);
    assert_int_equal(int_of(first, "failed"), 2);
    assert_int_equal(json_array_size(json_object_get(first, "agents")), 2);
    assert_true(strlen(text_of(first, "remedy")) > 10);
    assert_string_equal(text_of(json_array_get(groups, 1), "frames"), "13");
    json_decref(view);
}

/* How many groups two failures of one class make. */
static size_t groups_of(const char *one, const char *other)
{
    const struct job *job = submit("{\"from\":1,\"to\":20}");
    charge(EVENT_CHARGED, "a", 0, FAULT_RENDER, one);
    charge(EVENT_CHARGED, "a", 1, FAULT_RENDER, other);
    json_t *view = view_failures(job);
    size_t n = json_array_size(json_object_get(view, "failures"));
    json_decref(view);
    return n;
}

static void numbers_are_alike(void **state)
{
    (void)state;
    assert_int_equal(groups_of("at 0x7f1c00aB of 3.5 MiB, id deadbeef01",
                               "at 0x55 of 12.25 MiB, id 12345678ff"),
                     1);
}

static void paths_are_alike(void **state)
{
    (void)state;
    assert_int_equal(groups_of("Cannot read '/a/my tex/b.png': no such file",
                               "Cannot read '/c.png': no such file"),
                     1);
}

static void words_are_not_alike(void **state)
{
    (void)state;
    assert_int_equal(groups_of("CUDA and/or OptiX: face", "CUDA and/or OptiX: "
                                                          "bead"),
                     2);
}

static void a_job_that_failed_whole(void **state)
{
    (void)state;
    const struct job *job = submit("{\"from\":1,\"to\":20}");
    struct range run = {0, 20};
    struct ranges all = {.at = &run, .n = 1, .cap = 1, .count = 20};
    apply((struct event){.type = EVENT_FAILED,
                         .job = ID,
                         .frames = &all,
                         .flag = true,
                         .fault = FAULT_MISSING_FILE,
                         .text = "missing: //wood.png"});
    json_t *view = view_failures(job);
    const json_t *group = json_array_get(json_object_get(view, "failures"), 0);
    assert_string_equal(text_of(group, "fault"), "missing_file");
    assert_string_equal(text_of(group, "frames"), "1-20");
    assert_string_equal(text_of(group, "text"), "missing: //wood.png");
    json_decref(view);
    json_t *doc = view_job(core, job);
    assert_string_equal(text_of(doc, "state"), "failed");
    assert_string_equal(text_of(doc, "reason"), "missing: //wood.png");
    const json_t *shown = json_array_get(json_object_get(doc, "failures"), 19);
    assert_string_equal(text_of(shown, "fault"), "missing_file");
    json_decref(doc);
}

/* An agent as if heard. */
static void hear(const char *name, const char *const *tags, size_t n_tags)
{
    const struct msg_state state = {.agent = name,
                                    .inc = 1,
                                    .seq = seq + 1,
                                    .slots = 2,
                                    .why = "",
                                    .version = "0.1.0",
                                    .tags = tags,
                                    .n_tags = n_tags,
                                    .node = {.up = true,
                                             .cores = 8,
                                             .memory_mb = 4000,
                                             .name = "n",
                                             .version = "0.1.0",
                                             .blender = "3.4.1",
                                             .device = "cpu",
                                             .error = ""}};
    apply((struct event){.type = EVENT_HEARD, .agent = name, .state = &state});
    apply(
        (struct event){.type = EVENT_AGENT, .agent = name, .number = AGENT_UP});
}

static void warns(const struct job *job, const char *expected)
{
    json_t *list = view_warnings(core, job);
    const char *text = json_string_value(json_array_get(list, 0));
    if (expected)
        assert_string_equal(text, expected);
    else
        assert_null(text);
    json_decref(list);
}

static void nobody_can_take_it(void **state)
{
    static const char *const gpu[] = {"gpu"};
    (void)state;
    const struct job *job =
        submit("{\"from\":1,\"to\":2,\"requires\":{\"tags\":[\"gpu\"],"
               "\"memory_mb\":5000}}");
    warns(job, "no agent is connected");
    hear("a", NULL, 0);
    warns(job, "no connected agent can take this job: none has the tag `gpu`");
    hear("b", gpu, 1);
    warns(job, "no connected agent can take this job: none has 5000 MiB of "
               "memory");
    apply((struct event){
        .type = EVENT_DRAINED, .agent = "a", .number = DRAIN_SOFT});
    apply((struct event){
        .type = EVENT_DRAINED, .agent = "b", .number = DRAIN_SOFT});
    warns(job, "every connected agent is drained or shutting down");
}

static void somebody_can(void **state)
{
    (void)state;
    const struct job *job =
        submit("{\"from\":1,\"to\":2,\"requires\":{\"blender\":\"3.4\"}}");
    hear("a", NULL, 0);
    warns(job, NULL);
    give_up(0, FAULT_CRASH, "");
    give_up(1, FAULT_CRASH, "");
    warns(job, NULL);
}

/* Frames 1 to 3 failed at b, and a rendered them. */
static void benched_agents(void **state)
{
    (void)state;
    const struct job *job = submit("{\"from\":1,\"to\":4,\"name\":\"shot\"}");
    hear("a", NULL, 0);
    hear("b", NULL, 0);
    for (int32_t at = 0; at < 3; at++) {
        charge(EVENT_CHARGED, "b", at, FAULT_CRASH, "");
        finish(LEASE_ID(7, 1), "a", at, 1000);
    }
    apply((struct event){
        .type = EVENT_BENCHED, .job = ID, .agent = "b", .number = 3});
    warns(job, "agent b is benched for this job: 3 frames failed there which "
               "others rendered; a retry of frames lifts it");
    json_t *list = view_warnings(core, job);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    apply((struct event){
        .type = EVENT_DRAINED, .agent = "a", .number = DRAIN_SOFT});
    list = view_warnings(core, job);
    assert_non_null(strstr(json_string_value(json_array_get(list, 1)),
                           "every agent that could take this job is benched"));
    json_decref(list);
    json_t *view = view_agent(agent_find(core, "b"), false);
    const json_t *bench = json_array_get(json_object_get(view, "benched"), 0);
    assert_string_equal(text_of(bench, "job"), ID);
    assert_string_equal(text_of(bench, "job_name"), "shot");
    assert_string_equal(text_of(bench, "text"),
                        "benched for job " ID ": 3 frames failed there which "
                        "others rendered");
    json_decref(view);
    finish(LEASE_ID(7, 1), "a", 3, 1000);
    view = view_agent(agent_find(core, "b"), false);
    assert_int_equal(json_array_size(json_object_get(view, "benched")), 0);
    json_decref(view);
}

static void resting_agents(void **state)
{
    (void)state;
    hear("a", NULL, 0);
    apply((struct event){.type = EVENT_MISSED,
                         .agent = "a",
                         .number = 3,
                         .fault = FAULT_REFUSED,
                         .until_ms = NOW_MS + 10000000});
    json_t *view = view_agent(agent_find(core, "a"), false);
    assert_string_equal(text_of(view, "why"),
                        "resting for a moment: its node refuses every batch");
    json_decref(view);
    apply((struct event){.type = EVENT_RESTED, .agent = "a"});
    view = view_agent(agent_find(core, "a"), false);
    assert_string_equal(text_of(view, "why"), "");
    json_decref(view);
}

static void agents_in_full(void **state)
{
    static const char *const tags[] = {"gpu"};
    (void)state;
    submit("{\"from\":1,\"to\":9,\"name\":\"shot\"}");
    hear("a", tags, 1);
    lease(LEASE_ID(7, 12), "a", 0, 5);
    json_t *view = view_agent(agent_find(core, "a"), true);
    assert_string_equal(text_of(view, "name"), "a");
    assert_string_equal(text_of(view, "state"), "up");
    assert_string_equal(text_of(view, "drain"), "off");
    assert_int_equal(int_of(view, "slots"), 2);
    const json_t *held = json_array_get(json_object_get(view, "leases"), 0);
    assert_string_equal(text_of(held, "lease"), "7-12");
    assert_string_equal(text_of(held, "job"), ID);
    assert_string_equal(text_of(held, "job_name"), "shot");
    assert_string_equal(text_of(held, "frames"), "1-5");
    assert_true(json_is_null(json_object_get(held, "frame")));
    const json_t *node = json_object_get(view, "node");
    assert_string_equal(text_of(node, "blender"), "3.4.1");
    assert_true(json_is_null(json_object_get(node, "error")));
    json_decref(view);
    view = view_agent(agent_find(core, "a"), false);
    assert_null(json_object_get(view, "leases"));
    json_decref(view);
}

static void agents_only_the_ledger_knows(void **state)
{
    (void)state;
    apply((struct event){
        .type = EVENT_DRAINED, .agent = "old", .number = DRAIN_NOW});
    json_t *view = view_agent(agent_find(core, "old"), true);
    assert_string_equal(text_of(view, "state"), "lost");
    assert_string_equal(text_of(view, "drain"), "now");
    assert_string_equal(text_of(view, "why"),
                        "not heard since the broker started");
    assert_true(json_is_null(json_object_get(view, "last_heard")));
    json_decref(view);
}

static void farm_is(const char *word)
{
    json_t *farm = view_farm(core);
    assert_string_equal(text_of(farm, "state"), word);
    json_decref(farm);
}

static void the_farm_in_a_word(void **state)
{
    (void)state;
    farm_is("idle");
    submit("{\"from\":1,\"to\":2}");
    farm_is("waiting");
    apply((struct event){
        .type = EVENT_PATCHED, .job = ID, .number = 50, .flag = true});
    farm_is("paused");
    lease(1, "a", 0, 2);
    farm_is("working");
    finish(1, "a", 0, 1000);
    finish(1, "a", 1, 1000);
    farm_is("idle");
    json_t *farm = view_farm(core);
    assert_int_equal(int_of(json_object_get(farm, "jobs"), "completed"), 1);
    assert_int_equal(int_of(json_object_get(farm, "frames"), "done"), 2);
    json_decref(farm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_core, drop_core)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_written_short),
        TEST(leases_have_two_numbers),
        TEST(a_new_job),
        TEST(counts_by_state),
        TEST(fields_come_back_as_given),
        TEST(changes_beat_what_was_given),
        TEST(eta_wants_three_frames),
        TEST(how_long_all_takes),
        TEST(failed_frames_in_words),
        TEST(at_most_twenty_are_named),
        TEST(states_are_letters),
        TEST(a_frame_without_facts),
        TEST(a_frame_with_facts),
        TEST(failures_are_grouped),
        TEST(numbers_are_alike),
        TEST(paths_are_alike),
        TEST(words_are_not_alike),
        TEST(a_job_that_failed_whole),
        TEST(nobody_can_take_it),
        TEST(somebody_can),
        TEST(benched_agents),
        TEST(resting_agents),
        TEST(agents_in_full),
        TEST(agents_only_the_ledger_knows),
        TEST(the_farm_in_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
