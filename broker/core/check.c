/* SPDX-License-Identifier: Apache-2.0
 *
 * Every invariant of the state, by name, as an assertion; and the digest that
 * a replay must reproduce. Run after every step by the tests, the simulator
 * and the fuzzer.
 */
#include "broker/core/core_internal.h"

#include <assert.h>
#include <string.h>

/* frame-in-one-state: the five sets are disjoint and complete. */
static void check_states(const struct job *job)
{
    struct ranges all = {0};
    int32_t sum = 0;
    for (int i = 0; i < FRAME_STATES; i++) {
        ranges_check(&job->in[i]);
        ranges_add_all(&all, &job->in[i]);
        sum += job->in[i].count;
    }
    assert(sum == job->frames.count && all.count == sum);
    assert(sum == 0 || (all.n == 1 && all.at[0].lo == 0));
    ranges_free(&all);
}

/* one-holder: each leased frame is held by exactly one lease, and no other
 * frame by any. within-lease: held in left in [lo, hi). doubled: told where a
 * lease renders what it does not own. */
static void check_leases(const struct job *job)
{
    struct ranges held = {0};
    int32_t sum = 0;
    const struct lease *lease;
    DL_FOREACH2 (job->leases, lease, job_next) {
        struct ranges inside = {0};
        ranges_check(&lease->left);
        ranges_check(&lease->held);
        ranges_within(&lease->left, lease->lo, lease->hi, &inside);
        assert(inside.count == lease->left.count);
        ranges_add_all(&inside, &lease->held);
        assert(inside.count == lease->left.count);
        ranges_free(&inside);
        ranges_add_all(&held, &lease->held);
        sum += lease->held.count;
        assert(job->doubled || lease->held.count == lease->left.count);
        assert(lease->job == job && lease->lo < lease->hi);
    }
    assert(held.count == sum);
    assert(ranges_equal(&held, &job->in[FRAME_LEASED]));
    ranges_free(&held);
}

/* left-is-open: what a lease still renders is neither ended nor unknown. */
static void check_left(const struct job *job)
{
    const struct lease *lease;
    DL_FOREACH2 (job->leases, lease, job_next) {
        for (int32_t i = 0; i < lease->left.n; i++)
            for (int s = FRAME_DONE; s <= FRAME_CANCELLED; s++)
                assert(!ranges_meets(&job->in[s], lease->left.at[i].lo,
                                     lease->left.at[i].hi));
    }
}

/* attempts-bounded: charged less often than allowed, unless failed. */
static void check_attempts(const struct core *core, const struct job *job)
{
    const struct attempt *attempt;
    for (attempt = job->attempts; attempt; attempt = attempt->hh.next) {
        assert(attempt->ordinal < job->frames.count);
        if (!ranges_has(&job->in[FRAME_FAILED], attempt->ordinal) &&
            !ranges_has(&job->in[FRAME_CANCELLED], attempt->ordinal))
            assert(attempt->charges < job_max_attempts(core, job));
    }
}

/* placed: a job stands in the list its state asks for. */
static void check_place(const struct core *core, const struct job *job)
{
    bool open = job->in[FRAME_PENDING].count > 0 && !job->paused;
    assert((job->place != PLACE_NONE) == open);
    assert((job->place == PLACE_QUEUE) == (job->queue != NULL));
    if (job->place == PLACE_QUEUE) {
        assert(job->gate <= core->committed);
        assert(job->queue->priority == job->priority);
    }
    assert((job->ended_ms != 0) == job_ended(job));
}

static int32_t distinct_agents(const struct job *job)
{
    int32_t n = 0;
    const struct lease *lease, *other;
    DL_FOREACH2 (job->leases, lease, job_next) {
        bool first = true;
        for (other = job->leases; other != lease; other = other->job_next)
            first = first && other->agent != lease->agent;
        n += first;
    }
    return n;
}

/* credit: no agent is sent more than its slots; agent-has-room matches. */
static void check_agent(const struct core *core, const struct agent *agent)
{
    int64_t out = 0;
    const struct lease *lease;
    DL_FOREACH2 (agent->leases, lease, agent_next) {
        assert(lease->agent == agent);
        out += lease->lane == agent->lane && lease->dseq > agent->lane_seen;
    }
    assert(agent->room == agent_free(agent));
    assert(agent->life != AGENT_LOST || !agent->leases || core->epoch == 0);
    assert(!agent->lane_ok || agent->lane != 0);
    assert(agent->lane_seen <= agent->lane_sent || !agent->lane_ok);
    assert(out <= LIMIT_SLOTS);
}

