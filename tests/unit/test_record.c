/* SPDX-License-Identifier: Apache-2.0
 *
 * Ledger records: every type comes back with every field; what is cut off,
 * spoilt, out of bounds or newer is refused with a reason. Wrong records are
 * written as JSON, which has the shapes of msgpack that matter here.
 */
#include "broker/ledger/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <msgpack.h>

#include "common/fault.h"
#include "common/limits.h"
#include "common/mem.h"

#define JOB "AAAAAAAAAAAAAAAA"

struct fixture {
    struct arena arena;
    struct buf bytes;
    struct event event; /* what was read */
    char why[256];
};

static int set_up(void **state)
{
    struct fixture *f = mem_new(sizeof *f);
    buf_init(&f->bytes, LIMIT_RECORD);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_done(&f->arena);
    buf_free(&f->bytes);
    mem_free(f);
    return 0;
}

static bool decode(struct fixture *f)
{
    return record_decode(f->bytes.data, f->bytes.len, &f->arena, &f->event,
                         f->why, sizeof f->why);
}

static const struct event *there_and_back(struct fixture *f,
                                          const struct event *event)
{
    buf_clear(&f->bytes);
    record_encode(event, &f->bytes);
    assert_false(f->bytes.over);
    if (!decode(f))
        fail_msg("%s", f->why);
    return &f->event;
}

/* --- Records as JSON. --- */

static int write_bytes(void *buf, const char *bytes, size_t n)
{
    assert_true(buf_add(buf, bytes, n));
    return 0;
}

static void pack_value(msgpack_packer *out, const json_t *value)
{
    size_t i;
    const json_t *item;
    switch (json_typeof(value)) {
    case JSON_ARRAY:
        msgpack_pack_array(out, json_array_size(value));
        json_array_foreach(value, i, item) pack_value(out, item);
        break;
    case JSON_STRING:
        msgpack_pack_str(out, json_string_length(value));
        msgpack_pack_str_body(out, json_string_value(value),
                              json_string_length(value));
        break;
    case JSON_INTEGER:
        msgpack_pack_int64(out, json_integer_value(value));
        break;
    case JSON_TRUE:
        msgpack_pack_true(out);
        break;
    case JSON_FALSE:
        msgpack_pack_false(out);
        break;
    default:
        msgpack_pack_nil(out);
    }
}

static bool decode_json(struct fixture *f, const char *text)
{
    json_t *value = json_loads(text, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    buf_clear(&f->bytes);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &f->bytes, write_bytes);
    pack_value(&packer, value);
    json_decref(value);
    return decode(f);
}

#define REST(lo, hi, number, ranges)                                           \
    ",\"a\",7," lo "," hi "," number ",false,\"\",0,0,0,0,\"\",\"\"," ranges "]"
#define CHANGE(word, rest) "[1,\"" word "\",5,\"" JOB "\"" rest

struct wrong {
    const char *json, *reason;
};

