/* SPDX-License-Identifier: Apache-2.0
 *
 * What lease.c offers lease_node.c, and nobody else.
 */
#ifndef FRAMEQ_WORKER_AGENT_LEASE_INTERNAL_H
#define FRAMEQ_WORKER_AGENT_LEASE_INTERNAL_H

#include "worker-agent/lease.h"

/* lease_tell notes that there is news. */
void lease_tell(struct lease *lease, enum news news);

/* lease_frame returns the frame at a place in 0..lease_count-1, lease_place the
 * place of a frame or -1, lease_missing the first frame without a result or
 * -1. */
int32_t lease_frame(const struct lease *lease, int32_t i);
int32_t lease_place(const struct lease *lease, int32_t frame);
int32_t lease_missing(const struct lease *lease);

/* lease_shorten makes it end after frame `to`, but never before a frame it has
 * a result of or renders. */
void lease_shorten(struct lease *lease, int32_t to);

/* lease_settle: the node is done with it, by what it answered. lease_settle_as
 * puts the verdict into words of ours. */
void lease_settle(struct lease *lease, const struct node_answer *answer);
void lease_settle_as(struct lease *lease, enum answer_word word,
                     enum fault fault, const char *text);

/* lease_conclude ends it by the verdict and the frames that are proven;
 * lease_end_failed at once. */
void lease_conclude(struct lease *lease, const struct lease_view *view,
                    int64_t now_ms);
void lease_end_failed(struct lease *lease, enum fault fault, const char *text);

#endif
