/* SPDX-License-Identifier: Apache-2.0
 *
 * Two tables, one row a field in the order of the record, and what tables
 * cannot say (which fields a type needs, that frames ascend) as rules. They
 * hold for reading and writing alike: nothing goes into the ledger that could
 * not be read again.
 */
#include "broker/ledger/record_layout.h"

#include <string.h>

#include "broker/core/state.h"
#include "common/limits.h"

#define ANY         (-1) /* as a bound of uint64_t: the largest there is */
#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* Agents that had to do with one job, over all its life: any number of names
 * may have come and gone. */
#define PACKED_AGENTS (1 << 24)

/* --- Texts. Their alphabets were checked where they came in. --- */

static const char *refuse_zero(const char *text, size_t len)
{
    return memchr(text, '\0', len) == NULL ? NULL : "holds a zero byte";
}

/* --- Rules between fields. --- */

static const char *refuse_ranges(const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ranges[i].lo >= ranges[i].hi)
            return "has an empty range of frames";
        if (i > 0 && ranges[i - 1].hi >= ranges[i].lo)
            return "has frames that do not ascend";
    }
    return NULL;
}

static bool fits_type(const struct record *record)
{
    const struct event *e = &record->event;
    switch (e->type) {
    case EVENT_PATCHED:
        return 0 <= e->number && e->number <= 100 && e->limit >= 0;
    case EVENT_DONE:
    case EVENT_CHARGED:
        return 0 <= e->lo && e->lo < LIMIT_FRAMES;
    case EVENT_FAILED:
        return record->n_ranges > 0;
    case EVENT_LEASED:
        return 0 <= e->lo && e->lo < e->hi && e->hi <= LIMIT_FRAMES;
    case EVENT_SHORTENED:
        return 0 <= e->lo && e->lo <= LIMIT_FRAMES;
    case EVENT_BENCHED:
        return e->number > 0;
    case EVENT_DRAINED:
        return DRAIN_OFF <= e->number && e->number <= DRAIN_NOW;
    default:
        return true;
    }
}

/* A text that is not set is NULL before it is written, "" once it is read. */
static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static const char *refuse_change(const void *value)
{
    const struct record *record = value;
    enum event_type type = record->event.type;
    if (type == EVENT_TYPES)
        return "is no event of the ledger";
    if (type != EVENT_DRAINED && !is_set(record->event.job))
        return "names no job";
    bool by_agent = type == EVENT_DRAINED || type == EVENT_DONE ||
                    type == EVENT_LEASED || type == EVENT_BENCHED;
    if (by_agent && !is_set(record->event.agent))
        return "names no agent";
    if (!fits_type(record))
        return "has a number that its type does not allow";
    return refuse_ranges(record->ranges, record->n_ranges);
}

static const char *refuse_run(const void *value)
{
    const struct run *run = value;
    if (run->first > run->last || (run->last - run->first) % run->step != 0)
        return "is no run of frames";
    return NULL;
}

static const char *refuse_job(const void *value)
{
    const struct record *record = value;
    if (record->n_runs == 0)
        return "has no frames";
    for (size_t i = 1; i < record->n_runs; i++)
        if (record->runs[i - 1].last >= record->runs[i].first)
            return "has frames that do not ascend";
    return NULL;
}

static const char *refuse_sets(const struct job_fate *fate)
{
    const struct range *sets[] = {fate->done, fate->failed, fate->cancelled,
                                  fate->redo, fate->avoided};
    const size_t n[] = {fate->n_done, fate->n_failed, fate->n_cancelled,
                        fate->n_redo, fate->n_avoided};
    const char *reason = NULL;
    for (size_t i = 0; i < COUNT(n) && reason == NULL; i++)
        reason = refuse_ranges(sets[i], n[i]);
    return reason;
}

static const char *refuse_fate(const void *value)
{
    const struct record *record = value;
    return refuse_sets(&record->fate);
}

/* --- The tables. Rows are only ever appended. --- */

#define ROW(form_, type, label, m, least, most_)                               \
    {                                                                          \
        .name = (label), .form = FORM_##form_, .at = offsetof(struct type, m), \
        .low = (least), .high = (most_), .refuse = refuse_zero                 \
    }
