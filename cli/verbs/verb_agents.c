/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq agents: the machines that render, and why those that don't do not;
 * and who may be one, where agents need keys.
 */
#include <stdio.h>
#include <string.h>

#include "cli/agent.h"
#include "cli/cli.h"
#include "cli/doc.h"
#include "cli/human.h"
#include "cli/table.h"
#include "cli/verbs/verbs.h"
#include "cli/verdict.h"
#include "common/app/clock.h"
#include "common/app/join.h"
#include "common/app/log.h"
#include "common/app/net.h"
#include "common/limits.h"

static const struct setting settings[] = {
    SETTING_BROKER,
    {.name = "address",
     .argument = "URL",
     .help = "add: where the agent reaches the broker, if not by --broker.",
     .check = conf_is_url},
    SETTING_JSON,
};

static const struct conf_program program = {
    .name = "frameq agents",
    .usage = "[ls | add NAME | remove NAME...]",
    .about = "Lists the agents: what each renders now, how it did so far, and "
             "why it takes no work where it does not. On a farm that wants "
             "keys, add lets an agent in and prints the command that starts "
             "it; remove cuts it off at once and gives its frames to others.",
    .epilog = "  frameq agents add node-7 --address http://farm:4000\n"
              "  frameq agents remove node-7\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 64,
};

/* The reason an agent stands still, else what it renders. */
static void activity_cell(struct table *table, const json_t *agent)
{
    char why[LIMIT_REASON];
    struct buf text;
    buf_init(&text, LIMIT_REASON);
    agent_tell_leases(agent, &text);
    const char *reason = verdict_agent(agent, NULL, why, sizeof why);
    if (reason != NULL)
        buf_print(&text, "%s%s", text.len > 0 ? "; " : "", reason);
    table_cell(table, reason != NULL ? MAGENTA : PLAIN, "%s", buf_text(&text));
    buf_free(&text);
}

static void row_add(struct table *table, const struct term *term,
                    const json_t *agent, int64_t now_ms)
{
    char text[HUMAN_SIZE];
    const json_t *node = json_object_get(agent, "node");
    table_cell(table, PLAIN, "%s", doc_text(agent, "name"));
    table_state(table, term, agent_state(agent));
    table_cell(table, PLAIN, "%lld/%lld", (long long)doc_int(agent, "busy"),
               (long long)doc_int(agent, "slots"));
    activity_cell(table, agent);
    table_cell(table, PLAIN, "%lld", (long long)doc_int(agent, "done"));
    table_cell(table, doc_int(agent, "charged") > 0 ? RED : PLAIN, "%lld",
               (long long)doc_int(agent, "charged"));
    table_cell(table, PLAIN, "%.2f", doc_real(agent, "speed"));
    table_cell(table, PLAIN, "%s",
               human_ago(doc_time(agent, "last_heard"), now_ms, text));
    table_cell(table, PLAIN, "%s", doc_text(node, "blender"));
    table_cell(table, PLAIN, "%s", doc_text(node, "device"));
}

static void print_agents(const struct cli *cli, const json_t *agents)
{
    static const struct column columns[] = {
        {"agent", 8, false, false},  {"state", 0, false, false},
        {"slots", 0, true, false},   {"renders", 12, false, false},
        {"done", 0, true, true},     {"faults", 0, true, true},
        {"speed", 0, true, true},    {"heard", 0, true, true},
        {"blender", 5, false, true}, {"device", 4, false, true},
    };
    struct buf out;
    size_t i;
    const json_t *agent;
    buf_init(&out, LIMIT_ANSWER);
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    json_array_foreach(agents, i, agent)
        row_add(table, &cli->term, agent, clock_wall_ms());
    if (json_array_size(agents) > 0)
        table_write(table, &cli->term, &out);
    else
        agent_tell_none(client_url(cli->client), &out);
    cli_print(&out);
    table_free(&table);
    buf_free(&out);
}

static void list(const struct cli *cli, const char *const *names, size_t n)
{
    (void)names;
    if (n > 0)
        log_fatal(CLI_USAGE, "ls takes no name");
    json_t *answer = client_get_with(cli->client, "/v1/agents", "agents");
    if (cli->json)
        cli_print_json(answer);
    else
        print_agents(cli, json_object_get(answer, "agents"));
    json_decref(answer);
}

/* The command alone on stdout, so that it can be sent on as it is. */
static void tell_join(const struct cli *cli, const json_t *answer)
{
    const char *broker = doc_text(answer, "broker");
    fprintf(stderr,
            "Run this on the machine that shall render. It holds the agent's "
            "key and is shown this once;\nfrom now on whoever has it is %s. "
            "Undo: frameq agents remove %s%s\n",
            doc_text(answer, "name"), doc_text(answer, "name"), cli->hint);
    if (net_is_loopback(client_host(cli->client)) &&
        cli_get(cli, "address") == NULL)
        fprintf(stderr,
                "It looks for the broker at %s, so it works on this machine "
                "only; for others give --address %s://HOST:PORT.\n",
                broker, strncmp(broker, "https:", 6) == 0 ? "https" : "http");
    printf("frameq-agent --join %s --start-node\n", doc_text(answer, "join"));
}

static void add(const struct cli *cli, const char *const *names, size_t n)
{
    const char *address = cli_get(cli, "address");
    if (n != 1)
        log_fatal(CLI_USAGE, "add takes the name of one agent");
    const char *reason = join_is_name(names[0]);
    if (reason != NULL)
        log_fatal(CLI_USAGE, "NAME %s", reason);
    json_t *body = json_pack("{s:s}", "name", names[0]);
    json_object_set_new(
        body, "broker",
        json_string(address != NULL ? address : client_url(cli->client)));
    json_t *answer = client_send(cli->client, "POST", "/v1/agents", body);
    if (cli->json)
        cli_print_json(answer);
    else
        tell_join(cli, answer);
    json_decref(answer);
    json_decref(body);
}

static void take_away(const struct cli *cli, const char *const *names, size_t n)
{
    if (n == 0)
        log_fatal(CLI_USAGE, "remove takes the names of agents");
    for (size_t i = 0; i < n; i++) {
        const char *path = client_path(cli->client, "/v1/agents/%s", names[i]);
        json_decref(client_send(cli->client, "DELETE", path, NULL));
        if (!cli->json)
            printf("%s is cut off; its key opens nothing any more.\n",
                   names[i]);
    }
}

static const struct action {
    const char *name;
    void (*run)(const struct cli *cli, const char *const *names, size_t n);
} actions[] = {{"ls", list}, {"add", add}, {"remove", take_away}};

int verb_agents(int argc, char **argv)
{
    struct cli cli;
    const char *const *operands;
    cli_open(&cli, &program, argc, argv);
    size_t n = conf_operands(cli.conf, &operands), i = 0;
    while (n > 0 && i < sizeof actions / sizeof *actions &&
           strcmp(actions[i].name, operands[0]) != 0)
        i++;
    if (i == sizeof actions / sizeof *actions)
        log_fatal(CLI_USAGE,
                  "say ls, add or remove (see `frameq agents --help`)");
    actions[i].run(&cli, operands + (n > 0), n > 0 ? n - 1 : 0);
    return cli_close(&cli, CLI_DONE);
}
