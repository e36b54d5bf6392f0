/* SPDX-License-Identifier: Apache-2.0
 *
 * One line a file, those used last at the end:
 * "SHA-256 SIZE INODE MTIME CTIME PATH", times in nanoseconds. The file is
 * written anew beside its place and takes it whole; not synced, for what a
 * power cut leaves of it is read up to the first line that is none.
 */
#include "cli/send/hashes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "common/limits.h"
#include "common/mem.h"

#define NUMBERS 4
/* Two seconds is the coarsest clock of a file system, FAT's; the rest is for
 * one of another machine that is a little behind. */
#define TICK_NS 5000000000

struct entry {
    char *path;
    char name[BLOB_NAME + 1];
    int64_t facts[NUMBERS]; /* as numbers_of has them */
    UT_hash_handle hh;      /* in the order of use */
};

struct hashes {
    char *dir;
    int64_t now_ns;
    struct entry *entries;
};

static int64_t ns_of(const struct timespec *at)
{
    return (int64_t)at->tv_sec * 1000000000 + at->tv_nsec;
}

static void numbers_of(const struct stat *facts, int64_t ret[NUMBERS])
{
    ret[0] = facts->st_size;
    ret[1] = (int64_t)facts->st_ino;
    ret[2] = ns_of(&facts->st_mtim);
    ret[3] = ns_of(&facts->st_ctim);
}

static struct entry *find(const struct hashes *hashes, const char *path)
{
    struct entry *entry;
    HASH_FIND_STR(hashes->entries, path, entry);
    return entry;
}

static void drop(struct hashes *hashes, struct entry *entry)
{
    HASH_DEL(hashes->entries, entry);
    mem_free(entry->path);
    mem_free(entry);
}

static struct entry *add(struct hashes *hashes, const char *path)
{
    struct entry *entry = mem_new(sizeof *entry);
    entry->path = mem_text(path);
    HASH_ADD_KEYPTR(hh, hashes->entries, entry->path, strlen(entry->path),
                    entry);
    return entry;
}

/* --- The file. --- */

static bool path_of(const char *dir, const char *suffix, char ret[PATH_MAX])
{
    int n = snprintf(ret, PATH_MAX, "%s/hashes%s", dir, suffix);
    return n > 0 && n < PATH_MAX;
}

static bool read_number(char **at, int64_t *ret)
{
    char *end;
    errno = 0;
    *ret = strtoll(*at, &end, 10);
    bool good = errno == 0 && end != *at && *end == ' ';
    *at = end + (good ? 1 : 0);
    return good;
}

/* Takes one line without its end; false: it is none of ours. */
static bool take_line(struct hashes *hashes, char *line)
{
    int64_t facts[NUMBERS];
    char *at = line + BLOB_NAME + 1;
    if (strlen(line) <= BLOB_NAME || line[BLOB_NAME] != ' ')
        return false;
    line[BLOB_NAME] = '\0';
    for (size_t i = 0; i < NUMBERS; i++)
        if (!read_number(&at, &facts[i]))
            return false;
    if (!blob_is_name(line) || *at != '/' || find(hashes, at) != NULL)
        return false;
    struct entry *entry = add(hashes, at);
    memcpy(entry->name, line, sizeof entry->name);
    memcpy(entry->facts, facts, sizeof facts);
    return true;
}

static void load(struct hashes *hashes)
{
    char path[PATH_MAX];
    char line[BLOB_NAME + NUMBERS * 21 + LIMIT_PATH + 2];
    bool good = path_of(hashes->dir, "", path);
    FILE *file = good ? fopen(path, "re") : NULL;
    while (good && file != NULL && fgets(line, sizeof line, file) != NULL &&
           HASH_COUNT(hashes->entries) < LIMIT_HASHES) {
        size_t len = strcspn(line, "\n");
        good = line[len] == '\n';
        line[len] = '\0';
        good = good && take_line(hashes, line);
    }
    if (file != NULL)
        fclose(file);
}

static bool write_all(const struct hashes *hashes, FILE *file)
{
    const struct entry *entry = hashes->entries;
    size_t n = HASH_COUNT(hashes->entries);
    for (; entry != NULL; entry = entry->hh.next)
        if (n-- <= LIMIT_HASHES)
            fprintf(file,
                    "%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %s\n",
                    entry->name, entry->facts[0], entry->facts[1],
                    entry->facts[2], entry->facts[3], entry->path);
    return fflush(file) == 0;
}

static void save(const struct hashes *hashes)
{
    char part[PATH_MAX], path[PATH_MAX];
    if (!path_of(hashes->dir, ".XXXXXX", part) ||
        !path_of(hashes->dir, "", path))
        return;
    int fd = mkostemp(part, O_CLOEXEC); /* mode 0600 */
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    bool ok = write_all(hashes, file);
    ok = fclose(file) == 0 && ok;
    if (!ok || rename(part, path) != 0)
        unlink(part);
}

/* --- From outside. --- */

struct hashes *hashes_open(const char *dir, int64_t now_ms)
{
    struct hashes *hashes = mem_new(sizeof *hashes);
    hashes->dir = mem_text(dir);
    hashes->now_ns = now_ms * 1000000;
    if (dir != NULL)
        load(hashes);
    return hashes;
}

bool hashes_find(struct hashes *hashes, const char *path,
                 const struct stat *facts, char ret[BLOB_NAME + 1])
{
    int64_t now[NUMBERS];
    struct entry *entry = find(hashes, path);
    numbers_of(facts, now);
    if (entry == NULL || memcmp(entry->facts, now, sizeof now) != 0)
        return false;
    memcpy(ret, entry->name, sizeof entry->name);
    HASH_DEL(hashes->entries, entry); /* to the end: it was used now */
    HASH_ADD_KEYPTR(hh, hashes->entries, entry->path, strlen(entry->path),
                    entry);
    return true;
}

void hashes_note(struct hashes *hashes, const char *path,
                 const struct stat *facts, const char *name)
{
    int64_t now[NUMBERS];
    struct entry *entry = find(hashes, path);
    numbers_of(facts, now);
    if (entry != NULL)
        drop(hashes, entry);
    if (*path != '/' || strlen(path) > LIMIT_PATH ||
        strchr(path, '\n') != NULL || now[2] > hashes->now_ns - TICK_NS ||
        now[3] > hashes->now_ns - TICK_NS)
        return;
    entry = add(hashes, path);
    memcpy(entry->name, name, sizeof entry->name);
    memcpy(entry->facts, now, sizeof now);
}

void hashes_close(struct hashes **hashes)
{
    struct hashes *old = *hashes;
    if (old->dir != NULL)
        save(old);
    while (old->entries != NULL)
        drop(old, old->entries);
    mem_free(old->dir);
    mem_free(old);
    *hashes = NULL;
}

void hashes_forget(const char *dir)
{
    char path[PATH_MAX];
    if (path_of(dir, "", path))
        unlink(path);
}
