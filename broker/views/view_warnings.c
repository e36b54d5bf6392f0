/* SPDX-License-Identifier: Apache-2.0
 *
 * What people should know of a job before it surprises them: that nobody can
 * take it and why, who is benched for it, that its frames come from different
 * Blenders. Says only what is so now; promises nothing about later.
 */
#include "broker/views/view.h"

#include <stdarg.h>
#include <stdio.h>

#include "broker/core/why.h"

#define WARNING_SIZE 256
#define BENCHED_MAX  10 /* agents named one by one */

__attribute__((format(printf, 2, 3))) static void warn(json_t *list,
                                                       const char *format, ...)
{
    char text[WARNING_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(list, json_string(text));
}

void view_need(const struct job *job, size_t need, char ret[VIEW_NEED_SIZE])
{
    if (need < job->n_tags)
        snprintf(ret, VIEW_NEED_SIZE, "the tag `%s`", job->tags[need]);
    else if (need == job->n_tags)
        snprintf(ret, VIEW_NEED_SIZE, "%d MiB of memory", job->memory_mb);
    else if (need == job->n_tags + 1)
        snprintf(ret, VIEW_NEED_SIZE, "a GPU");
    else
        snprintf(ret, VIEW_NEED_SIZE, "Blender %s", job->blender);
}

/* Tells whether some agent that takes work has what is needed. */
static bool need_met(const struct core *core, const struct job *job,
                     size_t need)
{
    const struct agent *agent;
    DL_FOREACH (core->agents, agent)
        if (why_stays(agent) == WHY_NONE &&
            why_need(agent, job, need) == WHY_NONE)
            return true;
    return false;
}

static bool agent_fits(const struct job *job, const struct agent *agent)
{
    size_t need;
    return why_stays(agent) == WHY_NONE &&
           why_lacks(agent, job, &need) == WHY_NONE;
}

static json_t *nobody_fits(const struct core *core, const struct job *job)
{
    char unmet[VIEW_NEED_SIZE];
    for (size_t need = 0; need < why_needs(job); need++)
        if (!need_met(core, job, need)) {
            view_need(job, need, unmet);
            return json_sprintf("no connected agent can take this job: none "
                                "has %s",
                                unmet);
        }
    return json_string("no connected agent can take this job: none has all "
                       "that `requires` asks for");
}

json_t *view_nobody(const struct core *core, const struct job *job)
{
    bool up = false, works = false;
    const struct agent *agent;
    DL_FOREACH (core->agents, agent) {
        up = up || agent->life == AGENT_UP;
        works = works || why_stays(agent) == WHY_NONE;
        if (agent_fits(job, agent))
            return NULL;
    }
    if (!up)
        return json_string("no agent is connected");
    return works ? nobody_fits(core, job)
                 : json_string("every connected agent is drained or shutting "
                               "down");
}

static void warn_mixed(json_t *list, const struct agent_name *blenders)
{
    struct buf names;
    buf_init(&names, WARNING_SIZE / 2);
    for (; blenders; blenders = blenders->next)
        buf_print(&names, "%s%s", names.len > 0 ? ", " : "", blenders->name);
    warn(list, "frames were rendered by different Blender versions: %s",
         buf_text(&names));
    buf_free(&names);
}

/* Tells whether an agent that is not benched for the job can take it. */
static bool anybody_better(const struct core *core, const struct job *job)
{
    const struct agent *agent;
    DL_FOREACH (core->agents, agent)
        if (agent_fits(job, agent) &&
            bench_of(job, agent->name) != BENCH_BENCHED)
            return true;
    return false;
}

static void warn_benched(json_t *list, const struct core *core,
                         const struct job *job)
{
    const struct standing *standing;
    int n = 0;
    LL_FOREACH (job->standings, standing)
        if (standing->benched && n++ < BENCHED_MAX)
            warn(list,
                 "agent %s is benched for this job: %d frames failed there "
                 "which others rendered; a retry of frames lifts it",
                 standing->name, standing->wrong);
    if (n > BENCHED_MAX)
        warn(list, "%d more agents are benched for this job", n - BENCHED_MAX);
    if (n > 0 && !job_ended(job) && !anybody_better(core, job))
        warn(list, "every agent that could take this job is benched for it; "
                   "they go on until its attempts are used up");
}

/* Only those that will not complete by themselves hinder it. */
static void warn_waits(json_t *list, const struct core *core,
                       const struct job *job)
{
    for (size_t i = 0; i < job->n_depends; i++) {
        const struct job *other = job_find(core, job->depends[i]);
        if (!other || !job_ended(other) || job_status(other) == JOB_COMPLETED)
            continue;
        warn(list,
             "it waits for job %s, which %s: retry that one, or remove it to "
             "go on without",
             *other->name ? other->name : other->id,
             job_status(other) == JOB_FAILED ? "failed" : "was cancelled");
    }
}

json_t *view_warnings(const struct core *core, const struct job *job)
{
    json_t *list = json_array();
    json_t *nobody = NULL;
    if (!job_ended(job) && job->in[FRAME_LEASED].count == 0)
        nobody = view_nobody(core, job);
    if (nobody)
        json_array_append_new(list, nobody);
    if (!job_ended(job))
        warn_waits(list, core, job);
    warn_benched(list, core, job);
    if (job->blenders && job->blenders->next)
        warn_mixed(list, job->blenders);
    if (job->versions && job->versions->next)
        warn(list, "the .blend changed under the job; `frameq frames` says "
                   "which frames are of which version");
    return list;
}
