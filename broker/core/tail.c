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

/* When a lease is late, in ms as now; INT64_MAX: it is over. A node that does
 * not tell frame by frame may be at the last one of its lease; one of a job of
 * which nobody knows what frames take, for as long as nodes allow Blender to
 * hang. */
int64_t why_late_ms(const struct lease *lease)
{
    const struct times *times = &lease->job->times;
    if (LEASE_OVER(lease->status))
        return INT64_MAX;
    if (times->n == 0)
        return lease->news_ms + LIMIT_SILENCE_MS;
    int64_t frames = lease->frame >= 0 ? 1 : lease->left.count;
    int64_t patience = TAIL_LAUNCH_MS + TAIL_TIMES * times->max_ms * frames;
    if (patience < TAIL_LEAST_MS)
        patience = TAIL_LEAST_MS;
    return lease->news_ms + patience;
}

/* Tells whether it is late enough for a second copy: not of a copy, nor while
 * nobody knows what frames of the job take. */
static bool is_overdue(const struct core *core, const struct lease *lease)
{
    return lease->job->times.n > 0 && lease->held.count > 0 &&
           why_late_ms(lease) <= core->now_ms;
}

static bool has_copy(const struct lease *lease, int32_t lo, int32_t hi)
{
    const struct lease *other;
    DL_FOREACH2 (lease->job->leases, other, job_next)
        if (other != lease && ranges_meets(&other->left, lo, hi))
            return true;
    return false;
}

/* Copies that fail cost no attempts, so there is an end to them of its own. */
static bool frame_fits(const struct core *core, const struct lease *lease,
                       const struct agent *agent, int32_t ordinal)
{
    const struct job *job = lease->job;
    const struct attempt *attempt = job_attempt_find(job, ordinal);
    if (attempt && attempt->copies >= job_max_attempts(core, job))
        return false;
    return !lost_keeps(agent, job, ordinal) &&
           !sched_spares(core, job, agent, ordinal, lease->agent);
}

/* The first run of what the lease holds that is for this agent to try; empty
 * when none is. */
static struct range copy_run(const struct core *core, const struct lease *lease,
                             const struct agent *agent)
{
    struct range held = lease->held.at[0];
    struct range run = {held.lo, held.hi};
    while (run.lo < held.hi && !frame_fits(core, lease, agent, run.lo))
        run.lo++;
    int32_t most = run.lo < held.hi ? sched_most(agent, lease->job, run.lo) : 0;
    for (run.hi = run.lo; run.hi < held.hi && run.hi - run.lo < most; run.hi++)
        if (!frame_fits(core, lease, agent, run.hi))
            break;
    return run;
}

static bool copy_fits(const struct core *core, const struct lease *lease,
                      const struct agent *agent, struct range *ret)
{
    const struct job *job = lease->job;
    if (!is_overdue(core, lease) || lease->agent == agent)
        return false;
    if (job->paused || job->gate > core->committed || !sched_able(agent, job) ||
        !sched_welcome(agent, job) ||
        sched_keeps(core, job, agent, lease->agent))
        return false;
    *ret = copy_run(core, lease, agent);
    return ret->lo < ret->hi && !has_copy(lease, ret->lo, ret->hi);
}

static void copy_grant(struct step *step, const struct agent *agent)
{
    const struct lease *lease;
    struct range run;
    for (lease = step->core->leases; lease; lease = lease->hh.next)
        if (copy_fits(step->core, lease, agent, &run)) {
            sched_lease(step, agent, lease->job, run, true);
            return;
        }
}

void tail_run(struct step *step)
{
    struct agent *agent, *next;
    for (agent = step->core->idle; agent; agent = next) {
        next = agent->idle_next;
        copy_grant(step, agent);
    }
}

static void late_emit(struct step *step, const struct lease *lease)
{
    struct event event = {.type = EVENT_LATE,
                          .job = lease->job->id,
                          .agent = lease->agent->name,
                          .lease = lease->id};
    step_emit(step, &event);
}

void tail_watch(struct step *step)
{
    struct core *core = step->core;
    const struct lease *lease;
    for (lease = core->leases; lease; lease = lease->hh.next) {
        int64_t due = why_late_ms(lease);
        if (due > core->now_ms)
            core_due(core, due);
        else if (!lease->late)
            late_emit(step, lease);
        else
            core->wake = core->wake || core->idle != NULL;
    }
}
