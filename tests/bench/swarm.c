/* SPDX-License-Identifier: Apache-2.0
 *
 * Every agent says a STATE when its leases changed and as often as agents do
 * besides. Leases stay listed until the broker has acknowledged them for good.
 * Sockets are waited for by epoll, so that thousands cost what the busy ones
 * do: the descriptor of a socket that was read to its end is quiet until there
 * is more.
 */
#include "tests/bench/swarm.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

#include "common/app/join.h"
#include "common/app/log.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/msg.h"
#include "tests/bench/talk.h"

#define STATE_EVERY_US (MSG_STATE_MS * 1000)
#define BEATS_EVERY_US 10000 /* who is due is looked for */
#define EPOLL_EVENTS   256

struct held {
    uint64_t lease;
    char job[LIMIT_ID + 1];
    int32_t from, to, step;
    bool over;
};

struct member {
    char name[32];
    struct join join;       /* its key, where agents need one */
    void *pub, *sub, *pull; /* pull: NULL without a lane */
    uint64_t inc, seq, epoch, lane, dseq;
    struct held held[LIMIT_LEASES];
    size_t n_held;
    bool news;        /* a STATE is due: in fresh */
    int64_t said_us;  /* when the last one left */
    int64_t freed_us; /* when swarm_finish freed a slot; 0: not waiting */
};

struct swarm {
    void *zmq;
    struct member *members;
    size_t n, next;
    int32_t slots;
    bool keep;
    int epoll;             /* sub and pull of each member */
    struct member **fresh; /* with news */
    size_t n_fresh;
    int64_t beats_us; /* when members that are due are looked for */
    struct arena arena;
    struct buf out;
    int64_t batches;
    struct figures waits;
};

static void show_key(void *socket, const struct join *join)
{
    char public[CURVE_KEY_SIZE];
    const size_t size = CURVE_KEY_SIZE - 1;
    zmq_curve_public(public, join->secret);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, join->server, size);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public, size);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, join->secret, size);
}

static void *new_socket(struct swarm *swarm, const struct member *member,
                        int type, int port)
{
    char address[64];
    int linger = 0;
    void *socket = zmq_socket(swarm->zmq, type);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    if (member->join.server[0] != '\0')
        show_key(socket, &member->join);
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
    if (zmq_connect(socket, address) != 0)
        log_fatal(1, "cannot connect to %s", address);
    return socket;
}

static void tell_news(struct swarm *swarm, struct member *member)
{
    if (!member->news)
        swarm->fresh[swarm->n_fresh++] = member;
    member->news = true;
}

static void watch(const struct swarm *swarm, struct member *member,
                  void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = member};
    zmq_getsockopt(socket, ZMQ_FD, &fd, &size);
    if (epoll_ctl(swarm->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        log_fatal(1, "cannot wait for a socket");
}

static void subscribe(void *sub, const char *agent)
{
    char topic[MSG_TOPIC_SIZE];
    msg_topic(agent, topic);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, topic, strlen(topic));
}

/* Has the broker make a key for an agent. */
static void take_key(struct talk *talk, const char *name, struct join *ret)
{
    char body[128], why[160] = "no join string";
    snprintf(body, sizeof body,
             "{\"name\":\"%s\",\"broker\":\"http://127.0.0.1:1\"}", name);
    int status = talk_request(talk, "POST", "/v1/agents", body);
    json_t *answer = json_loads(talk_body(talk), 0, NULL);
    const char *text = json_string_value(json_object_get(answer, "join"));
    if (status != 201 || text == NULL || !join_read(text, ret, why, sizeof why))
        log_fatal(1, "no key for %s: %d %s", name, status, why);
    json_decref(answer);
}

static void take_keys(struct swarm *swarm, const struct host *host)
{
    struct talk talk;
    talk_open(&talk, host->http_port);
    for (size_t i = 0; i < swarm->n; i++)
        take_key(&talk, swarm->members[i].name, &swarm->members[i].join);
    talk_close(&talk);
}

static void open_member(struct swarm *swarm, const struct host *host, size_t i)
{
    struct member *member = &swarm->members[i];
    member->inc = (uint64_t)now_us() + i;
    member->pub = new_socket(swarm, member, ZMQ_PUB, host->status_port);
    member->sub = new_socket(swarm, member, ZMQ_SUB, host->control_port);
    subscribe(member->sub, member->name);
    subscribe(member->sub, "*");
    watch(swarm, member, member->sub);
    tell_news(swarm, member);
}

