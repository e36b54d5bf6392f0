/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a job: their states, their facts, retry and cancel, pictures, and
 * why they fail. What the core does not hold (files, seconds) is read through
 * the ledger's thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/files/picture_file.h"
#include "broker/people/headers.h"
#include "broker/people/reply.h"
#include "broker/people/routes/artifacts.h"
#include "broker/people/routes/frame_list.h"
#include "broker/people/routes/routes.h"
#include "broker/views/view.h"

static void get_frames(struct call *call)
{
    const char *view = call_query(call, "view");
    const struct job *job = call_job(call);
    if (!job)
        return;
    if (!view || strcmp(view, "list") == 0)
        frame_list_begin(call, job);
    else if (strcmp(view, "states") == 0)
        reply_json(call, 200, view_states(job));
    else
        reply_problem(call, RC_INVALID,
                      "parameter `view`: must be list or states");
}

int32_t frame_ordinal(struct call *call, const struct job *job)
{
    const char *text = call->params.at[1];
    char *end;
    long number = strtol(text, &end, 10);
    bool whole = *text >= '0' && *text <= '9' && *end == '\0';
    int32_t ordinal = -1;
    if (whole && number <= LIMIT_FRAME_MAX)
        ordinal = frames_ordinal(&job->frames, (int32_t)number);
    if (ordinal < 0)
        reply_problem(call, RC_NOT_FOUND, "the job has no frame %s", text);
    return ordinal;
}

static void read_frame(struct call *call, store_frames_done *done)
{
    const struct job *job = call_job(call);
    int32_t ordinal = job ? frame_ordinal(call, job) : -1;
    if (ordinal < 0)
        return;
    const struct call_reading reading = {job->id, {ordinal, ordinal + 1}, done};
    call_read(call, &reading, NULL, NULL);
}

static void show_frame(void *ctx, const struct frame_fact *facts, size_t n)
{
    struct call *call = ctx;
    call_unpark(call);
    const struct job *job = call_job(call);
    int32_t ordinal = job ? frame_ordinal(call, job) : -1;
    if (ordinal >= 0)
        reply_json(call, 200, view_frame(job, ordinal, n > 0 ? facts : NULL));
}

static void get_frame(struct call *call)
{
    read_frame(call, show_frame);
}

/* Has the agent that rendered it send it, where it is there. */
static void ask_for(struct call *call, const struct picture_file *file,
                    const struct frame_fact *fact)
{
    char why[LIMIT_REASON];
    const struct job *job = call_job(call);
    if (!job)
        return;
    struct cmd cmd = {.type = CMD_ASK,
                      .agent = fact->agent,
                      .job = job->id,
                      .lease = fact->lease,
                      .number = frames_number(&job->frames, fact->ordinal),
                      .text = file->path,
                      .sha256 = file->sha256};
    bool known =
        call->http->blobs && blob_is_name(file->sha256) && fact->lease != 0;
    const char *gone = gone_find(&call->http->gone, file->sha256,
                                 broker_now(call->http->broker));
    if (gone)
        reply_problem(call, RC_GONE,
                      "the picture at %s of agent %s is not there any more: "
                      "%s; a retry of the frame makes a new one",
                      file->path, fact->agent, gone);
    else if (known && call_do(call, &cmd, why) == RC_OK)
        reply_problem(call, RC_BUSY,
                      "agent %s has been asked to send the picture; ask again",
                      fact->agent);
    else
        reply_problem(call, RC_NOT_FOUND,
                      "the broker cannot read the picture at %s, and agent %s "
                      "is not there to send it",
                      file->path, fact->agent);
}

static void send_file(struct call *call, const struct picture_file *file,
                      const struct frame_fact *fact)
{
    uint64_t size;
    char tag[LIMIT_REASON];
    snprintf(tag, sizeof tag, "\"%.64s\"", file->sha256);
    bool tagged = *file->sha256;
    if (tagged &&
        headers_has_tag(call_header(call, "If-None-Match"), file->sha256)) {
        reply_header(call, "ETag", "%s", tag);
        reply_empty(call, 304);
        return;
    }
    int fd = picture_file_open(file, &size);
    if (fd < 0 && call->http->blobs && blob_is_name(file->sha256))
        fd = blobs_open_file(call->http->blobs, file->sha256, &size);
    if (fd < 0 && call->http->blobs && blob_is_name(file->sha256) &&
        blob_stored_reply(call, file->sha256, picture_file_type(file->path)))
        return;
    if (fd < 0)
        ask_for(call, file, fact);
    else
        reply_file(call, picture_file_type(file->path), fd, size,
                   tagged ? tag : NULL);
}

