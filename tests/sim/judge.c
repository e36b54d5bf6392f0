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

#define REST_MS 10000 /* at most, that an agent is given nothing for */
#define LOSSES  10    /* of a frame in a row end it */

enum verdict { OPEN, DONE, FAILED, CANCELLED };

struct judged_frame {
    enum verdict verdict;
    bool pictured; /* it was done once: a picture of it lies there */
    int32_t charges, losses;
    int64_t retried_ms; /* in the world's time, as all times of the judge */
    uint64_t owner;     /* lease that has to bring it; 0: none */
};

struct judged_job {
    char id[LIMIT_ID + 1];
    struct frames frames;
    int32_t max_attempts;
    uint64_t gate; /* ledger number of SUBMITTED or RETRIED */
    bool charged;  /* a launch of it has failed */
    struct judged_frame *at;
    UT_hash_handle hh;
};

struct judged_lease {
    uint64_t id;
    struct judged_job *job; /* NULL once that is forgotten */
    bool live, charged;
    bool listed; /* it was live when the STATE at hand came */
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

static const struct sim_job *sim_job_of(const struct world *world,
                                        const char *id)
{
    const struct sim_job *job = world->jobs;
    while (strcmp(job->id, id) != 0)
        job++;
    return job;
}

/* When an event of the ledger happened: the broker's clock is not to be
 * trusted. */
static int64_t when(const struct world *world, const struct event *event)
{
    return world->ledger.at[event->seq - 1].at_ms;
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

static void end_all(struct judged_job *job, const struct ranges *set,
                    enum verdict verdict)
{
    for (int32_t i = 0; i < set->n; i++)
        for (int32_t at = set->at[i].lo; at < set->at[i].hi; at++) {
            job->at[at].verdict = verdict;
            job->at[at].owner = 0;
        }
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
    end_all(job, event->frames, CANCELLED);
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
            job->at[at] =
                (struct judged_frame){.verdict = OPEN,
                                      .pictured = job->at[at].pictured,
                                      .retried_ms = when(world, event)};
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
    if (!event->text || event->text[0] != '[')
        fail(world, "records-whole", "%s frame %d lost its files", job->id,
             frames_number(&job->frames, event->lo));
    int64_t began_ms = strtoll(event->text + 1, NULL, 10);
    if (LEASE_EPOCH(event->lease) == world->hub.facts.epoch)
        expect_live(world, event);
    if (frame->verdict != OPEN)
        fail(world, "done-once", "%s frame %d", job->id,
             frames_number(&job->frames, event->lo));
    if (began_ms < frame->retried_ms)
        fail(world, "retry-means-anew",
             "%s frame %d began %" PRId64 ", retried %" PRId64, job->id,
             frames_number(&job->frames, event->lo), began_ms,
             frame->retried_ms);
    if (sim_job_of(world, job->id)->whole_ms[event->lo] == 0)
        fail(world, "done-has-a-picture", "%s frame %d", job->id,
             frames_number(&job->frames, event->lo));
    frame->verdict = DONE;
    frame->pictured = true;
    frame->owner = 0;
}

/* A launch fails once, and costs one attempt of one frame at most. */
static struct judged_frame *charge(struct world *world,
                                   const struct event *event, int32_t ordinal)
{
    struct judged_job *job = job_of(world, event);
    struct judged_lease *lease = expect_live(world, event);
    if (lease->charged)
        fail(world, "charged-once", "%s by lease %" PRIx64, job->id, lease->id);
    lease->charged = job->charged = true;
    struct judged_frame *frame = &job->at[ordinal];
    if (frame->verdict != OPEN)
        fail(world, "charges-open-frames", "%s frame %d", job->id,
             frames_number(&job->frames, ordinal));
    frame->charges++;
    frame->owner = 0;
    bool last = frame->charges >= job->max_attempts;
    if (last != (event->type == EVENT_FAILED))
        fail(world, "attempts-bounded", "%s frame %d charged %d times", job->id,
             frames_number(&job->frames, ordinal), frame->charges);
    return frame;
}

/* A node or agent that went down under a frame costs no attempt, but so many
 * in a row end it. */
static struct judged_frame *lose(struct world *world, const struct event *event,
                                 int32_t ordinal)
{
    struct judged_job *job = job_of(world, event);
    struct judged_lease *lease = lease_of(world, event->lease);
    struct judged_frame *frame = &job->at[ordinal];
    if (!lease || lease->charged)
        fail(world, "charged-once", "%s lost twice by lease %" PRIx64, job->id,
             event->lease);
    if (frame->verdict != OPEN)
        fail(world, "charges-open-frames", "%s frame %d", job->id,
             frames_number(&job->frames, ordinal));
    lease->charged = job->charged = true;
    frame->losses++;
    if (event->type == EVENT_FAILED && frame->losses < LOSSES)
        fail(world, "one-death-fails-nothing", "%s frame %d after %d", job->id,
             frames_number(&job->frames, ordinal), frame->losses);
    return frame;
}

static bool is_loss(const struct event *event)
{
    return fault_charge((enum fault)event->fault) == FAULT_CHARGE_NONE;
}

/* The failure of a second copy is noted, and costs nothing. */
static void on_charged(struct world *world, const struct event *event)
{
    if (is_loss(event))
        lose(world, event, event->lo);
    else if (event->flag)
        expect_live(world, event)->charged = true;
    else
        charge(world, event, event->lo);
}

static void on_failed(struct world *world, const struct event *event)
{
    struct judged_job *job = job_of(world, event);
    if (!event->flag && is_loss(event)) {
        struct judged_frame *frame =
            lose(world, event, event->frames->at[0].lo);
        frame->verdict = FAILED;
        frame->owner = 0;
        return;
    }
    if (!event->flag) {
        charge(world, event, event->frames->at[0].lo)->verdict = FAILED;
        return;
    }
    expect_live(world, event);
    expect_open(world, job, event->frames, "failed");
    end_all(job, event->frames, FAILED);
}

/* A grant is of frames that nobody owns. One that is adopted (an earlier run of
 * the broker made it) takes them from older ones. */
static void own(const struct world *world, struct judged_job *job,
                const struct event *event)
{
    for (int32_t at = event->lo; at < event->hi; at++) {
        struct judged_frame *frame = &job->at[at];
        if (event->number > 0 && frame->owner != 0)
            fail(world, "one-owner", "%s frame %d is given out twice", job->id,
                 frames_number(&job->frames, at));
        if (frame->verdict == OPEN && frame->owner < event->lease)
            frame->owner = event->lease;
    }
}

static void disown(struct judged_job *job, uint64_t lease, int32_t from)
{
    for (int32_t at = from; job && at < job->frames.count; at++)
        if (job->at[at].owner == lease)
            job->at[at].owner = 0;
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
    if (!event->flag)
        own(world, job, event);
}

static void on_shortened(struct world *world, const struct event *event)
{
    const struct judged_lease *lease = expect_live(world, event);
    disown(lease->job, lease->id, event->lo);
}

static void on_released(struct world *world, const struct event *event)
{
    struct judged_lease *lease = expect_live(world, event);
    lease->live = false;
    disown(lease->job, lease->id, 0);
    for (int i = 0; event->fault != FAULT_NONE && i < world->n_workers; i++)
        if (strcmp(world->workers[i].name, event->agent) == 0)
            world->workers[i].missed_ms = event->at_ms;
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
    };
    if (rules[event->type])
        rules[event->type](world, event);
}

/* --- What leaves the broker. --- */

static bool waits_for_others(const struct core *core, const struct job *job)
{
    if (job->not_before_ms > core->now_ms)
        return true;
    for (size_t i = 0; i < job->n_depends; i++) {
        const struct job *other = job_find(core, job->depends[i]);
        if (other && job_status(other) != JOB_COMPLETED)
            return true;
    }
    return false;
}

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
    if (LEASE_EPOCH(event->lease) != world->hub.facts.epoch)
        fail(world, "lease-ids-of-this-epoch", "%" PRIx64, event->lease);
    const struct job *real = job_find(world->hub.core, event->job);
    bool waits = !event->flag && waits_for_others(world->hub.core, real);
    if (waits || real->paused)
        fail(world, "work-in-its-turn", "%s is paused or waits", job->id);
    if (event->flag && renderers(world, event) > 2)
        fail(world, "one-extra-copy", "%s ordinals %d..%d", job->id, event->lo,
             event->hi);
}

