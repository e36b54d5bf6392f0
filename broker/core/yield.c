/* SPDX-License-Identifier: Apache-2.0
 *
 * Making room. A job that comes when all slots are taken waits for a frame, not
 * for the batches ahead of it: leases of those who have more than their part,
 * or whose work is less urgent, end after the frame they render. Nothing that
 * was begun is thrown away. Where nodes cannot stop early, the job waits.
 */
#include "broker/core/core_internal.h"

/* The order to end after the frame in work, or the first. */
static void trim_after(struct step *step, const struct lease *lease)
{
    int32_t first = frames_number(&lease->job->frames, lease->lo);
    struct event event = {.type = EVENT_TRIMMED,
                          .job = lease->job->id,
                          .agent = lease->agent->name,
                          .lease = lease->id,
                          .number = lease_tells(lease) ? lease->frame : first};
    step_emit(step, &event);
}

/* A slot that falls free after its frame in work. */
static bool ends_soon(const struct lease *lease)
{
    return lease_tells(lease) && lease_unbegun_count(lease) == 0;
}

/* Slots that the owner of the lease has more than the owner of the job, or, of
 * less urgent work, all; of a huge job beside a small one, what that may have
 * more. */
static int32_t surplus(const struct lease *lease, const struct job *job)
{
    const struct job *other = lease->job;
    if (other->priority != job->priority)
        return other->priority < job->priority ? INT32_MAX : 0;
    if (sched_small_first(job, other))
        return job->owner->leases - 2 * job->owner->small + 1;
    return other->owner->leases - job->owner->leases;
}

static bool may_take(const struct core *core, const struct job *job,
                     const struct lease *lease)
{
    return lease->job != job && lease->agent->life == AGENT_UP &&
           sched_able(lease->agent, job) && sched_welcome(lease->agent, job) &&
           !sched_keeps(core, job, lease->agent, NULL);
}

/* The lease that makes room soonest, of whoever has most to spare. */
static const struct lease *next_to_end(const struct core *core,
                                       const struct job *job, int32_t *ret_most)
{
    const struct lease *lease, *next = NULL;
    double next_ms = 0.0;
    *ret_most = 0;
    for (lease = core->leases; lease; lease = lease->hh.next) {
        int32_t spare = surplus(lease, job);
        if (spare < 2 || spare < *ret_most || !may_take(core, job, lease) ||
            !lease_can_give(lease) || ends_soon(lease))
            continue;
        double ms = lease_end_ms(core, lease, lease_tells(lease) ? 0.0 : 1.0);
        if (next && spare == *ret_most && ms >= next_ms)
            continue;
        next = lease;
        next_ms = ms;
        *ret_most = spare;
    }
    return next;
}

/* Slots that fall free soon, for the job among others. */
static int32_t coming(const struct core *core, const struct job *job)
{
    const struct lease *lease;
    int32_t n = 0;
    for (lease = core->leases; lease; lease = lease->hh.next)
        if (may_take(core, job, lease) &&
            (lease_gives(lease) || ends_soon(lease)))
            n++;
    return n;
}

static void make_room(struct step *step, const struct job *job)
{
    const struct core *core = step->core;
    int32_t n = coming(core, job), most = 0;
    for (; n < job->in[FRAME_PENDING].count; n++) {
        const struct lease *lease = next_to_end(core, job, &most);
        if (!lease || n >= most / 2)
            return;
        trim_after(step, lease);
    }
}

/* The job of a rank that is to go next: of the user with the fewest slots, the
 * oldest or a small one before it. */
static const struct job *next_job(const struct core *core, int priority)
{
    const struct queue *queue, *best = NULL;
    DL_FOREACH2 (core->rank[priority], queue, rank_next)
        if (!best || queue->user->leases < best->user->leases)
            best = queue;
    if (!best)
        return NULL;
    bool small = best->small && sched_small_first(best->small, best->jobs);
    return small ? best->small : best->jobs;
}

void yield_run(struct step *step)
{
    for (int priority = 100; priority >= 0; priority--) {
        const struct job *job = next_job(step->core, priority);
        if (!job)
            continue;
        make_room(step, job);
        return;
    }
}
