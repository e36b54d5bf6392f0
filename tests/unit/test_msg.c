/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire messages: what is written is read again; every bound is refused one
 * past it, with the field's name. Wrong messages are written as JSON, which has
 * all the shapes of msgpack that matter here, and packed.
 */
#include "common/msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <msgpack.h>

#include "common/limits.h"
#include "common/mem.h"

#define JOB   "AAAAAAAAAAAAAAAA"
#define LEASE "1099511627777" /* epoch 1, counter 1 */

/* A lease and a STATE around it, whole, to be spoilt by the tests. */
#define NODE                                                                   \
    "[true,true,false,false,4,8000,0,\"n\",\"1\",\"3.4.1\",\"cpu\",\"\"]"
#define STATE(leases)                                                          \
    "[1,1,\"a\",7,1,3,9,2,1,\"\",false,\"0.1\",[\"t\"]," NODE ",[" leases "]]"
#define RESULT     "[3,120,\"[]\"]"
#define LEASE_TAIL ",1,3,500,1,0,-1,\"\",[" RESULT "]]"
#define A_LEASE    "[" LEASE ",\"" JOB "\",1,5,2" LEASE_TAIL

struct fixture {
    struct arena arena;
    struct buf bytes;
    char why[256];
};

static int set_up(void **state)
{
    struct fixture *fixture = mem_new(sizeof *fixture);
    buf_init(&fixture->bytes, LIMIT_MESSAGE);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_done(&fixture->arena);
    buf_free(&fixture->bytes);
    mem_free(fixture);
    return 0;
}

static int write_bytes(void *buf, const char *bytes, size_t n)
{
    assert_true(buf_add(buf, bytes, n));
    return 0;
}

static void pack(msgpack_packer *out, const json_t *json)
{
    size_t i;
    json_t *item;
    if (json_is_array(json)) {
        msgpack_pack_array(out, json_array_size(json));
        json_array_foreach(json, i, item) pack(out, item);
    } else if (json_is_object(json)) {
        msgpack_pack_map(out, 0);
    } else if (json_is_string(json)) {
        msgpack_pack_str(out, json_string_length(json));
        msgpack_pack_str_body(out, json_string_value(json),
                              json_string_length(json));
    } else if (json_is_integer(json)) {
        msgpack_pack_int64(out, json_integer_value(json));
    } else if (json_is_real(json)) {
        msgpack_pack_double(out, json_real_value(json));
    } else if (json_is_null(json)) {
        msgpack_pack_nil(out);
    } else if (json_is_true(json)) {
        msgpack_pack_true(out);
    } else {
        msgpack_pack_false(out);
    }
}

static bool decode(struct fixture *fixture, struct msg *ret)
{
    fixture->why[0] = '\0';
    return msg_decode(fixture->bytes.data, fixture->bytes.len, &fixture->arena,
                      ret, fixture->why, sizeof fixture->why);
}

static bool decode_json(struct fixture *fixture, const char *text,
                        struct msg *ret)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_ALLOW_NUL, &error);
    if (json == NULL)
        fail_msg("%s in %s", error.text, text);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &fixture->bytes, write_bytes);
    buf_clear(&fixture->bytes);
    pack(&packer, json);
    json_decref(json);
    return decode(fixture, ret);
}

static void encode(struct fixture *fixture, const struct msg *msg)
{
    buf_clear(&fixture->bytes);
    assert_true(msg_encode(msg, &fixture->bytes));
}

static void assert_refused(struct fixture *fixture, const char *text,
                           const char *reason)
{
    struct msg msg;
    if (decode_json(fixture, text, &msg))
        fail_msg("taken: %s", text);
    if (strstr(fixture->why, reason) == NULL)
        fail_msg("%s: \"%s\" lacks \"%s\"", text, fixture->why, reason);
}

static void assert_taken(struct fixture *fixture, const char *text)
{
    struct msg msg;
    if (!decode_json(fixture, text, &msg))
        fail_msg("%s: %s", text, fixture->why);
}