struct swarm *swarm_new(const struct host *host, size_t n, int32_t slots)
{
    struct swarm *swarm = mem_new(sizeof *swarm);
    swarm->zmq = zmq_ctx_new();
    zmq_ctx_set(swarm->zmq, ZMQ_MAX_SOCKETS, (int)(8 * n) + 64);
    swarm->n = n;
    swarm->slots = slots;
    swarm->members = mem_new(n * sizeof *swarm->members);
    swarm->fresh = mem_grow(NULL, n, sizeof(void *)); /* tell_news */
    swarm->epoll = epoll_create1(EPOLL_CLOEXEC);
    buf_init(&swarm->out, LIMIT_MESSAGE);
    for (size_t i = 0; i < n; i++)
        snprintf(swarm->members[i].name, sizeof swarm->members[i].name,
                 "bench-%zu", i + 1);
    if (host->keys)
        take_keys(swarm, host);
    for (size_t i = 0; i < n; i++)
        open_member(swarm, host, i);
    return swarm;
}

void swarm_free(struct swarm **swarm_ref)
{
    struct swarm *swarm = *swarm_ref;
    for (size_t i = 0; i < swarm->n; i++) {
        zmq_close(swarm->members[i].pub);
        zmq_close(swarm->members[i].sub);
        if (swarm->members[i].pull != NULL)
            zmq_close(swarm->members[i].pull);
    }
    zmq_ctx_term(swarm->zmq);
    arena_done(&swarm->arena);
    buf_free(&swarm->out);
    figures_done(&swarm->waits);
    mem_free(swarm->members);
    mem_free(swarm->fresh);
    close(swarm->epoll);
    mem_free(swarm);
    *swarm_ref = NULL;
}

/* A result for every frame of a lease that is over. */
static void fill_results(struct swarm *swarm, const struct held *held,
                         struct msg_lease *lease)
{
    size_t n = (size_t)((held->to - held->from) / held->step) + 1;
    struct msg_result *results = arena_new(&swarm->arena, n * sizeof *results);
    for (size_t i = 0; i < n; i++)
        results[i] =
            (struct msg_result){.frame = held->from + (int32_t)i * held->step,
                                .ms = 1,
                                .files = ""};
    lease->results = results;
    lease->n_results = n;
    lease->done = (int32_t)n;
}

static void fill_lease(struct swarm *swarm, const struct held *held,
                       struct msg_lease *ret)
{
    *ret = (struct msg_lease){.lease = held->lease,
                              .job = held->job,
                              .from = held->from,
                              .to = held->to,
                              .step = held->step,
                              .status = held->over ? LEASE_DONE : LEASE_RUNNING,
                              .frame = held->over ? -1 : held->from,
                              .blamed = -1,
                              .text = ""};
    if (held->over)
        fill_results(swarm, held, ret);
}

static struct msg_state make_state(struct swarm *swarm, struct member *member)
{
    struct msg_lease *leases =
        arena_new(&swarm->arena, (member->n_held + 1) * sizeof *leases);
    for (size_t i = 0; i < member->n_held; i++)
        fill_lease(swarm, &member->held[i], &leases[i]);
    return (struct msg_state){.agent = member->name,
                              .inc = member->inc,
                              .seq = ++member->seq,
                              .epoch = member->epoch,
                              .lane = member->lane,
                              .dseq = member->dseq,
                              .slots = swarm->slots,
                              .why = "",
                              .version = FRAMEQ_VERSION,
                              .node = {.up = true,
                                       .cores = 1,
                                       .name = "null",
                                       .version = "0",
                                       .blender = "3.4.1",
                                       .device = "cpu",
                                       .error = ""},
                              .leases = leases,
                              .n_leases = member->n_held};
}

static void say_state(struct swarm *swarm, struct member *member)
{
    struct msg msg = {.kind = KIND_STATE};
    msg.state = make_state(swarm, member);
    buf_clear(&swarm->out);
    if (msg_encode(&msg, &swarm->out))
        zmq_send(member->pub, swarm->out.data, swarm->out.len, 0);
    arena_reset(&swarm->arena);
    member->said_us = now_us();
}

static void take_lane(struct swarm *swarm, struct member *member,
                      const struct msg_lane *lane)
{
    if (lane->inc != member->inc || lane->lane == member->lane)
        return;
    if (member->pull != NULL)
        zmq_close(member->pull);
    member->pull = new_socket(swarm, member, ZMQ_PULL, lane->port);
    watch(swarm, member, member->pull);
    member->lane = lane->lane;
    member->dseq = 0;
    tell_news(swarm, member);
}

static void drop_lease(struct member *member, uint64_t lease)
{
    size_t kept = 0;
    for (size_t i = 0; i < member->n_held; i++)
        if (member->held[i].lease != lease)
            member->held[kept++] = member->held[i];
    member->n_held = kept;
}

static void take_acks(struct swarm *swarm, struct member *member,
                      const struct msg_acks *acks)
{
    for (size_t i = 0; i < acks->n; i++)
        if (acks->at[i].closed)
            drop_lease(member, acks->at[i].lease);
    tell_news(swarm, member); /* room again, as a real agent says at once */
}

static void take_beat(struct swarm *swarm, struct member *member,
                      const struct msg_beat *beat)
{
    if (member->epoch == beat->epoch)
        return;
    member->epoch = beat->epoch;
    tell_news(swarm, member);
}

