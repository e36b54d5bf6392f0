/* SPDX-License-Identifier: Apache-2.0
 *
 * One that is to go gets its signals here and stays in the list, out of reach,
 * until it is gone.
 */
#include "node/pool.h"

#include <string.h>

#include "common/app/log.h"
#include "common/mem.h"
#include "node/proc.h"

enum {
    LOOK_MS = 5000,
    MEMORY_SHARE = 8, /* free memory is short below one part in these */
};

#define MEMORY_GROWTH ((uint64_t)256 * 1024 * 1024) /* beside doubling */

static bool waits(const struct seat *seat)
{
    return seat && !seat->blender.stopping && !seat->blender.reaped;
}

/* -- Giving out ------------------------------------------------------------ */

static bool fits(const struct seat *seat, const char *key)
{
    return key ? seat->key && strcmp(seat->key, key) == 0 : !seat->key;
}

static struct seat **seat_find(struct pool *pool, const char *key)
{
    for (int i = 0; i < POOL_SEATS; i++)
        if (waits(pool->at[i]) && fits(pool->at[i], key))
            return &pool->at[i];
    return NULL;
}

struct seat *pool_take(struct pool *pool, const struct run_site *site,
                       const char *key)
{
    struct seat **found = seat_find(pool, key);
    if (!found)
        found = seat_find(pool, NULL);
    if (!found || !seat_is_current(*found, site))
        return NULL;
    struct seat *seat = *found;
    *found = NULL;
    return seat;
}

/* -- Keeping --------------------------------------------------------------- */

static void seat_end(struct seat *seat, const char *reason, int64_t now_ms)
{
    log_info("blender_ended", "reason=%s frames=%d", reason, seat->frames);
    blender_stop(&seat->blender, now_ms);
}

static bool memory_is_short(void)
{
    struct proc_memory memory;
    return !proc_memory(&memory) ||
           memory.available < memory.total / MEMORY_SHARE;
}

/* Why one that has done its work may not wait for more; NULL: it may. */
static const char *refusal(const struct pool *pool, struct seat *seat)
{
    if (!pool->on || pool->closed || !seat->key)
        return "off";
    if (seat->frames >= POOL_FRAMES)
        return "frames";
    const uint64_t memory = proc_session_memory(seat->blender.pid);
    if (seat->memory == 0)
        seat->memory = memory;
    if (memory > 2 * seat->memory + MEMORY_GROWTH)
        return "memory";
    return memory_is_short() ? "memory_short" : NULL;
}

/* The one with a .blend open that has waited longest. */
static struct seat *seat_oldest(const struct pool *pool)
{
    struct seat *oldest = NULL;
    for (int i = 0; i < POOL_SEATS; i++)
        if (waits(pool->at[i]) && pool->at[i]->key &&
            (!oldest || pool->at[i]->idle_ms < oldest->idle_ms))
            oldest = pool->at[i];
    return oldest;
}

static struct seat **place_free(struct pool *pool)
{
    for (int i = 0; i < POOL_SEATS; i++)
        if (!pool->at[i])
            return &pool->at[i];
    return NULL;
}

void pool_give(struct pool *pool, struct seat *seat, int64_t now_ms)
{
    const char *reason = refusal(pool, seat);
    if (!reason && pool_count(pool) >= pool->most)
        seat_end(seat_oldest(pool), "others", now_ms);
    struct seat **place = place_free(pool);
    if (!place) {
        seat_close(&seat);
        return;
    }
    seat_hear(seat, NULL);
    seat->idle_ms = now_ms;
    *place = seat;
    if (reason)
        seat_end(seat, reason, now_ms);
}

void pool_spare(struct pool *pool, const struct run_site *site,
                const char *name, int64_t now_ms)
{
    char why[LIMIT_REASON];
    enum fault fault = FAULT_NONE;
    struct seat **place = place_free(pool);
    if (!pool->on || pool->closed || !place || pool_has_spare(pool) ||
        memory_is_short())
        return;
    const struct seat_order order = {.name = name};
    *place = seat_open(site, &order, now_ms, &fault, why, sizeof why);
    if (*place)
        (*place)->idle_ms = now_ms;
    else
        log_warn("no_spare", "reason=%s", log_quoted(why));
}

/* -- Waiting --------------------------------------------------------------- */

void pool_watch(struct pool *pool, struct poller *poller, int64_t now_ms)
{
    for (int i = 0; i < POOL_SEATS; i++) {
        struct seat *seat = pool->at[i];
        if (!seat)
            continue;
        poller_watch(poller, seat->blender.out_fd);
        poller_until(poller, blender_tick(&seat->blender, now_ms));
        poller_until(poller, pool->looked_ms + LOOK_MS);
    }
}

static void idle_end(struct pool *pool, int64_t now_ms)
{
    const bool look = now_ms - pool->looked_ms >= LOOK_MS;
    const bool is_short = look && memory_is_short();
    if (look)
        pool->looked_ms = now_ms;
    for (int i = 0; i < POOL_SEATS; i++) {
        struct seat *seat = pool->at[i];
        if (!waits(seat))
            continue;
        if (is_short)
            seat_end(seat, "memory_short", now_ms);
        else if (now_ms - seat->idle_ms >= POOL_IDLE_MS)
            seat_end(seat, "idle", now_ms);
    }
}

void pool_step(struct pool *pool, int64_t now_ms)
{
    if (pool_is_empty(pool))
        return;
    idle_end(pool, now_ms);
    for (int i = 0; i < POOL_SEATS; i++) {
        struct seat *seat = pool->at[i];
        if (!seat)
            continue;
        blender_read(&seat->blender, now_ms);
        blender_tick(&seat->blender, now_ms);
        if (seat->blender.reaped && !seat->blender.stopping)
            log_warn("blender_died", "frames=%d", seat->frames);
        if (blender_is_gone(&seat->blender))
            seat_close(&pool->at[i]);
    }
}

void pool_stop(struct pool *pool, int64_t now_ms)
{
    pool->closed = true;
    for (int i = 0; i < POOL_SEATS; i++)
        if (pool->at[i])
            blender_stop(&pool->at[i]->blender, now_ms);
}

bool pool_is_empty(const struct pool *pool)
{
    for (int i = 0; i < POOL_SEATS; i++)
        if (pool->at[i])
            return false;
    return true;
}

int pool_count(const struct pool *pool)
{
    int n = 0;
    for (int i = 0; i < POOL_SEATS; i++)
        n += waits(pool->at[i]) && pool->at[i]->key;
    return n;
}

bool pool_has_spare(const struct pool *pool)
{
    for (int i = 0; i < POOL_SEATS; i++)
        if (waits(pool->at[i]) && !pool->at[i]->key)
            return true;
    return false;
}

bool pool_owns(const struct pool *pool, pid_t pid)
{
    for (int i = 0; i < POOL_SEATS; i++)
        if (pool->at[i] && pool->at[i]->blender.pid == pid)
            return true;
    return false;
}

void pool_reaped(struct pool *pool, pid_t pid, int status, int64_t now_ms)
{
    for (int i = 0; i < POOL_SEATS; i++)
        if (pool->at[i] && pool->at[i]->blender.pid == pid)
            blender_reaped(&pool->at[i]->blender, status, now_ms);
}

void pool_done(struct pool *pool)
{
    for (int i = 0; i < POOL_SEATS; i++)
        seat_close(&pool->at[i]);
}
