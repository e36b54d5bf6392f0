/* SPDX-License-Identifier: Apache-2.0
 *
 * The replay, and what is told of it.
 */
#include "broker/recovery.h"

#include <inttypes.h>
#include <stdio.h>

#include "broker/core/state.h"
#include "common/app/clock.h"
#include "common/app/log.h"

#define WHY_SIZE 512

/* A replay in progress: the first event that does not fit ends it. */
struct replay {
    struct core *core;
    int64_t events;
    char why[WHY_SIZE];
};

static void replay_event(void *ctx, const struct event *event)
{
    struct replay *replay = ctx;
    if (replay->why[0] != '\0')
        return;
    (void)core_replay(replay->core, event, replay->why, sizeof replay->why);
    replay->events++;
}

/* Jobs that ended shortly before the last broker did. */
static void pack_ended(struct store *store, const struct core *core)
{
    const struct job *job;
    DL_FOREACH (core->jobs, job)
        if (job_ended(job) && !job->leases && !job->packed)
            store_pack(store, job->id);
}

void recovery_replay(struct store *store, struct core *core, const char *dir)
{
    char why[WHY_SIZE];
    struct replay replay = {.core = core};
    int64_t from_ms = clock_boot_ms();
    int64_t last = store_replay(store, replay_event, &replay, why, sizeof why);
    if (last < 0 || replay.why[0] != '\0')
        log_fatal(1, "the ledger in %s cannot be replayed: %s", dir,
                  last < 0 ? why : replay.why);
    log_info("replayed",
             "jobs=%" PRId32 " events=%" PRId64 " done=%" PRId64
             " leases=%u ms=%" PRId64 " last_end=%s",
             core->n_jobs, replay.events, core->totals[FRAME_DONE],
             HASH_COUNT(core->leases), clock_boot_ms() - from_ms,
             store_orderly(store) ? "orderly" : "cut");
    pack_ended(store, core);
}

static int32_t count_open(const struct core *core)
{
    int32_t n = 0;
    const struct job *job;
    DL_FOREACH (core->jobs, job)
        n += !job_ended(job);
    return n;
}

void recovery_check(struct core *core, const char *dir)
{
    char why[WHY_SIZE];
    struct replay replay = {.core = core};
    bool sound = store_verify(dir, replay_event, &replay, why, sizeof why);
    if (!sound || replay.why[0] != '\0')
        log_fatal(1, "the ledger in %s is not sound, or not to be read: %s",
                  dir, sound ? replay.why : why);
    printf("%s: sound, %" PRId64 " events, %" PRId32 " jobs (%" PRId32
           " open), %" PRId64 " frames done, digest %016" PRIx64 "\n",
           dir, replay.events, core->n_jobs, count_open(core),
           core->totals[FRAME_DONE], core_digest(core));
}