static const struct wrong wrong_records[] = {
    {"7", "no list"},
    {"[]", "no list"},
    {"[\"1\"]", "no list"},
    {"[2,\"done\"]", "version 2, this program reads version 1"},
    {"[1]", "has 0 fields"},
    {"[1,\"forgotten\",5]", "has 2 fields of"},
    {CHANGE("heard", REST("0", "0", "0", "[]")), "no event of the ledger"},
    {CHANGE("progress", REST("0", "0", "0", "[]")), "no event of the ledger"},
    {CHANGE("", REST("0", "0", "0", "[]")), "fewer than 1"},
    {CHANGE("don", REST("0", "0", "0", "[]")), "no event of the ledger"},
    {"[1,\"forgotten\",5,\"\"" REST("0", "0", "0", "[]"), "names no job"},
    {"[1,\"forgotten\",5,7" REST("0", "0", "0", "[]"), "is not a text"},
    {"[1,\"forgotten\",null,\"" JOB "\"" REST("0", "0", "0", "[]"),
     "not a whole number"},
    {"[1,\"forgotten\",5,\"A\\u0000A\"" REST("0", "0", "0", "[]"),
     "holds a zero byte"},
    {"[1,\"forgotten\",5,\"" JOB JOB JOB JOB "A\"" REST("0", "0", "0", "[]"),
     "65 bytes are more than 64"},
    {CHANGE("forgotten", REST("2147483648", "0", "0", "[]")), "is more than"},
    {CHANGE("forgotten", REST("true", "0", "0", "[]")), "not a whole number"},
    {CHANGE("done", REST("-1", "0", "0", "[]")), "number"},
    {CHANGE("done", REST("1048575", "1048576", "0", "[]")), "number"},
    {CHANGE("charged", REST("-1", "0", "0", "[]")), "number"},
    {CHANGE("leased", REST("4", "4", "0", "[]")), "number"},
    {CHANGE("leased", REST("0", "1048576", "0", "[]")), "number"},
    {CHANGE("shortened", REST("-1", "4", "0", "[]")), "number"},
    {CHANGE("patched", REST("0", "0", "101", "[]")), "number"},
    {CHANGE("patched", REST("0", "0", "-1", "[]")), "number"},
    {CHANGE("drained", REST("0", "0", "3", "[]")), "number"},
    {CHANGE("benched", REST("0", "0", "0", "[]")), "number"},
    {"[1,\"benched\",5,\"" JOB
     "\",\"\",7,0,1,3,false,\"\",0,0,0,0,\"\",\"\",[]]",
     "names no agent"},
    {CHANGE("failed", REST("0", "0", "0", "[]")), "number"},
    {CHANGE("cancelled", REST("0", "0", "0", "[[3,3]]")), "empty range"},
    {CHANGE("cancelled", REST("0", "0", "0", "[[5,6],[3,4]]")), "not ascend"},
    {CHANGE("cancelled", REST("0", "0", "0", "[[3,4],[4,5]]")), "not ascend"},
    {CHANGE("cancelled", REST("0", "0", "0", "[[-1,4]]")), "less than 0"},
    {CHANGE("cancelled", REST("0", "0", "0", "[[0,1048576]]")), "more than"},
    {CHANGE("cancelled", REST("0", "0", "0", "7")), "is not a list"},
    {"[1,\"done\",5,\"" JOB "\",\"\",7,0,1,0,false,\"\",0,0,0,0,\"\",\"\",[]]",
     "names no agent"},
};

static void test_wrong_records_are_refused_with_a_reason(void **state)
{
    for (size_t i = 0; i < sizeof wrong_records / sizeof *wrong_records; i++) {
        const struct wrong *wrong = &wrong_records[i];
        struct fixture *f = *state;
        assert_false(decode_json(f, wrong->json));
        if (strstr(f->why, wrong->reason) == NULL)
            fail_msg("%s: %s", wrong->json, f->why);
    }
}

static const char *const right_records[] = {
    CHANGE("done", REST("1048574", "1048575", "0", "[]")),
    CHANGE("leased", REST("0", "1048575", "0", "[]")),
    CHANGE("patched", REST("0", "0", "100", "[]")),
    CHANGE("drained", REST("0", "0", "2", "[]")),
    CHANGE("benched", REST("0", "0", "3", "[]")),
    CHANGE("cancelled", REST("0", "0", "0", "[[0,1],[2,1048575]]")),
    "[1,\"forgotten\",5,\"" JOB JOB JOB JOB "\"" REST("0", "0", "0", "[]"),
    CHANGE("forgotten", REST("-2147483648", "2147483647", "0", "[]")),
};

static void test_records_at_the_bounds_are_taken(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof right_records / sizeof *right_records; i++)
        if (!decode_json(f, right_records[i]))
            fail_msg("%s: %s", right_records[i], f->why);
}

#define SPEC(runs, batch, priority, key_hash)                                  \
    "[1,\"submitted\",5,\"" JOB "\",\"\",\"\",\"\"," key_hash "," runs         \
    "," batch "," priority ",0,0,false,false,0,[],[],0,false,\"\",\"\",\"\","  \
    "\"\"]"

