/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a job. The JSON form is job_json.c's.
 */
#include "node/job.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/text.h"

struct job *job_new(int64_t pid, struct spec *spec)
{
    struct job *job = mem_new(sizeof *job);
    job->pid = pid;
    job->spec = *spec;
    *spec = (struct spec){0};
    job->rev = 1;
    job->end = job->spec.frames.count;
    job->to = frames_number(&job->spec.frames, job->end - 1);
    job->warnings = json_array();
    job->exit = -1;
    return job;
}

static void thumb_drop(struct frame *frame)
{
    mem_free(frame->thumb);
    frame->thumb = NULL;
    frame->thumb_len = 0;
}

void job_free(struct job **job)
{
    if (!*job)
        return;
    struct job *old = *job;
    for (int32_t i = 0; i < old->begun; i++) {
        json_decref(old->at[i].files);
        thumb_drop(&old->at[i]);
    }
    mem_free(old->at);
    mem_free(old->text);
    mem_free(old->device);
    mem_free(old->blender);
    mem_free(old->version);
    mem_free(old->cold);
    json_decref(old->warnings);
    output_done(&old->output);
    spec_done(&old->spec);
    mem_free(old);
    *job = NULL;
}

void job_changed(struct job *job)
{
    job->rev++;
}

int32_t job_current(const struct job *job)
{
    if (job->begun == 0)
        return -1;
    const struct frame *last = &job->at[job->begun - 1];
    return last->state == FRAME_RENDERING && !last->rendered ? job->begun - 1
                                                             : -1;
}

int32_t job_begin(struct job *job, int64_t now_ms)
{
    assert(job_current(job) < 0);
    if (job->ending || job->begun >= job->end)
        return -1;
    if (job->begun == job->cap) {
        job->cap = job->cap ? job->cap * 2 : 16;
        job->at = mem_grow(job->at, (size_t)job->cap, sizeof *job->at);
    }
    job->at[job->begun] =
        (struct frame){.state = FRAME_RENDERING, .started_ms = now_ms};
    if (job->begun > 0)
        job->at[job->begun].log_at = output_mark(&job->output);
    job_changed(job);
    return job->begun++;
}

void job_rendered(struct job *job, double seconds)
{
    const int32_t ordinal = job_current(job);
    assert(ordinal >= 0);
    job->at[ordinal].rendered = true;
    job->at[ordinal].seconds = seconds;
    job_changed(job);
}

void job_proved(struct job *job, int32_t ordinal, json_t *files,
                unsigned char *thumb, size_t thumb_len)
{
    assert(ordinal >= 0 && ordinal < job->begun);
    struct frame *frame = &job->at[ordinal];
    assert(frame->state == FRAME_RENDERING);
    frame->state = FRAME_DONE;
    frame->files = json_incref(files);
    frame->thumb = thumb;
    frame->thumb_len = thumb_len;
    if (ordinal >= LIMIT_NODE_THUMBS)
        thumb_drop(&job->at[ordinal - LIMIT_NODE_THUMBS]);
    job->done++;
    job_changed(job);
}

void job_fail(struct job *job, enum fault fault, const char *text)
{
    if (job->state != JOB_RUNNING || job->fault != FAULT_NONE)
        return;
    char plain[LIMIT_REASON];
    job->fault = fault;
    job->text = mem_text(text_excerpt(text, strlen(text), plain, sizeof plain));
    job->ending = true;
    job_changed(job);
}

void job_stop(struct job *job)
{
    job_fail(job, FAULT_STOPPED, "stopped on request");
}

/* How many frames of the job have numbers up to to. */
static int32_t frames_up_to(const struct frames *frames, int32_t to)
{
    int32_t low = 0;
    int32_t high = frames->count;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (frames_number(frames, middle) <= to)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t job_trim(struct job *job, int32_t to)
{
    if (job->state != JOB_RUNNING || job->ending)
        return -1;
    int32_t end = frames_up_to(&job->spec.frames, to);
    if (end < job->begun) {
        end = job->begun;
        to = frames_number(&job->spec.frames, end - 1);
    }
    if (end <= job->end && to < job->to) {
        job->end = end;
        job->to = to;
        job_changed(job);
    }
    return job->to;
}

static enum job_state state_at_end(const struct job *job)
{
    if (job->done == job->end && job->end > 0)
        return JOB_COMPLETED;
    if (job->fault == FAULT_NONE || job->fault == FAULT_STOPPED)
        return JOB_STOPPED;
    return JOB_FAILED;
}

/* The first frame that is not done is the one that failed. */
static void frames_end(struct job *job)
{
    bool failed = job->state == JOB_FAILED;
    for (int32_t i = 0; i < job->begun; i++) {
        if (job->at[i].state != FRAME_RENDERING)
            continue;
        job->at[i].state = failed ? FRAME_FAILED : FRAME_STOPPED;
        failed = false;
    }
}

void job_end(struct job *job)
{
    assert(job->state == JOB_RUNNING);
    const enum job_state state = state_at_end(job);
    if (state == JOB_COMPLETED) {
        job->fault = FAULT_NONE;
        mem_free(job->text);
        job->text = NULL;
    } else {
        job_stop(job); /* keeps the reason it has */
    }
    job->state = state;
    job->ending = true;
    frames_end(job);
    job_changed(job);
}

double job_progress(const struct job *job)
{
    if (job->end == 0 || job->state == JOB_COMPLETED)
        return job->state == JOB_RUNNING ? 0 : 1;
    double done = job->done;
    for (int32_t i = job->begun - 1; i >= 0 && i >= job->begun - 3; i--) {
        if (job->at[i].state != FRAME_RENDERING)
            continue;
        const int32_t number = frames_number(&job->spec.frames, i);
        done += job->at[i].rendered ? 1 : output_fraction(&job->output, number);
    }
    return done / job->end;
}

const struct frame *job_frame(const struct job *job, int32_t number)
{
    const int32_t ordinal = frames_ordinal(&job->spec.frames, number);
    return ordinal >= 0 && ordinal < job->begun ? &job->at[ordinal] : NULL;
}

bool job_frame_log(struct job *job, int32_t number, struct buf *out,
                   uint64_t *ret_offset)
{
    int32_t ordinal = frames_ordinal(&job->spec.frames, number);
    const bool unbegun = ordinal == job->begun && job->state == JOB_FAILED;
    if (ordinal < 0 || (ordinal >= job->begun && !unbegun))
        return false;
    const int32_t last = job->begun - 1;
    const int32_t of = ordinal < last ? ordinal : last; /* -1: none begun */
    const uint64_t from = of > 0 ? job->at[of].log_at : 0;
    const uint64_t to = ordinal < last ? job->at[ordinal + 1].log_at
                                       : output_mark(&job->output);
    *ret_offset = output_part(&job->output, from, to, out) - from;
    if (job->state != JOB_RUNNING && ordinal >= last)
        buf_add(out, job->output.line, job->output.line_len);
    return true;
}

void jobs_forget(struct job **newest)
{
    int ended = 0;
    for (struct job **at = newest; *at;) {
        ended += (*at)->state != JOB_RUNNING;
        if ((*at)->state == JOB_RUNNING || ended <= LIMIT_NODE_QUEUE) {
            at = &(*at)->next;
            continue;
        }
        struct job *old = *at;
        *at = old->next;
        job_free(&old);
    }
}
