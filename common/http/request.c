/* SPDX-License-Identifier: Apache-2.0
 *
 * One request: headers checked, body gathered, handler called, answer queued.
 * libmicrohttpd calls request_step when the headers are in, for each piece of
 * the body, when all is in, and again after each suspension.
 */
#include "common/http/httpd_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "common/http/refusal.h"
#include "common/limits.h"
#include "common/mem.h"

#define ALLOW      "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
#define SIZE_WORDS 64

static struct request *request_from(struct httpd_request *open)
{
    return (struct request *)open; /* its first member */
}

static struct request *request_new(struct peer *peer, const char *method)
{
    struct request *request = mem_new(sizeof *request);
    request->peer = peer;
    request->open = (struct httpd_request){.method = method, .body = ""};
    buf_init(&request->body, peer->httpd->options.body_max);
    buf_init(&request->unsent, SIZE_MAX / 2); /* bounded by each send */
    peer->request = request;
    return request;
}

static enum MHD_Result add_header(void *head, enum MHD_ValueKind kind,
                                  const char *name, const char *value)
{
    (void)kind;
    head_add(head, (struct head_text){name, strlen(name)},
             (struct head_text){value, value == NULL ? 0 : strlen(value)});
    return MHD_YES;
}

static void refuse(struct request *request, enum rc rc, const char *reason)
{
    struct buf body;
    request->peer->httpd->refused++;
    struct refusal refusal = {
        .rc = rc, .detail = reason, .path = request->open.path};
    refusal.json = refusal_in_json(request->open.path,
                                   httpd_header(&request->open, "Accept"));
    buf_init(&body, LIMIT_BODY);
    const char *type = refusal_write(&refusal, &body);
    request_answer(request, rc_status(rc), type,
                   MHD_create_response_from_buffer(body.len, body.data,
                                                   MHD_RESPMEM_MUST_COPY),
                   NULL);
    buf_free(&body);
}

static void explain_size(const struct request *request, char ret[SIZE_WORDS])
{
    snprintf(ret, SIZE_WORDS, "a body of at most %zu bytes is taken",
             request->body.max);
}

/* OPTIONS * asks about the server, not about a path. */
static void answer_options(struct request *request)
{
    static const char *const headers[] = {"Allow", ALLOW, NULL};
    request_answer(
        request, MHD_HTTP_NO_CONTENT, NULL,
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT),
        headers);
}

/* Answers what no handler is to see. Sets the path and the body's limit. */
static void check_head(struct request *request, const struct head *head)
{
    const struct httpd_options *options = &request->peer->httpd->options;
    const char *target = request->peer->target;
    char *path = mem_new(strlen(target) + 2);
    char why[SIZE_WORDS];
    request->open.path = path;
    const char *fault = target_path(target, path);
    if (fault != NULL)
        refuse(request, RC_INVALID, fault);
    else if (head->rc != RC_OK)
        refuse(request, head->rc, head->why);
    else if (strcmp(request->open.method, "OPTIONS") == 0 &&
             strcmp(path, "*") == 0)
        answer_options(request);
    else if (options->limit != NULL)
        request->body.max = options->limit(options->ctx, &request->open);
    if (request->answered || head->length <= request->body.max)
        return;
    explain_size(request, why);
    refuse(request, RC_TOO_LARGE, why);
}

static enum MHD_Result request_queue(struct request *request)
{
    enum MHD_Result ok =
        MHD_queue_response(request->peer->connection, (unsigned)request->status,
                           request->response);
    MHD_destroy_response(request->response);
    request->response = NULL;
    return ok;
}

void request_look(const char *bytes, size_t n, size_t len, struct head *ret)
{
    head_read(bytes, len, ret);
    const char *fault = ret->chunked && ret->rc == RC_OK
                            ? chunks_fault(bytes + len, n - len)
                            : NULL;
    if (fault == NULL)
        return;
    ret->rc = RC_INVALID;
    snprintf(ret->why, sizeof ret->why, "%s", fault);
}

static enum MHD_Result request_begin(struct request *request,
                                     const char *version)
{
    struct peer *peer = request->peer;
    struct head head = {.old = strcmp(version, MHD_HTTP_VERSION_1_0) == 0};
    MHD_get_connection_values(peer->connection, MHD_HEADER_KIND, add_header,
                              &head);
    head_finish(&head);
    request_origin(request);
    check_head(request, &head);
    request->chunked = head.chunked;
    if (!request->answered)
        return MHD_YES;
    peer->linger = head.has_length || head.encodings > 0;
    peer->deadline_ms = 0;
    return request_queue(request);
}

/* A body in chunks shows only now that it is too large. What libmicrohttpd
 * would say at its end is said at once, and the connection ends. */
static enum MHD_Result request_overflow(struct request *request)
{
    char why[SIZE_WORDS];
    explain_size(request, why);
    peer_refuse(request->peer, RC_TOO_LARGE, why);
    return MHD_NO;
}

static enum MHD_Result request_read(struct request *request, const char *data,
                                    size_t *len)
{
    size_t n = *len;
    *len = 0; /* all of it is taken */
    request->peer->deadline_ms += (int64_t)(n * 1000 / LIMIT_BODY_PACE);
    return buf_add(&request->body, data, n) ? MHD_YES
                                            : request_overflow(request);
}

