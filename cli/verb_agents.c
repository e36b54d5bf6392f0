/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq agents: the machines that render, and why those that don't do not.
 */
#include <string.h>

#include "cli/agent.h"
#include "cli/cli.h"
#include "cli/doc.h"
#include "cli/human.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/verdict.h"
#include "common/app/clock.h"
#include "common/limits.h"

static const struct setting settings[] = {SETTING_BROKER, SETTING_JSON};

static const struct conf_program program = {
    .name = "frameq agents",
    .about = "Lists the agents: what each renders now, how it did so far, and "
             "why it takes no work where it does not.",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
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
        {"agent", 8, false},    {"state", 0, false}, {"slots", 0, true},
        {"renders", 12, false}, {"done", 0, true},   {"faults", 0, true},
        {"speed", 0, true},     {"heard", 0, true},  {"blender", 5, false},
        {"device", 4, false},
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

int verb_agents(int argc, char **argv)
{
    struct cli cli;
    cli_open(&cli, &program, argc, argv);
    json_t *answer = client_get(cli.client, "/v1/agents");
    if (cli.json)
        cli_print_json(answer);
    else
        print_agents(&cli, json_object_get(answer, "agents"));
    json_decref(answer);
    return cli_close(&cli, CLI_DONE);
}
