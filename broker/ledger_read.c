/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the ledger: all of it at the start or for a check, and the facts of
 * frames while it serves. Changes nothing.
 */
#include "broker/ledger.h"

#include <stdio.h>
#include <string.h>

#include "broker/record.h"

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

static bool walk_row(struct ledger *ledger, sqlite3_stmt *row,
                     struct walk *walk)
{
    int64_t seq = sqlite3_column_int64(row, 0);
    const char *kind = (const char *)sqlite3_column_text(row, 1);
    const void *body = sqlite3_column_blob(row, 2);
    size_t len = (size_t)sqlite3_column_bytes(row, 2);
    struct event event;
    char why[256];
    if (seq <= walk->last)
        return spoilt(walk, seq, "its number does not ascend");
    if (!record_decode(body, len, &ledger->arena, &event, why, sizeof why))
        return spoilt(walk, seq, why);
    if (kind == NULL || strcmp(kind, event_word(event.type)) != 0)
        return spoilt(walk, seq, "its kind is not that of its record");
    event.seq = (uint64_t)seq;
    walk->each(walk->ctx, &event);
    walk->last = seq;
    return true;
}

static bool walk_events(struct ledger *ledger, struct walk *walk)
{
    sqlite3_stmt *rows = ledger_statement(ledger, SQL_EVENTS);
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

bool ledger_check(struct ledger *ledger, char *why, size_t size)
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

/* --- Facts. --- */

static const char *take_text(sqlite3_stmt *row, int column, struct arena *arena)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return arena_text(arena, text, (size_t)sqlite3_column_bytes(row, column));
}

static struct frame_fact take_fact(sqlite3_stmt *row, struct arena *arena)
{
    return (struct frame_fact){
        .ordinal = sqlite3_column_int(row, 0),
        .attempts = sqlite3_column_int(row, 1),
        .at_ms = sqlite3_column_int64(row, 2),
        .ms = sqlite3_column_int(row, 3),
        .lease = (uint64_t)sqlite3_column_int64(row, 4),
        .agent = take_text(row, 5, arena),
        .blender = take_text(row, 6, arena),
        .files = take_text(row, 7, arena),
        .fault = take_text(row, 8, arena),
        .text = take_text(row, 9, arena),
    };
}

const struct frame_fact *ledger_frames(struct ledger *ledger,
                                       const struct frames_query *query,
                                       struct arena *arena, size_t *ret_n)
{
    sqlite3_stmt *rows = ledger_statement(ledger, SQL_FRAMES);
    struct frame_fact *facts = arena_new(arena, query->limit * sizeof *facts);
    size_t n = 0;
    sqlite3_bind_text(rows, 1, query->job, -1, SQLITE_STATIC);
    sqlite3_bind_int(rows, 2, query->ordinals.lo);
    sqlite3_bind_int(rows, 3, query->ordinals.hi);
    sqlite3_bind_int64(rows, 4, (sqlite3_int64)query->limit);
    while (n < query->limit && rows != NULL && sqlite3_step(rows) == SQLITE_ROW)
        facts[n++] = take_fact(rows, arena);
    sqlite3_reset(rows);
    *ret_n = n;
    return facts;
}
