/* SPDX-License-Identifier: Apache-2.0
 *
 * How agents stand in a job of which they failed frames. A frame that one agent
 * failed and another rendered tells of the agent, one that all fail tells of
 * the frame; so an agent is judged only by what others made of its failures.
 * Who is benched takes no frames of that job while anybody better can, and
 * never keeps a job from ending: the best there are go on.
 */
#include "broker/core/core_internal.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"

/* As many as Hadoop (mapreduce.job.maxtaskfailures.per.tracker) and Flamenco
 * (blocklist_threshold) wait for. */
#define BENCH_FRAMES 3

static struct standing *standing_find(const struct job *job, const char *agent)
{
    struct standing *standing;
    LL_FOREACH (job->standings, standing)
        if (strcmp(standing->name, agent) == 0)
            return standing;
    return NULL;
}

static struct standing *standing_get(struct job *job, const char *agent)
{
    struct standing *standing = standing_find(job, agent);
    if (standing)
        return standing;
    standing = mem_new(sizeof *standing);
    standing->job = job;
    standing->name = mem_text(agent);
    LL_APPEND(job->standings, standing);
    return standing;
}

/* The one agent that failed a frame which has not ended: nobody else has shown
 * yet whose fault it was. NULL where there is no such frame or agent. */
static const char *only_failed_by(const struct job *job,
                                  const struct attempt *attempt)
{
    if (!attempt || !attempt->by || attempt->by->next)
        return NULL;
    bool open = ranges_has(&job->in[FRAME_PENDING], attempt->ordinal) ||
                ranges_has(&job->in[FRAME_LEASED], attempt->ordinal);
    return open ? attempt->by->name : NULL;
}

static void open_add(struct job *job, const struct attempt *attempt, int32_t by)
{
    const char *agent = only_failed_by(job, attempt);
    if (agent)
        standing_get(job, agent)->open += by;
}

void bench_failed(struct job *job, struct attempt *attempt, const char *agent)
{
    open_add(job, attempt, -1);
    names_remove(&attempt->by, agent);
    names_add(&attempt->by, agent);
    open_add(job, attempt, 1);
}

void bench_ended(struct job *job, const struct ranges *set)
{
    const struct attempt *attempt;
    for (attempt = job->attempts; attempt; attempt = attempt->hh.next)
        if (ranges_has(set, attempt->ordinal))
            open_add(job, attempt, -1);
}

void bench_done(struct job *job, int32_t ordinal, const char *agent)
{
    const struct attempt *attempt = job_attempt_find(job, ordinal);
    struct standing *own = standing_find(job, agent);
    const struct agent_name *by;
    if (own)
        own->done++;
    open_add(job, attempt, -1);
    LL_FOREACH (attempt ? attempt->by : NULL, by)
        if (strcmp(by->name, agent) != 0)
            standing_get(job, by->name)->wrong++;
}

void bench_set(struct job *job, struct agent *agent)
{
    struct standing *standing = standing_get(job, agent->name);
    if (standing->agent)
        return;
    standing->benched = true;
    standing->agent = agent;
    DL_APPEND2(agent->benches, standing, agent_prev, agent_next);
}

void bench_restore(struct job *job, const struct fate_standing *from,
                   struct agent *agent)
{
    struct standing *standing = standing_get(job, from->name);
    standing->wrong = from->wrong;
    standing->done = from->done;
    if (agent)
        bench_set(job, agent);
}

static void standing_unlink(struct standing *standing)
{
    if (standing->agent)
        DL_DELETE2(standing->agent->benches, standing, agent_prev, agent_next);
    standing->agent = NULL;
}

void bench_clear(struct job *job)
{
    struct standing *standing, *next;
    LL_FOREACH_SAFE (job->standings, standing, next) {
        standing_unlink(standing);
        mem_free(standing->name);
        mem_free(standing);
    }
    job->standings = NULL;
    const struct attempt *attempt;
    for (attempt = job->attempts; attempt; attempt = attempt->hh.next)
        open_add(job, attempt, 1);
}

void bench_forget(struct agent *agent)
{
    while (agent->benches)
        standing_unlink(agent->benches);
}

enum bench bench_of(const struct job *job, const char *agent)
{
    const struct standing *standing = standing_find(job, agent);
    if (standing && standing->benched)
        return BENCH_BENCHED;
    bool many = standing && standing->open >= BENCH_FRAMES;
    return many || names_have(job->likely, agent) ? BENCH_DOUBT : BENCH_NONE;
}

static void judge(struct step *step, const struct standing *standing)
{
    if (standing->benched || standing->wrong < BENCH_FRAMES ||
        standing->wrong <= standing->done)
        return;
    struct event event = {.type = EVENT_BENCHED,
                          .job = standing->job->id,
                          .agent = standing->name,
                          .number = standing->wrong};
    step_emit(step, &event);
}

void bench_judge(struct step *step, const struct job *job)
{
    const struct standing *standing;
    LL_FOREACH (job->standings, standing)
        judge(step, standing);
}

bool bench_is_just(const struct job *job, const char *agent)
{
    const struct standing *standing = standing_find(job, agent);
    return standing && standing->wrong >= BENCH_FRAMES;
}

/* bench-is-just, open-failures: see check.c. */
void bench_check(const struct job *job)
{
    const struct standing *standing;
    LL_FOREACH (job->standings, standing) {
        const struct attempt *attempt;
        int32_t open = 0;
        for (attempt = job->attempts; attempt; attempt = attempt->hh.next) {
            const char *agent = only_failed_by(job, attempt);
            open += agent && strcmp(agent, standing->name) == 0;
        }
        assert(standing->open == open);
        assert(!standing->benched || standing->wrong >= BENCH_FRAMES);
        assert(!standing->agent || standing->benched);
    }
}
