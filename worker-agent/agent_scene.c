/* SPDX-License-Identifier: Apache-2.0
 *
 * Between a batch of an uploaded scene and its node stands the cache: the batch
 * is posted when the scene lies here, with the place where it does.
 */
#include <jansson.h>
#include <stdio.h>

#include "common/app/log.h"
#include "common/app/manifest.h"
#include "worker-agent/agent_internal.h"

/* The scene that the render fields name, where it is an uploaded one. */
static bool scene_of(const char *render, char ret[LIMIT_PATH + 1])
{
    char name[BLOB_NAME + 1];
    json_t *fields = json_loads(render, 0, NULL);
    const char *blend = json_string_value(json_object_get(fields, "blend"));
    bool uploaded = blend != NULL && blend_is_blob(blend, name);
    if (uploaded)
        snprintf(ret, LIMIT_PATH + 1, "%s", blend);
    json_decref(fields);
    return uploaded;
}

static bool is_pinned(const char *render)
{
    json_t *fields = json_loads(render, 0, NULL);
    bool pinned = json_object_get(fields, "blend_sha256") != NULL;
    json_decref(fields);
    return pinned;
}

/* A classic node renders whatever it was started with, not this. */
static void refuse(struct agent *agent, uint64_t lease, const char *text)
{
    const struct node_answer no = {
        .word = ANSWER_REFUSED, .fault = FAULT_REFUSED, .text = text};
    agent_answered(agent, lease, CALL_POST, &no);
}

bool agent_fetches(struct agent *agent, const struct lease *lease)
{
    char blend[LIMIT_PATH + 1];
    bool classic = agent->slots.node.classic;
    if (lease->blend != NULL)
        return false;
    bool uploaded = scene_of(lease->render, blend);
    if (classic && uploaded)
        refuse(agent, lease->id,
               "a classic node cannot render an uploaded scene");
    else if (classic && is_pinned(lease->render))
        refuse(agent, lease->id,
               "a classic node cannot tell which version of the .blend it "
               "renders");
    else if (!uploaded)
        return false;
    else {
        slots_fetching(&agent->slots, lease->id);
        cache_want(agent->cache, lease->id, blend);
    }
    return true;
}

void agent_holds(struct agent *agent, const struct msg_batch *batch)
{
    char blend[LIMIT_PATH + 1];
    if (scene_of(batch->render, blend))
        cache_hold(agent->cache, batch->lease, blend);
}

static void take_news(struct agent *agent, const struct cache_news *news)
{
    bool there = news->fault == FAULT_NONE;
    if (!there)
        log_warn("scene_not_fetched", LEASE_FORMAT " fault=%s text=%s",
                 LEASE_WORDS(news->lease), fault_word(news->fault),
                 log_quoted(news->text));
    slots_fetched(&agent->slots, agent->now_ms, news->lease,
                  there ? news->path : NULL, news->fault, news->text);
    const struct lease *lease = slots_find(&agent->slots, news->lease);
    if (there && lease != NULL && lease->blend != NULL &&
        lease->phase != PHASE_OVER)
        node_client_post(agent->node, agent->now_ms, lease, &agent->slots.node);
}

void agent_step_scenes(struct agent *agent)
{
    struct cache_news news;
    while (cache_take(agent->cache, &news))
        take_news(agent, &news);
}
