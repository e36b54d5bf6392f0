/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq dev: a broker, nodes and agents on this machine with a sample scene,
 * for trying things out. It starts the very programs a real farm has, on
 * loopback unless told otherwise, and ends all of them with itself.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/beside.h"
#include "cli/cli.h"
#include "cli/dev/dev.h"
#include "cli/dev/dev_open.h"
#include "cli/dev/scene.h"
#include "cli/verbs/verbs.h"
#include "common/app/log.h"

#define AGENTS_MOST 64

static const char *is_agents(const char *value)
{
    const char *why = conf_is_count(value);
    if (why == NULL && strtol(value, NULL, 10) > AGENTS_MOST)
        return conf_reason("must be at most %d", AGENTS_MOST);
    return why;
}

static const struct setting settings[] = {
    {.name = "agents",
     .argument = "N",
     .fallback = "2",
     .check = is_agents,
     .help = "Agents, each with a Blender node of its own."},
    {.name = "blend",
     .argument = "FILE",
     .help = "The scene for jobs that name none, instead of the sample."},
    {.name = "blender",
     .argument = "PATH",
     .fallback = "blender",
     .help = "Blender's program."},
    {.name = "listen",
     .argument = "ADDR:PORT",
     .check = conf_is_address,
     .help = "Let other machines join: a token for people and the command that "
             "joins one more machine are made and shown. As 0.0.0.0:4000."},
    {.name = "no-open", .help = "Do not open the page in a browser."},
    {.name = "keep", .help = "Keep jobs, state and logs for the next time."},
};

static const struct conf_program program = {
    .name = "frameq dev",
    .about = "Starts a whole farm on this machine, to try things out: a "
             "broker, nodes and agents, with a sample scene; on loopback only, "
             "unless --listen is given. State and pictures go to ./frameq-dev. "
             "Ctrl-C ends all of it; "
             "the pictures stay.",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

/* What another machine, and a person there, needs to come in. */
static void greet_others(const struct dev *dev)
{
    char join[JOIN_SIZE], self[PATH_MAX + 2];
    printf("A farm of %d agent%s that others may join; whoever comes in needs "
           "this token:\n\n  export FRAMEQ_TOKEN=%s\n\n",
           dev->agents, dev->agents == 1 ? "" : "s", dev->token);
    if (dev_guest(dev, join))
        printf("On one other machine, with Blender and frameq installed (a "
               "secret: whoever has it is that agent):\n\n"
               "  frameq-agent --join %s --start-node\n\n",
               join);
    printf("For each more: %s agents add NAME --broker http://%s\n\n",
           beside_self(self, sizeof self), dev->http);
}

static bool needs_broker_flag(const struct dev *dev)
{
    char usual[32];
    const char *named = getenv("FRAMEQ_BROKER");
    snprintf(usual, sizeof usual, "127.0.0.1:%d", DEV_HTTP_PORT);
    return strcmp(dev->http, usual) != 0 || (named != NULL && *named != '\0');
}

static void greet(const struct dev *dev)
{
    char self[PATH_MAX + 2], flag[96] = "";
    beside_self(self, sizeof self);
    if (needs_broker_flag(dev))
        snprintf(flag, sizeof flag, " --broker http://%s", dev->http);
    if (dev_is_open(dev))
        greet_others(dev);
    else
        printf("A farm of %d agent%s on this machine, for trying things out "
               "(loopback, no passwords).\n\n",
               dev->agents, dev->agents == 1 ? "" : "s");
    printf("  page    http://%s/\n"
           "  submit  %s submit -f 1-20%s\n"
           "  watch   %s watch%s\n"
           "  frames  %s/frames\n"
           "  scene   %s\n"
           "  logs    %s/logs\n\n"
           "Ctrl-C ends all of it; %s. The frames stay.\n",
           dev->http, self, flag, self, flag, dev->dir, dev->scene, dev->dir,
           conf_on(dev->conf, "keep") ? "jobs and state are kept (--keep)"
                                      : "jobs are forgotten then (see --keep)");
    printf("ready http=%s\n", dev->http);
    fflush(stdout);
}

static bool wants_page(const struct dev *dev)
{
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
    bool display =
        (x != NULL && *x != '\0') || (wayland != NULL && *wayland != '\0');
    return display && isatty(STDOUT_FILENO) && !conf_on(dev->conf, "no-open");
}

/* Finds the scene, or has it made. */
static enum dev_end take_scene(struct dev *dev)
{
    char log[PATH_MAX];
    if (conf_get(dev->conf, "blend") != NULL)
        return DEV_WELL;
    if (!scene_path(dev->scene, sizeof dev->scene))
        return DEV_BROKEN;
    enum child_news news =
        scene_make(dev->children, conf_get(dev->conf, "blender"), dev->scene,
                   dev_path(dev, "logs/blender.log", log));
    if (news == CHILD_STOP)
        return DEV_STOPPED;
    return news == CHILD_READY_LINE ? DEV_WELL : DEV_BROKEN;
}

/* Serves until told to end or a child ends by itself. */
static enum dev_end serve(struct dev *dev)
{
    struct child *over = NULL;
    char url[80];
    snprintf(url, sizeof url, "http://%s/", dev->http);
    greet(dev);
    if (wants_page(dev))
        children_open_page(dev->children, url);
    if (child_wait(dev->children, NULL, -1, &over) == CHILD_STOP)
        return DEV_STOPPED;
    child_tell(over);
    return DEV_BROKEN;
}

static enum dev_end run(struct dev *dev)
{
    enum dev_end end = take_scene(dev);
    if (end == DEV_WELL)
        end = dev_start(dev);
    if (end == DEV_WELL)
        end = serve(dev);
    if (end == DEV_STOPPED)
        fprintf(stderr, "frameq: ending agents, nodes and broker\n");
    dev_end(dev);
    return end;
}

int verb_dev(int argc, char **argv)
{
    struct conf *conf = conf_load(&program, argc, argv);
    struct dev dev = {.conf = conf};
    const char *blend = conf_get(conf, "blend");
    if (blend != NULL && realpath(blend, dev.scene) == NULL)
        log_fatal(CLI_USAGE, "%s: %s", blend, strerror(errno));
    dev.agents = (int)conf_number(conf, "agents");
    dev_take(&dev);
    dev.children = children_open();
    bool well = run(&dev) == DEV_STOPPED;
    if (well && !conf_on(conf, "keep"))
        dev_drop(&dev); /* after trouble the logs stay to be read */
    dev_release(&dev);
    children_close(&dev.children);
    conf_free(&conf);
    return well ? CLI_DONE : CLI_FAILED;
}
