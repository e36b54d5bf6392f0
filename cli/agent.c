/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of an agent in several places.
 */
#include "cli/agent.h"

#include <string.h>

#include "cli/doc.h"

const char *agent_state(const json_t *agent)
{
    bool drained = doc_has(agent, "drain") && !doc_is(agent, "drain", "off");
    return drained && doc_is(agent, "state", "up") ? "drained"
                                                   : doc_text(agent, "state");
}

void agent_tell_leases(const json_t *agent, struct buf *out)
{
    size_t i;
    const json_t *lease;
    json_array_foreach(json_object_get(agent, "leases"), i, lease)
    {
        const char *name = doc_text(lease, "job_name");
        buf_print(out, "%s%s #", i > 0 ? ", " : "",
                  *name != '\0' ? name : doc_text(lease, "job"));
        if (doc_has(lease, "frame"))
            buf_print(out, "%lld %.0f %%", (long long)doc_int(lease, "frame"),
                      doc_real(lease, "progress") * 100);
        else
            buf_print(out, "%s", doc_text(lease, "frames"));
    }
}

void agent_tell_none(const char *broker_url, struct buf *out)
{
    buf_print(out,
              "No agents yet. On a machine with Blender:\n"
              "  frameq-agent --start-node --broker %s\n",
              broker_url);
}

size_t agent_match(const json_t *agents, const char *host, const json_t **ret)
{
    size_t i, n = 0, len = strlen(host);
    const json_t *agent;
    *ret = NULL;
    json_array_foreach(agents, i, agent)
    {
        const char *name = doc_text(agent, "name");
        if (strncmp(name, host, len) != 0 ||
            (name[len] != '\0' && name[len] != '-'))
            continue;
        if (n++ == 0)
            *ret = agent;
    }
    return n;
}
