/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger's thread: takes all that is queued, commits it as one
 * transaction, says so, and takes what has come meanwhile. Questions, and
 * tending to the file, come in between, a little at a time. It drops nothing
 * while there is hope of room, and says nothing is on disk that is not.
 */
#include "broker/ledger/store_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <utlist.h>

#include "common/app/clock.h"
#include "common/app/private.h"
#include "common/limits.h"

#define PAUSE_MS 200           /* lazy events wait, a full disk is tried */
#define KEPT_BUF (1024 * 1024) /* bytes a queue keeps between two uses */

/* --- What the loop sees. --- */

static void poke(struct store *store)
{
    eventfd_write(store->event_fd, 1);
}

/* Broken is for good. */
static void set_health(struct store *store, enum store_health health,
                       const char *why)
{
    pthread_mutex_lock(&store->mutex);
    bool news = store->health != health && store->health != STORE_BROKEN;
    if (store->health != STORE_BROKEN) {
        store->health = health;
        snprintf(store->why, sizeof store->why, "%s", why);
    }
    pthread_mutex_unlock(&store->mutex);
    if (news)
        poke(store);
}

static enum store_health health_of(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    enum store_health health = store->health;
    pthread_mutex_unlock(&store->mutex);
    return health;
}

static void set_committed(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    store->committed = store->ledger->last;
    pthread_mutex_unlock(&store->mutex);
    poke(store);
}

static void answer(struct store *store, struct ask *ask)
{
    pthread_mutex_lock(&store->mutex);
    DL_APPEND2(store->ready, ask, queue_prev, queue_next);
    pthread_mutex_unlock(&store->mutex);
    poke(store);
}

static void end_backup(struct store *store, const char *why)
{
    struct ask *ask = store->copying;
    backup_close(&store->backup);
    store->copying = NULL;
    snprintf(ask->why, sizeof ask->why, "%s", why);
    answer(store, ask);
}

/* --- Waiting. --- */

static struct timespec after_pause(void)
{
    int64_t at_ms = clock_monotonic_ms() + PAUSE_MS;
    return (struct timespec){.tv_sec = at_ms / 1000,
                             .tv_nsec = at_ms % 1000 * 1000000};
}

static bool has_work(const struct store *store)
{
    if (store->stop || store->waiting != NULL)
        return true;
    bool tend = store->ledger->purge || store->ledger->pack ||
                store->backup != NULL || store->ended.len > 0 ||
                store->keep_ms > 0 || store->ledger->activity_ms > 0;
    return !store->retry && (store->urgent || tend);
}

/* What is not urgent is done after a pause: lazy events, another try on a full
 * disk. A broken store has none of it. */
static bool has_later_work(const struct store *store)
{
    return store->health != STORE_BROKEN &&
           (store->queue.len > 0 || store->notes.len > 0 ||
            store->health == STORE_FULL);
}

static bool has_batch(const struct store *store)
{
    return store->batch.len > 0 || store->noted.len > 0;
}

static void swap(struct buf *a, struct buf *b)
{
    struct buf c = *a;
    *a = *b;
    *b = c;
}

/* Takes the next question in the same moment as the queue: what was noted
 * before it was asked is in its answer. */
static void take_ask(struct store *store)
{
    store->asked = store->waiting;
    if (store->asked != NULL)
        DL_DELETE2(store->waiting, store->asked, queue_prev, queue_next);
}

/* Takes the queue, unless the last one is still to be committed. */
static void take_queue(struct store *store)
{
    if (store->keep_ms > 0)
        store->ledger->activity_ms = store->keep_ms;
    store->keep_ms = 0;
    if (has_batch(store))
        return;
    swap(&store->batch, &store->queue);
    swap(&store->noted, &store->notes);
    store->urgent = false;
    for (size_t at = 0; at < store->ended.len;) {
        const char *job = store->ended.data + at;
        pack_add(store->ledger, job);
        at += strlen(job) + 1;
    }
    buf_clear(&store->ended);
}

/* Waits for work and takes it. False: the end. */
static bool wait_for_work(struct store *store)
{
    struct timespec until;
    bool timed = false;
    int rc = 0;
    pthread_mutex_lock(&store->mutex);
    while (!has_work(store) && rc != ETIMEDOUT) {
        if (!timed && has_later_work(store)) {
            until = after_pause();
            timed = true;
        }
        rc = timed ? pthread_cond_timedwait(&store->wake, &store->mutex, &until)
                   : pthread_cond_wait(&store->wake, &store->mutex);
    }
    take_queue(store);
    take_ask(store);
    bool stop = store->stop;
    pthread_mutex_unlock(&store->mutex);
    return !stop;
}

/* --- Committing. --- */

static void give_up(struct store *store, const char *why)
{
    ledger_distrust(store->ledger);
    set_health(store, STORE_BROKEN, why);
}

