/* SPDX-License-Identifier: Apache-2.0
 *
 * What machines ask of the broker itself: alive, ready, metrics.
 */
#include "broker/people/metrics.h"
#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"
#include "common/http/negotiate.h"

#define TEXT_MAX (1024 * 1024)

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

static void write_feed(const struct exposition *to, const struct http *http)
{
    exposition_one(to, METRIC_GAUGE, "frameq_sse_clients",
                   "Open event streams.", (double)http->n_streams);
    exposition_one(to, METRIC_COUNTER, "frameq_feed_events_total",
                   "Events of the feed.", (double)feed_seq(http->feed));
}

/* A scraper must not wait for a disk that it is there to tell of: what it is
 * told may be ahead of the ledger by a commit. */
static void get_metrics(struct call *call)
{
    struct buf text;
    const struct http *http = call->http;
    const struct exposition to = {
        &text, accept_openmetrics(call_header(call, "Accept"))};
    buf_init(&text, TEXT_MAX);
    metrics_write(http->broker, &to);
    meter_write(&http->meter, &to);
    if (http->hooks)
        hooks_write(http->hooks, &to);
    write_feed(&to, http);
    metrics_write_process(broker_facts(http->broker)->start_ms, &to);
    exposition_end(&to);
    reply_header(call, "Vary", "Accept");
    reply_bytes(call, exposition_type(&to), buf_text(&text), text.len);
    buf_free(&text);
}

const struct route routes_system[] = {
    {"GET", "/livez", get_livez, TOKEN_NONE},
    {"GET", "/readyz", get_readyz, TOKEN_NONE},
    {"GET", "/healthz", get_readyz, TOKEN_NONE},
    {"GET", "/metrics", get_metrics, TOKEN_READ},
    {0},
};
