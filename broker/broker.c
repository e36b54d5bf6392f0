/* SPDX-License-Identifier: Apache-2.0
 *
 * The middle of the broker: one door in, two gates out. Every command passes
 * broker_do; its events go to the ledger and to the projectors; answers wait
 * in one queue until the ledger has what they show. It knows no socket.
 */
#include "broker/broker_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/state.h"
#include "broker/ledger/activity.h"
#include "common/mem.h"
#include "common/table.h"

#define BROKER_WATCHERS 3

struct waiting {
    uint64_t seq; /* last durable event it may show */
    void (*send)(void *ctx);
    void (*drop)(void *ctx); /* or NULL */
    void *ctx;
    struct waiting *prev, *next;
};

struct broker {
    struct core *core;
    struct store *store;
    const struct broker_facts *facts;
    struct arena arena;
    int64_t now_ms;
    uint64_t durable;   /* seq of the last durable event appended */
    uint64_t committed; /* seq the ledger has on disk */
    bool draining;
    uint64_t refused[REFUSED_COUNT];

    struct waiting *waiting; /* answers, in order */

    struct {
        broker_projector *project;
        void *ctx;
    } projectors[BROKER_PROJECTORS];
    size_t n_projectors;

    struct {
        broker_changed *changed;
        void *ctx;
    } watchers[BROKER_WATCHERS];
    size_t n_watchers;
    const char **changed; /* job ids of this turn, in the arena */
    size_t n_changed, cap_changed;
    bool farm_changed;
};

struct broker *broker_new(struct core *core, struct store *store,
                          const struct broker_facts *facts)
{
    struct broker *broker = mem_new(sizeof *broker);
    broker->core = core;
    broker->store = store;
    broker->facts = facts;
    broker->committed = core->seq;
    return broker;
}

void broker_free(struct broker **broker_ref)
{
    struct broker *broker = *broker_ref;
    if (!broker)
        return;
    struct waiting *waiting, *next;
    DL_FOREACH_SAFE (broker->waiting, waiting, next) {
        if (waiting->drop)
            waiting->drop(waiting->ctx);
        mem_free(waiting);
    }
    core_free(&broker->core);
    arena_done(&broker->arena);
    mem_free(broker);
    *broker_ref = NULL;
}

void broker_project(struct broker *broker, broker_projector *project, void *ctx)
{
    assert(broker->n_projectors < BROKER_PROJECTORS);
    broker->projectors[broker->n_projectors].project = project;
    broker->projectors[broker->n_projectors++].ctx = ctx;
}

void broker_watch(struct broker *broker, broker_changed *changed, void *ctx)
{
    assert(broker->n_watchers < BROKER_WATCHERS);
    broker->watchers[broker->n_watchers].changed = changed;
    broker->watchers[broker->n_watchers++].ctx = ctx;
}

static void changed_add(struct broker *broker, const char *job)
{
    if (broker->n_changed == broker->cap_changed) {
        size_t cap = broker->cap_changed == 0 ? 64 : 2 * broker->cap_changed;
        const char **jobs = arena_new(&broker->arena, cap * sizeof *jobs);
        if (broker->n_changed > 0)
            memcpy(jobs, broker->changed, broker->n_changed * sizeof *jobs);
        broker->changed = jobs;
        broker->cap_changed = cap;
    }
    broker->changed[broker->n_changed++] = job;
}

static void event_out(struct broker *broker, const struct event *event,
                      const struct activity *rows, size_t n_rows)
{
    if (event_keep(event->type) != EVENT_SOFT || n_rows > 0)
        store_note(broker->store, event, rows, n_rows);
    if (event_keep(event->type) == EVENT_DURABLE)
        broker->durable = event->seq;
    for (size_t i = 0; i < broker->n_projectors; i++)
        broker->projectors[i].project(broker->projectors[i].ctx, event);
    if (event->job)
        changed_add(broker, event->job);
    else
        broker->farm_changed = true;
}

/* What is left of the job's events can be packed. */
static void pack_ended(struct broker *broker, const struct event *event)
{
    if (event_keep(event->type) == EVENT_SOFT || !event->job)
        return;
    const struct job *job = job_find(broker->core, event->job);
    if (job && job_ended(job) && !job->leases)
        store_pack(broker->store, job->id);
}

