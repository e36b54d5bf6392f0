/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue of questions, a thread that answers them one by one, and a
 * descriptor that tells the loop.
 */
#include "broker/files/blobs_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

#include "common/app/conf.h"
#include "common/limits.h"
#include "common/mem.h"

void blob_path(const struct blobs *blobs, const char *name, char *ret)
{
    snprintf(ret, BLOBS_PATH, "%s/%.2s/%s", blobs->dir, name, name);
}

void blob_part_path(const struct blobs *blobs, const char *name, char *ret)
{
    snprintf(ret, BLOBS_PATH, "%s/part/%s", blobs->dir, name);
}

/* --- The thread. --- */

static void answer(struct blobs *blobs, struct blobs_ask *ask)
{
    static void (*const work[])(struct blobs *, struct blobs_ask *) = {
        [ASK_PUT] = blob_put,     [ASK_KEEP] = blob_keep,
        [ASK_CHECK] = blob_check, [ASK_HASH] = blob_hash,
        [ASK_LOOK] = blob_look,   [ASK_SWEEP] = blob_sweep};
    blobs->turn++;
    work[ask->kind](blobs, ask);
}

static struct blobs_ask *next_ask(struct blobs *blobs)
{
    pthread_mutex_lock(&blobs->mutex);
    while (blobs->waiting == NULL && !blobs->stop)
        pthread_cond_wait(&blobs->wake, &blobs->mutex);
    struct blobs_ask *ask = blobs->stop ? NULL : blobs->waiting;
    if (ask != NULL) {
        DL_DELETE(blobs->waiting, ask);
        blobs->n_waiting--;
    }
    blobs->working = ask;
    pthread_mutex_unlock(&blobs->mutex);
    return ask;
}

static void give_back(struct blobs *blobs, struct blobs_ask *ask)
{
    pthread_mutex_lock(&blobs->mutex);
    blobs->working = NULL;
    DL_APPEND(blobs->ready, ask);
    pthread_mutex_unlock(&blobs->mutex);
    eventfd_write(blobs->event_fd, 1);
}

bool blobs_goes_on(struct blobs *blobs)
{
    pthread_mutex_lock(&blobs->mutex);
    bool goes_on = !blobs->stop;
    pthread_mutex_unlock(&blobs->mutex);
    return goes_on;
}

static void *run(void *ctx)
{
    struct blobs *blobs = ctx;
    struct blobs_ask *ask;
    while ((ask = next_ask(blobs)) != NULL) {
        answer(blobs, ask);
        give_back(blobs, ask);
    }
    return NULL;
}

/* --- The loop's side. --- */

/* All folders there can be, so that no later step has to make any. */
static bool make_folders(const struct blobs *blobs)
{
    char path[BLOBS_PATH];
    static const char *const plain[] = {"part", "offered", "stored"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        snprintf(path, sizeof path, "%s/%s", blobs->dir, plain[i]);
        if (!conf_make_dir(path))
            return false;
    }
    for (unsigned i = 0; i < 256; i++) {
        snprintf(path, sizeof path, "%s/%02x", blobs->dir, i);
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

struct blobs *blobs_open(const struct blobs_options *options, char *why,
                         size_t size)
{
    struct blobs *blobs = mem_new(sizeof *blobs);
    blobs->options = *options;
    blobs->dir = mem_text(options->dir);
    blobs->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&blobs->mutex, NULL);
    pthread_cond_init(&blobs->wake, NULL);
    bool ok = blobs->event_fd >= 0 && make_folders(blobs);
    if (ok) {
        blob_count(blobs);
        errno = pthread_create(&blobs->thread, NULL, run, blobs);
        ok = errno == 0;
    }
    if (ok)
        return blobs;
    snprintf(why, size, "%s: %s", options->dir, strerror(errno));
    blobs->stop = true;
    blobs_close(&blobs);
    return NULL;
}

static void free_ask(struct blobs_ask *ask)
{
    mem_free(ask->bytes);
    mem_free(ask);
}

static void free_asks(struct blobs_ask *asks)
{
    struct blobs_ask *ask, *next;
    DL_FOREACH_SAFE (asks, ask, next)
        free_ask(ask);
}

void blobs_close(struct blobs **blobs)
{
    struct blobs *b = *blobs;
    if (b == NULL)
        return;
    if (b->options.s3 != NULL)
        s3_stop(b->options.s3);
    if (!b->stop) {
        pthread_mutex_lock(&b->mutex);
        b->stop = true;
        pthread_cond_signal(&b->wake);
        pthread_mutex_unlock(&b->mutex);
        pthread_join(b->thread, NULL);
    }
    free_asks(b->waiting);
    free_asks(b->ready);
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->mutex);
    if (b->event_fd >= 0)
        close(b->event_fd);
    mem_free(b->dir);
    mem_free(b);
    *blobs = NULL;
}

int blobs_fd(const struct blobs *blobs)
{
    return blobs->event_fd;
}

static struct blobs_ask *take_ready(struct blobs *blobs)
{
    pthread_mutex_lock(&blobs->mutex);
    struct blobs_ask *ask = blobs->ready;
    if (ask != NULL)
        DL_DELETE(blobs->ready, ask);
    pthread_mutex_unlock(&blobs->mutex);
    return ask;
}

