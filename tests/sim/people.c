/* SPDX-License-Identifier: Apache-2.0
 *
 * People who submit, cancel, retry, pause, drain and forget whenever it enters
 * their heads; and, once it is calm, tidy up so that all work can end.
 */
#include "tests/sim/world.h"

#include <stdio.h>

#include "common/limits.h"

static const char *const deeds[] = {
    [CMD_SUBMIT] = "submit", [CMD_CANCEL] = "cancel", [CMD_RETRY] = "retry",
    [CMD_PATCH] = "change",  [CMD_FORGET] = "forget", [CMD_DRAIN] = "drain",
};

/* A command, its answer waiting for the disk as every answer does. */
static enum rc ask(struct world *world, const struct cmd *cmd,
                   struct sim_job *job)
{
    enum rc rc = hub_do(world, cmd);
    struct answer answer = {.to = -1, .job = rc == RC_OK ? job : NULL};
    tell(world, "people", "%s %s%s: %s", deeds[cmd->type],
         cmd->job ? cmd->job : "", cmd->agent ? cmd->agent : "",
         rc == RC_OK ? "done" : rc_title(rc));
    hub_answer(world, &answer);
    return rc;
}

static struct job *any_job(struct world *world)
{
    struct core *core = world->hub.core;
    if (!core->jobs)
        return NULL;
    struct job *job = core->jobs;
    for (int64_t skip = rng_between(&world->rng, 0, core->n_jobs - 1); skip > 0;
         skip--)
        job = job->next;
    return job;
}

static const char *any_agent(struct world *world)
{
    return world->workers[rng_between(&world->rng, 0, world->n_workers - 1)]
        .name;
}

/* --- What people do. --- */

static void submit(struct world *world)
{
    struct job_spec spec;
    struct cmd cmd = {.type = CMD_SUBMIT, .spec = &spec};
    if (world->n_jobs == SIM_JOBS)
        return;
    if (world->ledger.full) { /* as submit.c refuses it */
        struck(world, STRUCK_NO_SPACE);
        tell(world, "people", "submit: no space on the disk");
        return;
    }
    struct sim_job *job =
        draw_job(world, broker_arena(world->hub.broker), &spec);
    cmd.job = spec.id;
    ask(world, &cmd, job);
    frames_free(&spec.frames);
}

/* Frames of the job from one ordinal to another, often its last, at times one
 * that it does not have. */
static void some_frames(struct world *world, const struct job *job,
                        struct frames *ret)
{
    struct rng *rng = &world->rng;
    struct ranges set = {0};
    struct buf text;
    char why[128];
    int32_t lo = (int32_t)rng_between(rng, 0, job->frames.count - 1);
    int32_t last = job->frames.count - 1;
    int32_t hi =
        rng_chance(rng, 500) ? last : (int32_t)rng_between(rng, lo, last);
    buf_init(&text, LIMIT_FRAMES_TEXT);
    ranges_add(&set, lo, hi + 1);
    frames_list(&job->frames, &set, LIMIT_FRAME_SPANS, &text);
    if (rng_chance(rng, 50))
        buf_print(&text, ",999999");
    if (!frames_parse(buf_text(&text), ret, why, sizeof why))
        fail(world, "frames-readable", "%s: %s", buf_text(&text), why);
    ranges_free(&set);
    buf_free(&text);
}

/* With a part of the job's frames, or NULL for all that the command means. */
static void ask_frames(struct world *world, enum cmd_type type,
                       const char *text, bool part)
{
    struct frames frames = {0};
    const struct job *job = any_job(world);
    if (!job)
        return;
    if (part)
        some_frames(world, job, &frames);
    struct cmd cmd = {.type = type,
                      .job = job->id,
                      .frames = part ? &frames : NULL,
                      .text = text};
    ask(world, &cmd, NULL);
    frames_free(&frames);
}

static void cancel_all(struct world *world)
{
    ask_frames(world, CMD_CANCEL, "not wanted", false);
}

static void cancel_some(struct world *world)
{
    ask_frames(world, CMD_CANCEL, "", true);
}

static void retry_failed(struct world *world)
{
    ask_frames(world, CMD_RETRY, "", false);
}

static void retry_some(struct world *world)
{
    const char *avoid = rng_chance(&world->rng, 500) ? any_agent(world) : "";
    ask_frames(world, CMD_RETRY, avoid, true);
}