static void take_control(struct swarm *swarm, struct member *member,
                         const struct msg *msg)
{
    if (msg->kind == KIND_LANE)
        take_lane(swarm, member, &msg->lane);
    else if (msg->kind == KIND_ACK)
        take_acks(swarm, member, &msg->acks);
    else if (msg->kind == KIND_BEAT)
        take_beat(swarm, member, &msg->beat);
    else if (msg->kind == KIND_WHO)
        tell_news(swarm, member);
    else if (msg->kind == KIND_REVOKE)
        drop_lease(member, msg->revoke.lease);
}

static void take_batch(struct swarm *swarm, struct member *member,
                       const struct msg_batch *batch)
{
    if (batch->lane != member->lane || batch->dseq <= member->dseq ||
        member->n_held == LIMIT_LEASES)
        return;
    struct held *held = &member->held[member->n_held++];
    *held = (struct held){.lease = batch->lease,
                          .from = batch->from,
                          .to = batch->to,
                          .step = batch->step,
                          .over = !swarm->keep};
    snprintf(held->job, sizeof held->job, "%s", batch->job);
    member->dseq = batch->dseq;
    tell_news(swarm, member);
    swarm->batches++;
    if (member->freed_us > 0)
        figures_add(&swarm->waits, now_us() - member->freed_us);
    member->freed_us = 0;
}

/* Takes one message, its last part, if there is one. */
static bool take_message(struct swarm *swarm, struct member *member,
                         void *socket)
{
    zmq_msg_t part;
    struct msg msg;
    char why[256];
    bool more;
    do {
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) < 0)
            return false;
        more = zmq_msg_more(&part);
        if (!more && msg_decode(zmq_msg_data(&part), zmq_msg_size(&part),
                                &swarm->arena, &msg, why, sizeof why)) {
            if (msg.kind == KIND_BATCH)
                take_batch(swarm, member, &msg.batch);
            else
                take_control(swarm, member, &msg);
        }
        zmq_msg_close(&part);
        arena_reset(&swarm->arena);
    } while (more);
    return true;
}

static void take_all(struct swarm *swarm, struct member *member, void *socket)
{
    while (take_message(swarm, member, socket))
        continue;
}

/* A LANE taken from its sub may give it another pull. */
static void take_both(struct swarm *swarm, struct member *member)
{
    take_all(swarm, member, member->sub);
    if (member->pull != NULL)
        take_all(swarm, member, member->pull);
}

/* Those who have not said anything for as long as agents may be silent. */
static void find_due(struct swarm *swarm, int64_t now)
{
    if (now < swarm->beats_us)
        return;
    swarm->beats_us = now + BEATS_EVERY_US;
    for (size_t i = 0; i < swarm->n; i++)
        if (now - swarm->members[i].said_us > STATE_EVERY_US)
            tell_news(swarm, &swarm->members[i]);
}

void swarm_turn(struct swarm *swarm, int64_t until_us)
{
    struct epoll_event events[EPOLL_EVENTS];
    int64_t now = now_us();
    if (until_us > swarm->beats_us)
        until_us = swarm->beats_us;
    bool waits = until_us > now && swarm->n_fresh == 0;
    int wait_ms = waits ? (int)((until_us - now) / 1000) : 0;
    int n = epoll_wait(swarm->epoll, events, EPOLL_EVENTS, wait_ms);
    for (int i = 0; i < n; i++)
        take_both(swarm, events[i].data.ptr);
    find_due(swarm, now_us());
    size_t n_fresh = swarm->n_fresh;
    swarm->n_fresh = 0;
    for (size_t i = 0; i < n_fresh; i++) {
        swarm->fresh[i]->news = false;
        say_state(swarm, swarm->fresh[i]);
    }
}

void swarm_keep(struct swarm *swarm, bool keep)
{
    swarm->keep = keep;
}

/* Ends the oldest batch of a member, if it has one. */
static bool finish_oldest(struct swarm *swarm, struct member *member)
{
    for (size_t i = 0; i < member->n_held; i++) {
        if (member->held[i].over)
            continue;
        member->held[i].over = true;
        member->freed_us = now_us();
        say_state(swarm, member);
        return true;
    }
    return false;
}

bool swarm_finish(struct swarm *swarm)
{
    for (size_t i = 0; i < swarm->n; i++) {
        struct member *member = &swarm->members[swarm->next];
        swarm->next = (swarm->next + 1) % swarm->n;
        if (finish_oldest(swarm, member))
            return true;
    }
    return false;
}

size_t swarm_ready(const struct swarm *swarm)
{
    size_t n = 0;
    for (size_t i = 0; i < swarm->n; i++)
        n += swarm->members[i].pull != NULL;
    return n;
}

int64_t swarm_batches(const struct swarm *swarm)
{
    return swarm->batches;
}

struct figures *swarm_waits(struct swarm *swarm)
{
    return &swarm->waits;
}
