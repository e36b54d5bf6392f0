/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the ledger: all of it at the start or for a check, and the facts of
 * frames while it serves. Changes nothing.
 */
#include "broker/ledger/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/ledger/record.h"

/* --- Events. --- */

struct walk {
    void (*each)(void *ctx, const struct event *event);
    void *ctx;
    int64_t last; /* seq */
    char *why;
    size_t size;
};

static bool spoilt(const struct walk *walk, int64_t seq, const char *reason)
{
    snprintf(walk->why, walk->size, "ledger.db: event %lld: %s" LEDGER_DAMAGED,
             (long long)seq, reason);
    return false;
}

bool ledger_event(sqlite3_stmt *row, struct arena *arena, struct event *ret,
                  char *why, size_t size)
{
    const char *kind = (const char *)sqlite3_column_text(row, 1);
    const void *body = sqlite3_column_blob(row, 2);
    size_t len = (size_t)sqlite3_column_bytes(row, 2);
    if (!record_decode(body, len, arena, ret, why, size))
        return false;
    ret->seq = (uint64_t)sqlite3_column_int64(row, 0);
    if (kind != NULL && strcmp(kind, event_word(ret->type)) == 0)
        return true;
    snprintf(why, size, "its kind is not that of its record");
    return false;
}

static bool walk_row(struct ledger *ledger, sqlite3_stmt *row,
                     struct walk *walk)
{
    int64_t seq = sqlite3_column_int64(row, 0);
    struct event event;
    char why[256];
    if (seq <= walk->last)
        return spoilt(walk, seq, "its number does not ascend");
    if (!ledger_event(row, &ledger->arena, &event, why, sizeof why))
        return spoilt(walk, seq, why);
    walk->each(walk->ctx, &event);
    walk->last = seq;
    return true;
}

/* Leaves out the events in whose place a PACKED stands already. */
static sqlite3_stmt *choose_events(struct ledger *ledger)
{
    sqlite3_stmt *packing = ledger_statement(ledger, SQL_PACKING);
    sqlite3_stmt *rows = ledger_statement(ledger, SQL_EVENTS);
    bool found = packing != NULL && sqlite3_step(packing) == SQLITE_ROW;
    for (int i = 0; i < 2; i++)
        sqlite3_bind_int64(rows, i + 1,
                           found ? sqlite3_column_int64(packing, i) : 0);
    sqlite3_reset(packing);
    return packing == NULL ? NULL : rows;
}

static bool walk_events(struct ledger *ledger, struct walk *walk)
{
    sqlite3_stmt *rows = choose_events(ledger);
    int rc = rows == NULL ? SQLITE_ERROR : sqlite3_step(rows);
    bool sound = true;
    while (rc == SQLITE_ROW && sound) {
        sound = walk_row(ledger, rows, walk);
        arena_reset(&ledger->arena);
        if (sound)
            rc = sqlite3_step(rows);
    }
    if (sound && rc != SQLITE_DONE) {
        ledger_explain(ledger->db, walk->why, walk->size);
        sound = false;
    }
    sqlite3_reset(rows);
    return sound;
}

int64_t ledger_replay(struct ledger *ledger,
                      void (*each)(void *ctx, const struct event *event),
                      void *ctx, char *why, size_t size)
{
    struct walk walk = {each, ctx, 0, why, size};
    return walk_events(ledger, &walk) ? walk.last : -1;
}

/* --- The check. --- */

static bool check_pages(struct ledger *ledger, char *why, size_t size)
{
    sqlite3_stmt *check = ledger_statement(ledger, SQL_INTEGRITY);
    bool done = check != NULL && sqlite3_step(check) == SQLITE_ROW;
    const char *found =
        done ? (const char *)sqlite3_column_text(check, 0) : NULL;
    bool sound = found != NULL && strcmp(found, "ok") == 0;
    if (found == NULL)
        ledger_explain(ledger->db, why, size);
    else if (!sound)
        snprintf(why, size, "ledger.db: %s" LEDGER_DAMAGED, found);
    sqlite3_reset(check);
    return sound;
}

