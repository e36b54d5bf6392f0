/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of all messages: docs/protocol.md in code. The order of the rows
 * is the order on the wire; rows are only ever appended.
 */
#include "common/msg.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/layout.h"
#include "common/limits.h"
#include "common/text.h"

#define EPOCH_MAX      ((1 << 24) - 1) /* what a lease id has room for */
#define LEASE_MIN      ((int64_t)LEASE_ID(1, 1))
#define ANY            (-1) /* as a bound of uint64_t: the largest there is */
#define LONG_TEXT      LIMIT_REASON
#define ASK_HASH       64  /* hex digits of a SHA-256 */
#define FAULT_WIRE_MAX 255 /* room for classes of newer agents */
#define COUNT(rows)    (sizeof(rows) / sizeof(rows)[0])

#define ROW_BOOL(type, m)                                                      \
    {                                                                          \
        .name = #m, .form = FORM_BOOL, .at = offsetof(struct type, m)          \
    }
#define ROW_NUMBER(kind, type, m, least, most_)                                \
    {                                                                          \
        .name = #m, .form = FORM_##kind, .at = offsetof(struct type, m),       \
        .low = (least), .high = (most_)                                        \
    }
#define ROW_TEXT(type, m, least, most_, check)                                 \
    {                                                                          \
        .name = #m, .form = FORM_TEXT, .at = offsetof(struct type, m),         \
        .low = (least), .high = (most_), .refuse = (check)                     \
    }
#define ROW_TEXTS(type, m, count, items, bytes, check)                         \
    {                                                                          \
        .name = #m, .form = FORM_TEXTS, .at = offsetof(struct type, m),        \
        .count_at = offsetof(struct type, count), .most = (items), .low = 1,   \
        .high = (bytes), .refuse = (check)                                     \
    }
#define ROW_STRUCT(type, m, layout)                                            \
    {                                                                          \
        .name = #m, .form = FORM_STRUCT, .at = offsetof(struct type, m),       \
        .of = (layout)                                                         \
    }
#define ROW_LIST(type, m, count, items, layout)                                \
    {                                                                          \
        .name = #m, .form = FORM_LIST, .at = offsetof(struct type, m),         \
        .count_at = offsetof(struct type, count), .most = (items),             \
        .of = (layout)                                                         \
    }
#define LAYOUT(type, rows, rule)                                               \
    {                                                                          \
        .size = sizeof(struct type), .n = COUNT(rows), .fields = (rows),       \
        .refuse = (rule)                                                       \
    }

/* --- What texts may hold. --- */

static const char *refuse_plain(const char *text, size_t len)
{
    return text_is_plain(text, len) ? NULL
                                    : "is not UTF-8 without control characters";
}

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

static bool is_made_of(const char *text, size_t len, const char *extra)
{
    for (size_t i = 0; i < len; i++)
        if (!is_alphanumeric(text[i]) &&
            (text[i] == '\0' || strchr(extra, text[i]) == NULL))
            return false;
    return true;
}

static const char *refuse_agent(const char *text, size_t len)
{
    return is_made_of(text, len, "._-") ? NULL : "has more than [A-Za-z0-9._-]";
}

static const char *refuse_id(const char *text, size_t len)
{
    return is_made_of(text, len, "_-") ? NULL : "has more than [A-Za-z0-9_-]";
}

/* JSON is parsed where it is used; here it only has to look like it. */
static const char *refuse_object(const char *text, size_t len)
{
    if (text[0] != '{' || text[len - 1] != '}')
        return "is not a JSON object";
    return refuse_plain(text, len);
}

static const char *refuse_files(const char *text, size_t len)
{
    if (len > 0 && (text[0] != '[' || text[len - 1] != ']'))
        return "is not a JSON list";
    return refuse_plain(text, len);
}

/* --- Runs of frames. --- */

static const char *refuse_run(int32_t from, int32_t to, int32_t step)
{
    if (from > to)
        return "from is greater than to";
    if ((to - from) % step != 0)
        return "step does not divide to - from";
    if ((to - from) / step >= LIMIT_BATCH)
        return "has too many frames";
    return NULL;
}

