/* SPDX-License-Identifier: Apache-2.0
 *
 * What time and the ledger bring: deadlines of agents, gates that open, the
 * start of a broker epoch after the replay.
 */
#include "broker/core/core_internal.h"

#include <assert.h>

/* A killed agent is waited for a tenth of a frame's time: long enough to be
 * worth adopting its render, short beside rendering it again. */
#define GRACE_LOW_MS  2000
#define GRACE_HIGH_MS 60000

static int64_t lease_grace_ms(const struct core *core,
                              const struct lease *lease)
{
    if (core->options.orphan_grace_ms >= 0)
        return core->options.orphan_grace_ms;
    int64_t tenth = (int64_t)(lease->job->times.mean_ms / 10.0);
    if (tenth < GRACE_LOW_MS)
        return GRACE_LOW_MS;
    return tenth < GRACE_HIGH_MS ? tenth : GRACE_HIGH_MS;
}

int64_t why_elsewhere_ms(const struct core *core, const struct lease *lease)
{
    const struct agent *agent = lease->agent;
    if (agent->life == AGENT_UP)
        return INT64_MAX;
    if (agent->life == AGENT_GONE)
        return agent->gone_ms + lease_grace_ms(core, lease);
    return agent->heard_ms + core->options.lease_ttl_ms;
}

static void leases_orphaned(struct step *step, struct agent *agent)
{
    struct lease *lease, *next;
    DL_FOREACH_SAFE2(agent->leases, lease, next, agent_next)
    {
        int64_t due = why_elsewhere_ms(step->core, lease);
        if (step->core->now_ms >= due)
            step_release(step, lease, FAULT_AGENT_LOST);
        else
            core_due(step->core, due);
    }
}

static void agent_lose(struct step *step, struct agent *agent)
{
    while (agent->leases)
        step_release(step, agent->leases, FAULT_AGENT_LOST);
    step_life(step, agent, AGENT_LOST);
}

enum rc step_expel(struct step *step)
{
    struct agent *agent = agent_find(step->core, step->cmd->agent);
    step_wake(step);
    if (agent && (agent->life != AGENT_LOST || agent->leases))
        agent_lose(step, agent);
    return RC_OK;
}

static void agent_watch(struct step *step, struct agent *agent)
{
    struct core *core = step->core;
    int64_t silent = agent->heard_ms + CORE_SILENT_MS;
    int64_t lost = agent->heard_ms + core->options.lease_ttl_ms;
    if (agent->life == AGENT_UP && core->now_ms >= silent)
        step_life(step, agent, AGENT_SILENT);
    if (agent->life == AGENT_GONE)
        leases_orphaned(step, agent);
    /* Its restart is waited for as long as the grace says, past the lease time
     * if need be. */
    bool awaited = agent->life == AGENT_GONE && agent->leases;
    if (agent->life != AGENT_LOST && core->now_ms >= lost && !awaited)
        agent_lose(step, agent);
    if (agent->life == AGENT_UP)
        core_due(core, silent);
    if (agent->life != AGENT_LOST && !awaited)
        core_due(core, lost);
    if (agent->life != AGENT_LOST)
        core_due(core, core->now_ms + CORE_WATCH_MS);
}

static void agent_undrain(struct step *step, struct agent *agent)
{
    if (agent->drain_until_ms == 0)
        return;
    if (step->core->now_ms < agent->drain_until_ms) {
        core_due(step->core, agent->drain_until_ms);
        return;
    }
    struct event event = {
        .type = EVENT_DRAINED, .agent = agent->name, .number = DRAIN_OFF};
    step_emit(step, &event);
}

static void held_watch(struct core *core)
{
    struct job *job;
    DL_FOREACH2 (core->held, job, queue_next) {
        if (job->not_before_ms > core->now_ms)
            core_due(core, job->not_before_ms);
        else
            core->recheck = true;
    }
}

void step_wake(struct step *step)
{
    const struct core *core = step->core;
    if (core->next_ms > core->now_ms - CORE_SLEPT_MS)
        return;
    struct event event = {.type = EVENT_SLEPT,
                          .until_ms = core->now_ms - core->next_ms};
    step_emit(step, &event);
}

enum rc step_tick(struct step *step)
{
    struct core *core = step->core;
    step_wake(step);
    core->next_ms = INT64_MAX;
    struct agent *agent;
    DL_FOREACH (core->agents, agent) {
        agent_watch(step, agent);
        agent_undrain(step, agent);
        brake_watch(step, agent);
        (void)step_unseen(step, agent);
        if (agent->unseen_ms > 0)
            core_due(core, agent->unseen_ms + CORE_UNSEEN_MS);
    }
    held_watch(core);
    sched_gathered(step);
    if (core->gather_ms > 0)
        core_due(core, core->gather_ms);
    tail_watch(step);
    core->crowded = core->n_queued > 0;
    core->wake = core->wake || core->crowded;
    return RC_OK;
}

enum rc step_committed(struct step *step)
{
    assert(step->cmd->seq <= step->core->seq);
    if (step->cmd->seq > step->core->committed)
        step->core->committed = step->cmd->seq;
    return RC_OK;
}

/* Leases found in the ledger wait for their agents until the lease time is
 * over; everything else goes out at once. */
enum rc step_restart(struct step *step)
{
    struct core *core = step->core;
    assert(core->epoch == 0 && step->cmd->epoch > 0);
    core->epoch = step->cmd->epoch;
    core->committed = core->seq;
    core->restart_ms = core->next_ms = core->now_ms;
    core->recheck = core->wake = true;
    struct agent *agent;
    DL_FOREACH (core->agents, agent) {
        if (agent->leases)
            step_life(step, agent, AGENT_SILENT);
        if (agent->drain_until_ms > 0)
            core_due(core, agent->drain_until_ms);
    }
    held_watch(core);
    return RC_OK;
}
