/* SPDX-License-Identifier: Apache-2.0
 *
 * See link.h. A STATE is decoded whole and bounded before anything looks at
 * it; a message that is not right is dropped and counted against nobody. A
 * closed connection is matched to its agent by the descriptor its messages
 * came over: a hint, since descriptors are used again, so it is forgotten when
 * a new connection takes that number.
 */
#include "broker/agents/link.h"

#include <assert.h>
#include <czmq.h>
#include <stdlib.h>

#include "broker/agents/acks.h"
#include "broker/agents/lanes.h"
#include "broker/agents/ports.h"
#include "broker/agents/publisher.h"
#include "broker/agents/ration.h"
#include "broker/agents/socket.h"
#include "broker/agents/zap.h"
#include "broker/broker_internal.h"
#include "broker/core/state.h"
#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/app/trace.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/table.h"
#include "common/zmq/guard.h"

#define ROWS_TRIED   10 /* somebody else may be quicker each time */
#define STATES_HELD  64 /* of a peer, each LIMIT_MESSAGE at most */
#define COMPLAIN_MS  10000
#define PORTS_IN_ROW 3 /* status, control, feed */

/* Whose messages came over a descriptor. */
struct peer {
    int fd;
    char agent[LIMIT_AGENT + 1];
    uint64_t inc;
    UT_hash_handle hh;
};

/* Acknowledgements on their way to the gate. */
struct queued_acks {
    struct link *link;
    struct ack_line *line;
    size_t n;
};

struct link {
    struct broker *broker;
    struct keys *keys; /* NULL: anybody is let in */
    zsock_t *status, *monitor;
    struct publisher *control;
    struct lanes *lanes;
    struct peer *peers; /* by fd */
    struct buf out;     /* message being written */
    uint64_t *unsent;   /* leases whose BATCH found nobody */
    size_t n_unsent, cap_unsent;
    struct acks acks;
    int port;
    bool heard;          /* the last STATE counted */
    int64_t beat_ms;     /* when the next BEAT is due */
    int64_t complain_ms; /* when a missing lane may be logged again */
    int64_t accuse_ms;   /* the same of a forged STATE */
};

/* The broker's secret key, or NULL. */
static const char *link_key(const struct link *link)
{
    return link->keys ? keys_server_secret(link->keys) : NULL;
}

static zsock_t *status_new(const char *key)
{
    zsock_t *sock =
        socket_new(&(struct socket_options){.type = ZMQ_SUB,
                                            .message_max = LIMIT_MESSAGE,
                                            .linger_ms = 200,
                                            .key = key,
                                            .domain = ZAP_STATUS});
    zsock_set_backlog(sock, 4096);
    zsock_set_rcvhwm(sock, STATES_HELD);
    zsock_set_subscribe(sock, "");
    return sock;
}

static zsock_t *monitor_new(zsock_t *status)
{
    static const char address[] = "inproc://status-monitor";
    int rc = zmq_socket_monitor(zsock_resolve(status), address,
                                ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED);
    assert(rc == 0);
    zsock_t *monitor = zsock_new(ZMQ_PAIR);
    assert(monitor);
    /* A full pipe would stop libzmq's thread while it holds the lock that
     * link_close needs: two events a connection wait for the next turn. */
    zsock_set_rcvhwm(monitor, 0);
    rc = zsock_connect(monitor, "%s", address);
    assert(rc == 0);
    return monitor;
}

static bool bind_pair(struct link *link, const char *host, int port)
{
    if (!socket_bind(link->status, host, port))
        return false;
    link->control = publisher_open(&(struct publisher_options){
        host, port + 1, link_key(link), ZAP_CONTROL});
    if (link->control)
        return true;
    socket_unbind(link->status, host, port);
    return false;
}

/* Status, control and the feed, which binds its port right after. */
static bool bind_row(struct link *link, const char *host)
{
    for (int i = 0; i < ROWS_TRIED; i++) {
        link->port = ports_free_row(host, PORTS_IN_ROW);
        if (link->port > 0 && bind_pair(link, host, link->port))
            return true;
    }
    return false;
}