static bool lease_has(const struct msg_lease *lease, int32_t frame)
{
    return lease->from <= frame && frame <= lease->to &&
           (frame - lease->from) % lease->step == 0;
}

/* --- STATE. --- */

static const struct field_row result_rows[] = {
    ROW_NUMBER(I32, msg_result, frame, 0, LIMIT_FRAME_MAX),
    ROW_NUMBER(I32, msg_result, ms, 0, INT32_MAX),
    ROW_TEXT(msg_result, files, 0, LIMIT_FILES, refuse_files),
};
static const struct layout result_layout =
    LAYOUT(msg_result, result_rows, NULL);

static bool result_is_new(const struct msg_lease *lease, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (lease->results[k].frame == lease->results[i].frame)
            return false;
    return true;
}

static const char *refuse_results(const struct msg_lease *lease)
{
    for (size_t i = 0; i < lease->n_results; i++) {
        if (!lease_has(lease, lease->results[i].frame))
            return "has a result of a frame that is not its own";
        if (!result_is_new(lease, i))
            return "has two results of one frame";
    }
    return NULL;
}

static const char *refuse_lease(const void *value)
{
    const struct msg_lease *lease = value;
    const char *run = refuse_run(lease->from, lease->to, lease->step);
    if (run != NULL)
        return run;
    if (lease->done > (lease->to - lease->from) / lease->step + 1)
        return "done is more than its frames";
    if (lease->frame >= 0 && !lease_has(lease, lease->frame))
        return "frame is not its own";
    if (lease->blamed >= 0 && !lease_has(lease, lease->blamed))
        return "blamed is not its own";
    bool failed = lease->status == LEASE_FAILED;
    if (failed != (lease->fault != FAULT_NONE))
        return "fault and status do not match";
    if (!failed && lease->blamed >= 0)
        return "blamed without a failure";
    return refuse_results(lease);
}

/* Failure classes on the wire: room for those of newer agents. */
#define FAULT_WIRE_MAX 255

static const struct field_row lease_rows[] = {
    ROW_NUMBER(U64, msg_lease, lease, LEASE_MIN, ANY),
    ROW_TEXT(msg_lease, job, LIMIT_ID_MIN, LIMIT_ID, refuse_id),
    ROW_NUMBER(I32, msg_lease, from, 0, LIMIT_FRAME_MAX),
    ROW_NUMBER(I32, msg_lease, to, 0, LIMIT_FRAME_MAX),
    ROW_NUMBER(I32, msg_lease, step, 1, LIMIT_FRAME_MAX),
    ROW_NUMBER(I32, msg_lease, status, LEASE_ACCEPTED, LEASE_STOPPED),
    ROW_NUMBER(I32, msg_lease, frame, -1, LIMIT_FRAME_MAX),
    ROW_NUMBER(I32, msg_lease, permille, 0, 1000),
    ROW_NUMBER(I32, msg_lease, done, 0, LIMIT_BATCH),
    ROW_NUMBER(I32, msg_lease, fault, 0, FAULT_WIRE_MAX),
    ROW_NUMBER(I32, msg_lease, blamed, -1, LIMIT_FRAME_MAX),
    ROW_TEXT(msg_lease, text, 0, LONG_TEXT, refuse_plain),
    ROW_LIST(msg_lease, results, n_results, LIMIT_RESULTS, &result_layout),
};
static const struct layout lease_layout =
    LAYOUT(msg_lease, lease_rows, refuse_lease);

