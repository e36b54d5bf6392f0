/* SPDX-License-Identifier: Apache-2.0
 *
 * One errand after the other: GET at the node, PUT at the broker. What the node
 * has not got, and what the broker refuses, is dropped; a broker that is not
 * there is tried again.
 */
#include "worker-agent/courier.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/msg.h"
#include "worker-agent/easy.h"

#define REQUEST_MS 10000
#define PAUSE_MS   2000 /* after a broker that was not there */
#define URL_SIZE   1024

struct item {
    struct errand errand; /* its job is the text below */
    char job[LIMIT_ID + 1];
    struct item *prev, *next;
};

struct courier {
    char *node, *broker, *token;
    const struct trust *trust;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the list */
    pthread_cond_t wake;
    struct item *items;
    size_t n;
    bool running;
    atomic_bool stop;
    CURL *curl;      /* the thread's, as is what follows */
    struct buf body; /* what came from the node, or goes to the broker */
    uint64_t offset; /* its Log-Offset */
};

enum outcome { SENT, LATER, NEVER };

/* --- Requests. --- */

static size_t take_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct courier *courier = ctx;
    return buf_add(&courier->body, bytes, size * n) ? size * n : 0;
}

static size_t drop_body(char *bytes, size_t size, size_t n, void *ctx)
{
    (void)bytes;
    (void)ctx;
    return size * n;
}

static size_t take_header(char *line, size_t size, size_t n, void *ctx)
{
    static const char name[] = "log-offset:";
    struct courier *courier = ctx;
    if (size * n > strlen(name) && strncasecmp(line, name, strlen(name)) == 0)
        courier->offset = strtoull(line + strlen(name), NULL, 10);
    return size * n;
}

