/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue of questions, a thread that answers them in order, and a descriptor
 * that tells the loop.
 */
#include "broker/files/artifacts.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#include "broker/files/artifacts_parts.h"
#include "common/mem.h"

enum ask_kind { ASK_PUT, ASK_GET, ASK_DROP };

struct ask {
    enum ask_kind kind;
    enum artifact_kind of;
    char job[LIMIT_ID + 1];
    int32_t frame, attempt, attempts;
    uint64_t lease, offset;
    void *bytes; /* owned; of a GET: the answer */
    size_t n;
    const char *why; /* of a PUT: the answer; static */
    artifacts_kept *kept;
    artifacts_found *found;
    void *ctx; /* NULL: nobody wants the answer */
    struct ask *prev, *next;
};

struct artifacts {
    struct artifacts_db db; /* the thread's own */
    int event_fd;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t wake;
    struct ask *waiting, *ready, *working;
    size_t n_waiting;
    bool stop;
};

/* --- The thread. --- */

static void put(struct artifacts_db *db, struct ask *ask)
{
    const struct artifact artifact = {ask->of,    ask->job,    ask->frame,
                                      ask->lease, ask->offset, ask->bytes,
                                      ask->n};
    ask->why = artifacts_db_put(db, &artifact);
}

static void get(struct artifacts_db *db, struct ask *ask)
{
    const struct artifact_key key = {ask->of, ask->job, ask->frame,
                                     ask->attempt};
    struct artifact found = {0};
    ask->attempts = artifacts_db_get(db, &key, &found, &ask->attempt);
    if (ask->attempts == 0)
        return;
    ask->lease = found.lease;
    ask->offset = found.offset;
    ask->n = found.n;
    ask->bytes = mem_new(found.n + 1);
    if (found.n > 0)
        memcpy(ask->bytes, found.bytes, found.n);
}

static void drop(struct artifacts_db *db, struct ask *ask)
{
    artifacts_db_drop(db, ask->job);
}

static struct ask *next_ask(struct artifacts *artifacts)
{
    pthread_mutex_lock(&artifacts->mutex);
    while (!artifacts->waiting && !artifacts->stop)
        pthread_cond_wait(&artifacts->wake, &artifacts->mutex);
    struct ask *ask = artifacts->stop ? NULL : artifacts->waiting;
    if (ask) {
        DL_DELETE(artifacts->waiting, ask);
        artifacts->n_waiting--;
    }
    artifacts->working = ask;
    pthread_mutex_unlock(&artifacts->mutex);
    return ask;
}

static void *run(void *ctx)
{
    static void (*const work[])(struct artifacts_db *, struct ask *) = {
        [ASK_PUT] = put, [ASK_GET] = get, [ASK_DROP] = drop};
    struct artifacts *artifacts = ctx;
    struct ask *ask;
    while ((ask = next_ask(artifacts)) != NULL) {
        work[ask->kind](&artifacts->db, ask);
        pthread_mutex_lock(&artifacts->mutex);
        artifacts->working = NULL;
        DL_APPEND(artifacts->ready, ask);
        pthread_mutex_unlock(&artifacts->mutex);
        eventfd_write(artifacts->event_fd, 1);
    }
    return NULL;
}

/* --- The loop's side. --- */

struct artifacts *artifacts_open(const struct artifacts_options *options,
                                 char *why, size_t size)
{
    struct artifacts *artifacts = mem_new(sizeof *artifacts);
    artifacts->db.dir = mem_text(options->dir);
    artifacts->db.bytes_max = options->bytes_max;
    artifacts->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&artifacts->mutex, NULL);
    pthread_cond_init(&artifacts->wake, NULL);
    bool ok = artifacts_db_open(&artifacts->db, why, size);
    if (ok) {
        errno = pthread_create(&artifacts->thread, NULL, run, artifacts);
        ok = errno == 0;
        if (!ok)
            snprintf(why, size, "%s", strerror(errno));
    }
    if (ok)
        return artifacts;
    artifacts->stop = true;
    artifacts_close(&artifacts);
    return NULL;
}

static void free_ask(struct ask *ask)
{
    mem_free(ask->bytes);
    mem_free(ask);
}

static void free_asks(struct ask *asks)
{
    struct ask *ask, *next;
    DL_FOREACH_SAFE (asks, ask, next)
        free_ask(ask);
}

