/* SPDX-License-Identifier: Apache-2.0
 *
 * Who gets what next. Jobs with work stand in queues, one for each priority and
 * user; the highest priority goes first, within it the user with the fewest
 * leases, within that the oldest job; but a small one goes before a huge one
 * while it leaves that half of the user's slots. A batch is cut only now, for
 * the agent that has room, and sized for it: big first shares, smaller ones
 * towards the end (factoring). Nothing here talks to anybody: a grant is an
 * event.
 */
#include "broker/core/core_internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/mem.h"

static bool has_tag(const struct agent *agent, const char *tag)
{
    for (size_t i = 0; i < agent->n_tags; i++)
        if (strcmp(agent->tags[i], tag) == 0)
            return true;
    return false;
}

size_t why_needs(const struct job *job)
{
    return job->n_tags + 3;
}

static bool has_blender(const struct agent *agent, const char *version)
{
    const char *own = agent->node.blender ? agent->node.blender : "";
    return strncmp(own, version, strlen(version)) == 0;
}

enum why why_need(const struct agent *agent, const struct job *job, size_t need)
{
    if (need < job->n_tags)
        return has_tag(agent, job->tags[need]) ? WHY_NONE : WHY_TAG;
    switch (need - job->n_tags) {
    case 0:
        return agent->node.memory_mb < job->memory_mb ? WHY_MEMORY : WHY_NONE;
    case 1:
        return job->gpu && agent->node.gpus == 0 ? WHY_GPU : WHY_NONE;
    default:
        return has_blender(agent, job->blender) ? WHY_NONE : WHY_BLENDER;
    }
}

enum why why_lacks(const struct agent *agent, const struct job *job,
                   size_t *need)
{
    for (*need = 0; *need < why_needs(job); ++*need) {
        enum why why = why_need(agent, job, *need);
        if (why != WHY_NONE)
            return why;
    }
    return WHY_NONE;
}

bool sched_able(const struct agent *agent, const struct job *job)
{
    size_t need;
    return why_lacks(agent, job, &need) == WHY_NONE;
}

/* All that it could do is taken by leases that show nothing for too long. */
static bool is_stuck(const struct agent *agent)
{
    const struct lease *lease;
    int32_t late = 0;
    DL_FOREACH2 (agent->leases, lease, agent_next)
        late += lease->late;
    return late >= agent->slots;
}

/* An agent that is there and whose machine fits takes work of the job sooner or
 * later, however busy it is now. */
static bool is_able(const struct agent *agent, const struct job *job)
{
    return why_stays(agent) == WHY_NONE && !is_stuck(agent) &&
           sched_able(agent, job);
}

bool sched_others_able(const struct core *core, const struct job *job,
                       const struct agent_name *names)
{
    const struct agent *agent;
    DL_FOREACH (core->agents, agent)
        if (is_able(agent, job) && !names_have(names, agent->name) &&
            bench_of(job, agent->name) != BENCH_BENCHED)
            return true;
    return false;
}

bool sched_keeps(const struct core *core, const struct job *job,
                 const struct agent *agent, const struct agent *but_one)
{
    enum bench own = bench_of(job, agent->name);
    const struct agent *other;
    if (own == BENCH_NONE)
        return false;
    DL_FOREACH (core->agents, other)
        if (other != but_one && other->rest_until_ms == 0 &&
            is_able(other, job) && bench_of(job, other->name) < own)
            return true;
    return false;
}

/* The place of a name in a list, from 1; 0: it is not there. */
static int32_t name_place(const struct agent_name *names, const char *name)
{
    for (int32_t place = 1; names; names = names->next, place++)
        if (strcmp(names->name, name) == 0)
            return place;
    return 0;
}

/* Who should take a frame first: those that have not failed it, then those that
 * went down with it, then those that failed it, each longest ago first; whom a
 * person wants it to avoid, last. */
static int32_t frame_rank(const struct job *job, int32_t ordinal,
                          const char *agent)
{
    const struct attempt *attempt =
        job->attempts ? job_attempt_find(job, ordinal) : NULL;
    if (job->avoid && strcmp(job->avoid, agent) == 0 &&
        ranges_has(&job->avoided, ordinal))
        return INT32_MAX;
    if (!attempt)
        return 0;
    int32_t failed = name_place(attempt->by, agent);
    return failed > 0 ? LIMIT_AGENTS + failed
                      : name_place(attempt->lost_by, agent);
}

/* Only those count that are as little benched as the agent itself: the others
 * are kept from the job, and would not come to take the frame. */
