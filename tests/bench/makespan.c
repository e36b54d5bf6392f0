/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-bench makespan: how late the last frame is, in virtual time, beside
 * the least time in which anybody who knew everything could have rendered it
 * (model_bound). Says nothing about this machine; the same on all.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/app/conf.h"
#include "common/mem.h"
#include "tests/bench/bench.h"
#include "tests/bench/figures.h"
#include "tests/bench/model.h"

#define MILLION    1e6
#define ORDER_RUNS 20

static const struct setting settings[] = {
    {.name = "shapes", .help = "Print each of the farms drawn from seeds"},
    {.name = "seeds",
     .argument = "N",
     .fallback = "200",
     .help = "Farms drawn from the seeds 1 to N",
     .check = conf_is_count},
    BENCH_SETTING_JSON,
};

static const struct conf_program program = {
    .name = "frameq-bench makespan",
    .usage = "",
    .about = "Lets the broker's core share out work to model agents in "
             "virtual time, and prints how long that took beside the least "
             "time possible.",
    .epilog = "  frameq-bench makespan --json\n"
              "  frameq-bench makespan --shapes\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

struct trial {
    bool json, shapes;
    uint64_t seeds;
};

struct outcome {
    int64_t makespan_ms, launches, copies;
    double ratio, plain; /* over model_bound, model_plain */
};

/* --- Farms. --- */

#define EQUAL                                                                  \
    {                                                                          \
        .speed = 1                                                             \
    }

/* The rows of a fixed farm: whether its nodes can stop early is a column. */
static const struct row {
    struct shape shape;
    double classic, trim; /* what was aimed at; 0: nothing */
    int64_t detect_ms;    /* not counted: until a death is known */
} rows[] = {
    {.shape = {.name = "3 equal nodes, 20 frames",
               .n_nodes = 3,
               .nodes = {EQUAL, EQUAL, EQUAL},
               .jobs = 1,
               .frames = 20,
               .frame_ms = 500,
               .overhead_ms = 250},
     .classic = 1.10,
     .trim = 1.07},
    {.shape = {.name = "one of three 4 times slower",
               .n_nodes = 3,
               .nodes = {EQUAL, EQUAL, {.speed = 0.25}},
               .jobs = 1,
               .frames = 20,
               .frame_ms = 500,
               .overhead_ms = 250},
     .classic = 1.28,
     .trim = 1.15},
    {.shape = {.name = "8 nodes, lognormal, 480 frames",
               .n_nodes = 8,
               .nodes = {EQUAL, EQUAL, EQUAL, EQUAL, EQUAL, EQUAL, EQUAL,
                         EQUAL},
               .jobs = 1,
               .frames = 480,
               .frame_ms = 100,
               .spread = 0.5,
               .overhead_ms = 250},
     .classic = 1.10,
     .trim = 1.06},
    {.shape = {.name = "10 nodes, 500 jobs of 20 frames",
               .n_nodes = 10,
               .nodes = {EQUAL, EQUAL, EQUAL, EQUAL, EQUAL, EQUAL, EQUAL, EQUAL,
                         EQUAL, EQUAL},
               .jobs = 500,
               .frames = 20,
               .frame_ms = 2,
               .overhead_ms = 250},
     .classic = 1.30},
    {.shape = {.name = "a third node after 1 s",
               .n_nodes = 3,
               .nodes = {EQUAL, EQUAL, {.speed = 1, .arrives_ms = 1000}},
               .jobs = 1,
               .frames = 20,
               .frame_ms = 500,
               .overhead_ms = 250},
     .classic = 1.15},
    {.shape = {.name = "a node of three dies after 2 s",
               .n_nodes = 3,
               .nodes = {EQUAL, EQUAL, {.speed = 1, .dies_ms = 2000}},
               .jobs = 1,
               .frames = 20,
               .frame_ms = 500,
               .overhead_ms = 250},
     .classic = 1.15,
     .detect_ms = MODEL_GRACE_MS},
};
#define N_ROWS (sizeof rows / sizeof *rows)

/* A farm drawn from a seed: 2 to 50 nodes of speed 1 to 10, 20 to 5,000 frames
 * of a second, spread by 0 to 1, launches of 0 to 2 frames. */
static void draw(struct shape *shape, uint64_t seed, bool trim)
{
    struct rng rng = {.state = seed};
    *shape = (struct shape){.name = "drawn",
                            .seed = seed,
                            .jobs = 1,
                            .frame_ms = 1000,
                            .trim = trim};
    shape->n_nodes = (int)rng_between(&rng, 2, 50);
    shape->frames = (int32_t)rng_between(&rng, 20, 5000);
    shape->spread = (double)rng_between(&rng, 0, 1000) / 1000;
    shape->overhead_ms = rng_between(&rng, 0, 2000);
    for (int i = 0; i < shape->n_nodes; i++)
        shape->nodes[i].speed = (double)rng_between(&rng, 1000, 10000) / 1000;
}

static void submit_all(struct world *world)
{
    char user[16], scene[32];
    for (int32_t i = 0; i < world->shape->jobs; i++) {
        snprintf(user, sizeof user, "user%d", (int)(i % 5));
        snprintf(scene, sizeof scene, "/farm/scene%d.blend", (int)(i % 7));
        model_submit(world, user, scene, world->shape->frames);
    }
    model_run(world);
}

/* known: the same was rendered before, so that the broker has seen what its
 * frames take, and where. */
static struct outcome live(const struct shape *shape, int64_t detect_ms,
                           bool known)
{
    struct world *world = mem_new(sizeof *world);
    struct outcome outcome = {0};
    model_open(world, shape);
    model_pass(world, MODEL_JOIN_MS);
    if (known)
        submit_all(world);
    while (model_busy(world)) /* a classic node's launch nobody can end */
        model_pass(world, MODEL_JOIN_MS);
    model_pass(world, MODEL_JOIN_MS);
    int64_t launches = world->launches, copies = world->copies;
    int64_t from_ms = world->now_ms;
    submit_all(world);
    for (int32_t i = 0; i < world->n_jobs; i++)
        if (world->jobs[i].ended_ms - from_ms > outcome.makespan_ms)
            outcome.makespan_ms = world->jobs[i].ended_ms - from_ms;
    double ms = (double)(outcome.makespan_ms - detect_ms);
    outcome.launches = world->launches - launches;
    outcome.copies = world->copies - copies;
    outcome.ratio = ms / model_bound(shape, world->work_ms);
    outcome.plain = ms / model_plain(shape, world->work_ms);
    model_close(world);
    mem_free(world);
    return outcome;
}

/* --- Rows. --- */

static void print_outcome(const struct trial *trial, const struct shape *shape,
                          const struct outcome *outcome, double target)
{
    const char *nodes = shape->trim ? "ours" : "classic";
    if (trial->json)
        printf("{\"row\":\"%s\",\"nodes\":\"%s\",\"makespan_ms\":%" PRId64
               ",\"ratio\":%.3f,\"plain\":%.3f,\"launches\":%" PRId64
               ",\"copies\":%" PRId64 ",\"target\":%.2f}",
               shape->name, nodes, outcome->makespan_ms, outcome->ratio,
               outcome->plain, outcome->launches, outcome->copies, target);
    else
        printf("%-32s %-7s %9.3f s  %5.3f  (%5.3f)  %5" PRId64
               " launches %4" PRId64 " copies",
               shape->name, nodes, (double)outcome->makespan_ms / 1000,
               outcome->ratio, outcome->plain, outcome->launches,
               outcome->copies);
    if (!trial->json && target > 0)
        printf("  aim %.2f%s", target,
               outcome->ratio > target ? " missed" : "");
    fputs(trial->json ? "," : "\n", stdout);
}

static void live_rows(const struct trial *trial)
{
    for (size_t i = 0; i < 2 * N_ROWS; i++) {
        const struct row *row = &rows[i % N_ROWS];
        struct shape shape = row->shape;
        shape.trim = i >= N_ROWS;
        struct outcome outcome = live(&shape, row->detect_ms, false);
        print_outcome(trial, &shape, &outcome,
                      shape.trim ? row->trim : row->classic);
    }
}

/* --- Farms from seeds. --- */

static void print_shape(const struct shape *shape,
                        const struct outcome *outcome, bool known)
{
    double speed = 0;
    for (int i = 0; i < shape->n_nodes; i++)
        speed += shape->nodes[i].speed;
    printf("seed %3" PRIu64 " %-7s %s %2d nodes of speed %5.1f in all, %4d "
           "frames, spread %.2f, launch %4.2f s: %8.3f s, ratio %.3f, %" PRId64
           " launches, %" PRId64 " copies\n",
           shape->seed, shape->trim ? "ours" : "classic",
           known ? "known" : "new", shape->n_nodes, speed, (int)shape->frames,
           shape->spread, (double)shape->overhead_ms / 1000,
           (double)outcome->makespan_ms / 1000, outcome->ratio,
           outcome->launches, outcome->copies);
}

static void live_shapes(const struct trial *trial, bool trim, bool known)
{
    struct figures ratios = {0};
    const char *nodes = trim ? "ours" : "classic";
    for (uint64_t seed = 1; seed <= trial->seeds; seed++) {
        struct shape shape;
        draw(&shape, seed, trim);
        struct outcome outcome = live(&shape, 0, known);
        figures_add(&ratios, (int64_t)(outcome.ratio * MILLION));
        if (trial->shapes && !trial->json)
            print_shape(&shape, &outcome, known);
    }
    double p50 = (double)figures_quantile(&ratios, 0.5) / MILLION;
    double p95 = (double)figures_quantile(&ratios, 0.95) / MILLION;
    double most = (double)figures_quantile(&ratios, 1) / MILLION;
    if (trial->json)
        printf("{\"row\":\"%s\",\"nodes\":\"%s\",\"seeds\":%" PRIu64
               ",\"p50\":%.3f,\"p95\":%.3f,\"max\":%.3f},",
               known ? "known seeds" : "seeds", nodes, trial->seeds, p50, p95,
               most);
    else
        printf("seeds 1 to %-4" PRIu64 " %-16s %-7s p50 %.3f  p95 %.3f  max "
               "%.3f\n",
               trial->seeds, known ? "rendered again" : "first time", nodes,
               p50, p95, most);
    figures_done(&ratios);
}

/* --- Order. --- */

static void order_shape(struct shape *shape, bool trim)
{
    *shape = (struct shape){.name = "order",
                            .n_nodes = 8,
                            .jobs = 1,
                            .frames = 10000,
                            .frame_ms = 1000,
                            .spread = 0.3,
                            .overhead_ms = 250,
                            .trim = trim};
    for (int i = 0; i < shape->n_nodes; i++)
        shape->nodes[i].speed = 1;
}

/* How long a small job of a user waits for its first frame while a big one of
 * anna's has all agents: from its submission to the beginning of that frame. */
static int64_t small_waits_ms(uint64_t seed, const char *user, bool trim)
{
    struct world *world = mem_new(sizeof *world);
    struct shape shape;
    order_shape(&shape, trim);
    shape.seed = seed;
    model_open(world, &shape);
    model_submit(world, "anna", "/farm/big.blend", shape.frames);
    model_pass(world, 20000 + (int64_t)seed * 137);
    int32_t small = model_submit(world, user, "/farm/small.blend", 2);
    while (world->jobs[small].first_ms == 0)
        model_pass(world, 1);
    int64_t ms = world->jobs[small].first_ms - world->jobs[small].submitted_ms;
    model_close(world);
    mem_free(world);
    return ms;
}

static void live_order(const struct trial *trial, bool own, bool trim)
{
    struct figures waits = {0};
    const char *user = own ? "anna" : "ben";
    for (uint64_t seed = 1; seed <= ORDER_RUNS; seed++)
        figures_add(&waits, small_waits_ms(seed, user, trim));
    double p50 = (double)figures_quantile(&waits, 0.5) / 1000;
    double most = (double)figures_quantile(&waits, 1) / 1000;
    if (trial->json)
        printf("{\"row\":\"small job\",\"user\":\"%s\",\"nodes\":\"%s\","
               "\"p50_frames\":%.3f,\"max_frames\":%.3f},",
               own ? "same" : "another", trim ? "ours" : "classic", p50, most);
    else
        printf("%-32s %-7s p50 %.3f  max %.3f frames until its first\n",
               own ? "2 frames beside own 10,000" : "2 beside another's 10,000",
               trim ? "ours" : "classic", p50, most);
    figures_done(&waits);
}

/* Slots each of two users had, over time. */
struct share {
    int64_t at_ms;
    double slots_ms[2];
};

static void look_share(struct world *world)
{
    struct share *share = world->ctx;
    double ms = (double)(world->now_ms - share->at_ms);
    for (int id = 0; id < world->shape->n_nodes; id++) {
        const struct model_launch *launch = world->agents[id].launches;
        for (; launch; launch = launch->next)
            if (!LEASE_OVER(launch->status))
                share->slots_ms[launch->job] += ms;
    }
    share->at_ms = world->now_ms;
}

/* Two users with a big job each, the second one a while after the first: what
 * part of the slots the first has in ten minutes from then on. */
static void live_share(const struct trial *trial, bool trim)
{
    struct world *world = mem_new(sizeof *world);
    struct shape shape;
    struct share share = {0};
    order_shape(&shape, trim);
    model_open(world, &shape);
    model_submit(world, "anna", "/farm/a.blend", 10000);
    model_pass(world, 60000);
    model_submit(world, "ben", "/farm/b.blend", 10000);
    share.at_ms = world->now_ms;
    world->look = look_share;
    world->ctx = &share;
    model_pass(world, 600000);
    double part =
        share.slots_ms[0] / (share.slots_ms[0] + share.slots_ms[1]) * 100;
    if (trial->json)
        printf("{\"row\":\"two users\",\"nodes\":\"%s\",\"percent\":%.1f}%s",
               trim ? "ours" : "classic", part, trim ? "" : ",");
    else
        printf("%-32s %-7s %.1f %% of the slots for the first\n",
               "two users of equal priority", trim ? "ours" : "classic", part);
    model_close(world);
    mem_free(world);
}

int bench_makespan(int argc, char **argv)
{
    struct conf *conf = conf_load(&program, argc, argv);
    struct trial trial = {.json = conf_on(conf, "json"),
                          .shapes = conf_on(conf, "shapes"),
                          .seeds = (uint64_t)conf_number(conf, "seeds")};
    if (trial.json)
        fputs("{\"bench\":\"makespan\",\"rows\":[", stdout);
    live_rows(&trial);
    for (int i = 0; i < 4; i++)
        live_shapes(&trial, i % 2 != 0, i / 2 != 0);
    for (int i = 0; i < 4; i++)
        live_order(&trial, i / 2 != 0, i % 2 != 0);
    for (int trim = 0; trim < 2; trim++)
        live_share(&trial, trim);
    if (trial.json)
        puts("]}");
    conf_free(&conf);
    return 0;
}
