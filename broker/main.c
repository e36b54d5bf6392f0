/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-broker: settings, ledger, sockets, loop; in that order up, in the
 * other down. What cannot run says so in one line and exits 1.
 */
#include <czmq.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "broker/agents/ports.h"
#include "broker/files/artifacts.h"
#include "broker/files/s3.h"
#include "broker/loop.h"
#include "broker/recovery.h"
#include "broker/settings.h"
#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/app/net.h"
#include "common/http/forwarded.h"
#include "common/http/tls.h"
#include "common/limits.h"
#include "common/mem.h"

#define WHY_SIZE   512
#define ROWS_TRIED 10
#define PORT_LAST  65535
#define DAY_S      86400
#define SOON_S     (14 * DAY_S)

/* Signals arrive through a descriptor of the loop, and through nothing else. */
static int signals_open(const struct conf *conf)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD); /* only wakes the loop */
    if (conf_get(conf, "tls-cert") != NULL)
        sigaddset(&set, SIGHUP); /* a new certificate */
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* A client and a lane take descriptors, and the usual 1024 are few. */
static void raise_descriptors(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static bool is_loopback(const struct conf *conf, const char *flag)
{
    char host[256];
    (void)conf_address(conf_get(conf, flag), host, sizeof host);
    return net_is_loopback(host);
}

/* Tokens guard HTTP; keys guard the agents' sockets. */
static bool wants_keys(const struct conf *conf)
{
    if (strcmp(conf_get(conf, "curve"), "on") == 0)
        return true;
    return !is_loopback(conf, "zmq") && !conf_on(conf, "insecure");
}

static void refuse_open_door(const struct conf *conf)
{
    if (conf_get(conf, "tokens") || conf_on(conf, "insecure") ||
        is_loopback(conf, "http"))
        return;
    log_fatal(1,
              "--http %s is not on loopback and there are no tokens: anyone "
              "who reaches it could submit and cancel jobs, run scenes on "
              "your nodes and let agents in. Make one with `frameq token add "
              "--role admin --tokens FILE` and give --tokens FILE; or give "
              "--insecure if that is what you want.",
              conf_get(conf, "http"));
}

static void refuse_half_tls(const struct conf *conf)
{
    bool cert = conf_get(conf, "tls-cert") != NULL;
    bool key = conf_get(conf, "tls-key") != NULL;
    if (cert != key)
        log_fatal(2,
                  "--tls-%s is missing: TLS takes both --tls-cert and "
                  "--tls-key",
                  cert ? "key" : "cert");
}

static struct core_options options_of(const struct conf *conf)
{
    const char *batch = conf_get(conf, "batch");
    int64_t attempts = conf_number(conf, "max-attempts");
    bool auto_batch = strcmp(batch, "auto") == 0;
    bool auto_grace = strcmp(conf_get(conf, "orphan-grace"), "auto") == 0;
    int64_t frames = auto_batch ? 0 : strtol(batch, NULL, 10);
    return (struct core_options){
        .batch = (int32_t)(frames < LIMIT_BATCH ? frames : LIMIT_BATCH),
        .max_attempts =
            (int32_t)(attempts < LIMIT_ATTEMPTS ? attempts : LIMIT_ATTEMPTS),
        .lease_ttl_ms = conf_ms(conf, "lease-ttl"),
        .orphan_grace_ms = auto_grace ? -1 : conf_ms(conf, "orphan-grace"),
        .jobs_max = LIMIT_JOBS,
        .agents_max = LIMIT_AGENTS,
    };
}

static void check_ledger(const struct conf *conf)
{
    struct core_options options = options_of(conf);
    struct core *core = core_new(&options);
    recovery_check(core, conf_get(conf, "data"));
    core_free(&core);
}

struct parts {
    struct store *store;
    struct core *core;
    struct broker_facts facts;
    struct keys *keys; /* NULL: sockets without keys */
    struct s3 *s3;     /* NULL: files lie below the data */
    const char **hook_rules;
    struct loop loop;
};

static void open_ledger(struct parts *parts, const struct conf *conf)
{
    char why[WHY_SIZE];
    const char *dir = conf_get(conf, "data");
    struct core_options options = options_of(conf);
    if (!conf_make_dir(dir))
        log_fatal(1, "cannot make the folder %s: %s", dir, strerror(errno));
    parts->store = store_open(dir, why, sizeof why);
    if (!parts->store)
        log_fatal(1, "cannot open the ledger in %s: %s", dir, why);
    parts->core = core_new(&options);
    recovery_replay(parts->store, parts->core, dir);
    parts->facts.epoch = store_begin(parts->store, why, sizeof why);
    if (parts->facts.epoch == 0)
        log_fatal(1, "cannot write the ledger in %s: %s", dir, why);
    parts->facts.data_dir = dir;
    parts->facts.results_keep = strcmp(conf_get(conf, "results"), "keep") == 0;
    parts->facts.start_ms = clock_boot_ms();
}

/* What is open is closed first: CZMQ speaks up about sockets left behind. */
static void give_up(struct parts *parts, const char *why)
{
    feed_close(&parts->loop.feed);
    link_close(&parts->loop.link);
    zap_close(&parts->loop.zap);
    log_fatal(1, "%s", why);
}

/* Status, control and feed stand in a row. Where the row is ours to choose,
 * somebody may take a port of it meanwhile: then another row is tried. */
static bool open_row(struct parts *parts, const struct link_options *options,
                     char *why, size_t size)
{
    struct loop *loop = &parts->loop;
    loop->link = link_open(options, why, size);
    if (!loop->link)
        return false;
    int port = link_status_port(loop->link);
    const char *key = parts->keys ? keys_server_secret(parts->keys) : NULL;
    loop->feed = feed_open(options->host, port + 2, key, why, size);
    if (!loop->feed) {
        link_close(&loop->link);
        return false;
    }
    parts->facts.status_port = port;
    parts->facts.control_port = port + 1;
    parts->facts.feed_port = port + 2;
    return true;
}

/* Who is let in is known before the first door is there. */
static void open_keys(struct parts *parts, const struct conf *conf)
{
    char why[WHY_SIZE];
    if (!wants_keys(conf))
        return;
    parts->keys = keys_open(parts->facts.data_dir, why, sizeof why);
    if (!parts->keys)
        log_fatal(1, "cannot read or make the farm's keys: %s", why);
    parts->loop.zap = zap_open(parts->keys);
}

static void open_zmq(struct parts *parts, const struct conf *conf)
{
    char host[256], address[256], why[WHY_SIZE];
    struct link_options options = {.host = address, .keys = parts->keys};
    options.status_port =
        conf_address(conf_get(conf, "zmq"), host, sizeof host);
    if (!ports_address(host, address, sizeof address, why, sizeof why))
        give_up(parts, why);
    if (options.status_port > PORT_LAST - 2)
        give_up(parts, "--zmq: control and the feed take the next two ports; "
                       "give one up to 65533");
    settings_lanes(conf_get(conf, "lanes"), &options.lanes_low,
                   &options.lanes_high);
    int tries = options.status_port == 0 ? ROWS_TRIED : 1;
    while (tries-- > 0)
        if (open_row(parts, &options, why, sizeof why))
            return;
    give_up(parts, why);
}

static void open_blobs(struct parts *parts, const struct conf *conf)
{
    char dir[PATH_MAX], why[WHY_SIZE];
    const char *place = conf_get(conf, "store");
    snprintf(dir, sizeof dir, "%s/blobs", parts->facts.data_dir);
    if (place) {
        parts->s3 = s3_open(place, why, sizeof why);
        if (!parts->s3)
            give_up(parts, why);
    }
    const struct blobs_options options = {.dir = dir,
                                          .bytes_max =
                                              conf_bytes(conf, "upload-gb"),
                                          .files_max = LIMIT_BLOBS,
                                          .s3 = parts->s3};
    parts->loop.blobs = blobs_open(&options, why, sizeof why);
    if (!parts->loop.blobs)
        give_up(parts, why);
}

static void open_artifacts(struct parts *parts)
{
    char why[WHY_SIZE];
    const struct artifacts_options options = {.dir = parts->facts.data_dir,
                                              .bytes_max = LIMIT_ARTIFACTS};
    parts->loop.artifacts = artifacts_open(&options, why, sizeof why);
    if (!parts->loop.artifacts)
        give_up(parts, why);
}

/* Whoever submits is on this machine, and may post to it without a broker:
 * then webhooks may go to it too. Behind a proxy, or with tokens, they may come
 * from elsewhere. */
static bool is_among_itself(const struct conf *conf)
{
    return is_loopback(conf, "http") && conf_get(conf, "tokens") == NULL &&
           conf_get(conf, "proxy") == NULL;
}

/* Where webhooks may go that else they would not. Owned by the parts. */
static size_t hook_rules(struct parts *parts, const struct conf *conf)
{
    const char *const *given;
    size_t n = conf_many(conf, "notify-allow", &given);
    parts->hook_rules = mem_new((n + 2) * sizeof *parts->hook_rules);
    for (size_t i = 0; i < n; i++)
        parts->hook_rules[i] = given[i];
    if (is_among_itself(conf)) {
        parts->hook_rules[n++] = "127.0.0.0/8";
        parts->hook_rules[n++] = "::1";
    }
    return n;
}

static void open_hooks(struct parts *parts, const struct conf *conf)
{
    char why[WHY_SIZE];
    struct loop *loop = &parts->loop;
    struct hooks_options options = {.dir = parts->facts.data_dir};
    options.n_allow = hook_rules(parts, conf);
    options.allow = parts->hook_rules;
    loop->hooks = hooks_open(loop->broker, &options, why, sizeof why);
    if (!loop->hooks)
        give_up(parts, why);
}

static void open_tls(struct parts *parts, const struct conf *conf)
{
    char why[WHY_SIZE];
    const struct cert_files files = {conf_get(conf, "tls-cert"),
                                     conf_get(conf, "tls-key")};
    if (files.cert == NULL)
        return;
    parts->loop.tls = tls_open(&files, why, sizeof why);
    if (parts->loop.tls == NULL)
        log_fatal(1, "%s", why);
    int64_t left_s = tls_until_s(parts->loop.tls) - clock_wall_ms() / 1000;
    if (left_s < SOON_S)
        log_warn("certificate_ends", "file=%s days=%lld",
                 log_quoted(files.cert), (long long)(left_s / DAY_S));
}

static void open_http(struct parts *parts, const struct conf *conf)
{
    static char host[256]; /* the door points to these */
    static char self[256];
    static struct proxies proxies;
    char why[WHY_SIZE];
    struct loop *loop = &parts->loop;
    struct http_options options = {.host = host,
                                   .tokens = conf_get(conf, "tokens"),
                                   .keys = parts->keys,
                                   .blobs = loop->blobs,
                                   .artifacts = loop->artifacts,
                                   .hooks = loop->hooks,
                                   .tls = loop->tls,
                                   .keep_ms = settings_keep_ms(conf)};
    options.port = conf_address(conf_get(conf, "http"), host, sizeof host);
    gethostname(self, sizeof self - 1);
    if (conf_get(conf, "proxy") != NULL &&
        proxies_read(conf_get(conf, "proxy"), &proxies))
        options.proxies = &proxies;
    options.site.self = self;
    options.site.n = conf_many(conf, "hosts", &options.site.names);
    loop->http = http_open(loop->broker, loop->feed, &options, why, sizeof why);
    if (!loop->http)
        give_up(parts, why);
    parts->facts.http_port = http_port(loop->http);
}

static void open_sockets(struct parts *parts, const struct conf *conf)
{
    struct loop *loop = &parts->loop;
    open_keys(parts, conf);
    open_zmq(parts, conf);
    loop->broker = broker_new(parts->core, parts->store, &parts->facts);
    open_blobs(parts, conf);
    open_artifacts(parts);
    open_hooks(parts, conf);
    open_http(parts, conf);
    link_start(loop->link, loop->broker);
    feed_start(loop->feed, loop->broker);
    keep_init(&loop->keep, loop->broker, settings_keep_ms(conf));
}

static void restart(struct parts *parts)
{
    struct cmd cmd = {.type = CMD_RESTART, .epoch = parts->facts.epoch};
    broker_turn(parts->loop.broker, clock_boot_ms());
    (void)broker_do(parts->loop.broker, &cmd, NULL, 0);
}

/* The host of a flag's address, with the brackets that it has there. */
static void host_of(const struct conf *conf, const char *flag, char ret[256])
{
    const char *value = conf_get(conf, flag);
    snprintf(ret, 256, "%.*s", (int)(strrchr(value, ':') - value), value);
}

static void say_ready(const struct parts *parts, const struct conf *conf)
{
    char http[256], zmq[256];
    const struct broker_facts *facts = &parts->facts;
    host_of(conf, "http", http);
    host_of(conf, "zmq", zmq);
    printf("ready http=%s:%d status=%s:%d control=%s:%d feed=%s:%d\n", http,
           facts->http_port, zmq, facts->status_port, zmq, facts->control_port,
           zmq, facts->feed_port);
    fflush(stdout);
    log_info("serving", "epoch=%llu http=%s:%d",
             (unsigned long long)facts->epoch, http, facts->http_port);
}

/* The ledger goes last: what was answered is on disk before the end. */
static void close_all(struct parts *parts)
{
    http_close(&parts->loop.http);
    tls_close(&parts->loop.tls);
    hooks_close(&parts->loop.hooks);
    mem_free(parts->hook_rules);
    blobs_close(&parts->loop.blobs);
    s3_close(&parts->s3);
    artifacts_close(&parts->loop.artifacts);
    feed_close(&parts->loop.feed);
    link_close(&parts->loop.link);
    zap_close(&parts->loop.zap);
    store_close(&parts->store);
    broker_free(&parts->loop.broker);
    close(parts->loop.signal_fd);
    zsys_shutdown();
    keys_close(&parts->keys);
}

/* That the ledger is broken and why, while there is a store to ask; "" when it
 * is not. */
static void tell_broken(const struct parts *parts, char why[WHY_SIZE])
{
    const char *reason;
    why[0] = '\0';
    if (store_health(parts->store, &reason) == STORE_BROKEN)
        snprintf(why, WHY_SIZE, "the ledger in %s is broken: %s",
                 parts->facts.data_dir, reason);
}

int main(int argc, char **argv)
{
    struct parts parts = {0};
    char why[WHY_SIZE];
    /* With a heap for each thread, what one frees of another's is of no use to
     * the next: the broker would grow with every peer that comes and goes. */
    mallopt(M_ARENA_MAX, 1);
    struct conf *conf = conf_load(&broker_program, argc, argv);
    log_open("frameq-broker");
    log_format(conf_get(conf, "log-format"));
    if (conf_on(conf, "check")) {
        check_ledger(conf);
        conf_free(&conf);
        return 0;
    }
    refuse_half_tls(conf);
    refuse_open_door(conf);
    raise_descriptors();
    parts.loop.signal_fd = signals_open(conf);
    zsys_init();
    zsys_handler_set(NULL);
    zsys_set_max_sockets(0);
    zsys_set_io_threads(2);
    open_tls(&parts, conf);
    open_ledger(&parts, conf);
    open_sockets(&parts, conf);
    restart(&parts);
    say_ready(&parts, conf);
    loop_run(&parts.loop);
    tell_broken(&parts, why);
    close_all(&parts);
    conf_free(&conf);
    if (why[0] != '\0')
        log_fatal(1, "%s", why);
    return 0;
}
