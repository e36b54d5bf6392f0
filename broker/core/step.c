/* SPDX-License-Identifier: Apache-2.0
 *
 * The door of the core: one command in, its decisions out as events. Handlers
 * check, then emit; emitting applies at once, so a handler always sees the
 * state its events have made. A refusal emits nothing.
 */
#include "broker/core/core_internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

struct core *core_new(const struct core_options *options)
{
    struct core *core = mem_new(sizeof *core);
    core->options = *options;
    core->next_ms = INT64_MAX;
    return core;
}

void core_free(struct core **core_ref)
{
    struct core *core = *core_ref;
    if (!core)
        return;
    while (core->jobs) {
        struct event event = {.type = EVENT_FORGOTTEN,
                              .seq = core->seq + 1,
                              .job = core->jobs->id};
        core_apply(core, &event);
    }
    agent_free_all(core);
    mem_free(core);
    *core_ref = NULL;
}

void core_due(struct core *core, int64_t at_ms)
{
    if (at_ms < core->now_ms)
        at_ms = core->now_ms; /* how late a tick is tells of a sleep */
    if (at_ms < core->next_ms)
        core->next_ms = at_ms;
}

int64_t core_next(const struct core *core)
{
    return core->next_ms;
}

static struct event *events_add(struct step *step)
{
    struct events *events = step->out;
    if (events->n == events->cap) {
        size_t cap = events->cap == 0 ? 16 : 2 * events->cap;
        struct event *at = arena_new(step->arena, cap * sizeof *at);
        for (size_t i = 0; i < events->n; i++)
            at[i] = events->at[i];
        events->at = at;
        events->cap = cap;
    }
    return &events->at[events->n++];
}

/* Texts that the core owns may be gone before the events are read. */
static void event_keep_texts(struct step *step, struct event *event)
{
    const char **texts[] = {&event->job, &event->agent, &event->text,
                            &event->detail};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (*texts[i])
            *texts[i] = arena_text(step->arena, *texts[i], strlen(*texts[i]));
}

static void emit_one(struct step *step, const struct event *event)
{
    struct event *copy = events_add(step);
    *copy = *event;
    event_keep_texts(step, copy);
    copy->at_ms = step->core->now_ms;
    if (event_keep(copy->type) != EVENT_SOFT)
        copy->seq = step->core->seq + 1;
    struct event applied = *copy; /* events_add may move the list meanwhile */
    core_apply(step->core, &applied);
}

static void emit_turn(struct step *step, enum event_type type,
                      const struct job *job)
{
    struct event event = {.type = type, .job = job->id};
    emit_one(step, &event);
}

void step_emit(struct step *step, const struct event *event)
{
    const struct job *job = job_find(step->core, event->job);
    bool started = job && job->started_ms != 0;
    bool ended = job && job->ended_ms != 0;
    emit_one(step, event);
    if (!job || event->type == EVENT_FORGOTTEN)
        return;
    if (!started && job->started_ms != 0)
        emit_turn(step, EVENT_STARTED, job);
    if (!ended && job->ended_ms != 0)
        emit_turn(step, EVENT_ENDED, job);
}

const struct ranges *step_ranges(const struct step *step,
                                 const struct ranges *set)
{
    struct ranges *copy = arena_new(step->arena, sizeof *copy);
    *copy = *set;
    copy->cap = set->n;
    copy->at = arena_new(step->arena, (size_t)set->n * sizeof *copy->at);
    for (int32_t i = 0; i < set->n; i++)
        copy->at[i] = set->at[i];
    return copy;
}

enum rc step_refuse(const struct step *step, enum rc rc, const char *format,
                    ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(step->why, step->size, format, args);
    va_end(args);
    return rc;
}

void step_release(struct step *step, const struct lease *lease,
                  enum fault fault)
{
    const struct agent *agent = lease->agent;
    int64_t granted_ms = lease->granted_ms;
    struct event event = {.type = EVENT_RELEASED,
                          .job = lease->job->id,
                          .agent = agent->name,
                          .lease = lease->id,
                          .lo = lease->lo,
                          .hi = lease->hi,
                          .fault = (int32_t)fault};
    step_emit(step, &event);
    brake_missed(step, agent, granted_ms, fault);
}

