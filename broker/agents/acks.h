/* SPDX-License-Identifier: Apache-2.0
 *
 * Acknowledgements that have passed the commit gate. One commit lets many of
 * them out: they are gathered, so that an agent gets one message of them and
 * answers it with one STATE. Knows no socket.
 */
#ifndef FRAMEQ_BROKER_AGENTS_ACKS_H
#define FRAMEQ_BROKER_AGENTS_ACKS_H

#include "common/limits.h"
#include "common/msg.h"

struct acked {
    char agent[LIMIT_AGENT + 1];
    struct msg_ack ack;
};

/* A zeroed one is empty. */
struct acks {
    struct acked *at;
    size_t n, cap;
};

void acks_add(struct acks *acks, const struct acked *acked);

/* acks_send empties it: send gets an ACK of at most LIMIT_ACKS for an agent,
 * whose texts are borrowed. */
void acks_send(struct acks *acks,
               void (*send)(void *ctx, const char *agent,
                            const struct msg *msg),
               void *ctx);
void acks_done(struct acks *acks);

#endif
