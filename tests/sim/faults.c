/* SPDX-License-Identifier: Apache-2.0
 *
 * Bad luck: agents that die and come back or don't, nodes that die or refuse,
 * connections cut for a while, a broker that crashes or stands still, a disk
 * that is full. All of it ends with the calm.
 */
#include "tests/sim/world.h"

#include <inttypes.h>

#define CUT_CLOSES_MS 6000 /* the heartbeat gives a cut connection up */

/* --- One agent. --- */

static struct worker *any_worker(struct world *world)
{
    return &world->workers[rng_between(&world->rng, 0, world->n_workers - 1)];
}

static void comes_back(struct world *world, const struct happening *happening)
{
    struct worker *worker = &world->workers[happening->who];
    if (!worker->alive && worker->life == happening->life &&
        !(world->calm && worker->rival))
        worker_start(world, worker);
}

static void come_back(struct world *world, const struct worker *worker,
                      int64_t low_ms, int64_t high_ms)
{
    struct happening happening = {
        .act = comes_back, .who = worker->id, .life = worker->life};
    later(world, rng_between(&world->rng, low_ms, high_ms), &happening);
}

static void kill_agent(struct world *world, struct worker *worker)
{
    struck(world, STRUCK_KILL);
    worker_die(world, worker, rng_chance(&world->rng, 700));
    come_back(world, worker, 50, 20000);
}

static void kill_machine(struct world *world, struct worker *worker)
{
    struck(world, STRUCK_MACHINE);
    worker_die(world, worker, rng_chance(&world->rng, 300));
    node_die(world, worker, true);
    come_back(world, worker, 500, 20000);
}

/* Another worker that stays can take all that this one can. */
static bool is_replaceable(const struct world *world,
                           const struct worker *worker)
{
    for (int i = 0; i < world->n_workers; i++) {
        const struct worker *other = &world->workers[i];
        size_t covered = 0;
        for (size_t k = 0; k < worker->n_tags; k++)
            for (size_t j = 0; j < other->n_tags; j++)
                covered += worker->tags[k] == other->tags[j];
        if (other != worker && !other->gone && !other->rival &&
            covered == worker->n_tags)
            return true;
    }
    return false;
}

static void kill_for_good(struct world *world, struct worker *worker)
{
    worker->gone = is_replaceable(world, worker);
    struck(world, STRUCK_KILL);
    worker_die(world, worker, rng_chance(&world->rng, 700));
}

static void left(struct world *world, const struct happening *happening)
{
    struct worker *worker = &world->workers[happening->who];
    if (!worker->alive || worker->life != happening->life)
        return;
    worker_die(world, worker, true);
    come_back(world, worker, 100, 10000);
}

static void leave(struct world *world, struct worker *worker)
{
    struct happening happening = {
        .act = left, .who = worker->id, .life = worker->life};
    struct launch *launch;
    worker->leaving = true;
    struck(world, STRUCK_LEAVE);
    tell(world, worker->name, "is leaving");
    DL_FOREACH (worker->launches, launch)
        if (!LEASE_OVER(launch->status))
            node_stop(world, worker, launch);
    worker_report(world, worker);
    later(world, rng_between(&world->rng, 100, 5000), &happening);
}

static void new_key(struct world *world, const struct happening *happening)
{
    struct worker *worker = &world->workers[happening->who];
    if (world->calm)
        return;
    worker->cut = 0;
    tell(world, worker->name, "has a new key");
    if (!worker->alive)
        return;
    worker_die(world, worker, false);
    come_back(world, worker, 50, 5000);
}

/* Its key is taken away while it works: it is heard no more, though it and its
 * node go on, until it is started again with another one. */
static void expel(struct world *world, struct worker *worker)
{
    struct cmd cmd = {.type = CMD_EXPEL, .agent = worker->name};
    struct happening happening = {.act = new_key, .who = worker->id};
    if (worker->cut || !hub_turn(world))
        return;
    struck(world, STRUCK_EXPEL);
    tell(world, worker->name, "loses its key");
    worker->cut = CUT_ALL;
    hub_do(world, &cmd);
    hub_gone(world, worker);
    later(world, rng_skewed(&world->rng, 100, 25000), &happening);
}

static void hit_agent(struct world *world)
{
    static void (*const ways[])(struct world *, struct worker *) = {
        kill_agent, kill_agent, expel, kill_machine, leave, kill_for_good};
    struct worker *worker = any_worker(world);
    if (worker->alive)
        ways[rng_between(&world->rng, 0, 5)](world, worker);
}

/* --- Its connection. --- */

static void mended(struct world *world, const struct happening *happening)
{
    world->workers[happening->who].cut = 0;
    tell(world, world->workers[happening->who].name, "is connected again");
}

static void closed(struct world *world, const struct happening *happening)
{
    const struct worker *worker = &world->workers[happening->who];
    bool closes = (worker->cut & CUT_STATUS) != 0;
    if (closes && worker->alive && worker->life == happening->life)
        hub_gone(world, worker);
}

