/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims in, news out, and a thread that works off one claim after the other.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "common/app/clock.h"
#include "common/app/conf.h"
#include "common/mem.h"
#include "worker-agent/cache_parts.h"

void cache_path(const struct cache *cache, const char *folder, const char *name,
                char *ret)
{
    snprintf(ret, CACHE_PATH, "%s/%s/%s", cache->dir, folder, name);
}

bool errand_fail(struct errand *errand, enum fault fault, const char *format,
                 ...)
{
    va_list args;
    va_start(args, format);
    errand->news->fault = fault;
    vsnprintf(errand->news->text, sizeof errand->news->text, format, args);
    va_end(args);
    return false;
}

/* --- The thread. --- */

static struct claim *next_claim(struct cache *cache)
{
    struct claim *claim;
    DL_FOREACH (cache->claims, claim)
        if (claim->wanted)
            return claim;
    return NULL;
}

/* Waits for a claim and fills news and scene for it. False: the end. */
static bool await_claim(struct cache *cache, struct cache_news *news,
                        char scene[BLOB_NAME + 1])
{
    struct claim *claim = NULL;
    pthread_mutex_lock(&cache->mutex);
    while (!cache->stop && (claim = next_claim(cache)) == NULL)
        pthread_cond_wait(&cache->wake, &cache->mutex);
    bool stop = cache->stop;
    if (!stop) {
        claim->wanted = false;
        memcpy(scene, claim->scene, sizeof claim->scene);
        *news = (struct cache_news){.lease = claim->lease};
        cache->working = claim->lease;
        cache->give_up = false;
    }
    pthread_mutex_unlock(&cache->mutex);
    return !stop;
}

static void tell(struct cache *cache, const struct cache_news *news)
{
    struct claim *claim;
    pthread_mutex_lock(&cache->mutex);
    cache->working = 0;
    DL_FOREACH (cache->claims, claim)
        if (claim->lease == news->lease) {
            claim->news = *news;
            claim->told = false;
        }
    pthread_mutex_unlock(&cache->mutex);
    eventfd_write(cache->event_fd, 1);
}

static void *run(void *ctx)
{
    struct cache *cache = ctx;
    struct cache_news news;
    char scene[BLOB_NAME + 1];
    while (await_claim(cache, &news, scene)) {
        struct errand errand = {cache, scene, &news};
        (void)cache_tree(&errand);
        tell(cache, &news);
    }
    curl_easy_cleanup(cache->curl);
    return NULL;
}

bool cache_pause(struct cache *cache, int64_t ms)
{
    int64_t at_ms = clock_monotonic_ms() + ms;
    struct timespec until = {.tv_sec = at_ms / 1000,
                             .tv_nsec = at_ms % 1000 * 1000000};
    int rc = 0;
    pthread_mutex_lock(&cache->mutex);
    while (!cache->stop && !cache->give_up && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&cache->wake, &cache->mutex, &until);
    bool goes_on = !cache->stop && !cache->give_up;
    pthread_mutex_unlock(&cache->mutex);
    return goes_on;
}

/* --- Beginning and end. --- */

static bool open_folders(struct cache *cache, const char *dir)
{
    static const char *const folders[] = {"blobs", "lists", "scenes", "part"};
    char path[CACHE_PATH];
    if (!conf_make_dir(dir))
        return false;
    cache->dir = realpath(dir, NULL);
    for (size_t i = 0; cache->dir && i < sizeof folders / sizeof *folders;
         i++) {
        snprintf(path, sizeof path, "%s/%s", cache->dir, folders[i]);
        if (!conf_make_dir(path))
            return false;
    }
    return cache->dir != NULL;
}

