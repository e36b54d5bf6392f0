/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-bench submit: POST /render a second, each on disk before its 202,
 * with a number of kept-alive connections open at once; and beside it, on the
 * same disk in the same run, how many times a second one record can be
 * appended and synced by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/app/conf.h"
#include "common/app/log.h"
#include "common/mem.h"
#include "tests/bench/bench.h"
#include "tests/bench/figures.h"
#include "tests/bench/host.h"
#include "tests/bench/talk.h"

#define SECOND_US 1000000
#define RECORD    300 /* bytes; about what a job takes in a ledger */

static const struct setting settings[] = {
    {.name = "connections",
     .argument = "N",
     .fallback = "64",
     .help = "Requests open at once",
     .check = conf_is_count},
    {.name = "seconds",
     .argument = "N",
     .fallback = "5",
     .help = "Length of the measurement",
     .check = conf_is_count},
    BENCH_SETTING_DIR,
    BENCH_SETTING_JSON,
};

static const struct conf_program program = {
    .name = "frameq-bench submit",
    .usage = "",
    .about = "Measures how fast jobs are accepted for good.",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

struct client {
    struct talk talk;
    int64_t sent_us;
};

struct result {
    size_t connections;
    int64_t accepted, took_us, cpu_us, memory_kb;
    int64_t p50_us, p99_us;
    double syncs_per_s;
};

/* Appends and syncs one record after the other for a second. */
static double measure_syncs(const struct host *host)
{
    char path[sizeof host->folder + 16], record[RECORD];
    int64_t n = 0, from_us = now_us();
    snprintf(path, sizeof path, "%s/bare", host->folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    memset(record, 'x', sizeof record);
    while (now_us() - from_us < SECOND_US) {
        if (write(fd, record, sizeof record) != sizeof record ||
            fdatasync(fd) != 0)
            log_fatal(1, "cannot write %s: %s", path, strerror(errno));
        n++;
    }
    close(fd);
    return (double)n * SECOND_US / (double)(now_us() - from_us);
}

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

static int64_t run_clients(struct client *clients, struct pollfd *items,
                           size_t n, int64_t until_us, struct figures *waits)
{
    int64_t accepted = 0;
    while (now_us() < until_us) {
        poll(items, n, 100);
        for (size_t i = 0; i < n; i++)
            if (items[i].revents != 0)
                accepted += take_one(&clients[i], waits);
    }
    return accepted;
}

static void measure_submits(const struct host *host, int64_t seconds,
                            struct result *ret)
{
    size_t n = ret->connections;
    struct client *clients = mem_new(n * sizeof *clients);
    struct pollfd *items = mem_new(n * sizeof *items);
    struct figures waits = {0};
    for (size_t i = 0; i < n; i++) {
        talk_open(&clients[i].talk, host->http_port);
        items[i] = (struct pollfd){.fd = clients[i].talk.fd, .events = POLLIN};
        send_one(&clients[i]);
    }
    int64_t from_us = now_us(), cpu_us = host_cpu_us(host);
    ret->accepted =
        run_clients(clients, items, n, from_us + seconds * SECOND_US, &waits);
    ret->took_us = now_us() - from_us;
    ret->cpu_us = host_cpu_us(host) - cpu_us;
    ret->p50_us = figures_quantile(&waits, 0.5);
    ret->p99_us = figures_quantile(&waits, 0.99);
    for (size_t i = 0; i < n; i++)
        talk_close(&clients[i].talk);
    figures_done(&waits);
    mem_free(clients);
    mem_free(items);
}

static void print_result(const struct result *r, bool json)
{
    double rate = (double)r->accepted * SECOND_US / (double)r->took_us;
    double cpu_us =
        r->accepted == 0 ? 0 : (double)r->cpu_us / (double)r->accepted;
    if (json)
        printf("{\"bench\":\"submit\",\"connections\":%zu,\"accepted\":%lld,"
               "\"seconds\":%.3f,\"submits_per_s\":%.0f,\"p50_us\":%lld,"
               "\"p99_us\":%lld,\"broker_cpu_us\":%.1f,"
               "\"broker_rss_kb\":%lld,\"syncs_per_s\":%.0f,\"ratio\":%.2f}\n",
               r->connections, (long long)r->accepted,
               (double)r->took_us / SECOND_US, rate, (long long)r->p50_us,
               (long long)r->p99_us, cpu_us, (long long)r->memory_kb,
               r->syncs_per_s, rate / r->syncs_per_s);
    else
        printf("%zu connections: %.0f durable POST /render a second, %lld us "
               "(p50), %lld us (p99), %.1f us of broker processor time each, "
               "%lld MiB\nbare append and fdatasync: %.0f a second; "
               "ratio %.2f\n",
               r->connections, rate, (long long)r->p50_us, (long long)r->p99_us,
               cpu_us, (long long)r->memory_kb / 1024, r->syncs_per_s,
               rate / r->syncs_per_s);
}

int bench_submit(int argc, char **argv)
{
    struct conf *conf = conf_load(&program, argc, argv);
    struct result result = {.connections =
                                (size_t)conf_number(conf, "connections")};
    struct host host;
    host_start(&host, conf_get(conf, "dir"));
    result.syncs_per_s = measure_syncs(&host);
    measure_submits(&host, conf_number(conf, "seconds"), &result);
    result.memory_kb = host_memory_kb(&host);
    host_stop(&host);
    print_result(&result, conf_on(conf, "json"));
    conf_free(&conf);
    return 0;
}