static void cut(struct world *world)
{
    static const struct {
        int cut;
        enum fault_kind kind;
        const char *what;
    } ways[] = {
        {CUT_ALL, STRUCK_CUT, "is cut off"},
        {CUT_ALL, STRUCK_CUT, "is cut off"},
        {CUT_STATUS, STRUCK_CUT_UP, "is not heard any more, but hears"},
        {CUT_CONTROL | CUT_LANE, STRUCK_CUT_DOWN,
         "is heard, but hears nothing"},
        {CUT_CONTROL, STRUCK_CUT_DOWN, "gets batches, but hears nothing else"},
        {CUT_LANE, STRUCK_CUT_DOWN, "gets no batches"},
    };
    int way = (int)rng_between(&world->rng, 0, 5);
    struct worker *worker = any_worker(world);
    struct happening mend = {.act = mended, .who = worker->id};
    struct happening close = {
        .act = closed, .who = worker->id, .life = worker->life};
    if (worker->cut)
        return;
    worker->cut = ways[way].cut;
    struck(world, ways[way].kind);
    tell(world, worker->name, "%s", ways[way].what);
    later(world, rng_skewed(&world->rng, 200, 25000), &mend);
    later(world, CUT_CLOSES_MS, &close);
}

/* --- Its node. --- */

static void recovers(struct world *world, const struct happening *happening)
{
    world->workers[happening->who].sick = false;
}

static void down_node(struct world *world, struct worker *worker)
{
    node_die(world, worker, false);
    worker->pause_ms = world->now_ms + rng_between(&world->rng, 500, 5000);
    worker_report(world, worker);
}

void fault_deadly(struct world *world, struct worker *worker, bool panics)
{
    struck(world, panics && worker->alive ? STRUCK_PANIC : STRUCK_DEADLY);
    if (panics && worker->alive) {
        worker_die(world, worker, rng_chance(&world->rng, 300));
        node_die(world, worker, true);
        come_back(world, worker, 500, 20000);
    } else {
        down_node(world, worker);
    }
}

static void hit_node(struct world *world)
{
    struct worker *worker = any_worker(world);
    struct happening happening = {.act = recovers, .who = worker->id};
    if (rng_chance(&world->rng, 500)) {
        worker->sick = true;
        struck(world, STRUCK_SICK);
        tell(world, worker->name, "has its node refuse all");
        later(world, rng_between(&world->rng, 500, 8000), &happening);
        return;
    }
    struck(world, STRUCK_NODE);
    down_node(world, worker);
}

/* --- The broker's machine. --- */

static void roomy(struct world *world, const struct happening *happening)
{
    (void)happening;
    if (!world->ledger.full)
        return;
    world->ledger.full = false;
    tell(world, "disk", "has room again");
}

static void fill(struct world *world)
{
    struct ledger *ledger = &world->ledger;
    if (ledger->full)
        return;
    ledger->full = true;
    ledger->room = rng_skewed(&world->rng, 0, 300);
    struck(world, STRUCK_FULL);
    tell(world, "disk", "is full, but for %" PRId64 " records", ledger->room);
    later(world, rng_skewed(&world->rng, 200, 30000),
          &(struct happening){.act = roomy});
}

/* A connection may not live through it, though its agent does. */
static void freeze(struct world *world)
{
    int64_t ms = rng_skewed(&world->rng, 500, 60000);
    hub_freeze(world, ms, rng_chance(&world->rng, 500));
    for (int i = 0; i < world->n_workers; i++)
        if (ms > CUT_CLOSES_MS && world->workers[i].alive &&
            rng_chance(&world->rng, 300))
            hub_gone(world, &world->workers[i]);
}

/* --- All of it. --- */

static void crash(struct world *world)
{
    hub_crash(world);
}

static const struct {
    void (*hit)(struct world *);
    size_t gap; /* where its mean gap stands in struct weather */
} kinds[] = {
    {hit_agent, offsetof(struct weather, kill_gap_ms)},
    {cut, offsetof(struct weather, cut_gap_ms)},
    {crash, offsetof(struct weather, crash_gap_ms)},
    {hit_node, offsetof(struct weather, node_gap_ms)},
    {fill, offsetof(struct weather, full_gap_ms)},
    {freeze, offsetof(struct weather, freeze_gap_ms)},
};

static int64_t gap_of(const struct world *world, int kind)
{
    const char *weather = (const char *)&world->weather;
    return *(const int64_t *)(const void *)(weather + kinds[kind].gap);
}

static void strike(struct world *world, const struct happening *happening)
{
    if (world->calm)
        return;
    kinds[happening->who].hit(world);
    later(world, rng_between(&world->rng, 1, 2 * gap_of(world, happening->who)),
          happening);
}

void faults_begin(struct world *world)
{
    for (int kind = 0; kind < (int)(sizeof kinds / sizeof *kinds); kind++) {
        struct happening happening = {.act = strike, .who = kind};
        int64_t gap = gap_of(world, kind);
        if (gap > 0)
            later(world, rng_between(&world->rng, 1, 2 * gap), &happening);
    }
}

static void trips(struct world *world, const struct happening *happening)
{
    if (!world->calm && happening->life == world->hub.life)
        hub_crash(world);
}

void faults_trip(struct world *world)
{
    struct happening happening = {.act = trips, .life = world->hub.life};
    bool pending = world->ledger.n > world->ledger.disk;
    if (pending && !world->calm && rng_chance(&world->rng, world->weather.trip))
        later(world, rng_between(&world->rng, 0, world->weather.commit_ms),
              &happening);
}

void faults_end(struct world *world)
{
    tell(world, "world", "is calm");
    world->calm = true;
    hub_wake(world);
    roomy(world, NULL);
    for (int i = 0; i < world->n_workers; i++) {
        struct worker *worker = &world->workers[i];
        worker->sick = false;
        worker->cut = 0;
        if (worker->rival && worker->alive)
            worker_die(world, worker, true);
        else if (!worker->rival && !worker->gone && !worker->alive)
            worker_start(world, worker);
    }
}
