/* SPDX-License-Identifier: Apache-2.0
 *
 * The listening socket. Resolves a name once, at the start, and takes the
 * first of its addresses that can be bound.
 */
#include "common/http/httpd_parts.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on(const struct addrinfo *info)
{
    int on = 1, off = 0;
    int fd =
        socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6) /* "" is to mean both families */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 &&
        listen(fd, SOMAXCONN) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int listen_first(const struct addrinfo *list, int family)
{
    int fd = -1;
    for (; fd < 0 && list != NULL; list = list->ai_next)
        if (family == AF_UNSPEC || list->ai_family == family)
            fd = listen_on(list);
    return fd;
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    char port[NI_MAXSERV] = "0";
    getsockname(fd, (struct sockaddr *)&address, &len);
    getnameinfo((struct sockaddr *)&address, len, NULL, 0, port, sizeof port,
                NI_NUMERICSERV);
    return (int)strtol(port, NULL, 10);
}

int listen_open(const struct httpd_options *options, int *ret_port, char *why,
                size_t size)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    bool all = *options->host == '\0';
    char port[8];
    snprintf(port, sizeof port, "%d", options->port);
    int rc = getaddrinfo(all ? NULL : options->host, port, &hints, &list);
    if (rc != 0) {
        snprintf(why, size, "cannot find %s: %s", options->host,
                 gai_strerror(rc));
        return -1;
    }
    int fd = all ? listen_first(list, AF_INET6) : -1;
    if (fd < 0)
        fd = listen_first(list, AF_UNSPEC);
    if (fd < 0)
        snprintf(why, size, "cannot listen on %s:%s: %s",
                 all ? "*" : options->host, port, strerror(errno));
    else
        *ret_port = port_of(fd);
    freeaddrinfo(list);
    return fd;
}
