/* SPDX-License-Identifier: Apache-2.0
 *
 * A model agent with its node: one launch at a time, frame after frame. A
 * classic one cannot be stopped or shortened and tells of its frames when the
 * launch has ended, with the launch's mean as their time, as worker-agent does.
 */
#include <assert.h>
#include <utlist.h>

#include "common/limits.h"
#include "common/mem.h"
#include "tests/bench/model.h"

static struct model_launch *launch_find(const struct model_agent *agent,
                                        uint64_t lease)
{
    struct model_launch *launch;
    DL_FOREACH (agent->launches, launch)
        if (launch->lease == lease)
            return launch;
    return NULL;
}

static void launch_free(struct model_agent *agent, struct model_launch *launch)
{
    DL_DELETE(agent->launches, launch);
    mem_free(launch->results);
    mem_free(launch);
}

void agent_drop_all(struct model_agent *agent)
{
    while (agent->launches)
        launch_free(agent, agent->launches);
}

void agent_lane(struct world *world, struct model_agent *agent, uint64_t lane)
{
    if (lane <= agent->lane)
        return;
    agent->lane = lane;
    agent->dseq = 0;
    model_tell(world, agent);
}

static void launch_end(struct world *world, struct model_agent *agent,
                       struct model_launch *launch, enum lease_status status)
{
    int32_t n = launch->to - launch->from + 1;
    launch->status = (int32_t)status;
    agent->busy_ms += world->now_ms - launch->posted_ms;
    for (int32_t i = 0; i < n && !world->shape->trim; i++)
        launch->results[i].ms =
            (int32_t)((world->now_ms - launch->posted_ms) / n);
}

static void frame_over(struct world *world, const struct happening *happening);

static void frame_begin(struct world *world, const struct model_agent *agent,
                        struct model_launch *launch, int64_t delay_ms)
{
    struct model_job *job = &world->jobs[launch->job];
    int32_t frame = ++launch->at;
    int32_t work_ms = world->work_ms[frame % world->shape->frames];
    int64_t ms = (int64_t)(work_ms / agent->node->speed + 0.5);
    launch->results[frame - launch->from] = (struct msg_result){
        .frame = frame, .ms = (int32_t)(ms > 0 ? ms : 1), .files = ""};
    if (job->first_ms == 0)
        job->first_ms = world->now_ms + delay_ms;
    struct happening happening = {.act = frame_over,
                                  .who = agent->id,
                                  .lease = launch->lease,
                                  .at_ms = world->now_ms + ms + delay_ms};
    agenda_add(&world->agenda, &happening);
}

static void frame_over(struct world *world, const struct happening *happening)
{
    struct model_agent *agent = &world->agents[happening->who];
    struct model_launch *launch = launch_find(agent, happening->lease);
    if (!agent->alive || !launch || LEASE_OVER(launch->status))
        return;
    if (launch->at >= launch->to)
        launch_end(world, agent, launch, LEASE_DONE);
    else
        frame_begin(world, agent, launch, 0);
    if (world->shape->trim || LEASE_OVER(launch->status))
        model_tell(world, agent);
}

static void launched(struct world *world, const struct happening *happening)
{
    struct model_agent *agent = &world->agents[happening->who];
    struct model_launch *launch = launch_find(agent, happening->lease);
    if (!agent->alive || !launch || LEASE_OVER(launch->status))
        return;
    frame_begin(world, agent, launch, 0);
    model_tell(world, agent);
}

void agent_take(struct world *world, struct model_agent *agent,
                const struct event *leased)
{
    struct model_launch *launch = mem_new(sizeof *launch);
    size_t n = (size_t)(leased->hi - leased->lo);
    assert(leased->lane == agent->lane);
    agent->dseq = (uint64_t)leased->number;
    launch->lease = leased->lease;
    launch->job = (int32_t)leased->inc;
    launch->from = launch->told = leased->lo;
    launch->to = leased->hi - 1;
    launch->at = leased->lo - 1;
    launch->status = LEASE_RUNNING;
    launch->posted_ms = world->now_ms;
    launch->results = mem_new(n * sizeof *launch->results);
    DL_APPEND(agent->launches, launch);
    struct happening happening = {.act = launched,
                                  .who = agent->id,
                                  .lease = launch->lease,
                                  .at_ms = world->now_ms +
                                           world->shape->overhead_ms};
    agenda_add(&world->agenda, &happening);
    model_tell(world, agent);
}

void agent_trim(struct world *world, struct model_agent *agent, uint64_t lease,
                int32_t to)
{
    struct model_launch *launch = launch_find(agent, lease);
    if (!launch || LEASE_OVER(launch->status) || !world->shape->trim)
        return;
    int32_t last = launch->at < launch->from ? launch->from : launch->at;
    to = to < last ? last : to;
    if (to >= launch->to)
        return;
    launch->to = to;
    model_tell(world, agent);
}

void agent_revoke(struct world *world, struct model_agent *agent,
                  uint64_t lease)
{
    struct model_launch *launch = launch_find(agent, lease);
    if (!launch || LEASE_OVER(launch->status) || !world->shape->trim)
        return;
    launch_end(world, agent, launch, LEASE_STOPPED);
    model_tell(world, agent);
}

void agent_acked(struct world *world, struct model_agent *agent,
                 const struct event *acked)
{
    struct model_launch *launch = launch_find(agent, acked->lease);
    (void)world;
    if (!launch)
        return;
    if (acked->hi >= launch->told)
        launch->told = acked->hi + 1;
    if (acked->flag)
        launch_free(agent, launch);
}
