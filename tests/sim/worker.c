/* SPDX-License-Identifier: Apache-2.0
 *
 * An agent as docs/protocol.md wants it: a STATE every two seconds and at once
 * on every change; batches only of the epoch of the last BEAT, on its own lane
 * and in order; every lease is listed until it is acknowledged as closed.
 */
#include "tests/sim/world.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/limits.h"
#include "common/mem.h"

/* --- Out. --- */

static void fill_result(const struct launch *launch, int32_t i,
                        struct arena *arena, struct msg_result *ret)
{
    const struct shot *shot = &launch->shots[i];
    ret->frame = launch->from + i * launch->step;
    ret->ms = shot->ms;
    /* The judge reads from it when the frame was begun. */
    ret->files = arena_print(arena, "[%" PRId64 "]", shot->began_ms);
}

/* Takes results while *room lasts. Returns whether all did fit. */
static bool fill_results(const struct launch *launch, struct arena *arena,
                         int32_t *room, struct msg_lease *ret)
{
    int32_t n = launch_frames(launch);
    struct msg_result *results = arena_new(arena, (size_t)n * sizeof *results);
    ret->results = results;
    for (int32_t i = 0; i < n; i++) {
        const struct shot *shot = &launch->shots[i];
        if (!shot->done || shot->acked)
            continue;
        if (*room == 0)
            return false;
        fill_result(launch, i, arena, &results[ret->n_results++]);
        --*room;
    }
    return true;
}

/* A lease is shown as over only together with all its results. */
static void fill_lease(const struct world *world, const struct worker *worker,
                       struct launch *launch, struct arena *arena,
                       int32_t *room, struct msg_lease *ret)
{
    *ret = (struct msg_lease){.lease = launch->lease,
                              .job = launch->job->id,
                              .from = launch->from,
                              .to = launch->to,
                              .step = launch->step,
                              .status = launch->status,
                              .frame = -1,
                              .blamed = -1,
                              .text = ""};
    for (int32_t i = 0; i < launch_frames(launch); i++)
        ret->done += launch->shots[i].done;
    bool known = world->now_ms >= launch->asked_ms;
    bool whole = fill_results(launch, arena, room, ret);
    if (LEASE_OVER(ret->status) && !(whole && known))
        ret->status = LEASE_RUNNING;
    launch->shown = LEASE_OVER(ret->status);
    if (ret->status == LEASE_FAILED) {
        ret->fault = launch->fault;
        bool vague = worker->vague && launch->fault != FAULT_NODE_DOWN;
        ret->blamed = vague ? -1 : launch->blamed;
        ret->text = "it is broken";
    }
    if (ret->status == LEASE_RUNNING && launch->status == LEASE_RUNNING &&
        launch->at >= 0)
        ret->frame = launch->from + launch->at * launch->step;
}

static int32_t worker_slots(const struct world *world,
                            const struct worker *worker)
{
    return world->now_ms < worker->pause_ms ? 0 : worker->slots;
}

/* Those shown as over before come first, so that they stay so: their results
 * did fit then. */
static void fill_leases(const struct world *world, const struct worker *worker,
                        struct arena *arena, struct msg_state *ret)
{
    struct launch *launch;
    int32_t room = world->weather.results_max;
    size_t n = 0;
    DL_FOREACH (worker->launches, launch)
        n++;
    struct msg_lease *leases = arena_new(arena, n * sizeof *leases);
    ret->leases = leases;
    for (int shown = 1; shown >= 0; shown--)
        DL_FOREACH (worker->launches, launch)
            if (launch->shown == shown)
                fill_lease(world, worker, launch, arena, &room,
                           &leases[ret->n_leases++]);
}

static void fill_state(const struct world *world, const struct worker *worker,
                       struct arena *arena, struct msg_state *ret)
{
    *ret = (struct msg_state){.agent = worker->name,
                              .inc = worker->inc,
                              .seq = worker->seq,
                              .epoch = worker->epoch,
                              .lane = worker->lane,
                              .dseq = worker->dseq,
                              .slots = worker_slots(world, worker),
                              .why = "",
                              .leaving = worker->leaving,
                              .version = "",
                              .tags = worker->tags,
                              .n_tags = worker->n_tags};
    ret->node = (struct msg_node){.up = true,
                                  .classic = worker->classic,
                                  .can_trim = worker->can_trim,
                                  .can_stop = worker->can_stop,
                                  .name = "",
                                  .version = "",
                                  .blender = "3.4.1",
                                  .device = "",
                                  .error = ""};
    fill_leases(world, worker, arena, ret);
}

