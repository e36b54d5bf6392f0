/* SPDX-License-Identifier: Apache-2.0
 *
 * Records into rows. The record is the truth; the other columns and the facts
 * of a frame are taken from it, in the same transaction.
 *
 * What a lease leaves behind goes with it: once it is over, a replay without
 * its records comes to the same farm, and a job that lives for months would
 * grow by each of them. Those of a job's first lease stay, for they tell when
 * it began.
 */
#include "broker/ledger/ledger.h"

#include <assert.h>
#include <string.h>

#include "broker/ledger/record.h"
#include "common/fault.h"
#include "common/limits.h"

static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
    sqlite3_bind_text(statement, column, text == NULL ? "" : text, -1,
                      SQLITE_STATIC);
}

static bool add_job(struct ledger *ledger, const struct event *event)
{
    sqlite3_stmt *add = ledger_statement(ledger, SQL_JOB_ADD);
    sqlite3_bind_int64(add, 1, (sqlite3_int64)event->seq);
    bind_text(add, 2, event->job);
    return ledger_run(add);
}

static bool forget_job(struct ledger *ledger, const struct event *event)
{
    sqlite3_stmt *forget = ledger_statement(ledger, SQL_JOB_FORGET);
    sqlite3_bind_int64(forget, 1, (sqlite3_int64)event->seq);
    bind_text(forget, 2, event->job);
    return ledger_run(forget);
}

/* What DONE and charges have in common: parameters 1 to 5. */
static sqlite3_stmt *bind_frame(struct ledger *ledger, enum ledger_sql sql,
                                const struct event *event, int32_t ordinal)
{
    sqlite3_stmt *add = ledger_statement(ledger, sql);
    bind_text(add, 1, event->job);
    sqlite3_bind_int(add, 2, ordinal);
    sqlite3_bind_int64(add, 3, event->at_ms);
    sqlite3_bind_int64(add, 4, (sqlite3_int64)event->lease);
    bind_text(add, 5, event->agent);
    return add;
}

static bool add_done(struct ledger *ledger, const struct event *event)
{
    if (!facts_unpack(ledger, event->job, event->lo))
        return false;
    sqlite3_stmt *add = bind_frame(ledger, SQL_FRAME_DONE, event, event->lo);
    sqlite3_bind_int(add, 6, event->number);
    bind_text(add, 7, event->detail);
    bind_text(add, 8, event->text);
    return ledger_run(add);
}

static bool add_fault(struct ledger *ledger, const struct event *event,
                      int32_t ordinal, int charges)
{
    if (!facts_unpack(ledger, event->job, ordinal))
        return false;
    sqlite3_stmt *add = bind_frame(ledger, SQL_FRAME_FAULT, event, ordinal);
    sqlite3_bind_int(add, 6, charges);
    bind_text(add, 7, fault_word((enum fault)event->fault));
    bind_text(add, 8, event->text);
    return ledger_run(add);
}

/* A charge without an agent is nobody's attempt, one of a second copy (flag)
 * costs none. */
static bool add_charge(struct ledger *ledger, const struct event *event)
{
    bool counts = event->agent != NULL && !event->flag;
    return add_fault(ledger, event, event->lo, counts);
}

/* FAILED of one frame is its last charge, but where its nodes went down; that
 * of a whole job charges none. */
static bool add_failed(struct ledger *ledger, const struct event *event)
{
    bool counts = fault_charge((enum fault)event->fault) == FAULT_CHARGE_FRAME;
    int charges = counts && !event->flag && event->agent != NULL;
    int32_t left = LIMIT_FAILED_FACTS;
    for (int32_t i = 0; i < event->frames->n; i++) {
        const struct range *range = &event->frames->at[i];
        for (int32_t k = range->lo; k < range->hi && left > 0; k++, left--)
            if (!add_fault(ledger, event, k, charges))
                return false;
    }
    return true;
}

/* Types that are not here have no rows beside the event's own. */
static bool (*const adders[EVENT_TYPES])(struct ledger *,
                                         const struct event *) = {
    [EVENT_SUBMITTED] = add_job, [EVENT_FORGOTTEN] = forget_job,
    [EVENT_DONE] = add_done,     [EVENT_CHARGED] = add_charge,
    [EVENT_FAILED] = add_failed,
};

/* --- Leases. --- */

static bool has_started(struct ledger *ledger, const struct event *event,
                        int64_t *ret)
{
    bind_text(ledger_statement(ledger, SQL_STARTED), 1, event->job);
    return ledger_number(ledger, SQL_STARTED, ret);
}

