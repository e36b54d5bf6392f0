/* SPDX-License-Identifier: Apache-2.0
 *
 * Second copies. A lease that shows nothing for far longer than its job's
 * frames take may hang, or may have met a frame ten times as hard; nobody can
 * tell from here. So nothing is ended and nobody charged: an agent with nothing
 * better to do renders the same frames, the first whole result counts, and what
 * is then not needed is stopped. At most one extra copy of a frame.
 */
#include "broker/core/core_internal.h"

/* Patience: a launch, and three times the longest frame seen, for each frame
 * that is due; never less than five seconds, under which nobody is late. */
#define TAIL_LEAST_MS  5000
#define TAIL_LAUNCH_MS 2000
#define TAIL_TIMES     3

/* When a lease counts as overdue, in ms as now; INT64_MAX: never, as long as
 * nobody knows what frames of the job take. A node that does not tell frame by
 * frame may be at the last one of its lease. */
static int64_t overdue_ms(const struct lease *lease)
{
    const struct times *times = &lease->job->times;
    if (times->n == 0 || lease->held.count == 0 || LEASE_OVER(lease->status))
        return INT64_MAX;
    int64_t frames = lease->frame >= 0 ? 1 : lease->left.count;
    int64_t patience = TAIL_LAUNCH_MS + TAIL_TIMES * times->max_ms * frames;
    if (patience < TAIL_LEAST_MS)
        patience = TAIL_LEAST_MS;
    return lease->news_ms + patience;
}

static bool has_copy(const struct lease *lease, int32_t lo, int32_t hi)
{
    const struct lease *other;
    DL_FOREACH2 (lease->job->leases, other, job_next)
        if (other != lease && ranges_meets(&other->left, lo, hi))
            return true;
    return false;
}

static bool copy_fits(const struct core *core, const struct lease *lease,
                      const struct agent *agent)
{
    const struct job *job = lease->job;
    if (overdue_ms(lease) > core->now_ms || lease->agent == agent)
        return false;
    if (job->paused || job->gate > core->committed || !sched_able(agent, job) ||
        !sched_welcome(agent, job))
        return false;
    const struct range *run = &lease->held.at[0];
    return !has_copy(lease, run->lo, run->hi);
}

static const struct lease *copy_find(const struct core *core,
                                     const struct agent *agent)
{
    const struct lease *lease;
    for (lease = core->leases; lease; lease = lease->hh.next)
        if (copy_fits(core, lease, agent))
            return lease;
    return NULL;
}

static void copy_grant(struct step *step, const struct agent *agent,
                       const struct lease *lease)
{
    struct range run = lease->held.at[0];
    int32_t most = sched_most(agent, lease->job, run.lo);
    if (run.hi - run.lo > most)
        run.hi = run.lo + most;
    sched_lease(step, agent, lease->job, run, true);
}

void tail_run(struct step *step)
{
    struct agent *agent, *next;
    for (agent = step->core->idle; agent; agent = next) {
        next = agent->idle_next;
        const struct lease *lease = copy_find(step->core, agent);
        if (lease)
            copy_grant(step, agent, lease);
    }
}

void tail_watch(struct core *core)
{
    const struct lease *lease;
    for (lease = core->leases; lease; lease = lease->hh.next) {
        int64_t due = overdue_ms(lease);
        if (due > core->now_ms)
            core_due(core, due);
        else
            core->wake = core->wake || core->idle != NULL;
    }
}
