/* SPDX-License-Identifier: Apache-2.0
 *
 * What reverse proxies say of a request they pass on: X-Forwarded-For, -Proto
 * and -Host. Whoever reaches the server can send these headers, so they count
 * only where the connection comes from a proxy that is trusted. RFC 7239's
 * header, which few proxies send, is not read. Pure.
 */
#ifndef FRAMEQ_COMMON_HTTP_FORWARDED_H
#define FRAMEQ_COMMON_HTTP_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "common/app/net.h"
#include "common/limits.h"

/* The proxies that are trusted. */
struct proxies {
    struct net at[LIMIT_PROXIES];
    size_t n;
};

/* proxies_read reads ADDR[,ADDR...], each an address or a network. Returns
 * false when it is none, or of more than LIMIT_PROXIES. */
bool proxies_read(const char *list, struct proxies *ret);

/* proxies_have tells whether a connection from this address is a proxy's. */
bool proxies_have(const struct proxies *proxies, const char *address);

/* forwarded_client writes whose request a proxy at `peer` passes on, where list
 * is all that X-Forwarded-For says, the last header last: the right-most
 * address that is no proxy's. Where the list ends before, or holds no address,
 * it is the proxy that was seen last. */
void forwarded_client(const struct proxies *proxies, const char *peer,
                      const char *list, char ret[NET_TEXT]);

/* forwarded_last returns the last element of a list, without blanks before it;
 * a part of it. */
const char *forwarded_last(const char *list);

#endif
