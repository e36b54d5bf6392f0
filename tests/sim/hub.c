/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker around the core, as broker.c and link.c are: one door in; events
 * to the ledger; orders out at once; acknowledgements and answers to people
 * once the last durable event is on disk.
 */
#include "tests/sim/world.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/mem.h"

#define TICKS_MAX 100 /* at one time; each STATE may bring one */

static void fold(struct world *world, uint64_t number)
{
    world->digest = (world->digest ^ number) * 1099511628211u;
}

static void fold_event(struct world *world, const struct event *event)
{
    fold(world, (uint64_t)world->now_ms);
    fold(world, (uint64_t)event->type);
    fold(world, event->lease);
    fold(world, (uint64_t)event->lo);
    fold(world, (uint64_t)event->hi);
    fold(world, (uint64_t)event->number);
}

/* --- Orders. --- */

static void lane_send(struct world *world, const struct event *event)
{
    struct msg msg = {.kind = KIND_LANE};
    msg.lane = (struct msg_lane){event->inc, event->lane, 20000};
    wire_down(world, event->agent, &msg);
}

static bool name_is_there(const struct world *world, const char *name)
{
    for (int i = 0; i < world->n_workers; i++) {
        const struct worker *worker = &world->workers[i];
        if (strcmp(worker->name, name) == 0 && worker->alive && !worker->cut)
            return true;
    }
    return false;
}

static void unsent(struct world *world, const struct happening *happening)
{
    struct cmd cmd = {.type = CMD_UNSENT, .lease = happening->lease};
    if (world->hub.core && happening->life == world->hub.life)
        hub_do(world, &cmd);
}

/* A lane that nobody is at refuses a batch, or swallows it for a while. */
static bool refused(struct world *world, const struct event *event)
{
    int permille = name_is_there(world, event->agent) ? 10 : 500;
    struct happening happening = {
        .act = unsent, .life = world->hub.life, .lease = event->lease};
    if (world->calm || !rng_chance(&world->rng, permille))
        return false;
    later(world, 0, &happening);
    return true;
}

static void batch_send(struct world *world, const struct event *event)
{
    const struct job *job = job_find(world->hub.core, event->job);
    if (event->number == 0)
        return; /* adopted: the agent has it */
    judge_grant(world, event);
    if (refused(world, event))
        return;
    struct msg msg = {.kind = KIND_BATCH};
    msg.batch = (struct msg_batch){
        .epoch = world->hub.epoch,
        .lane = event->lane,
        .dseq = (uint64_t)event->number,
        .lease = event->lease,
        .job = job->id,
        .name = job->name,
        .from = frames_number(&job->frames, event->lo),
        .to = frames_number(&job->frames, event->hi - 1),
        .step = event->hi - event->lo == 1
                    ? 1
                    : frames_run(&job->frames, event->lo)->step,
        .replace = ranges_has(&job->redo, event->lo),
        .render = job->render};
    wire_down(world, event->agent, &msg);
}

static void revoke_send(struct world *world, const struct event *event)
{
    struct msg msg = {.kind = KIND_REVOKE};
    msg.revoke = (struct msg_revoke){event->lease, event->text};
    wire_down(world, event->agent, &msg);
}

static void trim_send(struct world *world, const struct event *event)
{
    struct msg msg = {.kind = KIND_TRIM};
    msg.trim = (struct msg_trim){event->lease, event->number};
    wire_down(world, event->agent, &msg);
}

static void refuse_send(struct world *world, const struct event *event)
{
    struct msg msg = {.kind = KIND_REFUSE};
    msg.refuse = (struct msg_refuse){event->inc, event->text};
    wire_down(world, event->agent, &msg);
}

static void beat_send(struct world *world, const char *agent)
{
    struct msg msg = {.kind = KIND_BEAT};
    msg.beat = (struct msg_beat){world->hub.epoch, world->now_ms};
    wire_down(world, agent, &msg);
}

static void heard_answer(struct world *world, const struct event *event)
{
    if (event->state->epoch != world->hub.epoch)
        beat_send(world, event->agent);
}

static void ack_queue(struct world *world, const struct event *event)
{
    struct answer answer = {.job = NULL};
    answer.ack =
        (struct msg_ack){event->lease, event->lo, event->hi, event->flag};
    while (strcmp(world->workers[answer.to].name, event->agent) != 0)
        answer.to++;
    hub_answer(world, &answer);
}

