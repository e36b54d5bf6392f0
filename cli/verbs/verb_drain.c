/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq drain: an agent finishes what it renders (or with --now gives it
 * back) and takes nothing new, for a time or until --off.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/agent.h"
#include "cli/cli.h"
#include "cli/doc.h"
#include "cli/human.h"
#include "cli/verbs/verbs.h"
#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/mem.h"

static const char *is_time(const char *value)
{
    return human_time(value, clock_wall_ms()) >= 0
               ? NULL
               : "must be a time (2026-11-24T18:00:00Z, 18:00) or a span (30m, "
                 "2h)";
}

static const struct setting settings[] = {
    SETTING_BROKER,
    SETTING_JSON,
    {.name = "now",
     .help = "Give back what it renders too; the frames go to "
             "other agents, uncharged."},
    {.name = "until",
     .argument = "TIME",
     .check = is_time,
     .help = "Until then: RFC 3339, HH:MM of the local day, or a span such as "
             "30m or 2h."},
    {.name = "off", .help = "End the drain."},
};

static const struct conf_program program = {
    .name = "frameq drain",
    .usage = "[AGENT]",
    .about = "Lets an agent finish what it renders and take nothing new. "
             "Without a name: the agent on this machine. A drain outlives "
             "restarts of agent and broker.",
    .epilog = "  frameq drain                   this machine, until --off\n"
              "  frameq drain node-3 --until 18:00\n"
              "  frameq drain node-3 --off\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 1,
};

/* The name of the one agent of this machine, or the end of the program. */
static char *agent_here(struct cli *cli)
{
    char host[256] = "", *name = NULL;
    const json_t *agent;
    gethostname(host, sizeof host - 1);
    json_t *answer = client_get_with(cli->client, "/v1/agents", "agents");
    size_t n = agent_match(json_object_get(answer, "agents"), host, &agent);
    if (n == 0)
        log_fatal(CLI_REFUSED,
                  "no agent is named after this machine (%s): name one of "
                  "`frameq agents`",
                  host);
    if (n > 1)
        log_fatal(CLI_REFUSED,
                  "%zu agents are named after this machine (%s): name one of "
                  "`frameq agents`",
                  n, host);
    name = mem_text(doc_text(agent, "name"));
    json_decref(answer);
    return name;
}

static json_t *drain_body(const struct cli *cli)
{
    char time[CLOCK_TEXT_SIZE];
    const char *until = cli_get(cli, "until");
    if (cli_on(cli, "off") && (cli_on(cli, "now") || until != NULL))
        log_fatal(CLI_USAGE, "--off goes with neither --now nor --until");
    const char *mode = cli_on(cli, "off")   ? "off"
                       : cli_on(cli, "now") ? "now"
                                            : "soft";
    json_t *body = json_pack("{s:s}", "drain", mode);
    if (until != NULL)
        json_object_set_new(
            body, "until",
            json_string(clock_text(human_time(until, clock_wall_ms()), time)));
    return body;
}

static void tell(const struct cli *cli, const char *agent, const json_t *body)
{
    const char *until = doc_text(body, "until");
    if (doc_is(body, "drain", "off"))
        printf("%s takes work again.\n", agent);
    else
        printf("%s takes nothing new%s%s%s. Undo: frameq drain %s --off%s\n",
               agent,
               cli_on(cli, "now") ? " and gives back what it renders" : "",
               *until != '\0' ? " until " : "", until, agent, cli->hint);
}

int verb_drain(int argc, char **argv)
{
    struct cli cli;
    const char *const *operands;
    cli_open(&cli, &program, argc, argv);
    json_t *body = drain_body(&cli);
    char *name = conf_operands(cli.conf, &operands) > 0 ? mem_text(operands[0])
                                                        : agent_here(&cli);
    json_t *answer =
        client_send(cli.client, "PATCH",
                    client_path(cli.client, "/v1/agents/%s", name), body);
    if (cli.json)
        cli_print_json(answer);
    else
        tell(&cli, name, body);
    json_decref(answer);
    json_decref(body);
    mem_free(name);
    return cli_close(&cli, CLI_DONE);
}
