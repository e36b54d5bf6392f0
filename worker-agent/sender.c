/* SPDX-License-Identifier: Apache-2.0
 *
 * DIR/<sha256> holds the path of a picture to be sent. The thread goes through
 * them, one after the other, and removes what is there or cannot be had.
 */
#include "worker-agent/sender.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/app/clock.h"
#include "common/app/conf.h"
#include "common/app/file_hash.h"
#include "common/app/log.h"
#include "common/app/manifest.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/transfer/transfer.h"
#include "worker-agent/agent.h"
#include "worker-agent/easy.h"

#define PIECE_MS  120000
#define PAUSE_MS  2000 /* after one that could not be sent now */
#define PATH_SIZE 4096

struct sender {
    char *dir, *broker, *token;
    const struct trust *trust;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards news */
    pthread_cond_t wake;
    bool news;
    atomic_bool stop;
    CURL *curl;
    bool ailing;            /* it was told that the store is */
    char piece[LIMIT_BODY]; /* the thread's */
};

struct sending {
    struct sender *sender;
    const char *name;
    int fd;
    uint64_t size, offset;
    long status;       /* of the last answer; 0: none came */
    int64_t has_until; /* its Upload-Offset; -1: none */
    bool stored;       /* it has an Upload-Store: files go there */
};

enum outcome { SENT, LATER, NEVER };

/* --- Requests. --- */

static size_t take_header(char *line, size_t size, size_t n, void *ctx)
{
    static const char name[] = "upload-offset:", store[] = "upload-store:";
    struct sending *sending = ctx;
    if (size * n > strlen(store) &&
        strncasecmp(line, store, strlen(store)) == 0)
        sending->stored = true;
    if (size * n > strlen(name) && strncasecmp(line, name, strlen(name)) == 0)
        sending->has_until = strtoll(line + strlen(name), NULL, 10);
    return size * n;
}

static size_t drop_body(char *bytes, size_t size, size_t n, void *ctx)
{
    (void)bytes;
    (void)ctx;
    return size * n;
}

static void set_options(struct sending *sending)
{
    const struct sender *sender = sending->sender;
    char url[PATH_SIZE];
    const struct easy_request request = {.url = url,
                                         .token = sender->token,
                                         .trust = sender->trust,
                                         .timeout_ms = PIECE_MS,
                                         .stop = &sender->stop};
    snprintf(url, sizeof url, "%s/v1/blobs/%s", sender->broker, sending->name);
    easy_begin(sender->curl, &request);
    curl_easy_setopt(sender->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(sender->curl, CURLOPT_HEADERDATA, sending);
    curl_easy_setopt(sender->curl, CURLOPT_WRITEFUNCTION, drop_body);
}

static void perform(struct sending *sending)
{
    CURL *curl = sending->sender->curl;
    sending->status = 0;
    sending->has_until = -1;
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &sending->status);
}

/* Whoever waits for it need not wait; if this is lost it is asked for again. */
static void tell_gone(struct sending *sending, const char *why)
{
    CURL *curl = sending->sender->curl;
    char url[PATH_SIZE];
    json_t *root = json_pack("{s:s}", "reason", why);
    char *body = json_dumps(root, JSON_COMPACT);
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json");
    set_options(sending);
    snprintf(url, sizeof url, "%s/v1/blobs/%s:gone", sending->sender->broker,
             sending->name);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    perform(sending);
    curl_slist_free_all(headers);
    free(body);
    json_decref(root);
}

static void ask_head(struct sending *sending)
{
    set_options(sending);
    curl_easy_setopt(sending->sender->curl, CURLOPT_NOBODY, 1L);
    perform(sending);
}

static void put_piece(struct sending *sending, size_t n)
{
    CURL *curl = sending->sender->curl;
    char line[128];
    snprintf(line, sizeof line,
             "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
             sending->offset, sending->offset + n - 1, sending->size);
    struct curl_slist *headers = curl_slist_append(NULL, line);
    headers = curl_slist_append(headers, "Expect:");
    headers =
        curl_slist_append(headers, "Content-Type: application/octet-stream");
    set_options(sending);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "PUT");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, sending->sender->piece);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    perform(sending);
    curl_slist_free_all(headers);
}