static bool link_bind(struct link *link, const struct link_options *options)
{
    if (options->status_port == 0)
        return bind_row(link, options->host);
    link->port = options->status_port;
    return bind_pair(link, options->host, options->status_port);
}

struct link *link_open(const struct link_options *options, char *why,
                       size_t size)
{
    struct link *link = mem_new(sizeof *link);
    link->keys = options->keys;
    link->status = status_new(link_key(link));
    link->monitor = monitor_new(link->status);
    link->lanes = lanes_new(options->host, options->lanes_low,
                            options->lanes_high, link_key(link));
    buf_init(&link->out, LIMIT_MESSAGE);
    if (!link_bind(link, options)) {
        snprintf(why, size, "cannot bind tcp://%s:%d and the next port: %s",
                 options->host, options->status_port,
                 zmq_strerror(zmq_errno()));
        link_close(&link);
    }
    return link;
}

static void peers_free(struct link *link)
{
    struct peer *peer, *next;
    HASH_ITER (hh, link->peers, peer, next) {
        HASH_DEL(link->peers, peer);
        mem_free(peer);
    }
}

void link_close(struct link **link_ref)
{
    struct link *link = *link_ref;
    if (!link)
        return;
    zmq_socket_monitor(zsock_resolve(link->status), NULL, 0);
    zsock_destroy(&link->monitor);
    zsock_destroy(&link->status);
    publisher_close(&link->control);
    lanes_free(&link->lanes);
    peers_free(link);
    buf_free(&link->out);
    mem_free(link->unsent);
    acks_done(&link->acks);
    mem_free(link);
    *link_ref = NULL;
}

int link_status_port(const struct link *link)
{
    return link->port;
}

void *link_status(const struct link *link)
{
    return zsock_resolve(link->status);
}

void *link_monitor(const struct link *link)
{
    return zsock_resolve(link->monitor);
}

void *link_control(const struct link *link)
{
    return publisher_socket(link->control);
}

/* Out: control messages. A full pipe drops them; the next STATE shows what is
 * missing, and they are said again. */
static void control_send(struct link *link, const char *agent,
                         const struct msg *msg)
{
    char topic[MSG_TOPIC_SIZE];
    buf_clear(&link->out);
    if (msg_encode(msg, &link->out))
        publisher_send(link->control, msg_topic(agent, topic), link->out.data,
                       link->out.len);
}

static void beat_send(struct link *link, const char *agent)
{
    struct msg msg = {.kind = KIND_BEAT};
    msg.beat.epoch = broker_facts(link->broker)->epoch;
    msg.beat.now_ms = broker_now(link->broker);
    control_send(link, agent, &msg);
}

/* The agent asks again soon; a crowd of them must not flood the log. */
static void no_lane(struct link *link, const struct event *event)
{
    if (event->at_ms < link->complain_ms)
        return;
    link->complain_ms = event->at_ms + COMPLAIN_MS;
    log_warn("no_lane", "agent=%s reason=%s", event->agent,
             log_quoted("no free port in --lanes, or too few descriptors"));
}

static void lane_send(struct link *link, const struct event *event)
{
    struct msg msg = {.kind = KIND_LANE};
    msg.lane.inc = event->inc;
    msg.lane.lane = event->lane;
    msg.lane.port =
        lanes_open(link->lanes, event->agent, event->lane, event->at_ms);
    if (msg.lane.port == 0)
        no_lane(link, event);
    else
        control_send(link, event->agent, &msg);
}

static void unsent_add(struct link *link, uint64_t lease)
{
    if (link->n_unsent == link->cap_unsent) {
        link->cap_unsent = 2 * link->cap_unsent + 16;
        link->unsent =
            mem_grow(link->unsent, link->cap_unsent, sizeof *link->unsent);
    }
    link->unsent[link->n_unsent++] = lease;
}

