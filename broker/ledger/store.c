/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop's side of the ledger. Everything here returns at once: events are
 * queued as records, questions as asks, and the news is what the thread left
 * under the mutex. Only opening, replaying and closing touch the disk.
 */
#include "broker/ledger/store_parts.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "broker/ledger/record.h"
#include "common/limits.h"
#include "common/mem.h"

/* --- Opening and closing. --- */

static void init_shared(struct store *store)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&store->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&store->mutex, NULL);
    buf_init(&store->queue, LIMIT_LEDGER_QUEUE);
    buf_init(&store->ended, LIMIT_LEDGER_QUEUE);
    buf_init(&store->batch, LIMIT_LEDGER_QUEUE);
    buf_init(&store->notes, LIMIT_LEDGER_QUEUE);
    buf_init(&store->noted, LIMIT_LEDGER_QUEUE);
}

static bool open_event(struct store *store, char *why, size_t size)
{
    store->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (store->event_fd < 0)
        snprintf(why, size, "eventfd: %s", strerror(errno));
    return store->event_fd >= 0;
}

static void close_files(struct store *store)
{
    ledger_close(&store->ledger);
    disk_close(&store->disk);
    if (store->event_fd >= 0)
        close(store->event_fd);
}

struct store *store_open(const char *dir, char *why, size_t size)
{
    struct store *store = mem_new(sizeof *store);
    store->event_fd = -1;
    if (!disk_open(&store->disk, dir, why, size)) {
        mem_free(store);
        return NULL;
    }
    store->ledger = ledger_open(dir, LEDGER_SERVE, why, size);
    if (store->ledger == NULL || !open_event(store, why, size)) {
        close_files(store);
        mem_free(store);
        return NULL;
    }
    store->committed = store->appended = store->ledger->last;
    init_shared(store);
    return store;
}

int64_t store_replay(struct store *store,
                     void (*each)(void *ctx, const struct event *event),
                     void *ctx, char *why, size_t size)
{
    assert(!store->started);
    return ledger_replay(store->ledger, each, ctx, why, size);
}

bool store_orderly(const struct store *store)
{
    return store->ledger->orderly;
}

/* The thread takes no signal: those of the program are the loop's. */
static bool start_thread(struct store *store)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&store->thread, NULL, store_run, store);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    store->started = rc == 0;
    return store->started;
}

uint64_t store_begin(struct store *store, char *why, size_t size)
{
    assert(!store->started);
    uint64_t epoch = 0;
    enum ledger_rc rc = ledger_begin(store->ledger, &epoch, why, size);
    if (rc == LEDGER_FULL && disk_drop(&store->disk))
        rc = ledger_begin(store->ledger, &epoch, why, size);
    if (rc != LEDGER_OK)
        return 0;
    if (!start_thread(store)) {
        snprintf(why, size, "cannot start the ledger's thread");
        return 0;
    }
    return epoch;
}

static void ask_free(struct ask *ask)
{
    arena_done(&ask->arena);
    json_decref(ask->root);
    mem_free(ask->name);
    mem_free(ask);
}

static void stop_thread(struct store *store)
{
    if (!store->started)
        return;
    pthread_mutex_lock(&store->mutex);
    store->stop = true;
    pthread_cond_signal(&store->wake);
    pthread_mutex_unlock(&store->mutex);
    pthread_join(store->thread, NULL);
}

void store_close(struct store **store)
{
    struct store *old = *store;
    if (old == NULL)
        return;
    stop_thread(old);
    struct ask *ask, *next;
    DL_FOREACH_SAFE (old->asks, ask, next)
        ask_free(ask);
    close_files(old);
    buf_free(&old->queue);
    buf_free(&old->ended);
    buf_free(&old->batch);
    buf_free(&old->notes);
    buf_free(&old->noted);
    pthread_cond_destroy(&old->wake);
    pthread_mutex_destroy(&old->mutex);
    mem_free(old);
    *store = NULL;
}

bool store_verify(const char *dir,
                  void (*each)(void *ctx, const struct event *event), void *ctx,
                  char *why, size_t size)
{
    struct disk disk;
    if (!disk_look(&disk, dir, why, size))
        return false;
    struct ledger *ledger = ledger_open(dir, LEDGER_VERIFY, why, size);
    bool sound = ledger != NULL && ledger_check(ledger, why, size) &&
                 ledger_replay(ledger, each, ctx, why, size) >= 0;
    ledger_close(&ledger);
    disk_close(&disk);
    return sound;
}

/* --- Events. --- */

/* Adds a record with its length before it; all of it or nothing. */
static bool add_record(struct buf *queue, const struct event *event)
{
    size_t start = queue->len;
    uint32_t len = 0;
    buf_add(queue, &len, sizeof len);
    record_encode(event, queue);
    if (queue->over) {
        queue->len = start;
        return false;
    }
    len = (uint32_t)(queue->len - start - sizeof len);
    assert(len <= LIMIT_RECORD);
    memcpy(queue->data + start, &len, sizeof len);
    return true;
}

static bool add_all(struct store *store, const struct event *event,
                    const struct activity *rows, size_t n)
{
    if (event && !add_record(&store->queue, event))
        return false;
    for (size_t i = 0; i < n; i++)
        activity_write(&rows[i], &store->notes);
    return !store->notes.over;
}

/* The thread is woken by what it waits for, not by each event: something to
 * write later, then something to write at once. */
static void wake_for(struct store *store, bool was_idle, bool durable)
{
    if (was_idle || (durable && !store->urgent))
        pthread_cond_signal(&store->wake);
    store->urgent = store->urgent || durable;
}