/* Asks where in the store to put all of it. */
static void ask_where(struct sending *sending)
{
    CURL *curl = sending->sender->curl;
    char line[128];
    snprintf(line, sizeof line, "Content-Range: bytes */%" PRIu64,
             sending->size);
    struct curl_slist *headers = curl_slist_append(NULL, line);
    set_options(sending);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "PUT");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    perform(sending);
    curl_slist_free_all(headers);
}

/* --- One picture. --- */

static enum outcome outcome_of(const struct sending *sending)
{
    if (sending->status == 200 || sending->status == 201)
        return SENT;
    bool passing = sending->status == 0 || sending->status == 408 ||
                   sending->status >= 500;
    if (!passing)
        log_warn("picture_not_sent", "sha256=%s status=%ld", sending->name,
                 sending->status);
    return passing ? LATER : NEVER;
}

static enum outcome send_pieces(struct sending *sending)
{
    while (sending->has_until >= 0 &&
           (uint64_t)sending->has_until < sending->size) {
        sending->offset = (uint64_t)sending->has_until;
        uint64_t left = sending->size - sending->offset;
        size_t n = left < LIMIT_BODY ? (size_t)left : LIMIT_BODY;
        if (pread(sending->fd, sending->sender->piece, n,
                  (off_t)sending->offset) != (ssize_t)n)
            return NEVER; /* it has changed: it is that picture no more */
        put_piece(sending, n);
        if (sending->status != 202 && sending->status != 409)
            break;
    }
    return outcome_of(sending);
}

static bool goes_on(void *ctx, size_t n)
{
    const struct sender *sender = ctx;
    (void)n;
    return !sender->stop;
}

/* The broker may ask for any path: what leaves is a picture it knows. */
static bool has_its_hash(struct sending *sending)
{
    char name[BLOB_NAME + 1];
    if (file_hash(sending->fd, goes_on, sending->sender, name) &&
        strcmp(name, sending->name) == 0)
        return true;
    if (sending->sender->stop)
        return false;
    log_warn("picture_not_sent", "sha256=%s reason=%s", sending->name,
             log_quoted("the file has other bytes"));
    tell_gone(sending, "the file has other bytes by now");
    return false;
}

static int look_up(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c,
                   curl_off_t d)
{
    const struct sender *sender = ctx;
    (void)a, (void)b, (void)c, (void)d;
    return sender->stop ? 1 : 0;
}

/* Once until it takes one again. */
static void tell_ailing(struct sender *sender, long status, const char *why)
{
    char host[128];
    transfer_host(sender->curl, host, sizeof host);
    if (!sender->ailing)
        log_warn("picture_not_stored", "store=%s status=%ld reason=%s", host,
                 status, log_quoted(why));
    sender->ailing = true;
}

/* A store that ails is waited for, like a broker that is not there. */
static enum outcome send_to_store(struct sending *sending)
{
    struct sender *sender = sending->sender;
    struct transfer transfer = {.fd = sending->fd,
                                .size = sending->size,
                                .name = sending->name,
                                .step = look_up,
                                .ctx = sender};
    ask_where(sending);
    if (sending->status != 307)
        return outcome_of(sending);
    long status = transfer_put(sender->curl, &transfer);
    if (status != 200 && !sender->stop)
        tell_ailing(sender, status, transfer.why);
    if (status != 200)
        return status == 400 ? NEVER : LATER;
    sender->ailing = false;
    ask_head(sending);
    return outcome_of(sending);
}

static enum outcome send_whole(struct sending *sending)
{
    ask_head(sending);
    if (sending->status != 404)
        return outcome_of(sending);
    if (!has_its_hash(sending))
        return sending->sender->stop ? LATER : NEVER;
    return sending->stored ? send_to_store(sending) : send_pieces(sending);
}

static enum outcome send_file(struct sender *sender, const char *name,
                              const char *path)
{
    struct stat facts;
    struct sending sending = {.sender = sender, .name = name};
    sending.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    errno = sending.fd < 0 ? errno : EINVAL; /* of what is no file */
    if (sending.fd < 0 || fstat(sending.fd, &facts) != 0 ||
        !S_ISREG(facts.st_mode)) {
        const char *why = strerror(errno);
        log_warn("picture_not_sent", "path=%s reason=%s", log_quoted(path),
                 why);
        tell_gone(&sending, why);
        if (sending.fd >= 0)
            close(sending.fd);
        return NEVER;
    }
    sending.size = (uint64_t)facts.st_size;
    enum outcome outcome = send_whole(&sending);
    close(sending.fd);
    return outcome;
}