static const struct field_row node_rows[] = {
    ROW_BOOL(msg_node, up),
    ROW_BOOL(msg_node, classic),
    ROW_BOOL(msg_node, can_trim),
    ROW_BOOL(msg_node, can_stop),
    ROW_NUMBER(I32, msg_node, cores, 0, INT32_MAX),
    ROW_NUMBER(I32, msg_node, memory_mb, 0, INT32_MAX),
    ROW_NUMBER(I32, msg_node, gpus, 0, INT32_MAX),
    ROW_TEXT(msg_node, name, 0, LIMIT_NAME, refuse_plain),
    ROW_TEXT(msg_node, version, 0, LIMIT_NAME, refuse_plain),
    ROW_TEXT(msg_node, blender, 0, LIMIT_NAME, refuse_plain),
    ROW_TEXT(msg_node, device, 0, LIMIT_NAME, refuse_plain),
    ROW_TEXT(msg_node, error, 0, LONG_TEXT, refuse_plain),
};
static const struct layout node_layout = LAYOUT(msg_node, node_rows, NULL);

static bool lease_is_new(const struct msg_state *state, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (state->leases[k].lease == state->leases[i].lease)
            return false;
    return true;
}

static const char *refuse_state(const void *value)
{
    const struct msg_state *state = value;
    if (state->lane == 0 && state->dseq > 0)
        return "dseq without lane";
    size_t results = 0;
    for (size_t i = 0; i < state->n_leases; i++) {
        if (!lease_is_new(state, i))
            return "lists a lease twice";
        results += state->leases[i].n_results;
    }
    return results > LIMIT_RESULTS ? "has too many results" : NULL;
}

static const struct field_row state_rows[] = {
    ROW_TEXT(msg_state, agent, 1, LIMIT_AGENT, refuse_agent),
    ROW_NUMBER(U64, msg_state, inc, 1, ANY),
    ROW_NUMBER(U64, msg_state, seq, 1, ANY),
    ROW_NUMBER(U64, msg_state, epoch, 0, EPOCH_MAX),
    ROW_NUMBER(U64, msg_state, lane, 0, ANY),
    ROW_NUMBER(U64, msg_state, dseq, 0, ANY),
    ROW_NUMBER(I32, msg_state, slots, 0, LIMIT_SLOTS),
    ROW_TEXT(msg_state, why, 0, LONG_TEXT, refuse_plain),
    ROW_BOOL(msg_state, leaving),
    ROW_TEXT(msg_state, version, 0, LIMIT_NAME, refuse_plain),
    ROW_TEXTS(msg_state, tags, n_tags, LIMIT_TAGS, LIMIT_TAG, refuse_plain),
    ROW_STRUCT(msg_state, node, &node_layout),
    ROW_LIST(msg_state, leases, n_leases, LIMIT_LEASES, &lease_layout),
};
static const struct layout state_layout =
    LAYOUT(msg_state, state_rows, refuse_state);

/* --- The broker's. --- */

static const char *refuse_batch(const void *value)
{
    const struct msg_batch *batch = value;
    return refuse_run(batch->from, batch->to, batch->step);
}

static const struct field_row batch_rows[] = {
    ROW_NUMBER(U64, msg_batch, epoch, 1, EPOCH_MAX),
    ROW_NUMBER(U64, msg_batch, lane, 1, ANY),
    ROW_NUMBER(U64, msg_batch, dseq, 1, ANY),
    ROW_NUMBER(U64, msg_batch, lease, LEASE_MIN, ANY),
    ROW_TEXT(msg_batch, job, LIMIT_ID_MIN, LIMIT_ID, refuse_id),
    ROW_TEXT(msg_batch, name, 0, LIMIT_NAME, refuse_plain),
    ROW_NUMBER(I32, msg_batch, from, 0, LIMIT_FRAME_MAX),
    ROW_NUMBER(I32, msg_batch, to, 0, LIMIT_FRAME_MAX),
    ROW_NUMBER(I32, msg_batch, step, 1, LIMIT_FRAME_MAX),
    ROW_BOOL(msg_batch, replace),
    ROW_BOOL(msg_batch, plain),
    ROW_TEXT(msg_batch, render, 2, LIMIT_SPEC, refuse_object),
#define BATCH_LEAST 12
    ROW_TEXT(msg_batch, trace, 0, LIMIT_TRACE, refuse_plain),
};
static const struct layout batch_layout = {
    .size = sizeof(struct msg_batch),
    .n = COUNT(batch_rows),
    .least = BATCH_LEAST,
    .fields = batch_rows,
    .refuse = refuse_batch,
};

