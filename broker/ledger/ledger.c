/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection: opened the one safe way, with the one schema. Exclusive
 * locking is set before the write-ahead log is touched, so that there is
 * neither shared memory nor a second opener: SQLite before 3.51.3 can lose
 * commits when two connections reset the log at once.
 */
#include "broker/ledger/ledger.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

#define APPLICATION_ID 0x66726d71 /* "frmq", at byte 68 of the file */
#define FORMAT         3          /* user_version; grows with the schema */
#define LOG_PAGES      1000       /* 4 MB: then into the ledger itself */

#define AS_TEXT(value) #value
#define TEXT_OF(value) AS_TEXT(value)

static const char *const texts[SQL_COUNT] = {
#define SQL(name, text) [SQL_##name] = (text),
#include "broker/ledger/ledger.def"
#undef SQL
};

/* The cache holds the hot pages of a transaction of some 3,000 events, and it
 * is full in a minute; the log shrinks again after a larger one. Nothing goes
 * into temporary files. */
static const char *const settings[] = {
    "PRAGMA synchronous = FULL",  "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -4096",  "PRAGMA journal_size_limit = 16777216",
    "PRAGMA secure_delete = OFF",
};

static const char schema[] =
    "BEGIN;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE job(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " forgotten INTEGER, packed INTEGER) STRICT;"
    "CREATE INDEX job_forgotten ON job(forgotten)"
    " WHERE forgotten IS NOT NULL;"
    "CREATE INDEX job_packed ON job(packed) WHERE packed IS NOT NULL;"
    "CREATE TABLE event(seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,"
    " kind TEXT NOT NULL, job INTEGER, body BLOB NOT NULL, lease INTEGER)"
    " STRICT;"
    "CREATE INDEX event_job ON event(job) WHERE job IS NOT NULL;"
    "CREATE INDEX event_lease ON event(lease) WHERE lease IS NOT NULL;"
    "CREATE TABLE frame(job INTEGER NOT NULL, ordinal INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " lease INTEGER NOT NULL, agent TEXT NOT NULL, ms INTEGER NOT NULL,"
    " blender TEXT NOT NULL, files TEXT NOT NULL, fault TEXT NOT NULL,"
    " text TEXT NOT NULL, PRIMARY KEY(job, ordinal)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE pack(job INTEGER NOT NULL, chunk INTEGER NOT NULL,"
    " body BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX pack_job ON pack(job, chunk);"
    "INSERT INTO meta VALUES('epoch', 0);"
    "PRAGMA application_id = " TEXT_OF(
        APPLICATION_ID) ";"
                        "PRAGMA user_version = " TEXT_OF(FORMAT) ";"
                                                                 "COMMIT";

/* --- Statements. --- */

sqlite3_stmt *ledger_statement(struct ledger *ledger, enum ledger_sql sql)
{
    sqlite3_stmt **statement = &ledger->statements[sql];
    if (*statement == NULL)
        sqlite3_prepare_v3(ledger->db, texts[sql], -1,
                           SQLITE_PREPARE_PERSISTENT, statement, NULL);
    return *statement;
}

bool ledger_run(sqlite3_stmt *statement)
{
    if (statement == NULL)
        return false;
    int rc;
    do
        rc = sqlite3_step(statement);
    while (rc == SQLITE_ROW);
    sqlite3_reset(statement);
    return rc == SQLITE_DONE;
}

bool ledger_number(struct ledger *ledger, enum ledger_sql sql, int64_t *ret)
{
    sqlite3_stmt *statement = ledger_statement(ledger, sql);
    if (statement == NULL)
        return false;
    bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        *ret = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return found;
}

static bool no_room(sqlite3 *db)
{
    int rc = sqlite3_errcode(db) & 0xff;
    int error = sqlite3_system_errno(db);
    return rc == SQLITE_FULL ||
           (rc == SQLITE_IOERR && (error == ENOSPC || error == EDQUOT));
}

