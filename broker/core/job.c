/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs: their memory, and what is derived from them. A job's status is always
 * computed here and stored nowhere.
 */
#include "broker/core/core_internal.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"

struct job *job_new(const struct job_spec *spec)
{
    struct job *job = mem_new(sizeof *job);
    job->id = mem_text(spec->id);
    job->name = text_own(spec->name);
    job->user = text_own(spec->user);
    job->key = text_own(spec->key);
    job->blend = text_own(spec->blend);
    job->scene = pace_scene(job->blend);
    job->blender = text_own(spec->blender);
    job->render = text_own(spec->render);
    job->doc = text_own(spec->doc);
    job->trace = text_own(spec->trace);
    job->key_hash = spec->key_hash;
    frames_copy(&job->frames, &spec->frames);
    job->batch = spec->batch;
    job->priority = spec->priority;
    job->max_attempts = spec->max_attempts;
    job->max_agents = spec->max_agents;
    job->memory_mb = spec->memory_mb;
    job->gpu = spec->gpu;
    job->plain = spec->plain;
    job->paused = spec->paused;
    job->not_before_ms = spec->not_before_ms;
    job->depends = texts_own(spec->depends, spec->n_depends);
    job->n_depends = spec->n_depends;
    job->tags = texts_own(spec->tags, spec->n_tags);
    job->n_tags = spec->n_tags;
    ranges_add(&job->in[FRAME_PENDING], 0, job->frames.count);
    return job;
}

void job_attempts_drop(struct job *job, const struct ranges *set)
{
    struct attempt *attempt, *next;
    HASH_ITER (hh, job->attempts, attempt, next) {
        if (set && !ranges_has(set, attempt->ordinal))
            continue;
        HASH_DEL(job->attempts, attempt);
        names_free(&attempt->by);
        names_free(&attempt->lost_by);
        mem_free(attempt->text);
        mem_free(attempt);
    }
}

void job_free(struct job **job_ref)
{
    struct job *job = *job_ref;
    if (!job)
        return;
    char *texts[] = {job->id,     job->name,    job->user,   job->key,
                     job->blend,  job->blender, job->render, job->doc,
                     job->reason, job->avoid,   job->trace};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        mem_free(texts[i]);
    texts_free(job->depends, job->n_depends);
    texts_free(job->tags, job->n_tags);
    frames_free(&job->frames);
    for (int i = 0; i < FRAME_STATES; i++)
        ranges_free(&job->in[i]);
    ranges_free(&job->redo);
    ranges_free(&job->avoided);
    job_attempts_drop(job, NULL);
    bench_clear(job);
    names_free(&job->blenders);
    names_free(&job->versions);
    names_free(&job->likely);
    times_free(&job->times);
    mem_free(job);
    *job_ref = NULL;
}

int32_t core_count_jobs(const struct core *core)
{
    return core->n_jobs;
}

struct job *job_find(const struct core *core, const char *id)
{
    struct job *job = NULL;
    if (id)
        HASH_FIND_STR(core->by_id, id, job);
    return job;
}

struct job *job_find_key(const struct core *core, const char *key)
{
    struct job *job = NULL;
    HASH_FIND(hh_key, core->by_key, key, strlen(key), job);
    return job;
}

bool job_ended(const struct job *job)
{
    return job->in[FRAME_PENDING].count == 0 &&
           job->in[FRAME_LEASED].count == 0;
}

enum job_status job_status(const struct job *job)
{
    if (!job_ended(job)) {
        if (job->paused)
            return JOB_PAUSED;
        return job->in[FRAME_PENDING].count == job->frames.count ? JOB_QUEUED
                                                                 : JOB_RUNNING;
    }
    if (job->in[FRAME_FAILED].count > 0)
        return JOB_FAILED;
    return job->in[FRAME_CANCELLED].count > 0 ? JOB_CANCELLED : JOB_COMPLETED;
}

const char *job_status_word(enum job_status status)
{
    static const char *const words[] = {"queued",    "running", "paused",
                                        "completed", "failed",  "cancelled"};
    return words[status];
}

struct attempt *job_attempt_find(const struct job *job, int32_t ordinal)
{
    struct attempt *attempt = NULL;
    HASH_FIND_INT(job->attempts, &ordinal, attempt);
    return attempt;
}

struct attempt *job_attempt(struct job *job, int32_t ordinal)
{
    struct attempt *attempt = job_attempt_find(job, ordinal);
    if (!attempt) {
        attempt = mem_new(sizeof *attempt);
        attempt->ordinal = ordinal;
        HASH_ADD_INT(job->attempts, ordinal, attempt);
    }
    return attempt;
}

/* A job that was forgotten counts as met: only ended ones can be. */
bool job_depends_on(const struct job *job, const char *id)
{
    for (size_t i = 0; i < job->n_depends; i++)
        if (strcmp(job->depends[i], id) == 0)
            return true;
    return false;
}

bool job_depends_met(const struct core *core, const struct job *job)
{
    for (size_t i = 0; i < job->n_depends; i++) {
        const struct job *other = job_find(core, job->depends[i]);
        if (other && job_status(other) != JOB_COMPLETED)
            return false;
    }
    return true;
}

int32_t job_max_attempts(const struct core *core, const struct job *job)
{
    return job->max_attempts > 0 ? job->max_attempts
                                 : core->options.max_attempts;
}
