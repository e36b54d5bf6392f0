/* SPDX-License-Identifier: Apache-2.0
 *
 * A life of a world: trouble first, then calm, in which all work must end
 * within bounded time and nothing may be left over.
 */
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/mem.h"

#define PATIENCE_MS 3600000 /* for all work to end once it is calm */
#define LOOK_MS     1000
#define LOOK_MAX_MS 60000 /* between two replays */

void tell(const struct world *world, const char *who, const char *format, ...)
{
    va_list args;
    if (!world->verbose)
        return;
    printf("%9.3f %-9s ", (double)world->now_ms / 1000.0, who);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

void fail(const struct world *world, const char *invariant, const char *format,
          ...)
{
    va_list args;
    fflush(stdout);
    fprintf(stderr,
            "at %.3f s: %s does not hold: ", (double)world->now_ms / 1000.0,
            invariant);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

void later(struct world *world, int64_t delay_ms,
           const struct happening *happening)
{
    struct happening copy = *happening;
    copy.at_ms = world->now_ms + delay_ms;
    agenda_add(&world->agenda, &copy);
}

static bool is_quiet(const struct world *world)
{
    const struct hub *hub = &world->hub;
    return hub->core && !hub->doomed && hub->core->seq == world->ledger.disk &&
           !broker_waiting(hub->broker);
}

/* Looks at all that is only true between commits, now and then. */
static void look(struct world *world, const struct happening *happening)
{
    if (is_quiet(world))
        judge_replay(world);
    later(world, rng_between(&world->rng, 1, LOOK_MAX_MS), happening);
}

static bool workers_are_free(const struct world *world)
{
    for (int i = 0; i < world->n_workers; i++)
        if (world->workers[i].alive && world->workers[i].launches)
            return false;
    return true;
}

static bool jobs_ended(const struct core *core)
{
    const struct job *job;
    DL_FOREACH (core->jobs, job)
        if (!job_ended(job) || job->leases)
            return false;
    return true;
}

static void settle(struct world *world, const struct happening *happening)
{
    struct hub *hub = &world->hub;
    people_tidy(world);
    bool ended = hub->core && jobs_ended(hub->core);
    bool free = workers_are_free(world);
    if (ended && free && is_quiet(world)) {
        world->over = true;
        return;
    }
    if (world->now_ms > world->weather.calm_ms + PATIENCE_MS)
        fail(world, "all-work-ends", "jobs %s, agents %s",
             ended ? "ended" : "open", free ? "free" : "busy");
    later(world, LOOK_MS, happening);
}

static void calm(struct world *world, const struct happening *happening)
{
    (void)happening;
    faults_end(world);
    later(world, LOOK_MS, &(struct happening){.act = settle});
}

static void begin(struct world *world)
{
    hub_start(world);
    for (int i = 0; i < world->n_workers; i++)
        worker_start(world, &world->workers[i]);
    people_begin(world);
    faults_begin(world);
    later(world, LOOK_MS, &(struct happening){.act = look});
    later(world, world->weather.calm_ms, &(struct happening){.act = calm});
}

static void end(struct world *world)
{
    judge_step(world);
    judge_replay(world);
    judge_promises(world);
    for (int i = 0; i < world->n_workers; i++)
        while (world->workers[i].launches)
            worker_forget(&world->workers[i], world->workers[i].launches);
    for (int i = 0; i < world->n_jobs; i++) {
        frames_free(&world->jobs[i].frames);
        mem_free(world->jobs[i].whole_ms);
    }
    hub_done(world);
    ledger_done(&world->ledger);
    judge_free(&world->judge);
    agenda_done(&world->agenda);
}

static void act(struct world *world)
{
    struct happening happening = agenda_take(&world->agenda);
    world->now_ms = happening.at_ms;
    happening.act(world, &happening);
    mem_free(happening.bytes);
    if (world->hub.doomed)
        hub_crash(world);
}

static void count(struct world *world, struct stats *stats)
{
    const struct job *job;
    DL_FOREACH (world->hub.core->jobs, job)
        world->stats.done += job->in[FRAME_DONE].count;
    world->stats.stories++;
    world->stats.ms += world->now_ms;
    stats_add(stats, &world->stats);
}

uint64_t world_run(const struct story *story, struct stats *stats)
{
    struct world *world = mem_new(sizeof *world);
    world->rng.state = story->seed;
    world->verbose = story->verbose;
    world->now_ms = 1; /* 0 stands for "not yet" in the core */
    world->judge = judge_new();
    world->digest = 14695981039346656037u;
    world_draw(world);
    if (story->crash_at > 0)
        world->weather.crash_at = story->crash_at;
    begin(world);
    while (!world->over)
        act(world);
    tell(world, "world", "ends; digest %016" PRIx64, world->digest);
    count(world, stats);
    end(world);
    uint64_t digest = world->digest;
    mem_free(world);
    return digest;
}
