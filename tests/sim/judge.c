/* SPDX-License-Identifier: Apache-2.0
 *
 * What must never happen, whatever the weather. The judge keeps books of its
 * own from the events alone, in the plainest form (one entry a frame), and
 * names every rule that is broken. After a crash it begins anew with the
 * events that the ledger still has.
 */
#include "tests/sim/world.h"

#include <inttypes.h>

#include "common/mem.h"

enum verdict { OPEN, DONE, FAILED, CANCELLED };

struct judged_frame {
    enum verdict verdict;
    int32_t charges;
    int64_t retried_ms;
    uint64_t done_seq; /* ledger number of the DONE */
};

struct judged_job {
    char id[LIMIT_ID + 1];
    struct frames frames;
    int32_t max_attempts;
    uint64_t gate; /* ledger number of SUBMITTED or RETRIED */
    struct judged_frame *at;
    UT_hash_handle hh;
};

struct judged_lease {
    uint64_t id;
    struct judged_job *job; /* NULL once that is forgotten */
    bool live, charged;
    UT_hash_handle hh;
};

struct judge {
    struct judged_job *jobs;
    struct judged_lease *leases;
};

struct judge *judge_new(void)
{
    return mem_new(sizeof(struct judge));
}

static void job_drop(struct judge *judge, struct judged_job *job)
{
    struct judged_lease *lease;
    for (lease = judge->leases; lease; lease = lease->hh.next)
        if (lease->job == job) {
            lease->job = NULL;
            lease->live = false;
        }
    HASH_DEL(judge->jobs, job);
    frames_free(&job->frames);
    mem_free(job->at);
    mem_free(job);
}

void judge_reset(struct judge *judge)
{
    struct judged_job *job, *next_job;
    struct judged_lease *lease, *next_lease;
    HASH_ITER (hh, judge->leases, lease, next_lease) {
        HASH_DEL(judge->leases, lease);
        mem_free(lease);
    }
    HASH_ITER (hh, judge->jobs, job, next_job)
        job_drop(judge, job);
}

void judge_free(struct judge **judge)
{
    judge_reset(*judge);
    mem_free(*judge);
    *judge = NULL;
}

static struct judged_job *job_of(const struct world *world,
                                 const struct event *event)
{
    struct judged_job *job = NULL;
    HASH_FIND_STR(world->judge->jobs, event->job, job);
    if (!job)
        fail(world, "jobs-stay", "%s of %s", event_word(event->type),
             event->job);
    return job;
}

static struct judged_lease *lease_of(const struct world *world, uint64_t id)
{
    struct judged_lease *lease = NULL;
    HASH_FIND(hh, world->judge->leases, &id, sizeof id, lease);
    return lease;
}

/* --- Events, one by one. --- */

static void on_submitted(struct world *world, const struct event *event)
{
    struct judged_job *job = mem_new(sizeof *job);
    const struct job_spec *spec = event->spec;
    memcpy(job->id, spec->id, strlen(spec->id));
    frames_copy(&job->frames, &spec->frames);
    job->max_attempts = spec->max_attempts > 0 ? spec->max_attempts
                                               : world->options.max_attempts;
    job->gate = event->seq;
    job->at = mem_new((size_t)spec->frames.count * sizeof *job->at);
    HASH_ADD_STR(world->judge->jobs, id, job);
}

/* Every member of the event's frames in one of the states goes to another;
 * others are not touched. */
static void move(struct judged_job *job, const struct ranges *set,
                 enum verdict to)
{
    for (int32_t i = 0; i < set->n; i++)
        for (int32_t at = set->at[i].lo; at < set->at[i].hi; at++)
            job->at[at].verdict = to;
}

static void expect_open(const struct world *world, const struct judged_job *job,
                        const struct ranges *set, const char *what)
{
    for (int32_t i = 0; i < set->n; i++)
        for (int32_t at = set->at[i].lo; at < set->at[i].hi; at++)
            if (job->at[at].verdict != OPEN)
                fail(world, "ends-once", "%s %s: frame %d of it ended before",
                     job->id, what, frames_number(&job->frames, at));
}

static void on_cancelled(struct world *world, const struct event *event)
{
    struct judged_job *job = job_of(world, event);
    expect_open(world, job, event->frames, "cancelled");
    move(job, event->frames, CANCELLED);
}

