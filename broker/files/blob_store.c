/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that lie in a store (s3.h) instead of DIR/xx. For each there is a file
 * DIR/stored/NAME of its size, with nothing in it: so they are counted, bounded
 * and swept as those on the disk are. DIR/offered/NAME stands for one that
 * somebody was told where to put. What the store has is asked from the store;
 * these files only remember it.
 */
#include "broker/files/blobs_parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const folders[] = {
    [BLOB_OFFERED] = "offered", [BLOB_STORED] = "stored"};

void blob_mark_path(const struct blobs *blobs, enum blob_place place,
                    const char *name, char *ret)
{
    snprintf(ret, BLOBS_PATH, "%s/%s/%s", blobs->dir, folders[place], name);
}

bool blob_is_stored(const struct blobs *blobs, const char *name,
                    uint64_t *ret_size)
{
    char path[BLOBS_PATH];
    struct stat facts;
    blob_mark_path(blobs, BLOB_STORED, name, path);
    if (blobs->options.s3 == NULL || stat(path, &facts) != 0)
        return false;
    *ret_size = (uint64_t)facts.st_size;
    return true;
}

static void unmark(struct blobs *blobs, enum blob_place place, const char *name)
{
    char path[BLOBS_PATH];
    struct stat facts;
    blob_mark_path(blobs, place, name, path);
    if (stat(path, &facts) != 0 || unlink(path) != 0)
        return;
    blobs->bytes -= (uint64_t)facts.st_size;
    blobs->files--;
}

static void mark(struct blobs *blobs, enum blob_place place, const char *name,
                 uint64_t size)
{
    char path[BLOBS_PATH];
    unmark(blobs, place, name);
    blob_mark_path(blobs, place, name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return; /* it is asked for again */
    if (ftruncate(fd, (off_t)size) == 0) {
        blobs->bytes += size;
        blobs->files++;
    } else {
        unlink(path);
    }
    close(fd);
}

static void found(struct blobs *blobs, struct blobs_ask *ask, uint64_t size)
{
    unmark(blobs, BLOB_OFFERED, ask->name);
    mark(blobs, BLOB_STORED, ask->name, size);
    ask->answer = (struct blobs_answer){.result = BLOBS_WHOLE, .offset = size};
}

static void absent(struct blobs *blobs, struct blobs_ask *ask)
{
    unmark(blobs, BLOB_STORED, ask->name);
    if (ask->total != BLOBS_NO_TOTAL) {
        unmark(blobs, BLOB_OFFERED, ask->name);
        if (!blob_has_room(blobs, ask, ask->total))
            return;
        mark(blobs, BLOB_OFFERED, ask->name, ask->total);
    }
    ask->answer.result = BLOBS_MISSING;
}

void blob_look(struct blobs *blobs, struct blobs_ask *ask)
{
    uint64_t size = 0;
    switch (s3_look(blobs->options.s3, ask->name, &size, ask->answer.why,
                    sizeof ask->answer.why)) {
    case S3_THERE:
        found(blobs, ask, size);
        break;
    case S3_ABSENT:
        absent(blobs, ask);
        break;
    default:
        ask->answer.result = BLOBS_AWAY;
    }
}
