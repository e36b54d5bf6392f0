/* SPDX-License-Identifier: Apache-2.0
 *
 * What a seed is: how many agents of which kind, what the jobs look like, how
 * bad the weather gets. Every part of it is also drawn as nothing at times, so
 * that some stories have one kind of trouble only.
 */
#include "tests/sim/world.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

static const char *const all_tags[] = {"gpu", "linux", "night"};

/* A value that is nothing in a third of all stories. */
static int64_t maybe(struct rng *rng, int64_t low, int64_t high)
{
    return rng_chance(rng, 333) ? 0 : rng_between(rng, low, high);
}

static void draw_weather(struct rng *rng, struct weather *weather)
{
    *weather = (struct weather){
        .drop = (int)maybe(rng, 1, 400),
        .duplicate = (int)maybe(rng, 1, 200),
        .trip = (int)maybe(rng, 1, 20),
        .split = (int)maybe(rng, 1, 5),
        .delay_ms = maybe(rng, 1, 500),
        .kill_gap_ms = maybe(rng, 2000, 30000),
        .cut_gap_ms = maybe(rng, 3000, 30000),
        .crash_gap_ms = maybe(rng, 1500, 30000),
        .node_gap_ms = maybe(rng, 2000, 30000),
        .full_gap_ms = maybe(rng, 10000, 60000),
        .freeze_gap_ms = maybe(rng, 10000, 60000),
        .person_gap_ms = rng_between(rng, 300, 6000),
        .commit_ms = rng_between(rng, 1, 50),
        .wall_ms = maybe(rng, 1, 600000),
        .crash_at = (uint64_t)maybe(rng, 1, 3000),
        .calm_ms = rng_skewed(rng, 10000, 90000),
        .fail = (int)maybe(rng, 1, 80),
        .lie = (int)maybe(rng, 1, 50),
        .hang = (int)maybe(rng, 1, 30),
        .results_max = (int32_t)rng_between(rng, 1, LIMIT_RESULTS)};
}

static void draw_options(struct rng *rng, struct core_options *options)
{
    *options = (struct core_options){
        .batch = rng_chance(rng, 500) ? 0 : (int32_t)rng_between(rng, 1, 8),
        .max_attempts = (int32_t)rng_between(rng, 1, 4),
        .lease_ttl_ms = rng_between(rng, 7000, 15000),
        .orphan_grace_ms =
            rng_chance(rng, 500) ? -1 : rng_between(rng, 0, 20000),
        .jobs_max = LIMIT_JOBS,
        .agents_max = SIM_WORKERS};
}

static void draw_worker(struct world *world, int id)
{
    struct rng *rng = &world->rng;
    struct worker *worker = &world->workers[id];
    worker->id = id;
    worker->rival = id > 0 && rng_chance(rng, 40);
    snprintf(worker->name, sizeof worker->name, "agent-%d",
             worker->rival ? 0 : id);
    world->stats.struck[STRUCK_RIVAL] += worker->rival;
    worker->slots = (int32_t)rng_between(rng, 1, 4);
    worker->speed = (int)rng_skewed(rng, 1, 10);
    worker->classic = rng_chance(rng, 250);
    worker->can_trim = !worker->classic && rng_chance(rng, 800);
    worker->can_stop = !worker->classic && rng_chance(rng, 800);
    worker->vague = rng_chance(rng, 250);
    for (size_t i = 0; i < sizeof all_tags / sizeof *all_tags; i++)
        if (rng_chance(rng, 500))
            worker->tags[worker->n_tags++] = all_tags[i];
}

void world_draw(struct world *world)
{
    struct rng *rng = &world->rng;
    draw_weather(rng, &world->weather);
    draw_options(rng, &world->options);
    world->n_workers = (int)rng_skewed(rng, 1, SIM_WORKERS);
    for (int i = 0; i < world->n_workers; i++)
        draw_worker(world, i);
}

