/* SPDX-License-Identifier: Apache-2.0
 *
 * The network: messages as bytes, lost, doubled and late as the weather has
 * it, in any order. A worker that is cut off hears and says nothing.
 */
#include "tests/sim/world.h"

#include <assert.h>

#include "common/limits.h"
#include "common/mem.h"

static void post(struct world *world, const struct happening *happening,
                 const struct buf *bytes)
{
    struct happening copy = *happening;
    int64_t late = world->calm ? 1 : world->weather.delay_ms;
    copy.at_ms = world->now_ms + rng_between(&world->rng, 0, late);
    copy.bytes = mem_copy(bytes->data, bytes->len);
    copy.len = bytes->len;
    agenda_add(&world->agenda, &copy);
}

static void carry(struct world *world, const struct worker *worker,
                  const struct happening *happening, const struct buf *bytes)
{
    const struct weather *weather = &world->weather;
    if (worker->cut)
        return;
    if (!world->calm && rng_chance(&world->rng, weather->drop))
        return;
    post(world, happening, bytes);
    if (!world->calm && rng_chance(&world->rng, weather->duplicate))
        post(world, happening, bytes);
}

static void encode(const struct msg *msg, struct buf *ret)
{
    buf_init(ret, LIMIT_MESSAGE);
    bool fits = msg_encode(msg, ret);
    assert(fits);
}

void wire_up(struct world *world, const struct worker *worker,
             const struct msg *msg)
{
    struct happening happening = {.act = hub_hear, .who = worker->id};
    struct buf bytes;
    encode(msg, &bytes);
    carry(world, worker, &happening, &bytes);
    buf_free(&bytes);
}

/* To all that listen under a name, as control and its topics do. */
void wire_down(struct world *world, const char *agent, const struct msg *msg)
{
    struct buf bytes;
    encode(msg, &bytes);
    for (int i = 0; i < world->n_workers; i++) {
        const struct worker *worker = &world->workers[i];
        bool meant =
            strcmp(agent, "*") == 0 || strcmp(agent, worker->name) == 0;
        struct happening happening = {.act = worker_hear, .who = i};
        if (meant)
            carry(world, worker, &happening, &bytes);
    }
    buf_free(&bytes);
}
