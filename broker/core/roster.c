/* SPDX-License-Identifier: Apache-2.0
 *
 * The roster of agents: who is there, what they can do, and how much room they
 * have. Credit is derived from their last STATE, never counted (rule R1 of
 * docs/protocol.md), so that no lost message can leak a slot.
 */
#include "broker/core/core_internal.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"

struct agent *agent_find(const struct core *core, const char *name)
{
    struct agent *agent = NULL;
    if (name)
        HASH_FIND_STR(core->by_name, name, agent);
    return agent;
}

struct agent *agent_get(struct core *core, const char *name)
{
    struct agent *agent = agent_find(core, name);
    if (agent)
        return agent;
    agent = mem_new(sizeof *agent);
    agent->name = mem_text(name);
    agent->life = AGENT_LOST;
    agent->speed = 1.0;
    HASH_ADD_KEYPTR(hh, core->by_name, agent->name, strlen(agent->name), agent);
    DL_APPEND(core->agents, agent);
    core->n_agents++;
    return agent;
}

static void agent_free_texts(struct agent *agent)
{
    const char *texts[] = {
        agent->why,          agent->version,      agent->node.name,
        agent->node.version, agent->node.blender, agent->node.device,
        agent->node.error,   agent->last_blend,   agent->name};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        mem_free((void *)(uintptr_t)texts[i]);
    texts_free(agent->tags, agent->n_tags);
}

static void agent_remove(struct core *core, struct agent *agent)
{
    assert(core->by_name && !agent->leases && agent->room == 0);
    bench_forget(agent);
    lost_forget(agent);
    HASH_DEL(core->by_name, agent);
    DL_DELETE(core->agents, agent);
    core->n_agents--;
    agent_free_texts(agent);
    mem_free(agent);
}

void agent_free_all(struct core *core)
{
    while (core->agents) {
        struct agent *agent = core->agents;
        if (agent->room > 0)
            DL_DELETE2(core->idle, agent, idle_prev, idle_next);
        agent->room = 0;
        agent_remove(core, agent);
    }
}

bool agent_evict(struct core *core)
{
    struct agent *agent, *oldest = NULL;
    DL_FOREACH (core->agents, agent) {
        bool there = agent->life == AGENT_UP || agent->life == AGENT_SILENT;
        if (there || agent->leases || agent->drain != DRAIN_OFF)
            continue;
        if (!oldest || agent->heard_ms < oldest->heard_ms)
            oldest = agent;
    }
    if (oldest)
        agent_remove(core, oldest);
    return oldest != NULL;
}

bool agent_tags_same(const struct agent *agent, const struct msg_state *state)
{
    bool same = agent->n_tags == state->n_tags;
    for (size_t i = 0; same && i < state->n_tags; i++)
        same = strcmp(agent->tags[i], state->tags[i]) == 0;
    return same;
}

static void tags_read(struct agent *agent, const struct msg_state *state)
{
    if (agent_tags_same(agent, state))
        return;
    texts_free(agent->tags, agent->n_tags);
    agent->tags = texts_own(state->tags, state->n_tags);
    agent->n_tags = state->n_tags;
}

static void node_read(struct msg_node *node, const struct msg_node *from)
{
    node->up = from->up;
    node->classic = from->classic;
    node->can_trim = from->can_trim;
    node->can_stop = from->can_stop;
    node->cores = from->cores;
    node->memory_mb = from->memory_mb;
    node->gpus = from->gpus;
    text_set(&node->name, from->name);
    text_set(&node->version, from->version);
    text_set(&node->blender, from->blender);
    text_set(&node->device, from->device);
    text_set(&node->error, from->error);
}

/* STATEs come every moment and their texts hardly ever change: those that are
 * the same stay where they are. */
void agent_read(struct core *core, struct agent *agent,
                const struct msg_state *state)
{
    text_set(&agent->why, state->why);
    text_set(&agent->version, state->version);
    tags_read(agent, state);
    node_read(&agent->node, &state->node);
    agent->inc = state->inc;
    agent->seq = state->seq;
    agent->epoch_seen = state->epoch;
    agent->slots = state->slots;
    agent->leaving = state->leaving;
    agent->heard_ms = core->now_ms;
    agent->gone_ms = 0;
    agent->running = agent->unacked = 0;
    for (size_t i = 0; i < state->n_leases; i++) {
        if (LEASE_OVER(state->leases[i].status))
            agent->unacked++;
        else
            agent->running++;
    }
}

const char *agent_life_word(enum agent_life life)
{
    static const char *const words[] = {"up", "silent", "gone", "lost"};
    return words[life];
}

enum why why_stays(const struct agent *agent)
{
    if (agent->life != AGENT_UP)
        return WHY_AWAY;
    if (agent->leaving)
        return WHY_LEAVING;
    return agent->drain != DRAIN_OFF ? WHY_DRAINED : WHY_NONE;
}

static int64_t slots_left(const struct agent *agent)
{
    int64_t unseen = (int64_t)(agent->lane_sent - agent->lane_seen);
    return agent->slots - agent->running - unseen;
}

enum why why_room(const struct agent *agent)
{
    enum why stays = why_stays(agent);
    if (stays != WHY_NONE)
        return stays;
    if (agent->rest_until_ms > 0)
        return WHY_RESTING;
    if (!agent->lane_ok)
        return WHY_LANE;
    if (agent->unacked >= LIMIT_UNACKED)
        return WHY_UNACKED;
    if (agent->slots <= 0)
        return WHY_NO_SLOTS;
    return slots_left(agent) > 0 ? WHY_NONE : WHY_BUSY;
}

int32_t agent_free(const struct agent *agent)
{
    return why_room(agent) == WHY_NONE ? (int32_t)slots_left(agent) : 0;
}

static void power_refresh(struct core *core, struct agent *agent)
{
    bool works = why_stays(agent) == WHY_NONE && agent->rest_until_ms == 0;
    int32_t working = works ? agent->slots : 0;
    double power = agent->speed * working;
    core->slots += working - agent->working;
    core->power = core->slots > 0 ? core->power + power - agent->power : 0.0;
    agent->working = working;
    agent->power = power;
}

void agent_refresh(struct core *core, struct agent *agent)
{
    int32_t room = agent_free(agent);
    if (room > 0 && agent->room == 0)
        DL_APPEND2(core->idle, agent, idle_prev, idle_next);
    if (room == 0 && agent->room > 0)
        DL_DELETE2(core->idle, agent, idle_prev, idle_next);
    core->wake = core->wake || room > agent->room;
    agent->room = room;
    power_refresh(core, agent);
}

bool agent_has_job(const struct agent *agent, const struct job *job,
                   const struct lease *but_one)
{
    const struct lease *lease;
    DL_FOREACH2 (agent->leases, lease, agent_next)
        if (lease->job == job && lease != but_one)
            return true;
    return false;
}
