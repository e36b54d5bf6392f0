/* SPDX-License-Identifier: Apache-2.0
 *
 * A turn: wait; read the clock; take what the ledger, the agents and HTTP have;
 * do what is due; tell who watches. libmicrohttpd's sockets hide behind one
 * descriptor, lanes are never polled, so the poll stays at ten items however
 * many agents there are.
 */
#include "broker/loop.h"

#include <assert.h>
#include <malloc.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <zmq.h>

#include "broker/files/artifacts.h"
#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/http/tls.h"
#include "common/limits.h"

#define TRIM_MS 2000

enum {
    AT_STATUS,
    AT_MONITOR,
    AT_CONTROL,
    AT_FEED,
    AT_STORE,
    AT_BLOBS,
    AT_ARTIFACTS,
    AT_HTTP,
    AT_SIGNAL,
    AT_ZAP, /* the last: it may not be there */
    AT_COUNT
};

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How long nothing is due, in ms; at most a second, which costs nothing. */
static long loop_wait(const struct loop *loop, int64_t now_ms)
{
    int64_t due = sooner(broker_next(loop->broker), link_next(loop->link));
    due = sooner(due, keep_next(&loop->keep));
    due = sooner(due, hooks_next(loop->hooks));
    int64_t wait = due <= now_ms ? 0 : sooner(due - now_ms, 1000);
    int64_t http = http_wait(loop->http, now_ms);
    return (long)(http >= 0 ? sooner(wait, http) : wait);
}

static void loop_poll(const struct loop *loop, long wait_ms)
{
    zmq_pollitem_t items[AT_COUNT] = {
        [AT_STATUS] = {link_status(loop->link), 0, ZMQ_POLLIN, 0},
        [AT_MONITOR] = {link_monitor(loop->link), 0, ZMQ_POLLIN, 0},
        [AT_CONTROL] = {link_control(loop->link), 0, ZMQ_POLLIN, 0},
        [AT_FEED] = {feed_socket(loop->feed), 0, ZMQ_POLLIN, 0},
        [AT_STORE] = {NULL, store_fd(broker_store(loop->broker)), ZMQ_POLLIN,
                      0},
        [AT_BLOBS] = {NULL, blobs_fd(loop->blobs), ZMQ_POLLIN, 0},
        [AT_ARTIFACTS] = {NULL, artifacts_fd(loop->artifacts), ZMQ_POLLIN, 0},
        [AT_HTTP] = {NULL, http_fd(loop->http), ZMQ_POLLIN, 0},
        [AT_SIGNAL] = {NULL, loop->signal_fd, ZMQ_POLLIN, 0},
        [AT_ZAP] = {loop->zap ? zap_socket(loop->zap) : NULL, 0, ZMQ_POLLIN, 0},
    };
    zmq_poll(items, loop->zap ? AT_COUNT : AT_ZAP, wait_ms);
}

/* malloc keeps what a crowd of clients needed; it is given back soon after. */
static void trim_memory(int64_t now_ms)
{
    static int64_t next_ms; /* the heap is the process's, not a loop's */
    if (now_ms < next_ms)
        return;
    malloc_trim(0);
    next_ms = now_ms + TRIM_MS;
}

static void watch_ledger(struct loop *loop)
{
    const char *reason;
    enum store_health health =
        store_health(broker_store(loop->broker), &reason);
    if (health == loop->health)
        return;
    loop->health = health;
    if (health == STORE_WELL)
        log_info("ledger_well", "%s", "");
    else
        log_warn(health == STORE_FULL ? "ledger_full" : "ledger_broken",
                 "reason=%s", log_quoted(reason));
}

/* Returns when it was over. */
static int64_t loop_turn(struct loop *loop)
{
    int64_t now_ms = clock_boot_ms();
    broker_turn(loop->broker, now_ms);
    if (loop->zap)
        broker_refused(loop->broker, REFUSED_KEY, zap_run(loop->zap, now_ms));
    feed_read(loop->feed);
    broker_settle(loop->broker);
    watch_ledger(loop);
    keep_settle(&loop->keep);
    link_read(loop->link);
    http_run(loop->http, now_ms);
    link_settle(loop->link, now_ms);
    feed_settle(loop->feed);
    broker_report(loop->broker);
    hooks_settle(loop->hooks);
    trim_memory(now_ms);
    int64_t over_ms = clock_boot_ms();
    http_turned(loop->http, over_ms - now_ms);
    return over_ms;
}

static void renew_cert(const struct loop *loop)
{
    char why[LIMIT_REASON];
    if (tls_renew(loop->tls, why, sizeof why))
        log_info("certificate_read", "expires=%lld",
                 (long long)tls_until_s(loop->tls));
    else
        log_error("certificate_not_read", "reason=%s", log_quoted(why));
}

/* Takes the signals that have come. Tells whether one to end was among them. */
static bool loop_told(const struct loop *loop)
{
    struct signalfd_siginfo info;
    while (read(loop->signal_fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo == SIGHUP)
            renew_cert(loop);
        else if (info.ssi_signo != SIGCHLD)
            return true;
    return false;
}

static bool loop_open(const struct loop *loop)
{
    bool waiting = loop->health != STORE_BROKEN && broker_waiting(loop->broker);
    return http_busy(loop->http) || waiting;
}

static void loop_drain(struct loop *loop)
{
    log_info("ending", "%s", "");
    int64_t until_ms = clock_boot_ms() + LOOP_DRAIN_MS;
    broker_drain(loop->broker);
    http_drain(loop->http);
    int64_t now_ms = clock_boot_ms();
    while (loop_open(loop) && now_ms < until_ms && !loop_told(loop)) {
        loop_poll(loop, sooner(loop_wait(loop, now_ms), 50));
        now_ms = loop_turn(loop);
    }
}

void loop_run(struct loop *loop)
{
    int64_t now_ms = clock_boot_ms();
    while (!loop_told(loop) && loop->health != STORE_BROKEN) {
        loop_poll(loop, loop_wait(loop, now_ms));
        now_ms = loop_turn(loop);
    }
    loop_drain(loop);
}
