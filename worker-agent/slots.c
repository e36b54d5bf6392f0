/* SPDX-License-Identifier: Apache-2.0
 *
 * Most inputs go to one lease; what concerns all of them (room, pauses after
 * refusals, the mean frame time) is kept here.
 */
#include "worker-agent/slots.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "common/mem.h"

#define PAUSE_MIN_MS 200 /* after a refused start; doubles with each */
#define PAUSE_MAX_MS 10000

void slots_init(struct slots *slots, int32_t wanted, bool proving)
{
    *slots = (struct slots){.wanted = wanted, .proving = proving};
}

static void forget(struct slots *slots, struct lease *lease)
{
    DL_DELETE(slots->leases, lease);
    slots->n_leases--;
    lease_free(&lease);
}

void slots_done(struct slots *slots)
{
    while (slots->leases != NULL)
        forget(slots, slots->leases);
}

struct lease *slots_find(const struct slots *slots, uint64_t id)
{
    struct lease *lease;
    DL_FOREACH (slots->leases, lease)
        if (lease->id == id)
            return lease;
    return NULL;
}

static struct lease_view view_of(const struct slots *slots)
{
    return (struct lease_view){.node = &slots->node,
                               .proving = slots->proving && slots->node.classic,
                               .frame_ms = slots->frame_ms,
                               .down_ms = slots->down_ms};
}

static void tell(struct slots *slots, enum news news)
{
    if (slots->news < news)
        slots->news = news;
}

size_t slots_live(const struct slots *slots)
{
    const struct lease *lease;
    size_t live = 0;
    DL_FOREACH (slots->leases, lease)
        live += lease->phase != PHASE_OVER;
    return live;
}

/* --- Room. --- */

static const char *overdue_why(const struct slots *slots)
{
    struct lease_view view = view_of(slots);
    const struct lease *lease;
    DL_FOREACH (slots->leases, lease)
        if (lease_overdue(lease, &view, slots->now_ms))
            return "the node still works on a batch that was to be stopped "
                   "and should have ended long ago";
    return NULL;
}

static const char *closed_why(const struct slots *slots)
{
    if (slots->leaving)
        return "the agent is ending";
    if (!slots->node.known)
        return "the node has not answered yet";
    if (!slots->node.up || !slots->node.well)
        return slots->node.error;
    if (slots->now_ms < slots->pause_until_ms)
        return slots->pause_why;
    return overdue_why(slots);
}

int32_t slots_room(const struct slots *slots, const char **ret_why)
{
    const char *why = closed_why(slots);
    *ret_why = why == NULL ? "" : why;
    if (why != NULL)
        return 0;
    int32_t slots_n = slots->wanted > 0 ? slots->wanted : slots->node.slots;
    return slots_n < LIMIT_SLOTS ? slots_n : LIMIT_SLOTS;
}

/* A node that refuses one start after the other gets less and less to refuse.
 */
static void pause_after(struct slots *slots, const char *why)
{
    int64_t twice = 2 * slots->pause_ms;
    slots->pause_ms = twice < PAUSE_MIN_MS   ? PAUSE_MIN_MS
                      : twice > PAUSE_MAX_MS ? PAUSE_MAX_MS
                                             : twice;
    slots->pause_until_ms = slots->now_ms + slots->pause_ms;
    snprintf(slots->pause_why, sizeof slots->pause_why, "%s",
             why == NULL ? "" : why);
}

/* --- Leases in and out. --- */

static struct lease *add(struct slots *slots, const struct msg_batch *batch)
{
    struct lease *lease = lease_new(batch, slots->now_ms);
    DL_APPEND(slots->leases, lease);
    slots->n_leases++;
    return lease;
}

bool slots_batch(struct slots *slots, int64_t now_ms,
                 const struct msg_batch *batch)
{
    const char *why;
    slots->now_ms = now_ms;
    tell(slots, NEWS_NOW);
    const struct lease *known = slots_find(slots, batch->lease);
    if (known != NULL)
        return strcmp(known->job, batch->job) == 0;
    if ((int64_t)slots_live(slots) >= slots_room(slots, &why) ||
        slots->n_leases >= LIMIT_LEASES)
        return false;
    add(slots, batch);
    return true;
}

void slots_adopt(struct slots *slots, int64_t now_ms,
                 const struct msg_batch *batch, int64_t posted_ms, int64_t pid)
{
    slots->now_ms = now_ms;
    bool fits = slots->n_leases < LIMIT_LEASES &&
                slots_find(slots, batch->lease) == NULL;
    if (fits)
        lease_adopt(add(slots, batch), posted_ms, pid, now_ms);
}

void slots_adopt_lost(struct slots *slots, int64_t now_ms,
                      const struct msg_batch *batch, const char *why)
{
    slots_adopt(slots, now_ms, batch, now_ms, 0);
    struct lease *lease = slots_find(slots, batch->lease);
    if (lease != NULL)
        lease_lose(lease, why);
}

/* --- Inputs. --- */

void slots_node(struct slots *slots, int64_t now_ms,
                const struct node_facts *facts)
{
    slots->now_ms = now_ms;
    if (!node_facts_equal(&slots->node, facts))
        tell(slots, NEWS_NOW);
    if (facts->up)
        slots->down_ms = 0;
    else if (slots->down_ms == 0)
        slots->down_ms = now_ms;
    slots->node = *facts;
}

/* Learns from a launch what a frame takes here. */
static void learn(struct slots *slots, const struct lease *lease)
{
    if (lease->status != LEASE_DONE || lease->posted_ms == 0)
        return;
    int64_t ms = (slots->now_ms - lease->posted_ms) / lease_count(lease);
    if (ms < 1)
        ms = 1;
    slots->frame_ms =
        slots->frame_ms == 0 ? ms : (2 * slots->frame_ms + ms) / 3;
}

