/* SPDX-License-Identifier: Apache-2.0
 *
 * A copy of the ledger while it serves, by SQLite's online backup: what is
 * written in between, by the same connection, goes into the copy too. An
 * unfinished copy never stays.
 */
#include "broker/ledger/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

#define PAGES       256 /* copied between two commits: a megabyte */
#define EPOCHS_LEFT 1000

struct backup {
    char *path;
    sqlite3 *db;
    sqlite3_backup *copy;
    bool done;
};

/* Making the file here keeps a file of somebody else's from being written. */
static bool make_file(const char *path, char *why, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(why, size, "%s: %s", path, strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

static void tell(const struct backup *backup, char *why, size_t size)
{
    snprintf(why, size, "%s: %s", backup->path, sqlite3_errmsg(backup->db));
}

struct backup *backup_open(struct ledger *ledger, const char *path, char *why,
                           size_t size)
{
    if (!make_file(path, why, size))
        return NULL;
    struct backup *backup = mem_new(sizeof *backup);
    backup->path = mem_text(path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &backup->db, flags, NULL) == SQLITE_OK)
        backup->copy =
            sqlite3_backup_init(backup->db, "main", ledger->db, "main");
    if (backup->copy == NULL) {
        tell(backup, why, size);
        backup_close(&backup);
    }
    return backup;
}

/* The copy is one file, without a log, and comes back in epochs of its own. */
static bool finish(struct backup *backup)
{
    int rc = sqlite3_backup_finish(backup->copy);
    backup->copy = NULL;
    if (rc != SQLITE_OK || sqlite3_exec(backup->db,
                                        "PRAGMA locking_mode = EXCLUSIVE;"
                                        "PRAGMA journal_mode = DELETE",
                                        NULL, NULL, NULL) != SQLITE_OK)
        return false;
    char text[96];
    snprintf(text, sizeof text,
             "UPDATE meta SET value = value + %d WHERE key = 'epoch'",
             EPOCHS_LEFT);
    return sqlite3_exec(backup->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

bool backup_step(struct backup *backup, char *why, size_t size)
{
    int rc = sqlite3_backup_step(backup->copy, PAGES);
    if (rc == SQLITE_OK)
        return false;
    backup->done = rc == SQLITE_DONE && finish(backup);
    if (backup->done)
        snprintf(why, size, "%s", "");
    else if (rc == SQLITE_DONE)
        tell(backup, why, size);
    else
        snprintf(why, size, "%s: %s", backup->path, sqlite3_errstr(rc));
    return true;
}

void backup_close(struct backup **backup)
{
    struct backup *old = *backup;
    if (old == NULL)
        return;
    sqlite3_backup_finish(old->copy);
    sqlite3_close(old->db);
    if (!old->done)
        unlink(old->path);
    mem_free(old->path);
    mem_free(old);
    *backup = NULL;
}
