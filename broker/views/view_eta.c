/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a job takes from here, and all that waits: ranges of eta.h from what
 * the core has seen. Looks at so many jobs at most, since people ask often.
 */
#include <math.h>

#include "broker/views/eta.h"
#include "broker/views/view.h"

#define QUEUE_LOOKED 1000 /* jobs; with more the range has no upper end */

/* Leases that render frames nobody else has: what counts for the pace. */
static int32_t count_holders(const struct job *job)
{
    int32_t n = 0;
    const struct lease *lease;
    DL_FOREACH2 (job->leases, lease, job_next)
        if (lease->held.count > 0)
            n++;
    return n;
}

static void add_frames(struct eta_sum *sum, const struct job *job, int32_t rest,
                       int32_t begun)
{
    const struct eta_part part = {.seen = job->times.n,
                                  .mean_ms = job->times.mean_ms,
                                  .spread = times_spread(&job->times),
                                  .ahead = rest - begun,
                                  .begun = begun};
    eta_add(sum, &part);
}

static void add_job(struct eta_sum *sum, const struct job *job, int32_t begun)
{
    add_frames(sum, job,
               job->in[FRAME_PENDING].count + job->in[FRAME_LEASED].count,
               begun);
}

static json_t *view_range(const struct eta *eta, bool bounded)
{
    json_t *view = json_object();
    view_put(view, "low", json_integer((json_int_t)(eta->low_ms / 1000.0)));
    view_put(view, "high",
             bounded ? json_integer((json_int_t)ceil(eta->high_ms / 1000.0))
                     : json_null());
    return view;
}

json_t *view_job_eta(const struct job *job)
{
    int32_t holders = count_holders(job);
    if (holders == 0 || job->paused || job->times.n < ETA_FRAMES)
        return json_null();
    struct eta_sum sum = {0};
    add_job(&sum, job, holders);
    struct eta eta = eta_of(&sum, holders);
    return view_range(&eta, true);
}

/* Whether any slot may render it: else others may stand idle meanwhile. */
static bool is_for_all(const struct job *job)
{
    return job->n_tags == 0 && job->max_agents == 0 && job->memory_mb == 0 &&
           !job->gpu && job->blender[0] == '\0';
}

struct queue_sum {
    struct eta_sum sum;
    int32_t looked; /* jobs */
    bool whole;     /* nothing in it that nobody can tell of */
};

/* Returns whether one more may be looked at. */
static bool add_queued(struct queue_sum *queued, const struct job *job)
{
    bool known = job->times.n >= ETA_FRAMES;
    if (queued->looked++ == QUEUE_LOOKED) {
        queued->whole = false;
        return false;
    }
    if (known)
        add_job(&queued->sum, job, 0);
    queued->whole &= known && is_for_all(job);
    return true;
}

/* Most urgent first. */
static void add_queues(const struct core *core, struct queue_sum *queued)
{
    const struct queue *queue;
    const struct job *job;
    for (int priority = 100; priority >= 0; priority--)
        DL_FOREACH2 (core->rank[priority], queue, rank_next)
            DL_FOREACH2 (queue->jobs, job, queue_next)
                if (!add_queued(queued, job))
                    return;
}

/* What is left of jobs that are in no queue any more. */
static void add_leases(const struct core *core, struct queue_sum *queued)
{
    const struct agent *agent;
    const struct lease *lease;
    DL_FOREACH (core->agents, agent)
        DL_FOREACH2 (agent->leases, lease, agent_next) {
            const struct job *job = lease->job;
            if (job->place == PLACE_QUEUE || lease->held.count == 0)
                continue;
            if (job->times.n >= ETA_FRAMES)
                add_frames(&queued->sum, job, lease->held.count, 1);
            else
                queued->whole = false;
        }
}

json_t *view_queue_eta(const struct core *core)
{
    struct queue_sum queued = {.whole = !core->gated};
    add_queues(core, &queued);
    add_leases(core, &queued);
    if (core->slots == 0 || queued.sum.work_ms <= 0.0)
        return json_null();
    struct eta eta = eta_of(&queued.sum, (double)core->slots);
    return view_range(&eta, queued.whole);
}