static void request_handle(struct request *request)
{
    struct httpd *httpd = request->peer->httpd;
    request->handled = true;
    request->open.body = buf_text(&request->body);
    request->open.body_len = request->body.len;
    httpd->open_requests++;
    httpd->options.handle(httpd->options.ctx, &request->open);
}

static enum MHD_Result request_suspend(struct request *request)
{
    request->suspended = true;
    MHD_suspend_connection(request->peer->connection);
    return MHD_YES;
}

/* Tells whether its body is large and others come first; it is queued then. */
static bool request_waits(struct request *request)
{
    struct httpd *httpd = request->peer->httpd;
    if (request->body.len <= LIMIT_BODY_QUICK || request->due)
        return false;
    request->queued = httpd->had_large;
    httpd->had_large = true;
    if (request->queued)
        DL_APPEND(httpd->large, request);
    return request->queued;
}

static void request_unqueue(struct request *request)
{
    DL_DELETE(request->peer->httpd->large, request);
    request->queued = false;
}

void request_turn(struct httpd *httpd)
{
    struct request *request = httpd->large;
    httpd->had_large = request != NULL;
    if (request == NULL)
        return;
    request_unqueue(request);
    request->due = true;
    request_wake(request);
}

static enum MHD_Result request_finish(struct request *request)
{
    request->peer->deadline_ms = 0;
    request->chunked = false;
    if (request->queued) /* woken, as its client is gone */
        return MHD_NO;
    if (!request->handled && request_waits(request))
        return request_suspend(request);
    if (!request->handled)
        request_handle(request);
    if (request->peer->gone)
        return MHD_NO;
    return request->answered ? request_queue(request)
                             : request_suspend(request);
}

/* NOLINTNEXTLINE(readability-function-size): the library's parameters */
enum MHD_Result request_step(void *httpd, struct MHD_Connection *connection,
                             const char *url, const char *method,
                             const char *version, const char *data,
                             size_t *data_len, void **context)
{
    (void)httpd;
    (void)url;
    if (*context == NULL) {
        struct request *request = request_new(peer_of(connection), method);
        *context = request;
        return request_begin(request, version);
    }
    return *data_len > 0 ? request_read(*context, data, data_len)
                         : request_finish(*context);
}

static void request_free(struct request *request)
{
    if (request->queued)
        request_unqueue(request);
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    mem_free((char *)(uintptr_t)request->open.path);
    buf_free(&request->body);
    buf_free(&request->unsent);
    header_forget(request);
    mem_free(request);
}

void request_done(void *httpd, struct MHD_Connection *connection,
                  void **context, enum MHD_RequestTerminationCode code)
{
    const struct httpd_options *options = &((struct httpd *)httpd)->options;
    struct request *request = *context;
    (void)connection;
    if (request == NULL)
        return;
    if (request->handled) {
        ((struct httpd *)httpd)->open_requests--;
        if (options->ended != NULL)
            options->ended(options->ctx, &request->open,
                           code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    }
    struct peer *peer = request->peer;
    request_free(request);
    *context = NULL;
    peer_rest(peer);
}

void request_wake(struct request *request)
{
    if (!request->suspended)
        return;
    request->suspended = false;
    request->peer->httpd->busy = true;
    MHD_resume_connection(request->peer->connection);
}

void request_answer(struct request *request, int status, const char *type,
                    struct MHD_Response *response, const char *const *headers)
{
    assert(!request->answered && response != NULL);
    if (type != NULL)
        MHD_add_response_header(response, "Content-Type", type);
    for (; headers != NULL && headers[0] != NULL; headers += 2)
        MHD_add_response_header(response, headers[0], headers[1]);
    request->status = status;
    request->response = response;
    request->answered = true;
    request_wake(request);
}

const char *httpd_header(const struct httpd_request *request, const char *name)
{
    return header_find((struct request *)(uintptr_t)request, name);
}

const char *httpd_query(const struct httpd_request *request, const char *name)
{
    const struct request *r = (const struct request *)request;
    const char *value = NULL;
    size_t len;
    enum MHD_Result found = MHD_lookup_connection_value_n(
        r->peer->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value,
        &len);
    return found == MHD_YES && value == NULL ? "" : value;
}

void httpd_reply(struct httpd_request *request,
                 const struct httpd_answer *answer)
{
    /* The library copies, though its parameter is not const. */
    void *body = (void *)(uintptr_t)answer->body;
    request_answer(request_from(request), answer->status, answer->type,
                   MHD_create_response_from_buffer(answer->len, body,
                                                   MHD_RESPMEM_MUST_COPY),
                   answer->headers);
}

void httpd_file(struct httpd_request *request, const char *type, int fd,
                uint64_t size, const char *const *headers)
{
    request_answer(request_from(request), MHD_HTTP_OK, type,
                   MHD_create_response_from_fd64(size, fd), headers);
}

void httpd_part(struct httpd_request *request, const char *type, int fd,
                uint64_t offset, uint64_t n, const char *const *headers)
{
    request_answer(request_from(request), MHD_HTTP_PARTIAL_CONTENT, type,
                   MHD_create_response_from_fd_at_offset64(n, fd, offset),
                   headers);
}