static const struct wrong wrong_jobs[] = {
    {SPEC("[]", "0", "50", "0"), "has no frames"},
    {SPEC("[[5,4,1]]", "0", "50", "0"), "no run of frames"},
    {SPEC("[[0,5,2]]", "0", "50", "0"), "no run of frames"},
    {SPEC("[[0,5,0]]", "0", "50", "0"), "less than 1"},
    {SPEC("[[0,5,1],[5,6,1]]", "0", "50", "0"), "do not ascend"},
    {SPEC("[[-1,5,1]]", "0", "50", "0"), "less than 0"},
    {SPEC("[[0,1048575,1]]", "0", "50", "0"), "more than 1048574"},
    {SPEC("[[0,5,1]]", "-2", "50", "0"), "less than -1"},
    {SPEC("[[0,5,1]]", "0", "101", "0"), "more than 100"},
    {SPEC("[[0,5,1]]", "0", "-1", "0"), "less than 0"},
    {SPEC("[[0,5,1]]", "0", "50", "-1"), "whole number of at least 0"},
};

static void test_wrong_jobs_are_refused_with_a_reason(void **state)
{
    struct fixture *f = *state;
    assert_true(decode_json(f, SPEC("[[0,1048574,1]]", "-1", "100", "0")));
    assert_int_equal(f->event.spec->frames.count, LIMIT_FRAMES);
    for (size_t i = 0; i < sizeof wrong_jobs / sizeof *wrong_jobs; i++) {
        assert_false(decode_json(f, wrong_jobs[i].json));
        if (strstr(f->why, wrong_jobs[i].reason) == NULL)
            fail_msg("%s: %s", wrong_jobs[i].json, f->why);
    }
}

/* --- Growth. --- */

static void test_a_later_field_is_passed_over(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "[1,\"forgotten\",5,\"" JOB "\",\"a\",7,0,0,0,false,\"\",0,0,0,0,\"\","
        "\"\",[],[1,[2,\"later\"]],null,9]";
    if (!decode_json(f, text))
        fail_msg("%s", f->why);
    assert_int_equal(f->event.type, EVENT_FORGOTTEN);
    assert_string_equal(f->event.job, JOB);
}

static void test_bytes_behind_the_end_are_refused(void **state)
{
    struct fixture *f = *state;
    struct event event = {.type = EVENT_FORGOTTEN, .job = JOB};
    there_and_back(f, &event);
    buf_add(&f->bytes, "", 1);
    assert_false(decode(f));
    assert_non_null(strstr(f->why, "behind its end"));
}

static void test_a_fault_of_a_newer_version_is_a_render_error(void **state)
{
    struct fixture *f = *state;
    assert_true(decode_json(f, "[1,\"charged\",5,\"" JOB
                               "\",\"a\",7,0,1,0,false,\"meteor\",0,0,0,0"
                               ",\"\",\"\",[]]"));
    assert_int_equal(f->event.fault, FAULT_RENDER);
}

/* --- There and back. --- */

static void assert_text(const char *a, const char *b)
{
    assert_string_equal(a == NULL ? "" : a, b == NULL ? "" : b);
}

static void assert_same(const struct event *a, const struct event *b)
{
    assert_int_equal(a->type, b->type);
    assert_true(a->at_ms == b->at_ms && a->until_ms == b->until_ms);
    assert_text(a->job, b->job);
    assert_text(a->agent, b->agent);
    assert_true(a->lease == b->lease && a->lane == b->lane);
    assert_true(a->inc == b->inc);
    assert_int_equal(a->lo, b->lo);
    assert_int_equal(a->hi, b->hi);
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->flag, b->flag);
    assert_int_equal(a->fault, b->fault);
    assert_int_equal(a->limit, b->limit);
    assert_text(a->text, b->text);
    assert_text(a->detail, b->detail);
    assert_int_equal(a->frames != NULL, b->frames != NULL);
    if (a->frames != NULL)
        assert_true(ranges_equal(a->frames, b->frames));
}

/* --- What became of a job. --- */

static void assert_texts(const char *const *a, const char *const *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_string_equal(a[i], b[i]);
}

