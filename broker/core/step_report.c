/* SPDX-License-Identifier: Apache-2.0
 *
 * One lease of a STATE: its results, its end, and whether it is a lease at all
 * any more. Results count once; a report of a lease that was superseded within
 * this broker epoch changes nothing (fencing). One of an earlier epoch that the
 * ledger does not know is adopted while its frames are not done; if it is over
 * its pictures count, but its failure does not: that may have been counted.
 */
#include "broker/core/core_internal.h"

#include <assert.h>

static void order_ack(struct step *step, const struct msg_ack *ack)
{
    step->acks[step->n_acks++] = *ack;
}

static void order_close(struct step *step, const struct msg_lease *entry)
{
    order_ack(step, &(struct msg_ack){entry->lease, 1, 0, true});
}

static void order_revoke(struct step *step, const struct agent *agent,
                         const struct msg_lease *entry, const char *why)
{
    struct event event = {.type = EVENT_REVOKED,
                          .job = entry->job,
                          .agent = agent->name,
                          .lease = entry->lease,
                          .text = why};
    step_emit(step, &event);
}

/* The ordinals of an entry's frames, where they are one run of the job. */
static bool entry_run(const struct job *job, const struct msg_lease *entry,
                      int32_t *ret_lo, int32_t *ret_hi)
{
    int32_t lo = frames_ordinal(&job->frames, entry->from);
    int32_t last = frames_ordinal(&job->frames, entry->to);
    if (lo < 0 || last < lo)
        return false;
    const struct span *span = frames_run(&job->frames, lo);
    bool one_span = span == frames_run(&job->frames, last);
    if (!one_span || (last > lo && span->step != entry->step))
        return false;
    *ret_lo = lo;
    *ret_hi = last + 1;
    return true;
}

/* The job of a lease that this epoch did not grant and the ledger does not
 * know, while reports of it count: not once its job was retried, for then they
 * may be of pictures and failures from before; nor under an id that is taken.
 */
static struct job *job_of_unknown(const struct core *core,
                                  const struct msg_lease *entry)
{
    struct job *job = job_find(core, entry->job);
    uint64_t epoch = LEASE_EPOCH(entry->lease);
    if (!job || epoch >= core->epoch || entry->lease <= job->fence ||
        lease_find(core, entry->lease))
        return NULL;
    return job;
}

static bool is_open(const struct job *job, int32_t lo, int32_t hi)
{
    return ranges_meets(&job->in[FRAME_PENDING], lo, hi) ||
           ranges_meets(&job->in[FRAME_LEASED], lo, hi);
}

static struct lease *adopt(struct step *step, const struct agent *agent,
                           const struct msg_lease *entry)
{
    struct core *core = step->core;
    const struct job *job = job_of_unknown(core, entry);
    int32_t lo, hi;
    if (!job || !entry_run(job, entry, &lo, &hi) || !is_open(job, lo, hi))
        return NULL;
    struct event event = {.type = EVENT_LEASED,
                          .job = job->id,
                          .agent = agent->name,
                          .lease = entry->lease,
                          .lo = lo,
                          .hi = hi};
    step_emit(step, &event);
    return lease_find(core, entry->lease);
}

static void report_done(struct step *step, const struct agent *agent,
                        const struct job *job, const struct msg_lease *entry,
                        const struct msg_result *result)
{
    int32_t ordinal = frames_ordinal(&job->frames, result->frame);
    struct event event = {.type = EVENT_DONE,
                          .job = job->id,
                          .agent = agent->name,
                          .lease = entry->lease,
                          .lo = ordinal,
                          .hi = ordinal + 1,
                          .number = result->ms,
                          .text = result->files,
                          .detail = agent->node.blender};
    step_emit(step, &event);
}

/* What a result is good for: a lease's own frame, once; of a lease that is not
 * known any frame that has not ended yet. */
static bool result_counts(const struct job *job, const struct lease *lease,
                          const struct msg_result *result)
{
    int32_t at = frames_ordinal(&job->frames, result->frame);
    if (at < 0)
        return false;
    return lease ? ranges_has(&lease->left, at) : is_open(job, at, at + 1);
}

