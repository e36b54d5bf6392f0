/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads headers as text; resolves no name.
 */
#include "common/http/site.h"

#include <string.h>
#include <strings.h>

#define NAME_SIZE 256 /* of DNS */

/* Copies the name of HOST[:PORT] without the dot that may end it. */
static bool read_name(const char *host, char ret[NAME_SIZE])
{
    size_t len = strcspn(host, ":");
    if (len > 0 && host[len - 1] == '.')
        len--;
    if (len >= NAME_SIZE)
        return false;
    memcpy(ret, host, len);
    ret[len] = '\0';
    return true;
}

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name), n = strlen(end);
    return len > n && strcasecmp(name + len - n, end) == 0;
}

static bool is_named(const struct site *site, const char *name)
{
    char known[NAME_SIZE];
    for (size_t i = 0; i < site->n; i++)
        if (read_name(site->names[i], known) && strcasecmp(known, name) == 0)
            return true;
    return false;
}

/* Names that no name server of the internet answers for. */
static bool is_private(const char *name)
{
    static const char *const ends[] = {".localhost", ".local", ".lan",
                                       ".internal", ".home.arpa"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_in(name, ends[i]))
            return true;
    return strchr(name, '.') == NULL;
}

bool site_is_ours(const struct site *site, const char *host)
{
    char name[NAME_SIZE];
    if (host == NULL || *host == '\0' || *host == '[')
        return true;
    if (!read_name(host, name))
        return false;
    return strspn(name, "0123456789.") == strlen(name) || is_private(name) ||
           (site->self != NULL && strcasecmp(name, site->self) == 0) ||
           is_named(site, name);
}

bool site_misleads(const struct site *site, const char *host,
                   const char *languages, const char *fetch_site)
{
    bool browser = languages != NULL || fetch_site != NULL;
    return (site->loopback || browser) && !site_is_ours(site, host);
}

bool site_is_foreign(const char *fetch_site, const char *origin,
                     const char *host)
{
    if (fetch_site != NULL)
        return strcasecmp(fetch_site, "same-origin") != 0 &&
               strcasecmp(fetch_site, "none") != 0;
    if (origin == NULL)
        return false;
    const char *site = strstr(origin, "://");
    return site == NULL || host == NULL || strcasecmp(site + 3, host) != 0;
}
