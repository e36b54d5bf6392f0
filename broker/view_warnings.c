/* SPDX-License-Identifier: Apache-2.0
 *
 * What people should know of a job before it surprises them: that nobody can
 * take it and why, who is benched for it, that its frames come from different
 * Blenders. Says only what is so now; promises nothing about later.
 */
#include "broker/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

static bool has_tag(const struct agent *agent, const char *tag)
{
    for (size_t i = 0; i < agent->n_tags; i++)
        if (strcmp(agent->tags[i], tag) == 0)
            return true;
    return false;
}

/* One thing a job asks of an agent: tags first, then the machine. Returns
 * false past the last. unmet is set to words for what the agent lacks, "" when
 * it lacks nothing. */
static bool need_check(const struct job *job, const struct agent *agent,
                       size_t need, char unmet[WARNING_SIZE])
{
    const struct msg_node *node = &agent->node;
    const char *blender = node->blender ? node->blender : "";
    *unmet = '\0';
    if (need < job->n_tags) {
        if (!has_tag(agent, job->tags[need]))
            snprintf(unmet, WARNING_SIZE, "the tag `%s`", job->tags[need]);
        return true;
    }
    switch (need - job->n_tags) {
    case 0:
        if (node->memory_mb < job->memory_mb)
            snprintf(unmet, WARNING_SIZE, "%d MiB of memory", job->memory_mb);
        return true;
    case 1:
        if (job->gpu && node->gpus == 0)
            snprintf(unmet, WARNING_SIZE, "a GPU");
        return true;
    case 2:
        if (strncmp(blender, job->blender, strlen(job->blender)) != 0)
            snprintf(unmet, WARNING_SIZE, "Blender %s", job->blender);
        return true;
    default:
        return false;
    }
}

static bool takes_work(const struct agent *agent)
{
    return agent->life == AGENT_UP && agent->drain == DRAIN_OFF &&
           !agent->leaving;
}

/* Tells whether some agent that takes work has what is needed; when none has,
 * unmet names it. */
static bool need_met(const struct core *core, const struct job *job,
                     size_t need, char unmet[WARNING_SIZE])
{
    const struct agent *agent;
    DL_FOREACH (core->agents, agent) {
        if (!takes_work(agent))
            continue;
        if (!need_check(job, agent, need, unmet) || !*unmet)
            return true;
    }
    return false;
}

static bool agent_fits(const struct job *job, const struct agent *agent)
{
    char unmet[WARNING_SIZE];
    for (size_t need = 0; need_check(job, agent, need, unmet); need++)
        if (*unmet)
            return false;
    return true;
}

static void warn_unfit(json_t *list, const struct core *core,
                       const struct job *job)
{
    char unmet[WARNING_SIZE];
    size_t needs = job->n_tags + 3;
    for (size_t need = 0; need < needs; need++)
        if (!need_met(core, job, need, unmet)) {
            warn(list, "no connected agent can take this job: none has %s",
                 unmet);
            return;
        }
    warn(list, "no connected agent can take this job: none has all that "
               "`requires` asks for");
}

static void warn_nobody(json_t *list, const struct core *core,
                        const struct job *job)
{
    bool up = false, works = false;
    const struct agent *agent;
    DL_FOREACH (core->agents, agent) {
        up = up || agent->life == AGENT_UP;
        works = works || takes_work(agent);
        if (takes_work(agent) && agent_fits(job, agent))
            return;
    }
    if (!up)
        warn(list, "no agent is connected");
    else if (!works)
        warn(list, "every connected agent is drained or shutting down");
    else
        warn_unfit(list, core, job);
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
        if (takes_work(agent) && agent_fits(job, agent) &&
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

json_t *view_warnings(const struct core *core, const struct job *job)
{
    json_t *list = json_array();
    if (!job_ended(job) && job->in[FRAME_LEASED].count == 0)
        warn_nobody(list, core, job);
    warn_benched(list, core, job);
    if (job->blenders && job->blenders->next)
        warn_mixed(list, job->blenders);
    return list;
}