static void batch_fill(struct msg_batch *batch, const struct event *event,
                       const struct job *job)
{
    batch->lane = event->lane;
    batch->dseq = (uint64_t)event->number;
    batch->lease = event->lease;
    batch->job = job->id;
    batch->name = job->name;
    batch->from = frames_number(&job->frames, event->lo);
    batch->to = frames_number(&job->frames, event->hi - 1);
    batch->step = event->hi - event->lo == 1
                      ? 1
                      : frames_run(&job->frames, event->lo)->step;
    batch->replace = ranges_has(&job->redo, event->lo);
    batch->plain = job->plain;
    batch->render = job->render;
}

static void batch_send(struct link *link, const struct event *event)
{
    const struct job *job = job_find(broker_core(link->broker), event->job);
    if (event->number == 0 || !job)
        return; /* adopted: the agent has it */
    char trace[TRACE_SIZE];
    struct msg msg = {.kind = KIND_BATCH};
    msg.batch.epoch = broker_facts(link->broker)->epoch;
    batch_fill(&msg.batch, event, job);
    trace_child(job->trace, trace);
    msg.batch.trace = trace;
    buf_clear(&link->out);
    if (!msg_encode(&msg, &link->out) ||
        !lanes_send(link->lanes, event->agent, event->lane, link->out.data,
                    link->out.len))
        unsent_add(link, event->lease);
}

static void revoke_send(struct link *link, const struct event *event)
{
    struct msg msg = {.kind = KIND_REVOKE};
    msg.revoke.lease = event->lease;
    msg.revoke.why = event->text;
    control_send(link, event->agent, &msg);
}

static void trim_send(struct link *link, const struct event *event)
{
    struct msg msg = {.kind = KIND_TRIM};
    msg.trim.lease = event->lease;
    msg.trim.to = event->number;
    control_send(link, event->agent, &msg);
}

static void refuse_send(struct link *link, const struct event *event)
{
    struct msg msg = {.kind = KIND_REFUSE};
    msg.refuse.inc = event->inc;
    msg.refuse.why = event->text;
    control_send(link, event->agent, &msg);
}

static void drain_send(struct link *link, const struct event *event)
{
    struct msg msg = {.kind = KIND_DRAIN};
    msg.drain.mode = event->number;
    control_send(link, event->agent, &msg);
}

static void ask_send(struct link *link, const struct event *event)
{
    const struct msg_ask ask = {event->lease, event->lo, event->job,
                                event->text, event->detail};
    control_send(link, event->agent, &(struct msg){KIND_ASK, {.ask = ask}});
}

static void acks_pass(void *ctx)
{
    struct queued_acks *queued = ctx;
    acks_open(&queued->link->acks, queued->line, queued->n);
    mem_free(queued);
}

static void ack_send(void *ctx, const char *agent, const struct msg *msg)
{
    control_send(ctx, agent, msg);
}

static void acks_queue(struct link *link, const struct event *event)
{
    struct queued_acks queued = {.link = link};
    queued.n = acks_add(&link->acks, event->agent, &event->acks, &queued.line);
    if (queued.n > 0)
        broker_answer(link->broker, acks_pass, mem_free,
                      mem_copy(&queued, sizeof queued));
}

/* An agent that has not heard of this broker run yet is told at once. */
static void heard_answer(struct link *link, const struct event *event)
{
    link->heard = true;
    if (event->state->epoch != broker_facts(link->broker)->epoch)
        beat_send(link, event->agent);
}

static void agent_ended(struct link *link, const struct event *event)
{
    if (event->number == AGENT_LOST)
        lanes_close(link->lanes, event->agent, event->at_ms);
}

static void (*const senders[EVENT_TYPES])(struct link *,
                                          const struct event *) = {
    [EVENT_LANE] = lane_send,      [EVENT_LEASED] = batch_send,
    [EVENT_REVOKED] = revoke_send, [EVENT_TRIMMED] = trim_send,
    [EVENT_REFUSED] = refuse_send, [EVENT_DRAINED] = drain_send,
    [EVENT_ACKED] = acks_queue,    [EVENT_HEARD] = heard_answer,
    [EVENT_AGENT] = agent_ended,   [EVENT_ASKED] = ask_send,
};

