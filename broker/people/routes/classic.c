/* SPDX-License-Identifier: Apache-2.0
 *
 * The routes of the small orchestrator that frameq replaces, byte for byte:
 * existing clients go on as they are. Text by default; JSON only where the
 * client prefers it.
 */
#include "broker/people/files.h"
#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"
#include "broker/people/submit.h"
#include "broker/views/view.h"
#include "common/http/negotiate.h"

static void make_job(struct call *call)
{
    const struct job *job = submit_job(call, true);
    if (!job)
        return;
    reply_header(call, "Location", "/status/%s", job->id);
    reply_json(call, 202, json_pack("{s:s}", "jobId", job->id));
}

static void post_render(struct call *call)
{
    files_settle(call, make_job);
}

static int status_code(enum job_status status)
{
    switch (status) {
    case JOB_COMPLETED:
        return 200;
    case JOB_FAILED:
    case JOB_CANCELLED:
        return 500;
    default:
        return 202;
    }
}

static void write_status(const struct job *job, struct buf *out)
{
    switch (job_status(job)) {
    case JOB_COMPLETED:
        buf_print(out, "Job completed");
        break;
    case JOB_FAILED:
        buf_print(out, "Job failed: ");
        view_failed_text(job, out);
        break;
    case JOB_CANCELLED:
        buf_print(out, "Job cancelled");
        break;
    default:
        buf_print(out, "Job still running");
    }
}

static void reply_status_text(struct call *call, const struct job *job,
                              int code)
{
    struct buf text;
    buf_init(&text, LIMIT_REASON);
    write_status(job, &text);
    reply_text(call, code, buf_text(&text));
    buf_free(&text);
}

static void get_status(struct call *call)
{
    const struct core *core = call_core(call);
    const struct job *job = job_find(core, call->params.at[0]);
    if (!job) {
        reply_unknown_job(call);
        return;
    }
    bool json = accept_json(call_header(call, "Accept"));
    int code = status_code(job_status(job));
    if (code == 202) {
        reply_header(call, "Location", "/status/%s", job->id);
        reply_header(call, "Retry-After", "%d", REPLY_RETRY_S);
    }
    reply_header(call, "Vary", "Accept");
    if (json)
        reply_json(call, code, view_job(core, job));
    else
        reply_status_text(call, job, code);
}

static void get_health(struct call *call)
{
    reply_text(call, 200, "OK");
}

const struct route routes_classic[] = {
    {"POST", "/render", post_render, TOKEN_SUBMIT},
    {"GET", "/status/{}", get_status, TOKEN_READ},
    {"GET", "/health", get_health, TOKEN_NONE},
    {0},
};
