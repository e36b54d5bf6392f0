/* SPDX-License-Identifier: Apache-2.0
 *
 * The way back from the ledger: an event is checked against what came before
 * it, then applied. What does not fit means a damaged ledger, never a crash.
 */
#include "broker/core/core_internal.h"

#include <stdio.h>

static bool refuse(const struct event *event, const char *reason, char *why,
                   size_t size)
{
    snprintf(why, size, "record %llu (%s) %s", (unsigned long long)event->seq,
             event_word(event->type), reason);
    return false;
}

static bool needs_job(enum event_type type)
{
    return type != EVENT_DRAINED && type != EVENT_SUBMITTED;
}

static bool needs_lease(enum event_type type)
{
    return type == EVENT_SHORTENED || type == EVENT_RELEASED;
}

static bool needs_run(enum event_type type)
{
    return type == EVENT_DONE || type == EVENT_CHARGED || type == EVENT_LEASED;
}

static bool needs_agent(enum event_type type)
{
    return type == EVENT_DRAINED || type == EVENT_DONE ||
           type == EVENT_LEASED || type == EVENT_BENCHED;
}

static bool run_fits(const struct job *job, int32_t lo, int32_t hi)
{
    return lo >= 0 && lo < hi && hi <= job->frames.count;
}

static bool frames_fit(const struct job *job, const struct ranges *frames)
{
    return frames && frames->n > 0 && frames->at[0].lo >= 0 &&
           frames->at[frames->n - 1].hi <= job->frames.count;
}

static bool needs_frames(enum event_type type)
{
    return type == EVENT_CANCELLED || type == EVENT_RETRIED ||
           type == EVENT_FAILED;
}

static const char *misfit(const struct core *core, const struct event *event)
{
    const struct job *job = job_find(core, event->job);
    const struct lease *lease = lease_find(core, event->lease);
    if (event->seq <= core->seq)
        return "is out of order";
    if (event_keep(event->type) == EVENT_SOFT)
        return "does not belong in a ledger";
    if (event->type == EVENT_SUBMITTED)
        return !event->spec || job_find(core, event->spec->id)
                   ? "submits a job that exists"
                   : NULL;
    if (needs_agent(event->type) && !event->agent)
        return "names no agent";
    if (needs_job(event->type) && !job)
        return "is of an unknown job";
    if (needs_lease(event->type) && lease && lease->job != job)
        return "is of another job's lease";
    if (event->type == EVENT_SHORTENED && lease &&
        (event->lo <= lease->lo || event->lo >= lease->hi))
        return "shortens a lease to nothing";
    if (needs_run(event->type) && !run_fits(job, event->lo, event->hi))
        return "names frames the job does not have";
    if (needs_frames(event->type) && !frames_fit(job, event->frames))
        return "names frames the job does not have";
    if (event->type == EVENT_BENCHED && !bench_is_just(job, event->agent))
        return "benches an agent that failed too little";
    if (event->type == EVENT_PACKED)
        return fate_misfit(job, event->fate);
    if (event->type == EVENT_LEASED && lease)
        return "grants a lease twice";
    if (event->type == EVENT_LEASED && event->lease < LEASE_ID(1, 1))
        return "grants a lease of no broker"; /* no message could name it */
    return NULL;
}

bool core_replay(struct core *core, const struct event *event, char *why,
                 size_t size)
{
    const char *reason = misfit(core, event);
    if (reason)
        return refuse(event, reason, why, size);
    if (needs_lease(event->type) && !lease_find(core, event->lease))
        core->seq = event->seq; /* of a job forgotten later: nothing to end */
    else
        core_apply(core, event);
    return true;
}
