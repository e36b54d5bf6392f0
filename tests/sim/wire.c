/* SPDX-License-Identifier: Apache-2.0
 *
 * The network: messages as bytes, lost, doubled and late as the weather has
 * it, in any order. Each of a worker's connections can be cut for itself: it
 * may be heard and hear nothing, or the reverse.
 */
#include "tests/sim/world.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

static const char *const kinds[] = {
    [KIND_STATE] = "STATE",   [KIND_BATCH] = "BATCH", [KIND_LANE] = "LANE",
    [KIND_ACK] = "ACK",       [KIND_TRIM] = "TRIM",   [KIND_DRAIN] = "DRAIN",
    [KIND_REVOKE] = "REVOKE", [KIND_WHO] = "WHO",     [KIND_BEAT] = "BEAT",
    [KIND_REFUSE] = "REFUSE",
};

/* A message on its way: what it is, and the bytes of it. */
struct letter {
    enum msg_kind kind;
    int64_t *last_ms; /* when the youngest one on this way arrives */
    const struct buf *bytes;
};

static void post(struct world *world, const struct happening *happening,
                 const struct letter *letter)
{
    struct happening copy = *happening;
    int64_t late = world->calm ? 1 : world->weather.delay_ms;
    copy.at_ms = world->now_ms + rng_between(&world->rng, 0, late);
    copy.bytes = mem_copy(letter->bytes->data, letter->bytes->len);
    copy.len = letter->bytes->len;
    if (copy.at_ms > world->now_ms + 1)
        struck(world, STRUCK_LATE);
    if (copy.at_ms < *letter->last_ms)
        struck(world, STRUCK_OVERTAKEN);
    else
        *letter->last_ms = copy.at_ms;
    agenda_add(&world->agenda, &copy);
}

static enum cut way_of(enum msg_kind kind)
{
    return kind == KIND_STATE   ? CUT_STATUS
           : kind == KIND_BATCH ? CUT_LANE
                                : CUT_CONTROL;
}

static void carry(struct world *world, const struct worker *worker,
                  const struct happening *happening,
                  const struct letter *letter)
{
    const struct weather *weather = &world->weather;
    const char *kind = kinds[letter->kind];
    if (worker->cut & (int)way_of(letter->kind))
        return;
    if (!world->calm && rng_chance(&world->rng, weather->drop)) {
        struck(world, STRUCK_DROP);
        tell(world, "network", "loses a %s of %s", kind, worker->name);
        return;
    }
    post(world, happening, letter);
    if (!world->calm && rng_chance(&world->rng, weather->duplicate)) {
        struck(world, STRUCK_DOUBLE);
        tell(world, "network", "doubles a %s of %s", kind, worker->name);
        post(world, happening, letter);
    }
}

static void encode(const struct msg *msg, struct buf *ret)
{
    buf_init(ret, LIMIT_MESSAGE);
    bool fits = msg_encode(msg, ret);
    assert(fits);
}

void wire_up(struct world *world, struct worker *worker, const struct msg *msg)
{
    struct happening happening = {
        .act = hub_hear, .who = worker->id, .life = world->hub.life};
    struct buf bytes;
    struct letter letter = {msg->kind, &worker->told_ms, &bytes};
    encode(msg, &bytes);
    carry(world, worker, &happening, &letter);
    buf_free(&bytes);
}

/* To all that listen under a name, as control and its topics do. */
void wire_down(struct world *world, const char *agent, const struct msg *msg)
{
    struct buf bytes;
    encode(msg, &bytes);
    for (int i = 0; i < world->n_workers; i++) {
        struct worker *worker = &world->workers[i];
        bool meant =
            strcmp(agent, "*") == 0 || strcmp(agent, worker->name) == 0;
        struct happening happening = {.act = worker_hear, .who = i};
        struct letter letter = {msg->kind, &worker->heard_ms, &bytes};
        if (meant)
            carry(world, worker, &happening, &letter);
    }
    buf_free(&bytes);
}
