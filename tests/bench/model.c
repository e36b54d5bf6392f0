/* SPDX-License-Identifier: Apache-2.0
 *
 * The core in its virtual farm: commands in, events carried to the agents.
 */
#include "tests/bench/model.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/limits.h"
#include "common/mem.h"

#define START_MS 1 /* 0 stands for "not yet" in the core */

static void later(struct world *world, int64_t delay_ms,
                  const struct happening *happening)
{
    struct happening copy = *happening;
    copy.at_ms = world->now_ms + delay_ms;
    agenda_add(&world->agenda, &copy);
}

/* --- From the core to agents. --- */

/* An event on its way, as the bytes of a happening. */
static void arrive_event(struct world *world, const struct happening *happening)
{
    struct model_agent *agent = &world->agents[happening->who];
    struct event event;
    memcpy(&event, happening->bytes, sizeof event);
    if (!agent->alive)
        return;
    if (event.type == EVENT_LEASED)
        agent_take(world, agent, &event);
    else if (event.type == EVENT_TRIMMED)
        agent_trim(world, agent, event.lease, event.number);
    else if (event.type == EVENT_REVOKED)
        agent_revoke(world, agent, event.lease);
    else if (event.type == EVENT_ACKED)
        agent_acked(world, agent, &event);
    else
        agent_lane(world, agent, event.lane);
}

/* The number at the end of a name. */
static int number_in(const char *name)
{
    return (int)strtol(name + strcspn(name, "0123456789"), NULL, 10);
}

/* What is borrowed of an event does not outlive the step; a job goes as its
 * number, an acknowledgement as the lease that it is of. */
static void carry(struct world *world, struct event event)
{
    struct happening happening = {.act = arrive_event,
                                  .who = number_in(event.agent),
                                  .bytes = mem_new(sizeof event),
                                  .len = sizeof event};
    if (event.type == EVENT_LEASED) {
        event.inc = (uint64_t)number_in(event.job);
        world->launches++;
        world->copies += event.flag;
    }
    event.job = event.agent = event.text = event.detail = NULL;
    event.acks = (struct msg_acks){NULL, 0};
    memcpy(happening.bytes, &event, sizeof event);
    later(world, MODEL_WIRE_MS, &happening);
}

static void carry_acks(struct world *world, const struct event *event)
{
    for (size_t i = 0; i < event->acks.n; i++) {
        struct event one = *event;
        one.lease = event->acks.at[i].lease;
        one.hi = event->acks.at[i].to;
        one.flag = event->acks.at[i].closed;
        carry(world, one);
    }
}

static void take_event(struct world *world, const struct event *event)
{
    int job = 0;
    switch (event->type) {
    case EVENT_ENDED:
        job = number_in(event->job);
        world->jobs[job].ended_ms = event->at_ms;
        world->n_ended++;
        break;
    case EVENT_LEASED:
    case EVENT_TRIMMED:
    case EVENT_REVOKED:
    case EVENT_LANE:
        carry(world, *event);
        break;
    case EVENT_ACKED:
        carry_acks(world, event);
        break;
    default:
        break;
    }
}

static void tick(struct world *world, const struct happening *happening);

static void queue_tick(struct world *world)
{
    int64_t at_ms = core_next(world->core);
    if (at_ms >= world->tick_ms || at_ms == INT64_MAX)
        return;
    world->tick_ms = at_ms;
    later(world, at_ms > world->now_ms ? at_ms - world->now_ms : 0,
          &(struct happening){.act = tick});
}

static void step(struct world *world, const struct cmd *cmd)
{
    char why[256];
    world->out = (struct events){0};
    enum rc rc = core_step(world->core, world->now_ms, cmd, &world->arena,
                           &world->out, why, sizeof why);
    assert(rc == RC_OK);
    (void)rc;
    for (size_t i = 0; i < world->out.n; i++)
        take_event(world, &world->out.at[i]);
    arena_reset(&world->arena);
    if (world->core->committed < world->core->seq)
        step(world,
             &(struct cmd){.type = CMD_COMMITTED, .seq = world->core->seq});
}

static void core_do(struct world *world, const struct cmd *cmd)
{
    step(world, cmd);
    queue_tick(world);
    if (world->look)
        world->look(world);
}

static void tick(struct world *world, const struct happening *happening)
{
    if (happening->at_ms != world->tick_ms)
        return;
    world->tick_ms = INT64_MAX;
    core_do(world, &(struct cmd){.type = CMD_TICK});
}

/* --- From agents to the core. --- */

static size_t fill_results(const struct model_launch *launch,
                           const struct msg_result **ret)
{
    *ret = &launch->results[launch->told - launch->from];
    int32_t end = launch->status == LEASE_DONE ? launch->to + 1 : launch->at;
    return end > launch->told ? (size_t)(end - launch->told) : 0;
}

