/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl tells which sockets to watch and when it wants to be called; both
 * are passed on to the owner's loop. One easy handle a request; connections
 * are kept by the multi handle.
 */
#include "worker-agent/web.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "worker-agent/trust.h"

#define CONNECT_MS 2000
#define EVENTS     64 /* taken from epoll at once */

struct exchange {
    CURL *easy;
    struct curl_slist *headers;
    struct buf body;
    web_done *done;
    void *ctx;
    uint64_t id;
    int kind;
    struct exchange *prev, *next;
};

struct web {
    CURLM *multi;
    int epoll;
    int64_t now_ms, timer_ms;
    struct exchange *exchanges;
};

/* --- What libcurl asks for. --- */

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *ctx,
                        void *seen)
{
    struct web *web = ctx;
    struct epoll_event event = {.data.fd = fd};
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(web->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        event.events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        event.events |= EPOLLOUT;
    int op = seen == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(web->epoll, op, fd, &event) != 0 && op == EPOLL_CTL_ADD)
        epoll_ctl(web->epoll, EPOLL_CTL_MOD, fd, &event);
    curl_multi_assign(web->multi, fd, web);
    return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct web *web = ctx;
    (void)multi;
    web->timer_ms = timeout_ms < 0 ? INT64_MAX : web->now_ms + timeout_ms;
    return 0;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct exchange *exchange = ctx;
    return buf_add(&exchange->body, bytes, size * n) ? size * n : 0;
}

/* --- Requests. --- */

struct web *web_open(void)
{
    struct web *web = mem_new(sizeof *web);
    CURLcode rc = curl_global_init(CURL_GLOBAL_DEFAULT);
    assert(rc == CURLE_OK);
    web->multi = curl_multi_init();
    web->epoll = epoll_create1(EPOLL_CLOEXEC);
    assert(web->multi != NULL && web->epoll >= 0);
    web->timer_ms = INT64_MAX;
    curl_multi_setopt(web->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(web->multi, CURLMOPT_SOCKETDATA, web);
    curl_multi_setopt(web->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(web->multi, CURLMOPT_TIMERDATA, web);
    return web;
}

static void exchange_free(struct web *web, struct exchange *exchange)
{
    DL_DELETE(web->exchanges, exchange);
    curl_multi_remove_handle(web->multi, exchange->easy);
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
    buf_free(&exchange->body);
    mem_free(exchange);
}

void web_close(struct web **web)
{
    if (*web == NULL)
        return;
    struct exchange *exchange, *next;
    DL_FOREACH_SAFE ((*web)->exchanges, exchange, next)
        exchange_free(*web, exchange);
    curl_multi_cleanup((*web)->multi);
    close((*web)->epoll);
    curl_global_cleanup();
    mem_free(*web);
    *web = NULL;
}

static void add_header(struct exchange *exchange, const char *name,
                       const char *value)
{
    char line[256];
    snprintf(line, sizeof line, "%s: %s", name, value);
    exchange->headers = curl_slist_append(exchange->headers, line);
}

static void set_options(struct exchange *exchange,
                        const struct web_request *request)
{
    CURL *easy = exchange->easy;
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)request->once);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, (long)request->once);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "frameq-agent/" FRAMEQ_VERSION);
    if (request->body != NULL)
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body);
    if (request->trust != NULL)
        trust_set(request->trust, easy);
    if (request->token != NULL) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, request->token);
    }
}

static void set_headers(struct exchange *exchange,
                        const struct web_request *request)
{
    add_header(exchange, "Accept",
               request->accept == NULL ? "*/*" : request->accept);
    if (request->body != NULL)
        add_header(exchange, "Content-Type", "application/json");
    if (request->trace != NULL && request->trace[0] != '\0')
        add_header(exchange, "traceparent", request->trace);
    exchange->headers = curl_slist_append(exchange->headers, "Expect:");
    curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers);
}

void web_send(struct web *web, int64_t now_ms,
              const struct web_request *request)
{
    struct exchange *exchange = mem_new(sizeof *exchange);
    web->now_ms = now_ms;
    exchange->easy = curl_easy_init();
    assert(exchange->easy != NULL);
    exchange->done = request->done;
    exchange->ctx = request->ctx;
    exchange->id = request->id;
    exchange->kind = request->kind;
    buf_init(&exchange->body, LIMIT_BODY);
    set_options(exchange, request);
    set_headers(exchange, request);
    DL_APPEND(web->exchanges, exchange);
    curl_multi_add_handle(web->multi, exchange->easy);
}

/* --- Answers. --- */

static enum web_result result_of(const struct exchange *exchange, CURLcode rc)
{
    curl_off_t sent_us = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
    if (rc == CURLE_OK)
        return WEB_ANSWERED;
    if (exchange->body.over)
        return WEB_TOO_MUCH;
    if (rc == CURLE_COULDNT_CONNECT || rc == CURLE_COULDNT_RESOLVE_HOST)
        return WEB_UNSENT;
    return sent_us == 0 ? WEB_UNSENT : WEB_SILENT;
}

static void finish(struct web *web, struct exchange *exchange, CURLcode rc)
{
    long status = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    struct web_answer answer = {.result = result_of(exchange, rc),
                                .status = (int)status,
                                .body = buf_text(&exchange->body),
                                .len = exchange->body.len,
                                .text = curl_easy_strerror(rc)};
    if (answer.result == WEB_TOO_MUCH)
        answer.text = "the answer is too large";
    exchange->done(exchange->ctx, exchange->id, exchange->kind, &answer);
    exchange_free(web, exchange);
}

static void finish_all(struct web *web)
{
    CURLMsg *msg;
    int left;
    while ((msg = curl_multi_info_read(web->multi, &left)) != NULL) {
        char *exchange = NULL;
        CURLcode rc = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &exchange);
        if (msg->msg == CURLMSG_DONE)
            finish(web, (struct exchange *)exchange, rc);
    }
}

int web_fd(const struct web *web)
{
    return web->epoll;
}

int64_t web_next(const struct web *web)
{
    return web->timer_ms;
}

static int curl_mask(uint32_t events)
{
    int mask = 0;
    if (events & EPOLLIN)
        mask |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        mask |= CURL_CSELECT_OUT;
    if (events & (EPOLLERR | EPOLLHUP))
        mask |= CURL_CSELECT_ERR;
    return mask;
}

void web_run(struct web *web, int64_t now_ms)
{
    struct epoll_event events[EVENTS];
    int running;
    web->now_ms = now_ms;
    if (web->timer_ms <= now_ms) {
        web->timer_ms = INT64_MAX;
        curl_multi_socket_action(web->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    int n = epoll_wait(web->epoll, events, EVENTS, 0);
    for (int i = 0; i < n; i++)
        curl_multi_socket_action(web->multi, events[i].data.fd,
                                 curl_mask(events[i].events), &running);
    finish_all(web);
}
