/* SPDX-License-Identifier: Apache-2.0
 *
 * How much of one socket a turn takes: so many messages, and so long. It reads
 * no clock.
 */
#ifndef FRAMEQ_BROKER_AGENTS_RATION_H
#define FRAMEQ_BROKER_AGENTS_RATION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"

struct ration {
    int left;         /* messages */
    int64_t until_ms; /* of the clock that it is asked with */
};

static inline struct ration ration_of_turn(int64_t now_ms)
{
    return (struct ration){LIMIT_DRAIN_PER_TURN, now_ms + LIMIT_READ_MS};
}

/* ration_take tells whether one more may be taken, and counts it. */
static inline bool ration_take(struct ration *ration, int64_t now_ms)
{
    return now_ms < ration->until_ms && ration->left-- > 0;
}

#endif