static void fill_lease(const struct world *world,
                       const struct model_launch *launch, struct msg_lease *ret)
{
    *ret = (struct msg_lease){.lease = launch->lease,
                              .job = world->jobs[launch->job].id,
                              .from = launch->from,
                              .to = launch->to,
                              .step = 1,
                              .status = launch->status,
                              .frame = -1,
                              .blamed = -1,
                              .text = ""};
    if (world->shape->trim || LEASE_OVER(launch->status)) {
        ret->n_results = fill_results(launch, &ret->results);
        ret->done = launch->told - launch->from + (int32_t)ret->n_results;
    }
    if (world->shape->trim && launch->status == LEASE_RUNNING &&
        launch->at >= launch->from)
        ret->frame = launch->at;
}

static void model_state(const struct world *world,
                        const struct model_agent *agent,
                        struct msg_lease *leases, struct msg_state *ret)
{
    const struct model_launch *launch;
    bool trim = world->shape->trim;
    *ret = (struct msg_state){.agent = agent->name,
                              .inc = 1,
                              .seq = agent->seq,
                              .epoch = 1,
                              .lane = agent->lane,
                              .dseq = agent->dseq,
                              .slots = 1,
                              .why = "",
                              .version = "",
                              .leases = leases};
    ret->node = (struct msg_node){.up = true,
                                  .classic = !trim,
                                  .can_trim = trim,
                                  .can_stop = trim,
                                  .name = "",
                                  .version = "",
                                  .blender = "",
                                  .device = "",
                                  .error = ""};
    DL_FOREACH (agent->launches, launch)
        fill_lease(world, launch, &leases[ret->n_leases++]);
}

/* It is read when it is sent and arrives a moment later: its bytes are those
 * of the encoded message. */
static void arrive_state(struct world *world, const struct happening *happening)
{
    struct arena arena = {0};
    struct msg msg;
    char why[256];
    bool good = msg_decode(happening->bytes, happening->len, &arena, &msg, why,
                           sizeof why);
    assert(good);
    (void)good;
    core_do(world, &(struct cmd){.type = CMD_STATE, .state = &msg.state});
    arena_done(&arena);
}

void model_tell(struct world *world, struct model_agent *agent)
{
    struct msg_lease leases[LIMIT_LEASES];
    struct msg msg = {.kind = KIND_STATE};
    struct buf bytes;
    if (!agent->alive)
        return;
    agent->seq++;
    model_state(world, agent, leases, &msg.state);
    buf_init(&bytes, LIMIT_MESSAGE);
    msg_encode(&msg, &bytes);
    later(world, MODEL_WIRE_MS,
          &(struct happening){.act = arrive_state,
                              .who = agent->id,
                              .bytes = bytes.data,
                              .len = bytes.len});
}

static void beat(struct world *world, const struct happening *happening)
{
    struct model_agent *agent = &world->agents[happening->who];
    if (!agent->alive)
        return;
    model_tell(world, agent);
    later(world, MSG_STATE_MS, happening);
}

static void arrive(struct world *world, const struct happening *happening)
{
    world->agents[happening->who].alive = true;
    beat(world, &(struct happening){.act = beat, .who = happening->who});
}

/* Its connection closes with it. */
static void die(struct world *world, const struct happening *happening)
{
    struct model_agent *agent = &world->agents[happening->who];
    agent->alive = false;
    core_do(world,
            &(struct cmd){.type = CMD_GONE, .agent = agent->name, .inc = 1});
}

/* --- A life. --- */

static void add_agent(struct world *world, int id)
{
    struct model_agent *agent = &world->agents[id];
    agent->id = id;
    agent->node = &world->shape->nodes[id];
    snprintf(agent->name, sizeof agent->name, "agent%02d", id);
    int64_t arrives_ms = agent->node->arrives_ms;
    later(world, arrives_ms > 0 ? 2 * MODEL_JOIN_MS + arrives_ms : 0,
          &(struct happening){.act = arrive, .who = id});
    if (agent->node->dies_ms > 0)
        later(world, 2 * MODEL_JOIN_MS + agent->node->dies_ms,
              &(struct happening){.act = die, .who = id});
}

void model_open(struct world *world, const struct shape *shape)
{
    static const struct core_options options = {.max_attempts = 3,
                                                .lease_ttl_ms = 15000,
                                                .orphan_grace_ms =
                                                    MODEL_GRACE_MS,
                                                .jobs_max = LIMIT_JOBS,
                                                .agents_max = LIMIT_AGENTS};
    *world = (struct world){
        .shape = shape, .now_ms = START_MS, .tick_ms = INT64_MAX};
    world->core = core_new(&options);
    world->work_ms = model_work(shape);
    core_do(world, &(struct cmd){.type = CMD_RESTART, .epoch = 1});
    for (int id = 0; id < shape->n_nodes; id++)
        add_agent(world, id);
}

void model_close(struct world *world)
{
    for (int id = 0; id < world->shape->n_nodes; id++)
        agent_drop_all(&world->agents[id]);
    core_free(&world->core);
    agenda_done(&world->agenda);
    arena_done(&world->arena);
    mem_free(world->work_ms);
    mem_free(world->jobs);
}