/* totals: the sums over all jobs. */
static void check_totals(const struct core *core)
{
    int64_t totals[FRAME_STATES] = {0}, jobs_as[JOB_STATES] = {0};
    int32_t jobs = 0, queued = 0;
    const struct job *job;
    DL_FOREACH (core->jobs, job) {
        jobs++;
        queued += job->place == PLACE_QUEUE;
        jobs_as[job_status(job)]++;
        for (int i = 0; i < FRAME_STATES; i++)
            totals[i] += job->in[i].count;
    }
    assert(jobs == core->n_jobs && queued == core->n_queued);
    assert(memcmp(totals, core->totals, sizeof totals) == 0);
    assert(memcmp(jobs_as, core->jobs_as, sizeof jobs_as) == 0);
    const struct user *user;
    int64_t leased = 0, owned = 0;
    for (user = core->users; user; user = user->hh.next) {
        assert(user->jobs > 0);
        leased += user->leases;
        owned += user->jobs;
    }
    assert(leased == (int64_t)HASH_COUNT(core->leases) &&
           owned == core->n_jobs);
}

void core_check(const struct core *core)
{
    const struct job *job;
    DL_FOREACH (core->jobs, job) {
        check_states(job);
        check_leases(job);
        check_left(job);
        check_attempts(core, job);
        bench_check(job);
        check_place(core, job);
        assert(job->agents == distinct_agents(job));
    }
    const struct agent *agent;
    DL_FOREACH (core->agents, agent)
        check_agent(core, agent);
    check_totals(core);
    sched_check(core); /* nobody-waits-for-nothing */
}

/* FNV-1a, folded field by field so that padding does not count. */
static void fold(uint64_t *digest, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < n; i++)
        *digest = (*digest ^ at[i]) * 1099511628211u;
}

static void fold_text(uint64_t *digest, const char *text)
{
    fold(digest, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void fold_number(uint64_t *digest, int64_t number)
{
    fold(digest, &number, sizeof number);
}

static void fold_ranges(uint64_t *digest, const struct ranges *set)
{
    fold_number(digest, set->n);
    for (int32_t i = 0; i < set->n; i++) {
        fold_number(digest, set->at[i].lo);
        fold_number(digest, set->at[i].hi);
    }
}

static void fold_attempts(uint64_t *digest, const struct job *job)
{
    uint64_t sum = 0; /* the order of a hash table does not count */
    const struct attempt *attempt;
    for (attempt = job->attempts; attempt; attempt = attempt->hh.next) {
        uint64_t one = 14695981039346656037u;
        fold_number(&one, attempt->ordinal);
        fold_number(&one, attempt->charges);
        fold_number(&one, attempt->copies);
        fold_number(&one, attempt->losses);
        fold_number(&one, (int64_t)attempt->lease);
        fold_number(&one, attempt->fault);
        fold_text(&one, attempt->text);
        const struct agent_name *by;
        LL_FOREACH (attempt->by, by)
            fold_text(&one, by->name);
        LL_FOREACH (attempt->lost_by, by)
            fold_text(&one, by->name);
        sum += one;
    }
    fold(digest, &sum, sizeof sum);
}

static void fold_standings(uint64_t *digest, const struct job *job)
{
    const struct standing *standing;
    LL_FOREACH (job->standings, standing) {
        fold_text(digest, standing->name);
        fold_number(digest, standing->open);
        fold_number(digest, standing->wrong);
        fold_number(digest, standing->done);
        fold_number(digest, standing->benched);
    }
    const struct agent_name *likely;
    LL_FOREACH (job->likely, likely)
        fold_text(digest, likely->name);
}

static void fold_job(uint64_t *digest, const struct job *job)
{
    const char *texts[] = {job->id,     job->name,  job->user,
                           job->key,    job->doc,   job->render,
                           job->reason, job->avoid, job->trace};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        fold_text(digest, texts[i]);
    int64_t numbers[] = {
        job->priority,   job->paused,       job->max_agents,
        job->created_ms, job->ended_ms,     job->fault,
        job->times.n,    job->times.max_ms, (int64_t)job->fence};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        fold_number(digest, numbers[i]);
    struct ranges open = {0};
    ranges_add_all(&open, &job->in[FRAME_PENDING]);
    ranges_add_all(&open, &job->in[FRAME_LEASED]);
    fold_ranges(digest, &open);
    ranges_free(&open);
    for (int i = FRAME_DONE; i < FRAME_STATES; i++)
        fold_ranges(digest, &job->in[i]);
    fold_ranges(digest, &job->redo);
    fold_ranges(digest, &job->avoided);
    fold_attempts(digest, job);
    fold_standings(digest, job);
}

uint64_t core_digest(const struct core *core)
{
    uint64_t digest = 14695981039346656037u;
    const struct job *job;
    DL_FOREACH (core->jobs, job)
        fold_job(&digest, job);
    uint64_t sum = 0;
    const struct agent *agent;
    DL_FOREACH (core->agents, agent) {
        uint64_t one = 14695981039346656037u;
        fold_text(&one, agent->name);
        fold_number(&one, agent->drain);
        fold_number(&one, agent->drain_until_ms);
        sum += agent->drain == DRAIN_OFF ? 0 : one;
    }
    fold(&digest, &sum, sizeof sum);
    return digest;
}