bool sched_spares(const struct core *core, const struct job *job,
                  const struct agent *agent, int32_t ordinal,
                  const struct agent *but_one)
{
    int32_t own = frame_rank(job, ordinal, agent->name);
    const struct agent *other;
    if (own == 0)
        return false;
    enum bench bench = bench_of(job, agent->name);
    DL_FOREACH (core->agents, other)
        if (other != but_one && other->rest_until_ms == 0 &&
            is_able(other, job) && bench_of(job, other->name) <= bench &&
            frame_rank(job, ordinal, other->name) < own)
            return true;
    return false;
}

/* What the agent can render until the job could end. Known once a run: what is
 * granted fills slots up to it, and leaves it where it is. */
static double share_fair(struct step *step, const struct job *job,
                         const struct agent *agent)
{
    if (step->level_job != job) {
        double rest = job->in[FRAME_PENDING].count;
        step->level_job = job;
        step->level_ms = level_ms(step, job, rest, false);
    }
    double ms = step->level_ms - pace_launch_ms(agent);
    return ms / pace_frame_ms(step->core, agent, job);
}

/* Of many nodes that nobody knows some are many times as slow as others; of a
 * few probably none, and another launch costs more. */
#define UNKNOWN_SLOTS 10
#define UNKNOWN_PART  0.3

/* Factoring by Hummel, Schonberg and Flynn (1992): the part of its share that
 * an agent gets at once shrinks with what is left and with the spread of frame
 * times, for a node that cannot give back what it has not begun. */
static double share_at_once(const struct core *core, const struct job *job,
                            const struct agent *agent, double fair)
{
    double rest = job->in[FRAME_PENDING].count;
    double spread = pace_spread(job);
    if (agent->node.can_trim)
        return floor(fair + 0.001);
    if (agent->node.classic && spread < SPREAD_ASSUMED)
        spread = SPREAD_ASSUMED;
    if (core->slots >= UNKNOWN_SLOTS && pace_is_new(agent))
        return floor(fair * UNKNOWN_PART);
    double b = (double)core->slots / (2.0 * sqrt(rest)) * spread;
    return floor(fair / (1.0 + b * b + b * sqrt(b * b + 2.0)));
}

/* At least a launch's worth, or launches are most of the work, unless that
 * leaves slots without any that no other job would fill. */
static double share_least(const struct core *core, const struct job *job,
                          const struct agent *agent, double fair)
{
    double others = (double)(core->n_queued - 1);
    double slots = fmax((double)core->slots - others, 1.0);
    double room = agent->node.can_trim ? floor(fair) : ceil(fair);
    if (others > 0.0)
        room = fmax(room, ceil(job->in[FRAME_PENDING].count / slots));
    return fmin(room, ceil(LAUNCH_MS / pace_frame_ms(core, agent, job)));
}

/* Frames of the next batch for this agent where none is fixed. */
static int32_t share_auto(struct step *step, const struct job *job,
                          const struct agent *agent)
{
    const struct core *core = step->core;
    double fair = share_fair(step, job, agent);
    double share = share_at_once(core, job, agent, fair);
    double least = share_least(core, job, agent, fair);
    share = share > least ? share : least;
    return share < 1.0 ? 1 : share < LIMIT_BATCH ? (int32_t)share : LIMIT_BATCH;
}

int32_t sched_most(const struct agent *agent, const struct job *job, int32_t lo)
{
    if (!agent->node.classic)
        return LIMIT_BATCH;
    return frames_run(&job->frames, lo)->step == 1 ? LIMIT_CLASSIC_BATCH : 1;
}

/* Frames of each batch as somebody fixed them; 0: nobody did. */
static int32_t job_batch(const struct core *core, const struct job *job)
{
    return job->batch < 0 ? core->options.batch : job->batch;
}

static int32_t share_of(struct step *step, const struct job *job,
                        const struct agent *agent, int32_t lo)
{
    int32_t batch = job_batch(step->core, job);
    int32_t n = batch > 0 ? batch : share_auto(step, job, agent);
    int32_t most = sched_most(agent, job, lo);
    return n < most ? n : most;
}

/* How far a batch that starts at lo may reach: within one span (one step on the
 * wire), within pending, all or none of it replacing a picture or avoiding an
 * agent, and a frame that was charged before alone, so that it can take nothing
 * down with it. */