static bool take_lock(struct cache *cache, char *why, size_t size)
{
    char path[CACHE_PATH];
    snprintf(path, sizeof path, "%s/lock", cache->dir);
    cache->lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (cache->lock >= 0 && flock(cache->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    snprintf(why, size, "%s: %s", cache->dir,
             cache->lock >= 0 ? "another agent uses it: give each a --cache"
                              : strerror(errno));
    return false;
}

static bool start(struct cache *cache, char *why, size_t size)
{
    pthread_condattr_t attr;
    cache->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&cache->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&cache->wake, &attr);
    pthread_condattr_destroy(&attr);
    errno = cache->event_fd < 0
                ? errno
                : pthread_create(&cache->thread, NULL, run, cache);
    if (errno == 0)
        return true;
    snprintf(why, size, "%s", strerror(errno));
    return false;
}

struct cache *cache_open(const struct cache_options *options, char *why,
                         size_t size)
{
    struct cache *cache = mem_new(sizeof *cache);
    cache->bytes_max = options->bytes_max;
    cache->broker = mem_text(options->broker);
    cache->token = mem_text(options->token);
    cache->trust = options->trust;
    cache->lock = cache->event_fd = -1;
    curl_global_init(CURL_GLOBAL_DEFAULT); /* before there is a thread */
    cache->stop = true;                    /* no thread yet */
    bool folders = open_folders(cache, options->dir);
    if (!folders)
        snprintf(why, size, "%s: %s", options->dir, strerror(errno));
    if (folders && take_lock(cache, why, size)) {
        cache->stop = false;
        if (start(cache, why, size))
            return cache;
        cache->stop = true;
    }
    cache_close(&cache);
    return NULL;
}

static void free_all(struct cache *cache)
{
    struct claim *claim, *next_one;
    struct checked *checked, *next;
    DL_FOREACH_SAFE (cache->claims, claim, next_one)
        mem_free(claim);
    HASH_ITER (hh, cache->checked, checked, next) {
        HASH_DEL(cache->checked, checked);
        mem_free(checked);
    }
    free(cache->dir); /* realpath's */
    mem_free(cache->broker);
    mem_free(cache->token);
    mem_free(cache);
}

void cache_close(struct cache **cache)
{
    struct cache *c = *cache;
    if (c == NULL)
        return;
    if (!c->stop) {
        pthread_mutex_lock(&c->mutex);
        c->stop = true;
        c->give_up = true;
        pthread_cond_signal(&c->wake);
        pthread_mutex_unlock(&c->mutex);
        pthread_join(c->thread, NULL);
        pthread_cond_destroy(&c->wake);
        pthread_mutex_destroy(&c->mutex);
    }
    curl_global_cleanup();
    if (c->event_fd >= 0)
        close(c->event_fd);
    if (c->lock >= 0)
        close(c->lock);
    free_all(c);
    *cache = NULL;
}

/* --- The loop's side. --- */

static struct claim *find(struct cache *cache, uint64_t lease)
{
    struct claim *claim;
    DL_FOREACH (cache->claims, claim)
        if (claim->lease == lease)
            return claim;
    return NULL;
}

static void add(struct cache *cache, uint64_t lease, const char *blend,
                bool wanted)
{
    pthread_mutex_lock(&cache->mutex);
    struct claim *claim = find(cache, lease);
    if (claim == NULL) {
        claim = mem_new(sizeof *claim);
        claim->lease = lease;
        claim->told = true;
        DL_APPEND(cache->claims, claim);
    }
    (void)blend_is_blob(blend, claim->scene);
    claim->wanted = wanted;
    pthread_cond_signal(&cache->wake);
    pthread_mutex_unlock(&cache->mutex);
}

void cache_want(struct cache *cache, uint64_t lease, const char *blend)
{
    add(cache, lease, blend, true);
}

void cache_hold(struct cache *cache, uint64_t lease, const char *blend)
{
    add(cache, lease, blend, false);
}

void cache_release(struct cache *cache, uint64_t lease)
{
    pthread_mutex_lock(&cache->mutex);
    struct claim *claim = find(cache, lease);
    if (claim != NULL) {
        DL_DELETE(cache->claims, claim);
        mem_free(claim);
    }
    if (cache->working == lease && lease != 0)
        cache->give_up = true;
    pthread_cond_signal(&cache->wake);
    pthread_mutex_unlock(&cache->mutex);
}

int cache_fd(const struct cache *cache)
{
    return cache->event_fd;
}

bool cache_take(struct cache *cache, struct cache_news *ret)
{
    eventfd_t count;
    struct claim *claim;
    bool found = false;
    pthread_mutex_lock(&cache->mutex);
    (void)eventfd_read(cache->event_fd, &count);
    DL_FOREACH (cache->claims, claim)
        if (!claim->told && !found) {
            *ret = claim->news;
            claim->told = found = true;
        }
    pthread_mutex_unlock(&cache->mutex);
    return found;
}
