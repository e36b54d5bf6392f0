/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a request is a page's of another site. A browser sends to this
 * machine what any page tells it to (cross-site requests), and takes this
 * machine for the page's own when a name server says so (DNS rebinding). Other
 * clients send what they like and are not stopped here.
 */
#ifndef FRAMEQ_COMMON_HTTP_SITE_H
#define FRAMEQ_COMMON_HTTP_SITE_H

#include <stdbool.h>
#include <stddef.h>

/* What the server is known by. */
struct site {
    bool loopback;            /* it listens on loopback alone */
    const char *self;         /* the name of this machine; NULL: unknown */
    const char *const *names; /* further names, as --hosts gives them */
    size_t n;
};

/* site_is_ours tells whether a Host header can name the server, whatever the
 * port: an address, this machine's name, one of the names, or what nobody can
 * have the name servers of the internet answer for: a name without a dot, or
 * below .localhost, .local, .lan, .internal, .home.arpa. NULL or "" is no
 * browser's, and ours. */
bool site_is_ours(const struct site *site, const char *host);

/* site_misleads tells whether a Host that is not ours is to be refused: always
 * on loopback, where no other name leads; elsewhere only to browsers, which say
 * their languages with every request, so that programs may reach an open server
 * by any name. The other headers are NULL where absent. */
bool site_misleads(const struct site *site, const char *host,
                   const char *languages, const char *fetch_site);

/* site_is_foreign tells whether a request that changes something comes from
 * another site's page, by its headers (NULL: absent): Sec-Fetch-Site, where the
 * browser sends that, else an Origin that is not of Host. */
bool site_is_foreign(const char *fetch_site, const char *origin,
                     const char *host);

#endif