#define OF(form, type, m, least, most) ROW(form, type, #m, m, least, most)
#define BOOL(m)                        ROW(BOOL, record, #m, m, 0, 1)
#define I32(m, least, most)            ROW(I32, record, #m, m, least, most)
#define I64(m, least)                  ROW(I64, record, #m, m, least, INT64_MAX)
#define U64(m)                         ROW(U64, record, #m, m, 0, ANY)
#define TEXT(m, most)                  ROW(TEXT, record, #m, m, 0, most)
#define TEXTS(type, m, n_m, items, bytes)                                      \
    {                                                                          \
        .name = #m, .form = FORM_TEXTS, .at = offsetof(struct type, m),        \
        .count_at = offsetof(struct type, n_m), .most = (items), .low = 1,     \
        .high = (bytes), .refuse = refuse_zero                                 \
    }
#define LIST(m, n_m, items, layout)                                            \
    {                                                                          \
        .name = #m, .form = FORM_LIST, .at = offsetof(struct record, m),       \
        .count_at = offsetof(struct record, n_m), .most = (items),             \
        .of = &(layout)                                                        \
    }
#define LAYOUT(type, rows, rule)                                               \
    {                                                                          \
        .size = sizeof(struct type), .n = COUNT(rows), .fields = (rows),       \
        .refuse = (rule)                                                       \
    }
#define WORD                                                                   \
    {                                                                          \
        .name = "word", .form = FORM_TEXT,                                     \
        .at = offsetof(struct record, word), .low = 1, .high = LIMIT_NAME,     \
        .refuse = refuse_zero                                                  \
    }

static const struct field_row range_rows[] = {
    ROW(I32, range, "lo", lo, 0, LIMIT_FRAMES),
    ROW(I32, range, "hi", hi, 0, LIMIT_FRAMES),
};
static const struct layout range_layout = LAYOUT(range, range_rows, NULL);

static const struct field_row run_rows[] = {
    ROW(I32, run, "first", first, 0, LIMIT_FRAME_MAX),
    ROW(I32, run, "last", last, 0, LIMIT_FRAME_MAX),
    ROW(I32, run, "step", step, 1, LIMIT_FRAME_MAX),
};
static const struct layout run_layout = LAYOUT(run, run_rows, refuse_run);

static const struct field_row job_rows[] = {
    WORD,
    I64(event.at_ms, INT64_MIN),
    ROW(TEXT, record, "spec.id", spec.id, 1, LIMIT_ID),
    TEXT(spec.name, LIMIT_NAME),
    TEXT(spec.user, LIMIT_NAME),
    TEXT(spec.key, LIMIT_KEY),
    U64(spec.key_hash),
    LIST(runs, n_runs, LIMIT_FRAME_SPANS, run_layout),
    I32(spec.batch, -1, LIMIT_FRAMES),
    I32(spec.priority, 0, 100),
    I32(spec.max_attempts, 0, LIMIT_ATTEMPTS),
    I32(spec.max_agents, 0, INT32_MAX),
    BOOL(spec.paused),
    BOOL(spec.plain),
    I64(spec.not_before_ms, 0),
    TEXTS(record, spec.depends, spec.n_depends, LIMIT_DEPENDS, LIMIT_ID),
    TEXTS(record, spec.tags, spec.n_tags, LIMIT_TAGS, LIMIT_TAG),
    I32(spec.memory_mb, 0, INT32_MAX),
    BOOL(spec.gpu),
    TEXT(spec.blender, LIMIT_NAME),
    TEXT(spec.blend, LIMIT_PATH),
    TEXT(spec.render, LIMIT_SPEC),
    TEXT(spec.doc, LIMIT_SPEC),
#define JOB_LEAST 23 /* with a word and a time */
    TEXT(spec.trace, LIMIT_TRACE),
};
const struct layout record_job_layout = {
    .size = sizeof(struct record),
    .n = COUNT(job_rows),
    .least = JOB_LEAST,
    .fields = job_rows,
    .refuse = refuse_job,
};

static const struct field_row change_rows[] = {
    WORD,
    I64(event.at_ms, INT64_MIN),
    TEXT(event.job, LIMIT_ID),
    TEXT(event.agent, LIMIT_AGENT),
    U64(event.lease),
    I32(event.lo, INT32_MIN, INT32_MAX),
    I32(event.hi, INT32_MIN, INT32_MAX),
    I32(event.number, INT32_MIN, INT32_MAX),
    BOOL(event.flag),
    TEXT(fault, LIMIT_NAME),
    I32(event.limit, INT32_MIN, INT32_MAX),
    I64(event.until_ms, 0),
    U64(event.lane),
    U64(event.inc),
    TEXT(event.text, LIMIT_FILES),
    TEXT(event.detail, LIMIT_NAME),
    LIST(ranges, n_ranges, LIMIT_FRAMES, range_layout),
};
const struct layout record_change_layout =
    LAYOUT(record, change_rows, refuse_change);