/* Returns the status, 0: no answer. */
static long perform(struct courier *courier)
{
    long status = 0;
    if (curl_easy_perform(courier->curl) == CURLE_OK)
        curl_easy_getinfo(courier->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool fetch(struct courier *courier, const struct errand *errand,
                  const char *what)
{
    char url[URL_SIZE];
    const struct easy_request request = {
        .url = url, .timeout_ms = REQUEST_MS, .stop = &courier->stop};
    snprintf(url, sizeof url, "%s/job/%" PRId64 "/frame/%d/%s", courier->node,
             errand->pid, (int)errand->frame, what);
    easy_begin(courier->curl, &request);
    curl_easy_setopt(courier->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(courier->curl, CURLOPT_HEADERDATA, courier);
    curl_easy_setopt(courier->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(courier->curl, CURLOPT_WRITEDATA, courier);
    buf_clear(&courier->body);
    courier->offset = 0;
    return perform(courier) == 200;
}

static long put(struct courier *courier, const char *url)
{
    const struct easy_request request = {.url = url,
                                         .token = courier->token,
                                         .trust = courier->trust,
                                         .timeout_ms = REQUEST_MS,
                                         .stop = &courier->stop};
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    headers =
        curl_slist_append(headers, "Content-Type: application/octet-stream");
    easy_begin(courier->curl, &request);
    curl_easy_setopt(courier->curl, CURLOPT_CUSTOMREQUEST, "PUT");
    curl_easy_setopt(courier->curl, CURLOPT_POSTFIELDS,
                     buf_text(&courier->body));
    curl_easy_setopt(courier->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)courier->body.len);
    curl_easy_setopt(courier->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(courier->curl, CURLOPT_WRITEFUNCTION, drop_body);
    long status = perform(courier);
    curl_slist_free_all(headers);
    return status;
}

static enum outcome carry(struct courier *courier, const struct errand *errand,
                          const char *what)
{
    char url[URL_SIZE];
    bool live = errand->kind == ERRAND_LIVE;
    if (!fetch(courier, errand, what))
        return NEVER;
    snprintf(url, sizeof url,
             "%s/v1/leases/%" PRIu64 "-%" PRIu64
             "/frames/%d/%s?job=%s&offset=%" PRIu64 "%s",
             courier->broker, LEASE_EPOCH(errand->lease),
             errand->lease - LEASE_ID(LEASE_EPOCH(errand->lease), 0),
             (int)errand->frame, what, errand->job, courier->offset,
             live ? "&live" : "");
    long status = put(courier, url);
    if (status == 204)
        return SENT;
    bool passing = status == 0 || status == 408 || status == 503;
    if (!passing)
        log_debug("artifact_not_sent", "frame=%d what=%s status=%ld",
                  (int)errand->frame, what, status);
    return passing && !live ? LATER : NEVER;
}

static bool run_errand(struct courier *courier, const struct errand *errand)
{
    if (errand->kind == ERRAND_DONE &&
        carry(courier, errand, "thumbnail") == LATER)
        return false;
    return carry(courier, errand, "log") != LATER;
}

/* --- The thread. --- */

static struct item *next_item(struct courier *courier)
{
    pthread_mutex_lock(&courier->mutex);
    while (!courier->stop && courier->items == NULL)
        pthread_cond_wait(&courier->wake, &courier->mutex);
    struct item *item = courier->stop ? NULL : courier->items;
    if (item != NULL) {
        DL_DELETE(courier->items, item);
        courier->n--;
    }
    pthread_mutex_unlock(&courier->mutex);
    return item;
}

/* Puts it back and waits a while. */
static void pause_with(struct courier *courier, struct item *item)
{
    int64_t at_ms = clock_monotonic_ms() + PAUSE_MS;
    struct timespec until = {.tv_sec = at_ms / 1000,
                             .tv_nsec = at_ms % 1000 * 1000000};
    int rc = 0;
    pthread_mutex_lock(&courier->mutex);
    DL_PREPEND(courier->items, item);
    courier->n++;
    while (!courier->stop && rc == 0)
        rc = pthread_cond_timedwait(&courier->wake, &courier->mutex, &until);
    pthread_mutex_unlock(&courier->mutex);
}

static void *run(void *ctx)
{
    struct courier *courier = ctx;
    struct item *item;
    courier->curl = curl_easy_init();
    while (courier->curl != NULL && (item = next_item(courier)) != NULL) {
        if (run_errand(courier, &item->errand))
            mem_free(item);
        else
            pause_with(courier, item);
    }
    curl_easy_cleanup(courier->curl);
    return NULL;
}

/* --- The loop's side. --- */

struct courier *courier_open(const struct courier_options *options, char *why,
                             size_t size)
{
    pthread_condattr_t attr;
    struct courier *courier = mem_new(sizeof *courier);
    courier->node = mem_text(options->node);
    courier->broker = mem_text(options->broker);
    courier->token = mem_text(options->token);
    courier->trust = options->trust;
    buf_init(&courier->body, LIMIT_LOG);
    pthread_mutex_init(&courier->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&courier->wake, &attr);
    pthread_condattr_destroy(&attr);
    curl_global_init(CURL_GLOBAL_DEFAULT); /* before there is a thread */
    errno = pthread_create(&courier->thread, NULL, run, courier);
    courier->running = errno == 0;
    if (courier->running)
        return courier;
    snprintf(why, size, "cannot start a thread: %s", strerror(errno));
    courier_close(&courier);
    return NULL;
}

void courier_close(struct courier **courier)
{
    struct courier *c = *courier;
    struct item *item, *next;
    if (c == NULL)
        return;
    pthread_mutex_lock(&c->mutex);
    c->stop = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->mutex);
    if (c->running)
        pthread_join(c->thread, NULL);
    DL_FOREACH_SAFE (c->items, item, next)
        mem_free(item);
    curl_global_cleanup();
    buf_free(&c->body);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->mutex);
    mem_free(c->node);
    mem_free(c->broker);
    mem_free(c->token);
    mem_free(c);
    *courier = NULL;
}

static bool is_waiting(const struct courier *courier,
                       const struct errand *errand)
{
    const struct item *item;
    DL_FOREACH (courier->items, item)
        if (item->errand.kind != ERRAND_LIVE)
            return false; /* those come first */
        else if (item->errand.lease == errand->lease)
            return true;
    return false;
}

static void enqueue(struct courier *courier, const struct errand *errand)
{
    struct item *item = mem_new(sizeof *item);
    item->errand = *errand;
    snprintf(item->job, sizeof item->job, "%s", errand->job);
    item->errand.job = item->job;
    if (errand->kind == ERRAND_LIVE)
        DL_PREPEND(courier->items, item);
    else
        DL_APPEND(courier->items, item);
    if (++courier->n <= COURIER_WAITING)
        return;
    item = courier->items;
    DL_DELETE(courier->items, item);
    courier->n--;
    mem_free(item);
}

void courier_add(struct courier *courier, const struct errand *errand)
{
    pthread_mutex_lock(&courier->mutex);
    if (errand->kind != ERRAND_LIVE || !is_waiting(courier, errand))
        enqueue(courier, errand);
    pthread_cond_signal(&courier->wake);
    pthread_mutex_unlock(&courier->mutex);
}
