/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP requests that never block: libcurl's multi handle, its sockets behind
 * one epoll descriptor. Knows no node and no broker. Answers are bounded by
 * LIMIT_BODY; proxies and redirects are not followed.
 */
#ifndef FRAMEQ_WORKER_AGENT_WEB_H
#define FRAMEQ_WORKER_AGENT_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trust;
struct web;

enum web_result {
    WEB_ANSWERED, /* status and body are whole */
    WEB_UNSENT,   /* no connection: nothing of the request was seen */
    WEB_SILENT,   /* sent, and no whole answer came */
    WEB_TOO_MUCH  /* the answer is larger than LIMIT_BODY */
};

struct web_answer {
    enum web_result result;
    int status;
    const char *body; /* NUL-terminated; "" when there is none */
    size_t len;
    const char *text; /* unless WEB_ANSWERED: what went wrong, for people; the
                         same words for the same fault */
};

/* Called from web_run, exactly once per request unless web_close comes first.
 */
typedef void web_done(void *ctx, uint64_t id, int kind,
                      const struct web_answer *answer);

struct web_request {
    const char *method;
    const char *url;
    const char *accept; /* NULL: anything */
    const char *body;   /* JSON; NULL: none */
    const char *token;  /* a bearer's; NULL: none */
    const char *trace;  /* traceparent; NULL, "": none */
    const struct trust
        *trust;     /* of the broker; NULL: what the machine trusts */
    int timeout_ms; /* for all of it; the connection has 2 s of that */
    bool once;      /* a connection of its own: on a reused one libcurl may
                       send the request a second time */
    web_done *done;
    void *ctx; /* of done, as are id and kind */
    uint64_t id;
    int kind;
};

struct web *web_open(void);
void web_close(struct web **web);

/* web_send starts a request; everything in it is copied. */
void web_send(struct web *web, int64_t now_ms,
              const struct web_request *request);

/* web_fd becomes readable when web_run has work; web_next returns when it has
 * at the latest, INT64_MAX: not before. */
int web_fd(const struct web *web);
int64_t web_next(const struct web *web);
void web_run(struct web *web, int64_t now_ms);

#endif