/* Tells whether any counted. */
static bool report_results(struct step *step, const struct agent *agent,
                           struct job *job, const struct lease *lease,
                           const struct msg_lease *entry)
{
    bool any = false;
    for (size_t i = 0; i < entry->n_results; i++) {
        if (!result_counts(job, lease, &entry->results[i]))
            continue;
        report_done(step, agent, job, entry, &entry->results[i]);
        any = true;
    }
    if (!any)
        return false;
    bench_judge(step, job);
    if (!lease || job->doubled)
        step_unneeded(step, job, lease);
    return true;
}

/* Frames of an agent that is so slow that others had all of them first: they
 * are of no use, but its next batch is cut by what they took. */
static void report_pace(struct step *step, const struct lease *lease,
                        const struct msg_lease *entry)
{
    int64_t ms = 0;
    for (size_t i = 0; i < entry->n_results; i++)
        ms += entry->results[i].ms;
    struct event event = {.type = EVENT_PACED,
                          .job = lease->job->id,
                          .agent = lease->agent->name,
                          .lease = lease->id};
    if (entry->n_results == 0)
        return;
    event.number = (int32_t)(ms / (int64_t)entry->n_results);
    step_emit(step, &event);
}

/* Everything listed is in the ledger, on its way there, or of no use: the agent
 * may drop it, and must, to have room for the rest. In runs, so that an
 * acknowledgement names nothing that was not listed. */
static void order_acks(struct step *step, const struct msg_lease *entry)
{
    size_t first = 0;
    for (size_t i = 1; i <= entry->n_results; i++) {
        const struct msg_result *before = &entry->results[i - 1];
        bool goes_on = i < entry->n_results &&
                       before[1].frame == before->frame + entry->step;
        if (goes_on)
            continue;
        order_ack(step,
                  &(struct msg_ack){entry->lease, entry->results[first].frame,
                                    before->frame, false});
        first = i;
    }
}

/* A lease the broker knows nothing of (any more). */
static void report_unknown(struct step *step, const struct agent *agent,
                           const struct msg_lease *entry)
{
    struct job *job = job_of_unknown(step->core, entry);
    if (!LEASE_OVER(entry->status)) {
        order_acks(step, entry);
        if (entry->status != LEASE_STOPPING)
            order_revoke(step, agent, entry, "the lease is over");
        return;
    }
    if (job)
        report_results(step, agent, job, NULL, entry);
    order_close(step, entry);
}

static void report_range(struct step *step, const struct lease *lease,
                         const struct msg_lease *entry)
{
    int32_t last = frames_ordinal(&lease->job->frames, entry->to);
    if (last + 1 <= lease->lo || last + 1 >= lease->hi)
        return;
    struct event event = {.type = EVENT_SHORTENED,
                          .job = lease->job->id,
                          .agent = lease->agent->name,
                          .lease = lease->id,
                          .lo = last + 1,
                          .hi = lease->hi};
    step_emit(step, &event);
}

static void report_progress(struct step *step, const struct lease *lease,
                            const struct msg_lease *entry)
{
    bool same = entry->frame == lease->frame;
    if (same && (entry->permille == lease->permille ||
                 step->core->now_ms < lease->progress_ms + CORE_PROGRESS_MS))
        return;
    struct event event = {.type = EVENT_PROGRESS,
                          .job = lease->job->id,
                          .agent = lease->agent->name,
                          .lease = lease->id,
                          .lo = entry->frame,
                          .number = entry->permille};
    step_emit(step, &event);
}

static void fail_job(struct step *step, struct job *job,
                     const struct lease *lease, enum fault fault,
                     const char *text)
{
    struct ranges all = {0};
    ranges_add_all(&all, &job->in[FRAME_PENDING]);
    ranges_add_all(&all, &job->in[FRAME_LEASED]);
    const struct ranges *rest = step_ranges(step, &all);
    ranges_free(&all);
    struct event event = {.type = EVENT_FAILED,
                          .job = job->id,
                          .agent = lease->agent->name,
                          .lease = lease->id,
                          .frames = rest,
                          .flag = true,
                          .fault = (int32_t)fault,
                          .text = text};
    if (rest->count > 0)
        step_emit(step, &event);
    step_unneeded(step, job, lease);
}

