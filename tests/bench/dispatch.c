/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-bench dispatch: how many batches of null work a second go through a
 * real broker with its ledger on disk, and at a steady 500 a second, how long
 * an agent that reports a finished batch waits for its next one: its STATE to
 * the broker, the decision, and the BATCH back.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/app/conf.h"
#include "common/app/log.h"
#include "common/limits.h"
#include "tests/bench/bench.h"
#include "tests/bench/contest.h"
#include "tests/bench/swarm.h"
#include "tests/bench/talk.h"

#define STEADY_MAX 1000 /* batches, where --batches is the measure */

static const char *is_agents(const char *value)
{
    const char *reason = conf_is_count(value);
    if (reason == NULL && strtol(value, NULL, 10) > LIMIT_AGENTS)
        reason = "more agents than a broker takes";
    return reason;
}

static const char *is_slots(const char *value)
{
    const char *reason = conf_is_count(value);
    if (reason == NULL && strtol(value, NULL, 10) > LIMIT_SLOTS)
        reason = "more slots than an agent may have";
    return reason;
}

static const struct setting settings[] = {
    {.name = "agents",
     .argument = "N",
     .fallback = "100",
     .help = "Simulated agents",
     .check = is_agents},
    {.name = "slots",
     .argument = "N",
     .fallback = "1",
     .help = "Batches an agent works on at once",
     .check = is_slots},
    {.name = "batches",
     .argument = "M",
     .help = "Ends each measurement after M batches (that of the waits after "
             "1000 at most) instead of --seconds",
     .check = conf_is_count},
    {.name = "seconds",
     .argument = "N",
     .fallback = "5",
     .help = "Length of each of the two measurements; given with --batches, "
             "whichever comes first",
     .check = conf_is_count},
    {.name = "curve",
     .help = "Agents have keys, and all they and the broker say is encrypted"},
    PEER_SETTING("none"),
    PEER_SETTING_ROUNDS,
    BENCH_SETTING_DIR,
    BENCH_SETTING_JSON,
};