/* --- What is written is read again. --- */

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct msg_result sent_results[] = {
    {.frame = 5, .ms = 1200, .files = "[{\"path\":\"a\"}]"},
    {.frame = 1, .ms = 0, .files = ""},
};
static const struct msg_lease sent_leases[] = {
    {.lease = LEASE_ID(3, 9),
     .job = JOB,
     .from = 1,
     .to = 9,
     .step = 4,
     .status = LEASE_FAILED,
     .frame = -1,
     .permille = 1000,
     .done = 2,
     .fault = FAULT_CRASH,
     .blamed = 9,
     .text = "Blender crashed",
     .results = sent_results,
     .n_results = 2},
    {.lease = UINT64_MAX, .job = JOB, .step = 1, .frame = 0, .blamed = -1},
};
static const char *const sent_tags[] = {"gpu", "größer"};
static const struct msg sent_state = {
    .kind = KIND_STATE,
    .state = {.agent = "a.b_c-1",
              .inc = UINT64_MAX,
              .seq = 1,
              .epoch = 3,
              .lane = 2,
              .dseq = 77,
              .slots = LIMIT_SLOTS,
              .why = "because",
              .leaving = true,
              .version = "0.1.0",
              .tags = sent_tags,
              .n_tags = 2,
              .node = {.up = true, .can_stop = true, .name = "n"},
              .leases = sent_leases,
              .n_leases = 2},
};

static void test_state_round_trip(void **state)
{
    struct fixture *fixture = *state;
    struct msg got;
    encode(fixture, &sent_state);
    assert_true(decode(fixture, &got));
    assert_int_equal(got.kind, KIND_STATE);
    assert_string_equal(got.state.agent, "a.b_c-1");
    assert_int_equal(got.state.inc, UINT64_MAX);
    assert_int_equal(got.state.dseq, 77);
    assert_true(got.state.leaving);
    assert_int_equal(got.state.n_tags, 2);
    assert_string_equal(got.state.tags[1], "größer");
    assert_true(got.state.node.up && got.state.node.can_stop);
    assert_false(got.state.node.classic || got.state.node.can_trim);
    assert_string_equal(got.state.node.error, "");
    assert_int_equal(got.state.n_leases, 2);
    assert_int_equal(got.state.leases[0].blamed, 9);
    assert_int_equal(got.state.leases[0].fault, FAULT_CRASH);
    assert_int_equal(got.state.leases[0].results[0].ms, 1200);
    assert_string_equal(got.state.leases[0].results[0].files,
                        "[{\"path\":\"a\"}]");
    assert_int_equal(got.state.leases[1].lease, UINT64_MAX);
}

/* What was read and is written again has the same bytes. */
static void test_same_bytes(void **state)
{
    struct fixture *fixture = *state;
    struct msg got;
    struct buf again;
    encode(fixture, &sent_state);
    assert_true(decode(fixture, &got));
    buf_init(&again, LIMIT_MESSAGE);
    assert_true(msg_encode(&got, &again));
    assert_int_equal(again.len, fixture->bytes.len);
    assert_memory_equal(again.data, fixture->bytes.data, again.len);
    buf_free(&again);
}

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

/* A broker before traceparent: its BATCH ends with the render fields. */
static void test_batch_of_an_older_broker(void **state)
{
    struct fixture *fixture = *state;
    const struct msg sent = {.kind = KIND_BATCH,
                             .batch = {.epoch = 1,
                                       .lane = 2,
                                       .dseq = 3,
                                       .lease = LEASE_ID(1, 4),
                                       .job = JOB,
                                       .step = 1,
                                       .render = "{}"}};
    struct msg got;
    encode(fixture, &sent);
    unsigned char *bytes = (unsigned char *)fixture->bytes.data;
    assert_int_equal(bytes[0], 0x90 + 15);
    bytes[0]--;
    fixture->bytes.len--; /* the empty text */
    assert_true(decode(fixture, &got));
    assert_string_equal(got.batch.render, "{}");
    assert_string_equal(got.batch.trace, "");
    bytes[0]--;
    fixture->bytes.len -= 3;
    assert_false(decode(fixture, &got));
}

