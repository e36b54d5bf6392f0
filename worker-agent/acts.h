/* SPDX-License-Identifier: Apache-2.0
 *
 * What the pure part asks of the rest, in the order it has to be done.
 */
#ifndef FRAMEQ_WORKER_AGENT_ACTS_H
#define FRAMEQ_WORKER_AGENT_ACTS_H

#include <stddef.h>
#include <stdint.h>

enum act_type {
    ACT_SAVE,   /* write the lease as it is to the journal */
    ACT_POST,   /* call the node */
    ACT_POLL,   /* call the node */
    ACT_TRIM,   /* call the node: end after frame `to` */
    ACT_STOP,   /* call the node */
    ACT_SETTLE, /* look at all its files once more, then slots_settled */
    ACT_ENDED,  /* it is over: for the log */
    ACT_FORGET  /* the broker has settled it: out of the journal */
};

struct act {
    enum act_type type;
    uint64_t lease;
    int32_t to;
};

/* A zeroed struct acts is empty. */
struct acts {
    struct act *at;
    size_t n, cap;
};

void acts_add(struct acts *acts, enum act_type type, uint64_t lease,
              int32_t to);
void acts_clear(struct acts *acts);
void acts_free(struct acts *acts);

#endif
