/* SPDX-License-Identifier: Apache-2.0
 *
 * A piece is appended to DIR/part/NAME and hashed as it comes. With the last
 * one the file is synced, takes its place as DIR/xx/NAME, and its folder is
 * synced. The hash of an upload that began before this process is taken from
 * the disk again.
 */
#include "broker/files/blobs_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/app/file_hash.h"
#include "common/limits.h"
#include "common/mem.h"

#define BLOCK (256 * 1024)

__attribute__((format(printf, 3, 4))) static void
end(struct blobs_ask *ask, enum blobs_result result, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(ask->answer.why, sizeof ask->answer.why, format, args);
    va_end(args);
    ask->answer.result = result;
}

static void end_failed(struct blobs_ask *ask)
{
    bool full = errno == ENOSPC || errno == EDQUOT;
    end(ask, full ? BLOBS_FULL : BLOBS_FAILED, "%s", strerror(errno));
}

/* --- Hashing what comes. --- */

static struct upload *find_upload(struct blobs *blobs, const char *name)
{
    struct upload *oldest = &blobs->uploads[0];
    for (size_t i = 0; i < UPLOADS; i++) {
        struct upload *upload = &blobs->uploads[i];
        if (strcmp(upload->name, name) == 0)
            return upload;
        if (upload->used < oldest->used)
            oldest = upload;
    }
    memcpy(oldest->name, name, sizeof oldest->name);
    oldest->hashed = 0;
    crypto_hash_sha256_init(&oldest->state);
    return oldest;
}

static void forget_upload(struct upload *upload)
{
    *upload = (struct upload){0};
}

/* Reads what of the file is not hashed yet, up to size. */
static bool hash_rest(struct upload *upload, int fd, uint64_t size)
{
    static unsigned char block[BLOCK]; /* the thread's */
    if (upload->hashed > size) {
        upload->hashed = 0;
        crypto_hash_sha256_init(&upload->state);
    }
    while (upload->hashed < size) {
        ssize_t n = pread(fd, block, sizeof block, (off_t)upload->hashed);
        if (n <= 0)
            return false;
        crypto_hash_sha256_update(&upload->state, block, (unsigned long long)n);
        upload->hashed += (uint64_t)n;
    }
    return true;
}

static void hash_name(const struct upload *upload, char ret[BLOB_NAME + 1])
{
    crypto_hash_sha256_state state = upload->state;
    unsigned char sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&state, sum);
    blob_name(sum, ret);
}

/* --- Writing. --- */

