/* SPDX-License-Identifier: Apache-2.0
 *
 * Who sent a request, to which host, and whether it was encrypted on the way:
 * as the connection shows it, or as a trusted proxy tells it.
 */
#include "common/http/httpd_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/http/forwarded.h"
#include "common/limits.h"

struct told {
    struct buf clients;
    const char *scheme, *host; /* of the last such header */
};

/* A header may stand there several times: a proxy that adds one leaves those
 * that the client has made up. */
static enum MHD_Result hear(void *ctx, enum MHD_ValueKind kind,
                            const char *name, const char *value)
{
    struct told *told = ctx;
    (void)kind;
    if (value == NULL)
        return MHD_YES;
    if (strcasecmp(name, "X-Forwarded-For") == 0)
        buf_print(&told->clients, "%s%s", told->clients.len > 0 ? "," : "",
                  value);
    else if (strcasecmp(name, "X-Forwarded-Proto") == 0)
        told->scheme = forwarded_last(value);
    else if (strcasecmp(name, "X-Forwarded-Host") == 0)
        told->host = forwarded_last(value);
    return MHD_YES;
}

static void believe(struct request *request, const struct proxies *proxies)
{
    struct told told = {0};
    const struct peer *peer = request->peer;
    buf_init(&told.clients, 2 * LIMIT_HEAD);
    MHD_get_connection_values(peer->connection, MHD_HEADER_KIND, hear, &told);
    forwarded_client(proxies, peer->address, buf_text(&told.clients),
                     request->client);
    request->open.peer = request->client;
    request->open.passed_on = true;
    if (told.scheme != NULL)
        request->open.secure = strcasecmp(told.scheme, "https") == 0;
    if (told.host != NULL && *told.host != '\0')
        request->open.host = told.host;
    buf_free(&told.clients);
}

void request_origin(struct request *request)
{
    const struct httpd_options *options = &request->peer->httpd->options;
    request->open.peer = request->peer->address;
    request->open.host = httpd_header(&request->open, "Host");
    request->open.secure = options->tls != NULL;
    if (options->proxies != NULL &&
        proxies_have(options->proxies, request->peer->address))
        believe(request, options->proxies);
}
