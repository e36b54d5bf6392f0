/* SPDX-License-Identifier: Apache-2.0
 *
 * Agents, and the farm as a whole: how many of everything, and in one word
 * what it is doing.
 */
#include "broker/views/view.h"

#include <stdio.h>

static json_t *view_tags(const struct agent *agent)
{
    json_t *tags = json_array();
    for (size_t i = 0; i < agent->n_tags; i++)
        json_array_append_new(tags, json_string(agent->tags[i]));
    return tags;
}

static json_t *view_node(const struct msg_node *node)
{
    json_t *view = json_object();
    view_put(view, "up", json_boolean(node->up));
    view_put(view, "classic", json_boolean(node->classic));
    view_put(view, "name", view_text_or_null(node->name));
    view_put(view, "version", view_text_or_null(node->version));
    view_put(view, "blender", view_text_or_null(node->blender));
    view_put(view, "device", view_text_or_null(node->device));
    view_put(view, "cores", json_integer(node->cores));
    view_put(view, "memory_mb", json_integer(node->memory_mb));
    view_put(view, "gpus", json_integer(node->gpus));
    view_put(view, "error", view_text_or_null(node->error));
    return view;
}

static json_t *view_agent_lease(const struct lease *lease)
{
    char id[VIEW_LEASE_SIZE];
    const struct job *job = lease->job;
    bool at = lease->frame >= 0;
    json_t *view = json_object();
    view_put(view, "lease", json_string(view_lease(lease->id, id)));
    view_put(view, "job", json_string(job->id));
    view_put(view, "job_name", json_string(job->name));
    view_put(view, "frames",
             view_range_text(&job->frames, lease->lo, lease->hi));
    view_put(view, "frame", at ? json_integer(lease->frame) : json_null());
    view_put(view, "progress", json_real(lease->permille / 1000.0));
    view_put(view, "since", view_time(lease->granted_ms));
    return view;
}

static json_t *view_leases(const struct agent *agent)
{
    json_t *list = json_array();
    const struct lease *lease;
    DL_FOREACH2 (agent->leases, lease, agent_next)
        json_array_append_new(list, view_agent_lease(lease));
    return list;
}

/* Open jobs that the agent is kept from, and why. */
static json_t *view_benches(const struct agent *agent)
{
    json_t *list = json_array();
    const struct standing *standing;
    DL_FOREACH2 (agent->benches, standing, agent_next) {
        const struct job *job = standing->job;
        if (job_ended(job))
            continue;
        char text[LIMIT_REASON];
        snprintf(text, sizeof text,
                 "benched for job %s: %d frames failed there which others "
                 "rendered",
                 job->id, standing->wrong);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "job", job->id,
                                        "job_name", job->name, "text", text));
    }
    return list;
}

static const char *drain_word(enum drain drain)
{
    static const char *const words[] = {"off", "soft", "now"};
    return words[drain];
}

static bool is_there(const struct agent *agent)
{
    return agent->known && agent->life == AGENT_UP;
}

static const char *life_word(const struct agent *agent)
{
    return agent_life_word(agent->known ? agent->life : AGENT_LOST);
}

/* What came back untried, again and again, in words. */
static const char *rest_why(const struct agent *agent)
{
    enum fault fault = (enum fault)agent->miss_fault;
    if (fault == FAULT_UNKNOWN)
        return "resting for a moment: batches do not reach it, or it declines "
               "them";
    return fault == FAULT_REFUSED
               ? "resting for a moment: its node refuses every batch"
               : fault_remedy(fault);
}

const char *view_agent_why(const struct agent *agent)
{
    if (!agent->known)
        return "not heard since the broker started";
    if (agent->life == AGENT_GONE)
        return "its connection closed";
    if (agent->life != AGENT_UP)
        return "not heard for too long";
    if (agent->leaving)
        return "shutting down";
    if (agent->drain != DRAIN_OFF)
        return "drained";
    if (agent->why && *agent->why)
        return agent->why;
    if (agent->rest_until_ms > 0)
        return rest_why(agent);
    return agent->node.error ? agent->node.error : "";
}

