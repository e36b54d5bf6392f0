/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames that take their node down. Nobody is charged when a node or an agent
 * goes away, for it was hardly the frame's doing; so a frame that kills whoever
 * renders it would go round for ever. It is counted how often that happened to
 * a frame in a row: such a frame is a suspect, goes behind the others, to whom
 * it has not happened with it, and never beside another suspect. After so many
 * times that chance is out of the question it is given up.
 *
 * What counts: the agent's word that its node went down under a launch, or the
 * agent's return as another process. One that was only cut off or frozen comes
 * back as it was, and a launch that never began says nothing of its frames.
 */
#include "broker/core/core_internal.h"

#include "common/mem.h"

/* A whole farm switched off, updated or moved hits the same long frame a few
 * times at most. */
#define LOSSES_MAX 10

bool lost_is_suspect(const struct job *job, int32_t ordinal)
{
    const struct attempt *attempt = job_attempt_find(job, ordinal);
    return attempt && attempt->losses > 0;
}

static bool has_suspect(const struct lease *lease)
{
    const struct ranges *left = &lease->left;
    if (!lease->job->attempts || left->n == 0)
        return false;
    return lost_is_suspect(lease->job, left->at[0].lo); /* they go alone */
}

bool lost_keeps(const struct agent *agent, const struct job *job,
                int32_t ordinal)
{
    const struct lease *lease;
    if (!lost_is_suspect(job, ordinal))
        return false;
    DL_FOREACH2 (agent->leases, lease, agent_next)
        if (has_suspect(lease))
            return true;
    return false;
}

static void fallen_free(struct fallen *fallen)
{
    mem_free(fallen->job);
    mem_free(fallen);
}

void lost_forget(struct agent *agent)
{
    struct fallen *fallen, *next;
    LL_FOREACH_SAFE (agent->fallen, fallen, next)
        fallen_free(fallen);
    agent->fallen = NULL;
}

/* The frame in work; -1 when none is its own. */
static int32_t under_way(const struct lease *lease)
{
    int32_t at = frames_ordinal(&lease->job->frames, lease->frame);
    if (lease->status != LEASE_RUNNING || lease->held.n == 0)
        return -1;
    return lease->frame >= 0 && ranges_has(&lease->held, at)
               ? at
               : lease->held.at[0].lo;
}

void lost_note(const struct lease *lease)
{
    int32_t at = under_way(lease);
    if (at < 0 || lease->charged)
        return;
    struct fallen *fallen = mem_new(sizeof *fallen);
    fallen->job = mem_text(lease->job->id);
    fallen->ordinal = at;
    fallen->lease = lease->id;
    LL_PREPEND(lease->agent->fallen, fallen);
}

void lost_count(struct attempt *attempt, struct agent *agent,
                const struct event *event)
{
    struct fallen *fallen, *next;
    attempt->losses++;
    names_remove(&attempt->lost_by, agent->name);
    names_add(&attempt->lost_by, agent->name);
    LL_FOREACH_SAFE (agent->fallen, fallen, next) {
        if (fallen->lease != event->lease)
            continue;
        LL_DELETE(agent->fallen, fallen);
        fallen_free(fallen);
    }
}

/* Somebody else may have it in work by now, and is told to stop. */
static void give_up(struct step *step, struct job *job, struct event *event)
{
    struct range run = {event->lo, event->hi};
    struct ranges one = {.at = &run, .n = 1, .count = 1};
    event->type = EVENT_FAILED;
    event->flag = false;
    event->frames = step_ranges(step, &one);
    event->text = arena_print(step->arena,
                              "%d times in a row a node or agent went down "
                              "while it rendered this frame, the last time %s; "
                              "it is not tried again",
                              LOSSES_MAX, event->agent);
    step_emit(step, event);
    step_unneeded(step, job, lease_find(step->core, event->lease));
}

static void frame_lost(struct step *step, struct job *job, struct event *event)
{
    const struct attempt *attempt = job_attempt_find(job, event->lo);
    int32_t losses = attempt ? attempt->losses : 0;
    event->type = EVENT_CHARGED;
    event->flag = true;
    event->job = job->id;
    event->hi = event->lo + 1;
    if (losses + 1 >= LOSSES_MAX)
        give_up(step, job, event);
    else
        step_emit(step, event);
}

void lost_node(struct step *step, const struct lease *lease,
               const struct msg_lease *entry)
{
    int32_t at = frames_ordinal(&lease->job->frames, entry->blamed);
    if (entry->blamed < 0 || lease->charged || !ranges_has(&lease->held, at))
        return;
    struct event event = {.agent = lease->agent->name,
                          .lease = lease->id,
                          .lo = at,
                          .fault = FAULT_NODE_DOWN,
                          .text = entry->text};
    frame_lost(step, lease->job, &event);
}

void lost_return(struct step *step, const struct agent *agent)
{
    const struct fallen *fallen, *next;
    LL_FOREACH_SAFE (agent->fallen, fallen, next) {
        struct job *job = job_find(step->core, fallen->job);
        struct event event = {.agent = agent->name,
                              .lease = fallen->lease,
                              .lo = fallen->ordinal,
                              .fault = FAULT_AGENT_LOST,
                              .text = "its agent went down and was started "
                                      "again"};
        if (job && fallen->lease > job->fence &&
            (ranges_has(&job->in[FRAME_PENDING], event.lo) ||
             ranges_has(&job->in[FRAME_LEASED], event.lo)))
            frame_lost(step, job, &event);
    }
}
