/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of apply.c that is about agents: what STATEs and time change of
 * them, all of it soft. Decides nothing.
 */
#include "broker/core/core_internal.h"

static void lease_heard(struct core *core, const struct agent *agent,
                        const struct msg_lease *entry)
{
    struct lease *lease = lease_named(core, agent, entry);
    if (!lease)
        return;
    lease->seen = true;
    lease->status = entry->status;
    lease->done = entry->done;
    lease->heard_seq = agent->seq;
}

static void lane_set(struct agent *agent, uint64_t lane)
{
    agent->lane = lane;
    agent->lane_ok = false;
    agent->lane_sent = agent->lane_seen = 0;
    agent->unseen_ms = 0;
}

static void agent_reborn(struct agent *agent)
{
    struct lease *lease;
    DL_FOREACH2 (agent->leases, lease, agent_next)
        lease->heard_seq = 0; /* another inc counts anew */
    lane_set(agent, 0);
    agent->rival = 0;
    agent->misses = 0;
    agent->rest_until_ms = 0;
}

/* What the agent says it has seen of its lane; never more than was sent. */
static void lane_heard(struct agent *agent, uint64_t dseq, int64_t at_ms)
{
    if (dseq > agent->lane_sent)
        dseq = agent->lane_sent;
    if (dseq > agent->lane_seen) {
        agent->lane_seen = dseq;
        agent->unseen_ms = 0;
    }
    if (agent->lane_seen == agent->lane_sent)
        agent->unseen_ms = 0;
    else if (agent->unseen_ms == 0)
        agent->unseen_ms = at_ms;
}

void apply_heard(struct core *core, const struct event *event)
{
    const struct msg_state *state = event->state;
    struct agent *agent = agent_get(core, event->agent);
    if (!agent->known || agent->inc == state->inc)
        lost_forget(agent);
    if (!agent->known || agent->inc != state->inc)
        agent_reborn(agent);
    agent->known = true;
    agent_read(core, agent, state);
    agent->lane_ok = agent->lane != 0 && state->lane == agent->lane;
    lane_heard(agent, agent->lane_ok ? state->dseq : 0, event->at_ms);
    for (size_t i = 0; i < state->n_leases; i++)
        lease_heard(core, agent, &state->leases[i]);
    agent_refresh(core, agent);
    core_due(core, event->at_ms + CORE_WATCH_MS);
}

void apply_agent(struct core *core, const struct event *event)
{
    struct agent *agent = agent_get(core, event->agent);
    enum agent_life life = (enum agent_life)event->number;
    if (life == AGENT_UP && agent->life != AGENT_UP)
        agent->up_ms = event->at_ms;
    if (life == AGENT_GONE)
        agent->gone_ms = event->at_ms;
    if (!agent->known) /* known from the ledger only: its time starts now */
        agent->heard_ms = event->at_ms;
    agent->life = life;
    if (life == AGENT_LOST) /* its lane is closed: it asks for another */
        lane_set(agent, 0);
    agent_refresh(core, agent);
    core->wake = true; /* whom a frame is spared for may have changed */
    core_due(core, event->at_ms);
}

void apply_missed(struct core *core, const struct event *event)
{
    struct agent *agent = agent_find(core, event->agent);
    agent->misses = event->number;
    agent->miss_fault = event->fault;
    agent->missed_ms = event->at_ms;
    agent->rest_until_ms = event->until_ms;
    if (event->until_ms > 0)
        core_due(core, event->until_ms);
    agent_refresh(core, agent);
    core->wake = true; /* whom a frame is spared for may have changed */
}

void apply_rested(struct core *core, const struct event *event)
{
    struct agent *agent = agent_find(core, event->agent);
    agent->rest_until_ms = 0;
    agent_refresh(core, agent);
    core->wake = true;
}

void apply_rival(struct core *core, const struct event *event)
{
    struct agent *agent = agent_find(core, event->agent);
    agent->rival = event->inc;
    agent->rival_ms = event->at_ms;
}

void apply_refused(struct core *core, const struct event *event)
{
    agent_find(core, event->agent)->rival = 0;
}

void apply_lane(struct core *core, const struct event *event)
{
    struct agent *agent = agent_find(core, event->agent);
    if (agent->lane == event->lane)
        return;
    lane_set(agent, event->lane);
    agent->lane_ms = event->at_ms;
    core->lanes = event->lane - LEASE_ID(core->epoch, 0);
    agent_refresh(core, agent);
}

/* Its connections may be gone: it has a whole lease time for new ones, and no
 * work until it is heard again. */
static void agent_slept(struct core *core, struct agent *agent,
                        const struct event *event)
{
    if (agent->life != AGENT_LOST)
        agent->heard_ms = event->at_ms;
    agent->gone_ms += event->until_ms;
    if (agent->unseen_ms > 0)
        agent->unseen_ms += event->until_ms;
    agent->lane_ok = false;
    agent_refresh(core, agent);
}

/* Nobody was heard while the broker slept: that time does not count. */
void apply_slept(struct core *core, const struct event *event)
{
    struct agent *agent;
    DL_FOREACH (core->agents, agent)
        agent_slept(core, agent, event);
    struct lease *lease;
    for (lease = core->leases; lease; lease = lease->hh.next)
        lease->news_ms += event->until_ms;
    core->woke_ms = core->next_ms = event->at_ms;
}