/* The new picture of a frame that had one must replace it, and nothing else may
 * replace any. */
void judge_batch(const struct world *world, const struct msg_batch *batch)
{
    struct event event = {.job = batch->job};
    const struct judged_job *job = job_of(world, &event);
    for (int32_t frame = batch->from; frame <= batch->to; frame += batch->step)
        if (job->at[frames_ordinal(&job->frames, frame)].pictured !=
            batch->replace)
            fail(world, "retry-replaces", "%s frame %d", job->id, frame);
}

void judge_before(const struct world *world, const struct msg_state *state)
{
    for (size_t i = 0; i < state->n_leases; i++) {
        struct judged_lease *lease = lease_of(world, state->leases[i].lease);
        if (lease)
            lease->listed = lease->live;
    }
}

/* The result of a live lease, or of one that is adopted, is not thrown away,
 * but where it is of a frame that was retried since. */
static void expect_counted(const struct world *world,
                           const struct judged_lease *lease,
                           const struct msg_lease *entry)
{
    const struct judged_job *job = lease->job;
    for (size_t i = 0; i < entry->n_results; i++) {
        int32_t frame = entry->results[i].frame;
        int32_t at = frames_ordinal(&job->frames, frame);
        if (at >= 0 && job->at[at].verdict == OPEN &&
            job->at[at].retried_ms == 0)
            fail(world, "results-count", "%s frame %d", job->id, frame);
    }
}

void judge_after(const struct world *world, const struct msg_state *state)
{
    for (size_t i = 0; i < state->n_leases; i++) {
        struct judged_lease *lease = lease_of(world, state->leases[i].lease);
        if (lease && lease->job && (lease->listed || lease->live))
            expect_counted(world, lease, &state->leases[i]);
    }
}

