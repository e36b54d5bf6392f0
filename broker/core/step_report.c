/* SPDX-License-Identifier: Apache-2.0
 *
 * One lease of a STATE: its results, its end, and whether it is a lease at all
 * any more. Results count once; a report of a lease that was superseded within
 * this broker epoch changes nothing (fencing); one of an earlier epoch that the
 * ledger does not know is adopted while its frames are not done.
 */
#include "broker/core/core_internal.h"

#include <assert.h>

static void order_ack(struct step *step, const struct agent *agent,
                      uint64_t lease, int32_t from, int32_t to, bool closed)
{
    struct event event = {.type = EVENT_ACKED,
                          .agent = agent->name,
                          .lease = lease,
                          .lo = from,
                          .hi = to,
                          .flag = closed};
    step_emit(step, &event);
}

static void order_close(struct step *step, const struct agent *agent,
                        const struct msg_lease *entry)
{
    order_ack(step, agent, entry->lease, 1, 0, true);
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

/* The broker knows nothing of it (any more). */
static void report_unknown(struct step *step, const struct agent *agent,
                           const struct msg_lease *entry)
{
    if (LEASE_OVER(entry->status))
        order_close(step, agent, entry);
    else
        order_revoke(step, agent, entry, "the lease is over");
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

static struct lease *adopt(struct step *step, const struct agent *agent,
                           const struct msg_lease *entry)
{
    struct core *core = step->core;
    const struct job *job = job_find(core, entry->job);
    uint64_t epoch = LEASE_EPOCH(entry->lease);
    int32_t lo, hi;
    if (!job || epoch == 0 || epoch >= core->epoch ||
        !entry_run(job, entry, &lo, &hi))
        return NULL;
    if (!ranges_meets(&job->in[FRAME_PENDING], lo, hi) &&
        !ranges_meets(&job->in[FRAME_LEASED], lo, hi))
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
                        const struct lease *lease, int32_t ordinal,
                        const struct msg_result *result)
{
    struct event event = {.type = EVENT_DONE,
                          .job = lease->job->id,
                          .agent = agent->name,
                          .lease = lease->id,
                          .lo = ordinal,
                          .hi = ordinal + 1,
                          .number = result->ms,
                          .text = result->files,
                          .detail = agent->node.blender};
    step_emit(step, &event);
}

/* Results that are in the ledger, or on their way there, are acknowledged in
 * runs, so that an acknowledgement names nothing that was not listed. */
static void report_results(struct step *step, const struct agent *agent,
                           const struct lease *lease,
                           const struct msg_lease *entry)
{
    struct job *job = lease->job;
    int32_t from = 1, to = 0;
    bool shared = false;
    for (size_t i = 0; i < entry->n_results; i++) {
        const struct msg_result *result = &entry->results[i];
        int32_t at = frames_ordinal(&job->frames, result->frame);
        if (at < lease->lo || at >= lease->hi)
            continue;
        if (ranges_has(&lease->left, at)) {
            shared = shared || job->leases != lease || lease->job_next;
            report_done(step, agent, lease, at, result);
        }
        if (from <= to && result->frame != to + entry->step) {
            order_ack(step, agent, lease->id, from, to, false);
            from = result->frame;
        } else if (from > to) {
            from = result->frame;
        }
        to = result->frame;
    }
    if (from <= to)
        order_ack(step, agent, lease->id, from, to, false);
    if (shared)
        step_unneeded(step, job, lease);
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
    struct ranges *rest = arena_new(step->arena, sizeof *rest);
    struct ranges all = {0};
    ranges_add_all(&all, &job->in[FRAME_PENDING]);
    ranges_add_all(&all, &job->in[FRAME_LEASED]);
    *rest = all;
    rest->at = arena_new(step->arena, (size_t)all.n * sizeof *rest->at);
    for (int32_t i = 0; i < all.n; i++)
        rest->at[i] = all.at[i];
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

static void charge_frame(struct step *step, const struct lease *lease,
                         int32_t ordinal, enum fault fault, const char *text)
{
    struct job *job = lease->job;
    const struct attempt *attempt = job_attempt_find(job, ordinal);
    int32_t charges = attempt ? attempt->charges : 0;
    struct event event = {.type = EVENT_CHARGED,
                          .job = job->id,
                          .agent = lease->agent->name,
                          .lease = lease->id,
                          .lo = ordinal,
                          .hi = ordinal + 1,
                          .fault = (int32_t)fault,
                          .text = text};
    if (charges + 1 >= job_max_attempts(step->core, job)) {
        struct ranges *one = arena_new(step->arena, sizeof *one);
        one->at = arena_new(step->arena, sizeof *one->at);
        one->at[0] = (struct range){ordinal, ordinal + 1};
        one->n = one->count = 1;
        event.type = EVENT_FAILED;
        event.frames = one;
    }
    step_emit(step, &event);
}

/* The frame that pays for a failed launch: the one the agent names, else the
 * first that is left; -1 when this lease owns none that could. */
static int32_t blamed(const struct lease *lease, const struct msg_lease *entry)
{
    int32_t at = frames_ordinal(&lease->job->frames, entry->blamed);
    if (at >= 0 && ranges_has(&lease->held, at))
        return at;
    return lease->held.n > 0 ? lease->held.at[0].lo : -1;
}

static void report_failed(struct step *step, const struct lease *lease,
                          const struct msg_lease *entry, enum fault fault)
{
    struct job *job = lease->job;
    if (fault_reach(fault) == FAULT_REACH_JOB) {
        fail_job(step, job, lease, fault, entry->text);
        return;
    }
    if (fault_charge(fault) != FAULT_CHARGE_FRAME)
        return;
    int32_t at = blamed(lease, entry);
    if (at >= 0)
        charge_frame(step, lease, at, fault, entry->text);
    if (fault_reach(fault) != FAULT_REACH_LIKELY || !job->likely)
        return;
    bool twice = job->likely->next != NULL;
    if (twice || !sched_others_able(step->core, job, job->likely, NULL))
        fail_job(step, job, lease, fault, entry->text);
}

static void report_end(struct step *step, const struct agent *agent,
                       const struct lease *lease, const struct msg_lease *entry)
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
    order_close(step, agent, entry);
}

void step_report(struct step *step, struct agent *agent,
                 const struct msg_lease *entry)
{
    const struct lease *lease = lease_find(step->core, entry->lease);
    if (!lease)
        lease = adopt(step, agent, entry);
    if (!lease) {
        report_unknown(step, agent, entry);
        return;
    }
    if (lease->agent != agent)
        return; /* another agent's lease: not its to report */
    report_range(step, lease, entry);
    report_results(step, agent, lease, entry);
    if (LEASE_OVER(entry->status)) {
        report_end(step, agent, lease, entry);
        return;
    }
    report_progress(step, lease, entry);
    if (lease->revoked)
        order_revoke(step, agent, entry, "its frames are not needed any more");
}
