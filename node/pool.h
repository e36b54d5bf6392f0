/* SPDX-License-Identifier: Apache-2.0
 *
 * Blenders that wait between jobs: each with a .blend open, to render more of
 * it, and one spare with none, to open the next. Decides who stays and who
 * goes; never gives a Blender to work of another key, and never opens a second
 * .blend in one.
 */
#ifndef FRAMEQ_NODE_POOL_H
#define FRAMEQ_NODE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "node/poller.h"
#include "node/seat.h"

enum {
    POOL_FRAMES = 500, /* a Blender renders, then makes room for a new one */
    POOL_IDLE_MS = 300000, /* waits for work, then ends */
    POOL_SEATS = 33,       /* waiting at once */
};

struct pool {
    bool on;     /* --warm auto */
    int most;    /* that wait with a .blend open; at most POOL_SEATS - 1 */
    bool closed; /* everything in it is being ended */
    struct seat *at[POOL_SEATS]; /* owned; the ones with NULL are free */
    int64_t looked_ms;
};

/* pool_take gives out the one that has key open, else the spare, else NULL.
 * The caller owns it. */
struct seat *pool_take(struct pool *pool, const struct run_site *site,
                       const char *key);

/* pool_give takes a Blender that rendered all it was asked for, and keeps it
 * if that is allowed and fits. */
void pool_give(struct pool *pool, struct seat *seat, int64_t now_ms);

/* pool_spare starts a spare in a folder of that name unless there is one, or
 * memory is short. */
void pool_spare(struct pool *pool, const struct run_site *site,
                const char *name, int64_t now_ms);

void pool_watch(struct pool *pool, struct poller *poller, int64_t now_ms);
void pool_step(struct pool *pool, int64_t now_ms);

/* pool_stop ends all of them; pool_is_empty once they are gone. */
void pool_stop(struct pool *pool, int64_t now_ms);
bool pool_is_empty(const struct pool *pool);

/* pool_count returns how many wait with a .blend open; pool_has_spare whether
 * there is a spare. */
int pool_count(const struct pool *pool);
bool pool_has_spare(const struct pool *pool);

bool pool_owns(const struct pool *pool, pid_t pid);
void pool_reaped(struct pool *pool, pid_t pid, int status, int64_t now_ms);
void pool_done(struct pool *pool);

#endif
