/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker around the core: broker.c itself, so that its door and its gates
 * are what is tested; the turns of loop.c and the messages of link.c are made
 * here again, without sockets. It can crash in the middle of a step's events
 * (it is `doomed` then: nothing of it reaches anybody any more) and stand still
 * for a while.
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
        if (strcmp(worker->name, name) == 0 && worker->alive &&
            !(worker->cut & CUT_LANE))
            return true;
    }
    return false;
}

/* A broker that stands still comes to it when it wakes, if it lives till then.
 */
static bool is_frozen(struct world *world, const struct happening *happening)
{
    struct happening copy = *happening;
    if (world->now_ms >= world->hub.wakes_ms)
        return false;
    copy.at_ms = world->hub.wakes_ms;
    if (copy.len > 0)
        copy.bytes = mem_copy(happening->bytes, happening->len);
    agenda_add(&world->agenda, &copy);
    return true;
}

static void unsent(struct world *world, const struct happening *happening)
{
    struct cmd cmd = {.type = CMD_UNSENT, .lease = happening->lease};
    if (is_frozen(world, happening) || happening->life != world->hub.life)
        return;
    if (hub_turn(world))
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
    struck(world, STRUCK_UNSENT);
    tell(world, "network", "the lane of %s refuses a BATCH", event->agent);
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
        .epoch = world->hub.facts.epoch,
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
    judge_batch(world, &msg.batch);
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
    msg.beat = (struct msg_beat){world->hub.facts.epoch, world->now_ms};
    wire_down(world, agent, &msg);
}

static void heard_answer(struct world *world, const struct event *event)
{
    if (event->state->epoch != world->hub.facts.epoch)
        beat_send(world, event->agent);
}

static void ack_queue(struct world *world, const struct event *event)
{
    struct answer answer = {.to = 0};
    while (strcmp(world->workers[answer.to].name, event->agent) != 0)
        answer.to++;
    for (size_t i = 0; i < event->acks.n; i++) {
        answer.ack = event->acks.at[i];
        hub_answer(world, &answer);
    }
}

static void (*const senders[EVENT_TYPES])(struct world *,
                                          const struct event *) = {
    [EVENT_LANE] = lane_send,      [EVENT_LEASED] = batch_send,
    [EVENT_REVOKED] = revoke_send, [EVENT_TRIMMED] = trim_send,
    [EVENT_REFUSED] = refuse_send, [EVENT_ACKED] = ack_queue,
    [EVENT_HEARD] = heard_answer,
};

/* --- Answers. --- */

/* What broker.c calls once the gate is open. */
static void answer_send(void *ctx)
{
    struct answer *answer = ctx;
    struct world *world = answer->world;
    if (!world->hub.doomed) {
        judge_answer(world, answer);
        if (answer->job)
            answer->job->promised = true;
        if (answer->to >= 0) {
            struct msg msg = {.kind = KIND_ACK};
            msg.acks = (struct msg_acks){&answer->ack, 1};
            wire_down(world, world->workers[answer->to].name, &msg);
        }
    }
    mem_free(answer);
}

void hub_answer(struct world *world, const struct answer *answer)
{
    struct hub *hub = &world->hub;
    if (hub->doomed)
        return;
    struct answer *copy = mem_copy(answer, sizeof *answer);
    copy->world = world;
    copy->seq = hub->durable;
    broker_answer(hub->broker, answer_send, mem_free, copy);
}

/* --- The door. --- */

/* Frames are done all the time; what is rarer is hit more often. */
static bool is_split(struct world *world, const struct event *event)
{
    int times = event->type == EVENT_DONE      ? 1
                : event->type == EVENT_CHARGED ? 50
                                               : 20;
    if (world->calm || world->weather.crash_at == CRASH_NEVER ||
        event_keep(event->type) != EVENT_DURABLE)
        return false;
    return rng_chance(&world->rng, times * world->weather.split);
}

