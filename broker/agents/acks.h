/* SPDX-License-Identifier: Apache-2.0
 *
 * Acknowledgements on their way to agents: they wait for the commit gate, then
 * for the end of the turn, so that an agent gets one message of all that one
 * commit lets out, and answers it with one STATE. An agent says its results
 * again until they are acknowledged: what waits already is not added again.
 * Knows no socket and no gate.
 */
#ifndef FRAMEQ_BROKER_AGENTS_ACKS_H
#define FRAMEQ_BROKER_AGENTS_ACKS_H

#include "common/msg.h"

struct ack_line; /* what waits for one agent, oldest first */

/* A zeroed one is empty. */
struct acks {
    struct ack_line *by_agent;
    struct ack_line *open; /* those with something to send */
};

/* acks_add puts those that do not wait yet behind the others of the agent.
 * Returns how many, with the line they wait in, which stays until they are
 * sent. */
size_t acks_add(struct acks *acks, const char *agent,
                const struct msg_acks *add, struct ack_line **ret_line);

/* acks_open lets the next n of a line through the gate. */
void acks_open(struct acks *acks, struct ack_line *line, size_t n);

/* acks_send empties it of what is through the gate: send gets ACKs of at most
 * LIMIT_ACKS for an agent, whose texts are borrowed. */
void acks_send(struct acks *acks,
               void (*send)(void *ctx, const char *agent,
                            const struct msg *msg),
               void *ctx);
void acks_done(struct acks *acks);

#endif
