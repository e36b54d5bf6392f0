/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger as a disk that forgets what was not committed: events as record
 * bytes, committed in groups. A commit may end in the middle of a step's
 * events, and one under way at a crash may have reached the disk or not.
 */
#include "tests/sim/world.h"

#include <inttypes.h>
#include <string.h>

#include "broker/record.h"
#include "common/limits.h"
#include "common/mem.h"

#define RECORD_MAX (4 * 1024 * 1024)

static void commit_done(struct world *world, const struct happening *happening);

/* Commits what is queued now, mostly; else only a part of it. */
void ledger_write(struct world *world)
{
    struct ledger *ledger = &world->ledger;
    if (ledger->writing != 0 || ledger->n == ledger->disk)
        return;
    ledger->writing = ledger->n;
    if (rng_chance(&world->rng, 100))
        ledger->writing = (uint64_t)rng_between(
            &world->rng, (int64_t)ledger->disk + 1, (int64_t)ledger->n);
    ledger->writing_known = ledger->writing == ledger->n;
    if (ledger->writing_known)
        ledger->writing_digest = core_digest(world->hub.core);
    struct happening done = {
        .at_ms = world->now_ms +
                 rng_between(&world->rng, 1, world->weather.commit_ms),
        .act = commit_done,
        .life = world->hub.life};
    agenda_add(&world->agenda, &done);
}

static void commit_take(struct ledger *ledger)
{
    ledger->disk = ledger->writing;
    ledger->known = ledger->writing_known;
    ledger->digest = ledger->writing_digest;
    ledger->writing = 0;
}

static void commit_done(struct world *world, const struct happening *happening)
{
    if (happening->life != world->hub.life || !world->hub.core)
        return;
    commit_take(&world->ledger);
    hub_committed(world);
}

void ledger_append(struct world *world, const struct event *event)
{
    struct ledger *ledger = &world->ledger;
    struct buf bytes;
    buf_init(&bytes, RECORD_MAX);
    record_encode(event, &bytes);
    if (event->seq != ledger->n + 1 || bytes.over)
        fail(world, "ledger-without-gaps", "record %" PRIu64 " after %zu",
             event->seq, ledger->n);
    if (ledger->n == ledger->cap) {
        ledger->cap = 2 * ledger->cap + 256;
        ledger->at = mem_grow(ledger->at, ledger->cap, sizeof *ledger->at);
    }
    struct record *record = &ledger->at[ledger->n++];
    record->len = bytes.len;
    record->bytes = buf_take(&bytes);
}

void ledger_crash(struct world *world)
{
    struct ledger *ledger = &world->ledger;
    if (ledger->writing != 0 && rng_chance(&world->rng, 500))
        commit_take(ledger);
    ledger->writing = 0;
    while (ledger->n > ledger->disk)
        mem_free(ledger->at[--ledger->n].bytes);
}

static void read_one(const struct world *world, size_t i, struct arena *arena,
                     struct event *ret)
{
    const struct record *record = &world->ledger.at[i];
    char why[256];
    if (!record_decode(record->bytes, record->len, arena, ret, why, sizeof why))
        fail(world, "ledger-readable", "record %zu: %s", i + 1, why);
    ret->seq = i + 1;
}

struct core *ledger_replay(struct world *world,
                           void (*each)(struct world *, const struct event *))
{
    struct core *core = core_new(&world->options);
    struct arena arena = {0};
    char why[256];
    for (size_t i = 0; i < world->ledger.disk; i++) {
        struct event event;
        read_one(world, i, &arena, &event);
        if (!core_replay(core, &event, why, sizeof why))
            fail(world, "ledger-replayable", "%s", why);
        if (each)
            each(world, &event);
        arena_reset(&arena);
    }
    arena_done(&arena);
    return core;
}

void ledger_done(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->n; i++)
        mem_free(ledger->at[i].bytes);
    mem_free(ledger->at);
    *ledger = (struct ledger){0};
}
