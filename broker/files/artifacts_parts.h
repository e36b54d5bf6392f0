/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files artifacts*.c share; nobody else includes it. artifacts.c is
 * the loop's side and the thread, artifacts_db.c what the thread does.
 */
#ifndef FRAMEQ_BROKER_FILES_ARTIFACTS_PARTS_H
#define FRAMEQ_BROKER_FILES_ARTIFACTS_PARTS_H

#include <sqlite3.h>

#include "broker/files/artifacts.h"

enum artifacts_sql {
    ARTIFACTS_SUM,
    ARTIFACTS_OLDEST,
    ARTIFACTS_REMOVE,
    ARTIFACTS_ADD,
    ARTIFACTS_SAME,
    ARTIFACTS_COUNT,
    ARTIFACTS_PICK,
    ARTIFACTS_DROP,
    ARTIFACTS_SQL
};

struct artifacts_db {
    char *dir;
    sqlite3 *db;
    sqlite3_stmt *statements[ARTIFACTS_SQL];
    uint64_t bytes, bytes_max;
};

/* artifacts_db_open opens DIR/artifacts.db, and begins anew what is damaged.
 * False with the reason in why. */
bool artifacts_db_open(struct artifacts_db *db, char *why, size_t size);
void artifacts_db_close(struct artifacts_db *db);

/* artifacts_db_put returns NULL, or why it did not keep it. */
const char *artifacts_db_put(struct artifacts_db *db,
                             const struct artifact *artifact);

/* artifacts_db_get fills *ret, whose bytes are valid until the next call;
 * returns how many attempts are kept, *ret_attempt which this is; 0: none. */
int32_t artifacts_db_get(struct artifacts_db *db,
                         const struct artifact_key *key, struct artifact *ret,
                         int32_t *ret_attempt);

void artifacts_db_drop(struct artifacts_db *db, const char *job);

#endif
