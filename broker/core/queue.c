/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a job stands: behind the disk, held back, or in the queue of its user
 * and priority. Decides only that it may be given out, never to whom.
 */
#include "broker/core/core_internal.h"
#include "common/mem.h"
#include <assert.h>
#include <math.h>
#include <string.h>

static struct queue *queue_get(struct core *core, struct user *user,
                               int32_t priority)
{
    struct queue *queue;
    DL_FOREACH (user->queues, queue)
        if (queue->priority == priority)
            return queue;
    queue = mem_new(sizeof *queue);
    queue->user = user;
    queue->priority = priority;
    DL_APPEND(user->queues, queue);
    DL_APPEND2(core->rank[priority], queue, rank_prev, rank_next);
    return queue;
}

static void queue_drop_if_empty(struct core *core, struct queue *queue)
{
    if (queue->jobs)
        return;
    DL_DELETE2(core->rank[queue->priority], queue, rank_prev, rank_next);
    DL_DELETE(queue->user->queues, queue);
    mem_free(queue);
}

static int by_age(const struct job *a, const struct job *b)
{
    return a->number < b->number ? -1 : a->number > b->number;
}

static void queue_enter(struct core *core, struct job *job)
{
    job->queue = queue_get(core, job->owner, job->priority);
    const struct job *first = job->queue->jobs;
    if (!first || by_age(first->queue_prev, job) < 0)
        DL_APPEND2(job->queue->jobs, job, queue_prev, queue_next);
    else
        DL_INSERT_INORDER2(job->queue->jobs, job, by_age, queue_prev,
                           queue_next);
    if (sched_is_small(job))
        DL_INSERT_INORDER2(job->queue->small, job, by_age, small_prev,
                           small_next);
    core->crowded = true;
    core->n_queued++;
    core->wake = true;
}

static void queue_leave(struct core *core, struct job *job)
{
    DL_DELETE2(job->queue->jobs, job, queue_prev, queue_next);
    if (sched_is_small(job))
        DL_DELETE2(job->queue->small, job, small_prev, small_next);
    queue_drop_if_empty(core, job->queue);
    job->queue = NULL;
    core->n_queued--;
}

enum why why_job(const struct core *core, const struct job *job)
{
    if (job->in[FRAME_PENDING].count == 0)
        return job_ended(job) ? WHY_ENDED : WHY_ALL_LEASED;
    if (job->paused)
        return WHY_PAUSED;
    if (job->gate > core->committed)
        return WHY_COMMIT;
    if (job->not_before_ms > core->now_ms)
        return WHY_NOT_BEFORE;
    return job_depends_met(core, job) ? WHY_NONE : WHY_DEPENDS;
}

static enum job_place place_of(const struct core *core, const struct job *job)
{
    static const enum job_place places[WHYS] = {
        [WHY_ENDED] = PLACE_NONE,      [WHY_ALL_LEASED] = PLACE_NONE,
        [WHY_PAUSED] = PLACE_NONE,     [WHY_COMMIT] = PLACE_GATED,
        [WHY_NOT_BEFORE] = PLACE_HELD, [WHY_DEPENDS] = PLACE_HELD,
        [WHY_NONE] = PLACE_QUEUE,
    };
    return places[why_job(core, job)];
}

static void place_leave(struct core *core, struct job *job)
{
    if (job->place == PLACE_GATED)
        DL_DELETE2(core->gated, job, queue_prev, queue_next);
    else if (job->place == PLACE_HELD)
        DL_DELETE2(core->held, job, queue_prev, queue_next);
    else if (job->place == PLACE_QUEUE)
        queue_leave(core, job);
}

static void place_enter(struct core *core, struct job *job)
{
    if (job->place == PLACE_GATED)
        DL_APPEND2(core->gated, job, queue_prev, queue_next);
    else if (job->place == PLACE_HELD)
        DL_APPEND2(core->held, job, queue_prev, queue_next);
    else if (job->place == PLACE_QUEUE)
        queue_enter(core, job);
    if (job->place == PLACE_HELD && job->not_before_ms > core->now_ms)
        core_due(core, job->not_before_ms);
}

void sched_place(struct core *core, struct job *job)
{
    enum job_place place = place_of(core, job);
    bool moved = place != job->place;
    if (job->place == PLACE_QUEUE && job->queue->priority != job->priority)
        moved = true;
    if (!moved)
        return;
    place_leave(core, job);
    job->place = place;
    place_enter(core, job);
}

static void open_job(struct step *step, const struct job *job)
{
    struct event event = {.type = EVENT_OPENED, .job = job->id};
    step_emit(step, &event);
}

void sched_open(struct step *step)
{
    struct core *core = step->core;
    while (core->gated && core->gated->gate <= core->committed)
        open_job(step, core->gated);
    if (!core->recheck)
        return;
    core->recheck = false;
    struct job *job, *next;
    for (job = core->held; job; job = next) {
        next = job->queue_next;
        if (place_of(core, job) != PLACE_HELD)
            open_job(step, job);
    }
}

void sched_gathered(struct step *step)
{
    struct core *core = step->core;
    if (core->gather_ms == 0 || core->now_ms < core->gather_ms)
        return;
    core->gather_ms = 0;
    struct job *job;
    DL_FOREACH (core->jobs, job) {
        if (job->gather_ms > core->now_ms)
            core_gather_due(core, job->gather_ms);
        else if (job->gather_ms > 0)
            open_job(step, job);
    }
}

void core_gather_due(struct core *core, int64_t at_ms)
{
    if (core->gather_ms == 0 || at_ms < core->gather_ms)
        core->gather_ms = at_ms;
    core_due(core, at_ms);
}

const struct job *queue_oldest(const struct core *core)
{
    const struct job *oldest = NULL;
    const struct queue *queue;
    for (int priority = 100; priority >= 0; priority--)
        DL_FOREACH2 (core->rank[priority], queue, rank_next)
            if (!oldest || by_age(queue->jobs, oldest) < 0)
                oldest = queue->jobs;
    return oldest;
}

bool queue_is_paused(const struct core *core)
{
    return core->totals[FRAME_PENDING] > 0 && !core->gated && !core->held &&
           core->n_queued == 0;
}
