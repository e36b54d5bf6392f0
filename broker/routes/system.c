/* SPDX-License-Identifier: Apache-2.0
 *
 * What machines ask of the broker itself: alive, ready, metrics.
 */
#include "broker/metrics.h"
#include "broker/reply.h"
#include "broker/routes/routes.h"

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

static void get_metrics(struct call *call)
{
    struct buf text;
    const struct http *http = call->http;
    const struct broker_facts *facts = broker_facts(http->broker);
    buf_init(&text, TEXT_MAX);
    metrics_write(call_core(call), broker_now(http->broker), &text);
    meter_write(&http->meter, &text);
    if (http->hooks)
        hooks_write(http->hooks, &text);
    buf_print(&text,
              "# HELP frameq_sse_clients Open event streams.\n"
              "# TYPE frameq_sse_clients gauge\nframeq_sse_clients %zu\n",
              http->n_streams);
    metrics_write_process(facts->start_ms, &text);
    reply_bytes(call, "text/plain; version=0.0.4; charset=utf-8",
                buf_text(&text), text.len);
    buf_free(&text);
}

const struct route routes_system[] = {
    {"GET", "/livez", get_livez, TOKEN_NONE},
    {"GET", "/readyz", get_readyz, TOKEN_NONE},
    {"GET", "/healthz", get_readyz, TOKEN_NONE},
    {"GET", "/metrics", get_metrics, TOKEN_READ},
    {0},
};
