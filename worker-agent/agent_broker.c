/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent towards the broker: what control and the lane say goes to seat,
 * session, pace and slots; STATE is gathered from them.
 */
#include <stdio.h>
#include <string.h>

#include "common/app/log.h"
#include "common/app/trace.h"
#include "worker-agent/agent_internal.h"

/* --- From the broker. --- */

static void drop_lane(struct agent *agent)
{
    seat_leave(&agent->seat);
    link_drop_lane(agent->link);
    pace_hello(&agent->pace, agent->now_ms);
}

static void connect_anew(struct agent *agent)
{
    const struct farm *farm = &agent->session.farm;
    log_info("connecting", "broker=%s status=%d control=%d",
             log_quoted(agent->options->broker), farm->status_port,
             farm->control_port);
    link_connect(agent->link, agent->broker.host, farm->status_port,
                 farm->control_port);
    drop_lane(agent);
}

/* Said once, and again when the reason is another one. */
static void tell_not_found(struct agent *agent, const char *why)
{
    if (strcmp(agent->not_found, why) == 0)
        return;
    snprintf(agent->not_found, sizeof agent->not_found, "%s", why);
    log_warn("broker_not_found", "broker=%s reason=%s",
             log_quoted(agent->options->broker), log_quoted(why));
}

/* Whether the farm takes agents with the key that we have, or without. */
static bool keys_fit(const struct agent *agent, const struct farm *farm,
                     char *why, size_t size)
{
    const struct join *join = agent->options->join;
    if (strcmp(farm->server_key, join == NULL ? "" : join->server) == 0)
        return true;
    if (join == NULL)
        snprintf(why, size,
                 "the farm wants a key: `frameq agents add NAME` there prints "
                 "what to give as --join");
    else if (farm->server_key[0] == '\0')
        snprintf(why, size,
                 "the farm takes no keys and the join string has one: start "
                 "its broker with --curve on, or this agent without --join");
    else
        snprintf(why, size,
                 "the farm has another key than the one in the join string: "
                 "join it anew (`frameq agents add NAME`)");
    return false;
}

void agent_farm(void *ctx, uint64_t id, int kind,
                const struct web_answer *answer)
{
    struct agent *agent = ctx;
    struct farm farm;
    char why[256];
    (void)id;
    (void)kind;
    bool read = farm_read(answer, &farm, why, sizeof why) &&
                keys_fit(agent, &farm, why, sizeof why);
    if (!read)
        tell_not_found(agent, why);
    if (session_farm(&agent->session, agent->now_ms, read ? &farm : NULL,
                     (uint32_t)agent_random()) == SESSION_CONNECT)
        connect_anew(agent);
}

static void say_ready(struct agent *agent)
{
    if (agent->ready)
        return;
    agent->ready = true;
    printf("ready broker=%s node=%s\n", agent->options->broker,
           agent->options->node);
    fflush(stdout);
}

static void hear_beat(struct agent *agent, const struct msg *msg)
{
    session_beat(&agent->session, agent->now_ms);
    if (!seat_beat(&agent->seat, &msg->beat))
        return;
    agent->not_found[0] = '\0';
    agent->refused = false;
    log_info("broker_found", "epoch=%" PRIu64, agent->seat.epoch);
    drop_lane(agent);
}

static void hear_lane(struct agent *agent, const struct msg *msg)
{
    if (!seat_lane(&agent->seat, &msg->lane))
        return;
    link_take_lane(agent->link, msg->lane.port);
    log_info("lane", "lane=%" PRIu64 " port=%d", msg->lane.lane,
             (int)msg->lane.port);
    pace_news(&agent->pace, agent->now_ms, NEWS_NOW);
    say_ready(agent);
}

static void hear_batch(struct agent *agent, const struct msg *msg)
{
    const struct msg_batch *batch = &msg->batch;
    if (!seat_batch(&agent->seat, batch))
        return;
    char words[TRACE_WORDS];
    bool taken = slots_batch(&agent->slots, agent->now_ms, batch);
    log_info(taken ? "lease_taken" : "lease_declined",
             LEASE_FORMAT " job=%s frames=%d-%dx%d%s",
             LEASE_WORDS(batch->lease), batch->job, (int)batch->from,
             (int)batch->to, (int)batch->step,
             trace_words(batch->trace, words));
}

