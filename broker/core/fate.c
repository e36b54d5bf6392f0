/* SPDX-License-Identifier: Apache-2.0
 *
 * What became of a job, as one value and back. All that a replay of the job's
 * events comes to is in it: a field of struct job that is not soft and is no
 * part of SUBMITTED stands here too, or it is lost when the ledger packs the
 * job. What the job added to its agents goes along, for their events go.
 */
#include "broker/core/core_internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/mem.h"

static uint64_t bits_of(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static double number_of(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static const char *word_of(enum fault fault)
{
    return fault == FAULT_NONE ? "" : fault_word(fault);
}

static enum fault fault_of(const char *word)
{
    return word[0] == '\0' ? FAULT_NONE : fault_find(word);
}

/* --- From a job. All is lent by the job, but for the lists. --- */

static const char *const *names_list(const struct agent_name *names,
                                     struct arena *arena, size_t *ret_n)
{
    const struct agent_name *name;
    size_t n = 0;
    LL_FOREACH (names, name)
        n++;
    const char **list = arena_new(arena, n * sizeof *list);
    *ret_n = 0;
    LL_FOREACH (names, name)
        list[(*ret_n)++] = name->name;
    return list;
}

static void give_ranges(const struct job *job, struct job_fate *fate)
{
    const struct ranges *in = job->in;
    fate->done = in[FRAME_DONE].at;
    fate->n_done = (size_t)in[FRAME_DONE].n;
    fate->failed = in[FRAME_FAILED].at;
    fate->n_failed = (size_t)in[FRAME_FAILED].n;
    fate->cancelled = in[FRAME_CANCELLED].at;
    fate->n_cancelled = (size_t)in[FRAME_CANCELLED].n;
    fate->redo = job->redo.at;
    fate->n_redo = (size_t)job->redo.n;
    fate->avoided = job->avoided.at;
    fate->n_avoided = (size_t)job->avoided.n;
}

static void give_times(const struct times *times, struct arena *arena,
                       struct job_fate *fate)
{
    fate->max_ms = times->max_ms;
    fate->mean_bits = bits_of(times->mean_ms);
    fate->m2_bits = bits_of(times->m2);
    struct fate_bucket *buckets =
        arena_new(arena, TIMES_BUCKETS * sizeof *buckets);
    for (int32_t i = 0; times->bucket && i < TIMES_BUCKETS; i++)
        if (times->bucket[i] > 0)
            buckets[fate->n_buckets++] =
                (struct fate_bucket){i, (int32_t)times->bucket[i]};
    fate->buckets = buckets;
}

/* In their order: a group of failures shows the text of its first. */
static void give_attempts(const struct job *job, struct arena *arena,
                          struct job_fate *fate)
{
    struct fate_attempt *list =
        arena_new(arena, HASH_COUNT(job->attempts) * sizeof *list);
    const struct attempt *attempt;
    for (attempt = job->attempts; attempt; attempt = attempt->hh.next) {
        struct fate_attempt *to = &list[fate->n_attempts++];
        *to =
            (struct fate_attempt){.ordinal = attempt->ordinal,
                                  .charges = attempt->charges,
                                  .copies = attempt->copies,
                                  .losses = attempt->losses,
                                  .lease = attempt->lease,
                                  .fault = word_of((enum fault)attempt->fault),
                                  .text = attempt->text};
        to->by = names_list(attempt->by, arena, &to->n_by);
        to->lost_by = names_list(attempt->lost_by, arena, &to->n_lost_by);
    }
    fate->attempts = list;
}

static void give_standings(const struct job *job, struct arena *arena,
                           struct job_fate *fate)
{
    const struct standing *standing;
    LL_FOREACH (job->standings, standing)
        fate->n_standings++;
    struct fate_standing *list =
        arena_new(arena, fate->n_standings * sizeof *list);
    fate->standings = list;
    LL_FOREACH (job->standings, standing)
        *list++ = (struct fate_standing){standing->name, standing->wrong,
                                         standing->done, standing->benched};
}

static void give_agents(const struct core *core, struct arena *arena,
                        struct job_fate *fate)
{
    struct fate_agent *list =
        arena_new(arena, (size_t)core->n_agents * sizeof *list);
    const struct agent *agent;
    DL_FOREACH (core->agents, agent)
        list[fate->n_agents++] = (struct fate_agent){
            agent->name, agent->done, agent->charged, bits_of(agent->speed)};
    fate->agents = list;
}

bool core_pack(const struct core *core, const char *id, struct arena *arena,
               struct event *ret)
{
    const struct job *job = job_find(core, id);
    if (!job || !job_ended(job) || job->leases)
        return false;
    assert(core->n_jobs == 1);
    struct job_fate *fate = arena_new(arena, sizeof *fate);
    *fate = (struct job_fate){.priority = job->priority,
                              .max_agents = job->max_agents,
                              .paused = job->paused,
                              .reason = job->reason,
                              .fault = word_of(job->fault),
                              .avoid = job->avoid,
                              .started_ms = job->started_ms,
                              .ended_ms = job->ended_ms,
                              .fence = job->fence,
                              .revision = job->revision};
    give_ranges(job, fate);
    give_times(&job->times, arena, fate);
    fate->blenders = names_list(job->blenders, arena, &fate->n_blenders);
    fate->likely = names_list(job->likely, arena, &fate->n_likely);
    fate->versions = versions_text(job, arena);
    give_attempts(job, arena, fate);
    give_standings(job, arena, fate);
    give_agents(core, arena, fate);
    *ret = (struct event){.type = EVENT_PACKED, .job = job->id, .fate = fate};
    return true;
}

/* --- The check. --- */

static bool within(const struct job *job, const struct range *runs, size_t n)
{
    return n == 0 || (runs[0].lo >= 0 && runs[n - 1].hi <= job->frames.count);
}

/* Each frame has ended in one way: the three sets take turns without a gap. */
static bool is_whole(const struct job *job, const struct job_fate *fate)
{
    const struct range *runs[] = {fate->done, fate->failed, fate->cancelled};
    size_t left[] = {fate->n_done, fate->n_failed, fate->n_cancelled};
    int32_t at = 0;
    for (int k = 0; k < 3;) {
        if (left[k] > 0 && runs[k]->lo == at) {
            at = runs[k]->hi;
            runs[k]++;
            left[k]--;
            k = 0;
        } else {
            k++;
        }
    }
    return at == job->frames.count && left[0] + left[1] + left[2] == 0;
}

static bool numbers_fit(const struct job_fate *fate)
{
    for (size_t i = 0; i < fate->n_agents; i++)
        if (!isfinite(1.0 / number_of(fate->agents[i].speed_bits)))
            return false;
    return isfinite(number_of(fate->mean_bits)) &&
           isfinite(number_of(fate->m2_bits));
}

const char *fate_misfit(const struct job *job, const struct job_fate *fate)
{
    if (!within(job, fate->done, fate->n_done) ||
        !within(job, fate->failed, fate->n_failed) ||
        !within(job, fate->cancelled, fate->n_cancelled) ||
        !within(job, fate->redo, fate->n_redo) ||
        !within(job, fate->avoided, fate->n_avoided))
        return "names frames the job does not have";
    for (size_t i = 0; i < fate->n_attempts; i++)
        if (fate->attempts[i].ordinal >= job->frames.count)
            return "names frames the job does not have";
    if (!is_whole(job, fate))
        return "leaves out frames of the job";
    if (fate->ended_ms <= 0)
        return "has no end";
    return numbers_fit(fate) ? NULL : "has a number that is none";
}

/* --- Into a job. --- */

static void take_names(struct agent_name **names, const char *const *list,
                       size_t n)
{
    names_free(names);
    for (size_t i = 0; i < n; i++)
        names_add(names, list[i]);
}

static void take_runs(struct ranges *set, const struct range *runs, size_t n)
{
    ranges_free(set);
    for (size_t i = 0; i < n; i++)
        ranges_add(set, runs[i].lo, runs[i].hi);
}

static void take_text(char **text, const char *from)
{
    mem_free(*text);
    *text = from && from[0] != '\0' ? mem_text(from) : NULL;
}

static void take_times(struct times *times, const struct job_fate *fate)
{
    times_free(times);
    if (fate->n_buckets == 0)
        return;
    times->bucket = mem_new(TIMES_BUCKETS * sizeof *times->bucket);
    for (size_t i = 0; i < fate->n_buckets; i++) {
        times->bucket[fate->buckets[i].bucket] =
            (uint32_t)fate->buckets[i].frames;
        times->n += fate->buckets[i].frames;
    }
    times->max_ms = fate->max_ms;
    times->mean_ms = number_of(fate->mean_bits);
    times->m2 = number_of(fate->m2_bits);
}

static void take_attempts(struct job *job, const struct job_fate *fate)
{
    for (size_t i = 0; i < fate->n_attempts; i++) {
        const struct fate_attempt *from = &fate->attempts[i];
        struct attempt *attempt = job_attempt(job, from->ordinal);
        attempt->charges = from->charges;
        attempt->copies = from->copies;
        attempt->losses = from->losses;
        attempt->lease = from->lease;
        attempt->fault = (int32_t)fault_of(from->fault);
        mem_free(attempt->text);
        attempt->text = mem_text(from->text);
        take_names(&attempt->by, from->by, from->n_by);
        take_names(&attempt->lost_by, from->lost_by, from->n_lost_by);
    }
}

static void take_standings(struct core *core, struct job *job,
                           const struct job_fate *fate)
{
    for (size_t i = 0; i < fate->n_standings; i++)
        bench_restore(job, &fate->standings[i],
                      fate->standings[i].benched
                          ? agent_get(core, fate->standings[i].name)
                          : NULL);
}

/* As if its frames of this job had come now: what they leave of the speed of
 * before, and what they brought. */
static void take_agent(struct core *core, const struct fate_agent *from)
{
    struct agent *agent = agent_get(core, from->name);
    double left = 1.0;
    for (int64_t i = 0; i < from->done && left > 1e-9; i++)
        left *= 1.0 - PACE_NEW;
    double slow = 1.0 / number_of(from->speed_bits);
    slow += left * (1.0 / agent->speed - 1.0);
    agent->speed = slow > 0.05 ? 1.0 / slow : 20.0;
    agent->done += from->done;
    agent->charged += from->charged;
    agent_refresh(core, agent);
}

void fate_take(struct core *core, struct job *job, const struct job_fate *fate)
{
    job->priority = fate->priority;
    job->max_agents = fate->max_agents;
    job->paused = fate->paused;
    take_text(&job->reason, fate->reason);
    take_text(&job->avoid, fate->avoid);
    job->fault = fault_of(fate->fault);
    job->started_ms = fate->started_ms;
    job->fence = fate->fence;
    take_runs(&job->redo, fate->redo, fate->n_redo);
    take_runs(&job->avoided, fate->avoided, fate->n_avoided);
    take_names(&job->blenders, fate->blenders, fate->n_blenders);
    take_names(&job->likely, fate->likely, fate->n_likely);
    versions_take(job, fate->versions ? fate->versions : "");
    take_times(&job->times, fate);
    pace_take(core, job);
    job_attempts_drop(job, NULL);
    bench_clear(job);
    take_attempts(job, fate);
    take_standings(core, job, fate);
    for (size_t i = 0; i < fate->n_agents; i++)
        take_agent(core, &fate->agents[i]);
}
