/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of a record, as msg.c has those of messages.
 */
#include "worker-agent/journal_record.h"

#include <stddef.h>
#include <stdio.h>

#include "common/layout.h"
#include "common/text.h"

#define RECORD_VERSION 1

static const char *refuse_text(const char *text, size_t len)
{
    return text_is_plain(text, len) ? NULL : "is no plain text";
}

static const char *refuse_record(const void *value)
{
    const struct journal_record *record = value;
    const struct msg_batch *batch = &record->batch;
    bool run = batch->from <= batch->to &&
               (batch->to - batch->from) % batch->step == 0 &&
               (batch->to - batch->from) / batch->step < LIMIT_BATCH;
    return run ? NULL : "is no run of frames";
}

#define AT(member) offsetof(struct journal_record, member)
#define NUMBER(kind, member, least, most_)                                     \
    {                                                                          \
        .name = #member, .form = FORM_##kind, .at = AT(member),                \
        .low = (least), .high = (most_)                                        \
    }
#define TEXT(member, least, most_)                                             \
    {                                                                          \
        .name = #member, .form = FORM_TEXT, .at = AT(member), .low = (least),  \
        .high = (most_), .refuse = refuse_text                                 \
    }
#define BOOL(member)                                                           \
    {                                                                          \
        .name = #member, .form = FORM_BOOL, .at = AT(member)                   \
    }

static const struct field_row rows[] = {
    NUMBER(U64, batch.lease, (int64_t)LEASE_ID(1, 1), -1),
    TEXT(batch.job, LIMIT_ID_MIN, LIMIT_ID),
    TEXT(batch.name, 0, LIMIT_NAME),
    NUMBER(I32, batch.from, 0, LIMIT_FRAME_MAX),
    NUMBER(I32, batch.to, 0, LIMIT_FRAME_MAX),
    NUMBER(I32, batch.step, 1, LIMIT_FRAME_MAX),
    BOOL(batch.replace),
    BOOL(batch.plain),
    TEXT(batch.render, 2, LIMIT_SPEC),
    TEXT(node, 0, LIMIT_PATH),
    NUMBER(I64, posted_ms, 0, INT64_MAX),
    NUMBER(I64, pid, 0, INT64_MAX),
#define RECORD_LEAST 12
    TEXT(batch.trace, 0, LIMIT_TRACE),
};
static const struct layout record_layout = {
    .size = sizeof(struct journal_record),
    .n = sizeof rows / sizeof *rows,
    .least = RECORD_LEAST,
    .fields = rows,
    .refuse = refuse_record,
};

void journal_encode(const struct journal_record *record, struct buf *out)
{
    layout_array(1 + record_layout.n, out);
    layout_number(RECORD_VERSION, out);
    layout_encode(&record_layout, record, out);
}

static bool refuse(char *why, size_t size, const char *reason)
{
    snprintf(why, size, "record: %s", reason);
    return false;
}

bool journal_decode(const void *bytes, size_t len, struct arena *arena,
                    struct journal_record *ret, char *why, size_t size)
{
    size_t count;
    uint64_t version;
    struct layout_reader reader = {unpack_of(bytes, len), arena, "record", why,
                                   size};
    if (!unpack_array(&reader.in, &count) || count == 0 ||
        !unpack_u64(&reader.in, &version) || version != RECORD_VERSION)
        return refuse(why, size, "is no list with a version known here");
    if (!layout_decode(&reader, &record_layout, count - 1, ret))
        return false;
    return reader.in.at == reader.in.end ||
           refuse(why, size, "has bytes behind its end");
}