static const struct field_row lane_rows[] = {
    ROW_NUMBER(U64, msg_lane, inc, 1, ANY),
    ROW_NUMBER(U64, msg_lane, lane, 1, ANY),
    ROW_NUMBER(I32, msg_lane, port, 1, 65535),
};
static const struct layout lane_layout = LAYOUT(msg_lane, lane_rows, NULL);

static const struct field_row ack_rows[] = {
    ROW_NUMBER(U64, msg_ack, lease, LEASE_MIN, ANY),
    ROW_NUMBER(I32, msg_ack, from, 0, LIMIT_FRAME_MAX),
    ROW_NUMBER(I32, msg_ack, to, -1, LIMIT_FRAME_MAX),
    ROW_BOOL(msg_ack, closed),
};
static const struct layout ack_layout = LAYOUT(msg_ack, ack_rows, NULL);

static const struct field_row acks_rows[] = {
    ROW_LIST(msg_acks, at, n, LIMIT_ACKS, &ack_layout),
};
static const struct layout acks_layout = LAYOUT(msg_acks, acks_rows, NULL);

static const struct field_row revoke_rows[] = {
    ROW_NUMBER(U64, msg_revoke, lease, LEASE_MIN, ANY),
    ROW_TEXT(msg_revoke, why, 0, LONG_TEXT, refuse_plain),
};
static const struct layout revoke_layout =
    LAYOUT(msg_revoke, revoke_rows, NULL);

static const struct field_row trim_rows[] = {
    ROW_NUMBER(U64, msg_trim, lease, LEASE_MIN, ANY),
    ROW_NUMBER(I32, msg_trim, to, 0, LIMIT_FRAME_MAX),
};
static const struct layout trim_layout = LAYOUT(msg_trim, trim_rows, NULL);

static const struct field_row drain_rows[] = {
    ROW_NUMBER(I32, msg_drain, mode, DRAIN_OFF, DRAIN_NOW),
};
static const struct layout drain_layout = LAYOUT(msg_drain, drain_rows, NULL);

static const struct field_row refuse_rows[] = {
    ROW_NUMBER(U64, msg_refuse, inc, 1, ANY),
    ROW_TEXT(msg_refuse, why, 0, LONG_TEXT, refuse_plain),
};
static const struct layout refuse_layout =
    LAYOUT(msg_refuse, refuse_rows, NULL);

static const struct field_row beat_rows[] = {
    ROW_NUMBER(U64, msg_beat, epoch, 1, EPOCH_MAX),
    ROW_NUMBER(I64, msg_beat, now_ms, 0, INT64_MAX),
};
static const struct layout beat_layout = LAYOUT(msg_beat, beat_rows, NULL);

static const char *refuse_path(const char *text, size_t len)
{
    if (len > 0 && text[0] != '/')
        return "is not absolute";
    return refuse_plain(text, len);
}

static const char *refuse_ask(const void *value)
{
    const struct msg_ask *ask = value;
    size_t hash = strlen(ask->sha256);
    if (ask->path[0] != '\0' ? hash != ASK_HASH : hash != 0)
        return "sha256 and path do not match";
    return NULL;
}

static const struct field_row ask_rows[] = {
    ROW_NUMBER(U64, msg_ask, lease, LEASE_MIN, ANY),
    ROW_NUMBER(I32, msg_ask, frame, 0, LIMIT_FRAME_MAX),
    ROW_TEXT(msg_ask, job, LIMIT_ID_MIN, LIMIT_ID, refuse_id),
    ROW_TEXT(msg_ask, path, 0, LIMIT_FILES, refuse_path),
    ROW_TEXT(msg_ask, sha256, 0, ASK_HASH, refuse_id),
};
static const struct layout ask_layout = LAYOUT(msg_ask, ask_rows, refuse_ask);

static const struct layout who_layout = {0};

/* --- Messages. --- */

