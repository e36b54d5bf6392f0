/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of the node beside us. Plain values: copied, never owned.
 */
#ifndef FRAMEQ_WORKER_AGENT_NODE_FACTS_H
#define FRAMEQ_WORKER_AGENT_NODE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"

struct node_facts {
    bool known;   /* it has answered at least once: classic or not is told */
    bool up;      /* it answered when last asked */
    bool well;    /* it says it can render; error says why not */
    bool classic; /* speaks only the classic /job API */
    /* What GET /info offers; logs: of each frame, and thumbnails. */
    bool can_wait, can_trim, can_stop, can_key, can_logs;
    int32_t slots; /* launches it runs at once */
    int32_t cores, memory_mb, gpus;
    char name[LIMIT_NAME + 1], version[LIMIT_NAME + 1];
    char blender[LIMIT_NAME + 1], device[LIMIT_NAME + 1];
    char error[LIMIT_REASON + 1]; /* why it is not up or not well; "" */
};

bool node_facts_equal(const struct node_facts *a, const struct node_facts *b);

#endif
