/* SPDX-License-Identifier: Apache-2.0
 *
 * A turn: take what came, let the pure parts decide, do what they ask, tell
 * the broker. Hooks run within a turn and use its `now`.
 */
#include "worker-agent/agent.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/app/clock.h"
#include "common/app/log.h"
#include "worker-agent/agent_internal.h"

#define LEAVE_MS      4000 /* from the first signal to the last STATE */
#define LEAVE_NODE_MS 1500 /* the same when a node of ours must end as well */
#define NODE_END_MS   2500
#define ITEMS         (LINK_ITEMS + 3)

uint64_t agent_random(void)
{
    uint64_t number = 0;
    ssize_t n = getrandom(&number, sizeof number, 0);
    assert(n == (ssize_t)sizeof number);
    return number;
}

/* --- Leaving. --- */

static void leave(struct agent *agent)
{
    log_info("leaving", "leases=%zu", slots_live(&agent->slots));
    agent->leave_ms =
        agent->now_ms + (agent->keeper == NULL ? LEAVE_MS : LEAVE_NODE_MS);
    slots_leave(&agent->slots);
}

static void reap(struct agent *agent)
{
    if (agent->keeper == NULL)
        return;
    keeper_reap(agent->keeper, agent->now_ms);
    node_watch_doubt(&agent->watch, agent->now_ms);
}

static void take_signals(struct agent *agent)
{
    struct signalfd_siginfo info;
    while (read(agent->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD) {
            reap(agent);
            continue;
        }
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
    agent_step_slots(agent);
    agent_send_state(agent);
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
    items[n++] =
        (zmq_pollitem_t){.fd = cache_fd(agent->cache), .events = ZMQ_POLLIN};
    int64_t wait_ms = next_ms(agent) - clock_now_ms();
    if (wait_ms < 0)
        wait_ms = 0;
    if (wait_ms > MSG_STATE_MS)
        wait_ms = MSG_STATE_MS;
    zmq_poll(items, n, (long)wait_ms);
}

static void step_pace(struct agent *agent)
{
    pace_news(&agent->pace, agent->now_ms, slots_news(&agent->slots));
    if (agent->now_ms >= agent->pace.due_ms)
        agent_send_state(agent);
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
        farm_ask(agent->web, agent->now_ms, agent->options, agent_farm, agent);
    agent_step_proof(agent);
    agent_step_scenes(agent);
    agent_step_slots(agent);
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

static bool open_courier(struct agent *agent)
{
    const struct courier_options options = {.node = agent->options->node,
                                            .broker = agent->options->broker,
                                            .token = agent->options->token,
                                            .trust = agent->options->trust};
    agent->courier = courier_open(&options, agent->why, agent->why_size);
    return agent->courier != NULL;
}

static bool open_sender(struct agent *agent)
{
    const struct agent_options *options = agent->options;
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s/sends", options->state_dir);
    agent->sender = sender_open(dir, options, agent->why, agent->why_size);
    return agent->sender != NULL;
}

/* What can be refused, before any thread or socket of libzmq exists. */
static bool open_files(struct agent *agent)
{
    const struct agent_options *options = agent->options;
    agent->journal =
        journal_open(options->state_dir, agent->why, agent->why_size);
    if (agent->journal == NULL)
        return false;
    const struct cache_options cache = {options->cache_dir,
                                        options->cache_bytes, options->broker,
                                        options->token, options->trust};
    agent->cache = cache_open(&cache, agent->why, agent->why_size);
    if (agent->cache == NULL || !open_sender(agent) || !open_courier(agent))
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
    agent->keeper = keeper_open(listen, agent->options->cache_dir);
}

static void open_rest(struct agent *agent)
{
    const struct node_client_hooks node = {agent_answered, agent_probed, agent};
    const struct link_hooks link = {agent_heard, agent_cut, agent_refused,
                                    agent};
    agent->now_ms = clock_now_ms();
    agent->seat.inc = agent_random() | 1;
    slots_init(&agent->slots, agent->options->slots, agent->proof != NULL);
    node_watch_init(&agent->watch, agent->now_ms);
    session_init(&agent->session, agent->now_ms);
    pace_init(&agent->pace, agent->now_ms);
    agent->web = web_open();
    agent->node = node_client_open(agent->web, agent->options->node, &node);
    agent->link = link_open(agent->options->name, agent->options->join, &link);
    open_keeper(agent);
    size_t removed = journal_read(agent->journal, agent_adopt, agent);
    if (removed > 0)
        log_warn("journal_damaged", "removed=%zu", removed);
}

static void close_all(struct agent *agent)
{
    cache_close(&agent->cache); /* their threads, before libcurl ends */
    sender_close(&agent->sender);
    courier_close(&agent->courier);
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
