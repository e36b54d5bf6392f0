/* SPDX-License-Identifier: Apache-2.0
 *
 * The only writer of the state. Every function here carries out one event and
 * decides nothing: a live step and a replay of the ledger both end here, which
 * is why they agree. job_move is the one place where a frame changes its
 * state, along states.def.
 */
#include "broker/core/core_internal.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"

static void job_count(struct core *core, enum frame_state state, int32_t by)
{
    core->totals[state] += by;
    core->wake = core->wake || (state == FRAME_PENDING && by > 0);
}

/* The members of set that are in state `from` go where change leads. */
static void job_move_from(struct core *core, struct job *job,
                          enum frame_state from, enum frame_state to,
                          const struct ranges *set)
{
    struct ranges hit = {0};
    ranges_common(&job->in[from], set, &hit);
    ranges_remove_all(&job->in[from], &hit);
    ranges_add_all(&job->in[to], &hit);
    job_count(core, from, -hit.count);
    job_count(core, to, hit.count);
    ranges_free(&hit);
}

static void job_move(struct core *core, struct job *job,
                     enum frame_change change, const struct ranges *set)
{
    for (int from = 0; from < FRAME_STATES; from++) {
        enum frame_state to = frame_next((enum frame_state)from, change);
        if (to != FRAME_STATES && to != (enum frame_state)from)
            job_move_from(core, job, (enum frame_state)from, to, set);
    }
}

/* The set of one ordinal, its only run lent by the caller. */
static struct ranges just(struct range *run, int32_t ordinal)
{
    *run = (struct range){ordinal, ordinal + 1};
    return (struct ranges){.at = run, .n = 1, .cap = 1, .count = 1};
}

/* A job counts under its status as that is now. */
static void job_tally(struct core *core, struct job *job)
{
    core->jobs_as[job->tally]--;
    job->tally = job_status(job);
    core->jobs_as[job->tally]++;
}

/* What every change of a job ends with. */
static void job_touch(struct core *core, struct job *job, int64_t at_ms)
{
    job->revision++;
    job->packed = false;
    bool ended = job_ended(job);
    if (ended && job->ended_ms == 0) {
        job->ended_ms = at_ms;
        core->recheck = true;
    }
    if (!ended)
        job->ended_ms = 0;
    job_tally(core, job);
    sched_place(core, job);
}

/* Nobody needs to render these any more, or nobody owns them. */
static void leases_drop(struct job *job, const struct ranges *set, bool left)
{
    struct lease *lease;
    DL_FOREACH2 (job->leases, lease, job_next) {
        ranges_remove_all(&lease->held, set);
        if (left)
            ranges_remove_all(&lease->left, set);
    }
    job->doubled = job->doubled || !left;
}

/* The same of a frame that the lease, or one that is not known (NULL), has
 * rendered: mostly no other has to be looked at. */
static void leases_done(struct job *job, struct lease *by,
                        const struct ranges *one)
{
    if (job->doubled || !by || !ranges_has(&by->held, one->at[0].lo) ||
        by->job != job) {
        leases_drop(job, one, true);
        return;
    }
    ranges_remove_all(&by->held, one);
    ranges_remove_all(&by->left, one);
}

static struct user *user_get(struct core *core, const char *name)
{
    struct user *user = NULL;
    HASH_FIND_STR(core->users, name, user);
    if (!user) {
        user = mem_new(sizeof *user);
        user->name = mem_text(name);
        HASH_ADD_KEYPTR(hh, core->users, user->name, strlen(user->name), user);
    }
    user->jobs++;
    return user;
}

static void user_put(struct core *core, struct user *user)
{
    if (--user->jobs > 0)
        return;
    HASH_DEL(core->users, user);
    mem_free(user->name);
    mem_free(user);
}

/* A key that an older job had is the younger one's from now on. */
static void key_add(struct core *core, struct job *job)
{
    struct job *old = job_find_key(core, job->key);
    if (old) {
        HASH_DELETE(hh_key, core->by_key, old);
        old->key[0] = '\0';
    }
    HASH_ADD_KEYPTR(hh_key, core->by_key, job->key, strlen(job->key), job);
}