/* --- All that are noted. --- */

static void note_path(const struct sender *sender, const char *name,
                      char ret[PATH_SIZE])
{
    snprintf(ret, PATH_SIZE, "%s/%s", sender->dir, name);
}

static bool read_note(const char *note, char ret[PATH_SIZE])
{
    int fd = open(note, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, ret, PATH_SIZE - 1);
    if (fd >= 0)
        close(fd);
    ret[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* Sends what is noted; false: some of it is to be tried again. */
static bool send_all(struct sender *sender)
{
    char note[PATH_SIZE], path[PATH_SIZE];
    const struct dirent *entry;
    bool all = true;
    DIR *dir = opendir(sender->dir);
    while (dir != NULL && all && !sender->stop &&
           (entry = readdir(dir)) != NULL) {
        if (!blob_is_name(entry->d_name))
            continue;
        note_path(sender, entry->d_name, note);
        bool later = read_note(note, path) &&
                     send_file(sender, entry->d_name, path) == LATER;
        if (later)
            all = false;
        else
            unlink(note);
    }
    if (dir != NULL)
        closedir(dir);
    return all;
}

static void await_news(struct sender *sender, bool all)
{
    int64_t at_ms = clock_monotonic_ms() + PAUSE_MS;
    struct timespec until = {.tv_sec = at_ms / 1000,
                             .tv_nsec = at_ms % 1000 * 1000000};
    pthread_mutex_lock(&sender->mutex);
    int rc = 0;
    while (!sender->stop && rc == 0 && !(all && sender->news))
        rc =
            all ? pthread_cond_wait(&sender->wake, &sender->mutex)
                : pthread_cond_timedwait(&sender->wake, &sender->mutex, &until);
    sender->news = false;
    pthread_mutex_unlock(&sender->mutex);
}

static void *run(void *ctx)
{
    struct sender *sender = ctx;
    bool all = true;
    while (!sender->stop) {
        await_news(sender, all);
        if (sender->curl == NULL)
            sender->curl = curl_easy_init();
        all = sender->stop || send_all(sender);
    }
    curl_easy_cleanup(sender->curl);
    return NULL;
}

/* --- The loop's side. --- */

static void wake(struct sender *sender)
{
    pthread_mutex_lock(&sender->mutex);
    sender->news = true;
    pthread_cond_signal(&sender->wake);
    pthread_mutex_unlock(&sender->mutex);
}

struct sender *sender_open(const char *dir, const struct agent_options *options,
                           char *why, size_t size)
{
    pthread_condattr_t attr;
    struct sender *sender = mem_new(sizeof *sender);
    sender->dir = mem_text(dir);
    sender->broker = mem_text(options->broker);
    sender->token = mem_text(options->token);
    sender->trust = options->trust;
    sender->news = true; /* of an earlier run */
    pthread_mutex_init(&sender->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&sender->wake, &attr);
    pthread_condattr_destroy(&attr);
    curl_global_init(CURL_GLOBAL_DEFAULT); /* before there is a thread */
    bool made = conf_make_dir(dir);
    if (made)
        errno = pthread_create(&sender->thread, NULL, run, sender);
    if (made && errno == 0)
        return sender;
    snprintf(why, size, "%s: %s", dir, strerror(errno));
    sender->stop = true;
    sender_close(&sender);
    return NULL;
}

void sender_close(struct sender **sender)
{
    struct sender *s = *sender;
    if (s == NULL)
        return;
    if (!s->stop) {
        s->stop = true;
        wake(s);
        pthread_join(s->thread, NULL);
    }
    curl_global_cleanup();
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->mutex);
    mem_free(s->dir);
    mem_free(s->broker);
    mem_free(s->token);
    mem_free(s);
    *sender = NULL;
}

bool sender_add(struct sender *sender, const char *path, const char *name)
{
    char note[PATH_SIZE], new[PATH_SIZE];
    note_path(sender, name, note);
    note_path(sender, "new", new);
    int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && write(fd, path, strlen(path)) == (ssize_t)strlen(path);
    if (fd >= 0)
        close(fd);
    ok = ok && rename(new, note) == 0;
    if (ok)
        wake(sender);
    return ok;
}