int32_t model_submit(struct world *world, const char *user, const char *scene,
                     int32_t frames)
{
    int32_t number = world->n_jobs++;
    world->jobs =
        mem_grow(world->jobs, (size_t)world->n_jobs, sizeof *world->jobs);
    struct model_job *job = &world->jobs[number];
    *job = (struct model_job){.submitted_ms = world->now_ms};
    snprintf(job->id, sizeof job->id, "makespan-job-%05d", (int)number);
    struct job_spec spec = {.id = job->id,
                            .name = "",
                            .user = user,
                            .key = "",
                            .priority = 50,
                            .blender = "",
                            .blend = scene,
                            .render = "{}",
                            .doc = "{}"};
    frames_span(&spec.frames, 0, frames - 1, 1);
    core_do(world, &(struct cmd){.type = CMD_SUBMIT, .spec = &spec});
    frames_free(&spec.frames);
    return number;
}

static void live_once(struct world *world)
{
    struct happening happening = agenda_take(&world->agenda);
    world->now_ms = happening.at_ms;
    happening.act(world, &happening);
    mem_free(happening.bytes);
}

void model_run(struct world *world)
{
    while (world->n_ended < world->n_jobs)
        live_once(world);
}

static void nothing(struct world *world, const struct happening *happening)
{
    (void)world;
    (void)happening;
}

void model_pass(struct world *world, int64_t ms)
{
    int64_t until_ms = world->now_ms + ms;
    later(world, ms, &(struct happening){.act = nothing});
    while (world->now_ms < until_ms)
        live_once(world);
}

bool model_busy(const struct world *world)
{
    for (int id = 0; id < world->shape->n_nodes; id++)
        if (world->agents[id].alive && world->agents[id].launches)
            return true;
    return false;
}

/* --- What anybody could do. --- */

static double lognormal(struct rng *rng, double spread)
{
    const double two_pi = 6.283185307179586;
    double u = ((double)(rng_next(rng) >> 11) + 1.0) / 9007199254740993.0;
    double v = (double)(rng_next(rng) >> 11) / 9007199254740992.0;
    double normal = sqrt(-2.0 * log(u)) * cos(two_pi * v);
    double sigma = sqrt(log(1.0 + spread * spread));
    return exp(sigma * normal - sigma * sigma / 2.0);
}

int32_t *model_work(const struct shape *shape)
{
    struct rng rng = {.state = shape->seed};
    int32_t *work_ms = mem_new((size_t)shape->frames * sizeof *work_ms);
    for (int32_t i = 0; i < shape->frames; i++) {
        double ms = shape->frame_ms * lognormal(&rng, shape->spread);
        work_ms[i] = ms < 1.0 ? 1 : (int32_t)(ms + 0.5);
    }
    return work_ms;
}

struct load {
    double work, longest, shortest;
};

static struct load load_of(const struct shape *shape, const int32_t *work_ms)
{
    struct load load = {.shortest = INFINITY};
    for (int32_t i = 0; i < shape->frames; i++) {
        load.work += work_ms[i] * (double)shape->jobs;
        load.longest = fmax(load.longest, work_ms[i]);
        load.shortest = fmin(load.shortest, work_ms[i]);
    }
    return load;
}

static double rendering_ms(const struct shape *shape,
                           const struct model_node *node, double end_ms)
{
    double until =
        node->dies_ms > 0 ? fmin(end_ms, (double)node->dies_ms) : end_ms;
    double ms = until - (double)node->arrives_ms - (double)shape->overhead_ms;
    return fmax(ms, 0.0) * node->speed;
}

/* Whether all could be rendered by then: the work shared out at will, the
 * frames counted as if all were the shortest, each job launched once. */
static bool could_end(const struct shape *shape, const struct load *load,
                      double end_ms)
{
    double capacity = 0, frames = 0, slowest = INFINITY, best = 0;
    for (int i = 0; i < shape->n_nodes; i++) {
        double ms = rendering_ms(shape, &shape->nodes[i], end_ms);
        capacity += ms;
        frames += floor(ms / load->shortest + 1e-9);
        best = fmax(best, ms);
        slowest = fmin(slowest, shape->nodes[i].speed);
    }
    double again = shape->jobs - shape->n_nodes;
    double launches = fmax(again, 0.0) * (double)shape->overhead_ms * slowest;
    return capacity >= load->work + launches && best >= load->longest &&
           (again > 0 || frames >= (double)shape->frames * shape->jobs);
}

double model_bound(const struct shape *shape, const int32_t *work_ms)
{
    struct load load = load_of(shape, work_ms);
    double low = 0, high = 1;
    while (!could_end(shape, &load, high))
        high *= 2;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (could_end(shape, &load, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

double model_plain(const struct shape *shape, const int32_t *work_ms)
{
    struct load load = load_of(shape, work_ms);
    double speed = 0, fastest = 0;
    for (int i = 0; i < shape->n_nodes; i++) {
        speed += shape->nodes[i].speed;
        fastest = fmax(fastest, shape->nodes[i].speed);
    }
    return fmax(load.work / speed,
                load.longest / fastest + (double)shape->overhead_ms);
}