static void crash_due(struct world *world, const struct event *event)
{
    if ((uint64_t)world->stats.events != world->weather.crash_at &&
        !is_split(world, event))
        return;
    tell(world, "hub", "is about to crash");
    struck(world, STRUCK_CRASH_AT);
    world->hub.doomed = true;
}

/* What broker.c calls with every event of a step. */
static void event_out(void *ctx, const struct event *event)
{
    struct world *world = ctx;
    struct hub *hub = &world->hub;
    if (hub->doomed)
        return;
    hub->stepped++;
    hub->heard = hub->heard || event->type == EVENT_HEARD;
    world->stats.events++;
    world->stats.leases += event->type == EVENT_LEASED;
    fold_event(world, event);
    tell_event(world, event);
    judge_event(world, event);
    if (event_keep(event->type) == EVENT_DURABLE)
        hub->durable = event->seq;
    crash_due(world, event);
    if (!hub->doomed && senders[event->type])
        senders[event->type](world, event);
}

static void tick(struct world *world, const struct happening *happening)
{
    struct hub *hub = &world->hub;
    if (is_frozen(world, happening) || happening->life != hub->life ||
        world->now_ms < hub->tick_ms) /* an earlier one was asked for since */
        return;
    hub->tick_ms = INT64_MAX;
    hub->ticks = hub->ticked_ms == world->now_ms ? hub->ticks + 1 : 1;
    hub->ticked_ms = world->now_ms;
    if (hub->ticks > TICKS_MAX)
        fail(world, "ticks-settle", "one tick after the other");
    hub_turn(world);
}

static void tick_plan(struct world *world)
{
    struct hub *hub = &world->hub;
    int64_t next = broker_next(hub->broker);
    struct happening happening = {.act = tick, .life = hub->life};
    if (next == INT64_MAX)
        return;
    next -= EPOCH_MS + hub->skew_ms;
    if (next >= hub->tick_ms)
        return;
    hub->tick_ms = next > world->now_ms ? next : world->now_ms;
    later(world, hub->tick_ms - world->now_ms, &happening);
}

static void stepped(struct world *world)
{
    struct hub *hub = &world->hub;
    if (hub->doomed)
        return;
    core_check(hub->core);
    judge_step(world);
    ledger_write(world);
    faults_trip(world);
    tick_plan(world);
}

int64_t hub_now(const struct world *world)
{
    return EPOCH_MS + world->now_ms + world->hub.skew_ms;
}

bool hub_turn(struct world *world)
{
    struct hub *hub = &world->hub;
    if (!hub->broker || hub->doomed || world->now_ms < hub->wakes_ms)
        return false;
    uint64_t committed = hub->core->committed;
    hub->stepped = 0;
    broker_turn(hub->broker, hub_now(world));
    broker_settle(hub->broker);
    if (hub->stepped > 0 || hub->core->committed != committed)
        stepped(world);
    else
        tick_plan(world);
    return !hub->doomed;
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
    char why[256];
    if (hub->doomed)
        return RC_BUSY;
    bool stale = is_stale(hub->core, cmd);
    hub->stepped = 0;
    enum rc rc = broker_do(hub->broker, cmd, why, sizeof why);
    if (rc != RC_OK && hub->stepped > 0)
        fail(world, "refusal-emits-nothing", "%s: %zu events", why,
             hub->stepped);
    if (stale && hub->stepped > 0)
        fail(world, "stale-changes-nothing", "a stale STATE: %zu events",
             hub->stepped);
    stepped(world);
    return rc;
}

/* --- In. --- */

