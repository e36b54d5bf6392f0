/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger as a file: one SQLite connection and what is done through it. It
 * knows no thread; store.c lends it to one at a time. Behind store.h only:
 * another database would replace the ledger_*.c files and nothing else.
 */
#ifndef FRAMEQ_BROKER_LEDGER_LEDGER_H
#define FRAMEQ_BROKER_LEDGER_LEDGER_H

#include <sqlite3.h>

#include "broker/core/core.h"
#include "broker/ledger/store.h"
#include "common/buf.h"
#include "common/table.h"

/* What a person can do about a damaged file; follows its reason. */
#define LEDGER_DAMAGED                                                         \
    " (damaged; put a backup in its place, see docs/ledger.md)"

enum ledger_sql {
#define SQL(name, text) SQL_##name,
#include "broker/ledger/ledger.def"
#undef SQL
    SQL_COUNT
};

/* How a piece of work on the ledger ended. Of one that did not end LEDGER_OK
 * nothing is in the ledger. */
enum ledger_rc {
    LEDGER_OK,
    LEDGER_FULL, /* no room on the disk: worth another try */
    LEDGER_LOST  /* anything else: the ledger must not be trusted further */
};

/* A job that may have ended, to be packed; or the one at hand. */
struct packing {
    char *job;         /* id; owned */
    struct core *core; /* its events as far as they were read; NULL: none */
    int64_t number;    /* of the job */
    int64_t read;      /* seq of the last event in core */
    int64_t last;      /* of those that stay: where its PACKED will stand */
    int64_t last_ms;   /* when that was */
    UT_hash_handle hh;
};

struct ledger {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT]; /* prepared when first used */
    struct arena arena;                  /* of the event at hand */
    uint64_t last;                       /* seq of the last event; 0: none */
    uint64_t loose; /* the last event where it is there for its number alone;
                       0: it is not */
    bool orderly;   /* the last broker came to its end, or there was none */
    int wal_pages;  /* in the write-ahead log */
    bool purge;     /* forgotten jobs may be there to remove */
    bool pack;      /* ended jobs may be there to pack */
    int64_t activity_ms;      /* rows of activity older than it go; 0: none */
    struct packing *packings; /* by job, the one at hand first */
};

/* --- ledger.c --- */

enum ledger_use { LEDGER_SERVE, LEDGER_VERIFY };

/* ledger_open opens the ledger in a folder; to serve, it makes one where there
 * is none. Returns NULL with the reason in why. */
struct ledger *ledger_open(const char *dir, enum ledger_use use, char *why,
                           size_t size);

/* ledger_begin takes the next epoch. Only after it is the log brought into the
 * ledger at the close. */
enum ledger_rc ledger_begin(struct ledger *ledger, uint64_t *ret_epoch,
                            char *why, size_t size);

/* ledger_tend brings a long write-ahead log into the ledger. */
enum ledger_rc ledger_tend(struct ledger *ledger, char *why, size_t size);

/* ledger_distrust leaves the files as they are from now on. */
void ledger_distrust(struct ledger *ledger);

/* ledger_close accepts NULL and nulls. */
void ledger_close(struct ledger **ledger);

/* ledger_explain tells what SQLite found wrong, and what to do about a file
 * that is damaged. */
void ledger_explain(sqlite3 *db, char *why, size_t size);

/* ledger_statement returns a statement ready to be bound and stepped. NULL
 * when the schema does not fit (a damaged ledger). */
sqlite3_stmt *ledger_statement(struct ledger *ledger, enum ledger_sql sql);

/* ledger_run steps a statement (NULL: fails) to its end and resets it. */
bool ledger_run(sqlite3_stmt *statement);

/* ledger_number returns the first column of the first row of a statement that
 * needs no values. */
bool ledger_number(struct ledger *ledger, enum ledger_sql sql, int64_t *ret);

/* ledger_transact runs work between BEGIN and COMMIT. */
enum ledger_rc ledger_transact(struct ledger *ledger,
                               bool (*work)(struct ledger *ledger, void *ctx),
                               void *ctx, char *why, size_t size);

/* --- ledger_write.c --- */

