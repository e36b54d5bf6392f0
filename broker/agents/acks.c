/* SPDX-License-Identifier: Apache-2.0
 *
 * A line an agent, there only while something waits in it.
 */
#include "broker/agents/acks.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"
#include "common/table.h"

struct ack_line {
    char agent[LIMIT_AGENT + 1];
    struct msg_ack *at;
    size_t n, cap;
    size_t n_open; /* of them, the first: through the gate */
    UT_hash_handle hh;
    struct ack_line *prev, *next; /* while some are open */
};

static struct ack_line *line_get(struct acks *acks, const char *agent)
{
    struct ack_line *line = NULL;
    HASH_FIND_STR(acks->by_agent, agent, line);
    if (line)
        return line;
    line = mem_new(sizeof *line);
    memcpy(line->agent, agent, strlen(agent));
    HASH_ADD_STR(acks->by_agent, agent, line);
    return line;
}

static void line_free(struct acks *acks, struct ack_line *line)
{
    HASH_DEL(acks->by_agent, line);
    mem_free(line->at);
    mem_free(line);
}

static bool line_has(const struct ack_line *line, const struct msg_ack *ack)
{
    for (size_t i = 0; i < line->n; i++) {
        const struct msg_ack *other = &line->at[i];
        if (other->lease == ack->lease && other->from == ack->from &&
            other->to == ack->to && other->closed == ack->closed)
            return true;
    }
    return false;
}

static void line_add(struct ack_line *line, const struct msg_ack *ack)
{
    if (line->n == line->cap) {
        line->cap = 2 * line->cap + 16;
        line->at = mem_grow(line->at, line->cap, sizeof *line->at);
    }
    line->at[line->n++] = *ack;
}

size_t acks_add(struct acks *acks, const char *agent,
                const struct msg_acks *add, struct ack_line **ret_line)
{
    struct ack_line *line = line_get(acks, agent);
    size_t before = line->n;
    for (size_t i = 0; i < add->n; i++)
        if (!line_has(line, &add->at[i]))
            line_add(line, &add->at[i]);
    *ret_line = line;
    return line->n - before;
}

void acks_open(struct acks *acks, struct ack_line *line, size_t n)
{
    assert(n > 0 && n <= line->n - line->n_open);
    if (line->n_open == 0)
        DL_APPEND(acks->open, line);
    line->n_open += n;
}

static void line_drop_open(struct acks *acks, struct ack_line *line)
{
    DL_DELETE(acks->open, line);
    line->n -= line->n_open;
    memmove(line->at, line->at + line->n_open, line->n * sizeof *line->at);
    line->n_open = 0;
    if (line->n == 0)
        line_free(acks, line);
}

void acks_send(struct acks *acks,
               void (*send)(void *ctx, const char *agent,
                            const struct msg *msg),
               void *ctx)
{
    struct ack_line *line, *next;
    DL_FOREACH_SAFE (acks->open, line, next) {
        for (size_t sent = 0; sent < line->n_open;) {
            size_t left = line->n_open - sent;
            struct msg msg = {.kind = KIND_ACK};
            msg.acks.at = line->at + sent;
            msg.acks.n = left < LIMIT_ACKS ? left : LIMIT_ACKS;
            send(ctx, line->agent, &msg);
            sent += msg.acks.n;
        }
        line_drop_open(acks, line);
    }
}

void acks_done(struct acks *acks)
{
    struct ack_line *line, *next;
    HASH_ITER (hh, acks->by_agent, line, next)
        line_free(acks, line);
    acks->open = NULL;
}
