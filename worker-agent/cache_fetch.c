/* SPDX-License-Identifier: Apache-2.0
 *
 * One file over HTTP: hashed as it comes, gone on with where it broke off, and
 * taken to its place only when its hash is the one it was asked for by.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/app/file_hash.h"
#include "common/mem.h"
#include "common/transfer/transfer.h"
#include "worker-agent/cache_parts.h"
#include "worker-agent/easy.h"

#define STALLED_S 30     /* without a byte: it is tried again */
#define CHECK_MS  600000 /* the broker reads some hundred gigabytes then */
#define TRIES     6
#define PAUSE_MS  250 /* doubled after each try */

struct fetching {
    struct errand *errand;
    const struct wanted_file *file;
    uint64_t most;
    int fd, error; /* error: errno of a write that failed */
    uint64_t got;
    crypto_hash_sha256_state state;
    char why[CURL_ERROR_SIZE];
};

/* --- Files known to be right. --- */

void checked_note(struct cache *cache, const char *name, const char *path)
{
    struct stat facts;
    struct checked *checked;
    if (stat(path, &facts) != 0)
        return;
    HASH_FIND_STR(cache->checked, name, checked);
    if (checked == NULL) {
        checked = mem_new(sizeof *checked);
        memcpy(checked->name, name, sizeof checked->name);
        HASH_ADD_STR(cache->checked, name, checked);
    }
    checked->inode = facts.st_ino;
    checked->size = facts.st_size;
    checked->changed = facts.st_mtim;
}

static bool goes_on(void *ctx, size_t n)
{
    const struct cache *cache = ctx;
    (void)n;
    return !cache->give_up;
}

static bool has_hash(struct cache *cache, int fd, const char *name)
{
    char found[BLOB_NAME + 1];
    return file_hash(fd, goes_on, cache, found) && strcmp(found, name) == 0;
}

static bool is_same(const struct checked *checked, const struct stat *facts)
{
    return checked->inode == facts->st_ino && checked->size == facts->st_size &&
           checked->changed.tv_sec == facts->st_mtim.tv_sec &&
           checked->changed.tv_nsec == facts->st_mtim.tv_nsec;
}

bool checked_is(struct cache *cache, const char *name, const char *path,
                uint64_t size)
{
    struct stat facts;
    const struct checked *checked;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool right = fd >= 0 && fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) &&
                 (size == SIZE_UNKNOWN || (uint64_t)facts.st_size == size);
    HASH_FIND_STR(cache->checked, name, checked);
    if (right && (checked == NULL || !is_same(checked, &facts))) {
        right = has_hash(cache, fd, name);
        if (right)
            checked_note(cache, name, path);
    }
    if (fd >= 0)
        close(fd);
    return right;
}

/* --- Fetching. --- */

static void begin(struct fetching *fetching)
{
    fetching->got = 0;
    crypto_hash_sha256_init(&fetching->state);
    (void)!ftruncate(fetching->fd, 0);
}

static bool is_file(CURL *curl)
{
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status == 200 || status == 206;
}

static size_t take_piece(char *bytes, size_t size, size_t n, void *ctx)
{
    struct fetching *fetching = ctx;
    n *= size;
    if (!is_file(fetching->errand->cache->curl))
        return n; /* a refusal's words */
    if (n > fetching->most - fetching->got)
        return 0;
    for (size_t at = 0; at < n;) {
        ssize_t put = pwrite(fetching->fd, bytes + at, n - at,
                             (off_t)(fetching->got + at));
        if (put < 0 && errno != EINTR) {
            fetching->error = errno;
            return 0;
        }
        at += put < 0 ? 0 : (size_t)put;
    }
    crypto_hash_sha256_update(&fetching->state, (const unsigned char *)bytes,
                              n);
    fetching->got += n;
    return n;
}

/* The next question about the file: verb "" or ":check". */
static void set_options(struct fetching *fetching, const char *verb)
{
    const struct cache *cache = fetching->errand->cache;
    CURL *curl = cache->curl;
    char url[CACHE_PATH];
    snprintf(url, sizeof url, "%s/v1/blobs/%s%s", cache->broker,
             fetching->file->name, verb);
    const struct easy_request request = {.url = url,
                                         .token = cache->token,
                                         .trust = cache->trust,
                                         .stop = &cache->give_up};
    easy_begin(curl, &request);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_piece);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetching);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fetching->why);
}

static void set_get(struct fetching *fetching)
{
    CURL *curl = fetching->errand->cache->curl;
    set_options(fetching, "");
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
    if (fetching->got > 0)
        curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE,
                         (curl_off_t)fetching->got);
}

enum step { STEP_DONE, STEP_AGAIN, STEP_FAILED };

