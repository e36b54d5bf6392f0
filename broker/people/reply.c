/* SPDX-License-Identifier: Apache-2.0
 *
 * Every answer leaves through answer_send: at once, or from the commit gate.
 * A broken ledger closes the gate; what would wait there is told so.
 */
#include "broker/people/reply.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/people/headers.h"
#include "broker/views/view.h"
#include "common/http/refusal.h"
#include "common/mem.h"

/* What every way out does. */
static void note_sent(struct call *call, int status)
{
    struct http *http = call->http;
    call->stage = CALL_SENT;
    http->n_open--;
    http->stirred = true;
    meter_request(&http->meter, call->route, status,
                  broker_now(http->broker) - call->began_ms);
}

static void answer_send(void *ctx)
{
    struct call *call = ctx;
    struct answer *answer = &call->answer;
    _Static_assert(sizeof((struct httpd_answer){0}.headers) / sizeof(char *) >
                       2 * (size_t)ANSWER_HEADERS,
                   "a call may have more headers than an answer");
    struct httpd_answer out = {.status = answer->status,
                               .type = answer->type,
                               .body = buf_text(&answer->body),
                               .len = answer->body.len};
    for (int i = 0; i < answer->n; i++) {
        out.headers[2 * i] = answer->headers[i].name;
        out.headers[2 * i + 1] = answer->headers[i].value;
    }
    note_sent(call, answer->status);
    httpd_reply(call->in, &out);
}

void reply_header(struct call *call, const char *name, const char *format, ...)
{
    struct answer *answer = &call->answer;
    char value[LIMIT_REASON];
    va_list args;
    assert(answer->n < ANSWER_HEADERS);
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    answer->headers[answer->n].name = name;
    answer->headers[answer->n++].value = mem_text(value);
}

static bool ledger_is_broken(const struct call *call)
{
    const char *reason;
    struct store *store = broker_store(call->http->broker);
    return store_health(store, &reason) == STORE_BROKEN;
}

/* The body is written; out it goes. */
static void answer_finish(struct call *call, int status, const char *type)
{
    call->answer.status = status;
    call->answer.type = type;
    reply_header(call, "X-Content-Type-Options", "nosniff");
    if (!call->shows) {
        answer_send(call);
    } else if (ledger_is_broken(call)) {
        reply_broken(call);
    } else {
        call->stage = CALL_GATED;
        broker_answer(call->http->broker, answer_send, NULL, call);
    }
}

void reply_json(struct call *call, int status, json_t *json)
{
    bool fits = view_write(json, &call->answer.body);
    json_decref(json);
    if (fits)
        answer_finish(call, status, TYPE_JSON);
    else
        reply_problem(call, RC_TOO_LARGE, "the answer passes %d bytes",
                      LIMIT_ANSWER);
}

char *reply_tag(const struct core *core, const struct job *job,
                char ret[REPLY_TAG_SIZE])
{
    snprintf(ret, REPLY_TAG_SIZE, "%" PRIu64 "-%" PRIu64, core->epoch,
             job->revision);
    return ret;
}

void reply_job(struct call *call, const struct job *job)
{
    char tag[REPLY_TAG_SIZE];
    const struct core *core = call_core(call);
    reply_header(call, "ETag", "\"%s\"", reply_tag(core, job, tag));
    reply_json(call, 200, view_job(core, job));
}

void reply_text(struct call *call, int status, const char *text)
{
    buf_add(&call->answer.body, text, strlen(text));
    answer_finish(call, status, TYPE_TEXT);
}

void reply_bytes(struct call *call, const char *type, const void *bytes,
                 size_t n)
{
    buf_add(&call->answer.body, bytes, n);
    answer_finish(call, 200, type);
}

void reply_empty(struct call *call, int status)
{
    answer_finish(call, status, NULL);
}

void reply_file(struct call *call, const char *type, int fd, uint64_t size,
                const char *tag)
{
    const char *const headers[] = {"X-Content-Type-Options", "nosniff",
                                   tag ? "ETag" : NULL, tag, NULL};
    note_sent(call, 200);
    httpd_file(call->in, type, fd, size, headers);
}

static void answer_reset(struct answer *answer)
{
    while (answer->n > 0)
        mem_free(answer->headers[--answer->n].value);
    buf_clear(&answer->body);
}