static bool has_lease(struct ledger *ledger, const struct event *event,
                      int64_t *ret)
{
    sqlite3_stmt *has = ledger_statement(ledger, SQL_LEASE_HAS);
    sqlite3_bind_int64(has, 1, (sqlite3_int64)event->lease);
    return ledger_number(ledger, SQL_LEASE_HAS, ret);
}

static bool drop_rows(struct ledger *ledger, enum ledger_sql sql, uint64_t key)
{
    sqlite3_stmt *drop = ledger_statement(ledger, sql);
    sqlite3_bind_int64(drop, 1, (sqlite3_int64)key);
    return ledger_run(drop);
}

static bool drop_lease(struct ledger *ledger, const struct event *event,
                       int64_t *ret)
{
    bool dropped = drop_rows(ledger, SQL_LEASE_DROP, event->lease);
    *ret = sqlite3_changes(ledger->db);
    return dropped;
}

/* Tells in ret whether the records of this event's lease go when it ends; those
 * of one that ends are gone then. */
static bool lease_settle(struct ledger *ledger, const struct event *event,
                         bool *ret)
{
    int64_t rows = 0;
    bool found = true;
    if (event->type == EVENT_LEASED)
        found = has_started(ledger, event, &rows);
    else if (event->type == EVENT_SHORTENED)
        found = has_lease(ledger, event, &rows);
    else if (event->type == EVENT_RELEASED)
        found = drop_lease(ledger, event, &rows);
    *ret = rows > 0;
    return found;
}

/* --- Events. --- */

/* An event on its way into its row. */
struct entry {
    struct event event;
    const void *body;
    size_t len;
    bool last; /* of the transaction: its number must be found again */
};

static bool add_row(struct ledger *ledger, const struct entry *entry,
                    bool passing)
{
    const struct event *event = &entry->event;
    sqlite3_stmt *add = ledger_statement(ledger, SQL_EVENT_ADD);
    sqlite3_bind_int64(add, 1, (sqlite3_int64)event->seq);
    sqlite3_bind_int64(add, 2, event->at_ms);
    bind_text(add, 3, event_word(event->type));
    bind_text(add, 4, event->job);
    sqlite3_bind_blob(add, 5, entry->body, (int)entry->len, SQLITE_STATIC);
    if (passing)
        sqlite3_bind_int64(add, 6, (sqlite3_int64)event->lease);
    else
        sqlite3_bind_null(add, 6);
    return ledger_run(add);
}

struct writing {
    const struct buf *records, *notes;
    uint64_t seq;   /* of the last one written */
    uint64_t loose; /* as in struct ledger */
};

static bool add_event(struct ledger *ledger, struct writing *writing,
                      const struct entry *entry)
{
    const struct event *event = &entry->event;
    bool passing;
    if (adders[event->type] != NULL && !adders[event->type](ledger, event))
        return false;
    if (!lease_settle(ledger, event, &passing))
        return false;
    if (!passing || event->type != EVENT_RELEASED)
        return add_row(ledger, entry, passing);
    writing->loose = entry->last ? event->seq : 0;
    return !entry->last || add_row(ledger, entry, true);
}

static bool drop_loose(struct ledger *ledger, struct writing *writing)
{
    writing->loose = 0;
    return ledger->loose == 0 ||
           drop_rows(ledger, SQL_EVENT_DROP, ledger->loose);
}

static bool write_all(struct ledger *ledger, void *ctx)
{
    struct writing *writing = ctx;
    const char *at = writing->records->data;
    const char *end = at + writing->records->len;
    bool written = at == end || drop_loose(ledger, writing);
    while (written && at < end) {
        uint32_t len;
        memcpy(&len, at, sizeof len);
        at += sizeof len;
        struct entry entry = {.body = at, .len = len, .last = at + len == end};
        char why[256];
        bool sound = record_decode(at, len, &ledger->arena, &entry.event, why,
                                   sizeof why);
        assert(sound);
        entry.event.seq = ++writing->seq;
        written = add_event(ledger, writing, &entry);
        arena_reset(&ledger->arena);
        at += len;
    }
    return written && activity_add(ledger, writing->notes);
}

enum ledger_rc ledger_write(struct ledger *ledger, const struct buf *records,
                            const struct buf *notes, char *why, size_t size)
{
    struct writing writing = {.records = records,
                              .notes = notes,
                              .seq = ledger->last,
                              .loose = ledger->loose};
    enum ledger_rc rc = ledger_transact(ledger, write_all, &writing, why, size);
    if (rc != LEDGER_OK)
        return rc;
    ledger->last = writing.seq;
    ledger->loose = writing.loose;
    ledger->purge = ledger->pack = true;
    return LEDGER_OK;
}