static void link_project(void *ctx, const struct event *event)
{
    if (senders[event->type])
        senders[event->type](ctx, event);
}

void link_start(struct link *link, struct broker *broker)
{
    link->broker = broker;
    broker_project(broker, link_project, link);
}

/* In: STATE and closed connections. */
static void peer_note(struct link *link, int fd, const struct msg_state *state)
{
    struct peer *peer = NULL;
    HASH_FIND_INT(link->peers, &fd, peer);
    if (!peer) {
        peer = mem_new(sizeof *peer);
        peer->fd = fd;
        HASH_ADD_INT(link->peers, fd, peer);
    }
    if (peer->inc == state->inc)
        return;
    peer->inc = state->inc;
    snprintf(peer->agent, sizeof peer->agent, "%s", state->agent);
}

/* A STATE counts only where it comes with the key of the agent it is of. */
static bool is_its_own(struct link *link, zmq_msg_t *frame,
                       const struct msg_state *state)
{
    if (!link->keys)
        return true;
    const char *user = zmq_msg_gets(frame, "User-Id");
    const struct key *key = user ? keys_find(link->keys, user) : NULL;
    return key && strcmp(key->token.name, state->agent) == 0;
}

static void accuse(struct link *link, zmq_msg_t *frame, const char *agent)
{
    const char *user = zmq_msg_gets(frame, "User-Id");
    const char *address = zmq_msg_gets(frame, "Peer-Address");
    const struct key *key = user ? keys_find(link->keys, user) : NULL;
    int64_t now_ms = broker_now(link->broker);
    broker_refused(link->broker, REFUSED_IDENTITY, 1);
    if (now_ms < link->accuse_ms)
        return;
    link->accuse_ms = now_ms + COMPLAIN_MS;
    uint64_t refused = broker_refusals(link->broker, REFUSED_IDENTITY);
    log_warn("state_refused",
             "agent=%s key_of=%s address=%s refused=%llu "
             "reason=\"not with the key of that agent\"",
             log_quoted(agent), log_quoted(key ? key->token.name : "nobody"),
             log_quoted(address), (unsigned long long)refused);
}

/* Reports of leases that no honest agent has. */
static uint64_t strange_leases(const struct core *core,
                               const struct msg_state *state)
{
    uint64_t n = 0;
    for (size_t i = 0; i < state->n_leases; i++)
        n += !lease_may_be(core, state->agent, state->leases[i].lease);
    return n;
}

static void state_do(struct link *link, const struct msg_state *state)
{
    struct cmd cmd = {.type = CMD_STATE, .state = state};
    uint64_t strange = strange_leases(broker_core(link->broker), state);
    link->heard = false;
    (void)broker_do(link->broker, &cmd, NULL, 0);
    if (link->heard)
        broker_refused(link->broker, REFUSED_LEASE, strange);
    else
        broker_refused(link->broker, REFUSED_STALE, 1);
}

static void state_take(struct link *link, zmq_msg_t *frame)
{
    struct msg msg;
    char why[256];
    if (!msg_decode(zmq_msg_data(frame), zmq_msg_size(frame),
                    broker_arena(link->broker), &msg, why, sizeof why) ||
        msg.kind != KIND_STATE) {
        broker_refused(link->broker, REFUSED_MESSAGE, 1);
        log_debug("message_dropped", "reason=%s", log_quoted(why));
        return;
    }
    if (!is_its_own(link, frame, &msg.state)) {
        accuse(link, frame, msg.state.agent);
        return;
    }
    int fd = zmq_msg_get(frame, ZMQ_SRCFD);
    if (fd >= 0)
        peer_note(link, fd, &msg.state);
    state_do(link, &msg.state);
}

