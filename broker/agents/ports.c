/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain sockets are bound for the look and closed again: unlike a ZeroMQ
 * socket's, their ports are free the moment close returns.
 */
#include "broker/agents/ports.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS_MAX  8
#define ROWS_TRIED 200

static int port_of(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    char service[16] = "";
    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0 ||
        getnameinfo((struct sockaddr *)&at, len, NULL, 0, service,
                    sizeof service, NI_NUMERICSERV) != 0)
        return 0;
    return (int)strtol(service, NULL, 10);
}

/* Binds host:port (0: any) and returns the descriptor, or -1. */
static int port_bind(const char *host, int port)
{
    char service[16];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return -1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static int row_try(const char *host, int n)
{
    int fds[PORTS_MAX], bound = 0;
    fds[bound++] = port_bind(host, 0);
    int first = fds[0] >= 0 ? port_of(fds[0]) : 0;
    bool free = first > 0 && first + n <= 65536;
    while (free && bound < n) {
        fds[bound] = port_bind(host, first + bound);
        free = fds[bound++] >= 0;
    }
    for (int i = 0; i < bound; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return free ? first : 0;
}

int ports_free_row(const char *host, int n)
{
    int port = 0;
    for (int i = 0; i < ROWS_TRIED && port == 0; i++)
        port = row_try(host, n < PORTS_MAX ? n : PORTS_MAX);
    return port;
}

bool ports_address(const char *host, char *ret, size_t size, char *why,
                   size_t why_size)
{
    static const int families[] = {AF_INET, AF_INET6};
    int rc = EAI_NONAME;
    for (int i = 0; i < 2 && rc != 0; i++) {
        struct addrinfo hints = {.ai_family = families[i],
                                 .ai_socktype = SOCK_STREAM};
        struct addrinfo *found;
        rc = getaddrinfo(host, NULL, &hints, &found);
        if (rc != 0)
            continue;
        rc = getnameinfo(found->ai_addr, found->ai_addrlen, ret,
                         (socklen_t)size, NULL, 0, NI_NUMERICHOST);
        freeaddrinfo(found);
    }
    if (rc != 0)
        snprintf(why, why_size, "cannot find %s: %s", host, gai_strerror(rc));
    return rc == 0;
}
