/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploaded scenes on this machine: fetched from the broker by the SHA-256 of
 * each file, and laid out as their sender had them, so that a node finds the
 * .blend and what it names. A scene is handed over only when every file of it
 * has been seen to have its hash, on its way in or, where it was here before
 * this process or has changed since, by reading it again. What takes time runs
 * in a thread; bounded: the scenes used longest ago go first, never one that a
 * lease uses.
 *
 * DIR/blobs/NAME are the files, DIR/lists/NAME the scenes' lists,
 * DIR/scenes/NAME/... the scenes, hard links to the files where the file system
 * has them, else copies.
 */
#ifndef FRAMEQ_WORKER_AGENT_CACHE_H
#define FRAMEQ_WORKER_AGENT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"
#include "common/limits.h"

struct cache;
struct trust;

struct cache_options {
    const char *dir;    /* made where it is missing; one agent's at a time */
    uint64_t bytes_max; /* of all files together */
    const char *broker; /* URL without a slash at its end */
    const char *token;  /* secret it shows there; NULL: none */
    const struct trust *trust; /* of it; borrowed; may be NULL */
};

/* cache_open copies the options and starts the thread. Returns NULL with the
 * reason in why. */
struct cache *cache_open(const struct cache_options *options, char *why,
                         size_t size);
void cache_close(struct cache **cache);

/* cache_want asks for the scene of a lease, a job's `blend` that blend_is_blob:
 * cache_take tells later what became of it. Until cache_release the scene
 * stays; what was still under way then is given up, and not told of. cache_hold
 * only keeps one that is there, for a lease of an earlier run. */
void cache_want(struct cache *cache, uint64_t lease, const char *blend);
void cache_hold(struct cache *cache, uint64_t lease, const char *blend);
void cache_release(struct cache *cache, uint64_t lease);

struct cache_news {
    uint64_t lease;
    enum fault fault; /* FAULT_NONE: it is there */
    char path[4096];  /* of the .blend, absolute */
    char text[LIMIT_REASON];
};

/* cache_fd becomes readable when cache_take has news; it returns false when
 * there is no more. */
int cache_fd(const struct cache *cache);
bool cache_take(struct cache *cache, struct cache_news *ret);

#endif
