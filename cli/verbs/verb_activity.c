/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq activity: who did what, when, the latest at the end.
 */
#include <stdio.h>
#include <string.h>

#include "cli/doc.h"
#include "cli/human.h"
#include "cli/job.h"
#include "cli/table.h"
#include "cli/verbs/verbs.h"
#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/limits.h"

static const char *check_since(const char *value)
{
    return clock_span(value) >= 0 || clock_parse(value) >= 0
               ? NULL
               : "must be a span, as 12h or 30d, or a time (RFC 3339)";
}

static const struct setting settings[] = {
    SETTING_BROKER,
    {.name = "since",
     .argument = "SPAN",
     .fallback = "24h",
     .check = check_since,
     .help = "How far back: 90m, 12h, 30d, or a time (RFC 3339)."},
    {.name = "job",
     .argument = "JOB",
     .help = "Only what was done to this job."},
    {.name = "agent",
     .argument = "AGENT",
     .help = "Only what was done to, or happened at, this agent."},
    {.name = "user",
     .argument = "USER",
     .help = "Only what this person, or address, did."},
    SETTING_JSON};

static const struct conf_program program = {
    .name = "frameq activity",
    .usage = "",
    .about = "Shows who did what, and what happened to jobs and agents, the "
             "latest at the end.",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

static const struct column columns[] = {
    {"when", 0, false, false}, {"who", 6, false, true},
    {"what", 0, false, false}, {"job", 10, false, false},
    {"agent", 6, false, true}, {"more", 12, false, false},
};

static void filter_add(struct cli *cli, const char *key, const char *value,
                       struct buf *path)
{
    if (value != NULL)
        buf_print(path, "&%s", client_path(cli->client, "%r=%s", key, value));
}

static json_t *read_all(struct cli *cli)
{
    struct buf path;
    const char *text = cli_get(cli, "job");
    json_t *job = text != NULL ? job_seek(cli, text) : NULL;
    if (text != NULL && job == NULL && strlen(text) < LIMIT_ID_MIN)
        log_fatal(CLI_REFUSED, "no job `%s` (see `frameq ls --all`)", text);
    buf_init(&path, LIMIT_SPEC);
    buf_print(&path, "/v1/activity?limit=%d", LIMIT_PAGE);
    filter_add(cli, "since", cli_get(cli, "since"), &path);
    filter_add(cli, "job", job != NULL ? doc_text(job, "id") : text, &path);
    filter_add(cli, "agent", cli_get(cli, "agent"), &path);
    filter_add(cli, "user", cli_get(cli, "user"), &path);
    json_t *rows = client_list(cli->client, buf_text(&path), "activity",
                               "cursor", LIMIT_ACTIVITY);
    buf_free(&path);
    json_decref(job);
    return rows;
}

static void add_row(const json_t *row, int64_t now_ms, struct table *table)
{
    char ago[HUMAN_SIZE];
    int64_t times = doc_int(row, "times");
    const char *name = doc_text(row, "job_name");
    table_cell(table, PLAIN, "%s",
               human_ago(doc_time(row, "last_at"), now_ms, ago));
    table_cell(table, PLAIN, "%s", doc_text(row, "user"));
    table_cell(table, PLAIN, "%s", doc_text(row, "what"));
    table_cell(table, PLAIN, "%.8s%s%s", doc_text(row, "job"),
               *name != '\0' ? " " : "", name);
    table_cell(table, PLAIN, "%s", doc_text(row, "agent"));
    if (times > 1)
        table_cell(table, PLAIN, "%lld times, first: %s", (long long)times,
                   doc_text(row, "text"));
    else
        table_cell(table, PLAIN, "%s", doc_text(row, "text"));
}

static void show(const struct cli *cli, const json_t *rows)
{
    struct buf out;
    int64_t now_ms = clock_wall_ms();
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    buf_init(&out, LIMIT_ANSWER);
    for (size_t i = json_array_size(rows); i > 0; i--)
        add_row(json_array_get(rows, i - 1), now_ms, table);
    table_write(table, &cli->term, &out);
    cli_print(&out);
    buf_free(&out);
    table_free(&table);
}

static void print_json(json_t *rows)
{
    json_t *whole = json_pack("{s:O}", "activity", rows);
    cli_print_json(whole);
    json_decref(whole);
}

int verb_activity(int argc, char **argv)
{
    struct cli cli;
    cli_open(&cli, &program, argc, argv);
    json_t *rows = read_all(&cli);
    if (cli.json)
        print_json(rows);
    else if (json_array_size(rows) == 0)
        fprintf(stderr, "frameq: nothing happened in that time\n");
    else
        show(&cli, rows);
    json_decref(rows);
    return cli_close(&cli, CLI_DONE);
}
