/* SPDX-License-Identifier: Apache-2.0
 *
 * Packing jobs that ended, some rows at a time between two commits, one job
 * after the other:
 *
 * 1. Its events are replayed into a core of its own, and its PACKED made.
 * 2. In one transaction that takes the place of the last of them, and the job
 *    is marked: from here on a replay passes over the rest.
 * 3. The rest is removed, newest first; the facts of its frames are packed,
 *    and the mark is taken away.
 *
 * What comes in between stands behind PACKED as behind any event. A job that
 * goes on meanwhile is left as it is, or, after step 2, goes on from there.
 */
#include "broker/ledger/ledger.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "broker/core/state.h"
#include "broker/ledger/record.h"
#include "common/mem.h"
#include "common/table.h"

#define ROWS       500               /* of one transaction: some 2 ms */
#define CHUNK_COST 2                 /* rows that packing a fact is worth */
#define PACK_MOST  (4 * 1024 * 1024) /* bytes of a PACKED */

/* --- The jobs. --- */

void pack_add(struct ledger *ledger, const char *job)
{
    struct packing *packing = NULL;
    ledger->pack = true;
    HASH_FIND_STR(ledger->packings, job, packing);
    if (packing != NULL) {
        core_free(&packing->core); /* begins anew: leases are gone since */
        return;
    }
    packing = mem_new(sizeof *packing);
    packing->job = mem_text(job);
    HASH_ADD_KEYPTR(hh, ledger->packings, packing->job, strlen(packing->job),
                    packing);
}

static void drop(struct ledger *ledger, struct packing *packing)
{
    HASH_DEL(ledger->packings, packing);
    core_free(&packing->core);
    mem_free(packing->job);
    mem_free(packing);
}

void pack_done(struct ledger *ledger)
{
    while (ledger->packings != NULL)
        drop(ledger, ledger->packings);
}

/* --- 1. Reading. --- */

static struct core *new_core(void)
{
    static const struct core_options options = {
        .max_attempts = 1, .jobs_max = 1, .agents_max = 1};
    return core_new(&options); /* a replay decides by none of them */
}

/* Looks whether there is something to pack: a job that is not forgotten, and
 * more than its PACKED. */
static bool begin_reading(struct ledger *ledger, struct packing *packing,
                          bool *ret_worth)
{
    sqlite3_stmt *find = ledger_statement(ledger, SQL_PACK_JOB);
    sqlite3_stmt *last = ledger_statement(ledger, SQL_PACK_LAST);
    sqlite3_bind_text(find, 1, packing->job, -1, SQLITE_STATIC);
    *ret_worth = ledger_number(ledger, SQL_PACK_JOB, &packing->number);
    if (!*ret_worth)
        return true;
    sqlite3_bind_int64(last, 1, packing->number);
    int rc = last == NULL ? SQLITE_ERROR : sqlite3_step(last);
    if (rc == SQLITE_ROW)
        *ret_worth = strcmp((const char *)sqlite3_column_text(last, 0),
                            event_word(EVENT_PACKED)) != 0;
    sqlite3_reset(last);
    packing->core = new_core();
    packing->read = 0;
    return rc == SQLITE_ROW;
}

static bool read_row(struct ledger *ledger, struct packing *packing,
                     sqlite3_stmt *row)
{
    struct event event;
    char why[256];
    bool fits = ledger_event(row, &ledger->arena, &event, why, sizeof why) &&
                core_replay(packing->core, &event, why, sizeof why);
    if (fits) {
        packing->read = (int64_t)event.seq;
        if (sqlite3_column_int(row, 3) != 0) {
            packing->last = (int64_t)event.seq;
            packing->last_ms = event.at_ms;
        }
    }
    arena_reset(&ledger->arena);
    return fits;
}

enum reading { READ_FAILED, READ_MORE, READ_ALL, READ_UNFIT };

/* Reads on. UNFIT: an event that a start would refuse; that it says, not the
 * packing of a job. */
static enum reading read_some(struct ledger *ledger, struct packing *packing,
                              int *left)
{
    sqlite3_stmt *rows = ledger_statement(ledger, SQL_PACK_EVENTS);
    sqlite3_bind_int64(rows, 1, packing->number);
    sqlite3_bind_int64(rows, 2, packing->read);
    sqlite3_bind_int(rows, 3, *left);
    int rc = rows == NULL ? SQLITE_ERROR : sqlite3_step(rows);
    bool fits = true;
    while (rc == SQLITE_ROW && fits) {
        fits = read_row(ledger, packing, rows);
        --*left;
        if (fits)
            rc = sqlite3_step(rows);
    }
    sqlite3_reset(rows);
    if (!fits)
        return READ_UNFIT;
    if (rc != SQLITE_DONE)
        return READ_FAILED;
    return *left > 0 ? READ_ALL : READ_MORE;
}

/* --- 2. Putting PACKED in their place. --- */

