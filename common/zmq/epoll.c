/* SPDX-License-Identifier: Apache-2.0
 *
 * epoll_ctl and epoll_wait of this program, in place of the C library's: all
 * that libzmq asks of epoll comes through here. It goes round a bug of libzmq
 * (4.3.4; the lines are there still in 4.3.5), and tells recv.c which
 * connections there are.
 *
 * Where libzmq's queue for a peer is full it reads no more from it, and keeps
 * the rest of what it has read. It goes on watching the connection with no
 * event asked for; but epoll tells of an end and an error even then. libzmq
 * then remembers that the connection has ended, and works through the rest once
 * the queue has room. A heartbeat in it is answered, on a connection that has
 * ended: `Assertion failed: !_io_error`, and the program is over. So does its
 * own heartbeat end it that comes due meanwhile.
 *
 * So an end must not be heard of before all that came ahead of it is read:
 * - a descriptor of which nothing is asked is not watched at all;
 * - an end or error beside data, or room for it, is told as these alone: who
 *   then reads or writes meets it. (libzmq would take one report of both for
 *   two, and the second for an end after a queue that the first has filled.)
 */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C
 * library's names of parameters are reserved. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/zmq/guard.h"

static int control(int epfd, int op, int fd, struct epoll_event *event)
{
    return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
}

/* Others have epoll as well (libmicrohttpd, libcurl, TLS), and want it as it
 * is: libzmq's threads are known by the name it gives them. */
static bool is_libzmq(void)
{
    static _Thread_local enum { UNKNOWN, LIBZMQ, OTHER } who;
    char name[16] = "";
    if (who == UNKNOWN) {
        pthread_getname_np(pthread_self(), name, sizeof name);
        who = strncmp(name, "ZMQbg/IO/", 9) == 0 ? LIBZMQ : OTHER;
    }
    return who == LIBZMQ;
}

/* A descriptor is added when a connection begins, and deleted when it ends. */
static void follow(int op, int fd)
{
    if (op == EPOLL_CTL_ADD)
        stream_open(fd);
    else if (op == EPOLL_CTL_DEL)
        stream_close(fd);
}

int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    if (!is_libzmq())
        return control(epfd, op, fd, event);
    follow(op, fd);
    bool unasked = op == EPOLL_CTL_MOD && event->events == 0;
    int rc = control(epfd, unasked ? EPOLL_CTL_DEL : op, fd, event);
    if (rc == 0 || errno != ENOENT)
        return rc;
    /* It was let go before, and is watched again, or forgotten. */
    if (op == EPOLL_CTL_MOD && !unasked)
        return control(epfd, EPOLL_CTL_ADD, fd, event);
    return 0;
}

int epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms)
{
    const uint32_t doable = EPOLLIN | EPOLLOUT, ended = EPOLLERR | EPOLLHUP;
    int n = epoll_pwait(epfd, events, max, timeout_ms, NULL);
    for (int i = 0; i < n; i++)
        if ((events[i].events & ended) && (events[i].events & doable) &&
            is_libzmq())
            events[i].events &= ~ended;
    return n;
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
