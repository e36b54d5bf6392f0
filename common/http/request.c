/* SPDX-License-Identifier: Apache-2.0
 *
 * One request: headers checked, body gathered, handler called, answer queued.
 * libmicrohttpd calls request_step when the headers are in, for each piece of
 * the body, when all is in, and again after each suspension.
 */
#include "common/http/httpd_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/rc.h"

#define ALLOW "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
#define PLAIN "text/plain; charset=utf-8"

static struct request *request_from(struct httpd_request *open)
{
    return (struct request *)open; /* its first member */
}

static const char *known_method(const char *method)
{
    static const char *const known[] = {"GET",   "HEAD",   "POST",   "PUT",
                                        "PATCH", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], method) == 0)
            return known[i];
    return NULL;
}

static struct request *request_new(struct peer *peer, const char *method)
{
    struct request *request = mem_new(sizeof *request);
    request->peer = peer;
    request->open = (struct httpd_request){
        .method = known_method(method), .body = "", .peer = peer->address};
    buf_init(&request->body, peer->httpd->options.body_max);
    buf_init(&request->unsent, SIZE_MAX / 2); /* bounded by each send */
    peer->request = request;
    return request;
}

/* How the headers of a request delimit its body. */
struct framing {
    int lengths; /* Content-Length headers */
    int chunked; /* Transfer-Encoding: chunked headers */
    int other;   /* Transfer-Encoding headers of another kind */
    const char *length;
};

static enum MHD_Result framing_add(void *framing, enum MHD_ValueKind kind,
                                   const char *name, const char *value)
{
    struct framing *f = framing;
    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        f->lengths++;
        f->length = value;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        bool chunked = value != NULL && strcasecmp(value, "chunked") == 0;
        *(chunked ? &f->chunked : &f->other) += 1;
    }
    return MHD_YES;
}

/* Two readings of where a body ends let one request hide in another. */
static const char *framing_fault(const struct framing *framing)
{
    if (framing->lengths > 0 && framing->chunked + framing->other > 0)
        return "both Content-Length and Transfer-Encoding";
    if (framing->lengths > 1)
        return "more than one Content-Length";
    if (framing->other > 0 || framing->chunked > 1)
        return "a Transfer-Encoding other than chunked";
    return NULL;
}

static void refuse(struct request *request, enum rc rc, const char *reason)
{
    static const char *const headers[] = {"Allow", ALLOW, NULL};
    char text[256];
    int n = snprintf(text, sizeof text, "%s: %s", rc_title(rc), reason);
    assert(n > 0 && (size_t)n < sizeof text);
    request_answer(
        request, rc_status(rc), PLAIN,
        MHD_create_response_from_buffer((size_t)n, text, MHD_RESPMEM_MUST_COPY),
        rc == RC_METHOD ? headers : NULL);
}

static void refuse_size(struct request *request)
{
    char reason[64];
    snprintf(reason, sizeof reason, "a body of at most %zu bytes is taken",
             request->body.max);
    refuse(request, RC_TOO_LARGE, reason);
}

/* Refuses what no handler is to see. Sets the path and the body's limit. */
static void check_headers(struct request *request,
                          const struct framing *framing)
{
    const struct httpd_options *options = &request->peer->httpd->options;
    const char *target = request->peer->target;
    char *path = mem_new(strlen(target) + 2);
    request->open.path = path;
    const char *fault = target_path(target, path);
    if (fault == NULL)
        fault = framing_fault(framing);
    if (fault != NULL)
        refuse(request, RC_INVALID, fault);
    else if (request->open.method == NULL)
        refuse(request, RC_METHOD, "this server takes " ALLOW);
    else if (options->limit != NULL)
        request->body.max = options->limit(options->ctx, &request->open);
    if (!request->answered && framing->length != NULL &&
        strtoull(framing->length, NULL, 10) > request->body.max)
        refuse_size(request);
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

static enum MHD_Result request_begin(struct request *request)
{
    struct peer *peer = request->peer;
    struct framing framing = {0};
    MHD_get_connection_values(peer->connection, MHD_HEADER_KIND, framing_add,
                              &framing);
    check_headers(request, &framing);
    if (!request->answered)
        return MHD_YES;
    peer->linger = framing.lengths + framing.chunked + framing.other > 0;
    peer->deadline_ms = 0;
    return request_queue(request);
}

/* Past its limit a body is read on for a while, so that the client comes to
 * reading the answer. */
static enum MHD_Result request_drop(struct request *request, size_t len)
{
    struct peer *peer = request->peer;
    if (request->dropped == 0) {
        peer->deadline_ms = peer->httpd->now_ms + LIMIT_DROP_MS;
        buf_clear(&request->body);
    }
    request->dropped += len;
    return request->dropped > LIMIT_BODY_DROPPED ? MHD_NO : MHD_YES;
}

static enum MHD_Result request_read(struct request *request, const char *data,
                                    size_t *len)
{
    size_t n = *len;
    *len = 0; /* all of it is taken */
    if (request->dropped == 0 && buf_add(&request->body, data, n))
        return MHD_YES;
    return request_drop(request, n);
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

static enum MHD_Result request_finish(struct request *request)
{
    request->peer->deadline_ms = 0;
    if (request->dropped > 0)
        refuse_size(request);
    else if (!request->handled)
        request_handle(request);
    if (request->peer->gone)
        return MHD_NO;
    if (request->answered)
        return request_queue(request);
    request->suspended = true;
    MHD_suspend_connection(request->peer->connection);
    return MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): the library's parameters */
enum MHD_Result request_step(void *httpd, struct MHD_Connection *connection,
                             const char *url, const char *method,
                             const char *version, const char *data,
                             size_t *data_len, void **context)
{
    (void)httpd;
    (void)url;
    (void)version;
    if (*context == NULL) {
        struct request *request = request_new(peer_of(connection), method);
        *context = request;
        return request_begin(request);
    }
    return *data_len > 0 ? request_read(*context, data, data_len)
                         : request_finish(*context);
}

static void request_free(struct request *request)
{
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    mem_free((char *)(uintptr_t)request->open.path);
    buf_free(&request->body);
    buf_free(&request->unsent);
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
    const struct request *r = (const struct request *)request;
    return MHD_lookup_connection_value(r->peer->connection, MHD_HEADER_KIND,
                                       name);
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
