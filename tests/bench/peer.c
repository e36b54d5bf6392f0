/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of peers, and the server of those that are one: started on a free
 * port of loopback, its data in a folder of its own.
 */
#include "tests/bench/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/app/conf.h"
#include "common/app/log.h"
#include "tests/bench/child.h"
#include "tests/bench/figures.h"
#include "tests/bench/queue.h"
#include "tests/bench/talk.h"

#define START_MS  10000
#define ARGUMENTS 24

struct peer {
    const char *name, *package, *program;
    const struct dialect *dialect;          /* NULL: no server, the bare disk */
    const char *const arguments[ARGUMENTS]; /* @P: the port, @D: the folder */
};

static const struct peer peers[] = {
    {.name = "beanstalkd",
     .package = "beanstalkd",
     .program = "beanstalkd",
     .dialect = &dialect_beanstalkd,
     .arguments = {"-l", "127.0.0.1", "-p", "@P", "-b", "@D", "-f0"}},
    {.name = "redis",
     .package = "redis-server",
     .program = "redis-server",
     .dialect = &dialect_redis,
     .arguments = {"--bind", "127.0.0.1", "--port", "@P", "--dir", "@D",
                   "--appendonly", "yes", "--appendfsync", "always",
                   "--auto-aof-rewrite-percentage", "0", "--save", ""}},
    {.name = "fdatasync"},
};
#define PEERS (sizeof peers / sizeof *peers)

const char *peer_is_known(const char *value)
{
    const char *words[PEERS + 2] = {"none"};
    for (size_t i = 0; i < PEERS; i++)
        words[i + 1] = peers[i].name;
    return conf_choice(value, words);
}

const char *peer_is_rounds(const char *value)
{
    const char *reason = conf_is_count(value);
    if (reason == NULL && strtol(value, NULL, 10) > TALLY_ROUNDS)
        reason = "too many rounds";
    return reason;
}

/* Looks along PATH. */
static bool find_program(const char *name, char ret[PATH_MAX])
{
    const char *path = getenv("PATH");
    char all[PATH_MAX];
    snprintf(all, sizeof all, "%s", path == NULL ? "" : path);
    char *rest = all;
    for (char *dir; (dir = strsep(&rest, ":")) != NULL;) {
        int n = snprintf(ret, PATH_MAX, "%s/%s", dir, name);
        if (dir[0] != '\0' && n < PATH_MAX && access(ret, X_OK) == 0)
            return true;
    }
    return false;
}

const struct peer *peer_get(const char *name)
{
    char path[PATH_MAX];
    const struct peer *peer = NULL;
    for (size_t i = 0; i < PEERS; i++)
        if (strcmp(peers[i].name, name) == 0)
            peer = &peers[i];
    if (peer != NULL && peer->program != NULL &&
        !find_program(peer->program, path))
        log_fatal(2, "--peer: %s is not installed (Debian package %s)",
                  peer->program, peer->package);
    return peer;
}

const char *peer_name(const struct peer *peer)
{
    return peer->name;
}

/* --- Its server. --- */

static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        log_fatal(1, "no free port: %s", strerror(errno));
    close(fd);
    return ntohs(at.sin_port);
}

/* Waits until it takes connections. False: it has ended, or takes too long. */
static bool await_server(const struct child *child, int port)
{
    int64_t until_us = now_us() + (int64_t)START_MS * 1000;
    while (now_us() < until_us) {
        int fd = talk_dial(port);
        if (fd >= 0) {
            close(fd);
            return true;
        }
        siginfo_t end = {.si_pid = 0};
        waitid(P_PID, (id_t)child->pid, &end, WEXITED | WNOHANG | WNOWAIT);
        if (end.si_pid != 0)
            return false;
        poll(NULL, 0, 5);
    }
    return false;
}

/* Returns its port. */
static int start_server(const struct peer *peer, struct child *child)
{
    char program[PATH_MAX], port_text[16];
    char *argv[ARGUMENTS + 2] = {program};
    int port = free_port();
    if (!find_program(peer->program, program))
        log_fatal(1, "%s has gone", peer->program);
    snprintf(port_text, sizeof port_text, "%d", port);
    for (int i = 0; i < ARGUMENTS && peer->arguments[i] != NULL; i++) {
        const char *argument = peer->arguments[i];
        if (strcmp(argument, "@P") == 0)
            argument = port_text;
        else if (strcmp(argument, "@D") == 0)
            argument = child->folder;
        argv[i + 1] = (char *)(uintptr_t)argument; /* exec writes to none */
    }
    child_start(child, argv, -1);
    if (await_server(child, port))
        return port;
    child_done(child);
    log_fatal(1, "%s does not start", peer->program);
}

/* --- One round. --- */

static void tell_waits(struct figures *waits, struct tally *tally)
{
    tally_add(tally, "peer_p50_us", 0, (double)figures_quantile(waits, 0.5));
    tally_add(tally, "peer_p99_us", 0, (double)figures_quantile(waits, 0.99));
    figures_done(waits);
}

static double measure_queue(const struct peer *peer, struct child *child,
                            const struct peer_load *load, struct tally *tally)
{
    struct figures waits = {0};
    int port = start_server(peer, child);
    struct queue *queue =
        queue_open(peer->dialect, port, load->n, load->put_only);
    int64_t cpu_us = child_cpu_us(child);
    struct stint rate = load->rate;
    queue_run(queue, &rate, load->put_only ? &waits : NULL);
    cpu_us = child_cpu_us(child) - cpu_us;
    double per_s = stint_rate(&rate);
    tally_add(tally, "peer_per_s", 0, per_s);
    if (!load->put_only)
        queue_pace(queue, load->steady, STEADY_PER_S, &waits);
    tell_waits(&waits, tally);
    tally_add(tally, "peer_cpu_us", 1,
              (double)cpu_us / (double)(rate.done > 0 ? rate.done : 1));
    queue_close(&queue);
    return per_s;
}

/* Appends and syncs one record after the other. */
static double measure_disk(const struct child *child, struct stint rate,
                           struct tally *tally)
{
    struct figures waits = {0};
    char path[PATH_MAX + 8], record[DIALECT_PAYLOAD];
    snprintf(path, sizeof path, "%s/bare", child->folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    memset(record, 'x', sizeof record);
    stint_begin(&rate);
    while (!stint_over(&rate, (int64_t)waits.n)) {
        int64_t from_us = now_us();
        if (write(fd, record, sizeof record) != sizeof record ||
            fdatasync(fd) != 0)
            log_fatal(1, "cannot write %s: %s", path, strerror(errno));
        figures_add(&waits, now_us() - from_us);
    }
    close(fd);
    double per_s = stint_rate(&rate);
    tally_add(tally, "peer_per_s", 0, per_s);
    tell_waits(&waits, tally);
    return per_s;
}

double peer_measure(const struct peer *peer, const struct peer_load *load,
                    struct tally *tally)
{
    struct child child;
    child_init(&child, load->dir);
    double per_s = peer->dialect == NULL
                       ? measure_disk(&child, load->rate, tally)
                       : measure_queue(peer, &child, load, tally);
    child_done(&child);
    return per_s;
}
