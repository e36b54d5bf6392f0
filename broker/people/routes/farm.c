/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v1/farm: what an agent, a tool or a page asks first: which ports, which
 * broker run, and how the farm is.
 */
#include <inttypes.h>
#include <stdio.h>

#include "broker/agents/keys.h"
#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"
#include "broker/views/view.h"

static json_t *view_ports(const struct broker_facts *facts)
{
    json_t *ports = json_object();
    view_put(ports, "http", json_integer(facts->http_port));
    view_put(ports, "status", json_integer(facts->status_port));
    view_put(ports, "control", json_integer(facts->control_port));
    view_put(ports, "feed", json_integer(facts->feed_port));
    return ports;
}

static json_t *view_ledger(const struct store *store)
{
    static const char *const words[] = {"ok", "full", "broken"};
    const char *reason = NULL;
    enum store_health health = store_health(store, &reason);
    json_t *ledger = json_object();
    view_put(ledger, "state", json_string(words[health]));
    view_put(ledger, "reason", view_text_or_null(reason));
    return ledger;
}

static json_t *view_seq(const struct http *http)
{
    char seq[48];
    uint64_t epoch = broker_facts(http->broker)->epoch;
    snprintf(seq, sizeof seq, "%" PRIu64 ":%" PRIu64, epoch,
             feed_seq(http->feed));
    return json_string(seq);
}

static void get_farm(struct call *call)
{
    const struct http *http = call->http;
    const struct broker_facts *facts = broker_facts(http->broker);
    json_t *farm = json_object();
    view_put(farm, "version", json_string(FRAMEQ_VERSION));
    view_put(farm, "epoch", json_integer((json_int_t)facts->epoch));
    view_put(farm, "seq", view_seq(http));
    view_put(farm, "started_at", view_time(facts->start_ms));
    view_put(farm, "now", view_time(broker_now(http->broker)));
    view_put(farm, "ports", view_ports(facts));
    view_put(
        farm, "server_key",
        view_text_or_null(http->keys ? keys_server_public(http->keys) : NULL));
    view_put(farm, "results",
             json_string(facts->results_keep ? "keep" : "refer"));
    view_put(farm, "ledger", view_ledger(broker_store(http->broker)));
    json_t *state = view_farm(call_core(call));
    json_object_update(farm, state);
    json_decref(state);
    if (broker_draining(http->broker))
        view_put(farm, "state", json_string("down"));
    reply_json(call, 200, farm);
}

const struct route routes_farm[] = {
    {"GET", "/v1/farm", get_farm, TOKEN_READ},
    {0},
};