void store_note(struct store *store, const struct event *event,
                const struct activity *rows, size_t n)
{
    assert(store->started);
    if (event && event_keep(event->type) == EVENT_SOFT)
        event = NULL;
    assert(!event || event->seq == store->appended + 1);
    if (event)
        store->appended = event->seq;
    pthread_mutex_lock(&store->mutex);
    bool was_idle = store->queue.len == 0 && store->notes.len == 0;
    if (store->health != STORE_BROKEN && !add_all(store, event, rows, n)) {
        store->health = STORE_BROKEN;
        snprintf(store->why, sizeof store->why,
                 "the disk has not kept up for too long");
        eventfd_write(store->event_fd, 1);
    }
    wake_for(store, was_idle,
             event && event_keep(event->type) == EVENT_DURABLE);
    store->behind = store->queue.len;
    pthread_mutex_unlock(&store->mutex);
}

void store_append(struct store *store, const struct event *event)
{
    store_note(store, event, NULL, 0);
}

void store_keep(struct store *store, int64_t before_ms)
{
    pthread_mutex_lock(&store->mutex);
    store->keep_ms = before_ms;
    pthread_cond_signal(&store->wake);
    pthread_mutex_unlock(&store->mutex);
}

void store_pack(struct store *store, const char *job)
{
    size_t size = strlen(job) + 1;
    pthread_mutex_lock(&store->mutex);
    struct buf *ended = &store->ended;
    if (ended->len < size ||
        memcmp(ended->data + ended->len - size, job, size) != 0)
        buf_add(ended, job, size);
    pthread_cond_signal(&store->wake);
    pthread_mutex_unlock(&store->mutex);
}

/* --- News. --- */

int store_fd(const struct store *store)
{
    return store->event_fd;
}

static void deliver(struct store *store, struct ask *ask)
{
    const char *why = ask->why[0] == '\0' ? NULL : ask->why;
    DL_DELETE(store->asks, ask);
    if (ask->cancelled)
        ;
    else if (ask->backup_done != NULL)
        ask->backup_done(ask->ctx, why);
    else if (ask->file_done != NULL)
        ask->file_done(ask->ctx, why);
    else if (ask->activity_done != NULL)
        ask->activity_done(ask->ctx, ask->rows, ask->n_facts);
    else
        ask->frames_done(ask->ctx, ask->facts, ask->n_facts);
    ask_free(ask);
}

/* One at a time: a callback may ask again, or forget another one's answer. */
static struct ask *take_answer(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    struct ask *ask = store->ready;
    if (ask != NULL)
        DL_DELETE2(store->ready, ask, queue_prev, queue_next);
    pthread_mutex_unlock(&store->mutex);
    return ask;
}

uint64_t store_poll(struct store *store)
{
    eventfd_t ignored;
    (void)eventfd_read(store->event_fd, &ignored);
    pthread_mutex_lock(&store->mutex);
    uint64_t committed = store->committed;
    store->seen_health = store->health;
    memcpy(store->seen_why, store->why, sizeof store->why);
    store->behind = store->queue.len;
    pthread_mutex_unlock(&store->mutex);
    struct ask *ask;
    while ((ask = take_answer(store)) != NULL)
        deliver(store, ask);
    return committed;
}

enum store_health store_health(const struct store *store, const char **reason)
{
    bool late =
        store->seen_health == STORE_WELL && store->behind > LIMIT_LEDGER_BEHIND;
    *reason = late ? "the disk does not keep up" : store->seen_why;
    return late ? STORE_FULL : store->seen_health;
}

/* --- Questions. --- */

static void send_ask(struct store *store, struct ask *ask)
{
    assert(store->started);
    DL_APPEND(store->asks, ask);
    pthread_mutex_lock(&store->mutex);
    DL_APPEND2(store->waiting, ask, queue_prev, queue_next);
    pthread_cond_signal(&store->wake);
    pthread_mutex_unlock(&store->mutex);
}

void store_frames(struct store *store, const char *job, struct range ordinals,
                  size_t limit, store_frames_done *done, void *ctx)
{
    struct ask *ask = mem_new(sizeof *ask);
    ask->name = mem_text(job);
    ask->query = (struct frames_query){ask->name, ordinals, limit};
    ask->frames_done = done;
    ask->ctx = ctx;
    send_ask(store, ask);
}

void store_backup(struct store *store, const char *path,
                  store_backup_done *done, void *ctx)
{
    struct ask *ask = mem_new(sizeof *ask);
    ask->name = mem_text(path);
    ask->backup_done = done;
    ask->ctx = ctx;
    send_ask(store, ask);
}

void store_file(struct store *store, const char *path, json_t *root,
                store_file_done *done, void *ctx)
{
    struct ask *ask = mem_new(sizeof *ask);
    ask->name = mem_text(path);
    ask->root = root;
    ask->file_done = done;
    ask->ctx = ctx;
    send_ask(store, ask);
}

void store_activity(struct store *store, const struct activity_query *query,
                    store_activity_done *done, void *ctx)
{
    struct ask *ask = mem_new(sizeof *ask);
    ask->activity = *query;
    ask->activity.job = arena_print(&ask->arena, "%s", query->job);
    ask->activity.agent = arena_print(&ask->arena, "%s", query->agent);
    ask->activity.who = arena_print(&ask->arena, "%s", query->who);
    ask->activity_done = done;
    ask->ctx = ctx;
    send_ask(store, ask);
}

void store_forget(struct store *store, const void *ctx)
{
    struct ask *ask;
    DL_FOREACH (store->asks, ask)
        if (ask->ctx == ctx)
            ask->cancelled = true;
}