void hub_hear(struct world *world, const struct happening *happening)
{
    const struct worker *worker = &world->workers[happening->who];
    struct msg msg;
    char why[256];
    /* What was on its way to a broker that crashed is gone with its connection,
     * but for what still waits at the agent: a socket that it has given up
     * lingers for a second, and may find the next broker at the same port,
     * also after what was said later on another one. */
    bool lost = happening->life != world->hub.life &&
                (!worker->alive || rng_chance(&world->rng, 500));
    if (worker->cut & CUT_STATUS || lost || is_frozen(world, happening) ||
        !hub_turn(world))
        return;
    if (!msg_decode(happening->bytes, happening->len,
                    broker_arena(world->hub.broker), &msg, why, sizeof why))
        fail(world, "messages-readable", "%s", why);
    struct cmd cmd = {.type = CMD_STATE, .state = &msg.state};
    judge_before(world, &msg.state);
    world->hub.heard = false;
    hub_do(world, &cmd);
    if (!world->hub.doomed && world->hub.heard)
        judge_after(world, &msg.state);
}

static void gone(struct world *world, const struct happening *happening)
{
    struct cmd cmd = {.type = CMD_GONE,
                      .agent = world->workers[happening->who].name,
                      .inc = happening->lease};
    if (is_frozen(world, happening) || happening->life != world->hub.life)
        return;
    if (hub_turn(world))
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
    if (is_frozen(world, happening) || happening->life != world->hub.life ||
        world->hub.doomed)
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
    hub->facts.epoch++;
    hub->store.world = world;
    hub->tick_ms = INT64_MAX;
    hub->durable = world->ledger.disk;
    hub->broker = broker_new(hub->core, &hub->store, &hub->facts);
    broker_project(hub->broker, event_out, world);
    tell(world, "hub", "starts epoch %" PRIu64 " with %" PRIu64 " records",
         hub->facts.epoch, world->ledger.disk);
    struct cmd cmd = {.type = CMD_RESTART, .epoch = hub->facts.epoch};
    broker_turn(hub->broker, hub_now(world));
    hub_do(world, &cmd);
    judge_promises(world);
    struct msg who = {.kind = KIND_WHO};
    wire_down(world, "*", &who);
    beat(world, &(struct happening){.act = beat, .life = hub->life});
}

/* A disk without any room takes no new epoch: the broker is started again and
 * again until there is some. */
static void restart(struct world *world, const struct happening *happening)
{
    int64_t wall_ms = world->calm ? 0 : world->weather.wall_ms;
    if (world->ledger.full && world->ledger.room == 0) {
        later(world, 1000, happening);
        return;
    }
    if (wall_ms > 0) {
        struck(world, STRUCK_WALL);
        world->hub.skew_ms += rng_between(&world->rng, -wall_ms, wall_ms);
        tell(world, "hub", "has its clock at %+.3f s",
             (double)world->hub.skew_ms / 1000.0);
    }
    hub_start(world);
}

static void hub_drop(struct hub *hub)
{
    broker_free(&hub->broker);
    hub->core = NULL;
}

void hub_crash(struct world *world)
{
    struct hub *hub = &world->hub;
    struct happening happening = {.act = restart};
    if (!hub->broker)
        return;
    tell(world, "hub", "crashes");
    struck(world, STRUCK_CRASH);
    hub_drop(hub);
    hub->doomed = false;
    hub->wakes_ms = 0;
    hub->life++;
    ledger_crash(world);
    later(world, rng_skewed(&world->rng, 100, 10000), &happening);
}

void hub_freeze(struct world *world, int64_t ms, bool suspended)
{
    struct hub *hub = &world->hub;
    if (!hub->broker || world->now_ms < hub->wakes_ms)
        return;
    tell(world, "hub", "%s for %.3f s", suspended ? "is suspended" : "freezes",
         (double)ms / 1000.0);
    struck(world, suspended ? STRUCK_SUSPEND : STRUCK_FREEZE);
    hub->wakes_ms = world->now_ms + ms;
    if (suspended)
        hub->skew_ms -= ms;
}

void hub_wake(struct world *world)
{
    world->hub.wakes_ms = 0;
}

void hub_done(struct world *world)
{
    hub_drop(&world->hub);
}
