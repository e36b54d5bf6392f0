/* SPDX-License-Identifier: Apache-2.0
 *
 * Room in the cache: scenes go, the one used longest ago first, and with them
 * the files that no other scene has. A scene that a lease claims stays.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utlist.h>

#include "common/mem.h"
#include "worker-agent/cache_parts.h"

static bool is_claimed(struct cache *cache, const char *scene)
{
    struct claim *claim;
    bool claimed = false;
    pthread_mutex_lock(&cache->mutex);
    DL_FOREACH (cache->claims, claim)
        claimed = claimed || strcmp(claim->scene, scene) == 0;
    pthread_mutex_unlock(&cache->mutex);
    return claimed;
}

/* Calls each with every name in a folder of the cache and what it is. */
static void for_each(struct cache *cache, const char *folder,
                     void (*each)(struct cache *cache, const char *name,
                                  const struct stat *facts, void *ctx),
                     void *ctx)
{
    char path[CACHE_PATH];
    struct stat facts;
    const struct dirent *entry;
    cache_path(cache, folder, "", path);
    DIR *dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (blob_is_name(entry->d_name) &&
            fstatat(dirfd(dir), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) ==
                0)
            each(cache, entry->d_name, &facts, ctx);
    if (dir != NULL)
        closedir(dir);
}

static void add_size(struct cache *cache, const char *name,
                     const struct stat *facts, void *ctx)
{
    (void)cache;
    (void)name;
    *(uint64_t *)ctx += (uint64_t)facts->st_size;
}

/* Whether `size` bytes fit beside what is there. */
static bool fits(struct cache *cache, uint64_t size)
{
    uint64_t used = 0;
    struct statvfs fs;
    for_each(cache, "blobs", add_size, &used);
    bool roomy = statvfs(cache->dir, &fs) != 0 ||
                 (uint64_t)fs.f_bavail * fs.f_frsize >= size + LIMIT_DISK_LOW;
    return roomy && used + size <= cache->bytes_max;
}

struct oldest {
    char name[BLOB_NAME + 1]; /* "": none */
    struct timespec used;
};

static void find_oldest(struct cache *cache, const char *name,
                        const struct stat *facts, void *ctx)
{
    struct oldest *oldest = ctx;
    bool older = *oldest->name == '\0' ||
                 facts->st_mtim.tv_sec < oldest->used.tv_sec ||
                 (facts->st_mtim.tv_sec == oldest->used.tv_sec &&
                  facts->st_mtim.tv_nsec < oldest->used.tv_nsec);
    if (!older || is_claimed(cache, name))
        return;
    oldest->used = facts->st_mtim;
    memcpy(oldest->name, name, sizeof oldest->name);
}

static int remove_one(const char *path, const struct stat *facts, int type,
                      struct FTW *where)
{
    (void)facts;
    (void)type;
    (void)where;
    return remove(path) != 0;
}

static void drop_unlinked(struct cache *cache, const char *name,
                          const struct stat *facts, void *ctx)
{
    char path[CACHE_PATH];
    struct checked *checked;
    (void)ctx;
    if (facts->st_nlink > 1)
        return;
    cache_path(cache, "blobs", name, path);
    unlink(path);
    HASH_FIND_STR(cache->checked, name, checked);
    if (checked != NULL) {
        HASH_DEL(cache->checked, checked);
        mem_free(checked);
    }
}

/* Drops the oldest scene; false: there is none to drop. */
static bool drop_oldest(struct cache *cache)
{
    char path[CACHE_PATH];
    struct oldest oldest = {0};
    for_each(cache, "scenes", find_oldest, &oldest);
    if (*oldest.name == '\0')
        return false;
    cache_path(cache, "lists", oldest.name, path);
    unlink(path);
    cache_path(cache, "scenes", oldest.name, path);
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0;
}

bool cache_room(struct errand *errand, uint64_t size)
{
    struct cache *cache = errand->cache;
    bool more = true;
    while (!fits(cache, size) && more) {
        more = drop_oldest(cache);
        for_each(cache, "blobs", drop_unlinked, NULL);
    }
    if (fits(cache, size))
        return true;
    return errand_fail(errand, FAULT_NOT_FETCHED,
                       "no room in %.500s for %llu bytes more: raise "
                       "--cache-gb or make room on its disk",
                       cache->dir, (unsigned long long)size);
}
