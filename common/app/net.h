/* SPDX-License-Identifier: Apache-2.0
 *
 * Small facts about addresses that several programs need. An address is held as
 * IPv6, an IPv4 one as ::ffff:a.b.c.d, so that one comparison does for all.
 */
#ifndef FRAMEQ_COMMON_APP_NET_H
#define FRAMEQ_COMMON_APP_NET_H

#include <stdbool.h>

/* net_is_loopback tells whether host is localhost, 127.0.0.0/8 or ::1. */
bool net_is_loopback(const char *host);

/* An address with its first bits counting, all 128 for that one alone. */
struct net {
    unsigned char at[16];
    int bits;
};

/* net_parse reads ADDRESS or ADDRESS/BITS (10.1.0.0/16, fd00::/8). Returns
 * false when text is none; ret is not to be used then. */
bool net_parse(const char *text, struct net *ret);

/* net_has tells whether an address lies in a net. */
bool net_has(const struct net *net, const unsigned char at[16]);

/* net_put_v4 makes an address of the four bytes of an IPv4 one. */
void net_put_v4(const void *v4, unsigned char ret[16]);

/* net_text writes an address as people do, an IPv4 one as a.b.c.d. */
#define NET_TEXT 46 /* INET6_ADDRSTRLEN */
void net_text(const unsigned char at[16], char ret[NET_TEXT]);

#endif