enum rc broker_do(struct broker *broker, const struct cmd *cmd, char *why,
                  size_t size)
{
    struct events out = {0};
    struct activity_before before =
        activity_before(broker->core, cmd, &broker->arena);
    enum rc rc = core_step(broker->core, broker->now_ms, cmd, &broker->arena,
                           &out, why, size);
    for (size_t i = 0; i < out.n; i++) {
        struct activity rows[ACTIVITY_ROWS];
        size_t n = activity_of(broker->core, cmd, &before, &out.at[i],
                               &broker->arena, rows);
        event_out(broker, &out.at[i], rows, n);
    }
    for (size_t i = 0; i < out.n; i++)
        pack_ended(broker, &out.at[i]);
    return rc;
}

void broker_note(struct broker *broker, const char *what, const char *agent,
                 const char *who)
{
    const struct activity row = {.at_ms = broker->now_ms,
                                 .what = what,
                                 .who = who,
                                 .job = "",
                                 .name = "",
                                 .agent = agent,
                                 .text = ""};
    store_note(broker->store, NULL, &row, 1);
}

void broker_answer(struct broker *broker, void (*send)(void *ctx),
                   void (*drop)(void *ctx), void *ctx)
{
    if (!broker->waiting && broker->committed >= broker->durable) {
        send(ctx);
        return;
    }
    struct waiting *waiting = mem_new(sizeof *waiting);
    *waiting = (struct waiting){
        .seq = broker->durable, .send = send, .drop = drop, .ctx = ctx};
    DL_APPEND(broker->waiting, waiting);
}

void broker_unanswer(struct broker *broker, void *ctx)
{
    struct waiting *waiting, *next;
    DL_FOREACH_SAFE (broker->waiting, waiting, next) {
        if (waiting->ctx != ctx)
            continue;
        DL_DELETE(broker->waiting, waiting);
        mem_free(waiting);
    }
}

static void answers_open(struct broker *broker)
{
    while (broker->waiting && broker->waiting->seq <= broker->committed) {
        struct waiting *first = broker->waiting;
        DL_DELETE(broker->waiting, first);
        first->send(first->ctx);
        mem_free(first);
    }
}

void broker_turn(struct broker *broker, int64_t now_ms)
{
    broker->now_ms = now_ms;
    broker->n_changed = broker->cap_changed = 0;
    broker->changed = NULL;
    broker->farm_changed = false;
    arena_reset(&broker->arena);
}

/* Work first: a commit lets jobs be handed out, then its answers go. */
void broker_settle(struct broker *broker)
{
    uint64_t committed = store_poll(broker->store);
    if (committed > broker->committed) {
        broker->committed = committed;
        struct cmd cmd = {.type = CMD_COMMITTED, .seq = committed};
        (void)broker_do(broker, &cmd, NULL, 0);
        answers_open(broker);
    }
    if (core_next(broker->core) <= broker->now_ms) {
        struct cmd cmd = {.type = CMD_TICK};
        (void)broker_do(broker, &cmd, NULL, 0);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void report(struct broker *broker, const char *job)
{
    for (size_t i = 0; i < broker->n_watchers; i++)
        broker->watchers[i].changed(broker->watchers[i].ctx, job);
}

void broker_report(struct broker *broker)
{
    if (broker->farm_changed)
        report(broker, NULL);
    if (broker->n_changed == 0)
        return;
    qsort(broker->changed, broker->n_changed, sizeof *broker->changed, by_text);
    for (size_t i = 0; i < broker->n_changed; i++)
        if (i == 0 || strcmp(broker->changed[i], broker->changed[i - 1]) != 0)
            report(broker, broker->changed[i]);
}

int64_t broker_next(const struct broker *broker)
{
    return core_next(broker->core);
}

void broker_drain(struct broker *broker)
{
    broker->draining = true;
}

bool broker_waiting(const struct broker *broker)
{
    return broker->waiting != NULL;
}

void broker_refused(struct broker *broker, enum refused why, uint64_t n)
{
    broker->refused[why] += n;
}

uint64_t broker_refusals(const struct broker *broker, enum refused why)
{
    return broker->refused[why];
}

const char *refused_word(enum refused why)
{
    static const char *const words[REFUSED_COUNT] = {
#define REFUSED(name, word) [REFUSED_##name] = (word),
#include "broker/refused.def"
    };
    return words[why];
}

const struct core *broker_core(const struct broker *broker)
{
    return broker->core;
}

struct store *broker_store(const struct broker *broker)
{
    return broker->store;
}

struct arena *broker_arena(struct broker *broker)
{
    return &broker->arena;
}

const struct broker_facts *broker_facts(const struct broker *broker)
{
    return broker->facts;
}

int64_t broker_now(const struct broker *broker)
{
    return broker->now_ms;
}

bool broker_draining(const struct broker *broker)
{
    return broker->draining;
}