/* Looks at what an input did to a lease. */
static void ended(struct slots *slots, const struct lease *lease)
{
    if (lease->phase != PHASE_OVER)
        return;
    learn(slots, lease);
    bool refused = lease->status == LEASE_FAILED &&
                   (lease->fault == FAULT_REFUSED ||
                    fault_reach((enum fault)lease->fault) == FAULT_REACH_NODE);
    if (refused)
        pause_after(slots, lease->text);
}

/* A classic node counts its launches from 1 again when it is restarted. What
 * had the number before is gone, and must not be told by it any more. */
static void bury_namesakes(struct slots *slots, const struct lease *taken)
{
    const struct node_answer unknown = {.word = ANSWER_UNKNOWN};
    struct lease_view view = view_of(slots);
    struct lease *lease;
    DL_FOREACH (slots->leases, lease)
        if (lease != taken && lease->phase == PHASE_RUNNING &&
            lease->pid == taken->pid)
            lease_answer(lease, &view, slots->now_ms, CALL_POLL, &unknown);
}

void slots_answer(struct slots *slots, int64_t now_ms, uint64_t id,
                  enum call call, const struct node_answer *answer)
{
    struct lease *lease = slots_find(slots, id);
    struct lease_view view = view_of(slots);
    slots->now_ms = now_ms;
    if (lease == NULL)
        return;
    bool was_over = lease->phase == PHASE_OVER;
    lease_answer(lease, &view, now_ms, call, answer);
    if (call == CALL_POST && answer->word == ANSWER_TAKEN) {
        slots->pause_ms = 0;
        bury_namesakes(slots, lease);
    }
    if (call == CALL_POST && slots->leaving)
        lease_leave(lease, &view);
    if (!was_over)
        ended(slots, lease);
}

void slots_proven(struct slots *slots, uint64_t id, int32_t frame, int32_t ms,
                  const char *files)
{
    struct lease *lease = slots_find(slots, id);
    if (lease != NULL)
        lease_proven(lease, frame, ms, files);
}

void slots_settled(struct slots *slots, int64_t now_ms, uint64_t id)
{
    struct lease *lease = slots_find(slots, id);
    struct lease_view view = view_of(slots);
    slots->now_ms = now_ms;
    if (lease == NULL || lease->phase != PHASE_SETTLING)
        return;
    lease_settled(lease, &view, now_ms);
    ended(slots, lease);
}

void slots_fetching(struct slots *slots, uint64_t id)
{
    struct lease *lease = slots_find(slots, id);
    if (lease != NULL)
        lease->fetching = true;
}

void slots_fetched(struct slots *slots, int64_t now_ms, uint64_t id,
                   const char *blend, enum fault fault, const char *text)
{
    struct lease *lease = slots_find(slots, id);
    slots->now_ms = now_ms;
    if (lease == NULL || lease->phase == PHASE_OVER)
        return;
    lease_fetched(lease, now_ms, blend, fault, text);
    ended(slots, lease);
}

void slots_acks(struct slots *slots, const struct msg_acks *acks)
{
    for (size_t i = 0; i < acks->n; i++) {
        struct lease *lease = slots_find(slots, acks->at[i].lease);
        if (lease != NULL)
            lease_ack(lease, &acks->at[i]);
    }
}

void slots_revoke(struct slots *slots, uint64_t id)
{
    struct lease *lease = slots_find(slots, id);
    if (lease != NULL)
        lease_revoke(lease);
}

void slots_trim(struct slots *slots, const struct msg_trim *trim)
{
    struct lease *lease = slots_find(slots, trim->lease);
    if (lease != NULL)
        lease_trim(lease, trim->to);
}

void slots_leave(struct slots *slots)
{
    struct lease_view view = view_of(slots);
    struct lease *lease;
    slots->leaving = true;
    tell(slots, NEWS_NOW);
    DL_FOREACH (slots->leases, lease)
        lease_leave(lease, &view);
}

void slots_abandon(struct slots *slots)
{
    struct lease *lease;
    DL_FOREACH (slots->leases, lease)
        lease_abandon(lease);
}

/* --- Decisions. --- */

static void step_lease(struct slots *slots, struct lease *lease,
                       struct acts *acts)
{
    struct lease_view view = view_of(slots);
    bool was_over = lease->phase == PHASE_OVER;
    lease_step(lease, &view, slots->now_ms, acts);
    if (!was_over)
        ended(slots, lease);
    tell(slots, lease->news);
    lease->news = NEWS_NONE;
    if (was_over && lease->closed) {
        acts_add(acts, ACT_FORGET, lease->id, -1);
        forget(slots, lease);
        tell(slots, NEWS_NOW);
    }
}

void slots_step(struct slots *slots, int64_t now_ms, struct acts *acts)
{
    struct lease *lease, *next;
    const char *why;
    slots->now_ms = now_ms;
    DL_FOREACH_SAFE (slots->leases, lease, next)
        step_lease(slots, lease, acts);
    int32_t room = slots_room(slots, &why);
    if (room != slots->shown)
        tell(slots, NEWS_NOW);
    slots->shown = room;
}

int64_t slots_next(const struct slots *slots)
{
    struct lease_view view = view_of(slots);
    const struct lease *lease;
    int64_t next = INT64_MAX;
    if (slots->pause_until_ms > slots->now_ms)
        next = slots->pause_until_ms;
    DL_FOREACH (slots->leases, lease) {
        int64_t due = lease_due(lease, &view);
        next = due < next ? due : next;
    }
    return next;
}

enum news slots_news(struct slots *slots)
{
    enum news news = slots->news;
    slots->news = NEWS_NONE;
    return news;
}
