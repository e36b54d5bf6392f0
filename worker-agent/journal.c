/* SPDX-License-Identifier: Apache-2.0
 *
 * A file is written beside its place and renamed, so a record is whole or not
 * there. Names are "<epoch>-<counter>" of the lease.
 */
#include "worker-agent/journal.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/app/conf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "worker-agent/journal_record.h"

#define NAME_SIZE 64

struct journal {
    int dir, lock;
};

/* --- The folder. --- */

static char *lease_name(uint64_t lease, char ret[NAME_SIZE])
{
    uint64_t epoch = LEASE_EPOCH(lease);
    snprintf(ret, NAME_SIZE, "%" PRIu64 "-%" PRIu64, epoch,
             lease - LEASE_ID(epoch, 0));
    return ret;
}

static bool take_lock(struct journal *journal, const char *dir, char *why,
                      size_t size)
{
    journal->lock =
        openat(journal->dir, "lock", O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (journal->lock < 0) {
        snprintf(why, size, "cannot write to %s: %s", dir, strerror(errno));
        return false;
    }
    if (flock(journal->lock, LOCK_EX | LOCK_NB) != 0) {
        snprintf(why, size,
                 "another agent runs on %s: give this one a --state of its own",
                 dir);
        return false;
    }
    return true;
}

struct journal *journal_open(const char *dir, char *why, size_t size)
{
    struct journal *journal = mem_new(sizeof *journal);
    journal->lock = -1;
    journal->dir = -1;
    if (conf_make_dir(dir))
        journal->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->dir < 0) {
        snprintf(why, size, "cannot open %s: %s", dir, strerror(errno));
        journal_close(&journal);
    } else if (!take_lock(journal, dir, why, size)) {
        journal_close(&journal);
    }
    return journal;
}

void journal_close(struct journal **journal)
{
    if (*journal == NULL)
        return;
    if ((*journal)->lock >= 0)
        close((*journal)->lock);
    if ((*journal)->dir >= 0)
        close((*journal)->dir);
    mem_free(*journal);
    *journal = NULL;
}

/* --- Writing. --- */

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool write_file(const struct journal *journal, const char *name,
                       const struct buf *bytes)
{
    int fd = openat(journal->dir, "new",
                    O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    bool written = write_all(fd, bytes->data, bytes->len);
    written = close(fd) == 0 && written;
    return written && renameat(journal->dir, "new", journal->dir, name) == 0;
}

bool journal_save(struct journal *journal, const struct journal_record *record)
{
    char name[NAME_SIZE];
    struct buf bytes;
    buf_init(&bytes, JOURNAL_RECORD_MAX);
    journal_encode(record, &bytes);
    assert(!bytes.over);
    bool saved =
        write_file(journal, lease_name(record->batch.lease, name), &bytes);
    buf_free(&bytes);
    return saved;
}

void journal_remove(struct journal *journal, uint64_t lease)
{
    char name[NAME_SIZE];
    unlinkat(journal->dir, lease_name(lease, name), 0);
}

/* --- Reading. --- */

static bool read_file(const struct journal *journal, const char *name,
                      struct buf *ret)
{
    char piece[4096];
    ssize_t n;
    int fd = openat(journal->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        if (!buf_add(ret, piece, (size_t)n))
            break;
    close(fd);
    return n == 0 && ret->len > 0;
}

/* Names of leases start with a digit; "lock" and "new" don't. */
static int is_record(const struct dirent *entry)
{
    return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

/* By number, not by letter: 1-9 comes before 1-10. */
static int by_lease(const struct dirent **a, const struct dirent **b)
{
    return strverscmp((*a)->d_name, (*b)->d_name);
}

static bool read_record(struct journal *journal, const char *name,
                        struct arena *arena, struct journal_record *ret)
{
    char own[NAME_SIZE], why[LIMIT_REASON];
    struct buf bytes;
    buf_init(&bytes, JOURNAL_RECORD_MAX);
    bool sound =
        read_file(journal, name, &bytes) &&
        journal_decode(bytes.data, bytes.len, arena, ret, why, sizeof why) &&
        strcmp(lease_name(ret->batch.lease, own), name) == 0;
    buf_free(&bytes);
    return sound;
}

size_t journal_read(struct journal *journal,
                    void (*each)(void *ctx,
                                 const struct journal_record *record),
                    void *ctx)
{
    struct dirent **names = NULL;
    struct arena arena = {0};
    size_t removed = 0;
    int n = scandirat(journal->dir, ".", &names, is_record, by_lease);
    for (int i = 0; i < n; i++) {
        struct journal_record record = {0};
        if (read_record(journal, names[i]->d_name, &arena, &record)) {
            each(ctx, &record);
        } else {
            unlinkat(journal->dir, names[i]->d_name, 0);
            removed++;
        }
        arena_reset(&arena);
        free(names[i]);
    }
    free(names);
    arena_done(&arena);
    return removed;
}
