/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches that come back untried: refused, declined, lost on their way, or
 * given back by an agent whose node is down or unwell. They charge no frame, so
 * that nothing else would end giving the same agent the next one at once, for
 * ever. It rests, longer each time, until a frame of it is done or at least
 * tried; an agent whose node says itself that it is not well shows no slots
 * anyway.
 */
#include "broker/core/core_internal.h"

/* Two in a row are bad luck; from the third on it rests. */
#define FREE_MISSES 2
#define REST_MIN_MS 250
#define REST_MAX_MS 10000
/* A node that is unwell is not well again in a moment: as after so many. */
#define NODE_MISSES 5

static bool is_miss(enum fault fault)
{
    bool asked_for = fault == FAULT_NONE || fault == FAULT_STOPPED;
    return fault_charge(fault) == FAULT_CHARGE_NONE && !asked_for &&
           fault != FAULT_AGENT_LOST;
}

static int64_t rest_ms(int32_t misses)
{
    int64_t rest = misses <= FREE_MISSES ? 0 : REST_MIN_MS;
    for (int32_t i = FREE_MISSES + 1; i < misses && rest < REST_MAX_MS; i++)
        rest *= 2;
    return rest < REST_MAX_MS ? rest : REST_MAX_MS;
}

void brake_missed(struct step *step, const struct agent *agent,
                  int64_t granted_ms, enum fault fault)
{
    /* Those that were out when one came back are of the same misfortune. */
    bool same = agent->rest_until_ms > 0 ||
                (agent->misses > 0 && granted_ms < agent->missed_ms);
    if (!is_miss(fault) || same)
        return;
    int32_t misses = agent->misses + 1;
    if (fault_reach(fault) == FAULT_REACH_NODE && misses < NODE_MISSES)
        misses = NODE_MISSES;
    int64_t rest = rest_ms(misses);
    struct event event = {.type = EVENT_MISSED,
                          .agent = agent->name,
                          .number = misses,
                          .fault = (int32_t)fault,
                          .until_ms = rest > 0 ? step->core->now_ms + rest : 0};
    step_emit(step, &event);
}

void brake_watch(struct step *step, const struct agent *agent)
{
    if (agent->rest_until_ms == 0)
        return;
    if (step->core->now_ms < agent->rest_until_ms) {
        core_due(step->core, agent->rest_until_ms);
        return;
    }
    struct event event = {.type = EVENT_RESTED, .agent = agent->name};
    step_emit(step, &event);
}
