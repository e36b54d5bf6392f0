/* SPDX-License-Identifier: Apache-2.0
 *
 * libzmq has no call that ends one connection of a bound socket: they are
 * looked for among the descriptors of the process. One that libzmq closes at
 * the same instant, and whose number another gets, cannot be mistaken for long:
 * it was looked at a moment before, and who is cut wrongly comes back.
 */
#include "broker/agents/socket.h"

#include <assert.h>
#include <dirent.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A peer that is cut off is known by what TCP gets no answer to. */
#define SILENCE_MS  6000
#define KEEPALIVE_S 2 /* of silence, then between probes */

#define HANDSHAKE_MS 30000

#define ENDPOINT_SIZE 320

/* Of CURVE: what is added to each message, and the largest part of a handshake
 * (INITIATE with its metadata is some 300). */
#define CURVE_MORE      33
#define CURVE_HANDSHAKE 512

static void guard(zsock_t *sock, const struct socket_options *options)
{
    int max = options->message_max + CURVE_MORE;
    zsock_set_maxmsgsize(sock, max > CURVE_HANDSHAKE ? max : CURVE_HANDSHAKE);
    zsock_set_curve_server(sock, 1);
    zsock_set_curve_secretkey(sock, options->key);
    zsock_set_zap_domain(sock, options->domain);
}

zsock_t *socket_new(const struct socket_options *options)
{
    zsock_t *sock = zsock_new(options->type);
    assert(sock);
    zsock_set_tcp_maxrt(sock, SILENCE_MS);
    zsock_set_tcp_keepalive(sock, 1);
    zsock_set_tcp_keepalive_idle(sock, KEEPALIVE_S);
    zsock_set_tcp_keepalive_intvl(sock, KEEPALIVE_S);
    zsock_set_tcp_keepalive_cnt(sock, SILENCE_MS / 1000 / KEEPALIVE_S);
    zsock_set_heartbeat_ivl(sock, options->heartbeat_ms);
    zsock_set_heartbeat_timeout(sock, SILENCE_MS);
    zsock_set_handshake_ivl(sock, HANDSHAKE_MS);
    zsock_set_maxmsgsize(sock, options->message_max);
    zsock_set_linger(sock, options->linger_ms);
    if (options->key)
        guard(sock, options);
    return sock;
}

/* Brackets are for addresses with colons in them. */
static const char *endpoint_of(const char *host, int port,
                               char ret[ENDPOINT_SIZE])
{
    bool colons = strchr(host, ':') != NULL;
    snprintf(ret, ENDPOINT_SIZE, "tcp://%s%s%s:%d", colons ? "[" : "", host,
             colons ? "]" : "", port);
    return ret;
}

bool socket_bind(zsock_t *sock, const char *host, int port)
{
    char at[ENDPOINT_SIZE];
    /* Else libzmq would bind IPv4 as IPv6, and tell addresses so. */
    zsock_set_ipv6(sock, strchr(host, ':') != NULL);
    return zsock_bind(sock, "%s", endpoint_of(host, port, at)) == port;
}

void socket_unbind(zsock_t *sock, const char *host, int port)
{
    char at[ENDPOINT_SIZE];
    zsock_unbind(sock, "%s", endpoint_of(host, port, at));
}

typedef int name_call(int fd, struct sockaddr *at, socklen_t *len);

/* Writes an end of a connection as text, as libzmq tells addresses. */
static bool end_of(int fd, name_call *call, char host[NI_MAXHOST], int *ret)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    char service[16] = "";
    if (call(fd, (struct sockaddr *)&at, &len) != 0 ||
        (at.ss_family != AF_INET && at.ss_family != AF_INET6) ||
        getnameinfo((struct sockaddr *)&at, len, host, NI_MAXHOST, service,
                    sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    *ret = (int)strtol(service, NULL, 10);
    return true;
}

static void fd_cut(int fd, int port, int n, const char *address)
{
    char host[NI_MAXHOST];
    int local, remote;
    if (!end_of(fd, getsockname, host, &local) || local < port ||
        local >= port + n || !end_of(fd, getpeername, host, &remote))
        return; /* one that listens has no peer */
    if (*address == '\0' || strcmp(host, address) == 0)
        (void)shutdown(fd, SHUT_RDWR);
}

void sockets_cut(int port, int n, const char *address)
{
    const struct dirent *entry;
    DIR *dir = opendir("/proc/self/fd");
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        fd_cut((int)strtol(entry->d_name, NULL, 10), port, n, address);
    if (dir != NULL)
        closedir(dir);
}