void worker_report(struct world *world, struct worker *worker)
{
    struct msg msg = {.kind = KIND_STATE};
    struct arena arena = {0};
    if (!worker->alive)
        return;
    worker->seq++;
    fill_state(world, worker, &arena, &msg.state);
    wire_up(world, worker, &msg);
    arena_done(&arena);
}

static void timer(struct world *world, const struct happening *happening)
{
    struct worker *worker = &world->workers[happening->who];
    if (!worker->alive || worker->life != happening->life)
        return;
    worker_report(world, worker);
    later(world, MSG_STATE_MS, happening);
}

static void report_soon(struct world *world, const struct happening *happening)
{
    struct worker *worker = &world->workers[happening->who];
    if (worker->life == happening->life)
        worker_report(world, worker);
}

static void report_later(struct world *world, struct worker *worker,
                         int64_t delay_ms)
{
    struct happening happening = {
        .act = report_soon, .who = worker->id, .life = worker->life};
    later(world, delay_ms, &happening);
}

/* --- In. --- */

static struct launch *launch_find(const struct worker *worker, uint64_t lease)
{
    struct launch *launch;
    DL_FOREACH (worker->launches, launch)
        if (launch->lease == lease)
            return launch;
    return NULL;
}

int32_t worker_running(const struct worker *worker)
{
    const struct launch *launch;
    int32_t n = 0;
    DL_FOREACH (worker->launches, launch)
        n += !LEASE_OVER(launch->status);
    return n;
}

static const struct sim_job *sim_job_find(const struct world *world,
                                          const char *id)
{
    for (int i = 0; i < world->n_jobs; i++)
        if (strcmp(world->jobs[i].id, id) == 0)
            return &world->jobs[i];
    fail(world, "known-jobs", "a BATCH of %s", id);
}

static struct launch *launch_new(const struct world *world,
                                 const struct msg_batch *batch)
{
    struct launch *launch = mem_new(sizeof *launch);
    launch->lease = batch->lease;
    launch->job = sim_job_find(world, batch->job);
    launch->from = batch->from;
    launch->to = batch->to;
    launch->step = batch->step;
    launch->at = launch->blamed = -1;
    launch->shots =
        mem_new((size_t)launch_frames(launch) * sizeof *launch->shots);
    return launch;
}

void worker_forget(struct worker *worker, struct launch *launch)
{
    DL_DELETE(worker->launches, launch);
    mem_free(launch->shots);
    mem_free(launch);
}

/* No room is no surprise while slots are paused; the batch is not listed then
 * and goes elsewhere. Else the broker gave more than it may. */
static void batch_take(struct world *world, struct worker *worker,
                       const struct msg_batch *batch)
{
    int32_t slots = worker_slots(world, worker);
    if (slots > 0 && worker_running(worker) >= slots && !worker->leaving)
        fail(world, "never-over-slots", "%s has %d slots", worker->name, slots);
    if (slots == 0 || worker->leaving)
        return;
    struct launch *launch = launch_new(world, batch);
    int32_t n = launch_frames(launch);
    if (worker->classic &&
        (n > LIMIT_CLASSIC_BATCH || (n > 1 && batch->step > 1)))
        fail(world, "classic-batches", "%s got %d frames by %d", worker->name,
             n, batch->step);
    DL_APPEND(worker->launches, launch);
    node_launch(world, worker, launch);
}

static void hear_batch(struct world *world, struct worker *worker,
                       const struct msg *msg)
{
    const struct msg_batch *batch = &msg->batch;
    if (batch->epoch != worker->epoch || batch->lane != worker->lane ||
        batch->dseq <= worker->dseq)
        return;
    worker->dseq = batch->dseq;
    if (!launch_find(worker, batch->lease))
        batch_take(world, worker, batch);
    worker_report(world, worker);
}

static void hear_lane(struct world *world, struct worker *worker,
                      const struct msg *msg)
{
    if (msg->lane.inc != worker->inc || msg->lane.lane <= worker->lane ||
        LEASE_EPOCH(msg->lane.lane) < worker->epoch)
        return;
    worker->lane = msg->lane.lane;
    worker->dseq = 0;
    worker_report(world, worker);
}

static void hear_beat(struct world *world, struct worker *worker,
                      const struct msg *msg)
{
    if (msg->beat.epoch <= worker->epoch)
        return;
    worker->epoch = msg->beat.epoch;
    if (LEASE_EPOCH(worker->lane) != worker->epoch)
        worker->lane = worker->dseq = 0;
    worker_report(world, worker);
}