static const struct conf_program program = {
    .name = "frameq-bench dispatch",
    .usage = "",
    .about = "Measures the way of a batch from the broker to an agent: batches "
             "a second as fast as it goes, then at 500 a second the time from "
             "an agent's report that it is free to its receipt of the next "
             "batch (p50_us, p99_us). broker_cpu_us is processor time of the "
             "broker for each batch.",
    .epilog = "  frameq-bench dispatch --agents 10 --batches 5000 --json\n"
              "  frameq-bench dispatch --agents 64 --peer redis --rounds 3\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

struct plan {
    size_t agents;
    int32_t slots;
    struct stint rate;
    int64_t steady; /* batches of the second measurement */
    const char *dir;
    bool curve;
};

/* Enough frames that there is always one more to hand out. */
static void submit_work(const struct host *host)
{
    struct talk talk;
    talk_open(&talk, host->http_port);
    for (int i = 0; i < 8; i++)
        if (talk_request(&talk, "POST", "/v1/jobs",
                         "{\"from\":0,\"to\":1048574,\"batch\":1}") != 202)
            log_fatal(1, "a job was refused: %s", talk_body(&talk));
    talk_close(&talk);
}

static void await_lanes(struct swarm *swarm, size_t n)
{
    int64_t deadline_us = now_us() + (int64_t)60 * SECOND_US;
    while (swarm_ready(swarm) < n && now_us() < deadline_us)
        swarm_turn(swarm, now_us() + SECOND_US / 10);
    if (swarm_ready(swarm) < n)
        log_fatal(1, "only %zu of %zu agents got a lane", swarm_ready(swarm),
                  n);
}

static void run_until(struct swarm *swarm, int64_t until_us)
{
    while (now_us() < until_us)
        swarm_turn(swarm, until_us);
}

static void run_stint(struct swarm *swarm, struct stint *stint)
{
    int64_t before = swarm_batches(swarm);
    stint_begin(stint);
    while (!stint_over(stint, swarm_batches(swarm) - before))
        swarm_turn(swarm, now_us() + SECOND_US / 100);
}

/* As fast as it goes, once it got going. */
static double measure_rate(struct swarm *swarm, const struct child *broker,
                           struct stint rate, struct tally *tally)
{
    struct stint first = {.count = (rate.count + 9) / 10, .seconds = 1};
    run_stint(swarm, &first);
    int64_t cpu_us = child_cpu_us(broker);
    run_stint(swarm, &rate);
    cpu_us = child_cpu_us(broker) - cpu_us;
    tally_add(tally, "batches", 0, (double)rate.done);
    tally_add(tally, "seconds", 3, (double)rate.took_us / SECOND_US);
    tally_add(tally, "batches_per_s", 0, stint_rate(&rate));
    tally_add(tally, "broker_cpu_us", 1,
              (double)cpu_us / (double)(rate.done > 0 ? rate.done : 1));
    return stint_rate(&rate);
}

/* One batch ends every 2 ms. */
static void measure_waits(struct swarm *swarm, int64_t n, struct tally *tally)
{
    swarm_keep(swarm, true);
    run_until(swarm, now_us() + SECOND_US / 4);
    int64_t batches = swarm_batches(swarm), from_us = now_us();
    for (int64_t i = 0; i < n; i++) {
        run_until(swarm, from_us + i * SECOND_US / STEADY_PER_S);
        swarm_finish(swarm);
    }
    run_until(swarm, now_us() + SECOND_US / 10);
    batches = swarm_batches(swarm) - batches;
    struct figures *waits = swarm_waits(swarm);
    tally_add(tally, "steady_per_s", 0,
              (double)(batches * STEADY_PER_S) / (double)n);
    tally_add(tally, "p50_us", 0, (double)figures_quantile(waits, 0.5));
    tally_add(tally, "p99_us", 0, (double)figures_quantile(waits, 0.99));
}

static double measure_ours(const void *ctx, struct tally *tally)
{
    const struct plan *plan = ctx;
    struct host host;
    host_start(&host, plan->dir, plan->curve);
    struct swarm *swarm = swarm_new(&host, plan->agents, plan->slots);
    await_lanes(swarm, plan->agents);
    submit_work(&host);
    double rate = measure_rate(swarm, &host.child, plan->rate, tally);
    measure_waits(swarm, plan->steady, tally);
    tally_add(tally, "broker_rss_kb", 0, (double)child_memory_kb(&host.child));
    swarm_free(&swarm);
    host_stop(&host);
    return rate;
}

static void print_people(const struct plan *plan, const struct tally *tally)
{
    printf("%zu agents: %.0f batches a second, %.1f us of broker processor "
           "time each, %.0f MiB\n"
           "at %.0f a second: next batch after %.0f us (p50), %.0f us (p99)\n",
           plan->agents, tally_median(tally, "batches_per_s"),
           tally_median(tally, "broker_cpu_us"),
           tally_median(tally, "broker_rss_kb") / 1024,
           tally_median(tally, "steady_per_s"), tally_median(tally, "p50_us"),
           tally_median(tally, "p99_us"));
}

static struct plan plan_of(const struct conf *conf)
{
    struct plan plan = {.agents = (size_t)conf_number(conf, "agents"),
                        .slots = (int32_t)conf_number(conf, "slots"),
                        .dir = conf_get(conf, "dir"),
                        .curve = conf_on(conf, "curve")};
    bool counted = conf_given(conf, "batches");
    if (counted)
        plan.rate.count = conf_number(conf, "batches");
    if (!counted || conf_given(conf, "seconds"))
        plan.rate.seconds = conf_number(conf, "seconds");
    plan.steady = plan.rate.seconds * STEADY_PER_S;
    if (counted)
        plan.steady =
            plan.rate.count < STEADY_MAX ? plan.rate.count : STEADY_MAX;
    return plan;
}

int bench_dispatch(int argc, char **argv)
{
    struct conf *conf = conf_load(&program, argc, argv);
    struct plan plan = plan_of(conf);
    struct contest contest = contest_of(conf);
    struct tally tally = {.n = 0};
    contest.load = (struct peer_load){.n = plan.agents * (size_t)plan.slots,
                                      .rate = plan.rate,
                                      .steady = plan.steady,
                                      .dir = plan.dir};
    contest.ours = measure_ours;
    contest.plan = &plan;
    tally_add(&tally, "agents", 0, (double)plan.agents);
    tally_add(&tally, "slots", 0, (double)plan.slots);
    contest_run(&contest, &tally);
    if (conf_on(conf, "json")) {
        contest_print_json(&contest, "dispatch", &tally);
    } else {
        print_people(&plan, &tally);
        contest_print_peer(&contest, &tally);
    }
    conf_free(&conf);
    return 0;
}
