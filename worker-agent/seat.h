/* SPDX-License-Identifier: Apache-2.0
 *
 * This agent's seat at the broker: which broker run it obeys, which lane is
 * its own, how far it has read it. PURE. A batch of another run or lane, or
 * one that was overtaken, is refused (docs/protocol.md).
 */
#ifndef FRAMEQ_WORKER_AGENT_SEAT_H
#define FRAMEQ_WORKER_AGENT_SEAT_H

#include <stdbool.h>

#include "common/msg.h"

struct seat {
    uint64_t inc;   /* of this run of the agent */
    uint64_t epoch; /* of the last BEAT; 0: none yet */
    uint64_t lane;  /* 0: none */
    uint64_t dseq;
};

/* seat_beat notes a BEAT. Returns whether the broker is another one than
 * before: the lane is gone then. */
bool seat_beat(struct seat *seat, const struct msg_beat *beat);

/* seat_lane takes a lane that LANE names. Returns whether it is to be opened:
 * not when it is another run's or the one in use. */
bool seat_lane(struct seat *seat, const struct msg_lane *lane);

/* seat_leave gives the lane up; the next STATE asks for a new one. */
void seat_leave(struct seat *seat);

/* seat_batch tells whether a batch is for us and new, and notes its number. */
bool seat_batch(struct seat *seat, const struct msg_batch *batch);

#endif
