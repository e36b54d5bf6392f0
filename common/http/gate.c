/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections from their acceptance until the head of their first request is
 * whole. It is looked at while it still lies in the socket; libmicrohttpd,
 * which is lenient and answers in HTML, gets the connection only when there is
 * nothing to refuse. So nobody who sends nothing, slowly or nonsense costs
 * more than a descriptor.
 */
#include "common/http/httpd_parts.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "common/http/refusal.h"
#include "common/http/tls.h"
#include "common/limits.h"
#include "common/mem.h"

#define ACCEPTS_PER_RUN 128

bool gate_watch(struct httpd *httpd, int listener)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET,
                                .data.ptr = &httpd->listening};
    httpd->listening = (struct watch){WATCH_LISTENER};
    httpd->listener = listener;
    return epoll_ctl(httpd->epoll, EPOLL_CTL_ADD, listener, &event) == 0;
}

static void newcomer_remove(struct newcomer *newcomer)
{
    struct httpd *httpd = newcomer->httpd;
    DL_DELETE(httpd->newcomers, newcomer);
    httpd->n_connections--;
    httpd->crowded = true; /* there is a place: look who waits */
    mem_free(newcomer);
}

static void newcomer_close(struct newcomer *newcomer)
{
    close(newcomer->fd);
    newcomer_remove(newcomer);
}

static void newcomer_refuse(struct newcomer *newcomer, const struct head *head)
{
    struct refusal refusal = {.rc = head->rc,
                              .detail = head->why,
                              .path = *head->target ? head->target : NULL,
                              .json =
                                  refusal_in_json(head->target, head->accept)};
    struct httpd *httpd = newcomer->httpd;
    int fd = newcomer->fd;
    httpd->refused++;
    refusal_send(fd, &refusal);
    epoll_ctl(httpd->epoll, EPOLL_CTL_DEL, fd, NULL);
    newcomer_remove(newcomer);
    linger_add(httpd, fd);
}

/* The head is good: libmicrohttpd reads it again, and goes on. */
static void newcomer_enter(struct newcomer *newcomer)
{
    struct httpd *httpd = newcomer->httpd;
    struct newcomer entering = *newcomer;
    epoll_ctl(httpd->epoll, EPOLL_CTL_DEL, newcomer->fd, NULL);
    newcomer_remove(newcomer);
    httpd->busy = true;
    httpd->entering_ms = entering.deadline_ms;
    MHD_add_connection(httpd->daemon, entering.fd,
                       (struct sockaddr *)&entering.address, entering.len);
}

static void newcomer_look(struct newcomer *newcomer, const char *bytes,
                          size_t n, bool ended)
{
    struct head head = {0};
    size_t len = head_end(bytes, n);
    if (len > LIMIT_HEAD || (len == 0 && n > LIMIT_HEAD))
        head_overflow(bytes, n, &head);
    else if (len > 0)
        request_look(bytes, n, len, &head);
    else if (head_starts(bytes, n, &head) && ended) {
        head.rc = RC_INVALID;
        snprintf(head.why, sizeof head.why, "the request ends in its head");
    }
    if (head.rc != RC_OK)
        newcomer_refuse(newcomer, &head);
    else if (len > 0)
        newcomer_enter(newcomer);
}

void gate_event(struct newcomer *newcomer, uint32_t events)
{
    static char bytes[LIMIT_HEAD + 1]; /* the loop's; one more: too many */
    const struct httpd *httpd = newcomer->httpd;
    ssize_t n =
        recv(newcomer->fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN && !(events & (EPOLLHUP | EPOLLERR)))
        return;
    if (n <= 0) {
        newcomer_close(newcomer);
        return;
    }
    if (!newcomer->has_spoken)
        newcomer->deadline_ms = httpd->now_ms + LIMIT_REQUEST_MS;
    newcomer->has_spoken = true;
    newcomer_look(newcomer, bytes, (size_t)n, (events & EPOLLRDHUP) != 0);
}

static void newcomer_add(struct httpd *httpd, int fd,
                         const struct sockaddr_storage *address, socklen_t len)
{
    struct newcomer *newcomer = mem_new(sizeof *newcomer);
    newcomer->watch.kind = WATCH_NEWCOMER;
    newcomer->httpd = httpd;
    newcomer->fd = fd;
    newcomer->address = *address;
    newcomer->len = len;
    newcomer->since_ms = httpd->now_ms;
    newcomer->deadline_ms = httpd->now_ms + LIMIT_IDLE_MS;
    DL_APPEND(httpd->newcomers, newcomer);
    httpd->n_connections++;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
                                .data.ptr = newcomer};
    if (epoll_ctl(httpd->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        newcomer_close(newcomer);
}

static bool has_idle(const struct httpd *httpd)
{
    const struct newcomer *oldest = httpd->newcomers;
    bool idle = oldest != NULL && httpd->now_ms - oldest->since_ms >= GATE_MS;
    return idle || httpd->resting != NULL;
}

/* Closes the connection that has been without a whole request for longest, one
 * that never had one first. */
static void close_idle(struct httpd *httpd)
{
    const struct newcomer *oldest = httpd->newcomers;
    if (oldest != NULL && httpd->now_ms - oldest->since_ms >= GATE_MS)
        newcomer_close(httpd->newcomers);
    else if (httpd->resting != NULL)
        peer_dismiss(httpd->resting);
    httpd->busy = true;
}

static int accept_next(const struct httpd *httpd,
                       struct sockaddr_storage *address, socklen_t *len)
{
    int fd;
    do {
        *len = sizeof *address;
        fd = accept4(httpd->listener, (struct sockaddr *)address, len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && (errno == ECONNABORTED || errno == EINTR));
    if (fd >= 0 && httpd->options.tls != NULL)
        fd = tls_take(httpd->options.tls, fd);
    return fd;
}

/* Takes one who waits at the listener, in the place of an idle one if need be.
 * Returns whether there was one, and room. */
static bool accept_one(struct httpd *httpd)
{
    struct sockaddr_storage address;
    socklen_t len;
    bool full = httpd->n_connections >= httpd->options.connections;
    if (full && !has_idle(httpd)) {
        httpd->crowded = httpd->newcomers != NULL; /* or once a place is free */
        return false;
    }
    int fd = accept_next(httpd, &address, &len);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
        close_idle(httpd);
        return false;
    }
    httpd->crowded = fd >= 0;
    if (fd < 0)
        return false;
    if (full)
        close_idle(httpd);
    newcomer_add(httpd, fd, &address, len);
    return true;
}

bool gate_accept(struct httpd *httpd)
{
    int n = 0;
    while (n < ACCEPTS_PER_RUN && httpd->crowded && accept_one(httpd))
        n++;
    httpd->busy = httpd->busy || (n == ACCEPTS_PER_RUN && httpd->crowded);
    return n > 0;
}

void gate_sweep(struct httpd *httpd)
{
    static const struct head late = {.rc = RC_TIMEOUT,
                                     .why = "its head took too long"};
    struct newcomer *newcomer, *next;
    DL_FOREACH_SAFE (httpd->newcomers, newcomer, next) {
        if (httpd->now_ms < newcomer->deadline_ms)
            continue;
        if (newcomer->has_spoken)
            newcomer_refuse(newcomer, &late);
        else
            newcomer_close(newcomer);
    }
}

void gate_done(struct httpd *httpd)
{
    while (httpd->newcomers != NULL)
        newcomer_close(httpd->newcomers);
    if (httpd->listener >= 0)
        close(httpd->listener);
}
