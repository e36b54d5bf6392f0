/* SPDX-License-Identifier: Apache-2.0
 *
 * One table, one row an artifact; ids ascend with age. Opened as the ledger is
 * (exclusive before the log is touched), but synced only at checkpoints: what a
 * power cut takes is missed by nobody.
 */
#include "broker/files/artifacts_parts.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/app/log.h"
#include "common/mem.h"

#define ROW_COST 256 /* bytes that a row takes beside its own */

static const char schema[] =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA auto_vacuum = INCREMENTAL;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -4096;"
    "PRAGMA journal_size_limit = 16777216;"
    "CREATE TABLE IF NOT EXISTS artifact(id INTEGER PRIMARY KEY,"
    " job TEXT NOT NULL, frame INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " lease INTEGER NOT NULL, start INTEGER NOT NULL, size INTEGER NOT NULL,"
    " bytes BLOB NOT NULL, UNIQUE(job, frame, kind, lease)) STRICT;";

static const char *const texts[ARTIFACTS_SQL] = {
    [ARTIFACTS_SUM] = "SELECT ifnull(sum(size), 0) FROM artifact",
    [ARTIFACTS_OLDEST] = "SELECT id, size FROM artifact ORDER BY id LIMIT 1",
    [ARTIFACTS_REMOVE] = "DELETE FROM artifact WHERE id = ?1",
    [ARTIFACTS_ADD] =
        "INSERT INTO artifact(job, frame, kind, lease, start, size, bytes)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    /* What a new one takes the place of. */
    [ARTIFACTS_SAME] =
        "SELECT id, size FROM artifact WHERE job = ?1 AND frame = ?2"
        " AND kind = ?3 AND (lease = ?4 OR (kind = 1 AND lease < ?4)) LIMIT 1",
    [ARTIFACTS_COUNT] = "SELECT count(*) FROM artifact"
                        " WHERE job = ?1 AND frame = ?2 AND kind = ?3",
    [ARTIFACTS_PICK] =
        "SELECT lease, start, bytes FROM artifact"
        " WHERE job = ?1 AND frame = ?2 AND kind = ?3 ORDER BY lease"
        " LIMIT 1 OFFSET ?4",
    [ARTIFACTS_DROP] = "SELECT id, size FROM artifact WHERE job = ?1 LIMIT 1",
};

_Static_assert(ARTIFACT_THUMBNAIL == 1, "the statement above says so");

/* --- Opening. --- */

static bool open_file(struct artifacts_db *db, char *why, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/artifacts.db", db->dir);
    bool ok = sqlite3_open_v2(path, &db->db,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                  SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
                              NULL) == SQLITE_OK &&
              sqlite3_exec(db->db, schema, NULL, NULL, NULL) == SQLITE_OK;
    for (int i = 0; ok && i < ARTIFACTS_SQL; i++)
        ok = sqlite3_prepare_v3(db->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                &db->statements[i], NULL) == SQLITE_OK;
    if (!ok)
        snprintf(why, size, "%s: %s", path, sqlite3_errmsg(db->db));
    return ok;
}

static void close_file(struct artifacts_db *db)
{
    for (int i = 0; i < ARTIFACTS_SQL; i++) {
        sqlite3_finalize(db->statements[i]);
        db->statements[i] = NULL;
    }
    sqlite3_close(db->db);
    db->db = NULL;
}

static void remove_files(const struct artifacts_db *db)
{
    static const char *const tails[] = {"", "-wal", "-journal"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        snprintf(path, sizeof path, "%s/artifacts.db%s", db->dir, tails[i]);
        unlink(path);
    }
}

static bool sum_up(struct artifacts_db *db)
{
    sqlite3_stmt *sum = db->statements[ARTIFACTS_SUM];
    bool read = sqlite3_step(sum) == SQLITE_ROW;
    if (read)
        db->bytes = (uint64_t)sqlite3_column_int64(sum, 0);
    sqlite3_reset(sum);
    return read;
}

bool artifacts_db_open(struct artifacts_db *db, char *why, size_t size)
{
    if (open_file(db, why, size) && sum_up(db))
        return true;
    log_warn("artifacts_begun_anew", "reason=%s", log_quoted(why));
    close_file(db);
    remove_files(db);
    return open_file(db, why, size) && sum_up(db);
}

void artifacts_db_close(struct artifacts_db *db)
{
    close_file(db);
    mem_free(db->dir);
}

/* --- Rows. --- */

static bool run(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    sqlite3_reset(statement);
    return rc == SQLITE_DONE;
}

/* Removes the row that a bound `SELECT id, size` finds; false: none, or it
 * cannot be. */
static bool remove_found(struct artifacts_db *db, sqlite3_stmt *find)
{
    sqlite3_stmt *remove = db->statements[ARTIFACTS_REMOVE];
    bool found = sqlite3_step(find) == SQLITE_ROW;
    sqlite3_int64 id = found ? sqlite3_column_int64(find, 0) : 0;
    uint64_t size = found ? (uint64_t)sqlite3_column_int64(find, 1) : 0;
    sqlite3_reset(find);
    if (!found)
        return false;
    sqlite3_bind_int64(remove, 1, id);
    if (!run(remove))
        return false;
    db->bytes -= size < db->bytes ? size : db->bytes;
    return true;
}

