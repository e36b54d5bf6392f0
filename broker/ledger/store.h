/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger: durable and lazy events in order, and the facts of every frame.
 * One thread writes it, with one SQLite connection (WAL, synchronous=FULL,
 * exclusive), and commits whatever is queued as soon as the previous commit
 * has returned. The loop never waits for the disk: it appends, and is woken by
 * store_fd. What it refuses: a folder another broker holds, a ledger from a
 * newer version, a damaged one. Of one store, all calls come from one thread.
 */
#ifndef FRAMEQ_BROKER_LEDGER_STORE_H
#define FRAMEQ_BROKER_LEDGER_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/core/core.h"

struct store;

/* store_open opens or makes the ledger in a folder (which exists) and takes it
 * for this process. Returns NULL with the reason in why. Nothing is written to
 * an existing ledger until store_begin. */
struct store *store_open(const char *dir, char *why, size_t size);

/* store_replay calls each with every event of the ledger in order; the event
 * lives until each returns. Numbers ascend. Missing are: LEASED, SHORTENED and
 * RELEASED of leases that are over, but for a job's first; the events of jobs
 * that were forgotten, and, where a job's FORGOTTEN is still there, any of them
 * but the first (SUBMITTED) and that last one; those of a job that was packed
 * but for SUBMITTED, PACKED and what came since. Returns the last seq (0: empty
 * ledger), or -1 with the reason in why when a record cannot be read. Before
 * store_begin only. */
int64_t store_replay(struct store *store,
                     void (*each)(void *ctx, const struct event *event),
                     void *ctx, char *why, size_t size);

/* store_orderly tells whether the broker before this one came to its end, or
 * there was none; false after a kill or a power cut. */
bool store_orderly(const struct store *store);

/* store_begin makes a new broker epoch durable, starts the thread and returns
 * the epoch (>= 1, one more than ever before); 0 with the reason in why. */
uint64_t store_begin(struct store *store, char *why, size_t size);

/* store_append queues an event that is not soft; its seq is one more than the
 * last. Copies all it needs. Never blocks on the disk. A durable event is
 * committed at once; lazy ones go with the next durable one, or after a fifth
 * of a second. */
void store_append(struct store *store, const struct event *event);

/* Something that was done, or happened, for people to look back on: a row of
 * the activity. Texts are "" where there is none. */
struct activity {
    int64_t number;         /* ascending; as read */
    int64_t at_ms, last_ms; /* last_ms: of the last of several alike */
    int32_t times;
    bool merge; /* one more of the job's last row of that kind and agent, if
                   that is not old */
    const char *what; /* a word: "cancelled" */
    const char *who;  /* a person, or an address */
    const char *job;  /* id */
    const char *name; /* of the job, then */
    const char *agent;
    const char *text; /* more of it: a reason, frames */
};

/* store_note is store_append (event NULL, or soft: without it) that writes n
 * rows of activity in the same commit. */
void store_note(struct store *store, const struct event *event,
                const struct activity *rows, size_t n);

/* store_keep has rows of activity that are older than before_ms removed. */
void store_keep(struct store *store, int64_t before_ms);

/* store_pack tells that a job has ended and none of its leases goes on, as far
 * as events were appended: when there is time its events give way to one PACKED
 * and its frames' facts are packed. Told again after every later event of it.
 * Nothing that a replay comes to or store_frames answers is changed by that.
 * Before store_begin it is kept until then. */
void store_pack(struct store *store, const char *job);

/* store_fd becomes readable when store_poll has news: a commit, an answer, or
 * another health. */
int store_fd(const struct store *store);

/* store_poll takes the news: answers of finished reads are delivered (their
 * callbacks run inside), and the last committed seq is returned. */
uint64_t store_poll(struct store *store);

enum store_health {
    STORE_WELL,
    STORE_FULL,  /* no room for new jobs; reports still fit (507) */
    STORE_BROKEN /* a commit failed for good: acknowledge nothing more */
};

/* store_health tells how the ledger was at the last store_poll, and whether
 * more is queued than the disk keeps up with (STORE_FULL too); reason, valid
 * until the next store_poll, says why it is not well ("" when it is). */
enum store_health store_health(const struct store *store, const char **reason);

/* The facts of one frame, from its last DONE or charge. */
struct frame_fact {
    int32_t ordinal;  /* place in the job's frames */
    int32_t attempts; /* charges so far, those before a retry too */
    int64_t at_ms;    /* when it was recorded */
    int32_t ms;       /* render time, 0 unknown */
    uint64_t lease;
    const char *agent, *blender;
    const char *files; /* JSON list, "" none */
    const char *fault; /* word of the last charge, "" none */
    const char *text;  /* reason of the last charge, "" none */
};

/* store_frames reads the facts of those frames of a job, ordinals [lo, hi),
 * that have any, ascending, at most limit, through the thread. A failure of a
 * whole job leaves facts at no more than LIMIT_FAILED_FACTS of its frames.
 * done is called once from store_poll with facts valid during the call;
 * cancelled by store_forget with the same ctx (done is then not called). */
typedef void store_frames_done(void *ctx, const struct frame_fact *facts,
                               size_t n);
void store_frames(struct store *store, const char *job, struct range ordinals,
                  size_t limit, store_frames_done *done, void *ctx);

/* store_backup writes a copy of the ledger to path, which must not exist, a
 * piece between two commits, so that nobody waits for it. It holds everything
 * committed before it ended; its next epochs are a thousand on, so that no
 * lease id of the original comes again. done is called once from store_poll,
 * with reason NULL when the copy is on disk; cancelled as store_frames (the
 * copy is made all the same). One at a time, a second is told so. */
typedef void store_backup_done(void *ctx, const char *reason);
void store_backup(struct store *store, const char *path,
                  store_backup_done *done, void *ctx);

/* store_file writes root, which it takes, to path as private_write does. done
 * is called once from store_poll, with reason NULL when the file is on disk;
 * cancelled as store_frames (it is written all the same). */
typedef void store_file_done(void *ctx, const char *reason);
void store_file(struct store *store, const char *path, json_t *root,
                store_file_done *done, void *ctx);

/* store_activity reads rows of the activity, newest first: those with a lower
 * number than before, that were last so at since_ms or later, of a job, an
 * agent, a person ("": any); at most limit (1 to LIMIT_PAGE + 1). As
 * store_frames. */
struct activity_query {
    int64_t before, since_ms;
    const char *job, *agent, *who;
    size_t limit;
};
typedef void store_activity_done(void *ctx, const struct activity *rows,
                                 size_t n);
void store_activity(struct store *store, const struct activity_query *query,
                    store_activity_done *done, void *ctx);

void store_forget(struct store *store, const void *ctx);

/* store_close commits what is queued, closes and nulls; waiting reads get no
 * answer. What a full disk does not take now is lost: none of it was
 * acknowledged. */
void store_close(struct store **store);

/* store_verify reads a whole ledger without changing it (--check): every page,
 * then every event, which each is called with as in store_replay. Returns
 * false with the reason in why when it is not sound, and while a broker runs
 * on it. */
bool store_verify(const char *dir,
                  void (*each)(void *ctx, const struct event *event), void *ctx,
                  char *why, size_t size);

#endif