/* ledger_write adds records (each its length as uint32_t, then its bytes) as
 * the next events, and notes (activity_write; may be NULL),
 * in one transaction. */
enum ledger_rc ledger_write(struct ledger *ledger, const struct buf *records,
                            const struct buf *notes, char *why, size_t size);

/* --- ledger_purge.c --- */

/* ledger_purge removes some rows of forgotten jobs, and gives some room back to
 * the disk where much is free; purge tells whether it is worth calling again.
 * Every ledger on the way is a history that replays. */
enum ledger_rc ledger_purge(struct ledger *ledger, char *why, size_t size);

/* --- ledger_pack.c --- */

/* pack_add has a job packed once it finds that it has ended. */
void pack_add(struct ledger *ledger, const char *job);

/* ledger_pack goes on with packing for some ms; pack tells whether it is worth
 * calling again. Every ledger on the way is a history that replays. */
enum ledger_rc ledger_pack(struct ledger *ledger, char *why, size_t size);

/* pack_done forgets all of pack_add. */
void pack_done(struct ledger *ledger);

/* --- ledger_facts.c --- */

/* Facts of frames as bytes: those of FACTS_CHUNK ordinals, from a multiple of
 * it on, in one row. */
#define FACTS_CHUNK 256

/* facts_unpack gives the facts of an ordinal's chunk rows again where they are
 * packed: one of them is about to change. */
bool facts_unpack(struct ledger *ledger, const char *job, int32_t ordinal);

/* facts_pack packs the first chunk of a job (by number) that has rows. ret_rows
 * is how many there were; 0: all is packed. */
bool facts_pack(struct ledger *ledger, int64_t number, int *ret_rows);

/* facts_read decodes a packed chunk into arena; NULL, with the reason in why,
 * when it is none. */
const struct frame_fact *facts_read(const void *bytes, size_t len,
                                    struct arena *arena, size_t *ret_n,
                                    char *why, size_t size);

/* facts_take returns the fact of a row of ten columns, ordinal first. */
struct frame_fact facts_take(sqlite3_stmt *row, struct arena *arena);

/* --- ledger_activity.c --- */

/* activity_write appends a row as bytes, for activity_add, which adds all rows
 * of such bytes and removes the oldest past LIMIT_ACTIVITY. */
void activity_write(const struct activity *row, struct buf *out);
bool activity_add(struct ledger *ledger, const struct buf *notes);

/* activity_prune removes some rows older than activity_ms, which is 0 when no
 * more are left. */
enum ledger_rc activity_prune(struct ledger *ledger, char *why, size_t size);

/* activity_read returns *ret_n rows, newest first, in arena. */
const struct activity *activity_read(struct ledger *ledger,
                                     const struct activity_query *query,
                                     struct arena *arena, size_t *ret_n);

/* --- ledger_read.c --- */

/* ledger_event reads a row (seq, kind, body) into arena; false with the reason
 * in why. */
bool ledger_event(sqlite3_stmt *row, struct arena *arena, struct event *ret,
                  char *why, size_t size);

/* ledger_replay: see store_replay. */
int64_t ledger_replay(struct ledger *ledger,
                      void (*each)(void *ctx, const struct event *event),
                      void *ctx, char *why, size_t size);

/* ledger_check has SQLite look at every page, and reads all packed facts. */
bool ledger_check(struct ledger *ledger, char *why, size_t size);

struct frames_query {
    const char *job;
    struct range ordinals;
    size_t limit;
};

/* ledger_frames returns *ret_n facts, allocated in arena. */
const struct frame_fact *ledger_frames(struct ledger *ledger,
                                       const struct frames_query *query,
                                       struct arena *arena, size_t *ret_n);

/* --- ledger_backup.c --- */

struct backup;

/* backup_open begins a copy into a new file; NULL with the reason in why. */
struct backup *backup_open(struct ledger *ledger, const char *path, char *why,
                           size_t size);

/* backup_step copies a piece. Returns false while there is more; else true,
 * with "" in why when the copy is on disk, or why there is none. */
bool backup_step(struct backup *backup, char *why, size_t size);

/* backup_close accepts NULL and nulls; an unfinished copy is removed. */
void backup_close(struct backup **backup);

#endif