static void order_stop(struct step *step, const struct lease *lease)
{
    bool drained = lease->agent->drain == DRAIN_NOW;
    struct event event = {.type = EVENT_REVOKED,
                          .job = lease->job->id,
                          .agent = lease->agent->name,
                          .lease = lease->id,
                          .text = drained
                                      ? "the agent is drained at once"
                                      : "its frames are not needed any more"};
    step_emit(step, &event);
}

static void order_trim(struct step *step, const struct lease *lease,
                       int32_t end, bool again)
{
    int32_t last = frames_number(&lease->job->frames, end - 1);
    if ((lease->trim == last && !again) || !lease->agent->node.can_trim)
        return;
    struct event event = {.type = EVENT_TRIMMED,
                          .job = lease->job->id,
                          .agent = lease->agent->name,
                          .lease = lease->id,
                          .number = last};
    step_emit(step, &event);
}

void step_order(struct step *step, const struct lease *lease, bool again)
{
    int32_t needed = lease_needed(lease), kept = lease_kept(lease);
    int32_t end = needed < kept ? needed : kept;
    bool ends_itself = lease->done >= lease->hi - lease->lo;
    if (LEASE_OVER(lease->status) || ends_itself)
        return;
    if (lease->revoked || needed == lease->lo ||
        lease->agent->drain == DRAIN_NOW) {
        if (again || !lease->revoked)
            order_stop(step, lease);
    } else if (end < lease->hi) {
        order_trim(step, lease, end, again);
    }
}

void step_unneeded(struct step *step, struct job *job,
                   const struct lease *but_one)
{
    struct lease *lease;
    DL_FOREACH2 (job->leases, lease, job_next)
        if (lease != but_one)
            step_order(step, lease, false);
}

/* Whether the lease goes on is the agent's to say. */
static enum rc step_ask(struct step *step)
{
    const struct cmd *cmd = step->cmd;
    const struct agent *agent = agent_find(step->core, cmd->agent);
    if (!agent || agent->life != AGENT_UP)
        return step_refuse(step, RC_NOT_FOUND, "agent %s is not there",
                           cmd->agent);
    struct event event = {.type = EVENT_ASKED,
                          .job = cmd->job,
                          .agent = agent->name,
                          .lease = cmd->lease,
                          .lo = cmd->number,
                          .text = cmd->text,
                          .detail = cmd->sha256};
    step_emit(step, &event);
    return RC_OK;
}

static enum rc (*const handlers[])(struct step *) = {
    [CMD_SUBMIT] = step_submit,       [CMD_CANCEL] = step_cancel,
    [CMD_RETRY] = step_retry,         [CMD_PATCH] = step_patch,
    [CMD_FORGET] = step_forget,       [CMD_DRAIN] = step_drain,
    [CMD_STATE] = step_state,         [CMD_GONE] = step_gone,
    [CMD_EXPEL] = step_expel,         [CMD_UNSENT] = step_unsent,
    [CMD_COMMITTED] = step_committed, [CMD_RESTART] = step_restart,
    [CMD_TICK] = step_tick,           [CMD_ASK] = step_ask,
};

enum rc core_step(struct core *core, int64_t now_ms, const struct cmd *cmd,
                  struct arena *arena, struct events *out, char *why,
                  size_t size)
{
    char nobody[1];
    assert(cmd->type < sizeof handlers / sizeof *handlers);
    /* A ledger may be of a day when the clock was ahead. */
    if (now_ms > core->now_ms || cmd->type == CMD_RESTART)
        core->now_ms = now_ms;
    struct step step = {.core = core,
                        .cmd = cmd,
                        .arena = arena,
                        .out = out,
                        .why = why ? why : nobody,
                        .size = why ? size : sizeof nobody};
    step.why[0] = '\0';
    enum rc rc = handlers[cmd->type](&step);
    sched_open(&step);
    sched_run(&step);
    return rc;
}
