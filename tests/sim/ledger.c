/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger as a disk that forgets what was not committed: events as record
 * bytes, committed in groups. A commit may end in the middle of a step's
 * events, one under way at a crash may have reached the disk or not, and on a
 * full disk it fails and is tried again. It is what broker.c calls the store.
 */
#include "tests/sim/world.h"

#include <inttypes.h>
#include <string.h>

#include "broker/ledger/record.h"
#include "common/limits.h"
#include "common/mem.h"

#define RECORD_MAX (4 * 1024 * 1024)
#define TRY_MS     200 /* a commit on a full disk is tried again */

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

/* A full disk has some room left: the ballast that is given up. */
static bool commit_fits(struct world *world)
{
    struct ledger *ledger = &world->ledger;
    int64_t records = (int64_t)(ledger->writing - ledger->disk);
    if (!ledger->full)
        return true;
    if (records > ledger->room)
        return false;
    ledger->room -= records;
    return true;
}

static void commit_done(struct world *world, const struct happening *happening)
{
    if (happening->life != world->hub.life)
        return;
    if (world->now_ms < world->hub.wakes_ms) {
        later(world, world->hub.wakes_ms - world->now_ms, happening);
    } else if (!commit_fits(world)) {
        struck(world, STRUCK_NO_COMMIT);
        later(world, TRY_MS, happening);
    } else {
        commit_take(&world->ledger);
        hub_turn(world);
    }
}

uint64_t store_poll(struct store *store)
{
    return store->world->ledger.disk;
}

static void ledger_append(struct store *store, const struct event *event)
{
    struct world *world = store->world;
    struct ledger *ledger = &world->ledger;
    struct buf bytes;
    if (world->hub.doomed)
        return;
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
    record->at_ms = world->now_ms;
    record->bytes = buf_take(&bytes);
}

/* Rows of activity are for people; here they are only looked at. */
void store_note(struct store *store, const struct event *event,
                const struct activity *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!*rows[i].what || !rows[i].who || !rows[i].job || !rows[i].name ||
            !rows[i].agent || !rows[i].text)
            fail(store->world, "activity-whole", "row %zu", i);
    if (event && event_keep(event->type) != EVENT_SOFT)
        ledger_append(store, event);
}

/* This one holds little. */
void store_pack(struct store *store, const char *job)
{
    (void)store;
    (void)job;
}

/* A record of which only the beginning reached the disk must be known for what
 * it is. */
static void tear(struct world *world, const struct record *record)
{
    struct arena arena = {0};
    struct event event;
    char why[256];
    int64_t len = rng_between(&world->rng, 0, (int64_t)record->len - 1);
    struck(world, STRUCK_TORN_RECORD);
    if (record_decode(record->bytes, (size_t)len, &arena, &event, why,
                      sizeof why))
        fail(world, "torn-record-refused", "%" PRId64 " of %zu bytes", len,
             record->len);
    arena_done(&arena);
}

void ledger_crash(struct world *world)
{
    struct ledger *ledger = &world->ledger;
    if (ledger->writing == 0 && ledger->n > ledger->disk) {
        /* In the middle of a step: the thread may have a part of it. */
        ledger->writing = (uint64_t)rng_between(
            &world->rng, (int64_t)ledger->disk + 1, (int64_t)ledger->n);
        ledger->writing_known = false;
    }
    bool fits = ledger->writing != 0 && commit_fits(world);
    if (fits && rng_chance(&world->rng, 500))
        commit_take(ledger);
    else if (ledger->writing != 0)
        tear(world, &ledger->at[ledger->disk]);
    ledger->writing = 0;
    while (ledger->n > ledger->disk) {
        struck(world, STRUCK_UNSYNCED);
        mem_free(ledger->at[--ledger->n].bytes);
    }
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
