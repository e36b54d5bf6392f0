/* SPDX-License-Identifier: Apache-2.0
 *
 * The programs of `frameq dev`: the very ones a real farm has.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/beside.h"
#include "cli/client.h"
#include "cli/dev/dev.h"
#include "cli/dev/dev_open.h"
#include "cli/verdict.h"
#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/limits.h"

#define READY_MS  30000
#define SETTLE_MS 15000
#define LOOK_MS   100
#define GRACE_MS  6000 /* an agent promises to end within 5 s */
#define ARGS_MOST 24

/* A command line put together word by word; words are borrowed. */
struct words {
    const char *at[ARGS_MOST + 1];
    size_t n;
};

static void word(struct words *words, const char *flag, const char *value)
{
    if (words->n + 2 > ARGS_MOST)
        log_fatal(CLI_FAILED, "a command line of more than %d words",
                  ARGS_MOST);
    words->at[words->n++] = flag;
    if (value != NULL)
        words->at[words->n++] = value;
}

static enum dev_end start(struct dev *dev, struct child *child,
                          const struct words *words)
{
    struct child *over = NULL;
    char *const *argv = (char *const *)(uintptr_t)words->at;
    if (!child_start(dev->children, child, argv))
        return DEV_BROKEN;
    switch (
        child_wait(dev->children, child, clock_now_ms() + READY_MS, &over)) {
    case CHILD_READY_LINE:
        return DEV_WELL;
    case CHILD_STOP:
        return DEV_STOPPED;
    case CHILD_OVER:
        child_tell(over);
        return DEV_BROKEN;
    case CHILD_TIME:
        break;
    }
    fprintf(stderr, "frameq: %s is not ready after %d s; its log is %s\n",
            child->name, READY_MS / 1000, child->log);
    return DEV_BROKEN;
}

static struct child *add(struct dev *dev, const char *kind, int i)
{
    char name[CHILD_NAME], file[CHILD_NAME + 16], log[PATH_MAX];
    if (i > 0)
        snprintf(name, sizeof name, "%.16s-%d", kind, i);
    else
        snprintf(name, sizeof name, "%s", kind);
    snprintf(file, sizeof file, "logs/%s.log", name);
    return children_add(dev->children, name, dev_path(dev, file, log));
}

static bool port_is_free(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool is_free = bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return is_free;
}

/* Where agents report, beside an address for HTTP: the port above. */
static void port_above(const char *http, char *ret, size_t size)
{
    char host[64];
    int port = conf_address(http, host, sizeof host);
    snprintf(ret, size, strchr(host, ':') != NULL ? "[%s]:%d" : "%s:%d", host,
             port == 0 ? 0 : port + 1);
}

/* Others see no folder of this machine: what they render comes here. */
static void open_words(struct dev *dev, struct words *words, char *tokens)
{
    dev_make_token(dev);
    word(words, "--tokens", dev_path(dev, "tokens", tokens));
    word(words, "--curve", "on");
    word(words, "--results", "keep");
}

static enum dev_end start_broker(struct dev *dev)
{
    char file[PATH_MAX], data[PATH_MAX], tokens[PATH_MAX];
    char http[64], zmq[64] = "127.0.0.1:0", at[64];
    struct words words = {0};
    struct child *child = add(dev, "broker", 0);
    snprintf(http, sizeof http, "127.0.0.1:%d",
             port_is_free(DEV_HTTP_PORT) ? DEV_HTTP_PORT : 0);
    if (dev_is_open(dev)) {
        snprintf(http, sizeof http, "%s", conf_get(dev->conf, "listen"));
        port_above(http, zmq, sizeof zmq);
    }
    word(&words, beside_program("frameq-broker", file, sizeof file), NULL);
    word(&words, "--http", http);
    word(&words, "--zmq", zmq);
    word(&words, "--data", dev_path(dev, "data", data));
    if (dev_is_open(dev))
        open_words(dev, &words, tokens);
    enum dev_end end = start(dev, child, &words);
    if (end != DEV_WELL)
        return end;
    dev_address(child_address(child, "http", at, sizeof at), dev->http,
                sizeof dev->http);
    return end;
}

/* Threads of each Blender, so that all of them together use the machine. */
static const char *threads_text(const struct dev *dev, char ret[32])
{
    long threads = sysconf(_SC_NPROCESSORS_ONLN) / dev->agents;
    snprintf(ret, 32, "%ld", threads < 1 ? 1 : threads);
    return ret;
}