static const struct field_row bucket_rows[] = {
    OF(I32, fate_bucket, bucket, 0, TIMES_BUCKETS - 1),
    OF(I32, fate_bucket, frames, 1, INT32_MAX),
};
static const struct layout bucket_layout =
    LAYOUT(fate_bucket, bucket_rows, NULL);

static const struct field_row attempt_rows[] = {
    OF(I32, fate_attempt, ordinal, 0, LIMIT_FRAMES - 1),
    OF(I32, fate_attempt, charges, 0, INT32_MAX),
    OF(I32, fate_attempt, copies, 0, INT32_MAX),
    OF(I32, fate_attempt, losses, 0, INT32_MAX),
    OF(U64, fate_attempt, lease, 0, ANY),
    OF(TEXT, fate_attempt, fault, 0, LIMIT_NAME),
    OF(TEXT, fate_attempt, text, 0, LIMIT_FILES),
    TEXTS(fate_attempt, by, n_by, PACKED_AGENTS, LIMIT_AGENT),
    TEXTS(fate_attempt, lost_by, n_lost_by, PACKED_AGENTS, LIMIT_AGENT),
};
static const struct layout attempt_layout =
    LAYOUT(fate_attempt, attempt_rows, NULL);

static const struct field_row standing_rows[] = {
    OF(TEXT, fate_standing, name, 1, LIMIT_AGENT),
    OF(I32, fate_standing, wrong, 0, INT32_MAX),
    OF(I32, fate_standing, done, 0, INT32_MAX),
    OF(BOOL, fate_standing, benched, 0, 1),
};
static const struct layout standing_layout =
    LAYOUT(fate_standing, standing_rows, NULL);

static const struct field_row agent_rows[] = {
    OF(TEXT, fate_agent, name, 1, LIMIT_AGENT),
    OF(I64, fate_agent, done, 0, INT64_MAX),
    OF(I64, fate_agent, charged, 0, INT64_MAX),
    OF(U64, fate_agent, speed_bits, 0, ANY),
};
static const struct layout agent_layout = LAYOUT(fate_agent, agent_rows, NULL);

#define SET(m) LIST(fate.m, fate.n_##m, LIMIT_FRAMES, range_layout)

static const struct field_row fate_rows[] = {
    WORD,
    I64(event.at_ms, INT64_MIN),
    ROW(TEXT, record, "event.job", event.job, 1, LIMIT_ID),
    I32(fate.priority, 0, 100),
    I32(fate.max_agents, 0, INT32_MAX),
    BOOL(fate.paused),
    TEXT(fate.reason, LIMIT_FILES),
    TEXT(fate.fault, LIMIT_NAME),
    TEXT(fate.avoid, LIMIT_FILES),
    I64(fate.started_ms, INT64_MIN),
    I64(fate.ended_ms, INT64_MIN),
    I64(fate.max_ms, 0),
    U64(fate.fence),
    U64(fate.revision),
    U64(fate.mean_bits),
    U64(fate.m2_bits),
    SET(done),
    SET(failed),
    SET(cancelled),
    SET(redo),
    SET(avoided),
    TEXTS(record, fate.blenders, fate.n_blenders, LIMIT_FRAMES, LIMIT_NAME),
    TEXTS(record, fate.likely, fate.n_likely, PACKED_AGENTS, LIMIT_AGENT),
    LIST(fate.buckets, fate.n_buckets, TIMES_BUCKETS, bucket_layout),
    LIST(fate.attempts, fate.n_attempts, LIMIT_FRAMES, attempt_layout),
    LIST(fate.standings, fate.n_standings, PACKED_AGENTS, standing_layout),
    LIST(fate.agents, fate.n_agents, PACKED_AGENTS, agent_layout),
#define FATE_LEAST 27 /* with a word */
    TEXT(fate.versions, VERSIONS_TEXT),
};
const struct layout record_fate_layout = {
    .size = sizeof(struct record),
    .n = COUNT(fate_rows),
    .least = FATE_LEAST,
    .fields = fate_rows,
    .refuse = refuse_fate,
};
