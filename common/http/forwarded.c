/* SPDX-License-Identifier: Apache-2.0
 *
 * A list is read from its end: what stands left of the first address that is
 * not trusted was written by whoever has that address, and may be invented.
 */
#include "common/http/forwarded.h"

#include <string.h>

static bool nets_have(const struct proxies *proxies, const struct net *address)
{
    for (size_t i = 0; i < proxies->n; i++)
        if (net_has(&proxies->at[i], address->at))
            return true;
    return false;
}

/* Reads len bytes as a net, blanks around them aside. */
static bool read_net(const char *at, size_t len, struct net *ret)
{
    char text[NET_TEXT + sizeof "/128"];
    while (len > 0 && (*at == ' ' || *at == '\t'))
        at++, len--;
    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
        len--;
    if (len >= sizeof text)
        return false;
    memcpy(text, at, len);
    text[len] = '\0';
    return net_parse(text, ret);
}

bool proxies_read(const char *list, struct proxies *ret)
{
    *ret = (struct proxies){0};
    for (const char *at = list;; at++) {
        size_t len = strcspn(at, ",");
        if (ret->n == LIMIT_PROXIES || !read_net(at, len, &ret->at[ret->n]))
            return false;
        ret->n++;
        at += len;
        if (*at == '\0')
            return true;
    }
}

bool proxies_have(const struct proxies *proxies, const char *address)
{
    struct net net;
    return proxies->n > 0 && net_parse(address, &net) &&
           nets_have(proxies, &net);
}

/* Takes the last element off a list of *len bytes. */
static const char *take_last(const char *list, size_t *len, size_t *ret_len)
{
    size_t start = *len;
    while (start > 0 && list[start - 1] != ',')
        start--;
    *ret_len = *len - start;
    *len = start > 0 ? start - 1 : 0;
    return list + start;
}

void forwarded_client(const struct proxies *proxies, const char *peer,
                      const char *list, char ret[NET_TEXT])
{
    struct net seen, next;
    size_t n, len = strlen(list);
    if (!net_parse(peer, &seen)) {
        strncpy(ret, peer, NET_TEXT - 1);
        ret[NET_TEXT - 1] = '\0';
        return;
    }
    while (len > 0 && nets_have(proxies, &seen)) {
        const char *last = take_last(list, &len, &n);
        if (memchr(last, '/', n) != NULL || !read_net(last, n, &next))
            break;
        seen = next;
    }
    net_text(seen.at, ret);
}

const char *forwarded_last(const char *list)
{
    const char *comma = strrchr(list, ',');
    const char *last = comma == NULL ? list : comma + 1;
    return last + strspn(last, " \t");
}
