/* SPDX-License-Identifier: Apache-2.0
 *
 * The Blender node of a worker: renders a launch frame by frame, fails as the
 * weather and the job have it, stops and shortens as far as it can. It goes on
 * when its agent dies.
 */
#include "tests/sim/world.h"

#include "common/limits.h"

int32_t launch_frames(const struct launch *launch)
{
    return (launch->to - launch->from) / launch->step + 1;
}

static int32_t first_missing(const struct launch *launch)
{
    for (int32_t i = 0; i < launch_frames(launch); i++)
        if (!launch->shots[i].done)
            return launch->from + i * launch->step;
    return -1;
}

void launch_end(struct launch *launch, enum lease_status status,
                enum fault fault)
{
    bool down = fault == FAULT_NODE_DOWN && launch->at >= 0;
    launch->status = (int32_t)status;
    launch->fault = (int32_t)fault;
    if (fault_charge(fault) == FAULT_CHARGE_FRAME || down)
        launch->blamed = first_missing(launch);
}

static void frame_over(struct world *world, const struct happening *happening);

static void frame_begin(struct world *world, const struct worker *worker,
                        struct launch *launch, int64_t delay_ms)
{
    int64_t ms = launch->job->frame_ms / worker->speed;
    ms = ms * rng_between(&world->rng, 700, 1300) / 1000 + 1;
    if (!world->calm && rng_chance(&world->rng, world->weather.hang)) {
        ms *= rng_between(&world->rng, 5, 200);
        struck(world, STRUCK_HANG);
    }
    struct happening happening = {.act = frame_over,
                                  .who = worker->id,
                                  .life = worker->node,
                                  .lease = launch->lease};
    launch->at++;
    launch->shots[launch->at].began_ms = world->now_ms + delay_ms;
    launch->shots[launch->at].ms = (int32_t)ms;
    later(world, ms + delay_ms, &happening);
}

/* What the frame in work fails with; FAULT_NONE when it does not. */
static enum fault frame_fault(struct world *world, const struct launch *launch)
{
    static const enum fault faults[] = {
        FAULT_CRASH,   FAULT_RENDER,  FAULT_OUT_OF_MEMORY, FAULT_TIMEOUT,
        FAULT_UNKNOWN, FAULT_REFUSED, FAULT_NODE_DOWN,
    };
    int32_t frame = launch->from + launch->at * launch->step;
    if (frame == launch->job->poison)
        return FAULT_CRASH;
    if (world->calm || !rng_chance(&world->rng, world->weather.fail))
        return FAULT_NONE;
    return faults[rng_between(&world->rng, 0, 6)];
}

static void launch_last(struct launch *launch)
{
    if (launch->revoked && first_missing(launch) >= 0)
        launch_end(launch, LEASE_STOPPED, FAULT_NONE);
    else
        launch_end(launch, LEASE_DONE, FAULT_NONE);
}

static void launch_next(struct world *world, const struct worker *worker,
                        struct launch *launch)
{
    if (launch->at + 1 < launch_frames(launch))
        frame_begin(world, worker, launch, 0);
    else
        launch_last(launch);
}

static void picture_made(struct world *world, const struct launch *launch)
{
    const struct sim_job *job = launch->job;
    int32_t frame = launch->from + launch->at * launch->step;
    int32_t ordinal = frames_ordinal(&job->frames, frame);
    world->stats.pictures++;
    world->stats.again += judge_has_use(world, job, ordinal) ? 0 : 1;
    job->whole_ms[ordinal] = world->now_ms;
}

/* A node may lie: the launch goes on without a picture of that frame, or with
 * one that was cut off, which its agent finds out. */
static bool picture_is_whole(struct world *world)
{
    if (world->calm || !rng_chance(&world->rng, world->weather.lie))
        return true;
    struck(world, rng_chance(&world->rng, 500) ? STRUCK_TORN : STRUCK_MISSING);
    return false;
}

