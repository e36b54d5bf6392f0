/* SPDX-License-Identifier: Apache-2.0
 *
 * The door of the HTTP face: what is refused whatever the route (no route,
 * another site's page, too much at once), and the turn of the loop. What an
 * answer says is the routes' business.
 */
#include "broker/people/http.h"

#include <string.h>

#include "broker/agents/keys.h"
#include "broker/broker_internal.h"
#include "broker/files/artifacts.h"
#include "broker/files/movies.h"
#include "broker/people/files.h"
#include "broker/people/key_changes.h"
#include "broker/people/live.h"
#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"
#include "broker/people/stream.h"
#include "broker/people/wait.h"
#include "common/app/net.h"
#include "common/mem.h"
#include "common/text.h"

#define ALLOW_MAX 64
#define SHOWN_MAX 256

/* A job that no id could name is as unknown as any, and its status says so in
 * the same words. */
static bool is_status(const struct call *call)
{
    static const char status[] = "/status/";
    size_t len = strlen(status);
    return strncmp(call->in->path, status, len) == 0 && call->in->path[len];
}

static void refuse_path(struct call *call)
{
    char shown[SHOWN_MAX];
    const char *path = call->in->path;
    if (is_status(call)) {
        reply_unknown_job(call);
        return;
    }
    text_excerpt(path, strlen(path), shown, sizeof shown);
    reply_problem(call, RC_NOT_FOUND, "there is no %s", shown);
}

static void refuse_route(struct call *call)
{
    struct buf allow;
    const struct httpd_request *in = call->in;
    buf_init(&allow, ALLOW_MAX);
    route_allow(routes_all, in->path, &allow);
    if (allow.len == 0) {
        refuse_path(call);
    } else if (strcmp(in->method, "OPTIONS") == 0) {
        reply_header(call, "Allow", "%s", buf_text(&allow));
        reply_empty(call, 204);
    } else {
        reply_method(call, buf_text(&allow));
    }
    buf_free(&allow);
}

static bool is_unsafe(const char *method)
{
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 &&
           strcmp(method, "OPTIONS") != 0;
}

/* Whose host name leads here need not be who answers for it: without tokens
 * that would be all it takes to be let in (DNS rebinding). */
static bool refuse_host(struct call *call)
{
    char shown[SHOWN_MAX];
    const char *host = call->in->host;
    const struct http *http = call->http;
    if (http->guard.path != NULL ||
        !site_misleads(&http->site, host, call_header(call, "Accept-Language"),
                       call_header(call, "Sec-Fetch-Site")))
        return false;
    broker_refused(http->broker, REFUSED_HOST, 1);
    text_excerpt(host, strlen(host), shown, sizeof shown);
    reply_problem(call, RC_MISDIRECTED,
                  "%s is no name this broker knows itself by, and any web page "
                  "may have made it lead here; use its address, or start "
                  "frameq-broker with --hosts and this name, or with --tokens",
                  shown);
    return true;
}

static bool refuse_page(struct call *call)
{
    if (!is_unsafe(call->in->method) ||
        !site_is_foreign(call_header(call, "Sec-Fetch-Site"),
                         call_header(call, "Origin"), call->in->host))
        return false;
    broker_refused(call->http->broker, REFUSED_SITE, 1);
    reply_problem(call, RC_FORBIDDEN,
                  "a page of another site may not do this; where a proxy is in "
                  "between, let it pass on the Host header, or start "
                  "frameq-broker with --proxy and its address");
    return true;
}

static void refuse_crowd(struct call *call)
{
    broker_refused(call->http->broker, REFUSED_CROWD, 1);
    reply_problem(call, RC_BUSY, "too many requests are waiting");
}

static void take_request(void *ctx, struct httpd_request *in)
{
    struct http *http = ctx;
    struct call *call = call_new(http, in);
    call->route = route_find(routes_all, in->method, in->path, &call->params);
    if (http->n_open > LIMIT_PARKED)
        refuse_crowd(call);
    else if (refuse_host(call))
        return;
    else if (!call->route)
        refuse_route(call);
    else if (!refuse_page(call) && guard_admits(call))
        call->route->handle(call);
}

static void end_request(void *ctx, struct httpd_request *in, bool answered)
{
    (void)ctx;
    (void)answered;
    if (in->user)
        call_gone(in->user);
}

static void job_changed(void *ctx, const char *job)
{
    struct http *http = ctx;
    if (!job)
        return;
    wait_changed(http, job);
    movies_changed(http->movies, job);
}

static void feed_news(void *ctx)
{
    stream_news(ctx);
}