struct kind {
    const char *name;
    const struct layout *layout;
    size_t at; /* offset of its struct in struct msg */
};

#define ENTRY(name, layout, member)                                            \
    {                                                                          \
        name, &(layout), offsetof(struct msg, member)                          \
    }

static const struct kind kinds[] = {
    [KIND_STATE] = ENTRY("STATE", state_layout, state),
    [KIND_BATCH] = ENTRY("BATCH", batch_layout, batch),
    [KIND_LANE] = ENTRY("LANE", lane_layout, lane),
    [KIND_ACK] = ENTRY("ACK", acks_layout, acks),
    [KIND_REVOKE] = ENTRY("REVOKE", revoke_layout, revoke),
    [KIND_TRIM] = ENTRY("TRIM", trim_layout, trim),
    [KIND_DRAIN] = ENTRY("DRAIN", drain_layout, drain),
    [KIND_REFUSE] = ENTRY("REFUSE", refuse_layout, refuse),
    [KIND_WHO] = ENTRY("WHO", who_layout, state),
    [KIND_BEAT] = ENTRY("BEAT", beat_layout, beat),
    [KIND_ASK] = ENTRY("ASK", ask_layout, ask),
};
#define HEAD 2 /* version and kind */

bool msg_encode(const struct msg *msg, struct buf *out)
{
    assert(msg->kind >= KIND_STATE && msg->kind <= KIND_ASK);
    const struct kind *kind = &kinds[msg->kind];
    size_t before = out->len;
    layout_array(HEAD + kind->layout->n, out);
    layout_number(MSG_VERSION, out);
    layout_number(msg->kind, out);
    layout_encode(kind->layout, (const char *)msg + kind->at, out);
    if (out->over)
        out->len = before;
    return !out->over;
}

static bool refuse_head(char *why, size_t size, const char *reason)
{
    snprintf(why, size, "%s", reason);
    return false;
}

static bool decode_head(struct unpack *in, size_t *ret_count,
                        enum msg_kind *ret_kind, char *why, size_t size)
{
    uint64_t version, kind;
    if (!unpack_array(in, ret_count) || *ret_count < HEAD ||
        !unpack_u64(in, &version))
        return refuse_head(why, size, "not a message");
    if (version != MSG_VERSION)
        return refuse_head(why, size, "of another version");
    if (!unpack_u64(in, &kind) || kind < KIND_STATE || kind > KIND_ASK)
        return refuse_head(why, size, "of an unknown kind");
    *ret_kind = (enum msg_kind)kind;
    return true;
}

/* A newer agent may know failure classes we don't: like a newer node's words
 * (fault_find) they count as the most common one. */
static void take_newer_faults(const struct msg_state *state)
{
    struct msg_lease *leases = (struct msg_lease *)(uintptr_t)state->leases;
    for (size_t i = 0; i < state->n_leases; i++)
        if (leases[i].fault >= FAULT_COUNT)
            leases[i].fault = FAULT_RENDER;
}

bool msg_decode(const void *bytes, size_t len, struct arena *arena,
                struct msg *ret, char *why, size_t size)
{
    struct layout_reader reader = {unpack_of(bytes, len), arena, "", why, size};
    struct msg msg = {0};
    size_t count;
    if (!decode_head(&reader.in, &count, &msg.kind, why, size))
        return false;
    const struct kind *kind = &kinds[msg.kind];
    reader.what = kind->name;
    if (!layout_decode(&reader, kind->layout, count - HEAD,
                       (char *)&msg + kind->at))
        return false;
    if (reader.in.at != reader.in.end)
        return refuse_head(why, size, "has bytes after its end");
    if (msg.kind == KIND_STATE)
        take_newer_faults(&msg.state);
    *ret = msg;
    return true;
}

char *msg_topic(const char *agent, char ret[MSG_TOPIC_SIZE])
{
    assert(strlen(agent) <= LIMIT_AGENT);
    snprintf(ret, MSG_TOPIC_SIZE, "C/%s/", agent);
    return ret;
}
