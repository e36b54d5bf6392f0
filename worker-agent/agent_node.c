/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent towards its node: answers and proofs go to slots, acts go to node,
 * journal and folder.
 */
#include <errno.h>
#include <string.h>

#include "common/app/log.h"
#include "common/app/trace.h"
#include "worker-agent/agent_internal.h"

/* --- From the node. --- */

void agent_answered(void *ctx, uint64_t lease, enum call call,
                    const struct node_answer *answer)
{
    struct agent *agent = ctx;
    if (answer->word == ANSWER_UNSENT || answer->word == ANSWER_SILENT)
        node_watch_doubt(&agent->watch, agent->now_ms);
    slots_answer(&agent->slots, agent->now_ms, lease, call, answer);
}

static void log_node(const struct agent *agent, bool was_up)
{
    const struct node_facts *facts = &agent->watch.facts;
    if (facts->up == was_up)
        return;
    if (facts->up)
        log_info("node_found", "node=%s kind=%s blender=%s",
                 log_quoted(agent->options->node),
                 facts->classic ? "classic" : "frameq",
                 log_quoted(facts->blender));
    else
        log_warn("node_lost", "node=%s reason=%s",
                 log_quoted(agent->options->node), log_quoted(facts->error));
}

void agent_probed(void *ctx, const struct probe_answer *answer)
{
    struct agent *agent = ctx;
    bool was_up = agent->watch.facts.up;
    node_watch_answer(&agent->watch, agent->now_ms, answer);
    log_node(agent, was_up);
    slots_node(&agent->slots, agent->now_ms, &agent->watch.facts);
    bool wanted = answer->word == PROBE_UNSENT && agent->leave_ms == 0;
    if (agent->keeper != NULL && wanted)
        keeper_want(agent->keeper, agent->now_ms);
}

void agent_step_proof(struct agent *agent)
{
    struct proof_news news;
    if (agent->proof == NULL || !proof_step(agent->proof, agent->now_ms, &news))
        return;
    if (news.settled)
        slots_settled(&agent->slots, agent->now_ms, news.lease);
    else
        slots_proven(&agent->slots, news.lease, news.frame, news.ms,
                     news.files);
}

/* --- Acts. --- */

static void act_save(struct agent *agent, const struct lease *lease)
{
    struct journal_record record = {.node = agent->options->node,
                                    .posted_ms = lease->posted_ms,
                                    .pid = lease->pid};
    record.batch = (struct msg_batch){.lease = lease->id,
                                      .job = lease->job,
                                      .name = lease->name,
                                      .from = lease->from,
                                      .to = lease->to,
                                      .step = lease->step,
                                      .replace = lease->replace,
                                      .plain = lease->plain,
                                      .render = lease->render,
                                      .trace = lease->trace};
    if (!journal_save(agent->journal, &record))
        log_error("journal_failed", LEASE_FORMAT " reason=%s",
                  LEASE_WORDS(lease->id), log_quoted(strerror(errno)));
}

static struct frame_run run_of(const struct lease *lease)
{
    return (struct frame_run){lease->from, lease->to, lease->step};
}

static void act_post(struct agent *agent, const struct lease *lease)
{
    struct frame_run run = run_of(lease);
    if (agent_fetches(agent, lease))
        return;
    if (agent->proof != NULL && agent->slots.node.classic)
        proof_begin(agent->proof, lease->id, &run, agent->now_ms);
    node_client_post(agent->node, agent->now_ms, lease, &agent->slots.node);
}

static void act_settle(struct agent *agent, const struct lease *lease)
{
    if (!proof_settle(agent->proof, lease->id))
        slots_settled(&agent->slots, agent->now_ms, lease->id);
}

static void act_ended(struct agent *agent, const struct lease *lease)
{
    static const char *const words[] = {[LEASE_DONE] = "done",
                                        [LEASE_FAILED] = "failed",
                                        [LEASE_STOPPED] = "stopped"};
    char trace[TRACE_WORDS];
    log_info("lease_ended",
             LEASE_FORMAT " job=%s frames=%d-%dx%d done=%d state=%s fault=%s "
                          "text=%s%s",
             LEASE_WORDS(lease->id), lease->job, (int)lease->from,
             (int)lease->to, (int)lease->step, (int)lease_done(lease),
             words[lease->status], fault_word((enum fault)lease->fault),
             log_quoted(lease->text), trace_words(lease->trace, trace));
    if (agent->proof != NULL)
        proof_end(agent->proof, lease->id);
    cache_release(agent->cache, lease->id);
}

static void perform_on(struct agent *agent, const struct act *act,
                       const struct lease *lease)
{
    const struct node_facts *facts = &agent->slots.node;
    switch (act->type) {
    case ACT_SAVE:
        act_save(agent, lease);
        break;
    case ACT_POST:
        act_post(agent, lease);
        break;
    case ACT_POLL:
        node_client_poll(agent->node, agent->now_ms, lease, facts);
        break;
    case ACT_TRIM:
        node_client_trim(agent->node, agent->now_ms, lease, act->to);
        break;
    case ACT_STOP:
        node_client_stop(agent->node, agent->now_ms, lease);
        break;
    case ACT_SETTLE:
        act_settle(agent, lease);
        break;
    case ACT_ENDED:
        act_ended(agent, lease);
        break;
    case ACT_FORGET:
        break;
    }
}

static void act_forget(struct agent *agent, uint64_t lease)
{
    journal_remove(agent->journal, lease);
    if (agent->proof != NULL)
        proof_end(agent->proof, lease);
}

static void perform(struct agent *agent, const struct act *act)
{
    const struct lease *lease = slots_find(&agent->slots, act->lease);
    if (act->type == ACT_FORGET)
        act_forget(agent, act->lease);
    else if (lease != NULL)
        perform_on(agent, act, lease);
}

/* An act may bring something that is to be decided at once. */
void agent_step_slots(struct agent *agent)
{
    do {
        acts_clear(&agent->acts);
        slots_step(&agent->slots, agent->now_ms, &agent->acts);
        for (size_t i = 0; i < agent->acts.n; i++)
            perform(agent, &agent->acts.at[i]);
    } while (agent->acts.n > 0);
}

/* --- What an earlier run had there. --- */

void agent_adopt(void *ctx, const struct journal_record *record)
{
    struct agent *agent = ctx;
    const struct msg_batch *batch = &record->batch;
    struct frame_run run = {batch->from, batch->to, batch->step};
    log_info("lease_adopted", LEASE_FORMAT " job=%s pid=%" PRId64,
             LEASE_WORDS(batch->lease), batch->job, record->pid);
    if (strcmp(record->node, agent->options->node) != 0) {
        slots_adopt_lost(&agent->slots, agent->now_ms, batch,
                         "the agent was started anew for another node");
        return;
    }
    slots_adopt(&agent->slots, agent->now_ms, batch, record->posted_ms,
                record->pid);
    agent_holds(agent, batch);
    if (agent->proof != NULL)
        proof_resume(agent->proof, batch->lease, &run, record->posted_ms);
}
