/* SPDX-License-Identifier: Apache-2.0
 *
 * A gap in the dispatch numbers is no fault: what is missing is absent from
 * our STATE, and the broker gives it out again.
 */
#include "worker-agent/seat.h"

bool seat_beat(struct seat *seat, const struct msg_beat *beat)
{
    if (beat->epoch == seat->epoch)
        return false;
    seat->epoch = beat->epoch;
    seat_leave(seat);
    return true;
}

bool seat_lane(struct seat *seat, const struct msg_lane *lane)
{
    if (lane->inc != seat->inc || lane->lane == seat->lane)
        return false;
    seat->lane = lane->lane;
    seat->dseq = 0;
    return true;
}

void seat_leave(struct seat *seat)
{
    seat->lane = 0;
    seat->dseq = 0;
}

bool seat_batch(struct seat *seat, const struct msg_batch *batch)
{
    bool ours = batch->epoch == seat->epoch && batch->lane == seat->lane;
    if (!ours || batch->dseq <= seat->dseq)
        return false;
    seat->dseq = batch->dseq;
    return true;
}
