/* SPDX-License-Identifier: Apache-2.0
 *
 * How long ended jobs are kept (--keep): longer ago they are forgotten, a few
 * a turn, by the command people use too. A job that did not complete stays
 * while another waits for it: forgotten, it would count as done.
 */
#ifndef FRAMEQ_BROKER_KEEP_H
#define FRAMEQ_BROKER_KEEP_H

#include "broker/broker.h"
#include "common/limits.h"

struct keep {
    struct broker *broker;
    int64_t keep_ms;       /* 0: for ever */
    int64_t next_ms;       /* when keep_settle has work */
    char at[LIMIT_ID + 1]; /* job to look at next; "": the oldest */
};

/* keep_init borrows broker. */
void keep_init(struct keep *keep, struct broker *broker, int64_t keep_ms);

/* keep_settle forgets what is due, if it is keep_next: jobs, and after each
 * pass over them what the activity says of older days. */
void keep_settle(struct keep *keep);

/* keep_next returns when keep_settle must run, as broker_now; INT64_MAX:
 * never. */
int64_t keep_next(const struct keep *keep);

#endif