static void put_room(json_t *view, const struct agent *agent)
{
    view_put(view, "slots", json_integer(agent->slots));
    view_put(view, "busy", json_integer(agent->running));
    view_put(view, "free", json_integer(agent_free(agent)));
    view_put(view, "why", json_string(view_agent_why(agent)));
}

static void put_record(json_t *view, const struct agent *agent)
{
    view_put(view, "done", json_integer(agent->done));
    view_put(view, "charged", json_integer(agent->charged));
    view_put(view, "speed", json_real(agent->speed));
    view_put(view, "up_since", view_time(agent->up_ms));
    view_put(view, "last_heard", view_time(agent->heard_ms));
}

json_t *view_agent(const struct agent *agent, bool leases)
{
    json_t *view = json_object();
    view_put(view, "name", json_string(agent->name));
    view_put(view, "state", json_string(life_word(agent)));
    view_put(view, "drain", json_string(drain_word(agent->drain)));
    view_put(view, "drain_until", view_time(agent->drain_until_ms));
    put_room(view, agent);
    view_put(view, "tags", view_tags(agent));
    view_put(view, "version", view_text_or_null(agent->version));
    view_put(view, "node", view_node(&agent->node));
    if (leases)
        view_put(view, "leases", view_leases(agent));
    view_put(view, "benched", view_benches(agent));
    put_record(view, agent);
    return view;
}

static json_t *view_jobs(const struct core *core)
{
    json_t *jobs = json_object();
    view_put(jobs, "total", json_integer(core->n_jobs));
    for (int i = 0; i < JOB_STATES; i++)
        view_put(jobs, job_status_word((enum job_status)i),
                 json_integer(core->jobs_as[i]));
    return jobs;
}

static json_t *view_totals(const struct core *core)
{
    json_t *frames = json_object();
    for (int i = 0; i < FRAME_STATES; i++)
        view_put(frames, frame_word((enum frame_state)i),
                 json_integer(core->totals[i]));
    return frames;
}

static json_t *view_agents(const struct core *core)
{
    int64_t life[AGENT_LOST + 1] = {0}, drained = 0;
    const struct agent *agent;
    DL_FOREACH (core->agents, agent) {
        life[agent->known ? agent->life : AGENT_LOST]++;
        drained += agent->drain != DRAIN_OFF;
    }
    json_t *agents = json_object();
    view_put(agents, "total", json_integer(core->n_agents));
    for (int i = 0; i <= AGENT_LOST; i++)
        view_put(agents, agent_life_word((enum agent_life)i),
                 json_integer(life[i]));
    view_put(agents, "drained", json_integer(drained));
    return agents;
}

static json_t *view_slots(const struct core *core)
{
    int64_t total = 0, busy = 0;
    const struct agent *agent;
    DL_FOREACH (core->agents, agent) {
        total += is_there(agent) ? agent->slots : 0;
        busy += is_there(agent) ? agent->running : 0;
    }
    return json_pack("{s:I,s:I}", "total", (json_int_t)total, "busy",
                     (json_int_t)busy);
}

static const char *farm_word(const struct core *core)
{
    if (core->totals[FRAME_LEASED] > 0)
        return "working";
    if (core->totals[FRAME_PENDING] == 0)
        return "idle";
    return queue_is_paused(core) ? "paused" : "waiting";
}

json_t *view_farm(const struct core *core)
{
    json_t *farm = json_object();
    view_put(farm, "state", json_string(farm_word(core)));
    view_put(farm, "jobs", view_jobs(core));
    view_put(farm, "frames", view_totals(core));
    view_put(farm, "agents", view_agents(core));
    view_put(farm, "slots", view_slots(core));
    view_put(farm, "eta_seconds", view_queue_eta(core));
    return farm;
}