void blobs_run(struct blobs *blobs)
{
    eventfd_t count;
    struct blobs_ask *ask;
    (void)eventfd_read(blobs->event_fd, &count);
    while ((ask = take_ready(blobs)) != NULL) {
        if (ask->done != NULL)
            ask->done(ask->ctx, &ask->answer);
        free_ask(ask);
    }
}

/* name: of the blob it is about; NULL: of none. */
static struct blobs_ask *ask_new(enum ask_kind kind, const char *name,
                                 blobs_done *done, void *ctx)
{
    struct blobs_ask *ask = mem_new(sizeof *ask);
    ask->kind = kind;
    if (name != NULL)
        memcpy(ask->name, name, sizeof ask->name);
    ask->done = done;
    ask->ctx = ctx;
    return ask;
}

/* Takes ask; false, releasing it, where too many wait. */
static bool queue(struct blobs *blobs, struct blobs_ask *ask)
{
    pthread_mutex_lock(&blobs->mutex);
    bool fits = blobs->n_waiting < LIMIT_PUTS;
    if (fits) {
        DL_APPEND(blobs->waiting, ask);
        blobs->n_waiting++;
        pthread_cond_signal(&blobs->wake);
    }
    pthread_mutex_unlock(&blobs->mutex);
    if (!fits)
        free_ask(ask);
    return fits;
}

bool blobs_put(struct blobs *blobs, const struct blobs_piece *piece,
               blobs_done *done, void *ctx)
{
    struct blobs_ask *ask = ask_new(ASK_PUT, piece->name, done, ctx);
    ask->bytes = mem_copy(piece->bytes, piece->n);
    ask->n = piece->n;
    ask->offset = piece->offset;
    ask->total = piece->total;
    return queue(blobs, ask);
}

bool blobs_keep(struct blobs *blobs, const char *name, const char *text,
                size_t len, blobs_done *done, void *ctx)
{
    struct blobs_ask *ask = ask_new(ASK_KEEP, name, done, ctx);
    if (text != NULL)
        ask->bytes = mem_copy(text, len);
    ask->n = len;
    return queue(blobs, ask);
}

bool blobs_check(struct blobs *blobs, const char *name, blobs_done *done,
                 void *ctx)
{
    return queue(blobs, ask_new(ASK_CHECK, name, done, ctx));
}

bool blobs_hash(struct blobs *blobs, const char *path, blobs_done *done,
                void *ctx)
{
    struct blobs_ask *ask = ask_new(ASK_HASH, NULL, done, ctx);
    ask->bytes = mem_text(path);
    return queue(blobs, ask);
}

bool blobs_look(struct blobs *blobs, const char *name, uint64_t total,
                blobs_done *done, void *ctx)
{
    struct blobs_ask *ask = ask_new(ASK_LOOK, name, done, ctx);
    ask->total = total;
    return queue(blobs, ask);
}

void blobs_sweep(struct blobs *blobs, char *names, size_t n, int64_t keep_ms)
{
    struct blobs_ask *ask = ask_new(ASK_SWEEP, NULL, NULL, NULL);
    ask->bytes = names;
    ask->n = n;
    ask->keep_ms = keep_ms;
    (void)queue(blobs, ask); /* where there is no time, later */
}

static void forget_in(struct blobs_ask *asks, const void *ctx)
{
    struct blobs_ask *ask;
    DL_FOREACH (asks, ask)
        if (ask->ctx == ctx)
            ask->done = NULL;
}

void blobs_forget(struct blobs *blobs, void *ctx)
{
    pthread_mutex_lock(&blobs->mutex);
    forget_in(blobs->waiting, ctx);
    forget_in(blobs->ready, ctx);
    if (blobs->working != NULL && blobs->working->ctx == ctx)
        blobs->working->done = NULL;
    pthread_mutex_unlock(&blobs->mutex);
}

int blobs_open_file(struct blobs *blobs, const char *name, uint64_t *ret_size)
{
    char path[BLOBS_PATH];
    struct stat facts;
    *ret_size = 0;
    blob_path(blobs, name, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && fstat(fd, &facts) == 0) {
        (void)futimens(fd, NULL); /* it was asked for now */
        *ret_size = (uint64_t)facts.st_size;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    blob_part_path(blobs, name, path);
    if (stat(path, &facts) == 0)
        *ret_size = (uint64_t)facts.st_size;
    return -1;
}

const struct s3 *blobs_s3(const struct blobs *blobs)
{
    return blobs->options.s3;
}

int blobs_open_stored(struct blobs *blobs, const char *name, uint64_t *ret_size)
{
    char path[BLOBS_PATH];
    struct stat facts;
    if (blobs->options.s3 == NULL)
        return -1;
    blob_mark_path(blobs, BLOB_STORED, name, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    if (fstat(fd, &facts) != 0) {
        close(fd);
        return -1;
    }
    (void)futimens(fd, NULL);
    *ret_size = (uint64_t)facts.st_size;
    return fd;
}

bool blobs_any(const struct blobs *blobs)
{
    return blobs->files > 0;
}