static void bind_key(sqlite3_stmt *statement, const char *job, int32_t frame,
                     enum artifact_kind kind)
{
    sqlite3_bind_text(statement, 1, job, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 2, frame);
    sqlite3_bind_int(statement, 3, (int)kind);
}

static bool make_room(struct artifacts_db *db, const struct artifact *artifact,
                      uint64_t size)
{
    sqlite3_stmt *same = db->statements[ARTIFACTS_SAME];
    bind_key(same, artifact->job, artifact->frame, artifact->kind);
    sqlite3_bind_int64(same, 4, (sqlite3_int64)artifact->lease);
    while (remove_found(db, same))
        continue;
    while (db->bytes + size > db->bytes_max)
        if (!remove_found(db, db->statements[ARTIFACTS_OLDEST]))
            return false;
    return true;
}

static bool add(struct artifacts_db *db, const struct artifact *artifact,
                uint64_t size)
{
    sqlite3_stmt *statement = db->statements[ARTIFACTS_ADD];
    bind_key(statement, artifact->job, artifact->frame, artifact->kind);
    sqlite3_bind_int64(statement, 4, (sqlite3_int64)artifact->lease);
    sqlite3_bind_int64(statement, 5, (sqlite3_int64)artifact->offset);
    sqlite3_bind_int64(statement, 6, (sqlite3_int64)size);
    sqlite3_bind_blob64(statement, 7, artifact->n > 0 ? artifact->bytes : "",
                        artifact->n, SQLITE_STATIC);
    bool added = run(statement);
    sqlite3_clear_bindings(statement);
    db->bytes += added ? size : 0;
    return added;
}

/* The ledger lies on the same disk, and needs it more. */
static bool disk_is_low(const struct artifacts_db *db)
{
    struct statvfs fs;
    return statvfs(db->dir, &fs) == 0 &&
           (uint64_t)fs.f_bavail * fs.f_frsize < 2 * LIMIT_DISK_LOW;
}

const char *artifacts_db_put(struct artifacts_db *db,
                             const struct artifact *artifact)
{
    uint64_t before = db->bytes, size = artifact->n + ROW_COST;
    if (disk_is_low(db))
        return "the broker's disk is full";
    sqlite3_exec(db->db, "BEGIN", NULL, NULL, NULL);
    bool kept = make_room(db, artifact, size) && add(db, artifact, size) &&
                sqlite3_exec(db->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    if (kept)
        return NULL;
    const char *why = sqlite3_errstr(sqlite3_errcode(db->db));
    if (!sqlite3_get_autocommit(db->db))
        sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
    db->bytes = before;
    return why;
}

static int32_t count(struct artifacts_db *db, const struct artifact_key *key)
{
    sqlite3_stmt *statement = db->statements[ARTIFACTS_COUNT];
    bind_key(statement, key->job, key->frame, key->kind);
    int32_t n = sqlite3_step(statement) == SQLITE_ROW
                    ? sqlite3_column_int(statement, 0)
                    : 0;
    sqlite3_reset(statement);
    return n;
}

int32_t artifacts_db_get(struct artifacts_db *db,
                         const struct artifact_key *key, struct artifact *ret,
                         int32_t *ret_attempt)
{
    sqlite3_stmt *pick = db->statements[ARTIFACTS_PICK];
    int32_t attempts = count(db, key);
    int32_t attempt = key->attempt == 0 ? attempts : key->attempt;
    sqlite3_reset(pick);
    if (attempt < 1 || attempt > attempts)
        return 0;
    bind_key(pick, key->job, key->frame, key->kind);
    sqlite3_bind_int(pick, 4, attempt - 1);
    if (sqlite3_step(pick) != SQLITE_ROW)
        return 0;
    *ret_attempt = attempt;
    *ret = (struct artifact){.kind = key->kind,
                             .job = key->job,
                             .frame = key->frame,
                             .lease = (uint64_t)sqlite3_column_int64(pick, 0),
                             .offset = (uint64_t)sqlite3_column_int64(pick, 1),
                             .bytes = sqlite3_column_blob(pick, 2),
                             .n = (size_t)sqlite3_column_bytes(pick, 2)};
    return attempts;
}

void artifacts_db_drop(struct artifacts_db *db, const char *job)
{
    sqlite3_stmt *find = db->statements[ARTIFACTS_DROP];
    sqlite3_exec(db->db, "BEGIN", NULL, NULL, NULL);
    sqlite3_bind_text(find, 1, job, -1, SQLITE_STATIC);
    while (remove_found(db, find))
        continue;
    sqlite3_clear_bindings(find);
    if (sqlite3_exec(db->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK &&
        !sqlite3_get_autocommit(db->db))
        sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_exec(db->db, "PRAGMA incremental_vacuum", NULL, NULL, NULL);
}
