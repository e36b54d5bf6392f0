/* SPDX-License-Identifier: Apache-2.0
 *
 * What machines ask of the broker itself: alive, ready, metrics; and the files
 * built into it: the page and the API's description.
 */
#include <inttypes.h>
#include <stdio.h>

#include "broker/hash.h"
#include "broker/headers.h"
#include "broker/metrics.h"
#include "broker/page.h"
#include "broker/reply.h"
#include "broker/routes/routes.h"

#define TEXT_MAX (1024 * 1024)

/* Nothing but what the page itself brings: no inline code, no other host. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'none'";

static void get_livez(struct call *call)
{
    reply_text(call, 200, "ok");
}

static void add_check(struct buf *out, bool well, const char *name,
                      const char *reason)
{
    buf_print(out, "[%c]%s %s%s\n", well ? '+' : '-', name,
              well ? "ok" : "failed: ", well ? "" : reason);
}

static void get_readyz(struct call *call)
{
    const char *reason = NULL;
    struct broker *broker = call->http->broker;
    bool well = store_health(broker_store(broker), &reason) == STORE_WELL;
    bool serving = !broker_draining(broker);
    int status = well && serving ? 200 : 503;
    if (!call_query(call, "verbose") && status == 200) {
        reply_text(call, status, "ok");
        return;
    }
    struct buf text;
    buf_init(&text, TEXT_MAX);
    add_check(&text, well, "ledger", reason ? reason : "");
    add_check(&text, serving, "serving", "shutting down");
    reply_text(call, status, buf_text(&text));
    buf_free(&text);
}

static void get_metrics(struct call *call)
{
    struct buf text;
    const struct http *http = call->http;
    const struct broker_facts *facts = broker_facts(http->broker);
    buf_init(&text, TEXT_MAX);
    metrics_write(call_core(call), broker_now(http->broker), &text);
    meter_write(&http->meter, &text);
    buf_print(&text,
              "# HELP frameq_sse_clients Open event streams.\n"
              "# TYPE frameq_sse_clients gauge\nframeq_sse_clients %zu\n",
              http->n_streams);
    metrics_write_process(facts->start_ms, &text);
    reply_bytes(call, "text/plain; version=0.0.4; charset=utf-8",
                buf_text(&text), text.len);
    buf_free(&text);
}

static void get_page(struct call *call)
{
    char tag[24];
    const struct page *page = page_find(call->in->path);
    size_t len = (size_t)(page->end - page->bytes);
    snprintf(tag, sizeof tag, "%016" PRIx64, hash_bytes(page->bytes, len));
    reply_header(call, "ETag", "\"%s\"", tag);
    reply_header(call, "Cache-Control", "no-cache");
    reply_header(call, "Content-Security-Policy", "%s", policy);
    reply_header(call, "Referrer-Policy", "no-referrer");
    if (headers_has_tag(call_header(call, "If-None-Match"), tag))
        reply_empty(call, 304);
    else
        reply_bytes(call, page->type, page->bytes, len);
}

const struct route routes_system[] = {
    {"GET", "/livez", get_livez, TOKEN_NONE},
    {"GET", "/readyz", get_readyz, TOKEN_NONE},
    {"GET", "/healthz", get_readyz, TOKEN_NONE},
    {"GET", "/metrics", get_metrics, TOKEN_READ},
    {"GET", "/", get_page, TOKEN_NONE},
    {"GET", "/app.js", get_page, TOKEN_NONE},
    {"GET", "/app.css", get_page, TOKEN_NONE},
    {"GET", "/favicon.svg", get_page, TOKEN_NONE},
    {"GET", "/v1/openapi.yaml", get_page, TOKEN_NONE},
    {0},
};
