/* SPDX-License-Identifier: Apache-2.0
 *
 * slots_state: the leases as a STATE shows them. One message is bounded in
 * results and in bytes; what does not fit is shown once the broker has
 * acknowledged what did.
 */
#include <assert.h>
#include <string.h>
#include <utlist.h>

#include "worker-agent/slots.h"

/* Bytes of results in one STATE. The rest of it (names and texts of
 * LIMIT_LEASES leases, the node) stays under the other half. */
#define RESULTS_BYTES (LIMIT_MESSAGE / 2)
#define RESULT_BYTES  16 /* of one beside its files */

struct budget {
    size_t results, bytes;
};

static int32_t status_of(const struct lease *lease)
{
    switch (lease->phase) {
    case PHASE_OVER:
        return lease->status;
    case PHASE_TAKEN:
        return lease->revoked ? LEASE_STOPPING : LEASE_ACCEPTED;
    default:
        return lease->revoked ? LEASE_STOPPING : LEASE_RUNNING;
    }
}

static size_t result_bytes(const struct frame_result *result)
{
    return RESULT_BYTES + (result->files == NULL ? 0 : strlen(result->files));
}

static bool is_due(const struct frame_result *result)
{
    return result->done && !result->acked;
}

/* Takes results while they fit. Returns whether all did. */
static bool report_results(const struct lease *lease, struct arena *arena,
                           struct budget *budget, struct msg_lease *ret)
{
    int32_t count = lease_count(lease);
    struct msg_result *results =
        arena_new(arena, (size_t)count * sizeof *results);
    ret->results = results;
    for (int32_t i = 0; i < count; i++) {
        const struct frame_result *result = &lease->frames[i];
        if (!is_due(result))
            continue;
        size_t bytes = result_bytes(result);
        if (budget->results == 0 || budget->bytes < bytes)
            return false;
        budget->results--;
        budget->bytes -= bytes;
        results[ret->n_results++] =
            (struct msg_result){.frame = lease->from + i * lease->step,
                                .ms = result->ms,
                                .files = result->files};
    }
    return true;
}

/* Where the node does not say which frame it renders, the first without a
 * result is the best guess. */
static int32_t frame_now(const struct lease *lease, bool guess)
{
    if (lease->frame >= 0 || !guess)
        return lease->frame;
    for (int32_t i = 0; i < lease_count(lease); i++)
        if (!lease->frames[i].done)
            return lease->from + i * lease->step;
    return -1;
}

static void report_lease(const struct slots *slots, struct lease *lease,
                         struct arena *arena, struct budget *budget,
                         struct msg_lease *ret)
{
    *ret = (struct msg_lease){.lease = lease->id,
                              .job = lease->job,
                              .from = lease->from,
                              .to = lease->to,
                              .step = lease->step,
                              .frame = -1,
                              .done = lease_done(lease),
                              .blamed = -1};
    bool whole = report_results(lease, arena, budget, ret);
    ret->status = status_of(lease);
    if (LEASE_OVER(ret->status) && !whole)
        ret->status = LEASE_RUNNING;
    assert(LEASE_OVER(ret->status) || !lease->shown_over);
    lease->shown_over = LEASE_OVER(ret->status);
    bool guess = slots->proving && lease->phase == PHASE_RUNNING;
    if (!LEASE_OVER(ret->status)) {
        ret->frame = frame_now(lease, guess);
        ret->permille = lease->permille;
        return;
    }
    ret->text = lease->text;
    if (ret->status == LEASE_FAILED) {
        ret->fault = lease->fault;
        ret->blamed = lease->blamed;
    }
}

/* Those shown as over before come first: their results did fit together, so
 * they do again, and none turns back. */
void slots_state(struct slots *slots, struct arena *arena,
                 struct msg_state *ret)
{
    struct budget budget = {LIMIT_RESULTS, RESULTS_BYTES};
    struct msg_lease *leases =
        arena_new(arena, slots->n_leases * sizeof *leases);
    struct lease *lease;
    size_t n = 0;
    for (int over = 1; over >= 0; over--)
        DL_FOREACH (slots->leases, lease)
            if (lease->shown_over == over)
                report_lease(slots, lease, arena, &budget, &leases[n++]);
    ret->slots = slots_room(slots, &ret->why);
    ret->leaving = slots->leaving;
    ret->leases = leases;
    ret->n_leases = n;
}
