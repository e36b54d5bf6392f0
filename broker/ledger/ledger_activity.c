/* SPDX-License-Identifier: Apache-2.0
 *
 * The activity: rows for people, in a table of their own. A replay does not
 * read it, and a ledger without it is whole. Never more than LIMIT_ACTIVITY
 * rows, none older than the broker keeps things.
 */
#include "broker/ledger/ledger.h"

#include <string.h>

#include "common/limits.h"

#define TEXTS      6
#define MERGE_MS   600000 /* alike failures within it are one row */
#define PRUNE_ROWS 1000   /* at a time */

/* --- Rows as bytes, on their way to the thread. --- */

struct head {
    int64_t at_ms;
    bool merge;
};

void activity_write(const struct activity *row, struct buf *out)
{
    const char *const texts[TEXTS] = {row->what, row->who,   row->job,
                                      row->name, row->agent, row->text};
    const struct head head = {.at_ms = row->at_ms, .merge = row->merge};
    buf_add(out, &head, sizeof head);
    for (int i = 0; i < TEXTS; i++)
        buf_add(out, texts[i], strlen(texts[i]) + 1);
}

static const char *row_read(const char *at, struct activity *ret)
{
    const char **texts[TEXTS] = {&ret->what, &ret->who,   &ret->job,
                                 &ret->name, &ret->agent, &ret->text};
    struct head head;
    memcpy(&head, at, sizeof head);
    at += sizeof head;
    *ret = (struct activity){.at_ms = head.at_ms, .merge = head.merge};
    for (int i = 0; i < TEXTS; i++) {
        *texts[i] = at;
        at += strlen(at) + 1;
    }
    return at;
}

/* --- Into the table. --- */

static bool merge(struct ledger *ledger, const struct activity *row,
                  bool *ret_merged)
{
    sqlite3_stmt *merge = ledger_statement(ledger, SQL_ACTIVITY_MERGE);
    const char *const texts[] = {row->job, row->what, row->agent};
    for (int i = 0; i < 3; i++)
        sqlite3_bind_text(merge, i + 1, texts[i], -1, SQLITE_STATIC);
    sqlite3_bind_int64(merge, 4, row->at_ms);
    sqlite3_bind_int64(merge, 5, row->at_ms - MERGE_MS);
    bool done = ledger_run(merge);
    *ret_merged = done && sqlite3_changes(ledger->db) > 0;
    return done;
}

static bool add(struct ledger *ledger, const struct activity *row)
{
    const char *const texts[TEXTS] = {row->what, row->who,   row->job,
                                      row->name, row->agent, row->text};
    bool merged = false;
    if (row->merge && !merge(ledger, row, &merged))
        return false;
    if (merged)
        return true;
    sqlite3_stmt *add = ledger_statement(ledger, SQL_ACTIVITY_ADD);
    sqlite3_bind_int64(add, 1, row->at_ms);
    for (int i = 0; i < TEXTS; i++)
        sqlite3_bind_text(add, i + 2, texts[i], -1, SQLITE_STATIC);
    return ledger_run(add);
}

bool activity_add(struct ledger *ledger, const struct buf *notes)
{
    if (notes == NULL || notes->len == 0)
        return true;
    const char *at = notes->data;
    const char *end = at + notes->len;
    bool done = true;
    while (done && at < end) {
        struct activity row;
        at = row_read(at, &row);
        done = add(ledger, &row);
    }
    if (!done)
        return false;
    sqlite3_stmt *bound = ledger_statement(ledger, SQL_ACTIVITY_BOUND);
    sqlite3_bind_int(bound, 1, LIMIT_ACTIVITY);
    return ledger_run(bound);
}

static bool prune(struct ledger *ledger, void *ctx)
{
    (void)ctx;
    sqlite3_stmt *drop = ledger_statement(ledger, SQL_ACTIVITY_PRUNE);
    sqlite3_bind_int64(drop, 1, ledger->activity_ms);
    sqlite3_bind_int(drop, 2, PRUNE_ROWS);
    if (!ledger_run(drop))
        return false;
    if (sqlite3_changes(ledger->db) < PRUNE_ROWS)
        ledger->activity_ms = 0;
    return true;
}

enum ledger_rc activity_prune(struct ledger *ledger, char *why, size_t size)
{
    enum ledger_rc rc = ledger_transact(ledger, prune, NULL, why, size);
    if (rc != LEDGER_OK)
        ledger->activity_ms = 0;
    return rc;
}

/* --- Out of it. --- */

static struct activity take(sqlite3_stmt *row, struct arena *arena)
{
    const char *texts[TEXTS];
    for (int i = 0; i < TEXTS; i++)
        texts[i] =
            arena_text(arena, (const char *)sqlite3_column_text(row, i + 4),
                       (size_t)sqlite3_column_bytes(row, i + 4));
    return (struct activity){.number = sqlite3_column_int64(row, 0),
                             .at_ms = sqlite3_column_int64(row, 1),
                             .last_ms = sqlite3_column_int64(row, 2),
                             .times = sqlite3_column_int(row, 3),
                             .what = texts[0],
                             .who = texts[1],
                             .job = texts[2],
                             .name = texts[3],
                             .agent = texts[4],
                             .text = texts[5]};
}

const struct activity *activity_read(struct ledger *ledger,
                                     const struct activity_query *query,
                                     struct arena *arena, size_t *ret_n)
{
    struct activity *rows = arena_new(arena, query->limit * sizeof *rows);
    sqlite3_stmt *read = ledger_statement(ledger, SQL_ACTIVITY_READ);
    const char *const texts[] = {query->job, query->agent, query->who};
    sqlite3_bind_int64(read, 1, query->before);
    sqlite3_bind_int64(read, 2, query->since_ms);
    for (int i = 0; i < 3; i++)
        sqlite3_bind_text(read, i + 3, texts[i], -1, SQLITE_STATIC);
    sqlite3_bind_int64(read, 6, (sqlite3_int64)query->limit);
    *ret_n = 0;
    while (read && *ret_n < query->limit && sqlite3_step(read) == SQLITE_ROW)
        rows[(*ret_n)++] = take(read, arena);
    sqlite3_reset(read);
    return rows;
}
