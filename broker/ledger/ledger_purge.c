/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing forgotten jobs, some rows at a time, so that no commit waits long
 * behind a job of a million frames; then the pages that are free, but for some
 * that will soon be used again. A job's events go newest first, and its
 * SUBMITTED with its FORGOTTEN last: what is left is a shorter history that
 * ends the same. The last event of all stays, for its number.
 */
#include "broker/ledger/ledger.h"

#include <assert.h>

#define ROWS       4000 /* of one transaction: some 10 ms */
#define PACK_ROWS  64 /* that a row of packed facts is worth; ledger.def too */
#define SPARE_PART 4  /* a part of this of the pages may stay free */
#define SPARE      1024 /* and so many in any case: 4 MiB */

struct purge {
    int64_t number, forgotten; /* the job's first and last event */
    int left;                  /* rows that may yet be removed */
};

/* Finds the job forgotten longest ago. */
static bool find_job(struct ledger *ledger, struct purge *purge)
{
    sqlite3_stmt *find = ledger_statement(ledger, SQL_FORGOTTEN);
    if (find == NULL)
        return false;
    bool found = sqlite3_step(find) == SQLITE_ROW;
    if (found) {
        purge->number = sqlite3_column_int64(find, 0);
        purge->forgotten = sqlite3_column_int64(find, 1);
    }
    sqlite3_reset(find);
    return found;
}

/* weight: rows that one of these is worth. */
static bool remove_rows(struct ledger *ledger, enum ledger_sql sql,
                        struct purge *purge, int weight)
{
    sqlite3_stmt *remove = ledger_statement(ledger, sql);
    const int64_t values[] = {purge->number, purge->forgotten, purge->left};
    int n = sqlite3_bind_parameter_count(remove);
    assert(n <= 3);
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(remove, i + 1, values[i]);
    if (!ledger_run(remove))
        return false;
    purge->left -= weight * sqlite3_changes(ledger->db);
    return true;
}

static bool purge_job(struct ledger *ledger, struct purge *purge)
{
    if (!remove_rows(ledger, SQL_PURGE_EVENTS, purge, 1) ||
        !remove_rows(ledger, SQL_PURGE_FRAMES, purge, 1) ||
        !remove_rows(ledger, SQL_PURGE_PACKS, purge, PACK_ROWS))
        return false;
    if (purge->left <= 0)
        return true;
    if ((uint64_t)purge->forgotten == ledger->last) {
        ledger->purge = false; /* until there is a later event */
        return true;
    }
    return remove_rows(ledger, SQL_PURGE_ENDS, purge, 1) &&
           remove_rows(ledger, SQL_PURGE_JOB, purge, 1);
}

static bool purge_some(struct ledger *ledger, void *ctx)
{
    struct purge *purge = ctx;
    while (purge->left > 0 && ledger->purge) {
        if (!find_job(ledger, purge))
            ledger->purge = false;
        else if (!purge_job(ledger, purge))
            return false;
    }
    return true;
}

/* In a ledger made by format 1 pages cannot be given back: then nothing is. */
static bool drop_pages(struct ledger *ledger, void *ctx)
{
    (void)ctx;
    int64_t all, spare, left;
    if (!ledger_number(ledger, SQL_PAGES, &all) ||
        !ledger_number(ledger, SQL_PAGES_FREE, &spare))
        return false;
    if (spare <= SPARE || spare <= all / SPARE_PART)
        return true;
    if (!ledger_run(ledger_statement(ledger, SQL_PAGES_DROP)) ||
        !ledger_number(ledger, SQL_PAGES_FREE, &left))
        return false;
    ledger->purge = left < spare;
    return true;
}

enum ledger_rc ledger_purge(struct ledger *ledger, char *why, size_t size)
{
    struct purge purge = {.left = ROWS};
    enum ledger_rc rc = ledger_transact(ledger, purge_some, &purge, why, size);
    if (rc == LEDGER_OK && !ledger->purge)
        rc = ledger_transact(ledger, drop_pages, NULL, why, size);
    if (rc != LEDGER_OK)
        ledger->purge = false;
    return rc;
}