/* Takes one message: whatever stands before its last part is the topic. */
static bool status_take(struct link *link)
{
    void *sock = zsock_resolve(link->status);
    for (;;) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, sock, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&frame);
            return false;
        }
        bool more = zmq_msg_more(&frame);
        if (!more)
            state_take(link, &frame);
        zmq_msg_close(&frame);
        if (!more)
            return true;
    }
}

/* An agent may have built another connection before the old one closes. */
static bool has_another(const struct link *link, const struct peer *peer)
{
    const struct peer *other;
    for (other = link->peers; other; other = other->hh.next)
        if (other != peer && other->inc == peer->inc)
            return true;
    return false;
}

static void peer_gone(struct link *link, int fd, bool closed)
{
    struct peer *peer = NULL;
    HASH_FIND_INT(link->peers, &fd, peer);
    if (!peer)
        return;
    struct cmd cmd = {.type = CMD_GONE, .agent = peer->agent, .inc = peer->inc};
    if (closed && !has_another(link, peer))
        (void)broker_do(link->broker, &cmd, NULL, 0);
    HASH_DEL(link->peers, peer);
    mem_free(peer);
}

static bool monitor_take(struct link *link)
{
    unsigned char bytes[6];
    void *sock = zsock_resolve(link->monitor);
    char address[256];
    int n = zmq_recv(sock, bytes, sizeof bytes, ZMQ_DONTWAIT);
    if (n < 0)
        return false;
    (void)zmq_recv(sock, address, sizeof address, ZMQ_DONTWAIT);
    uint16_t event;
    uint32_t fd;
    memcpy(&event, bytes, sizeof event);
    memcpy(&fd, bytes + sizeof event, sizeof fd);
    if (n == (int)sizeof bytes)
        peer_gone(link, (int)fd, event == ZMQ_EVENT_DISCONNECTED);
    return true;
}

/* Takes what waits on one socket, for as much and as long as a turn allows. */
static void take_all(struct link *link, bool (*take)(struct link *link))
{
    struct ration ration = ration_of_turn(clock_now_ms());
    while (ration_take(&ration, clock_now_ms()) && take(link))
        ;
}

/* STATEs first: one that came before its connection closed must be heard. */
void link_read(struct link *link)
{
    broker_refused(link->broker, REFUSED_PARTS, cut_taken());
    take_all(link, status_take);
    take_all(link, monitor_take);
    if (!publisher_read(link->control))
        broker_refused(link->broker, REFUSED_TOPICS, 1);
}

/* All that a key opened is shut: its lane, and its connections. Others from
 * the same machine are cut off with it, and come back by their own keys. */
static void key_end(struct link *link, const struct cut *cut)
{
    const struct places *places = &cut->places;
    struct cmd cmd = {.type = CMD_EXPEL, .agent = cut->agent};
    if (cut->agent[0] != '\0') {
        lanes_close(link->lanes, cut->agent, broker_now(link->broker));
        (void)broker_do(link->broker, &cmd, NULL, 0);
    }
    if (places->n > KEY_PLACES)
        sockets_cut(link->port, PORTS_IN_ROW, "");
    for (size_t i = 0; i < places->n && places->n <= KEY_PLACES; i++)
        sockets_cut(link->port, PORTS_IN_ROW, places->at[i]);
}

static void keys_settle(struct link *link)
{
    struct cut cut;
    while (link->keys && keys_cut(link->keys, &cut))
        key_end(link, &cut);
}

void link_settle(struct link *link, int64_t now_ms)
{
    keys_settle(link);
    for (size_t i = 0; i < link->n_unsent; i++) {
        struct cmd cmd = {.type = CMD_UNSENT, .lease = link->unsent[i]};
        (void)broker_do(link->broker, &cmd, NULL, 0);
    }
    link->n_unsent = 0;
    acks_send(&link->acks, ack_send, link);
    if (now_ms < link->beat_ms)
        return;
    beat_send(link, "*");
    link->beat_ms = now_ms + MSG_BEAT_MS;
}

int64_t link_next(const struct link *link)
{
    return link->n_unsent > 0 ? 0 : link->beat_ms;
}
