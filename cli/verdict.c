/* SPDX-License-Identifier: Apache-2.0
 *
 * Can any agent take a job, and if not, why.
 */
#include "cli/verdict.h"

#include <stdio.h>
#include <string.h>

#include "cli/doc.h"
#include "common/buf.h"
#include "common/limits.h"

#define AGENTS_NAMED 3

static bool has_tag(const json_t *agent, const char *tag)
{
    size_t i;
    const json_t *own;
    json_array_foreach(json_object_get(agent, "tags"), i,
                       own) if (strcmp(json_string_value(own), tag) ==
                                0) return true;
    return false;
}

static const char *missing_tag(const json_t *agent, const json_t *requires)
{
    size_t i;
    const json_t *tag;
    json_array_foreach(
        json_object_get(requires, "tags"), i,
        tag) if (json_is_string(tag) &&
                 !has_tag(agent, json_string_value(
                                     tag))) return json_string_value(tag);
    return NULL;
}

/* Why the agent takes no job at all; NULL: it takes some. The broker's own
 * words where it has any. */
static const char *agent_unfit(const json_t *agent, char *why, size_t size)
{
    const json_t *node = json_object_get(agent, "node");
    const char *state = doc_text(agent, "state");
    const char *reason = "no slots to offer";
    if (strcmp(state, "up") != 0)
        reason = state;
    else if (doc_has(agent, "drain") && !doc_is(agent, "drain", "off"))
        reason = "drained";
    else if (json_is_object(node) && !doc_on(node, "up"))
        reason = "its node does not answer";
    else if (doc_int(agent, "slots") > 0)
        return NULL;
    if (*doc_text(agent, "why") != '\0')
        reason = doc_text(agent, "why");
    snprintf(why, size, "%s", reason);
    return why;
}

/* Why this job is not one for the agent; NULL: it is. */
static const char *agent_unlike(const json_t *agent, const json_t *requires,
                                char *why, size_t size)
{
    const json_t *node = json_object_get(agent, "node");
    const char *tag = missing_tag(agent, requires);
    const char *blender = doc_text(requires, "blender");
    if (tag != NULL)
        snprintf(why, size, "lacks the tag %.64s", tag);
    else if (doc_on(requires, "gpu") && doc_int(node, "gpus") == 0)
        snprintf(why, size, "has no GPU");
    else if (doc_int(node, "memory_mb") < doc_int(requires, "memory_mb"))
        snprintf(why, size, "has %lld MB of memory",
                 (long long)doc_int(node, "memory_mb"));
    else if (strncmp(doc_text(node, "blender"), blender, strlen(blender)) != 0)
        snprintf(why, size, "has Blender %.40s", doc_text(node, "blender"));
    else
        return NULL;
    return why;
}

const char *verdict_agent(const json_t *agent, const json_t *job, char *why,
                          size_t size)
{
    const char *reason = agent_unfit(agent, why, size);
    if (reason != NULL)
        return reason;
    return agent_unlike(agent, json_object_get(job, "requires"), why, size);
}

bool verdict_agents(const json_t *agents, const json_t *job, char *why,
                    size_t size)
{
    char reason[LIMIT_REASON];
    struct buf text;
    size_t i, n = json_array_size(agents);
    const json_t *agent;
    buf_init(&text, LIMIT_SPEC);
    json_array_foreach(agents, i, agent)
    {
        if (verdict_agent(agent, job, reason, sizeof reason) == NULL) {
            buf_free(&text);
            return true;
        }
        if (i < AGENTS_NAMED)
            buf_print(&text, "%s%s: %s", i == 0 ? "" : "; ",
                      doc_text(agent, "name"), reason);
    }
    if (n == 0)
        buf_print(&text, "no agent is connected");
    if (n > AGENTS_NAMED)
        buf_print(&text, "; and %zu more", n - AGENTS_NAMED);
    snprintf(why, size, "%s", buf_text(&text));
    buf_free(&text);
    return false;
}
