/* SPDX-License-Identifier: Apache-2.0
 *
 * A scene: its list, then each file of it, brought here and linked to its
 * place before the next one, so that none of a scene in use can be taken for
 * unused.
 */
#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "worker-agent/cache_parts.h"

static bool fail_disk(struct errand *errand, const char *path)
{
    return errand_fail(errand, FAULT_NOT_FETCHED, "the cache: %.600s: %s", path,
                       strerror(errno));
}

static bool bring(struct errand *errand, const struct wanted_file *file)
{
    struct cache *cache = errand->cache;
    if (checked_is(cache, file->name, file->path, file->size))
        return true;
    unlink(file->path);                     /* damaged, or not there */
    bool list = file->size == SIZE_UNKNOWN; /* small, and goes with its scene */
    return (list || cache_room(errand, file->size)) &&
           cache_fetch(errand, file);
}

/* --- The list. --- */

static bool read_list(struct errand *errand, const char *path,
                      struct manifest *ret)
{
    char *text = mem_new(LIMIT_BODY);
    char why[LIMIT_REASON] = "it cannot be read";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, LIMIT_BODY);
    bool ok = n > 0 && manifest_parse(text, (size_t)n, ret, why, sizeof why);
    if (fd >= 0)
        close(fd);
    mem_free(text);
    return ok || errand_fail(errand, FAULT_FILES_DAMAGED,
                             "the list of the scene's files: %s", why);
}

static bool bring_list(struct errand *errand, struct manifest *ret)
{
    char path[CACHE_PATH];
    cache_path(errand->cache, "lists", errand->scene, path);
    struct wanted_file file = {errand->scene, path,
                               "the list of the scene's files", SIZE_UNKNOWN};
    return bring(errand, &file) && read_list(errand, path, ret);
}

/* --- The files. --- */

/* Makes the folders of path below its first `from` bytes. A link or a file in
 * the way goes: nothing of a scene may lead out of it. */
static bool make_folders(struct errand *errand, char *path, size_t from)
{
    struct stat facts;
    for (char *at = path + from; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        if (lstat(path, &facts) == 0 && !S_ISDIR(facts.st_mode))
            unlink(path);
        bool ok = mkdir(path, 0777) == 0 || errno == EEXIST;
        if (!ok)
            fail_disk(errand, path);
        *at = '/';
        if (!ok)
            return false;
    }
    return true;
}

static bool copy(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    ssize_t n = in >= 0 && out >= 0 ? 1 : -1;
    while (n > 0)
        n = copy_file_range(in, NULL, out, NULL, 1 << 30, 0);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return n == 0;
}

static bool is_linked(const char *blob, const char *place)
{
    struct stat one, other;
    return stat(blob, &one) == 0 && lstat(place, &other) == 0 &&
           one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

static bool put(struct errand *errand, const char *blob, char *place,
                size_t from)
{
    if (is_linked(blob, place))
        return true;
    if (!make_folders(errand, place, from))
        return false;
    unlink(place);
    if (link(blob, place) == 0 || copy(blob, place))
        return true;
    return fail_disk(errand, place);
}

static bool bring_file(struct errand *errand, const struct manifest_file *entry)
{
    char blob[CACHE_PATH], place[CACHE_PATH];
    cache_path(errand->cache, "blobs", entry->name, blob);
    int from = snprintf(place, sizeof place, "%s/scenes/%s/",
                        errand->cache->dir, errand->scene);
    int n = snprintf(place, sizeof place, "%s/scenes/%s/%s", errand->cache->dir,
                     errand->scene, entry->path);
    if (n < 0 || (size_t)n >= sizeof place)
        return errand_fail(errand, FAULT_NOT_FETCHED, "the cache: %.600s: %s",
                           entry->path, strerror(ENAMETOOLONG));
    struct wanted_file file = {entry->name, blob, entry->path, entry->size};
    return bring(errand, &file) && put(errand, blob, place, (size_t)from);
}

static bool bring_files(struct errand *errand, const struct manifest *manifest)
{
    char path[CACHE_PATH];
    assert(manifest->files != NULL); /* a list has one at least */
    cache_path(errand->cache, "scenes", errand->scene, path);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return fail_disk(errand, path);
    for (size_t i = 0; i < manifest->n; i++) {
        if (errand->cache->give_up)
            return errand_fail(errand, FAULT_NOT_FETCHED, "given up");
        if (!bring_file(errand, &manifest->files[i]))
            return false;
    }
    (void)utimensat(AT_FDCWD, path, NULL, 0); /* used now */
    snprintf(errand->news->path, sizeof errand->news->path, "%.2000s/%.1024s",
             path, manifest->files[0].path);
    return true;
}

bool cache_tree(struct errand *errand)
{
    struct manifest manifest = {0};
    if (errand->cache->curl == NULL)
        errand->cache->curl = curl_easy_init();
    bool there =
        bring_list(errand, &manifest) && bring_files(errand, &manifest);
    manifest_done(&manifest);
    return there;
}