static bool ack_frames(struct launch *launch, const struct msg_ack *ack)
{
    bool any = false;
    for (int32_t i = 0; i < launch_frames(launch); i++) {
        struct shot *shot = &launch->shots[i];
        int32_t frame = launch->from + i * launch->step;
        if (!shot->done || shot->acked || frame < ack->from || frame > ack->to)
            continue;
        any = shot->acked = true;
    }
    return any;
}

static void hear_ack(struct world *world, struct worker *worker,
                     const struct msg *msg)
{
    const struct msg_ack *ack = &msg->acks.at[0];
    struct launch *launch = launch_find(worker, ack->lease);
    if (!launch)
        return;
    bool news = ack_frames(launch, ack) || ack->closed;
    if (ack->closed && !LEASE_OVER(launch->status))
        fail(world, "closed-is-over", "%s: lease %" PRIu64 " still runs",
             worker->name, launch->lease);
    if (ack->closed)
        worker_forget(worker, launch);
    if (news)
        worker_report(world, worker);
}

static void hear_revoke(struct world *world, struct worker *worker,
                        const struct msg *msg)
{
    struct launch *launch = launch_find(worker, msg->revoke.lease);
    if (!launch || launch->revoked || LEASE_OVER(launch->status))
        return;
    launch->revoked = true;
    node_stop(world, worker, launch);
    worker_report(world, worker);
}

static void hear_trim(struct world *world, struct worker *worker,
                      const struct msg *msg)
{
    struct launch *launch = launch_find(worker, msg->trim.lease);
    if (!launch || LEASE_OVER(launch->status))
        return;
    if (node_trim(launch, worker, msg->trim.to))
        worker_report(world, worker);
}

static void hear_who(struct world *world, struct worker *worker,
                     const struct msg *msg)
{
    (void)msg;
    report_later(world, worker, rng_between(&world->rng, 0, MSG_STATE_MS));
}

static void start(struct world *world, const struct happening *happening)
{
    struct worker *worker = &world->workers[happening->who];
    if (!worker->alive && worker->life == happening->life)
        worker_start(world, worker);
}

static void hear_refuse(struct world *world, struct worker *worker,
                        const struct msg *msg)
{
    if (msg->refuse.inc != worker->inc)
        return;
    tell(world, worker->name, "is refused and ends");
    worker_die(world, worker, true);
    struct happening again = {
        .act = start, .who = worker->id, .life = worker->life};
    if (!worker->rival)
        later(world, 5000, &again);
}

void worker_hear(struct world *world, const struct happening *happening)
{
    static void (*const ears[])(struct world *, struct worker *,
                                const struct msg *) = {
        [KIND_BATCH] = hear_batch,   [KIND_LANE] = hear_lane,
        [KIND_ACK] = hear_ack,       [KIND_REVOKE] = hear_revoke,
        [KIND_TRIM] = hear_trim,     [KIND_WHO] = hear_who,
        [KIND_REFUSE] = hear_refuse, [KIND_BEAT] = hear_beat,
    };
    struct worker *worker = &world->workers[happening->who];
    struct arena arena = {0};
    struct msg msg;
    char why[256];
    if (!worker->alive)
        return;
    if (!msg_decode(happening->bytes, happening->len, &arena, &msg, why,
                    sizeof why))
        fail(world, "messages-readable", "%s", why);
    bool cut = worker->cut & (msg.kind == KIND_BATCH ? CUT_LANE : CUT_CONTROL);
    if (!cut)
        ears[msg.kind](world, worker, &msg);
    arena_done(&arena);
}

/* --- Its life. --- */

/* The journal has every lease, but not how it ended: the node is asked. */
static void journal_read(struct world *world, struct worker *worker)
{
    struct launch *launch;
    DL_FOREACH (worker->launches, launch) {
        launch->shown = false;
        launch->asked_ms = world->now_ms + rng_skewed(&world->rng, 0, 3000);
    }
}

void worker_start(struct world *world, struct worker *worker)
{
    journal_read(world, worker);
    worker->alive = true;
    worker->leaving = false;
    worker->life++;
    worker->inc = rng_next(&world->rng) | 1;
    worker->seq = worker->epoch = worker->lane = worker->dseq = 0;
    tell(world, worker->name, "starts, inc %" PRIx64, worker->inc);
    timer(world, &(struct happening){
                     .act = timer, .who = worker->id, .life = worker->life});
}

void worker_die(struct world *world, struct worker *worker, bool hint)
{
    worker->alive = false;
    worker->life++;
    tell(world, worker->name, "dies%s", hint ? "" : " unseen");
    if (hint)
        hub_gone(world, worker);
}