static bool open_door(struct http *http, const struct http_options *options,
                      char *why, size_t size)
{
    const struct httpd_options door = {.host = options->host,
                                       .port = options->port,
                                       .body_max = LIMIT_BODY,
                                       .connections = LIMIT_CONNECTIONS,
                                       .handle = take_request,
                                       .ended = end_request,
                                       .ctx = http,
                                       .proxies = options->proxies,
                                       .tls = options->tls};
    if (!guard_open(&http->guard, options->tokens,
                    broker_facts(http->broker)->data_dir, why, size))
        return false;
    http->httpd = httpd_open(&door, why, size);
    if (!http->httpd)
        guard_close(&http->guard);
    return http->httpd != NULL;
}

static void note_event(void *ctx, const struct event *event)
{
    struct http *http = ctx;
    meter_event(&http->meter, event);
    if (event->type == EVENT_REFUSED)
        broker_refused(http->broker, REFUSED_NAME, 1);
    if (event->type == EVENT_FORGOTTEN && http->artifacts)
        artifacts_drop(http->artifacts, event->job);
}

struct http *http_open(struct broker *broker, struct feed *feed,
                       const struct http_options *options, char *why,
                       size_t size)
{
    struct http *http = mem_new(sizeof *http);
    http->broker = broker;
    http->feed = feed;
    http->keys = options->keys;
    http->blobs = options->blobs;
    http->artifacts = options->artifacts;
    http->hooks = options->hooks;
    http->keep_ms = options->keep_ms;
    http->tls = options->tls;
    http->site = options->site;
    http->site.loopback = net_is_loopback(options->host);
    http->fed = feed_seq(feed);
    if (!open_door(http, options, why, size)) {
        mem_free(http);
        return NULL;
    }
    meter_init(&http->meter);
    http->movies = movies_open(broker, http->blobs);
    broker_watch(broker, job_changed, http);
    broker_project(broker, note_event, http);
    feed_listen(feed, feed_news, http);
    return http;
}

void http_close(struct http **http_ref)
{
    struct http *http = *http_ref;
    if (!http)
        return;
    httpd_close(&http->httpd); /* ends every call */
    key_changes_close(http);
    live_close(http);
    movies_close(&http->movies);
    guard_close(&http->guard);
    meter_done(&http->meter);
    mem_free(http);
    *http_ref = NULL;
}

int http_port(const struct http *http)
{
    return httpd_port(http->httpd);
}

int http_fd(const struct http *http)
{
    return httpd_fd(http->httpd);
}

static int64_t sooner(int64_t wait, int64_t at_ms, int64_t now_ms)
{
    int64_t left = at_ms > now_ms ? at_ms - now_ms : 0;
    return wait < 0 || left < wait ? left : wait;
}

int64_t http_wait(const struct http *http, int64_t now_ms)
{
    int64_t wait = http->stirred ? 0 : httpd_wait(http->httpd);
    if (http->waiting)
        wait = sooner(wait, http->wait_ms, now_ms);
    if (http->looks)
        wait = sooner(wait, live_next(http), now_ms);
    if (http->streams)
        wait = sooner(wait, http->beat_ms, now_ms);
    return wait;
}

/* Answers at a gate that will not open again. */
static void free_gated(struct http *http)
{
    const char *reason;
    struct call *call;
    if (store_health(broker_store(http->broker), &reason) != STORE_BROKEN)
        return;
    DL_FOREACH (http->calls, call)
        if (call->stage == CALL_GATED) {
            broker_unanswer(http->broker, call);
            reply_broken(call);
        }
}

/* Who waits or listens comes in again, by the tokens there are now. */
static void look_at_tokens(struct http *http, int64_t now_ms)
{
    if (!guard_look(&http->guard, now_ms))
        return;
    if (http->keys)
        keys_renew_watch(http->keys);
    wait_end_all(http);
    live_end_all(http);
    stream_end_all(http, "the farm's tokens have changed; come in again");
}

void http_turned(struct http *http, int64_t ms)
{
    meter_turn(&http->meter, ms);
}

void http_run(struct http *http, int64_t now_ms)
{
    free_gated(http);
    look_at_tokens(http, now_ms);
    wait_due(http, now_ms);
    stream_end_due(http, now_ms);
    stream_beat_all(http, now_ms);
    files_run(http, now_ms);
    if (http->artifacts)
        artifacts_run(http->artifacts);
    live_run(http, now_ms);
    movies_run(http->movies, now_ms);
    http->stirred = false;
    httpd_run(http->httpd);
    broker_refused(http->broker, REFUSED_REQUEST, httpd_refused(http->httpd));
    stream_resume(http);
}

void http_drain(struct http *http)
{
    http->draining = true;
    wait_end_all(http);
    live_end_all(http);
    stream_end_all(http, "the broker is shutting down");
}

bool http_busy(const struct http *http)
{
    return httpd_open_requests(http->httpd) > 0;
}
