/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/jobs: submit, find, wait for, change, cancel and forget jobs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/people/files.h"
#include "broker/people/headers.h"
#include "broker/people/reply.h"
#include "broker/people/routes/removal.h"
#include "broker/people/routes/routes.h"
#include "broker/people/submit.h"
#include "broker/people/wait.h"
#include "broker/views/view.h"

static const struct field_bounds priority_bounds = {0, 100};
static const struct field_bounds agents_bounds = {0, LIMIT_AGENTS};

static void make_job(struct call *call)
{
    const struct job *job = submit_job(call, false);
    if (!job)
        return;
    reply_header(call, "Location", "/v1/jobs/%s", job->id);
    reply_json(call, 202, view_job(call_core(call), job));
}

static void post_job(struct call *call)
{
    files_settle(call, make_job);
}

/* How long the client would wait for a change: Prefer: wait=30, or ?wait=30;
 * -1 not at all, -2 refused. */
static int64_t wait_wanted(struct call *call)
{
    static const struct field_bounds seconds = {0, 86400};
    int64_t wait = headers_wait_ms(call_header(call, "Prefer"));
    int64_t wait_s = -1;
    if (!call_number(call, "wait", seconds, &wait_s))
        return -2;
    if (wait_s >= 0)
        wait = wait_s * 1000;
    return wait < LIMIT_WAIT_MS ? wait : LIMIT_WAIT_MS;
}

/* Whether the client has the job as it is: If-None-Match, or ?after= with the
 * tag of what it saw last. */
static bool client_has(const struct call *call, const char *tag)
{
    const char *after = call_query(call, "after");
    return headers_has_tag(call_header(call, "If-None-Match"), tag) ||
           (after && strcmp(after, tag) == 0);
}

static bool client_names_tag(const struct call *call)
{
    return call_header(call, "If-None-Match") || call_query(call, "after");
}

static void reply_waited(struct call *call)
{
    char tag[REPLY_TAG_SIZE];
    const struct job *job = call_job(call);
    if (!job)
        return;
    int64_t wait_ms = headers_wait_ms(call_header(call, "Prefer"));
    if (wait_ms >= 0)
        reply_header(call, "Preference-Applied", "wait=%" PRId64,
                     wait_ms / 1000);
    reply_tag(call_core(call), job, tag);
    if (!headers_has_tag(call_header(call, "If-None-Match"), tag)) {
        reply_job(call, job);
        return;
    }
    reply_header(call, "ETag", "\"%s\"", tag);
    reply_empty(call, 304);
}

/* Waits where the client has seen the job as it is, or has seen nothing and the
 * job goes on: it asks for the next change. */
static void get_job(struct call *call)
{
    char tag[REPLY_TAG_SIZE];
    const struct job *job = call_job(call);
    if (!job)
        return;
    int64_t wait_ms = wait_wanted(call);
    if (wait_ms == -2)
        return;
    reply_tag(call_core(call), job, tag);
    bool seen =
        client_names_tag(call) ? client_has(call, tag) : !job_ended(job);
    if (wait_ms > 0 && seen && !call->http->draining)
        wait_begin(call, job, broker_now(call->http->broker) + wait_ms,
                   reply_waited);
    else
        reply_waited(call);
}

static const struct field patch_fields[] = {
    {"priority", field_integer, &priority_bounds},
    {"paused", field_bool, NULL},
    {"max_agents", field_integer, &agents_bounds},
    {NULL, NULL, NULL},
};

static struct cmd_patch read_patch(const json_t *body)
{
    const json_t *priority = json_object_get(body, "priority");
    const json_t *paused = json_object_get(body, "paused");
    const json_t *agents = json_object_get(body, "max_agents");
    return (struct cmd_patch){.has_priority = priority != NULL,
                              .has_paused = paused != NULL,
                              .has_max_agents = agents != NULL,
                              .priority = (int32_t)json_integer_value(priority),
                              .paused = json_is_true(paused),
                              .max_agents =
                                  (int32_t)json_integer_value(agents)};
}

/* Answers 412, false, when the client means an older state of the job. */
static bool if_match(struct call *call, const struct job *job)
{
    char tag[REPLY_TAG_SIZE];
    const char *wanted = call_header(call, "If-Match");
    reply_tag(call_core(call), job, tag);
    if (!wanted || headers_has_tag(wanted, tag))
        return true;
    reply_problem(call, RC_STALE, "the job has changed; its tag is now \"%s\"",
                  tag);
    return false;
}

static void patch_job(struct call *call)
{
    json_t *body = call_body(call, patch_fields, false);
    if (!body)
        return;
    bool nothing = json_object_size(body) == 0;
    struct cmd cmd = {.type = CMD_PATCH,
                      .job = call->params.at[0],
                      .patch = read_patch(body)};
    json_decref(body);
    if (nothing) {
        reply_problem(call, RC_INVALID, "give priority, paused or max_agents");
        return;
    }
    const struct job *job = call_job(call);
    if (job && if_match(call, job) && call_command(call, &cmd))
        reply_job(call, job);
}

static const struct field cancel_fields[] = {
    {"reason", call_field_reason, NULL},
    {NULL, NULL, NULL},
};

static void cancel_job(struct call *call)
{
    json_t *body = call_body(call, cancel_fields, true);
    if (!body)
        return;
    const char *reason = json_string_value(json_object_get(body, "reason"));
    struct cmd cmd = {.type = CMD_CANCEL,
                      .job = call->params.at[0],
                      .text = reason ? reason : ""};
    const struct job *job = call_job(call);
    if (job && if_match(call, job) && call_command(call, &cmd))
        reply_job(call, job);
    json_decref(body);
}

static void delete_job(struct call *call)
{
    const char *frames = call_query(call, "frames");
    struct cmd cmd = {.type = CMD_FORGET, .job = call->params.at[0]};
    if (frames && strcmp(frames, "delete") == 0)
        removal_begin(call);
    else if (frames && strcmp(frames, "keep") != 0)
        reply_problem(call, RC_INVALID,
                      "parameter `frames`: must be keep or delete");
    else if (call_command(call, &cmd))
        reply_empty(call, 204);
}

const struct route routes_jobs[] = {
    {"GET", "/v1/jobs/{}", get_job, TOKEN_READ},
    {"POST", "/v1/jobs", post_job, TOKEN_SUBMIT},
    {"PATCH", "/v1/jobs/{}", patch_job, TOKEN_SUBMIT},
    {"POST", "/v1/jobs/{}:cancel", cancel_job, TOKEN_SUBMIT},
    {"DELETE", "/v1/jobs/{}", delete_job, TOKEN_SUBMIT},
    {0},
};
