/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon and its turn. One epoll set holds libmicrohttpd's own, the
 * clients to be watched and the lingering sockets, so that the owner has one
 * descriptor to wait on. Starts no thread and touches no signal.
 */
#include "common/http/httpd.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utlist.h>

#include "common/app/clock.h"
#include "common/http/httpd_parts.h"
#include "common/limits.h"
#include "common/mem.h"

#define SWEEP_MS       500 /* how late a deadline may be noticed */
#define ROUNDS_PER_RUN 64
#define EVENTS         256

/* libmicrohttpd may call sendfile, which cannot suppress SIGPIPE, only where
 * that signal does not kill. */
static int sigpipe_is_ignored(void)
{
    struct sigaction action;
    return sigaction(SIGPIPE, NULL, &action) == 0 &&
           action.sa_handler == SIG_IGN;
}

static struct MHD_Daemon *start_daemon(struct httpd *httpd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, request_step, httpd, MHD_OPTION_EXTERNAL_LOGGER,
        errors_hear, httpd, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_CONNECTION_LIMIT, 2 * httpd->options.connections,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(LIMIT_IDLE_MS / 1000),
        MHD_OPTION_NOTIFY_CONNECTION, peer_notify, httpd,
        MHD_OPTION_NOTIFY_COMPLETED, request_done, httpd,
        MHD_OPTION_URI_LOG_CALLBACK, peer_target, httpd,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, sigpipe_is_ignored(),
        MHD_OPTION_END);
}

static bool watch_daemon(struct httpd *httpd)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(httpd->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    return info != NULL &&
           epoll_ctl(httpd->epoll, EPOLL_CTL_ADD, info->epoll_fd, &event) == 0;
}

/* The other half of the descriptors is for all else the program does. Behind
 * TLS a connection takes three. */
static unsigned connections_max(const struct httpd_options *options)
{
    struct rlimit files;
    rlim_t each = options->tls != NULL ? 3 : 1;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 ||
        files.rlim_cur / 2 / each > options->connections)
        return options->connections;
    return (unsigned)(files.rlim_cur / 2 / each);
}

struct httpd *httpd_open(const struct httpd_options *options, char *why,
                         size_t size)
{
    int port;
    int listener = listen_open(options, &port, why, size);
    if (listener < 0)
        return NULL;
    struct httpd *httpd = mem_new(sizeof *httpd);
    httpd->options = *options;
    httpd->port = port;
    httpd->now_ms = clock_now_ms();
    httpd->options.connections = connections_max(options);
    httpd->epoll = epoll_create1(EPOLL_CLOEXEC);
    httpd->daemon = start_daemon(httpd);
    bool watched = gate_watch(httpd, listener);
    if (watched && httpd->daemon != NULL && watch_daemon(httpd))
        return httpd;
    snprintf(why, size, "cannot start the HTTP server");
    httpd_close(&httpd);
    return NULL;
}

/* One call handles what is ready; what that makes ready needs another, or it
 * would wait for the next event. */
static void drive(struct httpd *httpd)
{
    MHD_UNSIGNED_LONG_LONG wait;
    for (int i = 0; i < ROUNDS_PER_RUN; i++) {
        httpd->busy = false;
        MHD_run(httpd->daemon);
        bool due =
            MHD_get_timeout(httpd->daemon, &wait) == MHD_YES && wait == 0;
        if (!due && !httpd->busy)
            return;
    }
    httpd->busy = true;
}

/* Cuts what is parked: a suspended connection may not be left to the daemon's
 * end. */
static void cut_requests(struct httpd *httpd)
{
    struct peer *peer;
    DL_FOREACH (httpd->peers, peer) {
        if (peer->request != NULL && peer->request->suspended) {
            peer->gone = true;
            request_wake(peer->request);
        }
    }
}

void httpd_close(struct httpd **httpd)
{
    struct httpd *h = *httpd;
    if (h == NULL)
        return;
    if (h->daemon != NULL) {
        drive(h);
        cut_requests(h);
        drive(h);
        MHD_stop_daemon(h->daemon);
    }
    gate_done(h);
    linger_done(h);
    if (h->epoll >= 0)
        close(h->epoll);
    mem_free(h);
    *httpd = NULL;
}

int httpd_port(const struct httpd *httpd)
{
    return httpd->port;
}

int httpd_fd(const struct httpd *httpd)
{
    return httpd->epoll;
}

static void take_event(struct httpd *httpd, const struct epoll_event *event)
{
    struct watch *watch = event->data.ptr;
    if (watch == NULL)
        return; /* the daemon's; drive looks there in any case */
    switch (watch->kind) {
    case WATCH_LISTENER:
        httpd->crowded = true;
        break;
    case WATCH_NEWCOMER:
        gate_event((struct newcomer *)watch, event->events);
        break;
    case WATCH_PEER:
        peer_event((struct peer *)watch, event->events);
        break;
    case WATCH_LINGERER:
        linger_event(httpd, (struct lingerer *)watch);
        break;
    }
}

static void take_events(struct httpd *httpd)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(httpd->epoll, events, EVENTS, 0);
    for (int i = 0; i < n; i++)
        take_event(httpd, &events[i]);
}

void httpd_run(struct httpd *httpd)
{
    httpd->now_ms = clock_now_ms();
    httpd->turn++;
    take_events(httpd);
    if (httpd->now_ms - httpd->swept_ms >= SWEEP_MS) {
        httpd->swept_ms = httpd->now_ms;
        gate_sweep(httpd);
        peer_sweep(httpd);
        linger_sweep(httpd);
    }
    if (gate_accept(httpd))
        take_events(httpd); /* they have mostly sent their request already */
    request_turn(httpd);
    drive(httpd);
    gate_accept(httpd);
    httpd->busy = httpd->busy || httpd->large != NULL;
}

int64_t httpd_wait(const struct httpd *httpd)
{
    MHD_UNSIGNED_LONG_LONG mhd;
    int64_t wait = -1;
    if (httpd->busy)
        return 0;
    if (MHD_get_timeout(httpd->daemon, &mhd) == MHD_YES)
        wait = (int64_t)mhd;
    if (httpd->n_connections == 0 && httpd->lingerers == NULL)
        return wait;
    int64_t sweep = httpd->swept_ms + SWEEP_MS - clock_now_ms();
    if (httpd->crowded && sweep > GATE_MS)
        sweep = GATE_MS;
    if (sweep < 0)
        sweep = 0;
    return wait < 0 || sweep < wait ? sweep : wait;
}

uint64_t httpd_refused(struct httpd *httpd)
{
    uint64_t refused = httpd->refused;
    httpd->refused = 0;
    return refused;
}

size_t httpd_open_requests(const struct httpd *httpd)
{
    return httpd->open_requests;
}