/* A second copy charges nothing: the frame is another's, which goes on. */
static void charge_frame(struct step *step, const struct lease *lease,
                         int32_t ordinal, enum fault fault, const char *text)
{
    struct job *job = lease->job;
    const struct attempt *attempt = job_attempt_find(job, ordinal);
    int32_t charges = attempt ? attempt->charges : 0;
    bool copy = !ranges_has(&lease->held, ordinal);
    struct event event = {.type = EVENT_CHARGED,
                          .job = job->id,
                          .agent = lease->agent->name,
                          .lease = lease->id,
                          .lo = ordinal,
                          .hi = ordinal + 1,
                          .flag = copy,
                          .fault = (int32_t)fault,
                          .text = text};
    if (!copy && charges + 1 >= job_max_attempts(step->core, job)) {
        struct range run = {ordinal, ordinal + 1};
        struct ranges one = {.at = &run, .n = 1, .count = 1};
        event.type = EVENT_FAILED;
        event.frames = step_ranges(step, &one);
    }
    step_emit(step, &event);
}

/* The frame that pays for a failed launch: the one the agent names, or the
 * first that is left where it names none; -1 when there is none, or the lease
 * has paid and the broker crashed before it was released. */
static int32_t blamed(const struct lease *lease, const struct msg_lease *entry)
{
    int32_t at = frames_ordinal(&lease->job->frames, entry->blamed);
    if (lease->charged)
        return -1;
    if (entry->blamed >= 0)
        return ranges_has(&lease->left, at) ? at : -1;
    const struct ranges *of = lease->held.n > 0 ? &lease->held : &lease->left;
    return of->n > 0 ? of->at[0].lo : -1;
}

/* Agents that render the job now, and have not met what others met, will show
 * soon whether all frames do. */
static bool others_render(const struct job *job)
{
    const struct lease *lease;
    DL_FOREACH2 (job->leases, lease, job_next)
        if (lease->agent->life == AGENT_UP && !lease->late &&
            !LEASE_OVER(lease->status) &&
            !names_have(job->likely, lease->agent->name))
            return true;
    return false;
}

static bool all_would_meet_it(const struct core *core, const struct job *job)
{
    const struct agent_name *witnesses = job->likely;
    if (!witnesses || others_render(job))
        return false;
    return witnesses->next || !sched_others_able(core, job, witnesses);
}

static void report_failed(struct step *step, const struct lease *lease,
                          const struct msg_lease *entry, enum fault fault)
{
    struct job *job = lease->job;
    if (fault_reach(fault) == FAULT_REACH_JOB) {
        fail_job(step, job, lease, fault, entry->text);
        return;
    }
    if (fault == FAULT_NODE_DOWN)
        lost_node(step, lease, entry);
    if (fault_charge(fault) != FAULT_CHARGE_FRAME)
        return;
    int32_t at = blamed(lease, entry);
    if (at >= 0)
        charge_frame(step, lease, at, fault, entry->text);
    if (fault_reach(fault) == FAULT_REACH_LIKELY &&
        all_would_meet_it(step->core, job))
        fail_job(step, job, lease, fault, entry->text);
}

static void report_end(struct step *step, const struct lease *lease,
                       const struct msg_lease *entry)
{
    enum fault fault = FAULT_NONE;
    if (entry->status == LEASE_FAILED)
        fault = (enum fault)entry->fault;
    else if (entry->status == LEASE_STOPPED)
        fault = FAULT_STOPPED;
    else if (lease->left.count > 0)
        fault = FAULT_UNPROVEN; /* done, it says, without having shown it */
    if (fault != FAULT_NONE && fault != FAULT_STOPPED)
        report_failed(step, lease, entry, fault);
    step_release(step, lease, fault);
    order_close(step, entry);
}

void step_report(struct step *step, struct agent *agent,
                 const struct msg_lease *entry)
{
    const struct lease *lease = lease_named(step->core, agent, entry);
    if (!lease && !LEASE_OVER(entry->status))
        lease = adopt(step, agent, entry);
    if (!lease) {
        report_unknown(step, agent, entry);
        return;
    }
    report_range(step, lease, entry);
    bool any = report_results(step, agent, lease->job, lease, entry);
    if (LEASE_OVER(entry->status)) {
        if (!any && agent->node.classic)
            report_pace(step, lease, entry);
        report_end(step, lease, entry);
        return;
    }
    order_acks(step, entry);
    report_progress(step, lease, entry);
    if (entry->status != LEASE_STOPPING)
        step_order(step, lease, true);
}
