/* SPDX-License-Identifier: Apache-2.0
 *
 * Between events and the tables of record_layout.c; layout.c does the bytes.
 */
#include "broker/ledger/record.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/ledger/record_layout.h"
#include "common/fault.h"
#include "common/mem.h"
#include "common/text.h"

#define HEAD_FIELDS 1 /* the version, before what the tables list */

/* --- Writing. --- */

/* Texts and lists of a record are borrowed where the event has them in the
 * same form; runs are made here and are the caller's to free. */
static struct run *runs_of(const struct frames *frames)
{
    struct run *runs = mem_new((size_t)frames->n * sizeof *runs);
    for (int32_t i = 0; i < frames->n; i++)
        runs[i] = (struct run){frames->at[i].first, frames->at[i].last,
                               frames->at[i].step};
    return runs;
}

static void encode(const struct layout *layout, const struct record *record,
                   struct buf *out)
{
    layout_array(HEAD_FIELDS + layout->n, out);
    layout_number(RECORD_VERSION, out);
    layout_encode(layout, record, out);
}

static void encode_job(struct record *record, struct buf *out)
{
    record->spec = *record->event.spec;
    struct run *runs = runs_of(&record->spec.frames);
    record->runs = runs;
    record->n_runs = (size_t)record->spec.frames.n;
    encode(&record_job_layout, record, out);
    mem_free(runs);
}

static void encode_change(struct record *record, struct buf *out)
{
    const struct event *event = &record->event;
    if (event->fault != FAULT_NONE)
        record->fault = fault_word((enum fault)event->fault);
    if (event->frames != NULL) {
        record->ranges = event->frames->at;
        record->n_ranges = (size_t)event->frames->n;
    }
    encode(&record_change_layout, record, out);
}

static void encode_fate(struct record *record, struct buf *out)
{
    record->fate = *record->event.fate;
    encode(&record_fate_layout, record, out);
}

void record_encode(const struct event *event, struct buf *out)
{
    assert(event_keep(event->type) != EVENT_SOFT);
    struct record record = {.event = *event, .word = event_word(event->type)};
    if (event->type == EVENT_SUBMITTED)
        encode_job(&record, out);
    else if (event->type == EVENT_PACKED)
        encode_fate(&record, out);
    else
        encode_change(&record, out);
}

/* --- Reading. --- */

static void take_frames(struct record *record, struct arena *arena)
{
    struct frames *frames = &record->spec.frames;
    frames->n = (int32_t)record->n_runs;
    frames->at = arena_new(arena, record->n_runs * sizeof *frames->at);
    for (int32_t i = 0; i < frames->n; i++) {
        const struct run *run = &record->runs[i];
        frames->at[i] =
            (struct span){run->first, run->last, run->step, frames->count};
        frames->count += (run->last - run->first) / run->step + 1;
    }
}

static void take_job(struct record *record, struct arena *arena)
{
    take_frames(record, arena);
    struct job_spec *spec = arena_new(arena, sizeof *spec);
    *spec = record->spec;
    record->event.job = spec->id;
    record->event.spec = spec;
}

static void take_ranges(struct record *record, struct arena *arena)
{
    struct ranges *set = arena_new(arena, sizeof *set);
    set->at = arena_new(arena, record->n_ranges * sizeof *set->at);
    if (record->n_ranges > 0)
        memcpy(set->at, record->ranges, record->n_ranges * sizeof *set->at);
    set->n = set->cap = (int32_t)record->n_ranges;
    for (int32_t i = 0; i < set->n; i++)
        set->count += set->at[i].hi - set->at[i].lo;
    record->event.frames = set;
}

static void take_change(struct record *record, struct arena *arena)
{
    struct event *event = &record->event;
    if (event->job[0] == '\0')
        event->job = NULL;
    if (event->agent[0] == '\0')
        event->agent = NULL;
    if (record->fault[0] != '\0')
        event->fault = fault_find(record->fault);
    if (event->type == EVENT_CANCELLED || event->type == EVENT_RETRIED ||
        event->type == EVENT_FAILED)
        take_ranges(record, arena);
}

static void take_fate(struct record *record, struct arena *arena)
{
    struct job_fate *fate = arena_new(arena, sizeof *fate);
    *fate = record->fate;
    record->event.fate = fate;
}

static bool refuse(char *why, size_t size, const char *reason)
{
    snprintf(why, size, "record: %s", reason);
    return false;
}

static bool is_word(const char *word, size_t len, enum event_type type)
{
    return text_equals(event_word(type), word, len) &&
           event_keep(type) != EVENT_SOFT;
}

/* The event that the word at hand names, EVENT_TYPES for none; moves nothing.
 */
static enum event_type type_of(struct unpack in)
{
    const char *word;
    size_t len;
    int type = 0;
    if (!unpack_text(&in, &word, &len))
        return EVENT_TYPES;
    while (type < EVENT_TYPES && !is_word(word, len, (enum event_type)type))
        type++;
    return (enum event_type)type;
}

static const struct layout *layout_of(enum event_type type)
{
    if (type == EVENT_SUBMITTED)
        return &record_job_layout;
    return type == EVENT_PACKED ? &record_fate_layout : &record_change_layout;
}

static bool decode(struct layout_reader *reader, struct record *record)
{
    size_t count;
    uint64_t version;
    if (!unpack_array(&reader->in, &count) || count < HEAD_FIELDS ||
        !unpack_u64(&reader->in, &version))
        return refuse(reader->why, reader->size, "is no list with a version");
    if (version != RECORD_VERSION) {
        snprintf(reader->why, reader->size,
                 "record: version %" PRIu64 ", this program reads version %d",
                 version, RECORD_VERSION);
        return false;
    }
    record->event.type = type_of(reader->in);
    const struct layout *layout = layout_of(record->event.type);
    if (!layout_decode(reader, layout, count - HEAD_FIELDS, record))
        return false;
    if (reader->in.at != reader->in.end)
        return refuse(reader->why, reader->size, "has bytes behind its end");
    return true;
}

bool record_decode(const void *bytes, size_t len, struct arena *arena,
                   struct event *ret, char *why, size_t size)
{
    struct layout_reader reader = {unpack_of(bytes, len), arena, "record", why,
                                   size};
    struct record record = {.word = NULL};
    if (!decode(&reader, &record))
        return false;
    if (record.event.type == EVENT_SUBMITTED)
        take_job(&record, arena);
    else if (record.event.type == EVENT_PACKED)
        take_fate(&record, arena);
    else
        take_change(&record, arena);
    *ret = record.event;
    return true;
}
