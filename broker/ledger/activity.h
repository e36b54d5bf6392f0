/* SPDX-License-Identifier: Apache-2.0
 *
 * Who did what, when: what people may want to look back on, as a projection of
 * a step's events. It is written in the same commit as they are and never read
 * by the core: no second truth.
 */
#ifndef FRAMEQ_BROKER_LEDGER_ACTIVITY_H
#define FRAMEQ_BROKER_LEDGER_ACTIVITY_H

#include "broker/core/core.h"
#include "broker/ledger/store.h"

#define ACTIVITY_ROWS 3 /* of one event at most */

/* What a step changes or takes away that its rows must still name. */
struct activity_before {
    const char *name; /* of the command's job, "" none; in the arena */
    int32_t priority, max_agents;
    bool paused;
};

struct activity_before activity_before(const struct core *core,
                                       const struct cmd *cmd,
                                       struct arena *arena);

/* activity_of writes the rows of one event of a step; core is as the step left
 * it. Texts are borrowed, or in the arena. Returns how many. */
size_t activity_of(const struct core *core, const struct cmd *cmd,
                   const struct activity_before *before,
                   const struct event *event, struct arena *arena,
                   struct activity ret[ACTIVITY_ROWS]);

#endif
