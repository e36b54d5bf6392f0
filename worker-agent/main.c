/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-agent: settings into options, then agent_run. What cannot run says so
 * in one line and exits 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/app/conf.h"
#include "common/app/join.h"
#include "common/app/log.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/text.h"
#include "worker-agent/address.h"
#include "worker-agent/agent.h"
#include "worker-agent/trust.h"

#define HOST_SIZE 256

static const char *is_slots(const char *value)
{
    const char *reason = conf_is_auto_count(value);
    if (reason == NULL && strtol(value, NULL, 10) > LIMIT_SLOTS)
        return conf_reason("must be at most %d", LIMIT_SLOTS);
    return reason;
}

/* Calls each tag of "a,b" with its place; returns how many there are, or -1
 * when one is empty, too long or not plain. */
static int split_tags(const char *value, const char **ret_at, size_t *ret_len)
{
    int n = 0;
    for (const char *at = value; *value != '\0'; at += ret_len[n++] + 1) {
        size_t len = strcspn(at, ",");
        bool fits = len > 0 && len <= LIMIT_TAG && text_is_plain(at, len);
        if (!fits || n == LIMIT_TAGS)
            return -1;
        ret_at[n] = at;
        ret_len[n] = len;
        if (at[len] == '\0')
            return n + 1;
    }
    return n;
}

static const char *is_tags(const char *value)
{
    const char *at[LIMIT_TAGS];
    size_t len[LIMIT_TAGS];
    if (split_tags(value, at, len) >= 0)
        return NULL;
    return conf_reason("must be at most %d words with commas between, each of "
                       "1 to %d bytes",
                       LIMIT_TAGS, LIMIT_TAG);
}

static const char *is_server(const char *value)
{
    struct address address;
    const char *reason = conf_is_url(value);
    if (reason == NULL && !address_read(value, &address))
        reason = "is no address";
    return reason;
}

static const struct setting settings[] = {
    {.name = "broker",
     .argument = "URL",
     .fallback = "http://127.0.0.1:4000",
     .help = "The broker's HTTP address; it tells all other ports.",
     .check = is_server},
    {.name = "node",
     .argument = "URL",
     .fallback = "http://127.0.0.1:3001",
     .help = "The node this agent feeds.",
     .check = is_server},
    {.name = "name",
     .argument = "NAME",
     .help = "Name of this agent in the farm. Default: the host's name and "
             "the node's port.",
     .check = join_is_name},
    {.name = "slots",
     .argument = "auto|N",
     .fallback = "auto",
     .help = "Batches at once; auto: what the node offers, 1 for a classic "
             "one.",
     .check = is_slots},
    {.name = "tags",
     .argument = "A,B",
     .help = "Jobs that require a tag go only to agents that have it.",
     .check = is_tags},
    {.name = "state",
     .argument = "DIR",
     .help = "Where this agent notes what it has at its node, to find it "
             "again after a restart. Default: ./frameq-agent/NAME."},
    {.name = "cache",
     .argument = "DIR",
     .help = "Where uploaded scenes are kept for the node, which must be "
             "allowed to open them: start it with --blend-root DIR. Default: "
             "the folder cache in --state."},
    {.name = "cache-gb",
     .argument = "N",
     .fallback = "50",
     .help = "Gigabytes of uploaded scenes kept at most; those used longest "
             "ago go first.",
     .check = conf_is_gigabytes},
    {.name = "join",
     .argument = "STRING",
     .help = "Join a farm that wants a key: what `frameq agents add` printed. "
             "It says the agent's name and where the broker is. Others on "
             "this machine can see flags: rather set FRAMEQ_JOIN.",
     .check = conf_is_join,
     .secret = true},
    {.name = "ca",
     .argument = "FILE",
     .help = "Certificates (PEM) that an https:// broker's is held against, "
             "instead of those this machine trusts. A join string of a broker "
             "whose certificate is self-signed needs none."},
    {.name = "token",
     .argument = "SECRET",
     .help = "What it shows the broker where the farm has tokens; one of role "
             "read will do, of role agent where it keeps frames (--results "
             "keep). Others on this machine can see flags: rather set "
             "FRAMEQ_TOKEN.",
     .check = conf_is_token,
     .secret = true},
    {.name = "start-node",
     .help = "Start a frameq-node where none answers, and keep it running. "
             "Its settings are taken from FRAMEQ_ variables."},
    {.name = "log-format",
     .argument = "text|json",
     .fallback = "text",
     .help = "How the log on stderr is written: key=value pairs, or a JSON "
             "object a line. A node it starts does so too.",
     .check = log_is_format},
    {.name = "frames-dir",
     .argument = "DIR",
     .help = "Where a classic node writes frames. A frame then counts as done "
             "only when a whole picture of it has changed there."},
};