static void on_retried(struct world *world, const struct event *event)
{
    struct judged_job *job = job_of(world, event);
    const struct ranges *set = event->frames;
    job->gate = event->seq;
    for (int32_t i = 0; i < set->n; i++)
        for (int32_t at = set->at[i].lo; at < set->at[i].hi; at++) {
            if (job->at[at].verdict == OPEN)
                fail(world, "retry-of-ended", "%s frame %d", job->id,
                     frames_number(&job->frames, at));
            job->at[at] = (struct judged_frame){.verdict = OPEN,
                                                .retried_ms = event->at_ms};
        }
}

static void on_forgotten(struct world *world, const struct event *event)
{
    struct judged_job *job = job_of(world, event);
    for (int32_t at = 0; at < job->frames.count; at++)
        if (job->at[at].verdict == OPEN)
            fail(world, "forgets-ended-jobs", "%s", job->id);
    job_drop(world->judge, job);
}

static struct judged_lease *expect_live(const struct world *world,
                                        const struct event *event)
{
    struct judged_lease *lease = lease_of(world, event->lease);
    if (!lease || !lease->live)
        fail(world, "reports-of-live-leases", "%s by lease %" PRIx64,
             event_word(event->type), event->lease);
    return lease;
}

static void on_done(struct world *world, const struct event *event)
{
    struct judged_job *job = job_of(world, event);
    struct judged_frame *frame = &job->at[event->lo];
    int64_t began_ms = strtoll(event->text + 1, NULL, 10);
    if (LEASE_EPOCH(event->lease) == world->hub.epoch)
        expect_live(world, event);
    if (frame->verdict != OPEN)
        fail(world, "done-once", "%s frame %d", job->id,
             frames_number(&job->frames, event->lo));
    if (began_ms < frame->retried_ms)
        fail(world, "retry-means-anew",
             "%s frame %d began %" PRId64 ", retried %" PRId64, job->id,
             frames_number(&job->frames, event->lo), began_ms,
             frame->retried_ms);
    frame->verdict = DONE;
    frame->done_seq = event->seq;
}

/* A launch fails once, and costs one attempt of one frame at most. */
static struct judged_frame *charge(struct world *world,
                                   const struct event *event, int32_t ordinal)
{
    struct judged_job *job = job_of(world, event);
    struct judged_lease *lease = expect_live(world, event);
    if (lease->charged)
        fail(world, "charged-once", "%s by lease %" PRIx64, job->id, lease->id);
    lease->charged = true;
    struct judged_frame *frame = &job->at[ordinal];
    if (frame->verdict != OPEN)
        fail(world, "charges-open-frames", "%s frame %d", job->id,
             frames_number(&job->frames, ordinal));
    frame->charges++;
    bool last = frame->charges >= job->max_attempts;
    if (last != (event->type == EVENT_FAILED))
        fail(world, "attempts-bounded", "%s frame %d charged %d times", job->id,
             frames_number(&job->frames, ordinal), frame->charges);
    return frame;
}

/* The failure of a second copy is noted, and costs nothing. */
static void on_charged(struct world *world, const struct event *event)
{
    if (event->flag)
        expect_live(world, event)->charged = true;
    else
        charge(world, event, event->lo);
}

static void on_failed(struct world *world, const struct event *event)
{
    struct judged_job *job = job_of(world, event);
    if (!event->flag) {
        charge(world, event, event->frames->at[0].lo)->verdict = FAILED;
        return;
    }
    expect_live(world, event);
    expect_open(world, job, event->frames, "failed");
    move(job, event->frames, FAILED);
}

static void on_leased(struct world *world, const struct event *event)
{
    struct judged_job *job = job_of(world, event);
    struct judged_lease *lease = lease_of(world, event->lease);
    struct range run = {event->lo, event->hi};
    struct ranges set = {.at = &run, .n = 1, .cap = 1, .count = 1};
    if (lease && (lease->live || event->number > 0))
        fail(world, "lease-ids-are-new", "%" PRIx64, event->lease);
    if (event->number > 0)
        expect_open(world, job, &set, "leased");
    if (!lease) {
        lease = mem_new(sizeof *lease);
        lease->id = event->lease;
        HASH_ADD(hh, world->judge->leases, id, sizeof lease->id, lease);
    }
    lease->job = job;
    lease->live = true;
}

static void on_shortened(struct world *world, const struct event *event)
{
    expect_live(world, event);
}

static void on_released(struct world *world, const struct event *event)
{
    expect_live(world, event)->live = false;
}

/* The result of a live lease is not thrown away, but where it is of a frame
 * that was retried since. */
static void on_acked(struct world *world, const struct event *event)
{
    const struct judged_lease *lease = lease_of(world, event->lease);
    if (!lease || !lease->live)
        return;
    const struct judged_job *job = lease->job;
    for (int32_t frame = event->lo; frame <= event->hi; frame++) {
        int32_t at = frames_ordinal(&job->frames, frame);
        if (at >= 0 && job->at[at].verdict == OPEN &&
            job->at[at].retried_ms == 0)
            fail(world, "acked-is-counted", "%s frame %d", job->id, frame);
    }
}

