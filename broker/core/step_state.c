/* SPDX-License-Identifier: Apache-2.0
 *
 * What agents report. A STATE is the agent's full truth: whatever it does not
 * list it does not have (rule R3 of docs/protocol.md). A STATE that is old, or
 * of a second agent under a taken name, has no effect.
 */
#include "broker/core/core_internal.h"

#include <assert.h>
#include <string.h>

void step_life(struct step *step, const struct agent *agent,
               enum agent_life life)
{
    struct event event = {.type = EVENT_AGENT,
                          .agent = agent->name,
                          .lo = (int32_t)agent->life,
                          .number = (int32_t)life};
    step_emit(step, &event);
}

static void rival_refuse(struct step *step, const struct agent *agent,
                         uint64_t inc)
{
    struct event event = {.type = EVENT_REFUSED,
                          .agent = agent->name,
                          .inc = inc,
                          .text = "another live agent has this name"};
    step_emit(step, &event);
}

/* Of several rivals one is looked at at a time, until it is refused or has not
 * been for so long that it is gone. */
static bool rival_waits(const struct step *step, const struct agent *agent)
{
    return agent->rival != 0 &&
           step->core->now_ms - agent->rival_ms < CORE_SILENT_MS;
}

/* A second inc of a name that is still alive: either a restart whose closed
 * connection was not noticed, then the first falls silent; or a second agent,
 * then the first is heard again, well after it, and the second is told to
 * end. */
static bool rival_wins(struct step *step, const struct agent *agent,
                       uint64_t inc)
{
    int64_t now = step->core->now_ms;
    bool alive = agent->life == AGENT_UP || agent->life == AGENT_SILENT;
    if (!alive || now - agent->heard_ms >= CORE_SILENT_MS)
        return true;
    if (agent->rival == inc &&
        agent->heard_ms > agent->rival_ms + CORE_LATE_MS) {
        rival_refuse(step, agent, inc);
    } else if (agent->rival != inc && !rival_waits(step, agent)) {
        struct event event = {
            .type = EVENT_RIVAL, .agent = agent->name, .inc = inc};
        step_emit(step, &event);
    }
    return false;
}

static bool state_counts(struct step *step, const struct agent *agent,
                         const struct msg_state *state)
{
    if (!agent)
        return step->core->n_agents < step->core->options.agents_max ||
               agent_evict(step->core);
    if (!agent->known)
        return true;
    if (agent->inc == state->inc)
        return state->seq > agent->seq;
    return rival_wins(step, agent, state->inc);
}

static bool node_shows(const struct msg_node *before,
                       const struct msg_node *node)
{
    return before->up != node->up || before->memory_mb != node->memory_mb ||
           before->gpus != node->gpus ||
           strcmp(before->blender, node->blender) != 0 ||
           strcmp(before->error, node->error) != 0;
}

/* Tells whether people, or jobs that look for a machine, would see another
 * agent than before. */
static bool state_shows(const struct agent *agent,
                        const struct msg_state *state)
{
    return !agent || !agent->known || agent->life != AGENT_UP ||
           agent->inc != state->inc || agent->slots != state->slots ||
           agent->leaving != state->leaving ||
           node_shows(&agent->node, &state->node) ||
           !agent_tags_same(agent, state) ||
           strcmp(agent->why, state->why) != 0;
}

static bool lease_dropped(const struct lease *lease,
                          const struct msg_state *state)
{
    if (lease->heard_seq == state->seq)
        return false;
    return lease->seen || lease->lane != state->lane ||
           lease->dseq <= state->dseq;
}

static void release_unlisted(struct step *step, struct agent *agent,
                             const struct msg_state *state, enum fault fault)
{
    struct lease *lease, *next;
    DL_FOREACH_SAFE2(agent->leases, lease, next, agent_next)
    {
        if (lease_dropped(lease, state))
            step_release(step, lease, fault);
    }
}

static void lane_order(struct step *step, const struct agent *agent,
                       uint64_t lane)
{
    struct event event = {.type = EVENT_LANE,
                          .agent = agent->name,
                          .inc = agent->inc,
                          .lane = lane};
    step_emit(step, &event);
}