static int32_t cut_end(const struct job *job, int32_t lo, int32_t most)
{
    const struct span *span = frames_run(&job->frames, lo);
    int32_t span_end = span->base + (span->last - span->first) / span->step + 1;
    int32_t end = lo + most < span_end ? lo + most : span_end;
    bool alone = job->attempts && job_attempt_find(job, lo);
    bool redo = ranges_has(&job->redo, lo);
    bool avoided = ranges_has(&job->avoided, lo);
    int32_t hi = lo + 1;
    while (!alone && hi < end && ranges_has(&job->in[FRAME_PENDING], hi) &&
           ranges_has(&job->redo, hi) == redo &&
           !(job->attempts && job_attempt_find(job, hi)) &&
           ranges_has(&job->avoided, hi) == avoided)
        hi++;
    return hi;
}

enum why why_frame(const struct core *core, const struct job *job,
                   const struct agent *agent, int32_t ordinal)
{
    if (lost_keeps(agent, job, ordinal))
        return WHY_SUSPECT;
    return sched_spares(core, job, agent, ordinal, NULL) ? WHY_SPARED
                                                         : WHY_NONE;
}

/* Finds the first pending frame this agent should take. */
static bool cut_first(const struct core *core, const struct job *job,
                      const struct agent *agent, bool suspect, int32_t *ret_lo)
{
    const struct ranges *pending = &job->in[FRAME_PENDING];
    bool plain = !job->attempts && job->avoided.count == 0;
    for (int32_t i = 0; i < pending->n; i++) {
        for (int32_t at = pending->at[i].lo; at < pending->at[i].hi; at++) {
            if (!plain && (lost_is_suspect(job, at) != suspect ||
                           why_frame(core, job, agent, at) != WHY_NONE))
                continue;
            *ret_lo = at;
            return true;
        }
    }
    return false;
}

/* Frames that may have taken their node down go behind the others. */
static bool cut_start(const struct core *core, const struct job *job,
                      const struct agent *agent, int32_t *ret_lo)
{
    return cut_first(core, job, agent, false, ret_lo) ||
           (job->attempts && cut_first(core, job, agent, true, ret_lo));
}

bool sched_welcome(const struct agent *agent, const struct job *job)
{
    return job->max_agents == 0 || job->agents < job->max_agents ||
           agent_has_job(agent, job, NULL);
}

/* What keeps it from the whole job, or NONE. */
static enum why why_kept(const struct core *core, const struct job *job,
                         const struct agent *agent)
{
    if (job->gather_ms > 0)
        return WHY_GATHERING;
    size_t need;
    enum why lacks = why_lacks(agent, job, &need);
    if (lacks != WHY_NONE)
        return lacks;
    if (sched_keeps(core, job, agent, NULL))
        return bench_of(job, agent->name) == BENCH_BENCHED ? WHY_BENCHED
                                                           : WHY_DOUBT;
    return sched_welcome(agent, job) ? WHY_NONE : WHY_MAX_AGENTS;
}

/* Where no frame is for the agent, the reason is that of the first. */
enum why why_match(const struct core *core, const struct job *job,
                   const struct agent *agent, int32_t *lo)
{
    enum why why = why_kept(core, job, agent);
    if (why != WHY_NONE || cut_start(core, job, agent, lo))
        return why;
    return why_frame(core, job, agent, job->in[FRAME_PENDING].at[0].lo);
}

bool sched_is_small(const struct job *job)
{
    return job->frames.count <= SMALL_FRAMES;
}

/* A stream of small jobs must not starve the huge one: they have less than half
 * of their user's slots, or every other turn where those are too few. */
bool sched_small_first(const struct job *small, const struct job *job)
{
    const struct user *user = small->owner;
    int32_t rest = job->in[FRAME_PENDING].count + job->in[FRAME_LEASED].count;
    return user == job->owner && sched_is_small(small) &&
           rest / SMALL_PART >= small->frames.count &&
           (!user->small_last || 2 * user->small < user->leases);
}

static const struct job *queue_first_fit(const struct core *core,
                                         const struct queue *queue,
                                         const struct agent *agent,
                                         int32_t *ret_lo)
{
    const struct job *job, *small;
    DL_FOREACH2 (queue->jobs, job, queue_next)
        if (why_match(core, job, agent, ret_lo) == WHY_NONE)
            break;
    DL_FOREACH2 (queue->small, small, small_next) {
        int32_t lo;
        if (!job || !sched_small_first(small, job))
            break;
        if (why_match(core, small, agent, &lo) != WHY_NONE)
            continue;
        *ret_lo = lo;
        return small;
    }
    return job;
}

