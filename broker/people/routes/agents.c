/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/agents: who renders, with what, and the drain that people set.
 */
#include <stdio.h>
#include <string.h>

#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"
#include "broker/views/view.h"
#include "common/app/clock.h"

static void get_agents(struct call *call)
{
    const struct core *core = call_core(call);
    json_t *list = json_array();
    const struct agent *agent;
    DL_FOREACH (core->agents, agent)
        json_array_append_new(list, view_agent(agent, true));
    reply_json(call, 200, json_pack("{s:o}", "agents", list));
}

/* Shows the agent of the path; or answers 404. */
static void get_agent(struct call *call)
{
    const char *name = call->params.at[0];
    const struct agent *agent = agent_find(call_core(call), name);
    if (agent)
        reply_json(call, 200, view_agent(agent, true));
    else
        reply_problem(call, RC_NOT_FOUND, "there is no agent %s", name);
}

static const char *const drains[] = {"off", "soft", "now", NULL};

static bool check_until(const json_t *v, const void *unused, char *why,
                        size_t size)
{
    static const size_t most = 64;
    (void)unused;
    if (json_is_null(v))
        return true;
    if (!field_text(v, &most, why, size))
        return false;
    if (clock_parse(json_string_value(v)) >= 0)
        return true;
    snprintf(why, size,
             "must be null or a time such as 2026-11-24T20:00:00Z (RFC 3339)");
    return false;
}

static const struct field drain_fields[] = {
    {"drain", field_choice, drains},
    {"until", check_until, NULL},
    {NULL, NULL, NULL},
};

/* Of one of the words; field_choice has seen to that. */
static int32_t drain_of(const char *word)
{
    if (strcmp(word, drains[DRAIN_SOFT]) == 0)
        return DRAIN_SOFT;
    return strcmp(word, drains[DRAIN_NOW]) == 0 ? DRAIN_NOW : DRAIN_OFF;
}

/* Reads {"drain","until"} into cmd; or answers 400, false. */
static bool read_drain(struct call *call, const json_t *body, struct cmd *cmd)
{
    const char *word = json_string_value(json_object_get(body, "drain"));
    const char *until = json_string_value(json_object_get(body, "until"));
    if (!word) {
        reply_problem(call, RC_INVALID, "field `drain`: missing");
        return false;
    }
    cmd->number = drain_of(word);
    cmd->until_ms = until ? clock_parse(until) : 0;
    if (until && cmd->number == DRAIN_OFF) {
        reply_problem(call, RC_INVALID,
                      "field `until`: means nothing where drain is off");
        return false;
    }
    if (until && cmd->until_ms <= broker_now(call->http->broker)) {
        reply_problem(call, RC_INVALID, "field `until`: must be in the future");
        return false;
    }
    return true;
}

static void patch_agent(struct call *call)
{
    struct cmd cmd = {.type = CMD_DRAIN, .agent = call->params.at[0]};
    json_t *body = call_body(call, drain_fields, false);
    if (body && read_drain(call, body, &cmd) && call_command(call, &cmd))
        get_agent(call);
    json_decref(body);
}

const struct route routes_agents[] = {
    {"GET", "/v1/agents", get_agents, TOKEN_READ},
    {"GET", "/v1/agents/{}", get_agent, TOKEN_READ},
    {"PATCH", "/v1/agents/{}", patch_agent, TOKEN_ADMIN},
    {0},
};