void judge_answer(const struct world *world, const struct answer *answer)
{
    const char *invariant =
        answer->to < 0 ? "answer-after-commit" : "ack-after-commit";
    if (answer->seq > world->ledger.disk)
        fail(world, invariant, "record %" PRIu64 " is not on disk",
             answer->seq);
}

bool judge_has_use(const struct world *world, const struct sim_job *job,
                   int32_t ordinal)
{
    const struct judged_job *judged = NULL;
    HASH_FIND_STR(world->judge->jobs, job->id, judged);
    int64_t last_ms = job->whole_ms[ordinal];
    return last_ms == 0 || (judged && judged->at[ordinal].retried_ms > last_ms);
}

/* --- The whole. --- */

static void compare_frame(const struct world *world,
                          const struct judged_job *judged,
                          enum frame_state state, int32_t at)
{
    static const enum verdict verdicts[] = {[FRAME_PENDING] = OPEN,
                                            [FRAME_LEASED] = OPEN,
                                            [FRAME_DONE] = DONE,
                                            [FRAME_FAILED] = FAILED,
                                            [FRAME_CANCELLED] = CANCELLED};
    const struct judged_frame *frame = &judged->at[at];
    if (frame->verdict != verdicts[state] ||
        (frame->owner != 0) != (state == FRAME_LEASED))
        fail(world, "same-books", "%s frame %d is %s", judged->id,
             frames_number(&judged->frames, at), frame_word(state));
}

static void compare_job(const struct world *world, const struct job *job)
{
    struct event event = {.job = job->id};
    const struct judged_job *judged = job_of(world, &event);
    int32_t n = 0;
    for (int state = 0; state < FRAME_STATES; state++) {
        const struct ranges *set = &job->in[state];
        for (int32_t i = 0; i < set->n; i++)
            for (int32_t at = set->at[i].lo; at < set->at[i].hi; at++, n++)
                compare_frame(world, judged, (enum frame_state)state, at);
    }
    if (n != judged->frames.count)
        fail(world, "counts-add-up", "%s has %d frames, not %d", job->id, n,
             judged->frames.count);
}

/* One whose leases ended badly a moment ago may be given a rest. */
static bool may_rest(const struct world *world, const struct agent *agent)
{
    for (int i = 0; i < world->n_workers; i++) {
        const struct worker *worker = &world->workers[i];
        if (strcmp(worker->name, agent->name) == 0 && worker->missed_ms != 0 &&
            world->hub.core->now_ms - worker->missed_ms <= REST_MS)
            return true;
    }
    return false;
}

static bool has_room(const struct agent *agent)
{
    int64_t sent = (int64_t)(agent->lane_sent - agent->lane_seen);
    return agent->life == AGENT_UP && agent->drain == DRAIN_OFF &&
           !agent->leaving && agent->lane_ok &&
           agent->unacked < LIMIT_UNACKED &&
           agent->slots > agent->running + sent;
}

static bool has_tags(const struct agent *agent, const struct job *job)
{
    for (size_t i = 0; i < job->n_tags; i++) {
        bool has = false;
        for (size_t k = 0; k < agent->n_tags; k++)
            has = has || strcmp(agent->tags[k], job->tags[i]) == 0;
        if (!has)
            return false;
    }
    return true;
}

static bool is_charged(const struct world *world, const struct job *job)
{
    struct event event = {.job = job->id};
    return job_of(world, &event)->charged;
}

/* Those whose gate has not opened yet stand in a row: the last one waits for
 * the one before it. */
static bool is_gated(const struct core *core, const struct job *job)
{
    return job->gate > core->committed ||
           (job->place == PLACE_GATED && core->gated->gate > core->committed);
}

/* Jobs that may be kept from single agents, whole or in part, are left out, and
 * those at the limit of their agents. */
static bool has_work(const struct world *world, const struct job *job,
                     const struct agent *agent)
{
    const struct core *core = world->hub.core;
    return job->in[FRAME_PENDING].count > 0 && !job->paused &&
           job->gather_ms == 0 && !is_gated(core, job) &&
           job->max_agents == 0 && !job->attempts && job->avoided.count == 0 &&
           !is_charged(world, job) && !waits_for_others(core, job) &&
           has_tags(agent, job);
}

static void expect_busy(const struct world *world, const struct agent *agent)
{
    const struct job *job;
    DL_FOREACH (world->hub.core->jobs, job)
        if (has_work(world, job, agent))
            fail(world, "nobody-idle-beside-work", "%s could render %s",
                 agent->name, job->id);
}

static void expect_there(const struct world *world, const struct agent *agent)
{
    if (agent->life == AGENT_LOST && agent->leases)
        fail(world, "no-lease-of-the-lost", "%s", agent->name);
}

void judge_step(const struct world *world)
{
    const struct job *job;
    const struct agent *agent;
    DL_FOREACH (world->hub.core->jobs, job)
        compare_job(world, job);
    DL_FOREACH (world->hub.core->agents, agent) {
        expect_there(world, agent);
        if (has_room(agent) && !may_rest(world, agent))
            expect_busy(world, agent);
    }
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