static const struct conf_program program = {
    .name = "frameq-agent",
    .usage = "",
    .about = "Feeds one Blender node with batches of frames and tells the "
             "broker what becomes of them.",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

/* --- Settings that need a second look. --- */

/* Reads --join, if there is one. A key is of one name only. */
static bool read_join(const struct conf *conf, struct join *ret)
{
    char why[160];
    const char *name = conf_get(conf, "name");
    if (conf_get(conf, "join") == NULL)
        return false;
    if (!join_read(conf_get(conf, "join"), ret, why, sizeof why))
        log_fatal(2, "--join: %s", why); /* its check has passed */
    if (name != NULL && strcmp(name, ret->name) != 0)
        log_fatal(2,
                  "--join is for the agent %s and --name says %s: leave --name "
                  "away, or make a key for it (`frameq agents add %s`)",
                  ret->name, name, name);
    return true;
}

/* A URL without the slash at its end. Owned by the caller. */
static char *read_url(const char *value)
{
    char *url = mem_text(value);
    size_t len = strlen(url);
    if (len > 0 && url[len - 1] == '/')
        url[len - 1] = '\0';
    return url;
}

/* Host name and node port, made safe. Owned by the caller. */
static char *read_name(const struct conf *conf)
{
    char name[HOST_SIZE] = "", port[16];
    struct address node;
    if (conf_get(conf, "name") != NULL)
        return mem_text(conf_get(conf, "name"));
    gethostname(name, sizeof name - 1);
    address_read(conf_get(conf, "node"), &node);
    size_t n = (size_t)snprintf(port, sizeof port, "-%d", node.port);
    name[LIMIT_AGENT - n] = '\0';
    for (char *c = name; *c != '\0'; c++)
        if (!text_is_name_char(*c))
            *c = '-';
    memcpy(name + strlen(name), port, n + 1);
    return mem_text(name);
}

static char *read_state_dir(const struct conf *conf, const char *name)
{
    char dir[LIMIT_AGENT + 32];
    if (conf_get(conf, "state") != NULL)
        return mem_text(conf_get(conf, "state"));
    snprintf(dir, sizeof dir, "./frameq-agent/%s", name);
    return mem_text(dir);
}

static char *read_cache_dir(const struct conf *conf, const char *state_dir)
{
    const char *given = conf_get(conf, "cache");
    size_t size = strlen(state_dir) + sizeof "/cache";
    if (given != NULL)
        return mem_text(given);
    char *dir = mem_new(size);
    snprintf(dir, size, "%s/cache", state_dir);
    return dir;
}

static size_t read_tags(const struct conf *conf, char *ret[LIMIT_TAGS])
{
    const char *at[LIMIT_TAGS];
    size_t len[LIMIT_TAGS];
    const char *value = conf_get(conf, "tags");
    int n = value == NULL ? 0 : split_tags(value, at, len);
    for (int i = 0; i < n; i++) {
        ret[i] = mem_new(len[i] + 1);
        memcpy(ret[i], at[i], len[i]);
    }
    return (size_t)n;
}

static void refuse_what_is_not_there(const struct conf *conf)
{
    struct address node;
    bool local =
        address_read(conf_get(conf, "node"), &node) && address_is_local(&node);
    if (conf_on(conf, "start-node") && !local)
        log_fatal(1,
                  "--start-node can start a node only on this machine, not "
                  "at %s",
                  conf_get(conf, "node"));
}

static int run(const struct conf *conf)
{
    char why[1024] = "";
    char *tags[LIMIT_TAGS] = {0};
    char token[TOKEN_SECRET];
    struct join join;
    struct trust trust;
    bool joins = read_join(conf, &join);
    bool told = !joins || conf_given(conf, "broker");
    char *broker = read_url(told ? conf_get(conf, "broker") : join.broker);
    trust_fill(&trust, conf_get(conf, "ca"), joins ? &join : NULL);
    char *node = read_url(conf_get(conf, "node"));
    char *name = joins ? mem_text(join.name) : read_name(conf);
    char *state_dir = read_state_dir(conf, name);
    char *cache_dir = read_cache_dir(conf, state_dir);
    struct agent_options options = {
        .broker = broker,
        .node = node,
        .token = conf_get(conf, "token"),
        .join = joins ? &join : NULL,
        .trust = &trust,
        .name = name,
        .slots = (int32_t)strtol(conf_get(conf, "slots"), NULL, 10),
        .tags = (const char *const *)tags,
        .n_tags = read_tags(conf, tags),
        .state_dir = state_dir,
        .cache_dir = cache_dir,
        .cache_bytes = conf_bytes(conf, "cache-gb"),
        .frames_dir = conf_get(conf, "frames-dir"),
        .start_node = conf_on(conf, "start-node"),
    };
    if (joins && options.token == NULL) {
        join_token(join.secret, token);
        options.token = token;
    }
    int code = agent_run(&options, why, sizeof why);
    if (code != 0)
        fprintf(stderr, "frameq-agent: %s\n", why);
    for (size_t i = 0; i < options.n_tags; i++)
        mem_free(tags[i]);
    mem_free(broker);
    mem_free(node);
    mem_free(name);
    mem_free(state_dir);
    mem_free(cache_dir);
    return code;
}

int main(int argc, char **argv)
{
    struct conf *conf = conf_load(&program, argc, argv);
    log_open("frameq-agent");
    log_format(conf_get(conf, "log-format"));
    setenv("FRAMEQ_LOG_FORMAT", conf_get(conf, "log-format"), 1);
    refuse_what_is_not_there(conf);
    int code = run(conf);
    conf_free(&conf);
    return code;
}