/* Says what went wrong and takes back what was begun. */
static enum ledger_rc fail(struct ledger *ledger, char *why, size_t size)
{
    enum ledger_rc rc = no_room(ledger->db) ? LEDGER_FULL : LEDGER_LOST;
    snprintf(why, size, "%s (SQLite error %d)", sqlite3_errmsg(ledger->db),
             sqlite3_extended_errcode(ledger->db));
    if (!sqlite3_get_autocommit(ledger->db))
        ledger_run(ledger_statement(ledger, SQL_ROLLBACK));
    return rc;
}

enum ledger_rc ledger_transact(struct ledger *ledger,
                               bool (*work)(struct ledger *ledger, void *ctx),
                               void *ctx, char *why, size_t size)
{
    if (ledger_run(ledger_statement(ledger, SQL_BEGIN)) && work(ledger, ctx) &&
        ledger_run(ledger_statement(ledger, SQL_COMMIT)))
        return LEDGER_OK;
    return fail(ledger, why, size);
}

/* --- Opening. --- */

static bool pragma_number(sqlite3 *db, const char *text, int64_t *ret)
{
    sqlite3_stmt *statement = NULL;
    bool found =
        sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        *ret = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return found;
}

void ledger_explain(sqlite3 *db, char *why, size_t size)
{
    int rc = sqlite3_errcode(db) & 0xff;
    bool damaged = rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
    if (rc == SQLITE_BUSY)
        snprintf(why, size, "ledger.db is open in another program");
    else
        snprintf(why, size, "ledger.db: %s%s", sqlite3_errmsg(db),
                 damaged ? LEDGER_DAMAGED : "");
}

static bool refuse(sqlite3 *db, char *why, size_t size)
{
    ledger_explain(db, why, size);
    return false;
}

/* Looks before anything is changed. ret_new: there is nothing in it yet. */
static bool check_format(sqlite3 *db, bool *ret_new, char *why, size_t size)
{
    int64_t id, format, tables;
    if (!pragma_number(db, "PRAGMA application_id", &id) ||
        !pragma_number(db, "PRAGMA user_version", &format) ||
        !pragma_number(db, "SELECT count(*) FROM sqlite_schema", &tables))
        return refuse(db, why, size);
    *ret_new = id == 0 && format == 0 && tables == 0;
    if (!*ret_new && id != APPLICATION_ID) {
        snprintf(why, size, "ledger.db is not a ledger of frameq");
        return false;
    }
    if (*ret_new || format == FORMAT)
        return true;
    snprintf(why, size,
             "ledger.db is of %s frameq (format %d, this one reads %d); go on "
             "with that one, or begin in an empty folder",
             format > FORMAT ? "a newer" : "an older", (int)format, FORMAT);
    return false;
}

static bool run_text(sqlite3 *db, const char *text)
{
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

/* Writes only into a new ledger: an existing one has the mode already. */
static bool use_log(sqlite3 *db, char *why, size_t size)
{
    sqlite3_stmt *statement = NULL;
    bool found = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1,
                                    &statement, NULL) == SQLITE_OK &&
                 sqlite3_step(statement) == SQLITE_ROW;
    bool is_log =
        found &&
        strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
    sqlite3_finalize(statement);
    if (found && !is_log)
        snprintf(why, size,
                 "ledger.db: this file system takes no "
                 "write-ahead log");
    else if (!found)
        refuse(db, why, size);
    return is_log;
}

static bool prepare_to_serve(sqlite3 *db, bool is_new, char *why, size_t size)
{
    if (is_new && !run_text(db, "PRAGMA auto_vacuum = INCREMENTAL"))
        return refuse(db, why, size);
    if (!use_log(db, why, size))
        return false;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (!run_text(db, settings[i]))
            return refuse(db, why, size);
    if (is_new && !run_text(db, schema))
        return refuse(db, why, size);
    return true;
}

static bool prepare(struct ledger *ledger, enum ledger_use use, char *why,
                    size_t size)
{
    sqlite3 *db = ledger->db;
    bool is_new = false;
    if (!run_text(db, "PRAGMA locking_mode = EXCLUSIVE") ||
        !run_text(db, "PRAGMA trusted_schema = OFF"))
        return refuse(db, why, size);
    if (!check_format(db, &is_new, why, size))
        return false;
    if (use == LEDGER_SERVE)
        return prepare_to_serve(db, is_new, why, size);
    if (is_new) {
        snprintf(why, size, "ledger.db is empty");
        return false;
    }
    return run_text(db, "PRAGMA query_only = ON") || refuse(db, why, size);
}