static void patch(struct world *world, const struct job *job,
                  const struct cmd_patch *patch)
{
    struct cmd cmd = {.type = CMD_PATCH, .job = job->id, .patch = *patch};
    ask(world, &cmd, NULL);
}

static void pause_or_not(struct world *world)
{
    struct cmd_patch change = {.has_paused = true,
                               .paused = rng_chance(&world->rng, 400)};
    const struct job *job = any_job(world);
    if (job)
        patch(world, job, &change);
}

static void reorder(struct world *world)
{
    struct cmd_patch change = {
        .has_priority = true,
        .has_max_agents = rng_chance(&world->rng, 300),
        .priority = (int32_t)rng_between(&world->rng, 0, 100),
        .max_agents = (int32_t)rng_between(&world->rng, 0, 3)};
    const struct job *job = any_job(world);
    if (job)
        patch(world, job, &change);
}

static struct sim_job *sim_job_of(struct world *world, const struct job *job)
{
    struct sim_job *known = world->jobs;
    while (strcmp(known->id, job->id) != 0)
        known++;
    return known;
}

static void forget(struct world *world)
{
    const struct job *job = any_job(world);
    if (!job)
        return;
    struct sim_job *known = sim_job_of(world, job);
    struct cmd cmd = {.type = CMD_FORGET, .job = known->id};
    if (ask(world, &cmd, NULL) == RC_OK)
        known->forgotten = true;
}

static void drain_set(struct world *world, const char *agent, enum drain drain,
                      int64_t until_ms)
{
    struct cmd cmd = {.type = CMD_DRAIN,
                      .agent = agent,
                      .number = (int32_t)drain,
                      .until_ms = until_ms};
    ask(world, &cmd, NULL);
}

static void drain(struct world *world)
{
    struct rng *rng = &world->rng;
    bool timed = rng_chance(rng, 400);
    drain_set(world, any_agent(world), (enum drain)rng_between(rng, 0, 2),
              timed ? hub_now(world) + rng_between(rng, 1, 20000) : 0);
}

static void undrain(struct world *world)
{
    drain_set(world, any_agent(world), DRAIN_OFF, 0);
}

static void (*const habits[])(struct world *) = {
    submit,      submit,       submit,     submit,       submit,  cancel_all,
    cancel_some, retry_some,   retry_some, retry_failed, forget,  pause_or_not,
    reorder,     pause_or_not, drain,      cancel_some,  undrain, undrain,
};
#define HABITS ((int64_t)(sizeof habits / sizeof *habits))

static void person(struct world *world, const struct happening *happening)
{
    struct rng *rng = &world->rng;
    if (world->calm)
        return;
    if (hub_turn(world))
        habits[rng_between(rng, 0, HABITS - 1)](world);
    later(world, rng_between(rng, 1, 2 * world->weather.person_gap_ms),
          happening);
}

void people_begin(struct world *world)
{
    int first = (int)rng_skewed(&world->rng, 1, 6);
    hub_turn(world);
    for (int i = 0; i < first; i++)
        submit(world);
    later(world, 0, &(struct happening){.act = person});
}

/* --- Tidying. --- */

static bool waits_in_vain(const struct core *core, const struct job *job)
{
    for (size_t i = 0; i < job->n_depends; i++) {
        const struct job *other = job_find(core, job->depends[i]);
        if (other && job_ended(other) && job_status(other) != JOB_COMPLETED)
            return true;
    }
    return false;
}

static void job_tidy(struct world *world, const struct job *job)
{
    struct cmd_patch resume = {.has_paused = true};
    struct cmd cancel = {.type = CMD_CANCEL, .job = job->id, .text = ""};
    if (job_ended(job))
        return;
    if (job->paused)
        patch(world, job, &resume);
    if (waits_in_vain(world->hub.core, job))
        ask(world, &cancel, NULL);
}

void people_tidy(struct world *world)
{
    struct core *core = world->hub.core;
    const struct job *job;
    const struct agent *agent;
    if (!hub_turn(world))
        return;
    DL_FOREACH (core->jobs, job)
        job_tidy(world, job);
    DL_FOREACH (core->agents, agent)
        if (agent->drain != DRAIN_OFF)
            drain_set(world, agent->name, DRAIN_OFF, 0);
}
