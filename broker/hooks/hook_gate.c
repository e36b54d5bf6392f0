/* SPDX-License-Identifier: Apache-2.0
 *
 * Two lists: what is closed, and what the rules open again.
 */
#include "broker/hooks/hook_gate.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "common/app/conf.h"
#include "common/app/net.h"

#define HOST_MAX 253

static const char *const closed[] = {
    "0.0.0.0/8",       /* this machine */
    "127.0.0.0/8",     /* loopback */
    "169.254.0.0/16",  /* link-local; most clouds' metadata */
    "100.100.100.200", /* metadata of Alibaba's cloud */
    "168.63.129.16",   /* of Azure */
    "192.0.0.0/24",    /* of Oracle's; protocol assignments */
    "224.0.0.0/4",     /* multicast */
    "240.0.0.0/4",     /* reserved, broadcast */
    "::/128",          "::1/128",       "fe80::/10",
    "fec0::/10",       "fd00:ec2::/32", /* metadata of Amazon's */
    "ff00::/8",
};

static bool is_host(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= HOST_MAX &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789.-_") == len;
}

const char *hook_gate_is_rule(const char *value)
{
    struct net net;
    if (net_parse(value, &net) || is_host(value))
        return NULL;
    return conf_reason("must be a host, an address or a network such as "
                       "10.1.0.0/16, not `%s`",
                       value);
}

bool hook_gate_knows(const struct hook_gate *gate, const char *host)
{
    struct net net;
    for (size_t i = 0; i < gate->n; i++)
        if (!net_parse(gate->allow[i], &net) &&
            strcasecmp(gate->allow[i], host) == 0)
            return true;
    return false;
}

static bool is_in(const char *const *rules, size_t n,
                  const unsigned char at[16])
{
    struct net net;
    for (size_t i = 0; i < n; i++)
        if (net_parse(rules[i], &net) && net_has(&net, at))
            return true;
    return false;
}

static bool address_bytes(const struct sockaddr *address, unsigned char ret[16])
{
    if (address->sa_family == AF_INET)
        net_put_v4(&((const struct sockaddr_in *)address)->sin_addr, ret);
    else if (address->sa_family == AF_INET6)
        memcpy(ret, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    else
        return false;
    return true;
}

/* Where an address leads: through NAT64, 6to4, or as an old way to write IPv4,
 * to the IPv4 address inside; else to itself. */
static void inner_address(unsigned char at[16])
{
    static const struct {
        const char *net;
        int v4;
    } tunnels[] = {{"64:ff9b::/96", 12}, {"2002::/16", 2}, {"::/96", 12}};
    struct net net;
    unsigned char v4[4];
    for (size_t i = 0; i < sizeof tunnels / sizeof *tunnels; i++)
        if (net_parse(tunnels[i].net, &net) && net_has(&net, at)) {
            memcpy(v4, at + tunnels[i].v4, sizeof v4);
            net_put_v4(v4, at);
            return;
        }
}

/* Whether one of this machine's interfaces has it; unknown is yes. */
static bool is_here(const unsigned char at[16])
{
    struct ifaddrs *all;
    unsigned char own[16];
    bool here = false;
    if (getifaddrs(&all) != 0)
        return true;
    for (const struct ifaddrs *one = all; one && !here; one = one->ifa_next)
        here = one->ifa_addr && address_bytes(one->ifa_addr, own) &&
               memcmp(own, at, sizeof own) == 0;
    freeifaddrs(all);
    return here;
}

bool hook_gate_admits(const struct hook_gate *gate,
                      const struct sockaddr *address)
{
    unsigned char at[16];
    if (!address_bytes(address, at))
        return false;
    if (is_in(gate->allow, gate->n, at))
        return true;
    if (is_in(closed, sizeof closed / sizeof *closed, at))
        return false;
    inner_address(at);
    return is_in(gate->allow, gate->n, at) ||
           (!is_in(closed, sizeof closed / sizeof *closed, at) && !is_here(at));
}
