/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads addresses as text; resolves no name and opens no socket.
 */
#include "common/app/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define V4_AT   12 /* of the four bytes in ::ffff:a.b.c.d */
#define V4_BITS (8 * V4_AT)

static const unsigned char mapped[V4_AT] = {0, 0, 0, 0, 0,    0,
                                            0, 0, 0, 0, 0xff, 0xff};

_Static_assert(NET_TEXT == INET6_ADDRSTRLEN, "the header says so");

static bool is_loopback4(struct in_addr address)
{
    return ntohl(address.s_addr) >> 24 == 127;
}

static bool is_loopback6(const struct in6_addr *address)
{
    struct in_addr last;
    memcpy(&last, address->s6_addr + 12, sizeof last);
    return IN6_IS_ADDR_LOOPBACK(address) ||
           (IN6_IS_ADDR_V4MAPPED(address) && is_loopback4(last));
}

bool net_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return is_loopback4(v4);
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return is_loopback6(&v6);
    return strcasecmp(host, "localhost") == 0;
}

void net_put_v4(const void *v4, unsigned char ret[16])
{
    memcpy(ret, mapped, sizeof mapped);
    memcpy(ret + V4_AT, v4, 4);
}

void net_text(const unsigned char at[16], char ret[NET_TEXT])
{
    bool v4 = memcmp(at, mapped, sizeof mapped) == 0;
    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? at + V4_AT : at, ret, NET_TEXT);
}

static bool bits_parse(const char *text, long max, int *ret)
{
    char *end;
    long bits = strtol(text, &end, 10);
    if (end == text || *end != '\0' || bits < 0 || bits > max)
        return false;
    *ret = (int)bits;
    return true;
}

bool net_parse(const char *text, struct net *ret)
{
    char host[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    struct in_addr v4;
    if (len >= sizeof host)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    bool is_v4 = inet_pton(AF_INET, host, &v4) == 1;
    if (is_v4)
        net_put_v4(&v4, ret->at);
    else if (inet_pton(AF_INET6, host, ret->at) != 1)
        return false;
    ret->bits = is_v4 ? 32 : 128;
    if (slash && !bits_parse(slash + 1, ret->bits, &ret->bits))
        return false;
    ret->bits += is_v4 ? V4_BITS : 0;
    return true;
}

bool net_has(const struct net *net, const unsigned char at[16])
{
    int whole = net->bits / 8, rest = net->bits % 8;
    unsigned mask = 0xffU << (8 - rest) & 0xffU;
    return memcmp(net->at, at, (size_t)whole) == 0 &&
           (rest == 0 || ((net->at[whole] ^ at[whole]) & mask) == 0);
}
