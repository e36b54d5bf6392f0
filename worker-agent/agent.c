/* SPDX-License-Identifier: Apache-2.0
 *
 * A turn: take what came, let the pure parts decide, do what they ask, tell
 * the broker. Hooks run within a turn and use its `now`.
 */
#include "worker-agent/agent.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/mem.h"
#include "worker-agent/address.h"
#include "worker-agent/journal.h"
#include "worker-agent/keeper.h"
#include "worker-agent/link.h"
#include "worker-agent/node_client.h"
#include "worker-agent/pace.h"
#include "worker-agent/proof.h"
#include "worker-agent/seat.h"
#include "worker-agent/session.h"
#include "worker-agent/slots.h"

#define LEAVE_MS      4000 /* from the first signal to the last STATE */
#define LEAVE_NODE_MS 1500 /* the same when a node of ours must end as well */
#define NODE_END_MS   2500
#define ITEMS         (LINK_ITEMS + 2)

struct agent {
    const struct agent_options *options;
    struct address broker;
    int64_t now_ms;
    int signals;
    int64_t leave_ms; /* when to end at the latest; 0: not leaving */
    bool ready, ending;
    char *why; /* where agent_run wants its reason */
    size_t why_size;

    struct slots slots;
    struct node_watch watch;
    struct session session;
    struct seat seat;
    struct pace pace;
    uint64_t seq;

    struct web *web;
    struct node_client *node;
    struct link *link;
    struct journal *journal;
    struct proof *proof;   /* NULL: no --frames-dir */
    struct keeper *keeper; /* NULL: no --start-node */
    struct acts acts;
    struct arena arena; /* of the turn */
};

static uint64_t random_number(void)
{
    uint64_t number = 0;
    ssize_t n = getrandom(&number, sizeof number, 0);
    assert(n == (ssize_t)sizeof number);
    return number;
}

#define LEASE_FORMAT    "lease=%" PRIu64 "-%" PRIu64
#define LEASE_WORDS(id) LEASE_EPOCH(id), (id)-LEASE_ID(LEASE_EPOCH(id), 0)

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

static void farm_answered(void *ctx, uint64_t id, int kind,
                          const struct web_answer *answer)
{
    struct agent *agent = ctx;
    struct farm farm;
    char why[256];
    (void)id;
    (void)kind;
    bool read = farm_read(answer, &farm, why, sizeof why);
    if (!read)
        log_warn("broker_not_found", "broker=%s reason=%s",
                 log_quoted(agent->options->broker), log_quoted(why));
    if (session_farm(&agent->session, agent->now_ms, read ? &farm : NULL,
                     (uint32_t)random_number()) == SESSION_CONNECT)
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
    bool taken = slots_batch(&agent->slots, agent->now_ms, batch);
    log_info(taken ? "lease_taken" : "lease_declined",
             LEASE_FORMAT " job=%s frames=%d-%dx%d", LEASE_WORDS(batch->lease),
             batch->job, (int)batch->from, (int)batch->to, (int)batch->step);
}

static void hear_acks(struct agent *agent, const struct msg *msg)
{
    slots_acks(&agent->slots, &msg->acks);
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
             (int64_t)(random_number() % MSG_STATE_MS));
}

static void link_heard(void *ctx, enum link_end from, const struct msg *msg)
{
    static void (*const heard[])(struct agent *, const struct msg *) = {
        [KIND_BEAT] = hear_beat,   [KIND_LANE] = hear_lane,
        [KIND_ACK] = hear_acks,    [KIND_REVOKE] = hear_revoke,
        [KIND_TRIM] = hear_trim,   [KIND_DRAIN] = hear_drain,
        [KIND_WHO] = hear_who,     [KIND_REFUSE] = hear_refuse,
        [KIND_BATCH] = hear_batch,
    };
    bool for_us = msg->kind != KIND_STATE &&
                  (msg->kind == KIND_BATCH) == (from == LINK_LANE);
    if (for_us)
        heard[msg->kind](ctx, msg);
}

static void link_cut(void *ctx, enum link_end end)
{
    struct agent *agent = ctx;
    if (end == LINK_CONTROL)
        session_cut(&agent->session, agent->now_ms);
    else
        drop_lane(agent);
}

