/* SPDX-License-Identifier: Apache-2.0
 *
 * Clients that were answered before their body was read. Closing at once
 * would leave unread bytes, for which the kernel sends a reset that may
 * overtake the answer; so the socket is kept, what comes is dropped, and it
 * is closed when the client is done, sent too much or took too long.
 */
#include "common/http/httpd_parts.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "common/limits.h"
#include "common/mem.h"

#define READS_PER_EVENT 16

static void linger_remove(struct httpd *httpd, struct lingerer *lingerer)
{
    DL_DELETE(httpd->lingerers, lingerer);
    httpd->n_lingerers--;
    close(lingerer->fd);
    mem_free(lingerer);
}

void linger_add(struct httpd *httpd, int fd)
{
    if (httpd->n_lingerers == LIMIT_LINGERERS)
        linger_remove(httpd, httpd->lingerers);
    struct lingerer *lingerer = mem_new(sizeof *lingerer);
    lingerer->watch.kind = WATCH_LINGERER;
    lingerer->fd = fd;
    lingerer->deadline_ms = httpd->now_ms + LIMIT_DROP_MS;
    DL_APPEND(httpd->lingerers, lingerer);
    httpd->n_lingerers++;
    shutdown(fd, SHUT_WR);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = lingerer};
    if (epoll_ctl(httpd->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        linger_remove(httpd, lingerer);
}

void linger_event(struct httpd *httpd, struct lingerer *lingerer)
{
    static char dropped[65536]; /* written, never read */
    for (int i = 0; i < READS_PER_EVENT; i++) {
        ssize_t n = recv(lingerer->fd, dropped, sizeof dropped, MSG_DONTWAIT);
        if (n < 0)
            return; /* nothing there for now; a dead one ends by its time */
        lingerer->dropped += (size_t)n;
        if (n == 0 || lingerer->dropped > LIMIT_BODY_DROPPED) {
            linger_remove(httpd, lingerer);
            return;
        }
    }
}

void linger_sweep(struct httpd *httpd)
{
    struct lingerer *lingerer, *next;
    DL_FOREACH_SAFE (httpd->lingerers, lingerer, next) {
        if (httpd->now_ms >= lingerer->deadline_ms)
            linger_remove(httpd, lingerer);
    }
}

void linger_done(struct httpd *httpd)
{
    while (httpd->lingerers != NULL)
        linger_remove(httpd, httpd->lingerers);
}