static void test_broker_round_trips(void **state)
{
    struct fixture *fixture = *state;
    const struct msg_ack acks[] = {{LEASE_ID(1, 1), 1, 5, false},
                                   {LEASE_ID(1, 2), 0, -1, true}};
    const struct msg sent[] = {
        {.kind = KIND_BATCH,
         .batch = {.epoch = 1,
                   .lane = 2,
                   .dseq = 3,
                   .lease = LEASE_ID(1, 4),
                   .job = JOB,
                   .name = "shot",
                   .from = 10,
                   .to = 20,
                   .step = 5,
                   .replace = true,
                   .render = "{\"engine\":\"CYCLES\"}",
                   .trace = TRACE}},
        {.kind = KIND_LANE, .lane = {.inc = 1, .lane = 2, .port = 65535}},
        {.kind = KIND_ACK, .acks = {.at = acks, .n = 2}},
        {.kind = KIND_REVOKE, .revoke = {LEASE_ID(1, 1), "drained"}},
        {.kind = KIND_TRIM, .trim = {LEASE_ID(1, 1), 7}},
        {.kind = KIND_DRAIN, .drain = {DRAIN_NOW}},
        {.kind = KIND_REFUSE, .refuse = {9, "taken"}},
        {.kind = KIND_WHO},
        {.kind = KIND_BEAT, .beat = {5, 1234567890123}},
        {.kind = KIND_ASK, .ask = {LEASE_ID(1, 1), 7, JOB, "", ""}},
        {.kind = KIND_ASK,
         .ask = {LEASE_ID(1, 1), 7, JOB, "/f/a_0007.png", HASH}},
    };
    struct msg got;
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        encode(fixture, &sent[i]);
        if (!decode(fixture, &got))
            fail_msg("kind %d: %s", sent[i].kind, fixture->why);
        assert_int_equal(got.kind, sent[i].kind);
    }
    encode(fixture, &sent[0]);
    assert_true(decode(fixture, &got));
    assert_string_equal(got.batch.render, "{\"engine\":\"CYCLES\"}");
    assert_string_equal(got.batch.trace, TRACE);
    assert_true(got.batch.replace && !got.batch.plain);
    encode(fixture, &sent[2]);
    assert_true(decode(fixture, &got));
    assert_int_equal(got.acks.at[0].to, 5);
    assert_true(got.acks.at[1].closed);
    encode(fixture, &sent[8]);
    assert_true(decode(fixture, &got));
    assert_int_equal(got.beat.now_ms, 1234567890123);
}

static void test_maximum_refuses(void **state)
{
    struct fixture *fixture = *state;
    const struct msg beat = {.kind = KIND_BEAT, .beat = {5, 1}};
    encode(fixture, &beat);
    struct buf small;
    buf_init(&small, fixture->bytes.len - 1);
    assert_false(msg_encode(&beat, &small));
    assert_int_equal(small.len, 0);
    buf_free(&small);
    buf_init(&small, fixture->bytes.len);
    assert_true(msg_encode(&beat, &small));
    buf_free(&small);
}

/* --- Refusals. --- */

struct spoilt {
    const char *json, *reason;
};

