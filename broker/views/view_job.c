/* SPDX-License-Identifier: Apache-2.0
 *
 * The job document: what the core knows of a job, over the fields it was
 * submitted with, over their defaults.
 */
#include "broker/views/view.h"

#define FAILURES_SHOWN 20 /* frames named in a document or a status text */

json_t *view_counts(const struct job *job)
{
    json_t *counts = json_object();
    view_put(counts, "total", json_integer(job->frames.count));
    for (int i = 0; i < FRAME_STATES; i++)
        view_put(counts, frame_word((enum frame_state)i),
                 json_integer(job->in[i].count));
    return counts;
}

static json_t *view_job_seconds(const struct times *times)
{
    if (times->n == 0)
        return json_null();
    json_t *seconds = json_object();
    view_put(seconds, "p50", view_seconds(times_quantile(times, 0.5)));
    view_put(seconds, "max", view_seconds(times->max_ms));
    return seconds;
}

json_t *view_names(const struct agent_name *names)
{
    json_t *list = json_array();
    for (; names; names = names->next)
        json_array_append_new(list, json_string(names->name));
    return list;
}

static json_t *view_failed_frame(const struct job *job, int32_t ordinal)
{
    const struct attempt *attempt = job_attempt_find(job, ordinal);
    enum fault fault = attempt ? (enum fault)attempt->fault : job->fault;
    json_t *frame = json_object();
    view_put(frame, "frame",
             json_integer(frames_number(&job->frames, ordinal)));
    view_put(frame, "fault", json_string(fault_word(fault)));
    view_put(frame, "text",
             view_text_or_null(attempt ? attempt->text : job->reason));
    return frame;
}

static json_t *view_failed_frames(const struct job *job)
{
    const struct ranges *failed = &job->in[FRAME_FAILED];
    json_t *list = json_array();
    for (int32_t i = 0; i < failed->n; i++)
        for (int32_t at = failed->at[i].lo; at < failed->at[i].hi; at++) {
            if (json_array_size(list) == FAILURES_SHOWN)
                return list;
            json_array_append_new(list, view_failed_frame(job, at));
        }
    return list;
}

void view_failed_text(const struct job *job, struct buf *out)
{
    const struct ranges *failed = &job->in[FRAME_FAILED];
    buf_print(out, "%d of %d frames failed (", failed->count,
              job->frames.count);
    frames_list(&job->frames, failed, FAILURES_SHOWN, out);
    buf_print(out, ")");
}

static json_t *view_batch(int32_t batch)
{
    return batch > 0 ? json_integer(batch) : json_string("auto");
}

/* What the core may have changed or filled in since the submit. */
static void put_settings(const struct core *core, const struct job *job,
                         json_t *doc)
{
    int32_t batch = job->batch < 0 ? core->options.batch : job->batch;
    int32_t attempts =
        job->max_attempts > 0 ? job->max_attempts : core->options.max_attempts;
    view_put(doc, "frames", view_frames_text(&job->frames));
    view_put(doc, "priority", json_integer(job->priority));
    view_put(doc, "paused", json_boolean(job->paused));
    view_put(doc, "batch", view_batch(batch));
    view_put(doc, "max_attempts", json_integer(attempts));
    view_put(doc, "max_agents", json_integer(job->max_agents));
    if (job->not_before_ms != 0)
        view_put(doc, "not_before", view_time(job->not_before_ms));
}

static void put_progress(const struct core *core, const struct job *job,
                         json_t *doc)
{
    view_put(doc, "counts", view_counts(job));
    view_put(doc, "eta_seconds", view_job_eta(job));
    view_put(doc, "seconds", view_job_seconds(&job->times));
    view_put(doc, "blender_versions", view_names(job->blenders));
    view_put(doc, "blend_versions", view_names(job->versions));
    view_put(doc, "warnings", view_warnings(core, job));
    view_put(doc, "failures", view_failed_frames(job));
    view_put(doc, "reason", view_text_or_null(job->reason));
    view_put(doc, "created_at", view_time(job->created_ms));
    view_put(doc, "started_at", view_time(job->started_ms));
    view_put(doc, "ended_at", view_time(job->ended_ms));
    view_put(doc, "revision", json_integer((json_int_t)job->revision));
}

static void put_missing(json_t *doc, json_t *from)
{
    if (from)
        json_object_update_missing(doc, from);
    json_decref(from);
}

/* The trace its submit was part of: the second field of a traceparent. */
static json_t *view_trace(const struct job *job)
{
    return job->trace[0] ? json_stringn(job->trace + 3, 32) : json_null();
}

json_t *view_job(const struct core *core, const struct job *job)
{
    json_t *doc = json_object();
    const char *state = job_status_word(job_status(job));
    view_put(doc, "id", json_string(job->id));
    view_put(doc, "name", json_string(job->name));
    view_put(doc, "state", json_string(state));
    view_put(doc, "user", json_string(job->user));
    view_put(doc, "trace_id", view_trace(job));
    put_progress(core, job, doc);
    put_settings(core, job, doc);
    put_missing(doc, json_loads(job->doc, 0, NULL));
    put_missing(
        doc, json_pack("{s:s,s:s}", "missing_files", "fail", "scripts", "off"));
    return doc;
}