/* --- From the node. --- */

static void node_answered(void *ctx, uint64_t lease, enum call call,
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

static void node_probed(void *ctx, const struct probe_answer *answer)
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

static void step_proof(struct agent *agent)
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
                                      .render = lease->render};
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
    log_info("lease_ended",
             LEASE_FORMAT " job=%s frames=%d-%dx%d done=%d state=%s fault=%s "
                          "text=%s",
             LEASE_WORDS(lease->id), lease->job, (int)lease->from,
             (int)lease->to, (int)lease->step, (int)lease_done(lease),
             words[lease->status], fault_word((enum fault)lease->fault),
             log_quoted(lease->text));
    if (agent->proof != NULL)
        proof_end(agent->proof, lease->id);
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
static void step_slots(struct agent *agent)
{
    do {
        acts_clear(&agent->acts);
        slots_step(&agent->slots, agent->now_ms, &agent->acts);
        for (size_t i = 0; i < agent->acts.n; i++)
            perform(agent, &agent->acts.at[i]);
    } while (agent->acts.n > 0);
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

static void send_state(struct agent *agent)
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

static void step_pace(struct agent *agent)
{
    pace_news(&agent->pace, agent->now_ms, slots_news(&agent->slots));
    if (agent->now_ms >= agent->pace.due_ms)
        send_state(agent);
}

/* --- Leaving. --- */

static void leave(struct agent *agent)
{
    log_info("leaving", "leases=%zu", slots_live(&agent->slots));
    agent->leave_ms =
        agent->now_ms + (agent->keeper == NULL ? LEAVE_MS : LEAVE_NODE_MS);
    slots_leave(&agent->slots);
}

static void take_signals(struct agent *agent)
{
    struct signalfd_siginfo info;
    while (read(agent->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD && agent->keeper != NULL)
            keeper_reap(agent->keeper, agent->now_ms);
        if (info.ssi_signo == SIGCHLD)
            continue;
        if (agent->leave_ms > 0) {
            keeper_close(&agent->keeper);
            _exit(0); /* the second one: at once */
        }
        leave(agent);
    }
}

/* All is given back and the broker knows; or it can't be told, or not in time.
 */
static bool has_left(const struct agent *agent)
{
    if (agent->leave_ms == 0)
        return false;
    bool over = slots_live(&agent->slots) == 0;
    bool known = agent->slots.n_leases == 0 || agent->seat.lane == 0;
    return agent->now_ms >= agent->leave_ms || (over && known);
}

/* What runs at a node of ours ends with it; at another's it goes on, and our
 * next run adopts it. */
static void say_goodbye(struct agent *agent)
{
    if (agent->keeper != NULL)
        slots_abandon(&agent->slots);
    step_slots(agent);
    send_state(agent);
}

static void end_node(struct agent *agent)
{
    if (agent->keeper == NULL)
        return;
    int64_t until_ms = clock_now_ms() + NODE_END_MS;
    keeper_stop(agent->keeper);
    while (keeper_runs(agent->keeper)) {
        agent->now_ms = clock_now_ms();
        if (agent->now_ms >= until_ms)
            break;
        zmq_pollitem_t item = {.fd = agent->signals, .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, (long)(until_ms - agent->now_ms));
        take_signals(agent);
    }
}

/* --- The loop. --- */

static int64_t next_ms(const struct agent *agent)
{
    const int64_t all[] = {
        slots_next(&agent->slots),
        node_watch_next(&agent->watch),
        session_next(&agent->session),
        web_next(agent->web),
        agent->pace.due_ms,
        agent->proof == NULL ? INT64_MAX : proof_next(agent->proof),
        agent->leave_ms == 0 ? INT64_MAX : agent->leave_ms,
    };
    int64_t next = all[0];
    for (size_t i = 1; i < sizeof all / sizeof *all; i++)
        next = all[i] < next ? all[i] : next;
    return next;
}

static void wait_for_work(struct agent *agent)
{
    zmq_pollitem_t items[ITEMS];
    int n = link_items(agent->link, items);
    items[n++] =
        (zmq_pollitem_t){.fd = web_fd(agent->web), .events = ZMQ_POLLIN};
    items[n++] = (zmq_pollitem_t){.fd = agent->signals, .events = ZMQ_POLLIN};
    int64_t wait_ms = next_ms(agent) - clock_now_ms();
    if (wait_ms < 0)
        wait_ms = 0;
    if (wait_ms > MSG_STATE_MS)
        wait_ms = MSG_STATE_MS;
    zmq_poll(items, n, (long)wait_ms);
}

static void turn(struct agent *agent)
{
    agent->now_ms = clock_now_ms();
    take_signals(agent);
    web_run(agent->web, agent->now_ms);
    link_run(agent->link);
    enum probe probe = node_watch_step(&agent->watch, agent->now_ms);
    if (probe != PROBE_NONE)
        node_client_probe(agent->node, agent->now_ms, probe);
    if (session_step(&agent->session, agent->now_ms) == SESSION_ASK)
        farm_ask(agent->web, agent->now_ms, agent->options->broker,
                 farm_answered, agent);
    step_proof(agent);
    step_slots(agent);
    step_pace(agent);
}

static void loop(struct agent *agent)
{
    while (!agent->ending && !has_left(agent)) {
        wait_for_work(agent);
        turn(agent);
    }
}

/* --- Beginning and end. --- */

static void adopt(void *ctx, const struct journal_record *record)
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
    if (agent->proof != NULL)
        proof_resume(agent->proof, batch->lease, &run, record->posted_ms);
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    assert(fd >= 0);
    return fd;
}

