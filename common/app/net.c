/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads addresses as text; resolves no name and opens no socket.
 */
#include "common/app/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

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