static bool has_right_hash(const struct fetching *fetching)
{
    crypto_hash_sha256_state state = fetching->state;
    unsigned char sum[crypto_hash_sha256_BYTES];
    char found[BLOB_NAME + 1];
    crypto_hash_sha256_final(&state, sum);
    blob_name(sum, found);
    return strcmp(found, fetching->file->name) == 0;
}

/* Other bytes came than the hash says. Were they lost on the broker's disk it
 * drops the file, and all agents hear that it has it no more. */
static enum step damaged(struct fetching *fetching)
{
    CURL *curl = fetching->errand->cache->curl;
    const struct wanted_file *file = fetching->file;
    long status = 0;
    begin(fetching);
    errand_fail(fetching->errand, FAULT_FILES_DAMAGED,
                "%s came with other bytes than its SHA-256 %s says",
                file->shown, file->name);
    set_options(fetching, ":check");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)CHECK_MS);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 404)
        return STEP_AGAIN;
    errand_fail(fetching->errand, FAULT_FILES_MISSING,
                "%s (%s) was damaged on the broker's disk and is dropped",
                file->shown, file->name);
    return STEP_FAILED;
}

/* All that will come has come. */
static enum step look_at(struct fetching *fetching)
{
    const struct wanted_file *file = fetching->file;
    bool whole = file->size == SIZE_UNKNOWN || fetching->got == file->size;
    if (whole && has_right_hash(fetching))
        return STEP_DONE;
    return damaged(fetching);
}

static enum step refused(struct fetching *fetching, long status)
{
    char host[128];
    struct errand *errand = fetching->errand;
    const char *shown = fetching->file->shown;
    transfer_host(errand->cache->curl, host, sizeof host);
    if (status == 404)
        errand_fail(errand, FAULT_FILES_MISSING,
                    "the broker has %s (%s) no more", shown,
                    fetching->file->name);
    else if (status == 416)
        begin(fetching);
    else
        errand_fail(errand, FAULT_NOT_FETCHED,
                    "%.100s answered %ld when asked for %s", host, status,
                    shown);
    return status >= 500 || status == 416 ? STEP_AGAIN : STEP_FAILED;
}

static enum step broken_off(struct fetching *fetching, CURLcode code)
{
    struct errand *errand = fetching->errand;
    if (fetching->error != 0) {
        errand_fail(errand, FAULT_NOT_FETCHED, "the cache: %s",
                    strerror(fetching->error));
        return STEP_FAILED;
    }
    if (code == CURLE_RANGE_ERROR || code == CURLE_WRITE_ERROR)
        return look_at(fetching); /* it is longer than it may be */
    errand_fail(errand, FAULT_NOT_FETCHED, "%s did not come: %s",
                fetching->file->shown,
                *fetching->why ? fetching->why : curl_easy_strerror(code));
    return STEP_AGAIN;
}

static enum step try_once(struct fetching *fetching)
{
    CURL *curl = fetching->errand->cache->curl;
    long status = 0;
    fetching->why[0] = '\0';
    set_get(fetching);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK && transfer_follow(curl))
        code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        return broken_off(fetching, code);
    return is_file(curl) ? look_at(fetching) : refused(fetching, status);
}

static bool try_all(struct fetching *fetching)
{
    struct cache *cache = fetching->errand->cache;
    int64_t pause_ms = PAUSE_MS;
    begin(fetching);
    for (int i = 0; i < TRIES && !cache->give_up; i++) {
        enum step step = try_once(fetching);
        if (step != STEP_AGAIN)
            return step == STEP_DONE;
        if (i + 1 < TRIES && !cache_pause(cache, pause_ms))
            break;
        pause_ms *= 2;
    }
    return false;
}

static bool put_in_place(struct fetching *fetching, const char *part)
{
    struct errand *errand = fetching->errand;
    const char *path = fetching->file->path;
    if (fchmod(fetching->fd, 0444) != 0 || rename(part, path) != 0)
        return errand_fail(errand, FAULT_NOT_FETCHED, "the cache: %s",
                           strerror(errno));
    checked_note(errand->cache, fetching->file->name, path);
    errand->news->fault = FAULT_NONE;
    errand->news->text[0] = '\0';
    return true;
}

bool cache_fetch(struct errand *errand, const struct wanted_file *file)
{
    char part[CACHE_PATH];
    struct fetching fetching = {.errand = errand, .file = file};
    bool known = file->size != SIZE_UNKNOWN;
    fetching.most = known ? file->size : LIMIT_BODY;
    errand_fail(errand, FAULT_NOT_FETCHED, "given up");
    cache_path(errand->cache, "part", file->name, part);
    fetching.fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fetching.fd < 0)
        return errand_fail(errand, FAULT_NOT_FETCHED, "the cache: %s: %s", part,
                           strerror(errno));
    bool there = try_all(&fetching) && put_in_place(&fetching, part);
    if (!there)
        unlink(part);
    close(fetching.fd);
    return there;
}
