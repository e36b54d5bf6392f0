/* SPDX-License-Identifier: Apache-2.0
 *
 * What a frame takes: of this job on this agent, from what was seen there; else
 * from what agents of that speed took; else from the last job of the same
 * .blend; else nobody knows and all are alike. Estimates, never promises:
 * nothing is charged or ended by them. All of it is rebuilt by a replay as far
 * as results are in the ledger.
 */
#include "broker/core/core_internal.h"

#include <math.h>

/* Where nothing is known: only the proportions count then. */
#define UNKNOWN_MS 1000.0

/* A frame counts at least so much in a mean, since scenes change on the way. */
#define PACE_LEAST 0.05
#define WORK_MANY  50

/* Speeds beyond are taken for accidents. */
#define SLOWEST 20.0

static struct pace *pace_find(const struct agent *agent, uint64_t scene)
{
    for (int i = 0; i < AGENT_PACES; i++)
        if (agent->paces[i].frames > 0 && agent->paces[i].scene == scene)
            return (struct pace *)(uintptr_t)&agent->paces[i];
    return NULL;
}

/* The pace to write into: that of the scene, or the one longest unused. */
static struct pace *pace_get(struct agent *agent, const struct job *job)
{
    struct pace *pace = pace_find(agent, job->scene);
    if (!pace) {
        pace = &agent->paces[0];
        for (int i = 1; i < AGENT_PACES; i++)
            if (agent->paces[i].used < pace->used)
                pace = &agent->paces[i];
        *pace = (struct pace){.scene = job->scene};
    }
    /* Another job of the same .blend may have other settings. */
    if (pace->job != job->number && pace->frames > 1)
        pace->frames = 1;
    pace->job = job->number;
    return pace;
}

static double scene_work(const struct core *core, uint64_t scene)
{
    for (int i = 0; i < CORE_SCENES; i++)
        if (core->scenes[i].used > 0 && core->scenes[i].scene == scene)
            return core->scenes[i].work_ms;
    return 0.0;
}

static void scene_note(struct core *core, const struct job *job)
{
    struct scene_work *into = &core->scenes[0];
    for (int i = 0; i < CORE_SCENES; i++) {
        struct scene_work *scene = &core->scenes[i];
        if (scene->used > 0 && scene->scene == job->scene) {
            into = scene;
            break;
        }
        if (scene->used < into->used)
            into = scene;
    }
    *into = (struct scene_work){job->scene, core->seq, job->work_ms};
}

static double job_work(const struct core *core, const struct job *job)
{
    return job->work_n > 0 ? job->work_ms : scene_work(core, job->scene);
}

static void speed_add(struct agent *agent, double work_ms, double ms)
{
    double slow = ms / work_ms;
    slow = slow < 1.0 / SLOWEST ? 1.0 / SLOWEST : slow;
    slow = slow > SLOWEST ? SLOWEST : slow;
    double before = 1.0 / agent->speed;
    agent->speed = 1.0 / (before + PACE_NEW * (slow - before));
}

/* The mean of an agent's frames, and how far they lie from it. */
static void mean_add(struct pace *pace, struct job *job, double ms)
{
    double before = pace->mean_ms;
    double part = 1.0 / (double)++pace->frames;
    pace->mean_ms += (part > PACE_LEAST ? part : PACE_LEAST) * (ms - before);
    if (pace->frames < 2 || pace->mean_ms <= 0.0)
        return;
    job->noise +=
        (ms - before) * (ms - pace->mean_ms) / (pace->mean_ms * pace->mean_ms);
    job->noise_n++;
}

void pace_add(struct core *core, struct agent *agent, struct job *job,
              int64_t ms)
{
    if (ms <= 0)
        return;
    double work_ms = job_work(core, job);
    struct pace *pace = pace_get(agent, job);
    pace->used = core->seq;
    mean_add(pace, job, (double)ms);
    if (work_ms > 0.0)
        speed_add(agent, work_ms, (double)ms);
    double n = (double)(++job->work_n < WORK_MANY ? job->work_n : WORK_MANY);
    job->work_ms += ((double)ms * agent->speed - job->work_ms) / n;
    scene_note(core, job);
    agent_refresh(core, agent);
}

double pace_frame_ms(const struct core *core, const struct agent *agent,
                     const struct job *job)
{
    const struct pace *pace = pace_find(agent, job->scene);
    if (pace)
        return pace->mean_ms;
    double work_ms = job_work(core, job);
    return (work_ms > 0.0 ? work_ms : UNKNOWN_MS) / agent->speed;
}

bool pace_is_known(const struct agent *agent, const struct job *job)
{
    const struct pace *pace = pace_find(agent, job->scene);
    return pace && pace->job == job->number;
}

bool pace_is_new(const struct agent *agent)
{
    for (int i = 0; i < AGENT_PACES; i++)
        if (agent->paces[i].frames > 0)
            return false;
    return true;
}

double pace_spread(const struct job *job)
{
    if (job->noise_n < 3)
        return SPREAD_ASSUMED;
    return sqrt(job->noise / (double)job->noise_n);
}

double pace_launch_ms(const struct agent *agent)
{
    if (agent->launches > 0)
        return agent->launch_ms;
    return agent->node.classic ? 0.0 : LAUNCH_MS;
}

void pace_launched(struct agent *agent, int64_t ms)
{
    double n = agent->launches < 4 ? (double)++agent->launches : 5.0;
    agent->launch_ms += ((double)ms - agent->launch_ms) / n;
}

uint64_t pace_scene(const char *blend)
{
    uint64_t hash = 14695981039346656037u;
    for (; *blend != '\0'; blend++)
        hash = (hash ^ (unsigned char)*blend) * 1099511628211u;
    return hash;
}

void pace_take(struct core *core, struct job *job)
{
    if (job->times.n == 0)
        return;
    job->work_ms = job->times.mean_ms;
    job->work_n = job->times.n;
    scene_note(core, job);
}
