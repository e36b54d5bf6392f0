/* SPDX-License-Identifier: Apache-2.0
 *
 * Chunks that break their grammar behind good ones, which only libmicrohttpd
 * sees. It says so to its log, not of which connection, and then answers in
 * HTML; so who it must be is answered here first, and the way shut behind that.
 * Where two could be it, nobody is: the wrong one must not pay.
 */
#include "common/http/httpd_parts.h"

#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

/* A body in chunks is being read, this turn where stirred. */
static bool may_be(const struct peer *peer, bool stirred)
{
    return peer->request != NULL && peer->request->chunked &&
           (!stirred || peer->stirred == peer->httpd->turn);
}

static struct peer *only_one(struct httpd *httpd, bool stirred)
{
    struct peer *peer, *found = NULL;
    DL_FOREACH (httpd->peers, peer) {
        if (!may_be(peer, stirred))
            continue;
        if (found != NULL)
            return NULL;
        found = peer;
    }
    return found;
}

static void refuse(struct httpd *httpd)
{
    struct peer *peer = only_one(httpd, true);
    if (peer == NULL)
        peer = only_one(httpd, false);
    if (peer == NULL)
        return;
    peer->request->chunked = false;
    peer_refuse(peer, RC_INVALID, CHUNKS_BROKEN);
    shutdown(peer->fd, SHUT_WR);
}

void errors_hear(void *httpd, const char *format, va_list args)
{
    static const char known[] =
        "Error processing request (HTTP response code is %u ('%s')).";
    if (strncmp(format, known, sizeof known - 1) != 0)
        return;
    (void)va_arg(args, unsigned);
    if (strstr(va_arg(args, const char *), "chunk") != NULL)
        refuse(httpd);
}