/* The first of a frame's pictures, or that of ?file=N. */
static void show_image(void *ctx, const struct frame_fact *facts, size_t n)
{
    static const struct field_bounds bounds = {0, LIMIT_FRAME_FILES - 1};
    struct call *call = ctx;
    struct picture_file file;
    int64_t index = 0;
    call_unpark(call);
    if (!call_number(call, "file", bounds, &index))
        return;
    json_t *files = n > 0 ? json_loads(facts->files, 0, NULL) : NULL;
    if (picture_file_read(json_array_get(files, (size_t)index), &file))
        send_file(call, &file, facts);
    else
        reply_problem(call, RC_NOT_FOUND, "no picture of this frame is known");
    json_decref(files);
}

static void get_image(struct call *call)
{
    read_frame(call, show_image);
}

/* What the ledger's disk has to do with it stands in /v1/farm. */
static void explain_job(struct call *call)
{
    const struct job *job = call_job(call);
    if (job)
        reply_json(call, 200, view_explain(call_core(call), job));
}

static void explain_frame(struct call *call)
{
    const struct job *job = call_job(call);
    int32_t ordinal = job ? frame_ordinal(call, job) : -1;
    if (ordinal >= 0)
        reply_json(call, 200,
                   view_explain_frame(call_core(call), job, ordinal));
}

static const size_t frames_max = LIMIT_FRAMES_TEXT, agent_max = LIMIT_AGENT;
static const char *const retry_states[] = {"failed", NULL};

static const struct field retry_fields[] = {
    {"frames", field_text, &frames_max},
    {"state", field_choice, retry_states},
    {"avoid", field_text, &agent_max},
    {NULL, NULL, NULL},
};

static const struct field cancel_fields[] = {
    {"frames", field_text, &frames_max},
    {"reason", call_field_reason, NULL},
    {NULL, NULL, NULL},
};

static const char *body_text(const json_t *body, const char *name)
{
    const char *text = json_string_value(json_object_get(body, name));
    return text ? text : "";
}

/* Reads the body's frames; or answers 400, false. */
static bool body_frames(struct call *call, const json_t *body,
                        struct frames *ret)
{
    char why[LIMIT_REASON];
    const char *text = json_string_value(json_object_get(body, "frames"));
    if (!text) {
        reply_problem(call, RC_INVALID, "field `frames`: missing");
        return false;
    }
    if (frames_parse(text, ret, why, sizeof why))
        return true;
    reply_problem(call, RC_INVALID, "field `frames`: %s", why);
    return false;
}

static void command_job(struct call *call, const struct cmd *cmd)
{
    if (call_command(call, cmd))
        reply_job(call, job_find(call_core(call), cmd->job));
}

/* By {"frames"}, or all failed ones by {"state":"failed"}. */
static void retry_chosen(struct call *call, const json_t *body)
{
    struct frames frames = {0};
    struct cmd cmd = {.type = CMD_RETRY,
                      .job = call->params.at[0],
                      .text = body_text(body, "avoid")};
    bool failed = json_object_get(body, "state") != NULL;
    if (failed && json_object_get(body, "frames")) {
        reply_problem(call, RC_INVALID,
                      "field `state`: must not stand beside `frames`");
        return;
    }
    if (failed) {
        command_job(call, &cmd);
    } else if (body_frames(call, body, &frames)) {
        cmd.frames = &frames;
        command_job(call, &cmd);
        frames_free(&frames);
    }
}

static void retry_frames(struct call *call)
{
    json_t *body = call_body(call, retry_fields, false);
    if (!body)
        return;
    if (call_job(call))
        retry_chosen(call, body);
    json_decref(body);
}

static void cancel_chosen(struct call *call, const json_t *body)
{
    struct frames frames = {0};
    struct cmd cmd = {.type = CMD_CANCEL,
                      .job = call->params.at[0],
                      .frames = &frames,
                      .text = body_text(body, "reason")};
    if (!body_frames(call, body, &frames))
        return;
    command_job(call, &cmd);
    frames_free(&frames);
}

static void cancel_frames(struct call *call)
{
    json_t *body = call_body(call, cancel_fields, false);
    if (!body)
        return;
    if (call_job(call))
        cancel_chosen(call, body);
    json_decref(body);
}

static void get_failures(struct call *call)
{
    const struct job *job = call_job(call);
    if (job)
        reply_json(call, 200, view_failures(job));
}

const struct route routes_frames[] = {
    {"GET", "/v1/jobs/{}/frames", get_frames, TOKEN_READ},
    {"GET", "/v1/jobs/{}/frames/{}", get_frame, TOKEN_READ},
    {"GET", "/v1/jobs/{}/frames/{}/image", get_image, TOKEN_READ},
    {"POST", "/v1/jobs/{}/frames:retry", retry_frames, TOKEN_SUBMIT},
    {"POST", "/v1/jobs/{}/frames:cancel", cancel_frames, TOKEN_SUBMIT},
    {"GET", "/v1/jobs/{}/failures", get_failures, TOKEN_READ},
    {"GET", "/v1/jobs/{}/explain", explain_job, TOKEN_READ},
    {"GET", "/v1/jobs/{}/frames/{}/explain", explain_frame, TOKEN_READ},
    {0},
};
