/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files cache*.c share; nobody else includes it. cache.c is the loop's
 * side and the thread, cache_fetch.c brings one file in, cache_tree.c lays a
 * scene out, cache_room.c makes room.
 */
#ifndef FRAMEQ_WORKER_AGENT_CACHE_PARTS_H
#define FRAMEQ_WORKER_AGENT_CACHE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <uthash.h>

#include "common/app/manifest.h"
#include "worker-agent/cache.h"

#define CACHE_PATH 4096

/* A lease's claim on a scene. */
struct claim {
    uint64_t lease;
    char scene[BLOB_NAME + 1];
    bool wanted, told; /* asked for; in `news` or taken from there */
    struct cache_news news;
    struct claim *prev, *next;
};

/* A file whose bytes this process has seen to be right, as it was then. */
struct checked {
    char name[BLOB_NAME + 1];
    ino_t inode;
    off_t size;
    struct timespec changed;
    UT_hash_handle hh;
};

struct cache {
    char *dir, *broker, *token;
    const struct trust *trust;
    uint64_t bytes_max;
    int lock, event_fd;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards claims and stop */
    pthread_cond_t wake;
    struct claim *claims;
    bool stop;

    /* The thread's own. */
    atomic_bool give_up; /* nobody wants what it is about any more */
    uint64_t working;    /* the lease it is about; guarded */
    struct checked *checked;
    void *curl;
};

/* What the thread has in hand. */
struct errand {
    struct cache *cache;
    const char *scene;
    struct cache_news *news;
};

/* errand_fail fills the news, and returns false. */
bool errand_fail(struct errand *errand, enum fault fault, const char *format,
                 ...) __attribute__((format(printf, 3, 4)));

/* cache_path writes DIR/folder/name into CACHE_PATH bytes. */
void cache_path(const struct cache *cache, const char *folder, const char *name,
                char *ret);

/* cache_fetch brings a file to where path says, size bytes (0 < size: exactly
 * so many; SIZE_UNKNOWN: at most LIMIT_BODY). shown: its name for people. */
#define SIZE_UNKNOWN UINT64_MAX
struct wanted_file {
    const char *name, *path, *shown;
    uint64_t size;
};
bool cache_fetch(struct errand *errand, const struct wanted_file *file);

/* cache_pause waits for a moment; false: it is to end. */
bool cache_pause(struct cache *cache, int64_t ms);

/* checked_is tells whether the file at path is known to be right, reading it
 * where that is not known; checked_note notes that it is. */
bool checked_is(struct cache *cache, const char *name, const char *path,
                uint64_t size);
void checked_note(struct cache *cache, const char *name, const char *path);

/* cache_tree brings the errand's scene here and lays it out. */
bool cache_tree(struct errand *errand);

/* cache_room makes room for size bytes more; scenes of claims stay. */
bool cache_room(struct errand *errand, uint64_t size);

#endif
