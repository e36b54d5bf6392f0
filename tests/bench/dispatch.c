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
#include "tests/bench/swarm.h"
#include "tests/bench/talk.h"

#define SECOND_US 1000000
#define STEADY    500

static const char *is_agents(const char *value)
{
    const char *reason = conf_is_count(value);
    if (reason == NULL && strtol(value, NULL, 10) > LIMIT_AGENTS)
        reason = "more agents than a broker takes";
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
     .check = conf_is_count},
    {.name = "seconds",
     .argument = "N",
     .fallback = "5",
     .help = "Length of each of the two measurements",
     .check = conf_is_count},
    BENCH_SETTING_DIR,
    BENCH_SETTING_JSON,
};

static const struct conf_program program = {
    .name = "frameq-bench dispatch",
    .usage = "",
    .about = "Measures the way of a batch from the broker to an agent.",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

struct result {
    size_t agents;
    int64_t slots, batches, cpu_us, took_us, steady;
    int64_t p50_us, p99_us, memory_kb;
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
    int64_t deadline_us = now_us() + 60 * SECOND_US;
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

/* As fast as it goes. */
static void measure_rate(struct swarm *swarm, const struct host *host,
                         int64_t seconds, struct result *ret)
{
    run_until(swarm, now_us() + SECOND_US); /* to get going */
    int64_t from_us = now_us(), cpu_us = host_cpu_us(host);
    int64_t batches = swarm_batches(swarm);
    run_until(swarm, from_us + seconds * SECOND_US);
    ret->took_us = now_us() - from_us;
    ret->cpu_us = host_cpu_us(host) - cpu_us;
    ret->batches = swarm_batches(swarm) - batches;
}

/* One batch ends every 2 ms. */
static void measure_waits(struct swarm *swarm, int64_t seconds,
                          struct result *ret)
{
    swarm_keep(swarm, true);
    run_until(swarm, now_us() + SECOND_US / 2);
    int64_t batches = swarm_batches(swarm), from_us = now_us();
    int64_t total = seconds * STEADY;
    for (int64_t i = 0; i < total; i++) {
        run_until(swarm, from_us + i * SECOND_US / STEADY);
        swarm_finish(swarm);
    }
    run_until(swarm, now_us() + SECOND_US / 10);
    struct figures *waits = swarm_waits(swarm);
    ret->steady = (swarm_batches(swarm) - batches) / seconds;
    ret->p50_us = figures_quantile(waits, 0.5);
    ret->p99_us = figures_quantile(waits, 0.99);
}

static void print_result(const struct result *r, bool json)
{
    double rate = (double)r->batches * SECOND_US / (double)r->took_us;
    double cpu_us =
        r->batches == 0 ? 0 : (double)r->cpu_us / (double)r->batches;
    if (json)
        printf("{\"bench\":\"dispatch\",\"agents\":%zu,\"slots\":%lld,"
               "\"batches\":%lld,\"seconds\":%.3f,\"batches_per_s\":%.0f,"
               "\"broker_cpu_us\":%.1f,\"steady_per_s\":%lld,"
               "\"p50_us\":%lld,\"p99_us\":%lld,\"broker_rss_kb\":%lld}\n",
               r->agents, (long long)r->slots, (long long)r->batches,
               (double)r->took_us / SECOND_US, rate, cpu_us,
               (long long)r->steady, (long long)r->p50_us, (long long)r->p99_us,
               (long long)r->memory_kb);
    else
        printf("%zu agents: %.0f batches a second, %.1f us of broker "
               "processor time each, %lld MiB\n"
               "at %lld a second: next batch after %lld us (p50), %lld us "
               "(p99)\n",
               r->agents, rate, cpu_us, (long long)r->memory_kb / 1024,
               (long long)r->steady, (long long)r->p50_us,
               (long long)r->p99_us);
}

int bench_dispatch(int argc, char **argv)
{
    struct conf *conf = conf_load(&program, argc, argv);
    struct result result = {.agents = (size_t)conf_number(conf, "agents"),
                            .slots = conf_number(conf, "slots")};
    int64_t seconds = conf_number(conf, "seconds");
    struct host host;
    host_start(&host, conf_get(conf, "dir"));
    struct swarm *swarm =
        swarm_new(&host, result.agents, (int32_t)result.slots);
    await_lanes(swarm, result.agents);
    submit_work(&host);
    measure_rate(swarm, &host, seconds, &result);
    measure_waits(swarm, seconds, &result);
    result.memory_kb = host_memory_kb(&host);
    swarm_free(&swarm);
    host_stop(&host);
    print_result(&result, conf_on(conf, "json"));
    conf_free(&conf);
    return 0;
}
