/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-bench submit: POST /render a second, each on disk before its 202,
 * with a number of kept-alive connections open at once.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/app/conf.h"
#include "common/app/log.h"
#include "common/mem.h"
#include "tests/bench/bench.h"
#include "tests/bench/contest.h"
#include "tests/bench/figures.h"
#include "tests/bench/host.h"
#include "tests/bench/talk.h"

static const struct setting settings[] = {
    TALK_SETTING_CONNECTIONS,
    {.name = "seconds",
     .argument = "N",
     .fallback = "5",
     .help = "Length of a measurement",
     .check = conf_is_count},
    PEER_SETTING("fdatasync"),
    PEER_SETTING_ROUNDS,
    BENCH_SETTING_DIR,
    BENCH_SETTING_JSON,
};

static const struct conf_program program = {
    .name = "frameq-bench submit",
    .usage = "",
    .about = "Measures how fast jobs are accepted for good: POST /render a "
             "second, each on disk before its 202, and how long one takes.",
    .epilog = "  frameq-bench submit --connections 64 --json\n"
              "  frameq-bench submit --peer redis --rounds 3\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

struct client {
    struct talk talk;
    int64_t sent_us;
};

struct plan {
    size_t connections;
    struct stint rate;
    const char *dir;
};

static void send_one(struct client *client)
{
    client->sent_us = now_us();
    talk_send(&client->talk, "POST", "/render", "{\"from\":1,\"to\":20}");
}

/* Takes a client's answer, when it is whole, and sends its next request. */
static bool take_one(struct client *client, struct figures *waits)
{
    int status = talk_take(&client->talk);
    if (status == 0)
        return false;
    if (status != 202)
        log_fatal(1, "a job was refused: %s", talk_body(&client->talk));
    figures_add(waits, now_us() - client->sent_us);
    send_one(client);
    return true;
}

static void run_clients(struct client *clients, struct pollfd *items, size_t n,
                        struct stint *rate, struct figures *waits)
{
    int64_t accepted = 0;
    stint_begin(rate);
    while (!stint_over(rate, accepted)) {
        poll(items, n, 100);
        for (size_t i = 0; i < n; i++)
            if (items[i].revents != 0)
                accepted += take_one(&clients[i], waits);
    }
}

static void measure_clients(int port, size_t n, struct stint *rate,
                            struct figures *waits)
{
    struct client *clients = mem_new(n * sizeof *clients);
    struct pollfd *items = mem_new(n * sizeof *items);
    for (size_t i = 0; i < n; i++) {
        talk_open(&clients[i].talk, port);
        items[i] = (struct pollfd){.fd = clients[i].talk.fd, .events = POLLIN};
        send_one(&clients[i]);
    }
    run_clients(clients, items, n, rate, waits);
    for (size_t i = 0; i < n; i++)
        talk_close(&clients[i].talk);
    mem_free(clients);
    mem_free(items);
}

static double measure_ours(const void *ctx, struct tally *tally)
{
    const struct plan *plan = ctx;
    struct stint rate = plan->rate;
    struct figures waits = {0};
    struct host host;
    host_start(&host, plan->dir, false);
    int64_t cpu_us = child_cpu_us(&host.child);
    measure_clients(host.http_port, plan->connections, &rate, &waits);
    cpu_us = child_cpu_us(&host.child) - cpu_us;
    tally_add(tally, "accepted", 0, (double)rate.done);
    tally_add(tally, "seconds", 3, (double)rate.took_us / SECOND_US);
    tally_add(tally, "submits_per_s", 0, stint_rate(&rate));
    tally_add(tally, "p50_us", 0, (double)figures_quantile(&waits, 0.5));
    tally_add(tally, "p99_us", 0, (double)figures_quantile(&waits, 0.99));
    tally_add(tally, "broker_cpu_us", 1,
              (double)cpu_us / (double)(rate.done > 0 ? rate.done : 1));
    tally_add(tally, "broker_rss_kb", 0, (double)child_memory_kb(&host.child));
    figures_done(&waits);
    host_stop(&host);
    return stint_rate(&rate);
}

static void print_people(const struct plan *plan, const struct tally *tally)
{
    printf("%zu connections: %.0f durable POST /render a second, %.0f us "
           "(p50), %.0f us (p99), %.1f us of broker processor time each, "
           "%.0f MiB\n",
           plan->connections, tally_median(tally, "submits_per_s"),
           tally_median(tally, "p50_us"), tally_median(tally, "p99_us"),
           tally_median(tally, "broker_cpu_us"),
           tally_median(tally, "broker_rss_kb") / 1024);
}

int bench_submit(int argc, char **argv)
{
    struct conf *conf = conf_load(&program, argc, argv);
    struct plan plan = {.connections = (size_t)conf_number(conf, "connections"),
                        .rate.seconds = conf_number(conf, "seconds"),
                        .dir = conf_get(conf, "dir")};
    struct contest contest = contest_of(conf);
    struct tally tally = {.n = 0};
    contest.load = (struct peer_load){.put_only = true,
                                      .n = plan.connections,
                                      .rate = plan.rate,
                                      .dir = plan.dir};
    contest.ours = measure_ours;
    contest.plan = &plan;
    tally_add(&tally, "connections", 0, (double)plan.connections);
    contest_run(&contest, &tally);
    if (conf_on(conf, "json")) {
        contest_print_json(&contest, "submit", &tally);
    } else {
        print_people(&plan, &tally);
        contest_print_peer(&contest, &tally);
    }
    conf_free(&conf);
    return 0;
}