static const struct job *pick(const struct core *core,
                              const struct agent *agent, int32_t *ret_lo)
{
    for (int priority = 100; priority >= 0; priority--) {
        const struct job *best = NULL;
        const struct queue *queue;
        DL_FOREACH2 (core->rank[priority], queue, rank_next) {
            if (best && queue->user->leases >= best->owner->leases)
                continue;
            int32_t lo = 0;
            const struct job *job = queue_first_fit(core, queue, agent, &lo);
            if (job) {
                best = job;
                *ret_lo = lo;
            }
        }
        if (best)
            return best;
    }
    return NULL;
}

const struct job *why_next(const struct core *core, const struct agent *agent)
{
    int32_t lo;
    return pick(core, agent, &lo);
}

struct why_agent why_agent(const struct core *core, const struct job *job,
                           const struct agent *agent, int32_t ordinal)
{
    struct why_agent ret = {.why = why_stays(agent)};
    int32_t lo;
    if (ret.why == WHY_NONE)
        ret.why = why_lacks(agent, job, &ret.need);
    if (ret.why == WHY_NONE)
        ret.why = why_kept(core, job, agent);
    if (ret.why == WHY_NONE)
        ret.why = ordinal < 0 ? why_match(core, job, agent, &lo)
                              : why_frame(core, job, agent, ordinal);
    if (ret.why == WHY_NONE)
        ret.why = why_room(agent);
    if (ret.why == WHY_BUSY)
        ret.next = why_next(core, agent);
    return ret;
}

enum why_first why_first(const struct job *first, const struct job *job)
{
    if (first->priority != job->priority)
        return FIRST_PRIORITY;
    if (first->owner != job->owner)
        return FIRST_SHARE;
    return first->number < job->number ? FIRST_AGE : FIRST_SMALL;
}

void sched_lease(struct step *step, const struct agent *agent,
                 const struct job *job, struct range run, bool copy)
{
    const struct core *core = step->core;
    struct event event = {
        .type = EVENT_LEASED,
        .job = job->id,
        .agent = agent->name,
        .lease = LEASE_ID(core->epoch, core->counter + 1),
        .lo = run.lo,
        .hi = run.hi,
        .number = (int32_t)(agent->lane_sent + 1),
        .flag = copy,
        .lane = agent->lane,
    };
    step_emit(step, &event);
}

/* One that would not have rendered a frame by the time all others are done is
 * asked last. */
static bool is_too_slow(struct step *step, const struct job *job,
                        const struct agent *agent)
{
    return job_batch(step->core, job) == 0 &&
           share_fair(step, job, agent) < 0.99;
}

static bool grant(struct step *step, const struct agent *agent, bool slow_too)
{
    const struct core *core = step->core;
    struct range run = {0};
    const struct job *job = pick(core, agent, &run.lo);
    if (!job || (!slow_too && is_too_slow(step, job, agent)))
        return false;
    run.hi = cut_end(job, run.lo, share_of(step, job, agent, run.lo));
    sched_lease(step, agent, job, run, false);
    return true;
}

/* told: whoever asks why is told what is so. */
static void sched_check_why(const struct core *core)
{
    const struct agent *agent;
    const struct job *job;
    DL_FOREACH2 (core->idle, agent, idle_next) {
        assert(why_room(agent) == WHY_NONE);
        DL_FOREACH (core->jobs, job)
            assert(job->place != PLACE_QUEUE ||
                   why_agent(core, job, agent, -1).why != WHY_NONE);
    }
}

void sched_check(const struct core *core)
{
    const struct agent *agent;
    int32_t lo = 0;
    if (core->n_queued == 0 || core->epoch == 0)
        return;
    DL_FOREACH2 (core->idle, agent, idle_next)
        assert(!pick(core, agent, &lo));
    sched_check_why(core);
}

/* One lease an agent and round, so that nobody waits while another is filled.
 */
static bool grant_round(struct step *step, bool slow_too)
{
    bool any = false;
    struct agent *agent, *next;
    for (agent = step->core->idle; agent; agent = next) {
        next = agent->idle_next;
        if (step->core->n_queued == 0)
            return false;
        any = grant(step, agent, slow_too) || any;
    }
    return any;
}

void sched_run(struct step *step)
{
    struct core *core = step->core;
    if (!core->wake || core->epoch == 0)
        return;
    core->wake = false;
    step->level_job = NULL;
    for (int slow_too = 0; slow_too < 2; slow_too++)
        while (core->n_queued > 0 && core->idle && grant_round(step, slow_too))
            ;
    if (core->idle && core->totals[FRAME_LEASED] > 0)
        tail_run(step);
    if (core->n_queued > 0 && core->crowded)
        yield_run(step);
    core->crowded = false;
}