/* The folder that path lies in. */
static char *folder_of(const char *path, char ret[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    int len = slash == NULL || slash == path ? 1 : (int)(slash - path);
    snprintf(ret, PATH_MAX, "%.*s", len, slash == NULL ? "." : path);
    return ret;
}

/* Jobs may name .blend files that lie where the farm was started. */
static enum dev_end start_node(struct dev *dev, int i, char *ret_url,
                               size_t size)
{
    char file[PATH_MAX], frames[PATH_MAX], here[PATH_MAX], scenes[PATH_MAX];
    char threads[32], address[64];
    struct words words = {0};
    struct child *child = add(dev, "node", i);
    word(&words, beside_program("frameq-node", file, sizeof file), NULL);
    word(&words, "--listen", "127.0.0.1:0");
    word(&words, "--blend", dev->scene);
    word(&words, "--blend-root", folder_of(dev->dir, here));
    word(&words, "--blend-root", folder_of(dev->scene, scenes));
    word(&words, "--output", dev_path(dev, "frames", frames));
    word(&words, "--blender", conf_get(dev->conf, "blender"));
    word(&words, "--slots", "1");
    word(&words, "--threads", threads_text(dev, threads));
    enum dev_end end = start(dev, child, &words);
    snprintf(ret_url, size, "http://%s",
             child_address(child, "http", address, sizeof address));
    return end;
}

/* The agent's name: that of this machine, as far as names may have its
 * letters, so that `frameq drain` finds it. */
static char *agent_name(int i, char ret[LIMIT_AGENT + 1])
{
    char host[40] = "";
    gethostname(host, sizeof host - 1);
    for (char *at = host; *at != '\0'; at++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                   "0123456789._-",
                   *at) == NULL)
            *at = '_';
    snprintf(ret, LIMIT_AGENT + 1, "%s-dev%d", host, i);
    return ret;
}

static enum dev_end start_agent(struct dev *dev, int i, const char *node)
{
    char file[PATH_MAX], broker[80], state[PATH_MAX], part[32];
    char name[LIMIT_AGENT + 1], join[JOIN_SIZE];
    struct words words = {0};
    struct child *child = add(dev, "agent", i);
    snprintf(broker, sizeof broker, "http://%s", dev->http);
    snprintf(part, sizeof part, "state/agent-%d", i);
    word(&words, beside_program("frameq-agent", file, sizeof file), NULL);
    word(&words, "--broker", broker);
    word(&words, "--node", node);
    word(&words, "--name", agent_name(i, name));
    word(&words, "--state", dev_path(dev, part, state));
    if (!dev_is_open(dev))
        return start(dev, child, &words);
    if (!dev_key(dev, name, join))
        return DEV_BROKEN;
    setenv("FRAMEQ_JOIN", join, 1); /* others could see a flag */
    enum dev_end end = start(dev, child, &words);
    unsetenv("FRAMEQ_JOIN");
    return end;
}

/* Agents that could take a job now; -1: the broker does not answer. */
static int agents_ready(struct client *client)
{
    size_t i;
    int n = 0;
    char why[LIMIT_REASON];
    const json_t *agent;
    struct ask ask = {.method = "GET", .path = "/v1/agents"};
    struct reply reply;
    client_ask(client, &ask, &reply);
    json_array_foreach(json_object_get(reply.json, "agents"), i, agent) n +=
        verdict_agent(agent, NULL, why, sizeof why) == NULL;
    if (reply.status != 200)
        n = -1;
    reply_done(&reply);
    return n;
}

/* Nodes look at Blender before they take work; the first job should not find
 * them at it. Whoever needs longer is not waited for. */
static enum dev_end settle(struct dev *dev)
{
    char url[80];
    struct child *over = NULL;
    enum dev_end end = DEV_WELL;
    int64_t until_ms = clock_now_ms() + SETTLE_MS;
    snprintf(url, sizeof url, "http://%s", dev->http);
    struct client *client =
        client_new(url, dev->token[0] == '\0' ? NULL : dev->token, true);
    while (end == DEV_WELL && clock_now_ms() < until_ms) {
        int ready = agents_ready(client);
        if (ready < 0 || ready >= dev->agents)
            break;
        enum child_news news =
            child_wait(dev->children, NULL, clock_now_ms() + LOOK_MS, &over);
        if (news == CHILD_STOP)
            end = DEV_STOPPED;
        if (news == CHILD_OVER) {
            child_tell(over);
            end = DEV_BROKEN;
        }
    }
    client_free(&client);
    return end;
}

enum dev_end dev_start(struct dev *dev)
{
    char node[80];
    enum dev_end end = start_broker(dev);
    for (int i = 1; end == DEV_WELL && i <= dev->agents; i++) {
        end = start_node(dev, i, node, sizeof node);
        if (end == DEV_WELL)
            end = start_agent(dev, i, node);
    }
    return end == DEV_WELL ? settle(dev) : end;
}

void dev_end(struct dev *dev)
{
    children_end(dev->children, "blender", 0);
    children_end(dev->children, "agent", GRACE_MS);
    children_end(dev->children, "node", GRACE_MS);
    children_end(dev->children, "broker", GRACE_MS);
}