static int count_pages(void *ctx, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    struct ledger *ledger = ctx;
    ledger->wal_pages = pages;
    return SQLITE_OK;
}

/* Of a file that is only looked at nothing may change, not even the log. */
static void leave_log(sqlite3 *db, bool leave)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, (int)leave, NULL);
}

/* Made here where it is missing, as SQLite would let everybody read it. */
static void make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

/* An orderly end takes the log along. */
static bool has_log(const char *path)
{
    char log[PATH_MAX + 8];
    struct stat file;
    snprintf(log, sizeof log, "%s-wal", path);
    return stat(log, &file) == 0 && file.st_size > 0;
}

static bool open_file(struct ledger *ledger, const char *dir,
                      enum ledger_use use, char *why, size_t size)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/ledger.db", dir);
    assert(0 < n && (size_t)n < sizeof path); /* the lock lies there too */
    ledger->orderly = !has_log(path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (use == LEDGER_SERVE)
        make_private(path);
    if (sqlite3_open_v2(path, &ledger->db, flags, NULL) != SQLITE_OK)
        return refuse(ledger->db, why, size);
    leave_log(ledger->db, true);
    sqlite3_extended_result_codes(ledger->db, 1);
    sqlite3_wal_hook(ledger->db, count_pages, ledger);
    return true;
}

static bool find_last(struct ledger *ledger, char *why, size_t size)
{
    int64_t last;
    if (!ledger_number(ledger, SQL_LAST, &last))
        return refuse(ledger->db, why, size);
    ledger->last = (uint64_t)last;
    return true;
}

struct ledger *ledger_open(const char *dir, enum ledger_use use, char *why,
                           size_t size)
{
    struct ledger *ledger = mem_new(sizeof *ledger);
    ledger->purge = ledger->pack = true;
    if (!open_file(ledger, dir, use, why, size) ||
        !prepare(ledger, use, why, size) || !find_last(ledger, why, size))
        ledger_close(&ledger);
    return ledger;
}

/* --- Serving. --- */

static bool add_epoch(struct ledger *ledger, void *ret)
{
    sqlite3_stmt *add = ledger_statement(ledger, SQL_EPOCH_ADD);
    sqlite3_bind_int(add, 1, 1);
    return ledger_run(add) && ledger_number(ledger, SQL_EPOCH, ret) &&
           ledger_run(ledger_statement(ledger, SQL_ACTIVITY_TABLE)) &&
           ledger_run(ledger_statement(ledger, SQL_ACTIVITY_INDEX));
}

enum ledger_rc ledger_begin(struct ledger *ledger, uint64_t *ret_epoch,
                            char *why, size_t size)
{
    int64_t epoch = 0, loose = 0;
    enum ledger_rc rc = ledger_transact(ledger, add_epoch, &epoch, why, size);
    if (rc != LEDGER_OK)
        return rc;
    if (!ledger_number(ledger, SQL_LOOSE, &loose))
        return fail(ledger, why, size);
    ledger->loose = (uint64_t)loose;
    leave_log(ledger->db, false);
    *ret_epoch = (uint64_t)epoch;
    return LEDGER_OK;
}

enum ledger_rc ledger_tend(struct ledger *ledger, char *why, size_t size)
{
    if (ledger->wal_pages < LOG_PAGES)
        return LEDGER_OK;
    int rc = sqlite3_wal_checkpoint_v2(ledger->db, NULL,
                                       SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    ledger->wal_pages = 0;
    return rc == SQLITE_OK ? LEDGER_OK : fail(ledger, why, size);
}

void ledger_distrust(struct ledger *ledger)
{
    leave_log(ledger->db, true);
}

void ledger_close(struct ledger **ledger)
{
    struct ledger *old = *ledger;
    if (old == NULL)
        return;
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(old->statements[i]);
    int rc = sqlite3_close(old->db);
    assert(rc == SQLITE_OK);
    pack_done(old);
    arena_done(&old->arena);
    mem_free(old);
    *ledger = NULL;
}
