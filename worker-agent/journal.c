/* SPDX-License-Identifier: Apache-2.0
 *
 * A file is written beside its place and renamed, so a record is whole or not
 * there. Names are "<epoch>-<counter>" of the lease. What is read is checked
 * like a message from the network.
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
#include "common/layout.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/text.h"

#define RECORD_VERSION 1
#define RECORD_MAX     (LIMIT_SPEC + 8192) /* bytes of one file */
#define NAME_SIZE      64

struct journal {
    int dir, lock;
};

/* --- Records. --- */

static const char *refuse_text(const char *text, size_t len)
{
    return text_is_plain(text, len) ? NULL : "is no plain text";
}

static const char *refuse_record(const void *value)
{
    const struct journal_record *record = value;
    const struct msg_batch *batch = &record->batch;
    bool run = batch->from <= batch->to &&
               (batch->to - batch->from) % batch->step == 0 &&
               (batch->to - batch->from) / batch->step < LIMIT_BATCH;
    return run ? NULL : "is no run of frames";
}

#define AT(member) offsetof(struct journal_record, member)
#define NUMBER(kind, member, least, most_)                                     \
    {                                                                          \
        .name = #member, .form = FORM_##kind, .at = AT(member),                \
        .low = (least), .high = (most_)                                        \
    }
#define TEXT(member, least, most_)                                             \
    {                                                                          \
        .name = #member, .form = FORM_TEXT, .at = AT(member), .low = (least),  \
        .high = (most_), .refuse = refuse_text                                 \
    }
#define BOOL(member)                                                           \
    {                                                                          \
        .name = #member, .form = FORM_BOOL, .at = AT(member)                   \
    }

static const struct field_row rows[] = {
    NUMBER(U64, batch.lease, (int64_t)LEASE_ID(1, 1), -1),
    TEXT(batch.job, LIMIT_ID_MIN, LIMIT_ID),
    TEXT(batch.name, 0, LIMIT_NAME),
    NUMBER(I32, batch.from, 0, LIMIT_FRAME_MAX),
    NUMBER(I32, batch.to, 0, LIMIT_FRAME_MAX),
    NUMBER(I32, batch.step, 1, LIMIT_FRAME_MAX),
    BOOL(batch.replace),
    BOOL(batch.plain),
    TEXT(batch.render, 2, LIMIT_SPEC),
    TEXT(node, 0, LIMIT_PATH),
    NUMBER(I64, posted_ms, 0, INT64_MAX),
    NUMBER(I64, pid, 0, INT64_MAX),
};
static const struct layout record_layout = {
    .size = sizeof(struct journal_record),
    .n = sizeof rows / sizeof *rows,
    .fields = rows,
    .refuse = refuse_record,
};

static void record_encode(const struct journal_record *record, struct buf *out)
{
    layout_array(1 + record_layout.n, out);
    layout_number(RECORD_VERSION, out);
    layout_encode(&record_layout, record, out);
}

static bool record_decode(const struct buf *bytes, struct arena *arena,
                          struct journal_record *ret)
{
    char why[128];
    size_t count;
    uint64_t version;
    struct layout_reader reader = {unpack_of(bytes->data, bytes->len), arena,
                                   "record", why, sizeof why};
    return unpack_array(&reader.in, &count) && count > 0 &&
           unpack_u64(&reader.in, &version) && version == RECORD_VERSION &&
           layout_decode(&reader, &record_layout, count - 1, ret) &&
           reader.in.at == reader.in.end;
}

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
        snprintf(why, size, "another agent of that name runs here and holds %s",
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
    buf_init(&bytes, RECORD_MAX);
    record_encode(record, &bytes);
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
    char own[NAME_SIZE];
    struct buf bytes;
    buf_init(&bytes, RECORD_MAX);
    bool sound = read_file(journal, name, &bytes) &&
                 record_decode(&bytes, arena, ret) &&
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