static void frame_end(struct world *world, const struct worker *worker,
                      struct launch *launch)
{
    enum fault fault = frame_fault(world, launch);
    if (fault != FAULT_NONE) {
        struck(world, STRUCK_FAIL);
        launch_end(launch, LEASE_FAILED, fault);
        return;
    }
    launch->shots[launch->at].done = picture_is_whole(world);
    if (launch->shots[launch->at].done)
        picture_made(world, launch);
    launch_next(world, worker, launch);
}

static struct launch *launch_at(const struct worker *worker,
                                const struct happening *happening)
{
    struct launch *launch;
    if (worker->node != happening->life)
        return NULL;
    DL_FOREACH (worker->launches, launch)
        if (launch->lease == happening->lease && !LEASE_OVER(launch->status))
            return launch;
    return NULL;
}

static void frame_over(struct world *world, const struct happening *happening)
{
    struct worker *worker = &world->workers[happening->who];
    struct launch *launch = launch_at(worker, happening);
    if (!launch)
        return;
    if (launch->from + launch->at * launch->step == launch->job->deadly) {
        fault_deadly(world, worker, launch->job->panics);
        return;
    }
    frame_end(world, worker, launch);
    worker_report(world, worker);
}

/* A node that refuses gets less to refuse, as the agent pauses. */
static void refuse(struct world *world, struct worker *worker,
                   struct launch *launch)
{
    launch_end(launch, LEASE_FAILED, FAULT_REFUSED);
    worker->pause_ms = world->now_ms + rng_between(&world->rng, 200, 3000);
}

static void launch_begun(struct world *world, const struct happening *happening)
{
    struct worker *worker = &world->workers[happening->who];
    struct launch *launch = launch_at(worker, happening);
    if (!launch)
        return;
    if (worker->sick) {
        refuse(world, worker, launch);
    } else if (launch->job->fault != FAULT_NONE) {
        launch_end(launch, LEASE_FAILED, launch->job->fault);
    } else {
        launch->status = launch->revoked ? LEASE_STOPPING : LEASE_RUNNING;
        frame_begin(world, worker, launch, rng_between(&world->rng, 100, 2500));
    }
    worker_report(world, worker);
}

void node_launch(struct world *world, struct worker *worker,
                 struct launch *launch)
{
    struct happening happening = {.act = launch_begun,
                                  .who = worker->id,
                                  .life = worker->node,
                                  .lease = launch->lease};
    later(world, rng_between(&world->rng, 0, 50), &happening);
}

static void stopped(struct world *world, const struct happening *happening)
{
    struct worker *worker = &world->workers[happening->who];
    struct launch *launch = launch_at(worker, happening);
    if (!launch)
        return;
    launch_end(launch, LEASE_STOPPED, FAULT_NONE);
    worker_report(world, worker);
}

void node_stop(struct world *world, struct worker *worker,
               struct launch *launch)
{
    struct happening happening = {.act = stopped,
                                  .who = worker->id,
                                  .life = worker->node,
                                  .lease = launch->lease};
    if (launch->status == LEASE_ACCEPTED) {
        launch_end(launch, LEASE_STOPPED, FAULT_NONE);
        return;
    }
    launch->status = LEASE_STOPPING;
    if (worker->can_stop)
        later(world, rng_between(&world->rng, 1, 2000), &happening);
}

bool node_trim(struct launch *launch, const struct worker *worker, int32_t to)
{
    int32_t before = launch->to;
    int32_t last =
        launch->from + (launch->at < 0 ? 0 : launch->at) * launch->step;
    if (!worker->can_trim || to >= before)
        return false;
    if (to < last)
        to = last;
    launch->to = to - (to - launch->from) % launch->step;
    return launch->to != before;
}

void node_die(struct world *world, struct worker *worker, bool lost)
{
    struct launch *launch, *next;
    worker->node++;
    DL_FOREACH_SAFE (worker->launches, launch, next) {
        if (lost)
            worker_forget(worker, launch);
        else if (!LEASE_OVER(launch->status))
            launch_end(launch, LEASE_FAILED, FAULT_NODE_DOWN);
    }
    tell(world, worker->name, "has its node die%s",
         lost ? ", all is forgotten" : "");
}
