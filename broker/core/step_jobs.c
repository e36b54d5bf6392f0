/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands of people: submit, cancel, retry, patch, forget, drain. Each checks
 * first and emits at the end.
 */
#include "broker/core/core_internal.h"

#include <assert.h>
#include <string.h>

static enum rc submit_check(const struct step *step)
{
    const struct core *core = step->core;
    const struct job_spec *spec = step->cmd->spec;
    assert(spec->frames.count > 0 && strlen(spec->id) <= LIMIT_ID);
    if (core->n_jobs >= core->options.jobs_max)
        return step_refuse(step, RC_TOO_MANY,
                           "the farm holds %d jobs, its limit; remove ended "
                           "ones first",
                           core->n_jobs);
    if (job_find(core, spec->id))
        return step_refuse(step, RC_CONFLICT, "job %s exists", spec->id);
    for (size_t i = 0; i < spec->n_depends; i++)
        if (!job_find(core, spec->depends[i]))
            return step_refuse(step, RC_INVALID,
                               "field `depends_on`: there is no job %s",
                               spec->depends[i]);
    return RC_OK;
}

enum rc step_submit(struct step *step)
{
    enum rc rc = submit_check(step);
    if (rc != RC_OK)
        return rc;
    struct event event = {.type = EVENT_SUBMITTED,
                          .job = step->cmd->spec->id,
                          .spec = step->cmd->spec};
    step_emit(step, &event);
    return RC_OK;
}

static enum rc job_of(const struct step *step, struct job **ret_job)
{
    *ret_job = job_find(step->core, step->cmd->job);
    return *ret_job ? RC_OK : step_refuse(step, RC_NOT_FOUND, "Job not found");
}

/* The command's frames as ordinals of the job; all must be frames of it. */
static enum rc frames_of(const struct step *step, const struct job *job,
                         struct ranges *ret)
{
    int32_t unknown = frames_select(&job->frames, step->cmd->frames, ret);
    if (unknown == 0)
        return RC_OK;
    ranges_free(ret);
    return step_refuse(step, RC_INVALID,
                       "field `frames`: %d of them %s not of this job, which "
                       "has %d from %d to %d",
                       unknown, unknown == 1 ? "is" : "are", job->frames.count,
                       frames_number(&job->frames, 0),
                       frames_number(&job->frames, job->frames.count - 1));
}

/* The members of set that are in one of two states, in the step's arena. */
static const struct ranges *in_states(struct step *step, const struct job *job,
                                      const struct ranges *set,
                                      const enum frame_state *states, size_t n)
{
    struct ranges hit = {0};
    for (size_t k = 0; k < n; k++)
        ranges_common(&job->in[states[k]], set, &hit);
    const struct ranges *ret = step_ranges(step, &hit);
    ranges_free(&hit);
    return ret;
}

static enum rc cmd_ranges(struct step *step, const struct job *job,
                          const enum frame_state *states, size_t n,
                          const struct ranges **ret)
{
    struct ranges wanted = {0};
    if (!step->cmd->frames) {
        ranges_add(&wanted, 0, job->frames.count);
    } else {
        enum rc rc = frames_of(step, job, &wanted);
        if (rc != RC_OK)
            return rc;
    }
    *ret = in_states(step, job, &wanted, states, n);
    ranges_free(&wanted);
    return RC_OK;
}

enum rc step_cancel(struct step *step)
{
    static const enum frame_state open[] = {FRAME_PENDING, FRAME_LEASED};
    struct job *job;
    const struct ranges *frames;
    enum rc rc = job_of(step, &job);
    if (rc == RC_OK)
        rc = cmd_ranges(step, job, open, 2, &frames);
    if (rc != RC_OK)
        return rc;
    if (frames->count == 0) {
        if (step->cmd->frames || job_status(job) == JOB_CANCELLED)
            return RC_OK;
        return step_refuse(step, RC_CONFLICT, "the job has ended already");
    }
    struct event event = {.type = EVENT_CANCELLED,
                          .job = job->id,
                          .frames = frames,
                          .flag = !step->cmd->frames,
                          .text = step->cmd->text};
    step_emit(step, &event);
    step_unneeded(step, job, NULL);
    return RC_OK;
}

enum rc step_retry(struct step *step)
{
    static const enum frame_state over[] = {FRAME_FAILED, FRAME_CANCELLED,
                                            FRAME_DONE};
    struct job *job;
    const struct ranges *frames;
    enum rc rc = job_of(step, &job);
    if (rc == RC_OK)
        rc = cmd_ranges(step, job, over, step->cmd->frames ? 3 : 1, &frames);
    if (rc != RC_OK)
        return rc;
    if (frames->count == 0)
        return step_refuse(step, RC_CONFLICT,
                           step->cmd->frames
                               ? "none of these frames has ended yet"
                               : "no frame of the job has failed");
    struct event event = {.type = EVENT_RETRIED,
                          .job = job->id,
                          .lease =
                              LEASE_ID(step->core->epoch, step->core->counter),
                          .frames = frames,
                          .text = step->cmd->text};
    step_emit(step, &event);
    return RC_OK;
}

enum rc step_patch(struct step *step)
{
    struct job *job;
    enum rc rc = job_of(step, &job);
    if (rc != RC_OK)
        return rc;
    const struct cmd_patch *patch = &step->cmd->patch;
    struct event event = {
        .type = EVENT_PATCHED,
        .job = job->id,
        .number = patch->has_priority ? patch->priority : job->priority,
        .flag = patch->has_paused ? patch->paused : job->paused,
        .limit = patch->has_max_agents ? patch->max_agents : job->max_agents};
    assert(event.number >= 0 && event.number <= 100 && event.limit >= 0);
    if (event.number != job->priority || event.flag != job->paused ||
        event.limit != job->max_agents)
        step_emit(step, &event);
    return RC_OK;
}

enum rc step_forget(struct step *step)
{
    struct job *job;
    enum rc rc = job_of(step, &job);
    if (rc != RC_OK)
        return rc;
    if (!job_ended(job))
        return step_refuse(step, RC_CONFLICT,
                           "the job has not ended; cancel it first");
    step_unneeded(step, job, NULL);
    struct event event = {.type = EVENT_FORGOTTEN, .job = job->id};
    step_emit(step, &event);
    return RC_OK;
}

enum rc step_drain(struct step *step)
{
    const struct cmd *cmd = step->cmd;
    struct agent *agent = agent_find(step->core, cmd->agent);
    if (!agent)
        return step_refuse(step, RC_NOT_FOUND, "there is no agent %s",
                           cmd->agent);
    if ((int32_t)agent->drain != cmd->number ||
        agent->drain_until_ms != cmd->until_ms) {
        struct event event = {.type = EVENT_DRAINED,
                              .agent = agent->name,
                              .number = cmd->number,
                              .until_ms = cmd->until_ms};
        step_emit(step, &event);
    }
    struct lease *lease;
    DL_FOREACH2 (agent->leases, lease, agent_next)
        step_order(step, lease, false);
    return RC_OK;
}