static void apply_submitted(struct core *core, const struct event *event)
{
    struct job *job = job_new(event->spec);
    job->created_ms = event->at_ms;
    job->number = job->gate = event->seq;
    job->owner = user_get(core, job->user);
    HASH_ADD_KEYPTR(hh, core->by_id, job->id, strlen(job->id), job);
    if (job->key[0] != '\0')
        key_add(core, job);
    DL_APPEND(core->jobs, job);
    core->n_jobs++;
    core->jobs_as[job->tally]++;
    job_count(core, FRAME_PENDING, job->frames.count);
    job_touch(core, job, event->at_ms);
}

static void apply_patched(struct core *core, const struct event *event)
{
    struct job *job = job_find(core, event->job);
    job->paused = event->flag;
    job->max_agents = event->limit;
    job->priority = event->number;
    job_touch(core, job, event->at_ms);
    core->wake = true;
}

static void reason_set(struct job *job, const char *text)
{
    mem_free(job->reason);
    job->reason = text && text[0] != '\0' ? mem_text(text) : NULL;
}

static void apply_cancelled(struct core *core, const struct event *event)
{
    struct job *job = job_find(core, event->job);
    leases_drop(job, event->frames, true);
    bench_ended(job, event->frames);
    core->wake = true; /* an agent may be in less doubt than before */
    job_move(core, job, CHANGE_CANCEL, event->frames);
    if (event->flag)
        reason_set(job, event->text);
    job_touch(core, job, event->at_ms);
}

/* Jobs that wait for this one, which is not complete any more, are held. */
static void dependents_place(struct core *core, const struct job *job)
{
    struct job *other;
    DL_FOREACH (core->jobs, other)
        if (job_depends_on(other, job->id))
            sched_place(core, other);
}

static void apply_retried(struct core *core, const struct event *event)
{
    struct job *job = job_find(core, event->job);
    ranges_common(&job->in[FRAME_DONE], event->frames, &job->redo);
    job_attempts_drop(job, event->frames);
    bench_clear(job);
    names_free(&job->likely);
    job->fault = FAULT_NONE;
    reason_set(job, NULL);
    mem_free(job->avoid);
    job->avoid = NULL;
    ranges_free(&job->avoided);
    if (event->text && event->text[0] != '\0') {
        job->avoid = mem_text(event->text);
        ranges_copy(&job->avoided, event->frames);
    }
    job_move(core, job, CHANGE_RETRY, event->frames);
    job->gate = event->seq;
    job->fence = event->lease;
    job_touch(core, job, event->at_ms);
    dependents_place(core, job);
}

static void lease_end(struct core *core, struct lease *lease)
{
    struct ranges held = lease->held;
    lease->held = (struct ranges){0};
    job_move(core, lease->job, CHANGE_RELEASE, &held);
    ranges_free(&held);
    lease_free(core, lease);
}

static void apply_forgotten(struct core *core, const struct event *event)
{
    struct job *job = job_find(core, event->job);
    while (job->leases)
        lease_end(core, job->leases);
    for (int i = 0; i < FRAME_STATES; i++)
        job_count(core, (enum frame_state)i, -job->in[i].count);
    ranges_free(&job->in[FRAME_PENDING]);
    sched_place(core, job);
    HASH_DEL(core->by_id, job);
    if (job->key[0] != '\0')
        HASH_DELETE(hh_key, core->by_key, job);
    DL_DELETE(core->jobs, job);
    core->n_jobs--;
    core->jobs_as[job->tally]--;
    core->recheck = true;
    user_put(core, job->owner);
    job_free(&job);
}

static void lease_got_on(struct lease *lease, int64_t at_ms)
{
    lease->news_ms = at_ms;
    lease->late = false;
}

