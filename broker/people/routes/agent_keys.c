/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys: an agent is let in (POST /v1/agents), or is no longer (DELETE
 * /v1/agents/{}); and what a watcher of the feed needs (GET /v1/feed).
 */
#include <stdio.h>
#include <string.h>

#include "broker/agents/keys.h"
#include "broker/people/key_changes.h"
#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"
#include "broker/people/stream.h"
#include "broker/people/wait.h"
#include "broker/views/view.h"
#include "common/app/conf.h"
#include "common/app/join.h"
#include "common/http/tls.h"

_Static_assert(JOIN_PIN == CERT_PIN, "one is the other");
_Static_assert(LIMIT_ID == LIMIT_AGENT, "a parameter fits a name");

static bool check_name(const json_t *v, const void *unused, char *why,
                       size_t size)
{
    static const size_t most = LIMIT_AGENT;
    (void)unused;
    if (!field_text(v, &most, why, size))
        return false;
    const char *reason = join_is_name(json_string_value(v));
    return reason == NULL || field_refuse(why, size, "%s", reason);
}

static bool check_broker(const json_t *v, const void *unused, char *why,
                         size_t size)
{
    static const size_t most = JOIN_URL;
    (void)unused;
    if (!field_text(v, &most, why, size))
        return false;
    const char *reason = conf_is_url(json_string_value(v));
    return reason == NULL || field_refuse(why, size, "%s", reason);
}

static const struct field add_fields[] = {
    {"name", check_name, NULL},
    {"broker", check_broker, NULL},
    {0},
};

/* Returns the keys; or answers 409, NULL. */
static struct keys *keys_of(struct call *call)
{
    if (!call->http->keys)
        reply_problem(call, RC_CONFLICT,
                      "this farm lets every agent in: start frameq-broker with "
                      "--curve on, or with --zmq off loopback, for agents to "
                      "need keys");
    return call->http->keys;
}

/* Where the agent will find the broker: as the body says, else where this
 * request was sent to. */
static bool read_broker(struct call *call, const json_t *body,
                        struct join *join)
{
    const char *given = json_string_value(json_object_get(body, "broker"));
    const char *host = call->in->host;
    if (given)
        snprintf(join->broker, sizeof join->broker, "%s", given);
    else if (host && strlen(host) < JOIN_URL - strlen("https://"))
        snprintf(join->broker, sizeof join->broker, "http%s://%s",
                 call->in->secure ? "s" : "", host);
    if (conf_is_url(join->broker) == NULL)
        return true;
    reply_problem(call, RC_INVALID,
                  "field `broker`: missing; say where agents reach this "
                  "broker, as http://HOST:PORT");
    return false;
}

static void reply_join(struct call *call, const struct join *join)
{
    char text[JOIN_SIZE];
    join_write(join, text);
    json_t *answer = json_object();
    view_put(answer, "name", json_string(join->name));
    view_put(answer, "broker", json_string(join->broker));
    view_put(answer, "join", json_string(text));
    reply_header(call, "Cache-Control", "no-store");
    reply_json(call, 201, answer);
}

/* By what an agent is to know the certificate: nothing, where an authority
 * vouches for it, or where the agents come by a proxy, which has its own. */
static const unsigned char *pin_of(const struct call *call)
{
    const struct tls *tls = call->http->tls;
    return tls && !call->in->passed_on ? tls_pin(tls) : NULL;
}

static void added(struct http *http, const struct key_change *change)
{
    broker_note(http->broker, "agent_added", change->join.name, change->who);
    if (change->call)
        reply_join(change->call, &change->join);
}

static void add_agent(struct call *call, const json_t *body, struct keys *keys)
{
    struct key_change change = {.done = added};
    struct join *join = &change.join;
    const char *name = json_string_value(json_object_get(body, "name"));
    if (!name) {
        reply_problem(call, RC_INVALID, "field `name`: missing");
        return;
    }
    const unsigned char *pin = pin_of(call);
    join->pinned = pin != NULL;
    if (pin)
        memcpy(join->pin, pin, sizeof join->pin);
    snprintf(join->name, sizeof join->name, "%s", name);
    memcpy(join->server, keys_server_public(keys), CURVE_KEY_SIZE);
    if (read_broker(call, body, join))
        key_change_begin(call, &change);
}

static void post_agent(struct call *call)
{
    struct keys *keys = keys_of(call);
    json_t *body = keys ? call_body(call, add_fields, false) : NULL;
    if (body)
        add_agent(call, body, keys);
    json_decref(body);
}

/* Its connections are cut before the turn is over (link.h). What it reads by
 * HTTP ends now: who else listens comes in again. */
static void removed(struct http *http, const struct key_change *change)
{
    broker_note(http->broker, "agent_removed", change->join.name, change->who);
    wait_end_all(http);
    stream_end_all(http, "an agent was removed; come in again");
    if (change->call)
        reply_empty(change->call, 204);
}

static void delete_agent(struct call *call)
{
    struct key_change change = {.removes = true, .done = removed};
    if (!keys_of(call))
        return;
    snprintf(change.join.name, sizeof change.join.name, "%s",
             call->params.at[0]);
    key_change_begin(call, &change);
}

static void get_feed(struct call *call)
{
    const struct keys *keys = call->http->keys;
    json_t *feed = json_object();
    view_put(feed, "port",
             json_integer(broker_facts(call->http->broker)->feed_port));
    view_put(feed, "server_key",
             view_text_or_null(keys ? keys_server_public(keys) : NULL));
    view_put(feed, "public_key",
             view_text_or_null(keys ? keys_watch_public(keys) : NULL));
    view_put(feed, "secret_key",
             view_text_or_null(keys ? keys_watch_secret(keys) : NULL));
    reply_header(call, "Cache-Control", "no-store");
    reply_json(call, 200, feed);
}

const struct route routes_agent_keys[] = {
    {"POST", "/v1/agents", post_agent, TOKEN_ADMIN},
    {"DELETE", "/v1/agents/{}", delete_agent, TOKEN_ADMIN},
    {"GET", "/v1/feed", get_feed, TOKEN_READ},
    {0},
};