static bool check_chunk(struct ledger *ledger, sqlite3_stmt *row, char *why,
                        size_t size)
{
    size_t n;
    char reason[256];
    const void *body = sqlite3_column_blob(row, 2);
    bool sound = facts_read(body, (size_t)sqlite3_column_bytes(row, 2),
                            &ledger->arena, &n, reason, sizeof reason) != NULL;
    if (!sound)
        snprintf(why, size,
                 "ledger.db: packed frames %lld of job %lld: %s" LEDGER_DAMAGED,
                 (long long)sqlite3_column_int64(row, 1),
                 (long long)sqlite3_column_int64(row, 0), reason);
    arena_reset(&ledger->arena);
    return sound;
}

static bool check_facts(struct ledger *ledger, char *why, size_t size)
{
    sqlite3_stmt *rows = ledger_statement(ledger, SQL_PACKS);
    int rc = rows == NULL ? SQLITE_ERROR : sqlite3_step(rows);
    bool sound = true;
    while (rc == SQLITE_ROW && sound) {
        sound = check_chunk(ledger, rows, why, size);
        if (sound)
            rc = sqlite3_step(rows);
    }
    if (sound && rc != SQLITE_DONE) {
        ledger_explain(ledger->db, why, size);
        sound = false;
    }
    sqlite3_reset(rows);
    return sound;
}

bool ledger_check(struct ledger *ledger, char *why, size_t size)
{
    return check_pages(ledger, why, size) && check_facts(ledger, why, size);
}

/* --- Facts. --- */

struct finding {
    const struct frames_query *query;
    struct frame_fact *facts;
    size_t n, most;
    struct arena *arena;
};

static void find_rows(struct ledger *ledger, struct finding *finding)
{
    const struct frames_query *query = finding->query;
    sqlite3_stmt *rows = ledger_statement(ledger, SQL_FRAMES);
    sqlite3_bind_text(rows, 1, query->job, -1, SQLITE_STATIC);
    sqlite3_bind_int(rows, 2, query->ordinals.lo);
    sqlite3_bind_int(rows, 3, query->ordinals.hi);
    sqlite3_bind_int64(rows, 4, (sqlite3_int64)query->limit);
    while (finding->n < query->limit && rows != NULL &&
           sqlite3_step(rows) == SQLITE_ROW)
        finding->facts[finding->n++] = facts_take(rows, finding->arena);
    sqlite3_reset(rows);
}

/* Those of a chunk that are asked for, while there is room. */
static void find_in(struct finding *finding, const struct frame_fact *facts,
                    size_t n)
{
    struct range wanted = finding->query->ordinals;
    for (size_t i = 0; i < n && finding->n < finding->most; i++)
        if (wanted.lo <= facts[i].ordinal && facts[i].ordinal < wanted.hi)
            finding->facts[finding->n++] = facts[i];
}

/* A chunk that cannot be read is as one that is not there. */
static void find_packed(struct ledger *ledger, struct finding *finding)
{
    const struct frames_query *query = finding->query;
    sqlite3_stmt *rows = ledger_statement(ledger, SQL_FRAMES_PACKED);
    finding->most = finding->n + query->limit;
    sqlite3_bind_text(rows, 1, query->job, -1, SQLITE_STATIC);
    sqlite3_bind_int(rows, 2, query->ordinals.lo / FACTS_CHUNK);
    sqlite3_bind_int(rows, 3, (query->ordinals.hi - 1) / FACTS_CHUNK);
    while (finding->n < finding->most && rows != NULL &&
           sqlite3_step(rows) == SQLITE_ROW) {
        char why[256];
        size_t n = 0;
        const struct frame_fact *facts = facts_read(
            sqlite3_column_blob(rows, 0), (size_t)sqlite3_column_bytes(rows, 0),
            finding->arena, &n, why, sizeof why);
        find_in(finding, facts, facts == NULL ? 0 : n);
    }
    sqlite3_reset(rows);
}

static int by_ordinal(const void *a, const void *b)
{
    const struct frame_fact *one = a, *other = b;
    return one->ordinal < other->ordinal ? -1 : one->ordinal > other->ordinal;
}

const struct frame_fact *ledger_frames(struct ledger *ledger,
                                       const struct frames_query *query,
                                       struct arena *arena, size_t *ret_n)
{
    struct finding finding = {.query = query, .arena = arena};
    finding.facts = arena_new(arena, 2 * query->limit * sizeof *finding.facts);
    find_rows(ledger, &finding);
    find_packed(ledger, &finding);
    if (finding.n > 1)
        qsort(finding.facts, finding.n, sizeof *finding.facts, by_ordinal);
    *ret_n = finding.n < query->limit ? finding.n : query->limit;
    return finding.facts;
}