/* "3-40x2,50,61-90": one to four parts, mostly few frames. */
static void draw_frames(struct rng *rng, struct frames *ret)
{
    char text[256] = "", why[128];
    size_t len = 0;
    int32_t at = (int32_t)rng_between(rng, 0, 5);
    int parts = (int)rng_skewed(rng, 1, 4);
    for (int i = 0; i < parts; i++) {
        int32_t n = (int32_t)rng_skewed(rng, 1, 200 / parts);
        int32_t step = (int32_t)rng_skewed(rng, 1, 5);
        int32_t last = at + (n - 1) * step;
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%d-%dx%d",
                                i > 0 ? "," : "", at, last, step);
        at = last + (int32_t)rng_between(rng, 1, 20);
    }
    bool right = frames_parse(text, ret, why, sizeof why);
    assert(right);
}

/* Needs of the job: those of one worker, so that somebody can render it. */
static void draw_needs(struct world *world, struct job_spec *spec)
{
    const struct worker *worker =
        &world->workers[rng_between(&world->rng, 0, world->n_workers - 1)];
    bool some = rng_chance(&world->rng, 300) && !worker->rival;
    spec->tags = worker->tags;
    spec->n_tags = some ? worker->n_tags : 0;
}

static void draw_depends(struct world *world, struct arena *arena,
                         struct job_spec *spec)
{
    const struct core *core = world->hub.core;
    if (!core->jobs || !rng_chance(&world->rng, 150))
        return;
    int64_t skip = rng_between(&world->rng, 0, core->n_jobs - 1);
    const struct job *job = core->jobs;
    while (skip-- > 0)
        job = job->next;
    const char **depends = arena_new(arena, sizeof *depends);
    depends[0] = job->id;
    spec->depends = depends;
    spec->n_depends = 1;
}

static const char *draw_user(struct rng *rng)
{
    static const char *const users[] = {"ann", "bob", "cid"};
    return users[rng_between(rng, 0, 2)];
}

static void draw_spec(struct world *world, struct job_spec *spec)
{
    struct rng *rng = &world->rng;
    *spec = (struct job_spec){
        .name = "",
        .key = "",
        .user = draw_user(rng),
        .batch = (int32_t)rng_skewed(rng, -1, 25),
        .priority =
            (int32_t)(rng_chance(rng, 500) ? 50 : rng_between(rng, 0, 100)),
        .max_attempts = (int32_t)rng_between(rng, 0, 4),
        .max_agents =
            (int32_t)(rng_chance(rng, 700) ? 0 : rng_between(rng, 1, 3)),
        .paused = rng_chance(rng, 50),
        .not_before_ms = rng_chance(rng, 100)
                             ? hub_now(world) + rng_between(rng, 1, 9000)
                             : 0,
        .blender = "",
        .blend = "",
        .render = "{}",
        .doc = "{}"};
}

static void draw_trouble(struct rng *rng, const struct frames *frames,
                         struct sim_job *job)
{
    job->poison = -1;
    if (rng_chance(rng, 100))
        job->poison = frames_number(
            frames, (int32_t)rng_between(rng, 0, frames->count - 1));
    job->deadly = -1;
    if (rng_chance(rng, 100))
        job->deadly = frames_number(
            frames, (int32_t)rng_between(rng, 0, frames->count - 1));
    job->panics = rng_chance(rng, 500);
    if (rng_chance(rng, 30))
        job->fault = FAULT_MISSING_FILE;
    else if (rng_chance(rng, 30))
        job->fault = FAULT_BAD_BLEND;
}

struct sim_job *draw_job(struct world *world, struct arena *arena,
                         struct job_spec *ret_spec)
{
    assert(world->n_jobs < SIM_JOBS);
    struct sim_job *job = &world->jobs[world->n_jobs];
    draw_spec(world, ret_spec);
    draw_frames(&world->rng, &ret_spec->frames);
    draw_needs(world, ret_spec);
    draw_depends(world, arena, ret_spec);
    draw_trouble(&world->rng, &ret_spec->frames, job);
    frames_copy(&job->frames, &ret_spec->frames);
    job->whole_ms = mem_new((size_t)job->frames.count * sizeof *job->whole_ms);
    job->frame_ms = rng_skewed(&world->rng, 20, 6000);
    snprintf(job->id, sizeof job->id, "simulated-job-%02d", world->n_jobs++);
    ret_spec->id = job->id;
    return job;
}