static void apply_done(struct core *core, const struct event *event)
{
    struct job *job = job_find(core, event->job);
    struct agent *agent = agent_get(core, event->agent);
    struct range run;
    struct ranges one = just(&run, event->lo);
    struct lease *lease = lease_find(core, event->lease);
    if (lease)
        lease_got_on(lease, event->at_ms);
    leases_done(job, lease, &one);
    bench_done(job, event->lo, event->agent);
    names_free(&job->likely); /* not every frame meets it */
    job_move(core, job, CHANGE_FINISH, &one);
    ranges_remove(&job->redo, event->lo, event->lo + 1);
    ranges_remove(&job->avoided, event->lo, event->lo + 1);
    if (event->number > 0)
        times_add(&job->times, event->number);
    pace_add(core, agent, job, event->number);
    agent->done++;
    agent->misses = 0;
    core->wake = true; /* an agent may be in less doubt than before */
    if (event->detail && event->detail[0] != '\0')
        names_add(&job->blenders, event->detail);
    versions_note(job, event->text);
    job_touch(core, job, event->at_ms);
}

static void charge(struct core *core, struct job *job,
                   const struct event *event, int32_t ordinal)
{
    struct lease *lease = lease_find(core, event->lease);
    if (lease)
        lease->charged = true;
    struct attempt *attempt = job_attempt(job, ordinal);
    attempt->fault = event->fault;
    mem_free(attempt->text);
    attempt->text = mem_text(event->text ? event->text : "");
    if (!event->agent || event->agent[0] == '\0')
        return;
    struct agent *agent = agent_get(core, event->agent);
    bool copy = event->type == EVENT_CHARGED && event->flag;
    bool loss = fault_charge((enum fault)event->fault) == FAULT_CHARGE_NONE;
    if ((loss || !copy) && event->lease > attempt->lease)
        attempt->lease = event->lease;
    if (loss) {
        lost_count(attempt, agent, event);
        return;
    }
    if (copy)
        attempt->copies++;
    else
        attempt->charges++;
    bench_failed(job, attempt, event->agent);
    agent->charged++;
    agent->misses = 0;
    core->wake = true;
    if (fault_reach((enum fault)event->fault) == FAULT_REACH_LIKELY)
        names_add(&job->likely, event->agent);
}

static void apply_charged(struct core *core, const struct event *event)
{
    struct job *job = job_find(core, event->job);
    struct range run;
    struct ranges one = just(&run, event->lo);
    charge(core, job, event, event->lo);
    if (!event->flag) {
        leases_drop(job, &one, false); /* a second copy of it goes on */
        job_move(core, job, CHANGE_CHARGE, &one);
    }
    job_touch(core, job, event->at_ms);
}

static void apply_failed(struct core *core, const struct event *event)
{
    struct job *job = job_find(core, event->job);
    if (event->flag) {
        job->fault = (enum fault)event->fault;
        reason_set(job, event->text);
    } else {
        charge(core, job, event, event->frames->at[0].lo);
    }
    leases_drop(job, event->frames, true);
    bench_ended(job, event->frames);
    job_move(core, job, CHANGE_FAIL, event->frames);
    job_touch(core, job, event->at_ms);
}

static void apply_benched(struct core *core, const struct event *event)
{
    struct job *job = job_find(core, event->job);
    bench_set(job, agent_get(core, event->agent));
    job_touch(core, job, event->at_ms);
    core->wake = true;
}

static void job_move_runs(struct core *core, struct job *job,
                          enum frame_change change, const struct range *runs,
                          size_t n)
{
    struct ranges set = {0};
    for (size_t i = 0; i < n; i++)
        ranges_add(&set, runs[i].lo, runs[i].hi);
    job_move(core, job, change, &set);
    ranges_free(&set);
}

/* Whatever the job was, it is what became of it. */
static void apply_packed(struct core *core, const struct event *event)
{
    struct job *job = job_find(core, event->job);
    const struct job_fate *fate = event->fate;
    struct range all = {0, job->frames.count};
    while (job->leases)
        lease_end(core, job->leases);
    fate_take(core, job, fate);
    job_move_runs(core, job, CHANGE_RETRY, &all, 1);
    job_move_runs(core, job, CHANGE_FINISH, fate->done, fate->n_done);
    job_move_runs(core, job, CHANGE_FAIL, fate->failed, fate->n_failed);
    job_move_runs(core, job, CHANGE_CANCEL, fate->cancelled, fate->n_cancelled);
    job_touch(core, job, event->at_ms);
    job->ended_ms = fate->ended_ms;
    job->revision = fate->revision;
    job->packed = true;
}

