/* SPDX-License-Identifier: Apache-2.0
 *
 * The page and the API's description: files, the same for everybody. A view of
 * the page has an address of its own, so that it can be reloaded and sent
 * around; the list here is that of web/src/ui/router.js.
 */
#include "broker/people/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/files/blobs.h"
#include "broker/files/s3.h"
#include "broker/people/hash.h"
#include "broker/people/headers.h"
#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"

/* Nothing but what the page itself brings: no inline code, no other host but a
 * store, where pictures and movies may be. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'none'; "
    "img-src 'self' %s; media-src 'self' %s; connect-src 'self' %s";

static const char *store_of(const struct call *call)
{
    const struct blobs *blobs = call->http->blobs;
    return blobs && blobs_s3(blobs) ? s3_origin(blobs_s3(blobs)) : "";
}

/* Whether gzip is among what the client takes, with whatever weight but 0. */
static bool takes_gzip(const struct call *call)
{
    const char *value = call_header(call, "Accept-Encoding");
    const char *at = value ? strstr(value, "gzip") : NULL;
    return at && strncmp(at + strlen("gzip"), ";q=0", strlen(";q=0")) != 0;
}

static void reply_page(struct call *call, const struct page *page)
{
    char tag[24];
    bool gzip = page->gzip && takes_gzip(call);
    const char *bytes = gzip ? page->gzip : page->bytes;
    size_t len = (size_t)((gzip ? page->gzip_end : page->end) - bytes);
    snprintf(tag, sizeof tag, "%016" PRIx64, hash_bytes(bytes, len));
    reply_header(call, "ETag", "\"%s\"", tag);
    reply_header(call, "Cache-Control", "no-cache");
    const char *store = store_of(call);
    reply_header(call, "Content-Security-Policy", policy, store, store, store);
    reply_header(call, "Referrer-Policy", "no-referrer");
    reply_header(call, "Vary", "Accept-Encoding");
    if (call->in->secure)
        reply_header(call, "Strict-Transport-Security", "max-age=2592000");
    if (gzip)
        reply_header(call, "Content-Encoding", "gzip");
    if (headers_has_tag(call_header(call, "If-None-Match"), tag))
        reply_empty(call, 304);
    else
        reply_bytes(call, page->type, bytes, len);
}

static void get_file(struct call *call)
{
    const struct page *page = page_find(call->in->path);
    if (page)
        reply_page(call, page);
    else
        reply_problem(call, RC_NOT_FOUND, "this broker was built without it");
}

static void get_view(struct call *call)
{
    reply_page(call, page_view());
}

const struct route routes_page[] = {
    {"GET", "/", get_view, TOKEN_NONE},
    {"GET", "/jobs", get_view, TOKEN_NONE},
    {"GET", "/jobs/{}", get_view, TOKEN_NONE},
    {"GET", "/agents", get_view, TOKEN_NONE},
    {"GET", "/activity", get_view, TOKEN_NONE},
    {"GET", "/submit", get_view, TOKEN_NONE},
    {"GET", "/app.js", get_file, TOKEN_NONE},
    {"GET", "/app.css", get_file, TOKEN_NONE},
    {"GET", "/favicon.svg", get_file, TOKEN_NONE},
    {"GET", "/v1/openapi.yaml", get_file, TOKEN_NONE},
    {0},
};
