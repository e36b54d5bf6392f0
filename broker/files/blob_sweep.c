/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files go. What a live job's manifest names stays, whatever the bounds;
 * so does what somebody has just asked for, since a job may be about to name
 * it. A file's modification time is when it was asked for last.
 */
#include "broker/files/blobs_parts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/app/clock.h"
#include "common/limits.h"
#include "common/mem.h"

#define DROPS_MOST 200 /* objects of a store, each a question to it */

/* A file that may go. */
struct found {
    char name[BLOB_NAME + 1];
    uint64_t size;
    int64_t age_ms;
    enum blob_place place;
};

struct sweep {
    struct blobs *blobs;
    char (*live)[BLOB_NAME + 1]; /* sorted */
    size_t n_live, live_cap;
    struct found *found;
    size_t n, cap;
    uint64_t bytes; /* of all, live ones too */
    size_t files;
    int dropped; /* objects of a store */
};

static int64_t age_ms(const struct stat *facts)
{
    int64_t age = clock_now_ms() - (int64_t)facts->st_mtim.tv_sec * 1000 -
                  facts->st_mtim.tv_nsec / 1000000;
    return age < 0 ? 0 : age;
}

/* --- What is live. --- */

static void add_live(struct sweep *sweep, const char *name)
{
    if (sweep->n_live == sweep->live_cap) {
        sweep->live_cap = sweep->live_cap * 2 + 64;
        sweep->live =
            mem_grow(sweep->live, sweep->live_cap, sizeof *sweep->live);
    }
    memcpy(sweep->live[sweep->n_live++], name, BLOB_NAME + 1);
}

static void add_manifest(struct sweep *sweep, const char *name)
{
    struct manifest manifest = {0};
    char why[LIMIT_REASON];
    size_t len = 0;
    char *text = blob_load(sweep->blobs, name, &len);
    add_live(sweep, name);
    if (text != NULL && manifest_parse(text, len, &manifest, why, sizeof why))
        for (size_t i = 0; i < manifest.n; i++)
            add_live(sweep, manifest.files[i].name);
    manifest_done(&manifest);
    mem_free(text);
}

static int by_name(const void *a, const void *b)
{
    return memcmp(a, b, BLOB_NAME);
}

static bool is_live(const struct sweep *sweep, const char *name)
{
    return sweep->n_live > 0 && bsearch(name, sweep->live, sweep->n_live,
                                        sizeof *sweep->live, by_name) != NULL;
}

/* --- What is there. --- */

static void look_at(struct sweep *sweep, const char *dir, const char *name,
                    enum blob_place place)
{
    char path[BLOBS_PATH];
    struct stat facts;
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof path || !blob_is_name(name) ||
        lstat(path, &facts) != 0)
        return;
    sweep->bytes += (uint64_t)facts.st_size;
    sweep->files++;
    if ((place == BLOB_HERE || place == BLOB_STORED) && is_live(sweep, name))
        return;
    if (sweep->n == sweep->cap) {
        sweep->cap = sweep->cap * 2 + 64;
        sweep->found = mem_grow(sweep->found, sweep->cap, sizeof *sweep->found);
    }
    struct found *found = &sweep->found[sweep->n++];
    *found = (struct found){.size = (uint64_t)facts.st_size,
                            .age_ms = age_ms(&facts),
                            .place = place};
    memcpy(found->name, name, sizeof found->name);
}

static void look_into(struct sweep *sweep, const char *folder,
                      enum blob_place place)
{
    char path[BLOBS_PATH];
    const struct dirent *entry;
    snprintf(path, sizeof path, "%s/%s", sweep->blobs->dir, folder);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL)
        look_at(sweep, path, entry->d_name, place);
    closedir(dir);
}

static void look_at_all(struct sweep *sweep)
{
    char folder[3];
    look_into(sweep, "part", BLOB_PART);
    if (sweep->blobs->options.s3 != NULL) {
        look_into(sweep, "offered", BLOB_OFFERED);
        look_into(sweep, "stored", BLOB_STORED);
    }
    for (unsigned i = 0; i < 256; i++) {
        snprintf(folder, sizeof folder, "%02x", i);
        look_into(sweep, folder, BLOB_HERE);
    }
    sweep->blobs->bytes = sweep->bytes;
    sweep->blobs->files = sweep->files;
}

static void sweep_done(struct sweep *sweep)
{
    mem_free(sweep->live);
    mem_free(sweep->found);
}

void blob_count(struct blobs *blobs)
{
    struct sweep sweep = {.blobs = blobs};
    look_at_all(&sweep);
    sweep_done(&sweep);
}

/* --- What goes. --- */

static int oldest_first(const void *a, const void *b)
{
    const struct found *one = a, *other = b;
    return (one->age_ms < other->age_ms) - (one->age_ms > other->age_ms);
}

static bool is_over(const struct blobs *blobs)
{
    const struct blobs_options *options = &blobs->options;
    return blobs->bytes > options->bytes_max - options->bytes_max / 10 ||
           blobs->files > options->files_max - options->files_max / 10;
}

static bool must_go(const struct sweep *sweep, const struct found *found,
                    int64_t keep_ms)
{
    if (found->age_ms < LIMIT_BLOB_FRESH_MS)
        return false;
    bool coming = found->place == BLOB_PART || found->place == BLOB_OFFERED;
    if (coming && found->age_ms >= LIMIT_BLOB_PART_MS)
        return true;
    return (keep_ms > 0 && found->age_ms >= keep_ms) || is_over(sweep->blobs);
}

/* Returns false where the store cannot be told: later, then. */
static bool drop(struct sweep *sweep, const struct found *found)
{
    char path[BLOBS_PATH];
    struct blobs *blobs = sweep->blobs;
    bool apart = found->place == BLOB_OFFERED || found->place == BLOB_STORED;
    if (apart && (sweep->dropped++ == DROPS_MOST ||
                  !s3_drop(blobs->options.s3, found->name)))
        return false;
    if (apart)
        blob_mark_path(blobs, found->place, found->name, path);
    else if (found->place == BLOB_HERE)
        blob_path(blobs, found->name, path);
    else
        blob_part_path(blobs, found->name, path);
    if (unlink(path) != 0)
        return true;
    blobs->bytes -= found->size;
    blobs->files--;
    return true;
}

void blob_sweep(struct blobs *blobs, struct blobs_ask *ask)
{
    struct sweep sweep = {.blobs = blobs};
    for (size_t i = 0; i < ask->n; i++)
        add_manifest(&sweep, ask->bytes + i * (BLOB_NAME + 1));
    if (sweep.n_live > 0)
        qsort(sweep.live, sweep.n_live, sizeof *sweep.live, by_name);
    look_at_all(&sweep);
    if (sweep.n > 0)
        qsort(sweep.found, sweep.n, sizeof *sweep.found, oldest_first);
    for (size_t i = 0; i < sweep.n; i++)
        if (must_go(&sweep, &sweep.found[i], ask->keep_ms) &&
            !drop(&sweep, &sweep.found[i]))
            break;
    sweep_done(&sweep);
}
