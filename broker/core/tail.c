/* SPDX-License-Identifier: Apache-2.0
 *
 * The tail of a job, when nothing is pending and somebody has nothing to do. Of
 * the lease that ends last, what it has not begun is shared out anew where its
 * node can stop early (the frames are pending once the agent says so), and
 * copied where it cannot and the copy is expected first. A lease that shows
 * nothing for far longer than its job's frames take may hang, or may have met a
 * frame ten times as hard; nobody can tell from here, so it is copied too.
 * Nothing is ended and nobody charged on an estimate: the first whole result
 * counts, and what is then not needed is stopped. At most one extra copy of a
 * frame.
 */
#include "broker/core/core_internal.h"

#include <math.h>

/* Patience: a launch, and three times the longest frame seen, for each frame
 * that is due; never less than five seconds, under which nobody is late. */
#define TAIL_LEAST_MS  5000
#define TAIL_LAUNCH_MS 2000
#define TAIL_TIMES     3

/* What is worth a disturbance: this part of the time that is left, and what
 * messages take. A frame in work is copied by one that ends it in this part of
 * that time. */
#define TAIL_GAIN    0.03
#define TAIL_BEGUN   0.7
#define TAIL_WIRE_MS 3.0

/* A copy is work done twice: for less nobody makes one. */
#define TAIL_COPY_MS 500.0

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
    const struct attempt *attempt =
        job->attempts ? job_attempt_find(job, ordinal) : NULL;
    if (attempt && attempt->copies >= job_max_attempts(core, job))
        return false;
    return !lost_keeps(agent, job, ordinal) &&
           !sched_spares(core, job, agent, ordinal, lease->agent);
}

/* The part of a run that is for this agent to try, from its first such frame
 * on; empty when there is none. */
static struct range copy_run(const struct core *core, const struct lease *lease,
                             const struct agent *agent, struct range of)
{
    struct range run = of;
    while (run.lo < of.hi && !frame_fits(core, lease, agent, run.lo))
        run.lo++;
    int32_t most = run.lo < of.hi ? sched_most(agent, lease->job, run.lo) : 0;
    for (run.hi = run.lo; run.hi < of.hi && run.hi - run.lo < most; run.hi++)
        if (!frame_fits(core, lease, agent, run.hi))
            break;
    return run;
}

static bool copy_grant(struct step *step, const struct lease *lease,
                       const struct agent *agent, struct range run)
{
    if (run.lo >= run.hi)
        return false;
    sched_lease(step, agent, lease->job, run, true);
    return true;
}

/* The same ahead of time: not of frames that failed, whose tries are counted.
 */
static bool copy_early(struct step *step, const struct lease *lease,
                       const struct agent *agent, struct range run)
{
    const struct job *job = lease->job;
    for (int32_t at = run.lo; job->attempts && at < run.hi; at++)
        if (job_attempt_find(job, at))
            return false;
    return copy_grant(step, lease, agent, run);
}

/* Whether the agent may render what the lease holds. */
static bool may_help(const struct core *core, const struct lease *lease,
                     const struct agent *agent)
{
    const struct job *job = lease->job;
    if (lease->agent == agent || lease->held.count == 0 ||
        LEASE_OVER(lease->status))
        return false;
    return !job->paused && job->gate <= core->committed &&
           sched_able(agent, job) && sched_welcome(agent, job) &&
           !sched_keeps(core, job, agent, lease->agent);
}

/* --- What a lease that is late holds. --- */

static bool overdue_copy(struct step *step, const struct lease *lease,
                         const struct agent *agent)
{
    if (!is_overdue(step->core, lease))
        return false;
    struct range run = copy_run(step->core, lease, agent, lease->held.at[0]);
    if (has_copy(lease, run.lo, run.hi))
        return false;
    return copy_grant(step, lease, agent, run);
}

/* --- What leases that can end early have not begun. --- */

/* The number (ordinal) of the nth of a set; n < count. */
static int32_t nth_of(const struct ranges *set, int32_t n)
{
    int32_t i = 0;
    while (n >= set->at[i].hi - set->at[i].lo)
        n -= set->at[i].hi - set->at[i].lo, i++;
    return set->at[i].lo + n;
}

static bool gives_back(const struct job *job)
{
    const struct lease *lease;
    DL_FOREACH2 (job->leases, lease, job_next)
        if (lease_gives(lease))
            return true;
    return false;
}

static void trim_emit(struct step *step, const struct lease *lease,
                      int32_t last)
{
    struct event event = {.type = EVENT_TRIMMED,
                          .job = lease->job->id,
                          .agent = lease->agent->name,
                          .lease = lease->id,
                          .number = frames_number(&lease->job->frames, last),
                          .flag = true};
    step_emit(step, &event);
}

/* Leaves a lease what it can render up to the level. */
static bool trim_to(struct step *step, const struct lease *lease, double level)
{
    struct ranges set = {0};
    lease_unbegun(lease, &set);
    double ms = level - lease_end_ms(step->core, lease, 0);
    double keep = floor(ms / lease_frame_ms(step->core, lease) + 0.001);
    int32_t least = lease_tells(lease) ? 0 : 1;
    int32_t n = keep > least ? (int32_t)fmin(keep, set.count) : least;
    bool gives = n < set.count;
    if (gives)
        trim_emit(step, lease, nth_of(&set, n) - 1);
    ranges_free(&set);
    return gives;
}

