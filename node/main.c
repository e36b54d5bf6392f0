/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-node: the command line, and what it refuses before anything opens.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/conf.h"
#include "common/app/log.h"
#include "common/app/net.h"
#include "common/limits.h"
#include "node/node.h"

static const char *is_slots(const char *value)
{
    const char *reason = conf_is_auto_count(value);
    if (reason || strcmp(value, "auto") == 0)
        return reason;
    return strtol(value, NULL, 10) > LIMIT_SLOTS
               ? conf_reason("must be at most %d", LIMIT_SLOTS)
               : NULL;
}

static const char *is_nice(const char *value)
{
    const char *reason = conf_is_count0(value);
    if (reason)
        return reason;
    return strtol(value, NULL, 10) > 19 ? "must be at most 19" : NULL;
}

static const char *is_threads(const char *value)
{
    const char *reason = conf_is_count0(value);
    if (reason)
        return reason;
    return strtol(value, NULL, 10) > 1024 ? "must be at most 1024" : NULL;
}

static const char *is_word(const char *value, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (strcmp(value, words[i]) == 0)
            return NULL;
    return conf_reason("`%s` is not one of the words it takes", value);
}

static const char *is_device(const char *value)
{
    static const char *const words[] = {"auto", "cpu",    "cuda", "optix",
                                        "hip",  "oneapi", NULL};
    return is_word(value, words);
}

static const char *is_auto_or_off(const char *value)
{
    static const char *const words[] = {"auto", "off", NULL};
    return is_word(value, words);
}

static const struct setting settings[] = {
    {.name = "listen",
     .argument = "ADDR:PORT",
     .fallback = "127.0.0.1:3001",
     .help = "where the /job API is served; port 0 takes a free one",
     .check = conf_is_address},
    {.name = "hosts",
     .argument = "NAME",
     .help = "a name it is reached by, where that is one of the internet; "
             "requests to others are refused, as any web page can have its own "
             "name lead here",
     .many = true},
    {.name = "blend",
     .argument = "FILE",
     .help = "the .blend rendered when a job names none"},
    {.name = "blend-root",
     .argument = "DIR",
     .help = "a folder whose .blend files jobs may name; without it only "
             "--blend is rendered",
     .many = true},
    {.name = "output",
     .argument = "DIR",
     .fallback = "./frames",
     .help = "where frames go, in a folder for each job"},
    {.name = "blender",
     .argument = "PATH",
     .fallback = "blender",
     .help = "the Blender to run"},
    {.name = "slots",
     .argument = "auto|N",
     .fallback = "auto",
     .help = "how many jobs run at once; auto is 1",
     .check = is_slots},
    {.name = "threads",
     .argument = "N",
     .fallback = "0",
     .help = "threads of each Blender; 0 is one for every core",
     .check = is_threads},
    {.name = "nice",
     .argument = "N",
     .fallback = "10",
     .help = "how far Blender steps back for other programs, 0 to 19",
     .check = is_nice},
    {.name = "device",
     .argument = "WORD",
     .fallback = "auto",
     .help = "what Cycles renders on: auto, cpu, cuda, optix, hip or oneapi; "
             "auto is a GPU if Blender finds one, else the CPU",
     .check = is_device},
    {.name = "allow-scripts",
     .help = "let jobs ask for the Python scripts of their .blend to run"},
    {.name = "sandbox",
     .argument = "auto|off",
     .fallback = "auto",
     .help = "auto runs Blender behind bubblewrap where that works: without "
             "network, able to write its work folder only",
     .check = is_auto_or_off},
    {.name = "warm",
     .argument = "auto|off",
     .fallback = "auto",
     .help = "auto keeps Blender open between jobs where that cannot change a "
             "pixel; off starts one for each job",
     .check = is_auto_or_off},
    {.name = "log-format",
     .argument = "text|json",
     .fallback = "text",
     .help = "how the log on stderr is written: key=value pairs, or a JSON "
             "object a line",
     .check = log_is_format},
    {.name = "insecure",
     .help = "listen off loopback though anyone who reaches the port can "
             "then render, stop jobs and read pictures"},
};

static const struct conf_program program = {
    .name = "frameq-node",
    .usage = "",
    .about = "Renders frames with Blender for a frameq agent, or for anyone "
             "who speaks the /job API.",
    .epilog = "Example:\n"
              "  frameq-node --blend scene.blend --output frames\n"
              "  curl -d '{\"from\":1,\"to\":5}' 127.0.0.1:3001/job\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

static int slots_of(const struct conf *conf)
{
    return strcmp(conf_get(conf, "slots"), "auto") == 0
               ? 1
               : (int)conf_number(conf, "slots");
}

static struct node_options options_read(const struct conf *conf, char *host,
                                        size_t size)
{
    struct node_options options = {
        .host = host,
        .port = conf_address(conf_get(conf, "listen"), host, size),
        .blend = conf_get(conf, "blend"),
        .output = conf_get(conf, "output"),
        .blender = conf_get(conf, "blender"),
        .device = conf_get(conf, "device"),
        .slots = slots_of(conf),
        .threads = (int)conf_number(conf, "threads"),
        .nice = (int)conf_number(conf, "nice"),
        .scripts = conf_on(conf, "allow-scripts"),
        .sandbox = strcmp(conf_get(conf, "sandbox"), "auto") == 0,
        .warm = strcmp(conf_get(conf, "warm"), "auto") == 0,
    };
    options.roots_n = conf_many(conf, "blend-root", &options.roots);
    options.site.loopback = net_is_loopback(host);
    options.site.n = conf_many(conf, "hosts", &options.site.names);
    return options;
}

static void address_check(const struct conf *conf, const char *host)
{
    if (net_is_loopback(host) || conf_on(conf, "insecure"))
        return;
    log_fatal(1,
              "--listen %s can be reached from other machines, and this node "
              "asks nobody who they are: anyone could render the .blend files "
              "it may open, fill its disk, stop its jobs and read every "
              "picture; give --insecure to allow that",
              conf_get(conf, "listen"));
}

int main(int argc, char **argv)
{
    char host[256];
    char why[LIMIT_REASON];
    log_open("frameq-node");
    struct conf *conf = conf_load(&program, argc, argv);
    log_format(conf_get(conf, "log-format"));
    const struct node_options options = options_read(conf, host, sizeof host);
    address_check(conf, host);
    struct node *node = node_open(&options, why, sizeof why);
    if (!node)
        log_fatal(1, "%s", why);
    printf(strchr(host, ':') ? "ready http=[%s]:%d\n" : "ready http=%s:%d\n",
           host, node_port(node));
    fflush(stdout);
    node_loop(node);
    node_close(&node);
    conf_free(&conf);
    return 0;
}
