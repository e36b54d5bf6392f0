/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections as libmicrohttpd accepts and closes them. It does not look at
 * the socket of a suspended one, so each is watched here for its client's
 * leaving; and its time-out begins anew with every byte, so a slow sender's
 * end is set here.
 */
#include "common/http/httpd_parts.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "common/http/refusal.h"
#include "common/limits.h"
#include "common/mem.h"

static const union MHD_ConnectionInfo *
peer_info(struct MHD_Connection *connection, enum MHD_ConnectionInfoType type)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, type);
    assert(info != NULL);
    return info;
}

struct peer *peer_of(struct MHD_Connection *connection)
{
    return peer_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
        ->socket_context;
}

/* A listener of both families shows IPv4 clients as ::ffff:a.b.c.d. */
static void write_address(const struct sockaddr *address,
                          char ret[INET6_ADDRSTRLEN])
{
    static const char mapped[] = "::ffff:";
    char text[INET6_ADDRSTRLEN] = "";
    bool v4 = address->sa_family == AF_INET;
    const void *bytes =
        v4 ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
           : &((const struct sockaddr_in6 *)address)->sin6_addr;
    inet_ntop(address->sa_family, bytes, text, sizeof text);
    bool strip =
        strncmp(text, mapped, strlen(mapped)) == 0 && strchr(text, '.') != NULL;
    const char *start = strip ? text + strlen(mapped) : text;
    memcpy(ret, start, strlen(start) + 1);
}

static struct peer *peer_open(struct httpd *httpd,
                              struct MHD_Connection *connection)
{
    struct peer *peer = mem_new(sizeof *peer);
    peer->watch.kind = WATCH_PEER;
    peer->httpd = httpd;
    peer->connection = connection;
    peer->fd =
        peer_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    peer->deadline_ms = httpd->entering_ms;
    peer->stirred = httpd->turn;
    write_address(
        peer_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
        peer->address);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
                                .data.ptr = peer};
    /* Without memory for it a client's leaving shows at the next write. */
    epoll_ctl(httpd->epoll, EPOLL_CTL_ADD, peer->fd, &event);
    DL_APPEND(httpd->peers, peer);
    httpd->n_connections++;
    return peer;
}

/* It rests no more. */
static void peer_rouse(struct peer *peer)
{
    if (peer->resting)
        DL_DELETE2(peer->httpd->resting, peer, prev_resting, next_resting);
    peer->resting = false;
}

static void peer_close(struct peer *peer)
{
    struct httpd *httpd = peer->httpd;
    peer_rouse(peer);
    DL_DELETE(httpd->peers, peer);
    httpd->n_connections -= !peer->dismissed;
    epoll_ctl(httpd->epoll, EPOLL_CTL_DEL, peer->fd, NULL);
    int fd = peer->linger ? fcntl(peer->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (fd >= 0)
        linger_add(httpd, fd);
    httpd->busy = httpd->crowded = true; /* there is a place: who waits? */
    mem_free(peer->target);
    mem_free(peer);
}

void peer_notify(void *httpd, struct MHD_Connection *connection, void **context,
                 enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = peer_open(httpd, connection);
    else
        peer_close(*context);
}

void *peer_target(void *httpd, const char *uri,
                  struct MHD_Connection *connection)
{
    struct peer *peer = peer_of(connection);
    int64_t deadline = ((struct httpd *)httpd)->now_ms + LIMIT_REQUEST_MS;
    if (deadline < peer->deadline_ms)
        peer->deadline_ms = deadline;
    peer_rouse(peer);
    mem_free(peer->target);
    peer->target = mem_text(uri);
    return NULL;
}

/* libmicrohttpd stops reading at a short read and then misses the end of what
 * a half-closed client sent, for which no further event comes. This changes
 * nothing about the socket, but makes the kernel tell of it again. */
static void nudge(struct peer *peer)
{
    peer->httpd->busy = true;
    shutdown(peer->fd, SHUT_RD);
}

void peer_rest(struct peer *peer)
{
    struct httpd *httpd = peer->httpd;
    peer->request = NULL;
    peer->deadline_ms = httpd->now_ms + LIMIT_IDLE_MS;
    peer->resting = true;
    DL_APPEND2(httpd->resting, peer, prev_resting, next_resting);
    if (peer->half_closed)
        nudge(peer);
}

void peer_dismiss(struct peer *peer)
{
    peer_rouse(peer);
    peer->dismissed = true;
    peer->httpd->n_connections--;
    peer->deadline_ms = 0;
    shutdown(peer->fd, SHUT_RDWR); /* libmicrohttpd sees it and closes */
}

void peer_refuse(struct peer *peer, enum rc rc, const char *detail)
{
    struct request *request = peer->request;
    const char *path = request == NULL ? NULL : request->open.path;
    const char *accept =
        request == NULL ? NULL : httpd_header(&request->open, "Accept");
    peer->httpd->refused++;
    refusal_send(peer->fd,
                 &(struct refusal){.rc = rc,
                                   .detail = detail,
                                   .path = path,
                                   .json = refusal_in_json(path, accept)});
    peer->linger = true;
}

/* libmicrohttpd is to find nothing but the end. */
static void drain(int fd)
{
    static char dropped[LIMIT_HEAD]; /* written, never read */
    while (recv(fd, dropped, sizeof dropped, MSG_DONTWAIT) > 0)
        ;
}

/* The next request on a connection that is kept. Where its head came in one
 * piece it is held to what that of the first is held to; a line that is no
 * request line may be the rest of one libmicrohttpd has begun to read. */
static void peer_look(struct peer *peer)
{
    static char bytes[LIMIT_HEAD];
    struct head head = {0};
    ssize_t n = recv(peer->fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0)
        return;
    int64_t deadline = peer->httpd->now_ms + LIMIT_REQUEST_MS;
    if (deadline < peer->deadline_ms)
        peer->deadline_ms = deadline;
    size_t len = head_end(bytes, (size_t)n);
    request_look(bytes, (size_t)n, len, &head);
    if (len == 0 || *head.target == '\0' || head.rc == RC_OK)
        return;
    drain(peer->fd);
    peer_refuse(peer, head.rc, head.why);
    nudge(peer);
}

void peer_event(struct peer *peer, uint32_t events)
{
    struct request *request = peer->request;
    if (events & EPOLLIN)
        peer->stirred = peer->httpd->turn;
    if ((events & EPOLLIN) && peer->resting)
        peer_look(peer);
    if ((events & EPOLLRDHUP) && !peer->half_closed) {
        peer->half_closed = true;
        nudge(peer); /* of which this event comes once more */
    }
    if (events & (EPOLLHUP | EPOLLERR))
        peer->gone = true;
    if (peer->half_closed && request != NULL && request->streams)
        peer->gone = true;
    if (peer->gone && request != NULL)
        request_wake(request);
}

void peer_sweep(struct httpd *httpd)
{
    struct peer *peer;
    DL_FOREACH (httpd->peers, peer) {
        if (peer->deadline_ms == 0 || httpd->now_ms < peer->deadline_ms)
            continue;
        peer->deadline_ms = 0;
        if (peer->request != NULL)
            peer_refuse(peer, RC_TIMEOUT, "its body took too long");
        shutdown(peer->fd, SHUT_RDWR); /* libmicrohttpd sees it and closes */
    }
}
