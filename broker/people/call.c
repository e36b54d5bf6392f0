/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a call, and what handlers ask of it. Decides no answer but
 * refusals of what does not parse.
 */
#include "broker/people/call.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "broker/people/reply.h"
#include "common/http/negotiate.h"
#include "common/http/refusal.h"
#include "common/mem.h"

struct call *call_new(struct http *http, struct httpd_request *in)
{
    struct call *call = mem_new(sizeof *call);
    call->http = http;
    call->in = in;
    call->began_ms = broker_now(http->broker);
    call->ends_ms = INT64_MAX;
    buf_init(&call->answer.body, LIMIT_ANSWER);
    in->user = call;
    DL_APPEND(http->calls, call);
    http->n_open++;
    return call;
}

static void answer_free(struct answer *answer)
{
    for (int i = 0; i < answer->n; i++)
        mem_free(answer->headers[i].value);
    buf_free(&answer->body);
}

void call_gone(struct call *call)
{
    struct http *http = call->http;
    if (call->stage == CALL_GATED)
        broker_unanswer(http->broker, call);
    if (call->leave)
        call->leave(call);
    if (call->drop)
        call->drop(call->work);
    if (call->stage == CALL_OPEN || call->stage == CALL_GATED)
        http->n_open--;
    DL_DELETE(http->calls, call);
    call->in->user = NULL;
    answer_free(&call->answer);
    mem_free(call->body);
    mem_free(call);
}

void call_park(struct call *call, void *work, void (*leave)(struct call *call),
               void (*drop)(void *work))
{
    assert(!call->leave && !call->drop);
    call->work = work;
    call->leave = leave;
    call->drop = drop;
}

void *call_unpark(struct call *call)
{
    void *work = call->work;
    call->work = NULL;
    call->leave = NULL;
    call->drop = NULL;
    return work;
}

const char *call_who(const struct call *call)
{
    const char *user = call_header(call, "Frameq-User");
    if (call->token)
        return call->token->user;
    return user && *user && strlen(user) <= LIMIT_NAME ? user : call->in->peer;
}

const struct core *call_core(struct call *call)
{
    call->shows = true;
    return broker_core(call->http->broker);
}

enum rc call_do(struct call *call, const struct cmd *cmd, char *why)
{
    struct cmd asked = *cmd;
    asked.who = call_who(call);
    call->shows = true;
    *why = '\0';
    return broker_do(call->http->broker, &asked, why, LIMIT_REASON);
}

bool call_command(struct call *call, const struct cmd *cmd)
{
    char why[LIMIT_REASON];
    enum rc rc = call_do(call, cmd, why);
    if (rc != RC_OK)
        reply_problem(call, rc, "%s", why);
    return rc == RC_OK;
}

const struct job *call_job(struct call *call)
{
    const struct job *job = job_find(call_core(call), call->params.at[0]);
    if (!job)
        reply_problem(call, RC_NOT_FOUND, "Job not found");
    return job;
}

const char *call_header(const struct call *call, const char *name)
{
    return httpd_header(call->in, name);
}

const char *call_query(const struct call *call, const char *name)
{
    return httpd_query(call->in, name);
}

/* Reads a whole number within bounds. */
static bool read_number(const char *text, struct field_bounds b, int64_t *ret)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool whole = *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
    if (!whole || value < b.low || value > b.high)
        return false;
    *ret = value;
    return true;
}

bool call_cursor(struct call *call, int64_t *ret)
{
    static const struct field_bounds bounds = {1, INT64_MAX};
    const char *text = call_query(call, "cursor");
    if (!text || read_number(text, bounds, ret))
        return true;
    reply_problem(call, RC_INVALID,
                  "parameter `cursor`: must be the `next` of the page before");
    return false;
}

bool call_number(struct call *call, const char *name, struct field_bounds b,
                 int64_t *ret)
{
    const char *text = call_query(call, name);
    if (!text)
        return true;
    if (!read_number(text, b, ret)) {
        reply_problem(call, RC_INVALID,
                      "parameter `%s`: must be a whole number from "
                      "%" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT,
                      name, b.low, b.high);
        return false;
    }
    return true;
}

bool call_takes_json(struct call *call)
{
    const char *type = call_header(call, "Content-Type");
    if (content_is_json(type, call_header(call, "Origin") != NULL))
        return true;
    reply_problem(call, RC_MEDIA_TYPE,
                  "send the body as Content-Type: application/json");
    return false;
}

json_t *call_body(struct call *call, const struct field *fields, bool empty)
{
    const struct field *const tables[] = {fields, NULL};
    char why[LIMIT_REASON];
    if (empty && call->in->body_len == 0)
        return json_object();
    if (!call_takes_json(call))
        return NULL;
    json_t *body =
        fields_parse(call->in->body, call->in->body_len, why, sizeof why);
    if (body && fields_check(body, tables, why, sizeof why))
        return body;
    json_decref(body);
    reply_problem(call, RC_INVALID, "%s", why);
    return NULL;
}

bool call_field_reason(const json_t *v, const void *unused, char *why,
                       size_t size)
{
    static const size_t most = LIMIT_REASON - 1;
    (void)unused;
    if (json_is_string(v) && json_string_length(v) == 0)
        return true;
    return field_text(v, &most, why, size);
}

bool call_wants_json(const struct call *call)
{
    return refusal_in_json(call->in->path, call_header(call, "Accept"));
}

static void leave_reading(struct call *call)
{
    store_forget(broker_store(call->http->broker), call);
}

void call_read(struct call *call, const struct call_reading *reading,
               void *work, void (*drop)(void *work))
{
    struct range ordinals = reading->ordinals;
    call_park(call, work, leave_reading, drop);
    store_frames(broker_store(call->http->broker), reading->job, ordinals,
                 (size_t)(ordinals.hi - ordinals.lo), reading->done, call);
}