void step_lane(struct step *step, const struct agent *agent)
{
    struct core *core = step->core;
    lane_order(step, agent, LEASE_ID(core->epoch, 0) + core->lanes + 1);
}

bool step_unseen(struct step *step, struct agent *agent)
{
    int64_t now = step->core->now_ms;
    if (agent->unseen_ms == 0 || now - agent->unseen_ms < CORE_UNSEEN_MS)
        return false;
    uint64_t lane = agent->lane, seen = agent->lane_seen;
    step_lane(step, agent);
    struct lease *lease, *next;
    DL_FOREACH_SAFE2(agent->leases, lease, next, agent_next)
    {
        if (lease->lane == lane && lease->dseq > seen && !lease->seen)
            step_release(step, lease, FAULT_UNKNOWN);
    }
    return true;
}

/* An agent without a lane gets one; the same again while it may just not have
 * heard of it and nothing was sent on it. */
static void lane_offer(struct step *step, const struct agent *agent,
                       const struct msg_state *state)
{
    if (state->leaving || agent->lane_ok)
        return;
    bool fresh = agent->lane != 0 && agent->lane_sent == 0 &&
                 step->core->now_ms - agent->lane_ms < CORE_UNSEEN_MS;
    if (fresh)
        lane_order(step, agent, agent->lane);
    else
        step_lane(step, agent);
}

/* A lease gets one for each run of its results, or one that closes it. */
static void acks_begin(struct step *step, const struct msg_state *state)
{
    size_t most = state->n_leases;
    for (size_t i = 0; i < state->n_leases; i++)
        most += state->leases[i].n_results;
    step->acks = arena_new(step->arena, most * sizeof *step->acks);
}

static void acks_end(struct step *step, const struct agent *agent)
{
    struct event event = {.type = EVENT_ACKED,
                          .agent = agent->name,
                          .acks = {.at = step->acks, .n = step->n_acks}};
    if (step->n_acks > 0)
        step_emit(step, &event);
}

enum rc step_state(struct step *step)
{
    const struct msg_state *state = step->cmd->state;
    step_wake(step);
    struct agent *agent = agent_find(step->core, state->agent);
    if (!state_counts(step, agent, state))
        return RC_OK;
    bool shows = state_shows(agent, state);
    bool reborn = agent && agent->known && agent->inc != state->inc;
    struct event event = {
        .type = EVENT_HEARD, .agent = state->agent, .state = state};
    step_emit(step, &event);
    agent = agent_find(step->core, state->agent);
    assert(agent);
    if (shows)
        step_life(step, agent, AGENT_UP);
    acks_begin(step, state);
    for (size_t i = 0; i < state->n_leases; i++)
        step_report(step, agent, &state->leases[i]);
    acks_end(step, agent);
    release_unlisted(step, agent, state,
                     reborn ? FAULT_AGENT_LOST : FAULT_UNKNOWN);
    if (reborn)
        lost_return(step, agent);
    if (!step_unseen(step, agent))
        lane_offer(step, agent, state);
    return RC_OK;
}

/* A connection that closes by itself right after its agent was heard was its
 * process's end; but not one that the broker's own sleep may have cost, whose
 * last STATEs are only read now. */
static bool was_killed(const struct core *core, const struct agent *agent)
{
    bool woken =
        core->woke_ms > 0 && core->now_ms - core->woke_ms < CORE_WOKEN_MS;
    return !woken && core->now_ms - agent->heard_ms <= CORE_FRESH_MS;
}

enum rc step_gone(struct step *step)
{
    step_wake(step);
    const struct agent *agent = agent_find(step->core, step->cmd->agent);
    if (!agent || !agent->known || agent->inc != step->cmd->inc)
        return RC_OK;
    bool killed = was_killed(step->core, agent);
    if (agent->life == AGENT_UP || agent->life == AGENT_SILENT)
        step_life(step, agent, killed ? AGENT_GONE : AGENT_SILENT);
    return RC_OK;
}

enum rc step_unsent(struct step *step)
{
    const struct lease *lease = lease_find(step->core, step->cmd->lease);
    if (!lease)
        return RC_OK;
    const struct agent *agent = lease->agent;
    step_release(step, lease, FAULT_UNKNOWN);
    step_lane(step, agent);
    return RC_OK;
}