static void (*const senders[EVENT_TYPES])(struct world *,
                                          const struct event *) = {
    [EVENT_LANE] = lane_send,      [EVENT_LEASED] = batch_send,
    [EVENT_REVOKED] = revoke_send, [EVENT_TRIMMED] = trim_send,
    [EVENT_REFUSED] = refuse_send, [EVENT_ACKED] = ack_queue,
    [EVENT_HEARD] = heard_answer,
};

/* --- Answers. --- */

static void answer_send(struct world *world, const struct answer *answer)
{
    if (answer->job)
        answer->job->promised = true;
    if (answer->to < 0)
        return;
    struct msg msg = {.kind = KIND_ACK};
    msg.acks = (struct msg_acks){&answer->ack, 1};
    judge_ack(world, answer);
    wire_down(world, world->workers[answer->to].name, &msg);
}

void hub_answer(struct world *world, struct answer *answer)
{
    struct hub *hub = &world->hub;
    answer->seq = hub->durable;
    if (!hub->answers && hub->committed >= hub->durable) {
        answer_send(world, answer);
        return;
    }
    struct answer *copy = mem_copy(answer, sizeof *answer);
    DL_APPEND(hub->answers, copy);
}

static void answers_open(struct world *world)
{
    struct hub *hub = &world->hub;
    while (hub->answers && hub->answers->seq <= hub->committed) {
        struct answer *first = hub->answers;
        DL_DELETE(hub->answers, first);
        answer_send(world, first);
        mem_free(first);
    }
}

void hub_committed(struct world *world)
{
    struct cmd cmd = {.type = CMD_COMMITTED, .seq = world->ledger.disk};
    world->hub.committed = world->ledger.disk;
    hub_do(world, &cmd);
    answers_open(world);
}

/* --- The door. --- */

static void tell_event(const struct world *world, const struct event *event)
{
    if (!world->verbose || event->type == EVENT_HEARD ||
        event->type == EVENT_PROGRESS)
        return;
    tell(world, "core",
         "%-9s %s %s lease %" PRIu64 "-%" PRIu64 " %d..%d n=%d%s%s %s",
         event_word(event->type), event->job ? event->job : "",
         event->agent ? event->agent : "", LEASE_EPOCH(event->lease),
         event->lease - LEASE_ID(LEASE_EPOCH(event->lease), 0), event->lo,
         event->hi, event->number, event->flag ? " flag" : "",
         event->fault ? " fault" : "", event->text ? event->text : "");
}

static void event_out(struct world *world, const struct event *event)
{
    fold_event(world, event);
    tell_event(world, event);
    judge_event(world, event);
    if (event_keep(event->type) != EVENT_SOFT)
        ledger_append(world, event);
    if (event_keep(event->type) == EVENT_DURABLE)
        world->hub.durable = event->seq;
}

static void tick(struct world *world, const struct happening *happening)
{
    struct cmd cmd = {.type = CMD_TICK};
    if (happening->life != world->hub.life || !world->hub.core)
        return;
    world->hub.tick_ms = INT64_MAX;
    world->hub.ticks =
        world->hub.ticked_ms == world->now_ms ? world->hub.ticks + 1 : 1;
    world->hub.ticked_ms = world->now_ms;
    if (world->hub.ticks > TICKS_MAX)
        fail(world, "ticks-settle", "one tick after the other");
    hub_do(world, &cmd);
}

static void tick_plan(struct world *world)
{
    struct hub *hub = &world->hub;
    int64_t next = core_next(hub->core);
    struct happening happening = {.act = tick, .life = hub->life};
    if (next >= hub->tick_ms)
        return;
    hub->tick_ms = next > world->now_ms ? next : world->now_ms;
    later(world, hub->tick_ms - world->now_ms, &happening);
}

/* A STATE that is old must change nothing. */
static bool is_stale(const struct core *core, const struct cmd *cmd)
{
    if (cmd->type != CMD_STATE)
        return false;
    const struct agent *agent = agent_find(core, cmd->state->agent);
    return agent && agent->known && agent->inc == cmd->state->inc &&
           cmd->state->seq <= agent->seq;
}