/* Writes the body; returns its type. */
static const char *write_refusal(struct call *call, enum rc rc,
                                 const char *detail)
{
    answer_reset(&call->answer);
    const struct refusal refusal = {.rc = rc,
                                    .detail = detail,
                                    .path = call->in->path,
                                    .json = call_wants_json(call)};
    if (!refusal_in_json(call->in->path, NULL))
        reply_header(call, "Vary", "Accept");
    return refusal_write(&refusal, &call->answer.body);
}

static void send_part(struct call *call, const char *type, int fd,
                      const struct headers_part *part, uint64_t size,
                      const char *tag)
{
    char which[96];
    const char *const headers[] = {"X-Content-Type-Options",
                                   "nosniff",
                                   "Content-Range",
                                   which,
                                   "ETag",
                                   tag,
                                   NULL};
    snprintf(which, sizeof which, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
             part->offset, part->offset + part->n - 1, size);
    note_sent(call, 206);
    httpd_part(call->in, type, fd, part->offset, part->n, headers);
}

static void refuse_part(struct call *call, uint64_t size)
{
    char detail[64];
    snprintf(detail, sizeof detail, "the file has %" PRIu64 " bytes", size);
    const char *type = write_refusal(call, RC_RANGE, detail);
    reply_header(call, "Content-Range", "bytes */%" PRIu64, size);
    answer_finish(call, rc_status(RC_RANGE), type);
}

/* Whether If-None-Match names tag, which has its quotes. */
static bool client_has(const struct call *call, const char *tag)
{
    char bare[LIMIT_REASON];
    snprintf(bare, sizeof bare, "%.*s", (int)strlen(tag) - 2, tag + 1);
    return headers_has_tag(call_header(call, "If-None-Match"), bare);
}

/* Of a file that is another one than the client has the rest is of no use. */
static const char *range_wanted(const struct call *call, const char *tag)
{
    const char *if_range = call_header(call, "If-Range");
    bool same = !if_range || strcmp(if_range, tag) == 0;
    bool get = strcmp(call->in->method, "GET") == 0;
    return same && get ? call_header(call, "Range") : NULL;
}

void reply_ranged(struct call *call, const char *type, int fd, uint64_t size,
                  const char *tag)
{
    struct headers_part part;
    if (client_has(call, tag)) {
        close(fd);
        reply_header(call, "ETag", "%s", tag);
        reply_empty(call, 304);
    } else if (!headers_range(range_wanted(call, tag), size, &part)) {
        reply_file(call, type, fd, size, tag);
    } else if (part.n > 0) {
        send_part(call, type, fd, &part, size, tag);
    } else {
        close(fd);
        refuse_part(call, size);
    }
}

void reply_problem(struct call *call, enum rc rc, const char *format, ...)
{
    char detail[2 * LIMIT_REASON];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    const char *type = write_refusal(call, rc, detail);
    if (rc == RC_BUSY || rc == RC_TOO_MANY)
        reply_header(call, "Retry-After", "%d", REPLY_RETRY_S);
    if (rc == RC_UNAUTHORIZED)
        reply_header(call, "WWW-Authenticate", "Bearer realm=\"frameq\"");
    answer_finish(call, rc_status(rc), type);
}

void reply_unknown_job(struct call *call)
{
    if (call_wants_json(call)) {
        reply_problem(call, RC_NOT_FOUND, "Job not found");
        return;
    }
    reply_header(call, "Vary", "Accept");
    reply_text(call, 404, "Job not found");
}

void reply_upload(struct call *call, enum rc rc, uint64_t offset,
                  const char *detail)
{
    const char *type = write_refusal(call, rc, detail);
    reply_header(call, "Upload-Offset", "%" PRIu64, offset);
    answer_finish(call, rc_status(rc), type);
}

void reply_upload_store(struct call *call, const char *store,
                        const char *detail)
{
    const char *type = write_refusal(call, RC_NOT_FOUND, detail);
    reply_header(call, "Upload-Offset", "0");
    reply_header(call, "Upload-Store", "%s", store);
    answer_finish(call, rc_status(RC_NOT_FOUND), type);
}

void reply_method(struct call *call, const char *allow)
{
    char detail[LIMIT_REASON];
    snprintf(detail, sizeof detail, "this path takes %s", allow);
    const char *type = write_refusal(call, RC_METHOD, detail);
    reply_header(call, "Allow", "%s", allow);
    answer_finish(call, rc_status(RC_METHOD), type);
}

void reply_broken(struct call *call)
{
    call->stage = CALL_OPEN;
    call->shows = false;
    reply_problem(call, RC_BUSY,
                  "the ledger is broken; nothing can be promised");
}