static void apply_drained(struct core *core, const struct event *event)
{
    struct agent *agent = agent_get(core, event->agent);
    agent->drain = (enum drain)event->number;
    agent->drain_until_ms = event->until_ms;
    if (event->until_ms > 0)
        core_due(core, event->until_ms);
    agent_refresh(core, agent);
    core->wake = true; /* whom a frame is spared for may have changed */
}

/* An adopted lease takes over the frames that lower ids hold: the higher id is
 * the younger grant, and its holder is the one known to render now. */
static void lease_take_over(struct lease *lease)
{
    struct lease *other;
    DL_FOREACH2 (lease->job->leases, other, job_next) {
        if (other->id >= lease->id)
            continue;
        ranges_common(&other->held, &lease->left, &lease->held);
        ranges_remove_all(&other->held, &lease->held);
    }
}

/* Its end was counted before, by it or a younger lease of a frame, when an
 * agent that was killed says again that the launch goes on, then how it ended.
 */
static bool was_charged(const struct lease *lease)
{
    const struct job *job = lease->job;
    for (int32_t at = lease->lo; job->attempts && at < lease->hi; at++) {
        const struct attempt *attempt = job_attempt_find(job, at);
        if (attempt && attempt->lease >= lease->id)
            return true;
    }
    return false;
}

static void apply_leased(struct core *core, const struct event *event)
{
    struct job *job = job_find(core, event->job);
    struct agent *agent = agent_get(core, event->agent);
    struct lease *lease = lease_new(core, event->lease, job, agent);
    lease->lo = event->lo;
    lease->hi = event->hi;
    lease->granted_ms = lease->news_ms = event->at_ms;
    lease->lane = event->lane;
    lease->dseq = (uint64_t)event->number;
    lease->heard_seq = agent->seq;
    lease->charged = was_charged(lease);
    ranges_within(&job->in[FRAME_PENDING], event->lo, event->hi, &lease->left);
    if (!event->flag)
        ranges_copy(&lease->held, &lease->left);
    ranges_within(&job->in[FRAME_LEASED], event->lo, event->hi, &lease->left);
    job_move(core, job, CHANGE_LEASE, &lease->held);
    job->doubled = job->doubled || lease->left.count > lease->held.count;
    if (!event->flag && lease->left.count > lease->held.count)
        lease_take_over(lease);
    if (event->number > 0 && agent->lane == event->lane)
        agent->lane_sent = lease->dseq;
    if (event->number > 0 && core->epoch == LEASE_EPOCH(event->lease))
        core->counter = event->lease - LEASE_ID(core->epoch, 0);
    mem_free(agent->last_blend);
    agent->last_blend = mem_text(job->blend);
    if (job->started_ms == 0)
        job->started_ms = event->at_ms;
    agent_refresh(core, agent);
    job_touch(core, job, event->at_ms);
}

/* Whether a job that waits for frames has got them all. */
static void gather_end(struct core *core, struct job *job)
{
    const struct lease *lease;
    if (job->gather_ms == 0)
        return;
    DL_FOREACH2 (job->leases, lease, job_next)
        if (lease_gives(lease))
            return;
    core->wake = true;
    job->gather_ms = 0;
}

static void apply_shortened(struct core *core, const struct event *event)
{
    struct lease *lease = lease_find(core, event->lease);
    struct ranges back = {0};
    ranges_within(&lease->held, event->lo, lease->hi, &back);
    ranges_remove_all(&lease->held, &back);
    ranges_remove(&lease->left, event->lo, lease->hi);
    lease->hi = event->lo;
    lease->trim = -1; /* it has done what it was told */
    job_move(core, lease->job, CHANGE_RELEASE, &back);
    ranges_free(&back);
    gather_end(core, lease->job);
    job_touch(core, lease->job, event->at_ms);
}

static void apply_released(struct core *core, const struct event *event)
{
    struct lease *lease = lease_find(core, event->lease);
    struct job *job = lease->job;
    struct agent *agent = lease->agent;
    if (event->fault == FAULT_AGENT_LOST)
        lost_note(lease);
    lease_end(core, lease);
    gather_end(core, job);
    agent_refresh(core, agent);
    job_touch(core, job, event->at_ms);
    core->wake = true; /* max_agents may let another have a part now */
}