void artifacts_close(struct artifacts **artifacts)
{
    struct artifacts *a = *artifacts;
    if (!a)
        return;
    if (!a->stop) {
        pthread_mutex_lock(&a->mutex);
        a->stop = true;
        pthread_cond_signal(&a->wake);
        pthread_mutex_unlock(&a->mutex);
        pthread_join(a->thread, NULL);
    }
    free_asks(a->waiting);
    free_asks(a->ready);
    artifacts_db_close(&a->db);
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->mutex);
    if (a->event_fd >= 0)
        close(a->event_fd);
    mem_free(a);
    *artifacts = NULL;
}

int artifacts_fd(const struct artifacts *artifacts)
{
    return artifacts->event_fd;
}

static void answer(const struct ask *ask)
{
    const struct artifact artifact = {ask->of,    ask->job,    ask->frame,
                                      ask->lease, ask->offset, ask->bytes,
                                      ask->n};
    if (!ask->ctx)
        return;
    if (ask->kind == ASK_PUT)
        ask->kept(ask->ctx, ask->why);
    else
        ask->found(ask->ctx, ask->attempts > 0 ? &artifact : NULL, ask->attempt,
                   ask->attempts);
}

static struct ask *take_ready(struct artifacts *artifacts)
{
    pthread_mutex_lock(&artifacts->mutex);
    struct ask *ask = artifacts->ready;
    if (ask)
        DL_DELETE(artifacts->ready, ask);
    pthread_mutex_unlock(&artifacts->mutex);
    return ask;
}

void artifacts_run(struct artifacts *artifacts)
{
    eventfd_t unused;
    struct ask *ask;
    (void)eventfd_read(artifacts->event_fd, &unused);
    while ((ask = take_ready(artifacts)) != NULL) {
        answer(ask);
        free_ask(ask);
    }
}

static struct ask *ask_new(enum ask_kind kind, const char *job, void *ctx)
{
    struct ask *ask = mem_new(sizeof *ask);
    ask->kind = kind;
    ask->ctx = ctx;
    snprintf(ask->job, sizeof ask->job, "%s", job);
    return ask;
}

/* Takes ask; false, releasing it, where too many wait. */
static bool queue(struct artifacts *artifacts, struct ask *ask, size_t most)
{
    pthread_mutex_lock(&artifacts->mutex);
    bool fits = artifacts->n_waiting < most;
    if (fits) {
        DL_APPEND(artifacts->waiting, ask);
        artifacts->n_waiting++;
        pthread_cond_signal(&artifacts->wake);
    }
    pthread_mutex_unlock(&artifacts->mutex);
    if (!fits)
        free_ask(ask);
    return fits;
}

bool artifacts_put(struct artifacts *artifacts, const struct artifact *artifact,
                   artifacts_kept *done, void *ctx)
{
    struct ask *ask = ask_new(ASK_PUT, artifact->job, ctx);
    ask->of = artifact->kind;
    ask->frame = artifact->frame;
    ask->lease = artifact->lease;
    ask->offset = artifact->offset;
    ask->bytes = mem_copy(artifact->bytes, artifact->n);
    ask->n = artifact->n;
    ask->kept = done;
    return queue(artifacts, ask, LIMIT_ARTIFACT_PUTS);
}

bool artifacts_get(struct artifacts *artifacts, const struct artifact_key *key,
                   artifacts_found *done, void *ctx)
{
    struct ask *ask = ask_new(ASK_GET, key->job, ctx);
    ask->of = key->kind;
    ask->frame = key->frame;
    ask->attempt = key->attempt;
    ask->found = done;
    return queue(artifacts, ask, LIMIT_PARKED);
}

void artifacts_drop(struct artifacts *artifacts, const char *job)
{
    (void)queue(artifacts, ask_new(ASK_DROP, job, NULL), SIZE_MAX);
}

static void forget_in(struct ask *asks, const void *ctx)
{
    struct ask *ask;
    DL_FOREACH (asks, ask)
        if (ask->ctx == ctx)
            ask->ctx = NULL;
}

void artifacts_forget(struct artifacts *artifacts, const void *ctx)
{
    pthread_mutex_lock(&artifacts->mutex);
    forget_in(artifacts->waiting, ctx);
    forget_in(artifacts->ready, ctx);
    if (artifacts->working && artifacts->working->ctx == ctx)
        artifacts->working->ctx = NULL;
    pthread_mutex_unlock(&artifacts->mutex);
}