static void assert_attempt(const struct fate_attempt *a,
                           const struct fate_attempt *b)
{
    assert_int_equal(a->ordinal, b->ordinal);
    assert_int_equal(a->charges, b->charges);
    assert_int_equal(a->copies, b->copies);
    assert_int_equal(a->losses, b->losses);
    assert_true(a->lease == b->lease);
    assert_string_equal(a->fault, b->fault);
    assert_string_equal(a->text, b->text);
    assert_int_equal(a->n_by, b->n_by);
    assert_texts(a->by, b->by, a->n_by);
    assert_int_equal(a->n_lost_by, b->n_lost_by);
    assert_texts(a->lost_by, b->lost_by, a->n_lost_by);
}

static void assert_numbers(const struct job_fate *a, const struct job_fate *b)
{
    assert_int_equal(a->priority, b->priority);
    assert_int_equal(a->max_agents, b->max_agents);
    assert_int_equal(a->paused, b->paused);
    assert_true(a->started_ms == b->started_ms && a->ended_ms == b->ended_ms);
    assert_true(a->max_ms == b->max_ms && a->fence == b->fence);
    assert_true(a->revision == b->revision);
    assert_true(a->mean_bits == b->mean_bits && a->m2_bits == b->m2_bits);
}

#define ASSERT_LIST(a, b, list)                                                \
    do {                                                                       \
        assert_int_equal((a)->n_##list, (b)->n_##list);                        \
        assert_memory_equal((a)->list, (b)->list,                              \
                            (a)->n_##list * sizeof *(a)->list);                \
    } while (0)

static void test_what_became_of_a_job_keeps_every_field(void **state)
{
    static const struct range done[] = {{0, 3}, {5, 6}}, failed[] = {{3, 4}},
                              cancelled[] = {{4, 5}}, redo[] = {{1, 2}},
                              avoided[] = {{2, 4}};
    static const char *const names[] = {"4.2.3", "5.0.0"};
    static const struct fate_bucket buckets[] = {{0, 3}, {95, INT32_MAX}};
    static const struct fate_attempt attempts[] = {
        {2, 1, 2, 3, UINT64_MAX, "crash", "why", names, names, 2, 1},
        {3, 3, 0, 0, 0, "", "", NULL, NULL, 0, 0}};
    static const struct fate_standing standings[] = {{"a", 4, 1, true}};
    static const struct fate_agent agents[] = {{"a", 1, 2, UINT64_MAX}};
    const struct job_fate fate = {
        7,          3,         true,      "it ended", "bad_blend", "a",
        -1,         2,         INT64_MAX, 5,          6,           7,
        UINT64_MAX, done,      failed,    cancelled,  redo,        avoided,
        2,          1,         1,         1,          1,           names,
        names,      2,         1,         buckets,    2,           attempts,
        2,          standings, 1,         agents,     1,           "a b "};
    const struct event event = {
        .type = EVENT_PACKED, .at_ms = 9, .job = JOB, .fate = &fate};
    const struct event *back = there_and_back(*state, &event);
    const struct job_fate *got = back->fate;
    assert_int_equal(back->type, EVENT_PACKED);
    assert_true(back->at_ms == 9);
    assert_string_equal(back->job, JOB);
    assert_numbers(got, &fate);
    assert_string_equal(got->reason, fate.reason);
    assert_string_equal(got->fault, fate.fault);
    assert_string_equal(got->avoid, fate.avoid);
    ASSERT_LIST(got, &fate, done);
    ASSERT_LIST(got, &fate, failed);
    ASSERT_LIST(got, &fate, cancelled);
    ASSERT_LIST(got, &fate, redo);
    ASSERT_LIST(got, &fate, avoided);
    ASSERT_LIST(got, &fate, buckets);
    assert_int_equal(got->n_blenders, 2);
    assert_texts(got->blenders, names, 2);
    assert_string_equal(got->versions, "a b ");
    assert_int_equal(got->n_likely, 1);
    assert_texts(got->likely, names, 1);
    assert_int_equal(got->n_attempts, 2);
    for (int i = 0; i < 2; i++)
        assert_attempt(&got->attempts[i], &attempts[i]);
    assert_int_equal(got->n_standings, 1);
    assert_string_equal(got->standings->name, "a");
    assert_int_equal(got->standings->wrong, 4);
    assert_int_equal(got->standings->done, 1);
    assert_true(got->standings->benched);
    assert_int_equal(got->n_agents, 1);
    assert_string_equal(got->agents->name, "a");
    assert_true(got->agents->done == 1 && got->agents->charged == 2);
    assert_true(got->agents->speed_bits == UINT64_MAX);
}

/* Every field set, whether the type uses it or not: none gets lost. */
static void test_every_type_keeps_every_field(void **state)
{
    struct ranges set = {0};
    ranges_add(&set, 0, 1);
    ranges_add(&set, 5, 1048575);
    for (int type = 0; type < EVENT_TYPES; type++) {
        if (event_keep((enum event_type)type) == EVENT_SOFT ||
            type == EVENT_SUBMITTED || type == EVENT_PACKED)
            continue;
        bool framed = type == EVENT_CANCELLED || type == EVENT_RETRIED ||
                      type == EVENT_FAILED;
        struct event event = {.type = (enum event_type)type,
                              .at_ms = 1700000000123,
                              .job = JOB,
                              .agent = "render-17.local",
                              .lease = LEASE_ID(3, 9),
                              .lo = 4,
                              .hi = 9,
                              .number = 2,
                              .flag = true,
                              .fault = FAULT_CRASH,
                              .limit = 11,
                              .until_ms = INT64_MAX,
                              .lane = UINT64_MAX,
                              .inc = UINT64_MAX - 1,
                              .text = "why\nit\n\"was\"",
                              .detail = "3.4.1",
                              .frames = framed ? &set : NULL};
        assert_same(there_and_back(*state, &event), &event);
    }
    ranges_free(&set);
}

static void test_fields_that_are_not_set_stay_so(void **state)
{
    struct fixture *f = *state;
    struct event event = {.type = EVENT_RELEASED, .job = JOB, .at_ms = -1};
    const struct event *back = there_and_back(f, &event);
    assert_same(back, &event);
    assert_null(back->agent);
    assert_string_equal(back->text, "");
    assert_true(back->seq == 0 && back->spec == NULL && back->state == NULL);
    struct event drained = {.type = EVENT_DRAINED, .agent = "a"};
    assert_null(there_and_back(f, &drained)->job);
}

static void test_every_fault_comes_back(void **state)
{
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        struct event event = {
            .type = EVENT_CHARGED, .job = JOB, .hi = 1, .fault = fault};
        assert_int_equal(there_and_back(*state, &event)->fault, fault);
    }
}

static void test_the_largest_set_of_frames_comes_back(void **state)
{
    struct ranges set = {0};
    for (int32_t i = 0; i < LIMIT_FRAMES; i += 2)
        ranges_add(&set, i, i + 1);
    struct event event = {.type = EVENT_RETRIED, .job = JOB, .frames = &set};
    const struct event *back = there_and_back(*state, &event);
    assert_true(ranges_equal(back->frames, &set));
    assert_int_equal(back->frames->count, LIMIT_FRAMES / 2 + 1);
    ranges_check(back->frames);
    ranges_free(&set);
}

/* A text of n bytes. */
static char *long_text(struct fixture *f, size_t n)
{
    char *text = arena_new(&f->arena, n + 1);
    memset(text, 'x', n);
    return text;
}

static struct job_spec largest_job(struct fixture *f)
{
    const char **depends =
        arena_new(&f->arena, LIMIT_DEPENDS * sizeof *depends);
    const char **tags = arena_new(&f->arena, LIMIT_TAGS * sizeof *tags);
    for (int i = 0; i < LIMIT_DEPENDS; i++)
        depends[i] = long_text(f, LIMIT_ID);
    for (int i = 0; i < LIMIT_TAGS; i++)
        tags[i] = long_text(f, LIMIT_TAG);
    return (struct job_spec){
        .id = long_text(f, LIMIT_ID),
        .name = long_text(f, LIMIT_NAME),
        .user = long_text(f, LIMIT_NAME),
        .key = long_text(f, LIMIT_KEY),
        .key_hash = UINT64_MAX,
        .batch = -1,
        .priority = 100,
        .max_attempts = LIMIT_ATTEMPTS,
        .max_agents = INT32_MAX,
        .paused = true,
        .plain = true,
        .not_before_ms = INT64_MAX,
        .depends = depends,
        .n_depends = LIMIT_DEPENDS,
        .tags = tags,
        .n_tags = LIMIT_TAGS,
        .memory_mb = INT32_MAX,
        .gpu = true,
        .blender = long_text(f, LIMIT_NAME),
        .blend = long_text(f, LIMIT_PATH),
        .render = long_text(f, LIMIT_SPEC),
        .doc = long_text(f, LIMIT_SPEC),
        .trace = long_text(f, LIMIT_TRACE),
    };
}

static void assert_same_texts(const char *const *a, size_t n_a,
                              const char *const *b, size_t n_b)
{
    assert_int_equal(n_a, n_b);
    for (size_t i = 0; i < n_a; i++)
        assert_string_equal(a[i], b[i]);
}

static void assert_same_spec(const struct job_spec *a, const struct job_spec *b)
{
    assert_text(a->id, b->id);
    assert_text(a->name, b->name);
    assert_text(a->user, b->user);
    assert_text(a->key, b->key);
    assert_true(a->key_hash == b->key_hash);
    assert_true(frames_equal(&a->frames, &b->frames));
    assert_int_equal(a->batch, b->batch);
    assert_int_equal(a->priority, b->priority);
    assert_int_equal(a->max_attempts, b->max_attempts);
    assert_int_equal(a->max_agents, b->max_agents);
    assert_int_equal(a->paused, b->paused);
    assert_int_equal(a->plain, b->plain);
    assert_true(a->not_before_ms == b->not_before_ms);
    assert_same_texts(a->depends, a->n_depends, b->depends, b->n_depends);
    assert_same_texts(a->tags, a->n_tags, b->tags, b->n_tags);
    assert_int_equal(a->memory_mb, b->memory_mb);
    assert_int_equal(a->gpu, b->gpu);
    assert_text(a->blender, b->blender);
    assert_text(a->blend, b->blend);
    assert_text(a->render, b->render);
    assert_text(a->doc, b->doc);
    assert_text(a->trace, b->trace);
}

static void check_job(struct fixture *f, struct job_spec *spec,
                      const char *frames)
{
    char why[128];
    if (!frames_parse(frames, &spec->frames, why, sizeof why))
        fail_msg("%s", why);
    struct event event = {
        .type = EVENT_SUBMITTED, .at_ms = 12, .job = spec->id, .spec = spec};
    const struct event *back = there_and_back(f, &event);
    assert_string_equal(back->job, spec->id);
    assert_true(back->at_ms == 12);
    assert_same_spec(back->spec, spec);
    for (int32_t i = 0; i < back->spec->frames.n; i++)
        assert_int_equal(back->spec->frames.at[i].base,
                         spec->frames.at[i].base);
    frames_free(&spec->frames);
}

static void test_a_job_keeps_every_field(void **state)
{
    struct job_spec largest = largest_job(*state);
    check_job(*state, &largest, "0-1048574");
    check_job(*state, &largest, "1-100x5,7,200-300x2,1000");
}

static void test_a_job_of_few_fields_comes_back(void **state)
{
    struct job_spec spec = {.id = JOB};
    check_job(*state, &spec, "7");
    assert_string_equal(((struct fixture *)*state)->event.spec->doc, "");
}

/* A ledger from before traceparent: its jobs end with the document. */
static void test_a_job_of_an_older_broker(void **state)
{
    struct fixture *f = *state;
    struct job_spec spec = {.id = JOB, .doc = "{}"};
    check_job(f, &spec, "7");
    unsigned char *bytes = (unsigned char *)f->bytes.data;
    assert_int_equal(bytes[0], 0xdc); /* an array of 16 bits */
    assert_int_equal(bytes[2], 25);
    bytes[2]--;
    f->bytes.len--; /* the empty text */
    assert_true(decode(f));
    assert_string_equal(f->event.spec->doc, "{}");
    assert_string_equal(f->event.spec->trace, "");
    bytes[2]--;
    f->bytes.len -= 3;
    assert_false(decode(f));
}

static void test_the_most_spans_come_back(void **state)
{
    struct fixture *f = *state;
    struct buf text;
    buf_init(&text, LIMIT_FRAMES_TEXT);
    for (int i = 0; i < LIMIT_FRAME_SPANS; i++)
        buf_print(&text, "%s%d-%d", i == 0 ? "" : ",", i * 5, i * 5 + 2);
    struct job_spec spec = {.id = JOB};
    check_job(f, &spec, buf_text(&text));
    assert_int_equal(f->event.spec->frames.n, LIMIT_FRAME_SPANS);
    buf_free(&text);
}

/* --- Damage. --- */

static void make_job_record(struct fixture *f)
{
    struct span span = {1, 9, 2, 0};
    const char *tags[] = {"gpu", "linux"};
    struct job_spec spec = {.id = JOB,
                            .name = "a name",
                            .frames = {&span, 1, 5},
                            .tags = tags,
                            .n_tags = 2,
                            .doc = "{}"};
    struct event event = {.type = EVENT_SUBMITTED, .job = JOB, .spec = &spec};
    there_and_back(f, &event);
}

/* Each in memory of its own size, for AddressSanitizer to watch. */
static void test_every_beginning_is_refused(void **state)
{
    struct fixture *f = *state;
    make_job_record(f);
    for (size_t len = 0; len < f->bytes.len; len++) {
        void *part = mem_copy(f->bytes.data, len);
        f->why[0] = '\0';
        assert_false(record_decode(part, len, &f->arena, &f->event, f->why,
                                   sizeof f->why));
        assert_true(f->why[0] != '\0');
        mem_free(part);
    }
}

/* A changed byte may be another sound record; it is never a crash, and what
 * is taken can be written again. */
static void test_every_changed_byte_is_survived(void **state)
{
    struct fixture *f = *state;
    make_job_record(f);
    struct buf again;
    buf_init(&again, LIMIT_RECORD);
    for (size_t i = 0; i < f->bytes.len; i++) {
        char before = f->bytes.data[i];
        for (int flip = 1; flip < 256; flip++) {
            f->bytes.data[i] = (char)(before ^ flip);
            buf_clear(&again);
            if (decode(f))
                record_encode(&f->event, &again);
        }
        f->bytes.data[i] = before;
        arena_reset(&f->arena);
    }
    buf_free(&again);
}

/* A list that claims four thousand million items costs nothing. */
static void test_a_claimed_length_is_not_believed(void **state)
{
    struct fixture *f = *state;
    struct event event = {.type = EVENT_FORGOTTEN, .job = JOB};
    there_and_back(f, &event);
    arena_reset(&f->arena);
    f->bytes.len--; /* the empty list at the end */
    buf_add(&f->bytes, "\xdd\xff\xff\xff\xff", 5);
    assert_false(decode(f));
    assert_true(f->arena.used < 1024);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_wrong_records_are_refused_with_a_reason),
        TEST(test_records_at_the_bounds_are_taken),
        TEST(test_wrong_jobs_are_refused_with_a_reason),
        TEST(test_a_later_field_is_passed_over),
        TEST(test_bytes_behind_the_end_are_refused),
        TEST(test_a_fault_of_a_newer_version_is_a_render_error),
        TEST(test_every_type_keeps_every_field),
        TEST(test_what_became_of_a_job_keeps_every_field),
        TEST(test_fields_that_are_not_set_stay_so),
        TEST(test_every_fault_comes_back),
        TEST(test_the_largest_set_of_frames_comes_back),
        TEST(test_a_job_keeps_every_field),
        TEST(test_a_job_of_few_fields_comes_back),
        TEST(test_the_most_spans_come_back),
        TEST(test_a_job_of_an_older_broker),
        TEST(test_every_beginning_is_refused),
        TEST(test_every_changed_byte_is_survived),
        TEST(test_a_claimed_length_is_not_believed),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