/* Gives up what is not needed, the least dear first. */
static bool make_room(struct store *store)
{
    if (store->backup == NULL)
        return disk_drop(&store->disk);
    end_backup(store, "the disk is full");
    return true;
}

static void empty(struct buf *buf)
{
    if (buf->cap > KEPT_BUF)
        buf_free(buf);
    else
        buf_clear(buf);
}

static void empty_batch(struct store *store)
{
    store->retry = false;
    empty(&store->batch);
    empty(&store->noted);
}

static void set_full(struct store *store, const char *what)
{
    char why[STORE_WHY];
    snprintf(why, sizeof why, "the disk of %s %s", store->disk.dir, what);
    set_health(store, STORE_FULL, why);
}

static void commit(struct store *store)
{
    if (health_of(store) == STORE_BROKEN)
        empty_batch(store);
    if (!has_batch(store))
        return;
    char why[STORE_WHY];
    enum ledger_rc rc = ledger_write(store->ledger, &store->batch,
                                     &store->noted, why, sizeof why);
    while (rc == LEDGER_FULL && make_room(store))
        rc = ledger_write(store->ledger, &store->batch, &store->noted, why,
                          sizeof why);
    store->retry = rc == LEDGER_FULL;
    if (rc == LEDGER_FULL) {
        set_full(store, "is full");
        return;
    }
    empty_batch(store);
    if (rc == LEDGER_OK)
        set_committed(store);
    else
        give_up(store, why);
}

/* Looks at the disk before it is full: the ballast is for the unforeseen. */
static void look_at_disk(struct store *store)
{
    if (store->retry)
        return;
    if (!disk_roomy(&store->disk))
        set_full(store, "has less room than is safe");
    else if (!disk_load(&store->disk))
        set_full(store, "has no room for the ballast");
    else
        set_health(store, STORE_WELL, "");
}

/* --- Questions. --- */

static void begin_backup(struct store *store, struct ask *ask)
{
    if (store->backup != NULL)
        snprintf(ask->why, sizeof ask->why, "another backup is under way");
    else
        store->backup =
            backup_open(store->ledger, ask->name, ask->why, sizeof ask->why);
    if (ask->why[0] != '\0')
        answer(store, ask);
    else
        store->copying = ask;
}

static void write_file(struct ask *ask)
{
    char why[STORE_WHY / 2];
    if (!private_write(ask->name, ask->root, why, sizeof why))
        snprintf(ask->why, sizeof ask->why, "%s: %s", ask->name, why);
}

static void answer_one(struct store *store)
{
    struct ask *ask = store->asked;
    if (ask == NULL)
        return;
    if (ask->backup_done != NULL) {
        begin_backup(store, ask);
        return;
    }
    if (ask->file_done != NULL)
        write_file(ask);
    else if (ask->activity_done != NULL)
        ask->rows = activity_read(store->ledger, &ask->activity, &ask->arena,
                                  &ask->n_facts);
    else
        ask->facts = ledger_frames(store->ledger, &ask->query, &ask->arena,
                                   &ask->n_facts);
    answer(store, ask);
}

/* --- Tending. --- */

static void continue_backup(struct store *store)
{
    char why[STORE_WHY];
    if (store->backup != NULL && backup_step(store->backup, why, sizeof why))
        end_backup(store, why);
}

/* No room is no harm here: it is tried again after a later commit. */
static void tend(struct store *store)
{
    char why[STORE_WHY];
    enum ledger_rc rc = ledger_tend(store->ledger, why, sizeof why);
    if (rc != LEDGER_LOST && store->ledger->purge)
        rc = ledger_purge(store->ledger, why, sizeof why);
    if (rc != LEDGER_LOST && store->ledger->pack)
        rc = ledger_pack(store->ledger, why, sizeof why);
    if (rc != LEDGER_LOST && store->ledger->activity_ms > 0)
        rc = activity_prune(store->ledger, why, sizeof why);
    if (rc == LEDGER_LOST)
        give_up(store, why);
    else
        continue_backup(store);
}

/* A broken store only answers questions. */
static void lay_down(struct store *store)
{
    store->ledger->purge = store->ledger->pack = false;
    store->ledger->activity_ms = 0;
    if (store->backup != NULL)
        end_backup(store, "the ledger is broken");
}

void *store_run(void *arg)
{
    struct store *store = arg;
    pthread_setname_np(pthread_self(), "ledger");
    while (wait_for_work(store)) {
        look_at_disk(store);
        commit(store);
        answer_one(store);
        if (health_of(store) == STORE_BROKEN)
            lay_down(store);
        else if (!store->retry)
            tend(store);
    }
    commit(store);
    pthread_mutex_lock(&store->mutex);
    take_queue(store);
    pthread_mutex_unlock(&store->mutex);
    commit(store);
    backup_close(&store->backup);
    return NULL;
}
