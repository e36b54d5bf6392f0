/* SPDX-License-Identifier: Apache-2.0
 *
 * A job as JSON. What is not known yet is null, never left out.
 */
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/text.h"
#include "node/job.h"

static const char *const frame_words[] = {
    [FRAME_PENDING] = "pending", [FRAME_RENDERING] = "rendering",
    [FRAME_DONE] = "done",       [FRAME_FAILED] = "failed",
    [FRAME_STOPPED] = "stopped",
};

static const char *const job_words[] = {
    [JOB_RUNNING] = "running",
    [JOB_COMPLETED] = "completed",
    [JOB_FAILED] = "failed",
    [JOB_STOPPED] = "stopped",
};

static const char *const launch_words[] = {
    [LAUNCH_NONE] = NULL,
    [LAUNCH_COLD] = "cold",
    [LAUNCH_SPARE] = "spare",
    [LAUNCH_WARM] = "warm",
};

static void put(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value ? value : json_null());
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

/* The state of a frame that was never begun. */
static enum frame_state state_unbegun(const struct job *job, int32_t ordinal)
{
    if (ordinal >= job->end)
        return FRAME_STOPPED;
    if (job->state == JOB_FAILED && ordinal == job->begun &&
        job->done == job->begun)
        return FRAME_FAILED;
    return job->state == JOB_RUNNING ? FRAME_PENDING : FRAME_STOPPED;
}

static json_t *frame_json(const struct job *job, int32_t ordinal)
{
    json_t *object = json_object();
    const bool begun = ordinal < job->begun;
    const struct frame *frame = begun ? &job->at[ordinal] : NULL;
    const enum frame_state state =
        begun ? frame->state : state_unbegun(job, ordinal);
    put(object, "frame",
        json_integer(frames_number(&job->spec.frames, ordinal)));
    put(object, "state", json_string(frame_words[state]));
    put(object, "seconds",
        begun && frame->rendered ? json_real(frame->seconds) : NULL);
    put(object, "files",
        begun && frame->files ? json_incref(frame->files) : json_array());
    return object;
}

static json_t *frames_json(const struct job *job)
{
    json_t *array = json_array();
    int32_t first = 0;
    int32_t last = job->spec.frames.count;
    if (last > LIMIT_BATCH) {
        last = job->begun;
        first = last > LIMIT_BATCH ? last - LIMIT_BATCH : 0;
    }
    for (int32_t i = first; i < last; i++)
        json_array_append_new(array, frame_json(job, i));
    return array;
}

/* The tail of the log with whatever is no text shown as '?'. */
static json_t *log_json(const struct job *job)
{
    struct buf tail;
    struct buf text;
    buf_init(&tail, LIMIT_LOG_TAIL);
    buf_init(&text, 2 * LIMIT_LOG_TAIL);
    output_log(&job->output, LIMIT_LOG_TAIL, &tail);
    const char *at = buf_text(&tail);
    const char *end = at + tail.len;
    while (at < end) {
        char line[LIMIT_REASON];
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const size_t len = (size_t)((stop ? stop : end) - at);
        buf_print(&text, "%s%s", text_excerpt(at, len, line, sizeof line),
                  stop ? "\n" : "");
        at += len + 1;
    }
    json_t *value = json_stringn(buf_text(&text), text.len);
    buf_free(&tail);
    buf_free(&text);
    return value;
}

static json_t *current_json(const struct job *job)
{
    const int32_t ordinal = job_current(job);
    return ordinal < 0
               ? NULL
               : json_integer(frames_number(&job->spec.frames, ordinal));
}

json_t *job_json(const struct job *job)
{
    json_t *object = json_object();
    put(object, "pid", json_integer(job->pid));
    put(object, "key", text_or_null(job->spec.key));
    put(object, "state", json_string(job_words[job->state]));
    put(object, "rev", json_integer((json_int_t)job->rev));
    put(object, "to", json_integer(job->to));
    put(object, "total", json_integer(job->end));
    put(object, "done", json_integer(job->done));
    put(object, "frame", current_json(job));
    put(object, "progress", json_real(job_progress(job)));
    put(object, "frames", frames_json(job));
    put(object, "exit", job->exit < 0 ? NULL : json_integer(job->exit));
    put(object, "fault", json_string(fault_word(job->fault)));
    put(object, "text", text_or_null(job->text));
    put(object, "warnings", json_incref(job->warnings));
    put(object, "device", text_or_null(job->device));
    put(object, "blender", text_or_null(job->blender));
    put(object, "blend_sha256", text_or_null(job->version));
    put(object, "launch", text_or_null(launch_words[job->launch]));
    put(object, "cold", text_or_null(job->cold));
    put(object, "log", log_json(job));
    return object;
}