static bool write_at(int fd, const char *bytes, size_t n, uint64_t offset)
{
    while (n > 0) {
        ssize_t put = pwrite(fd, bytes, n, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes += put;
        n -= (size_t)put;
        offset += (uint64_t)put;
    }
    return true;
}

static bool sync_folder(const struct blobs *blobs, const char *name)
{
    char path[BLOBS_PATH];
    snprintf(path, sizeof path, "%s/%.2s", blobs->dir, name);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Puts the whole partial file at fd in its place. */
static bool place(const struct blobs *blobs, const char *name, int fd)
{
    char from[BLOBS_PATH], to[BLOBS_PATH];
    blob_part_path(blobs, name, from);
    blob_path(blobs, name, to);
    return fchmod(fd, 0444) == 0 && fsync(fd) == 0 && rename(from, to) == 0 &&
           sync_folder(blobs, name);
}

static bool is_there(const struct blobs *blobs, const char *name,
                     uint64_t *ret_size)
{
    char path[BLOBS_PATH];
    struct stat facts;
    blob_path(blobs, name, path);
    if (stat(path, &facts) != 0)
        return false;
    *ret_size = (uint64_t)facts.st_size;
    return true;
}

bool blob_has_room(const struct blobs *blobs, struct blobs_ask *ask,
                   uint64_t more)
{
    struct statvfs fs;
    if (blobs->bytes + more > blobs->options.bytes_max ||
        blobs->files >= blobs->options.files_max) {
        end(ask, BLOBS_FULL,
            "the broker keeps %llu bytes of uploaded files at most, and %zu "
            "files; it drops those of ended jobs in time",
            (unsigned long long)blobs->options.bytes_max,
            blobs->options.files_max);
        return false;
    }
    if (blobs->options.s3 != NULL || statvfs(blobs->dir, &fs) != 0 ||
        (uint64_t)fs.f_bavail * fs.f_frsize >= more + 2 * LIMIT_DISK_LOW)
        return true;
    end(ask, BLOBS_FULL, "the broker's disk is full");
    return false;
}

/* All is in: is it what its name says? */
static void finish(struct blobs *blobs, struct blobs_ask *ask,
                   struct upload *upload, int fd)
{
    char path[BLOBS_PATH], name[BLOB_NAME + 1];
    hash_name(upload, name);
    forget_upload(upload);
    if (strcmp(name, ask->name) != 0) {
        blob_part_path(blobs, ask->name, path);
        unlink(path);
        blobs->bytes -= ask->total;
        blobs->files--;
        end(ask, BLOBS_WRONG, "its bytes have the hash %s", name);
    } else if (place(blobs, ask->name, fd)) {
        ask->answer.result = BLOBS_WHOLE;
    } else {
        end_failed(ask);
    }
}

static void append(struct blobs *blobs, struct blobs_ask *ask, int fd)
{
    struct upload *upload = find_upload(blobs, ask->name);
    upload->used = blobs->turn;
    if (!hash_rest(upload, fd, ask->offset) ||
        !write_at(fd, ask->bytes, ask->n, ask->offset)) {
        end_failed(ask);
        (void)!ftruncate(fd, (off_t)ask->offset);
        return;
    }
    crypto_hash_sha256_update(&upload->state, (const unsigned char *)ask->bytes,
                              ask->n);
    upload->hashed += ask->n;
    blobs->bytes += ask->n;
    ask->answer.offset = ask->offset + ask->n;
    if (ask->answer.offset == ask->total)
        finish(blobs, ask, upload, fd);
    else
        ask->answer.result = BLOBS_TAKEN;
}

/* As much has come as its sender says there is, or more, and it is not that
 * file: somebody was wrong of its size, and all of it is worth nothing. */
static off_t restart(struct blobs *blobs, const struct blobs_ask *ask, int fd,
                     off_t size)
{
    if (ftruncate(fd, 0) != 0)
        return size;
    blobs->bytes -= (uint64_t)size;
    forget_upload(find_upload(blobs, ask->name));
    return 0;
}

static void put_part(struct blobs *blobs, struct blobs_ask *ask)
{
    char path[BLOBS_PATH];
    struct stat facts;
    blob_part_path(blobs, ask->name, path);
    bool new = access(path, F_OK) != 0;
    if (!blob_has_room(blobs, ask, ask->total - ask->offset))
        return;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || fstat(fd, &facts) != 0) {
        end_failed(ask);
    } else {
        blobs->files += new ? 1 : 0;
        if ((uint64_t)facts.st_size >= ask->total)
            facts.st_size = restart(blobs, ask, fd, facts.st_size);
        if ((uint64_t)facts.st_size == ask->offset)
            append(blobs, ask, fd);
        else
            ask->answer = (struct blobs_answer){
                .result = BLOBS_ELSEWHERE, .offset = (uint64_t)facts.st_size};
    }
    if (fd >= 0)
        close(fd);
}

void blob_put(struct blobs *blobs, struct blobs_ask *ask)
{
    uint64_t size;
    if (is_there(blobs, ask->name, &size))
        ask->answer =
            (struct blobs_answer){.result = BLOBS_WHOLE, .offset = size};
    else
        put_part(blobs, ask);
}

/* --- What the disk has lost. --- */

static bool goes_on(void *blobs, size_t n)
{
    (void)n;
    return blobs_goes_on(blobs);
}

static void drop_rotten(struct blobs *blobs, struct blobs_ask *ask,
                        const char *path, uint64_t size)
{
    if (unlink(path) != 0) {
        end_failed(ask);
        return;
    }
    blobs->bytes -= size;
    blobs->files--;
    ask->answer.result = BLOBS_WRONG;
}

void blob_check(struct blobs *blobs, struct blobs_ask *ask)
{
    char path[BLOBS_PATH], found[BLOB_NAME + 1];
    uint64_t size = 0;
    int fd = blobs_open_file(blobs, ask->name, &size);
    blob_path(blobs, ask->name, path);
    if (fd < 0) {
        ask->total = BLOBS_NO_TOTAL;
        if (blobs->options.s3 != NULL)
            blob_look(blobs, ask);
        else
            ask->answer =
                (struct blobs_answer){.result = BLOBS_MISSING, .offset = size};
        return;
    }
    bool read = file_hash(fd, goes_on, blobs, found);
    if (!read)
        end(ask, BLOBS_FAILED, "%s", strerror(errno));
    else if (strcmp(found, ask->name) == 0)
        ask->answer.result = BLOBS_WHOLE;
    else
        end(ask, BLOBS_WRONG, "its bytes have the hash %s", found);
    if (ask->answer.result == BLOBS_WRONG || (!read && errno != ECANCELED))
        drop_rotten(blobs, ask, path, size);
    close(fd);
}

/* --- Files that jobs name by their paths. --- */

void blob_hash(struct blobs *blobs, struct blobs_ask *ask)
{
    struct stat facts;
    int fd = open(ask->bytes, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool opened = fd >= 0 && fstat(fd, &facts) == 0;
    if (opened && (!S_ISREG(facts.st_mode) || facts.st_size > LIMIT_BLOB))
        end(ask, BLOBS_FAILED, "it is no file of at most %lld bytes",
            LIMIT_BLOB);
    else if (opened && file_hash(fd, goes_on, blobs, ask->answer.name))
        ask->answer.result = BLOBS_WHOLE;
    else
        end_failed(ask);
    if (fd >= 0)
        close(fd);
}

/* --- Manifests. --- */

char *blob_load(const struct blobs *blobs, const char *name, size_t *ret_len)
{
    char path[BLOBS_PATH];
    blob_path(blobs, name, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *text = mem_new(LIMIT_BODY + 1);
    ssize_t n = read(fd, text, LIMIT_BODY + 1);
    close(fd);
    if (n < 0 || n > LIMIT_BODY) {
        mem_free(text);
        return NULL;
    }
    *ret_len = (size_t)n;
    return text;
}

static void touch(const struct blobs *blobs, const char *name)
{
    char path[BLOBS_PATH];
    blob_path(blobs, name, path);
    (void)utimensat(AT_FDCWD, path, NULL, 0);
    blob_mark_path(blobs, BLOB_STORED, name, path);
    (void)utimensat(AT_FDCWD, path, NULL, 0);
}

/* Counts the files that are not there, and names the first. */
static void look_for(const struct blobs *blobs, struct blobs_ask *ask,
                     const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->n; i++) {
        const struct manifest_file *file = &manifest->files[i];
        uint64_t size = 0;
        bool there = is_there(blobs, file->name, &size) ||
                     blob_is_stored(blobs, file->name, &size);
        if (there && size == file->size)
            touch(blobs, file->name);
        else if (ask->answer.missing++ == 0)
            end(ask, BLOBS_MISSING, "%.200s (%s)", file->path, file->name);
    }
}

static void write_manifest(struct blobs *blobs, struct blobs_ask *ask)
{
    char path[BLOBS_PATH];
    ask->offset = 0;
    ask->total = ask->n;
    blob_part_path(blobs, ask->name, path);
    unlink(path);
    blob_put(blobs, ask);
    touch(blobs, ask->name);
}

void blob_keep(struct blobs *blobs, struct blobs_ask *ask)
{
    struct manifest manifest = {0};
    char why[LIMIT_REASON];
    bool known = ask->bytes == NULL;
    if (known)
        ask->bytes = blob_load(blobs, ask->name, &ask->n);
    if (ask->bytes == NULL ||
        !manifest_parse(ask->bytes, ask->n, &manifest, why, sizeof why)) {
        ask->answer.missing = 1;
        end(ask, BLOBS_MISSING, "the list of its files (%s)", ask->name);
        return;
    }
    ask->answer.result = BLOBS_WHOLE;
    look_for(blobs, ask, &manifest);
    manifest_done(&manifest);
    if (ask->answer.result == BLOBS_WHOLE && !known)
        write_manifest(blobs, ask);
    else if (ask->answer.result == BLOBS_WHOLE)
        touch(blobs, ask->name);
}