static void apply_revoked(struct core *core, const struct event *event)
{
    struct lease *lease = lease_find(core, event->lease);
    if (lease)
        lease->revoked = true;
}

static void apply_trimmed(struct core *core, const struct event *event)
{
    struct lease *lease = lease_find(core, event->lease);
    lease->trim = event->number;
    if (!event->flag)
        return;
    lease->job->gather_ms = event->at_ms + CORE_GATHER_MS;
    core_gather_due(core, lease->job->gather_ms);
}

static void apply_progress(struct core *core, const struct event *event)
{
    struct lease *lease = lease_find(core, event->lease);
    bool first = lease->frame < 0 && lease->left.count == lease->hi - lease->lo;
    if (first && lease->dseq > 0 && event->lo >= 0)
        pace_launched(lease->agent, event->at_ms - lease->granted_ms);
    if (lease->frame != event->lo) {
        lease->frame_since_ms = event->at_ms;
        lease_got_on(lease, event->at_ms);
    }
    lease->frame = event->lo;
    lease->permille = event->number;
    lease->progress_ms = event->at_ms;
    lease->job->revision++;
}

/* Work is not left to an agent that gets on with nothing. */
static void apply_late(struct core *core, const struct event *event)
{
    lease_find(core, event->lease)->late = true;
    core->wake = true;
}

static void apply_paced(struct core *core, const struct event *event)
{
    pace_add(core, agent_find(core, event->agent), job_find(core, event->job),
             event->number);
}

static void apply_opened(struct core *core, const struct event *event)
{
    struct job *job = job_find(core, event->job);
    core->wake = core->wake || job->gather_ms > 0;
    if (event->at_ms >= job->gather_ms)
        job->gather_ms = 0;
    sched_place(core, job);
}

/* Orders to agents and answers to them change nothing here. */
static void apply_nothing(struct core *core, const struct event *event)
{
    (void)core;
    (void)event;
}

static void (*const appliers[EVENT_TYPES])(struct core *,
                                           const struct event *) = {
    [EVENT_SUBMITTED] = apply_submitted, [EVENT_PATCHED] = apply_patched,
    [EVENT_CANCELLED] = apply_cancelled, [EVENT_RETRIED] = apply_retried,
    [EVENT_FORGOTTEN] = apply_forgotten, [EVENT_DONE] = apply_done,
    [EVENT_CHARGED] = apply_charged,     [EVENT_FAILED] = apply_failed,
    [EVENT_BENCHED] = apply_benched,     [EVENT_MISSED] = apply_missed,
    [EVENT_RESTED] = apply_rested,       [EVENT_DRAINED] = apply_drained,
    [EVENT_LEASED] = apply_leased,       [EVENT_SHORTENED] = apply_shortened,
    [EVENT_RELEASED] = apply_released,   [EVENT_HEARD] = apply_heard,
    [EVENT_AGENT] = apply_agent,         [EVENT_RIVAL] = apply_rival,
    [EVENT_LANE] = apply_lane,           [EVENT_REFUSED] = apply_refused,
    [EVENT_ACKED] = apply_nothing,       [EVENT_REVOKED] = apply_revoked,
    [EVENT_TRIMMED] = apply_trimmed,     [EVENT_STARTED] = apply_nothing,
    [EVENT_ENDED] = apply_nothing,       [EVENT_PROGRESS] = apply_progress,
    [EVENT_OPENED] = apply_opened,       [EVENT_SLEPT] = apply_slept,
    [EVENT_LATE] = apply_late,           [EVENT_PACKED] = apply_packed,
    [EVENT_ASKED] = apply_nothing,       [EVENT_PACED] = apply_paced,
};

void core_apply(struct core *core, const struct event *event)
{
    assert(event->type < EVENT_TYPES);
    if (event_keep(event->type) != EVENT_SOFT) {
        assert(event->seq > core->seq);
        core->seq = event->seq;
    }
    if (event->at_ms > core->now_ms)
        core->now_ms = event->at_ms;
    appliers[event->type](core, event);
}