/* What can be refused, before any thread or socket of libzmq exists. */
static bool open_files(struct agent *agent)
{
    const struct agent_options *options = agent->options;
    agent->journal =
        journal_open(options->state_dir, agent->why, agent->why_size);
    if (agent->journal == NULL)
        return false;
    if (options->frames_dir == NULL)
        return true;
    agent->proof = proof_open(options->frames_dir, agent->why, agent->why_size);
    return agent->proof != NULL;
}

static void open_keeper(struct agent *agent)
{
    struct address node;
    char listen[ADDRESS_HOST_SIZE + 16];
    if (!agent->options->start_node ||
        !address_read(agent->options->node, &node))
        return;
    snprintf(listen, sizeof listen, "%s:%d", node.host, node.port);
    agent->keeper = keeper_open(listen);
}

static void open_rest(struct agent *agent)
{
    const struct node_client_hooks node = {node_answered, node_probed, agent};
    const struct link_hooks link = {link_heard, link_cut, agent};
    agent->now_ms = clock_now_ms();
    agent->seat.inc = random_number() | 1;
    slots_init(&agent->slots, agent->options->slots, agent->proof != NULL);
    node_watch_init(&agent->watch, agent->now_ms);
    session_init(&agent->session, agent->now_ms);
    pace_init(&agent->pace, agent->now_ms);
    agent->web = web_open();
    agent->node = node_client_open(agent->web, agent->options->node, &node);
    agent->link = link_open(agent->options->name, &link);
    open_keeper(agent);
    size_t removed = journal_read(agent->journal, adopt, agent);
    if (removed > 0)
        log_warn("journal_damaged", "removed=%zu", removed);
}

static void close_all(struct agent *agent)
{
    web_close(&agent->web);
    node_client_close(&agent->node);
    link_close(&agent->link);
    keeper_close(&agent->keeper);
    proof_close(&agent->proof);
    journal_close(&agent->journal);
    slots_done(&agent->slots);
    acts_free(&agent->acts);
    arena_done(&agent->arena);
    close(agent->signals);
}

int agent_run(const struct agent_options *options, char *why, size_t size)
{
    struct agent agent = {.options = options, .why = why, .why_size = size};
    bool known = address_read(options->broker, &agent.broker);
    assert(known);
    agent.signals = open_signals();
    bool opened = open_files(&agent);
    if (opened) {
        open_rest(&agent);
        loop(&agent);
    }
    bool refused = !opened || agent.ending;
    if (!refused)
        say_goodbye(&agent);
    if (opened)
        end_node(&agent);
    close_all(&agent);
    return refused ? 1 : 0;
}