static bool put_packed(struct ledger *ledger, const struct packing *packing,
                       const struct buf *record)
{
    sqlite3_stmt *put = ledger_statement(ledger, SQL_PACK_EVENT);
    sqlite3_stmt *mark = ledger_statement(ledger, SQL_PACK_BEGIN);
    sqlite3_bind_int64(put, 1, packing->last);
    sqlite3_bind_text(put, 2, event_word(EVENT_PACKED), -1, SQLITE_STATIC);
    sqlite3_bind_blob(put, 3, record->data, (int)record->len, SQLITE_STATIC);
    sqlite3_bind_int64(mark, 1, packing->number);
    sqlite3_bind_int64(mark, 2, packing->last);
    return ledger_run(put) && ledger_run(mark);
}

/* All was read: packs the job where it has ended. */
static bool conclude(struct ledger *ledger, const struct packing *packing)
{
    struct arena arena = {0};
    struct buf record;
    struct event event;
    bool done = true;
    if (packing->last > packing->number &&
        core_pack(packing->core, packing->job, &arena, &event)) {
        event.at_ms = packing->last_ms;
        buf_init(&record, PACK_MOST);
        record_encode(&event, &record);
        done = record.over || put_packed(ledger, packing, &record);
        buf_free(&record);
    }
    arena_done(&arena);
    return done;
}

/* --- 3. Clearing up. --- */

struct mark {
    int64_t number, packed;
};

static bool find_marked(struct ledger *ledger, struct mark *ret,
                        bool *ret_found)
{
    sqlite3_stmt *find = ledger_statement(ledger, SQL_PACKING);
    int rc = find == NULL ? SQLITE_ERROR : sqlite3_step(find);
    *ret_found = rc == SQLITE_ROW;
    if (*ret_found) {
        ret->number = sqlite3_column_int64(find, 0);
        ret->packed = sqlite3_column_int64(find, 1);
    }
    sqlite3_reset(find);
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static bool drop_events(struct ledger *ledger, const struct mark *mark,
                        int *left)
{
    sqlite3_stmt *drop = ledger_statement(ledger, SQL_PURGE_EVENTS);
    sqlite3_bind_int64(drop, 1, mark->number);
    sqlite3_bind_int64(drop, 2, mark->packed);
    sqlite3_bind_int(drop, 3, *left);
    if (!ledger_run(drop))
        return false;
    *left -= sqlite3_changes(ledger->db);
    return true;
}

static bool pack_facts(struct ledger *ledger, const struct mark *mark,
                       int *left)
{
    int rows = 1;
    while (rows > 0 && *left > 0) {
        if (!facts_pack(ledger, mark->number, &rows))
            return false;
        *left -= CHUNK_COST * rows;
    }
    return true;
}

static bool unmark(struct ledger *ledger, const struct mark *mark)
{
    sqlite3_stmt *end = ledger_statement(ledger, SQL_PACK_END);
    sqlite3_bind_int64(end, 1, mark->number);
    ledger->purge = true; /* room may be there to give back */
    return ledger_run(end);
}

static bool clear_up(struct ledger *ledger, const struct mark *mark, int *left)
{
    return drop_events(ledger, mark, left) &&
           (*left <= 0 || pack_facts(ledger, mark, left)) &&
           (*left <= 0 || unmark(ledger, mark));
}

/* --- All of it. --- */

struct pass {
    int left;               /* rows that may yet be touched */
    struct packing *packed; /* with the end of the transaction; or NULL */
};

static bool go_on(struct ledger *ledger, struct packing *packing,
                  struct pass *pass)
{
    bool worth = true;
    if (packing->core == NULL && !begin_reading(ledger, packing, &worth))
        return false;
    enum reading reading =
        worth ? read_some(ledger, packing, &pass->left) : READ_UNFIT;
    pass->left--;
    if (reading == READ_ALL) {
        pass->packed = packing;
        return conclude(ledger, packing);
    }
    if (reading == READ_UNFIT)
        drop(ledger, packing);
    return reading != READ_FAILED;
}

static bool pack_some(struct ledger *ledger, void *ctx)
{
    struct pass *pass = ctx;
    bool done = true, marked;
    struct mark mark;
    while (done && pass->left > 0 && pass->packed == NULL && ledger->pack) {
        if (!find_marked(ledger, &mark, &marked))
            return false;
        if (marked)
            done = clear_up(ledger, &mark, &pass->left);
        else if (ledger->packings != NULL)
            done = go_on(ledger, ledger->packings, pass);
        else
            ledger->pack = false;
    }
    return done;
}

enum ledger_rc ledger_pack(struct ledger *ledger, char *why, size_t size)
{
    struct pass pass = {.left = ROWS};
    enum ledger_rc rc = ledger_transact(ledger, pack_some, &pass, why, size);
    if (rc != LEDGER_OK)
        ledger->pack = false;
    else if (pass.packed != NULL)
        drop(ledger, pass.packed);
    return rc;
}
