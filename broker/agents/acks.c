/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorted by agent, then cut into messages.
 */
#include "broker/agents/acks.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

void acks_add(struct acks *acks, const struct acked *acked)
{
    if (acks->n == acks->cap) {
        acks->cap = 2 * acks->cap + 16;
        acks->at = mem_grow(acks->at, acks->cap, sizeof *acks->at);
    }
    acks->at[acks->n++] = *acked;
}

static int by_agent(const void *a, const void *b)
{
    const struct acked *x = a, *y = b;
    return strcmp(x->agent, y->agent);
}

/* Takes the first of n that are for one agent; returns how many. */
static size_t fill(const struct acked *acked, size_t n,
                   struct msg_ack ret[LIMIT_ACKS])
{
    size_t count = 0;
    while (count < n && count < LIMIT_ACKS &&
           strcmp(acked[count].agent, acked[0].agent) == 0) {
        ret[count] = acked[count].ack;
        count++;
    }
    return count;
}

void acks_send(struct acks *acks,
               void (*send)(void *ctx, const char *agent,
                            const struct msg *msg),
               void *ctx)
{
    struct msg_ack at[LIMIT_ACKS];
    if (acks->n > 1)
        qsort(acks->at, acks->n, sizeof *acks->at, by_agent);
    for (size_t sent = 0; sent < acks->n;) {
        struct msg msg = {.kind = KIND_ACK, .acks = {.at = at}};
        msg.acks.n = fill(acks->at + sent, acks->n - sent, at);
        send(ctx, acks->at[sent].agent, &msg);
        sent += msg.acks.n;
    }
    acks->n = 0;
}

void acks_done(struct acks *acks)
{
    mem_free(acks->at);
    *acks = (struct acks){0};
}