static void test_heads(void **state)
{
    static const struct spoilt cases[] = {
        {"[]", "not a message"},
        {"[1]", "not a message"},
        {"{}", "not a message"},
        {"[\"1\",10,1,1]", "not a message"},
        {"[2,10,1,1]", "another version"},
        {"[0,10,1,1]", "another version"},
        {"[1,0]", "unknown kind"},
        {"[1,12]", "unknown kind"},
        {"[1,-1]", "unknown kind"},
        {"[1,10,1]", "BEAT: has 1 fields of 2"},
        {"[1,10]", "BEAT: has 0 fields of 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(*state, cases[i].json, cases[i].reason);
    assert_refused(*state, "[1,11," LEASE ",1,\"" JOB "\",\"a.png\",\"\"]",
                   "ASK field path: is not absolute");
    assert_refused(*state, "[1,11," LEASE ",1,\"" JOB "\",\"/a.png\",\"\"]",
                   "sha256 and path do not match");
    assert_refused(*state, "[1,11," LEASE ",1,\"" JOB "\",\"\",\"00\"]",
                   "sha256 and path do not match");
    assert_taken(*state, "[1,9]");
}

static void test_extra_fields(void **state)
{
    assert_taken(*state, "[1,10,1,1,\"new\",[1,[2,{}]],1.5,null,true,-70000]");
    assert_taken(*state, "[1,4,[[" LEASE ",1,2,false,\"new\"]],[]]");
}

static const char *letters(size_t n)
{
    static char text[4][256];
    static unsigned next;
    char *at = text[next++ % 4];
    memset(at, 'a', n);
    at[n] = '\0';
    return at;
}

/* Names and ids at their limits, and one past them. */
static void test_lengths(void **state)
{
    static const struct {
        size_t agent, job;
        bool fits;
    } cases[] = {
        {1, LIMIT_ID_MIN, true},
        {LIMIT_AGENT, LIMIT_ID, true},
        {LIMIT_AGENT + 1, LIMIT_ID, false},
        {0, LIMIT_ID, false},
        {1, LIMIT_ID_MIN - 1, false},
        {1, LIMIT_ID + 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "[1,1,\"%s\",7,1,3,9,2,1,\"\",false,\"0\",[]," NODE ",[[" LEASE
                 ",\"%s\",1,1,1,1,-1,0,0,0,-1,\"\",[]]]]",
                 letters(cases[i].agent), letters(cases[i].job));
        if (cases[i].fits)
            assert_taken(*state, text);
        else
            assert_refused(*state, text, "STATE field ");
    }
}

static void test_state_fields(void **state)
{
    static const struct spoilt cases[] = {
        {"[1,1,\"\",7,1,3,9,2,1,\"\",false,\"0\",[]," NODE ",[]]",
         "STATE field agent: 0 bytes are fewer than 1"},
        {"[1,1,\"a/b\",7,1,3,9,2,1,\"\",false,\"0\",[]," NODE ",[]]",
         "STATE field agent: has more than"},
        {"[1,1,\"a\",0,1,3,9,2,1,\"\",false,\"0\",[]," NODE ",[]]",
         "STATE field inc: 0 is less than 1"},
        {"[1,1,\"a\",7,0,3,9,2,1,\"\",false,\"0\",[]," NODE ",[]]",
         "STATE field seq: 0 is less"},
        {"[1,1,\"a\",7,1,16777216,9,2,1,\"\",false,\"0\",[]," NODE ",[]]",
         "STATE field epoch: 16777216 is more than 16777215"},
        {"[1,1,\"a\",7,1,3,-9,2,1,\"\",false,\"0\",[]," NODE ",[]]",
         "STATE field lane: is not a whole number"},
        {"[1,1,\"a\",7,1,3,9,2,257,\"\",false,\"0\",[]," NODE ",[]]",
         "STATE field slots: 257 is more than 256"},
        {"[1,1,\"a\",7,1,3,9,2,1.0,\"\",false,\"0\",[]," NODE ",[]]",
         "STATE field slots: is not a whole number"},
        {"[1,1,\"a\",7,1,3,9,2,1,\"a\\nb\",false,\"0\",[]," NODE ",[]]",
         "STATE field why: is not UTF-8 without"},
        {"[1,1,\"a\",7,1,3,9,2,1,\"a\\u0000b\",false,\"0\",[]," NODE ",[]]",
         "STATE field why: is not UTF-8 without"},
        {"[1,1,\"a\",7,1,3,9,2,1,7,false,\"0\",[]," NODE ",[]]",
         "STATE field why: is not a text"},
        {"[1,1,\"a\",7,1,3,9,2,1,\"\",0,\"0\",[]," NODE ",[]]",
         "STATE field leaving: is neither"},
        {"[1,1,\"a\",7,1,3,9,2,1,\"\",false,\"0\",[\"t\",\"\"]," NODE ",[]]",
         "STATE field tags[1]: 0 bytes"},
        {"[1,1,\"a\",7,1,3,9,2,1,\"\",false,\"0\",\"t\"," NODE ",[]]",
         "STATE field tags: is not a list"},
        {"[1,1,\"a\",7,1,3,9,2,1,\"\",false,\"0\",[],[true],[]]",
         "STATE field node: has 1 fields of 12"},
        {"[1,1,\"a\",7,1,3,9,2,1,\"\",false,\"0\",[],7,[]]",
         "STATE field node: is not a list"},
        {"[1,1,\"a\",7,1,3,0,2,1,\"\",false,\"0\",[]," NODE ",[]]",
         "STATE: dseq without lane"},
        {STATE(A_LEASE "," A_LEASE), "STATE: lists a lease twice"},
        {STATE("7"), "STATE field leases[0]: is not a list"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(*state, cases[i].json, cases[i].reason);
    assert_taken(*state, STATE(""));
    assert_taken(*state, STATE(A_LEASE));
}

#define WITH(middle) STATE("[" LEASE ",\"" JOB "\"," middle "]")

static void test_lease_fields(void **state)
{
    static const struct spoilt cases[] = {
        {STATE("[1099511627775,\"" JOB "\",1,5,2" LEASE_TAIL),
         "STATE field leases[0].lease: 1099511627775 is less than"},
        {STATE("[" LEASE ",\"AAAAAAAAAAAAAAA\",1,5,2" LEASE_TAIL),
         "STATE field leases[0].job: 15 bytes are fewer than 16"},
        {STATE("[" LEASE ",\"AAAAAAAA/AAAAAAA\",1,5,2" LEASE_TAIL),
         "STATE field leases[0].job: has more than"},
        {WITH("1,5,0,1,3,0,1,0,-1,\"\",[]"),
         "STATE field leases[0].step: 0 is less than 1"},
        {WITH("-1,5,2,1,3,0,1,0,-1,\"\",[]"), "leases[0].from: -1 is less"},
        {WITH("1,1048575,2,1,3,0,1,0,-1,\"\",[]"),
         "leases[0].to: 1048575 is more than 1048574"},
        {WITH("1,5,2,6,3,0,1,0,-1,\"\",[]"), "leases[0].status: 6 is more"},
        {WITH("1,5,2,1,-2,0,1,0,-1,\"\",[]"), "leases[0].frame: -2 is less"},
        {WITH("1,5,2,1,3,1001,1,0,-1,\"\",[]"), "permille: 1001 is more"},
        {WITH("6,5,1,1,-1,0,0,0,-1,\"\",[]"), "leases[0]: from is greater"},
        {WITH("1,6,2,1,-1,0,0,0,-1,\"\",[]"), "leases[0]: step does not"},
        {WITH("0,1000,1,1,-1,0,0,0,-1,\"\",[]"), "leases[0]: has too many"},
        {WITH("1,5,2,1,2,0,0,0,-1,\"\",[]"), "leases[0]: frame is not"},
        {WITH("1,5,2,4,-1,0,0,13,7,\"\",[]"), "leases[0]: blamed is not"},
        {WITH("1,5,2,4,-1,0,0,0,-1,\"\",[]"), "leases[0]: fault and status"},
        {WITH("1,5,2,3,-1,0,0,13,-1,\"\",[]"), "leases[0]: fault and status"},
        {WITH("1,5,2,5,-1,0,0,0,3,\"\",[]"), "leases[0]: blamed without"},
        {WITH("1,5,2,4,-1,0,0,9999,3,\"\",[]"), "fault: 9999 is more than 255"},
        {WITH("1,5,2,1,-1,0,4,0,-1,\"\",[]"), "leases[0]: done is more"},
        {WITH("1,5,2,1,-1,0,0,0,-1,\"\",[[2,0,\"\"]]"), "not its own"},
        {WITH("1,5,2,1,-1,0,0,0,-1,\"\",[[7,0,\"\"]]"), "not its own"},
        {WITH("1,5,2,1,-1,0,0,0,-1,\"\",[[3,0,\"\"],[3,0,\"\"]]"),
         "two results of one frame"},
        {WITH("1,5,2,1,-1,0,0,0,-1,\"\",[[3,-1,\"\"]]"),
         "leases[0].results[0].ms: -1 is less than 0"},
        {WITH("1,5,2,1,-1,0,0,0,-1,\"\",[[3,1,\"{}\"]]"),
         "results[0].files: is not a JSON list"},
        {WITH("1,5,2,1,-1,0,0,0,-1,\"\",[[3,1]]"),
         "leases[0].results[0]: has 2 fields of 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(*state, cases[i].json, cases[i].reason);
    assert_taken(*state, WITH("0,999,1,1,-1,0,0,0,-1,\"\",[]"));
    assert_taken(*state, WITH("1,5,2,4,5,1000,3,13,5,\"x\",[[1,0,\"\"]]"));
    assert_taken(*state, WITH("1048574,1048574,1,0,-1,0,0,0,-1,\"\",[]"));
}

#define BATCH(frames, render)                                                  \
    "[1,2,1,2,3," LEASE ",\"" JOB "\",\"n\"," frames ",false,true," render "]"

static void test_broker_fields(void **state)
{
    static const struct spoilt cases[] = {
        {BATCH("5,1,1", "\"{}\""), "BATCH: from is greater"},
        {BATCH("1,4,2", "\"{}\""), "BATCH: step does not divide"},
        {BATCH("1,1001,1", "\"{}\""), "BATCH: has too many frames"},
        {BATCH("1,4,1", "\"[]\""), "BATCH field render: is not a JSON object"},
        {BATCH("1,4,1", "\"\""), "BATCH field render: 0 bytes are fewer"},
        {BATCH("1,4,1", "{}"), "BATCH field render: is not a text"},
        {"[1,3,0,1,1]", "LANE field inc: 0"},
        {"[1,3,1,0,1]", "LANE field lane: 0"},
        {"[1,3,1,1,0]", "LANE field port: 0 is less than 1"},
        {"[1,3,1,1,65536]", "LANE field port: 65536 is more than 65535"},
        {"[1,4,7]", "ACK field at: is not a list"},
        {"[1,4,[[" LEASE ",1,-2,false]]]", "ACK field at[0].to: -2"},
        {"[1,4,[[" LEASE ",1,2]]]", "ACK field at[0]: has 3 fields of 4"},
        {"[1,5,0,\"\"]", "REVOKE field lease: 0 is less than"},
        {"[1,6," LEASE ",-1]", "TRIM field to: -1 is less"},
        {"[1,7,3]", "DRAIN field mode: 3 is more than 2"},
        {"[1,8,0,\"\"]", "REFUSE field inc"},
        {"[1,10,0,1]", "BEAT field epoch: 0"},
        {"[1,10,1,-1]", "BEAT field now_ms: -1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(*state, cases[i].json, cases[i].reason);
    assert_taken(*state, BATCH("1,1000,1", "\"{}\""));
    assert_taken(*state, "[1,4,[[" LEASE ",0,-1,true]]]");
}

static void test_newer_fault(void **state)
{
    struct msg msg;
    assert_true(
        decode_json(*state, WITH("1,5,2,4,-1,0,0,255,3,\"new\",[]"), &msg));
    assert_int_equal(msg.state.leases[0].fault, FAULT_RENDER);
}

/* Counts and lengths at their limit and one past it. */
static void test_counts(void **state)
{
    struct fixture *fixture = *state;
    static struct msg_lease leases[LIMIT_LEASES];
    static struct msg_result results[LIMIT_RESULTS];
    static char files[LIMIT_FILES + 1];
    memset(files, ' ', LIMIT_FILES);
    files[0] = '[';
    files[LIMIT_FILES - 1] = ']';
    for (int i = 0; i < LIMIT_RESULTS; i++)
        results[i] = (struct msg_result){.frame = i, .files = "[]"};
    results[7].files = files;
    for (int i = 0; i < LIMIT_LEASES; i++)
        leases[i] = (struct msg_lease){.lease = LEASE_ID(1, 1 + i),
                                       .job = JOB,
                                       .to = LIMIT_BATCH - 1,
                                       .step = 1,
                                       .blamed = -1};
    leases[9].results = results;
    leases[9].n_results = LIMIT_RESULTS;
    struct msg msg = {.kind = KIND_STATE,
                      .state = {.agent = "a",
                                .inc = 1,
                                .seq = 1,
                                .leases = leases,
                                .n_leases = LIMIT_LEASES}};
    struct msg got;
    encode(fixture, &msg);
    assert_true(decode(fixture, &got));
    assert_int_equal(got.state.n_leases, LIMIT_LEASES);
    assert_int_equal(got.state.leases[9].n_results, LIMIT_RESULTS);

    struct buf text;
    buf_init(&text, LIMIT_MESSAGE);
    buf_print(&text, "[1,4,[");
    for (int i = 0; i <= LIMIT_ACKS; i++)
        buf_print(&text, "%s[" LEASE ",0,1,true]", i == 0 ? "" : ",");
    buf_print(&text, "]]");
    assert_refused(fixture, text.data, "ACK field at: 577 items are more than");
    buf_free(&text);
}

/* --- Hostile bytes. --- */

static void test_cut_anywhere(void **state)
{
    struct fixture *fixture = *state;
    struct msg msg;
    assert_taken(fixture, STATE(A_LEASE));
    size_t len = fixture->bytes.len;
    for (size_t i = 0; i < len; i++) {
        char *cut =
            mem_copy(fixture->bytes.data, i); /* ASan sees a byte past */
        assert_false(msg_decode(cut, i, &fixture->arena, &msg, fixture->why,
                                sizeof fixture->why));
        mem_free(cut);
    }
    buf_add(&fixture->bytes, "", 1);
    assert_false(decode(fixture, &msg));
    assert_non_null(strstr(fixture->why, "after its end"));
}

/* Every single byte changed to every value: read or refused, never worse; and
 * what is read can be written. */
static void test_any_byte(void **state)
{
    struct fixture *fixture = *state;
    struct msg msg;
    struct buf again;
    buf_init(&again, LIMIT_MESSAGE);
    assert_taken(fixture, STATE(A_LEASE));
    for (size_t i = 0; i < fixture->bytes.len; i++) {
        char was = fixture->bytes.data[i];
        for (int c = 0; c < 256; c++) {
            fixture->bytes.data[i] = (char)c;
            buf_clear(&again);
            if (decode(fixture, &msg))
                assert_true(msg_encode(&msg, &again));
            arena_reset(&fixture->arena);
        }
        fixture->bytes.data[i] = was;
    }
    buf_free(&again);
}

/* Heads that claim more than there is cost nothing. */
static void test_false_claims(void **state)
{
    struct fixture *fixture = *state;
    static const char *const claims[] = {
        "\xdd\xff\xff\xff\xff\x01\x04",
        "\x93\x01\x04\xdd\xff\xff\xff\xff",
        "\x93\x01\x04\xdd\x00\x00\x00\xff",
        "\x95\x01\x0a\x01\x01\xdf\xff\xff\xff\xff",
        "\x95\x01\x0a\x01\x01\xdb\xff\xff\xff\xff",
        "\x95\x01\x0a\x01\x01\xc9\xff\xff\xff\xff",
        "\x95\x01\x0a\x01\x01\xc1",
    };
    static const size_t lens[] = {7, 8, 8, 10, 10, 10, 6};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        struct msg msg;
        assert_false(msg_decode(claims[i], lens[i], &fixture->arena, &msg,
                                fixture->why, sizeof fixture->why));
        assert_true(fixture->arena.used < 4096);
    }
}

static void test_deep_nesting(void **state)
{
    struct fixture *fixture = *state;
    struct msg msg;
    buf_add(&fixture->bytes, "\x95\x01\x0a\x01\x01", 5);
    for (int i = 0; i < 500000; i++)
        buf_add(&fixture->bytes, "\x91", 1);
    assert_false(decode(fixture, &msg));
    buf_add(&fixture->bytes, "\xc0", 1);
    assert_true(decode(fixture, &msg));
}

static void test_topic(void **state)
{
    (void)state;
    char topic[MSG_TOPIC_SIZE];
    assert_string_equal(msg_topic("n1", topic), "C/n1/");
    assert_string_equal(msg_topic("*", topic), "C/*/");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_state_round_trip),
        TEST(test_same_bytes),
        TEST(test_broker_round_trips),
        TEST(test_batch_of_an_older_broker),
        TEST(test_maximum_refuses),
        TEST(test_heads),
        TEST(test_extra_fields),
        TEST(test_lengths),
        TEST(test_state_fields),
        TEST(test_lease_fields),
        TEST(test_broker_fields),
        TEST(test_newer_fault),
        TEST(test_counts),
        TEST(test_cut_anywhere),
        TEST(test_any_byte),
        TEST(test_false_claims),
        TEST(test_deep_nesting),
        TEST(test_topic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
