/* SPDX-License-Identifier: Apache-2.0
 *
 * Records into rows. The record is the truth; the other columns and the facts
 * of a frame are taken from it, in the same transaction.
 */
#include "broker/ledger.h"

#include <assert.h>
#include <string.h>

#include "broker/record.h"
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
    sqlite3_stmt *add = bind_frame(ledger, SQL_FRAME_DONE, event, event->lo);
    sqlite3_bind_int(add, 6, event->number);
    bind_text(add, 7, event->detail);
    bind_text(add, 8, event->text);
    return ledger_run(add);
}

static bool add_fault(struct ledger *ledger, const struct event *event,
                      int32_t ordinal, int charges)
{
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

/* FAILED of one frame is its last charge; that of a whole job charges none. */
static bool add_failed(struct ledger *ledger, const struct event *event)
{
    int charges = !event->flag && event->agent != NULL;
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

static bool add_event(struct ledger *ledger, const struct event *event,
                      const void *body, size_t len)
{
    if (adders[event->type] != NULL && !adders[event->type](ledger, event))
        return false;
    sqlite3_stmt *add = ledger_statement(ledger, SQL_EVENT_ADD);
    sqlite3_bind_int64(add, 1, (sqlite3_int64)event->seq);
    sqlite3_bind_int64(add, 2, event->at_ms);
    bind_text(add, 3, event_word(event->type));
    bind_text(add, 4, event->job);
    sqlite3_bind_blob(add, 5, body, (int)len, SQLITE_STATIC);
    return ledger_run(add);
}

struct writing {
    const struct buf *records;
    uint64_t seq; /* of the last one written */
};

static bool write_all(struct ledger *ledger, void *ctx)
{
    struct writing *writing = ctx;
    const char *at = writing->records->data;
    const char *end = at + writing->records->len;
    while (at < end) {
        uint32_t len;
        memcpy(&len, at, sizeof len);
        at += sizeof len;
        struct event event;
        char why[256];
        bool sound =
            record_decode(at, len, &ledger->arena, &event, why, sizeof why);
        assert(sound);
        event.seq = ++writing->seq;
        bool added = add_event(ledger, &event, at, len);
        arena_reset(&ledger->arena);
        if (!added)
            return false;
        at += len;
    }
    return true;
}

enum ledger_rc ledger_write(struct ledger *ledger, const struct buf *records,
                            char *why, size_t size)
{
    struct writing writing = {records, ledger->last};
    enum ledger_rc rc = ledger_transact(ledger, write_all, &writing, why, size);
    if (rc != LEDGER_OK)
        return rc;
    ledger->last = writing.seq;
    ledger->purge = true;
    return LEDGER_OK;
}