void judge_event(struct world *world, const struct event *event)
{
    static void (*const rules[EVENT_TYPES])(struct world *,
                                            const struct event *) = {
        [EVENT_SUBMITTED] = on_submitted, [EVENT_CANCELLED] = on_cancelled,
        [EVENT_RETRIED] = on_retried,     [EVENT_FORGOTTEN] = on_forgotten,
        [EVENT_DONE] = on_done,           [EVENT_CHARGED] = on_charged,
        [EVENT_FAILED] = on_failed,       [EVENT_LEASED] = on_leased,
        [EVENT_SHORTENED] = on_shortened, [EVENT_RELEASED] = on_released,
        [EVENT_ACKED] = on_acked,
    };
    if (rules[event->type])
        rules[event->type](world, event);
}

/* --- What leaves the broker. --- */

/* Leases that render any of the event's frames. */
static int renderers(const struct world *world, const struct event *event)
{
    const struct lease *lease;
    int n = 0;
    DL_FOREACH2 (job_find(world->hub.core, event->job)->leases, lease, job_next)
        n += ranges_meets(&lease->left, event->lo, event->hi);
    return n;
}

void judge_grant(const struct world *world, const struct event *event)
{
    const struct judged_job *job = job_of(world, event);
    const struct agent *agent = agent_find(world->hub.core, event->agent);
    if (job->gate > world->ledger.disk)
        fail(world, "work-is-committed", "%s", job->id);
    if (agent->drain != DRAIN_OFF || agent->leaving || agent->life != AGENT_UP)
        fail(world, "work-for-those-there", "%s to %s", job->id, agent->name);
    if (LEASE_EPOCH(event->lease) != world->hub.epoch)
        fail(world, "lease-ids-of-this-epoch", "%" PRIx64, event->lease);
    if (event->flag && renderers(world, event) > 2)
        fail(world, "one-extra-copy", "%s ordinals %d..%d", job->id, event->lo,
             event->hi);
}

/* Whatever a result was good for when its acknowledgement was decided, that is
 * on disk when it leaves. */
void judge_ack(const struct world *world, const struct answer *answer)
{
    const struct msg_ack *ack = &answer->ack;
    const struct judged_lease *lease = lease_of(world, ack->lease);
    if (!lease || !lease->job)
        return;
    const struct judged_job *job = lease->job;
    for (int32_t frame = ack->from; frame <= ack->to; frame++) {
        int32_t at = frames_ordinal(&job->frames, frame);
        if (at >= 0 && job->at[at].done_seq <= answer->seq &&
            job->at[at].done_seq > world->ledger.disk)
            fail(world, "ack-after-commit", "%s frame %d", job->id, frame);
    }
}

/* --- The whole. --- */

static enum verdict verdict_of(const struct job *job, int32_t at)
{
    static const enum verdict verdicts[] = {[FRAME_PENDING] = OPEN,
                                            [FRAME_LEASED] = OPEN,
                                            [FRAME_DONE] = DONE,
                                            [FRAME_FAILED] = FAILED,
                                            [FRAME_CANCELLED] = CANCELLED};
    int state = 0;
    while (!ranges_has(&job->in[state], at))
        state++;
    return verdicts[state];
}

static void compare_job(const struct world *world, const struct job *job)
{
    struct event event = {.job = job->id};
    const struct judged_job *judged = job_of(world, &event);
    for (int32_t at = 0; at < job->frames.count; at++)
        if (verdict_of(job, at) != judged->at[at].verdict)
            fail(world, "same-books", "%s frame %d", job->id,
                 frames_number(&job->frames, at));
}

void judge_compare(const struct world *world)
{
    const struct job *job;
    DL_FOREACH (world->hub.core->jobs, job)
        compare_job(world, job);
}

void judge_replay(struct world *world)
{
    struct core *again = ledger_replay(world, NULL);
    if (core_digest(again) != core_digest(world->hub.core))
        fail(world, "replay-is-the-same", "at seq %" PRIu64,
             world->ledger.disk);
    core_free(&again);
}

void judge_promises(const struct world *world)
{
    for (int i = 0; i < world->n_jobs; i++) {
        const struct sim_job *job = &world->jobs[i];
        if (job->promised && !job->forgotten &&
            !job_find(world->hub.core, job->id))
            fail(world, "promises-hold", "%s is lost", job->id);
    }
}