/* What the lease takes at least, however much of it others take over. */
static double least_ms(const struct core *core, const struct lease *lease)
{
    return lease_end_ms(core, lease, lease_tells(lease) ? 0.0 : 1.0);
}

/* Evens out the job of the lease that ends last: what its leases have not begun
 * is shared out anew, so that all end together. What they give back is pending
 * once they have done it, and is granted then. */
static bool even_out(struct step *step, const struct lease *last, double end_ms)
{
    const struct job *job = last->job;
    const struct lease *lease;
    double frames = job->in[FRAME_PENDING].count;
    bool any = false;
    DL_FOREACH2 (job->leases, lease, job_next)
        frames += lease_can_give(lease) ? lease_unbegun_count(lease) : 0;
    double level = level_ms(step, job, frames, true);
    double then_ms = fmax(level, least_ms(step->core, last));
    if (end_ms - then_ms < TAIL_GAIN * end_ms + TAIL_WIRE_MS)
        return false;
    DL_FOREACH2 (job->leases, lease, job_next)
        if (lease_can_give(lease))
            any = trim_to(step, lease, level) || any;
    return any;
}

/* --- What others can only copy. --- */

static bool is_silent(const struct lease *lease)
{
    return lease->agent->node.classic && !lease_tells(lease);
}

/* Who is away may have rendered all of it, and will say so when it is back: the
 * orphan grace and the lease time say how long that is waited for. */
static bool is_away(const struct agent *agent)
{
    return !agent->known || agent->life != AGENT_UP;
}

/* How many of the last of so many frames the agent should copy. Of an agent
 * that does not tell frame by frame all pictures come at its end: all are to be
 * copied, by all who can. */
static double copy_share(const struct step *step, const struct lease *lease,
                         const struct agent *agent, double frames,
                         double end_ms)
{
    const struct core *core = step->core;
    double frame_ms = pace_frame_ms(core, agent, lease->job);
    double launch_ms = pace_launch_ms(agent);
    double n = 0.0;
    if (is_silent(lease))
        n = ceil((level_ms(step, lease->job, frames, false) - launch_ms) /
                     frame_ms -
                 0.01);
    else
        n = round((end_ms - launch_ms) /
                  (frame_ms + lease_frame_ms(core, lease)));
    n = fmin(fmax(n, 1.0), frames);
    double gain = end_ms - (launch_ms + n * frame_ms);
    return gain > TAIL_GAIN * end_ms + TAIL_COPY_MS ? n : 0.0;
}

static bool copy_last(struct step *step, const struct lease *lease,
                      const struct agent *agent, double end_ms)
{
    struct ranges set = {0};
    struct range run = {0, 0};
    lease_unbegun(lease, &set);
    if (set.count > 0) {
        double n = copy_share(step, lease, agent, set.count, end_ms);
        run = set.at[set.n - 1];
        if (run.hi - run.lo > (int32_t)n)
            run.lo = run.hi - (int32_t)n;
        run = copy_run(step->core, lease, agent, run);
    }
    ranges_free(&set);
    return copy_early(step, lease, agent, run);
}

/* The frame in work, by one that needs far less time for all of it. */
static bool copy_begun(struct step *step, const struct lease *lease,
                       const struct agent *agent, double end_ms)
{
    const struct core *core = step->core;
    int32_t at = frames_ordinal(&lease->job->frames, lease->frame);
    double ms = pace_launch_ms(agent) + pace_frame_ms(core, agent, lease->job);
    struct range run = {at, at + 1};
    if (!lease_tells(lease) || !ranges_has(&lease->held, at) ||
        has_copy(lease, at, at + 1) || ms > TAIL_BEGUN * end_ms ||
        end_ms - ms < TAIL_COPY_MS)
        return false;
    run = copy_run(core, lease, agent, run);
    return copy_early(step, lease, agent, run);
}

/* --- The tail. --- */

static double end_of(const struct core *core, const struct lease *lease)
{
    return lease_end_ms(core, lease, lease_unbegun_count(lease));
}

/* Shortens, or copies, what will end last. */
static bool help(struct step *step, const struct lease *lease,
                 const struct agent *agent)
{
    double end_ms = end_of(step->core, lease);
    if (gives_back(lease->job))
        return false;
    bool gives = lease_can_give(lease) && lease_unbegun_count(lease) > 0;
    if (gives && even_out(step, lease, end_ms))
        return true;
    if (lease->job->times.n == 0 || is_away(lease->agent))
        return false;
    return (!gives && copy_last(step, lease, agent, end_ms)) ||
           copy_begun(step, lease, agent, end_ms);
}

static const struct lease *last_to_end(const struct core *core,
                                       const struct agent *agent)
{
    const struct lease *lease, *last = NULL;
    double last_ms = 0.0;
    for (lease = core->leases; lease; lease = lease->hh.next) {
        if (!may_help(core, lease, agent))
            continue;
        double end_ms = end_of(core, lease);
        if (end_ms > last_ms) {
            last = lease;
            last_ms = end_ms;
        }
    }
    return last;
}

static void serve(struct step *step, const struct agent *agent)
{
    const struct core *core = step->core;
    const struct lease *lease;
    for (lease = core->leases; lease; lease = lease->hh.next)
        if (may_help(core, lease, agent) && overdue_copy(step, lease, agent))
            return;
    lease = last_to_end(core, agent);
    if (lease)
        help(step, lease, agent);
}

void tail_run(struct step *step)
{
    struct agent *agent, *next;
    for (agent = step->core->idle; agent; agent = next) {
        next = agent->idle_next;
        serve(step, agent);
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