static void hear_acks(struct agent *agent, const struct msg *msg)
{
    agent_sends(agent, &msg->acks);
    slots_acks(&agent->slots, &msg->acks);
}

static void hear_ask(struct agent *agent, const struct msg *msg)
{
    agent_asked(agent, &msg->ask);
}

static void hear_revoke(struct agent *agent, const struct msg *msg)
{
    log_info("lease_revoked", LEASE_FORMAT " reason=%s",
             LEASE_WORDS(msg->revoke.lease), log_quoted(msg->revoke.why));
    slots_revoke(&agent->slots, msg->revoke.lease);
}

static void hear_trim(struct agent *agent, const struct msg *msg)
{
    slots_trim(&agent->slots, &msg->trim);
}

static void hear_drain(struct agent *agent, const struct msg *msg)
{
    static const char *const words[] = {"off", "soft", "now"};
    (void)agent;
    log_info("drain", "mode=%s", words[msg->drain.mode]);
}

static void hear_refuse(struct agent *agent, const struct msg *msg)
{
    if (msg->refuse.inc != agent->seat.inc)
        return;
    snprintf(agent->why, agent->why_size, "the broker refuses the name %s: %s",
             agent->options->name, msg->refuse.why);
    agent->ending = true;
}

static void hear_who(struct agent *agent, const struct msg *msg)
{
    (void)msg;
    pace_ask(&agent->pace, agent->now_ms,
             (int64_t)(agent_random() % MSG_STATE_MS));
}

void agent_heard(void *ctx, enum link_end from, const struct msg *msg)
{
    static void (*const heard[])(struct agent *, const struct msg *) = {
        [KIND_BEAT] = hear_beat,   [KIND_LANE] = hear_lane,
        [KIND_ACK] = hear_acks,    [KIND_REVOKE] = hear_revoke,
        [KIND_TRIM] = hear_trim,   [KIND_DRAIN] = hear_drain,
        [KIND_WHO] = hear_who,     [KIND_REFUSE] = hear_refuse,
        [KIND_BATCH] = hear_batch, [KIND_ASK] = hear_ask,
    };
    bool for_us = msg->kind != KIND_STATE &&
                  (msg->kind == KIND_BATCH) == (from == LINK_LANE);
    if (for_us)
        heard[msg->kind](ctx, msg);
}

void agent_cut(void *ctx, enum link_end end)
{
    struct agent *agent = ctx;
    if (end == LINK_CONTROL)
        session_cut(&agent->session, agent->now_ms);
    else
        drop_lane(agent);
}

/* The sockets are built anew after a while: the key may be let in again. */
void agent_refused(void *ctx, enum link_end end)
{
    struct agent *agent = ctx;
    if (agent->refused)
        return;
    agent->refused = true;
    log_warn("key_refused", "socket=%s reason=%s",
             end == LINK_CONTROL ? "control" : "lane",
             log_quoted("the farm does not know this agent's key, or no "
                        "longer; `frameq agents add` makes a new one"));
}

/* --- To the broker. --- */

static struct msg_node node_of(const struct node_facts *facts)
{
    return (struct msg_node){.up = facts->up,
                             .classic = facts->classic,
                             .can_trim = facts->can_trim,
                             .can_stop = facts->can_stop,
                             .cores = facts->cores,
                             .memory_mb = facts->memory_mb,
                             .gpus = facts->gpus,
                             .name = facts->name,
                             .version = facts->version,
                             .blender = facts->blender,
                             .device = facts->device,
                             .error = facts->error};
}

void agent_send_state(struct agent *agent)
{
    struct msg msg = {.kind = KIND_STATE};
    struct msg_state *state = &msg.state;
    *state = (struct msg_state){.agent = agent->options->name,
                                .inc = agent->seat.inc,
                                .seq = ++agent->seq,
                                .epoch = agent->seat.epoch,
                                .lane = agent->seat.lane,
                                .dseq = agent->seat.dseq,
                                .version = FRAMEQ_VERSION,
                                .tags = agent->options->tags,
                                .n_tags = agent->options->n_tags,
                                .node = node_of(&agent->slots.node)};
    slots_state(&agent->slots, &agent->arena, state);
    link_send(agent->link, &msg);
    arena_reset(&agent->arena);
    pace_sent(&agent->pace, agent->now_ms, agent->seat.lane != 0);
}
