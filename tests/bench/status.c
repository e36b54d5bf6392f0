/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-bench status: GET /status a second, of a broker that has many jobs,
 * with a number of kept-alive connections open at once; and what it costs to
 * look at the farm as a whole, which must not grow with its jobs.
 */
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/conf.h"
#include "common/app/log.h"
#include "common/limits.h"
#include "common/mem.h"
#include "tests/bench/bench.h"
#include "tests/bench/figures.h"
#include "tests/bench/host.h"
#include "tests/bench/stint.h"
#include "tests/bench/talk.h"

#define LOOKS 100 /* of each route that shows the farm */

static const char *is_jobs(const char *value)
{
    const char *reason = conf_is_count(value);
    if (reason == NULL && strtol(value, NULL, 10) > LIMIT_JOBS)
        reason = "more jobs than a broker takes";
    return reason;
}

static const struct setting settings[] = {
    {.name = "jobs",
     .argument = "N",
     .fallback = "10000",
     .help = "Jobs there are",
     .check = is_jobs},
    TALK_SETTING_CONNECTIONS,
    {.name = "seconds",
     .argument = "N",
     .fallback = "5",
     .help = "Length of the measurement",
     .check = conf_is_count},
    BENCH_SETTING_DIR,
    BENCH_SETTING_JSON,
};

static const struct conf_program program = {
    .name = "frameq-bench status",
    .usage = "",
    .about = "Measures GET /status/<job> a second with many jobs there, and "
             "how long a scrape of /metrics and GET /v1/farm take.",
    .epilog = "  frameq-bench status --jobs 10000 --json\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

struct client {
    struct talk talk;
    int64_t sent_us;
};

struct bench {
    struct host host;
    struct client *clients;
    struct pollfd *items;
    size_t n;                   /* connections */
    char (*jobs)[LIMIT_ID + 1]; /* their ids */
    size_t n_jobs, asked;
    struct figures waits;
};

static void connect_all(struct bench *bench)
{
    bench->clients = mem_new(bench->n * sizeof *bench->clients);
    bench->items = mem_new(bench->n * sizeof *bench->items);
    for (size_t i = 0; i < bench->n; i++) {
        struct talk *talk = &bench->clients[i].talk;
        talk_open(talk, bench->host.http_port);
        bench->items[i] = (struct pollfd){.fd = talk->fd, .events = POLLIN};
    }
}

static void keep_id(struct bench *bench, const struct talk *talk)
{
    json_t *body = json_loads(talk_body(talk), 0, NULL);
    const char *id = json_string_value(json_object_get(body, "jobId"));
    if (id == NULL)
        log_fatal(1, "a job was refused: %s", talk_body(talk));
    snprintf(bench->jobs[bench->n_jobs++], LIMIT_ID + 1, "%s", id);
    json_decref(body);
}

static void send_job(struct client *client)
{
    talk_send(&client->talk, "POST", "/render", "{\"from\":1,\"to\":20}");
}

static void make_jobs(struct bench *bench, size_t n)
{
    size_t sent = 0;
    bench->jobs = mem_new(n * sizeof *bench->jobs);
    for (; sent < bench->n && sent < n; sent++)
        send_job(&bench->clients[sent]);
    while (bench->n_jobs < n) {
        poll(bench->items, bench->n, 100);
        for (size_t i = 0; i < bench->n; i++) {
            if (bench->items[i].revents == 0 ||
                talk_take(&bench->clients[i].talk) == 0)
                continue;
            keep_id(bench, &bench->clients[i].talk);
            if (sent++ < n)
                send_job(&bench->clients[i]);
        }
    }
}

/* The jobs in turn, so that no cache has just the one that is asked for. */
static void ask(struct bench *bench, struct client *client)
{
    char path[LIMIT_ID + 16];
    snprintf(path, sizeof path, "/status/%s",
             bench->jobs[bench->asked++ % bench->n_jobs]);
    client->sent_us = now_us();
    talk_send(&client->talk, "GET", path, NULL);
}

static void measure(struct bench *bench, struct stint *rate)
{
    int64_t answered = 0;
    for (size_t i = 0; i < bench->n; i++)
        ask(bench, &bench->clients[i]);
    stint_begin(rate);
    while (!stint_over(rate, answered)) {
        poll(bench->items, bench->n, 100);
        for (size_t i = 0; i < bench->n; i++) {
            struct client *client = &bench->clients[i];
            if (bench->items[i].revents == 0 || talk_take(&client->talk) == 0)
                continue;
            figures_add(&bench->waits, now_us() - client->sent_us);
            answered++;
            ask(bench, client);
        }
    }
}

/* Median time of one answer, of a connection of its own. */
static int64_t look(struct bench *bench, const char *path)
{
    struct talk talk;
    struct figures waits = {0};
    talk_open(&talk, bench->host.http_port);
    for (int i = 0; i < LOOKS; i++) {
        int64_t from_us = now_us();
        if (talk_request(&talk, "GET", path, NULL) != 200)
            log_fatal(1, "no %s", path);
        figures_add(&waits, now_us() - from_us);
    }
    int64_t median = figures_quantile(&waits, 0.5);
    figures_done(&waits);
    talk_close(&talk);
    return median;
}

static void end(struct bench *bench)
{
    for (size_t i = 0; i < bench->n; i++)
        talk_close(&bench->clients[i].talk);
    mem_free(bench->clients);
    mem_free(bench->items);
    mem_free(bench->jobs);
    figures_done(&bench->waits);
    host_stop(&bench->host);
}

int bench_status(int argc, char **argv)
{
    struct conf *conf = conf_load(&program, argc, argv);
    struct bench bench = {.n = (size_t)conf_number(conf, "connections")};
    struct stint rate = {.seconds = conf_number(conf, "seconds")};
    host_start(&bench.host, conf_get(conf, "dir"), false);
    connect_all(&bench);
    make_jobs(&bench, (size_t)conf_number(conf, "jobs"));
    long long metrics_us = look(&bench, "/metrics");
    long long farm_us = look(&bench, "/v1/farm");
    int64_t cpu_us = child_cpu_us(&bench.host.child);
    measure(&bench, &rate);
    cpu_us = child_cpu_us(&bench.host.child) - cpu_us;
    long long p50_us = figures_quantile(&bench.waits, 0.5);
    long long p99_us = figures_quantile(&bench.waits, 0.99);
    double each = (double)cpu_us / (double)(rate.done > 0 ? rate.done : 1);
    if (conf_on(conf, "json"))
        printf("{\"bench\":\"status\",\"jobs\":%zu,\"connections\":%zu,"
               "\"status_per_s\":%.0f,\"p50_us\":%lld,\"p99_us\":%lld,"
               "\"broker_cpu_us\":%.1f,\"metrics_us\":%lld,\"farm_us\":%lld}\n",
               bench.n_jobs, bench.n, stint_rate(&rate), p50_us, p99_us, each,
               metrics_us, farm_us);
    else
        printf("%zu jobs, %zu connections: %.0f GET /status a second, %lld us "
               "(p50), %lld us (p99), %.1f us of broker processor time each; "
               "/metrics %lld us, /v1/farm %lld us\n",
               bench.n_jobs, bench.n, stint_rate(&rate), p50_us, p99_us, each,
               metrics_us, farm_us);
    end(&bench);
    conf_free(&conf);
    return 0;
}