enum rc hub_do(struct world *world, const struct cmd *cmd)
{
    struct hub *hub = &world->hub;
    struct events out = {0};
    char why[256];
    bool stale = is_stale(hub->core, cmd);
    enum rc rc = core_step(hub->core, world->now_ms, cmd, &hub->arena, &out,
                           why, sizeof why);
    core_check(hub->core);
    if (rc != RC_OK && out.n > 0)
        fail(world, "refusal-emits-nothing", "%s: %s", why,
             event_word(out.at[0].type));
    if (stale && out.n > 0)
        fail(world, "stale-changes-nothing", "a stale STATE: %s",
             event_word(out.at[0].type));
    for (size_t i = 0; i < out.n; i++)
        event_out(world, &out.at[i]);
    for (size_t i = 0; i < out.n; i++)
        if (senders[out.at[i].type])
            senders[out.at[i].type](world, &out.at[i]);
    ledger_write(world);
    faults_trip(world);
    tick_plan(world);
    return rc;
}

/* --- In. --- */

void hub_hear(struct world *world, const struct happening *happening)
{
    const struct worker *worker = &world->workers[happening->who];
    struct msg msg;
    char why[256];
    if (!world->hub.core || worker->cut)
        return;
    arena_reset(&world->hub.arena);
    if (!msg_decode(happening->bytes, happening->len, &world->hub.arena, &msg,
                    why, sizeof why))
        fail(world, "messages-readable", "%s", why);
    struct cmd cmd = {.type = CMD_STATE, .state = &msg.state};
    hub_do(world, &cmd);
}

static void gone(struct world *world, const struct happening *happening)
{
    struct cmd cmd = {.type = CMD_GONE,
                      .agent = world->workers[happening->who].name,
                      .inc = happening->lease};
    if (world->hub.core && happening->life == world->hub.life)
        hub_do(world, &cmd);
}

void hub_gone(struct world *world, const struct worker *worker)
{
    struct happening happening = {.act = gone,
                                  .who = worker->id,
                                  .life = world->hub.life,
                                  .lease = worker->inc};
    later(world, rng_between(&world->rng, 0, 100), &happening);
}

/* --- Its life. --- */

static void beat(struct world *world, const struct happening *happening)
{
    if (happening->life != world->hub.life || !world->hub.core)
        return;
    beat_send(world, "*");
    later(world, MSG_BEAT_MS, happening);
}

static void core_load(struct world *world)
{
    const struct ledger *ledger = &world->ledger;
    judge_reset(world->judge);
    world->hub.core = ledger_replay(world, judge_event);
    core_check(world->hub.core);
    if (ledger->known && core_digest(world->hub.core) != ledger->digest)
        fail(world, "replay-is-the-same", "at the restart, seq %" PRIu64,
             ledger->disk);
}

void hub_start(struct world *world)
{
    struct hub *hub = &world->hub;
    core_load(world);
    hub->epoch++;
    hub->tick_ms = INT64_MAX;
    hub->durable = hub->committed = world->ledger.disk;
    tell(world, "hub", "starts epoch %" PRIu64 " with %" PRIu64 " records",
         hub->epoch, world->ledger.disk);
    struct cmd cmd = {.type = CMD_RESTART, .epoch = hub->epoch};
    hub_do(world, &cmd);
    judge_promises(world);
    struct msg who = {.kind = KIND_WHO};
    wire_down(world, "*", &who);
    beat(world, &(struct happening){.act = beat, .life = hub->life});
}

static void restart(struct world *world, const struct happening *happening)
{
    (void)happening;
    hub_start(world);
}

static void answers_drop(struct hub *hub)
{
    struct answer *answer, *next;
    DL_FOREACH_SAFE (hub->answers, answer, next) {
        DL_DELETE(hub->answers, answer);
        mem_free(answer);
    }
}

void hub_crash(struct world *world)
{
    struct hub *hub = &world->hub;
    struct happening happening = {.act = restart};
    if (!hub->core)
        return;
    tell(world, "hub", "crashes");
    core_free(&hub->core);
    answers_drop(hub);
    hub->life++;
    ledger_crash(world);
    later(world, rng_skewed(&world->rng, 100, 10000), &happening);
}

void hub_done(struct world *world)
{
    core_free(&world->hub.core);
    answers_drop(&world->hub);
    arena_done(&world->hub.arena);
}
