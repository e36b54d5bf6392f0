/* SPDX-License-Identifier: Apache-2.0
 *
 * When a job could end: frames poured into the slots that could render them, as
 * into vessels that are filled up to different heights by what they render
 * already, rise to one level. Up to it each slot has its share. Foresees, and
 * decides nothing.
 */
#include "broker/core/core_internal.h"

#include <math.h>

#define FILL_STEPS 16

/* A slot, in ms from now: when it is free for frames of the job, what one takes
 * there, and how many it can render before it needs another launch. */
struct vessel {
    double free_ms, frame_ms, own, launch_ms;
};

struct vessels {
    struct vessel *at;
    size_t n;
};

bool lease_tells(const struct lease *lease)
{
    return lease->frame >= 0;
}

bool lease_gives(const struct lease *lease)
{
    return lease->trim >= 0 && !LEASE_OVER(lease->status) &&
           lease->agent->life == AGENT_UP;
}

bool lease_can_give(const struct lease *lease)
{
    return lease->agent->node.can_trim && lease->agent->life == AGENT_UP &&
           lease->trim < 0 && !lease->revoked && lease->held.count > 0 &&
           lease->status < LEASE_STOPPING;
}

/* Where the frames begin that it has not begun. */
static int32_t unbegun_lo(const struct lease *lease)
{
    if (!lease_tells(lease))
        return lease->lo;
    int32_t at = frames_ordinal(&lease->job->frames, lease->frame);
    return at < lease->lo ? lease->lo : at + 1;
}

void lease_unbegun(const struct lease *lease, struct ranges *ret)
{
    int32_t lo = unbegun_lo(lease), hi = lease_kept(lease);
    const struct lease *other;
    if (lo < hi)
        ranges_within(&lease->held, lo, hi, ret);
    if (ret->count == 0 || !lease->job->doubled)
        return;
    DL_FOREACH2 (lease->job->leases, other, job_next)
        if (other != lease && other->held.count < other->left.count)
            ranges_remove_all(ret, &other->left);
}

int32_t lease_unbegun_count(const struct lease *lease)
{
    struct ranges set = {0};
    lease_unbegun(lease, &set);
    int32_t n = set.count;
    ranges_free(&set);
    return n;
}

int32_t lease_kept(const struct lease *lease)
{
    if (lease->trim < 0)
        return lease->hi;
    int32_t at = frames_ordinal(&lease->job->frames, lease->trim);
    return at < 0 || at >= lease->hi ? lease->hi : at + 1;
}

static int32_t kept_unbegun(const struct lease *lease)
{
    int32_t left = lease->left.count - (lease_tells(lease) ? 1 : 0);
    int32_t given = lease->hi - lease_kept(lease);
    return left > given ? left - given : 0;
}

/* What the frame in work, or the launch, still takes. One that takes longer
 * than it should takes a while longer. */
static double begun_ms(const struct core *core, const struct lease *lease,
                       double frame_ms)
{
    double now = (double)core->now_ms;
    if (lease_tells(lease)) {
        double gone = now - (double)lease->frame_since_ms;
        double spread = pace_spread(lease->job);
        return fmax(frame_ms - gone, gone * spread / 2.0);
    }
    double launch = pace_launch_ms(lease->agent);
    return fmax(launch - (now - (double)lease->granted_ms), 0.0);
}

double lease_frame_ms(const struct core *core, const struct lease *lease)
{
    double frame_ms = pace_frame_ms(core, lease->agent, lease->job);
    if (!lease_tells(lease) || pace_is_known(lease->agent, lease->job))
        return frame_ms;
    return fmax(frame_ms, (double)(core->now_ms - lease->frame_since_ms));
}

/* One that does not tell frame by frame has them all at its end, which nobody
 * sees coming; it may be twice as slow as anybody thought. */
static double silent_end_ms(const struct core *core, const struct lease *lease)
{
    double gone = (double)(core->now_ms - lease->granted_ms);
    double frame_ms = pace_frame_ms(core, lease->agent, lease->job);
    double whole = pace_launch_ms(lease->agent) +
                   frame_ms * (double)(lease->hi - lease->lo);
    bool known = pace_is_known(lease->agent, lease->job);
    if (gone <= whole * (known ? 1.25 : 1.1))
        return fmax(whole - gone, 0.0);
    return known ? gone / 2.0 : gone;
}

double lease_end_ms(const struct core *core, const struct lease *lease,
                    double unbegun)
{
    if (lease->agent->life != AGENT_UP || lease->late)
        return LEVEL_FAR_MS;
    if (lease->agent->node.classic && !lease_tells(lease))
        return silent_end_ms(core, lease);
    double frame_ms = lease_frame_ms(core, lease);
    return begun_ms(core, lease, frame_ms) + frame_ms * unbegun;
}

static void vessel_add(struct vessels *vessels, struct vessel vessel)
{
    vessels->at[vessels->n++] = vessel;
}

/* A slot that renders a lease. shared: what leases of the job have not begun
 * is among what is shared out. */
static void vessel_busy(const struct core *core, const struct job *job,
                        const struct lease *lease, bool shared,
                        struct vessels *vessels)
{
    const struct agent *agent = lease->agent;
    struct vessel vessel = {.frame_ms = pace_frame_ms(core, agent, job),
                            .launch_ms = pace_launch_ms(agent)};
    bool shares = shared && lease->job == job && agent->node.can_trim;
    double unbegun = kept_unbegun(lease);
    vessel.free_ms = lease_end_ms(core, lease, shares ? 0.0 : unbegun);
    if (shares) {
        vessel.own = unbegun;
        vessel.frame_ms = lease_frame_ms(core, lease);
    }
    if (vessel.free_ms < LEVEL_FAR_MS)
        vessel_add(vessels, vessel);
}

static void vessels_of(const struct core *core, const struct job *job,
                       const struct agent *agent, bool shared,
                       struct vessels *vessels)
{
    struct vessel vessel = {.frame_ms = pace_frame_ms(core, agent, job),
                            .launch_ms = pace_launch_ms(agent)};
    const struct lease *lease;
    int32_t busy = 0;
    DL_FOREACH2 (agent->leases, lease, agent_next) {
        if (busy++ >= agent->slots)
            break;
        vessel_busy(core, job, lease, shared, vessels);
    }
    for (; busy < agent->slots; busy++)
        vessel_add(vessels, vessel);
}

/* Whole frames that fit below the level. */
static double room_in(const struct vessel *vessel, double level)
{
    double n = (level - vessel->free_ms) / vessel->frame_ms;
    if (n > vessel->own)
        n = fmax(vessel->own, n - vessel->launch_ms / vessel->frame_ms);
    n = fmax(n, 0.0);
    return floor(n + 0.001);
}

static bool overflows(const struct vessels *vessels, double level,
                      double frames)
{
    double room = 0.0;
    for (size_t i = 0; i < vessels->n && room < frames; i++)
        room += room_in(&vessels->at[i], level);
    return room < frames;
}

/* The least level below which there is room for so many frames. */
static double fill(const struct vessels *vessels, double frames)
{
    double low = 0.0, high = 1.0;
    if (vessels->n == 0)
        return LEVEL_FAR_MS;
    while (overflows(vessels, high, frames)) {
        low = high;
        high *= 2.0;
    }
    for (int i = 0; i < FILL_STEPS; i++) {
        double middle = (low + high) / 2.0;
        if (overflows(vessels, middle, frames))
            low = middle;
        else
            high = middle;
    }
    return high;
}

static bool may_help(const struct agent *agent, const struct job *job)
{
    return agent->life == AGENT_UP && agent->working > 0 &&
           sched_able(agent, job) && sched_welcome(agent, job);
}

double level_ms(const struct step *step, const struct job *job, double frames,
                bool shared)
{
    const struct core *core = step->core;
    const struct agent *agent;
    size_t most = (size_t)core->slots + 1;
    struct vessels vessels = {
        .at = arena_new(step->arena, most * sizeof *vessels.at)};
    DL_FOREACH (core->agents, agent)
        if (may_help(agent, job) && vessels.n + (size_t)agent->slots <= most)
            vessels_of(core, job, agent, shared, &vessels);
    return fill(&vessels, frames);
}
