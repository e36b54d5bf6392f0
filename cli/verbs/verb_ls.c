/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq ls: jobs, newest first. Without --all or --state those that have not
 * ended, then the last few that have.
 */
#include <stdio.h>

#include "cli/doc.h"
#include "cli/human.h"
#include "cli/job.h"
#include "cli/table.h"
#include "cli/verbs/verbs.h"
#include "common/app/clock.h"
#include "common/limits.h"

#define ENDED_SHOWN 10
#define BAR_WIDE    20
#define BAR_NARROW  8 /* where the terminal has less than 100 columns */

static const char *const states[] = {
    "queued", "running", "paused", "completed", "failed", "cancelled", NULL};
static const char *is_state(const char *value)
{
    return conf_choice(value, states);
}

static const struct setting settings[] = {
    SETTING_BROKER,
    SETTING_JSON,
    {.name = "state",
     .argument = "STATE",
     .check = is_state,
     .help = "Only jobs that are queued, running, paused, completed, failed or "
             "cancelled."},
    {.name = "user", .argument = "NAME", .help = "Only that user's jobs."},
    {.name = "all", .help = "All jobs, ended ones too."},
};

static const struct conf_program program = {
    .name = "frameq ls",
    .about =
        "Lists jobs, newest first: those that have not ended, then the last "
        "10 that have.",
    .epilog = "  frameq ls --state failed --user mira\n"
              "  frameq ls --all --json | jq '.jobs[].id'\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

/* states: words with commas between, "" for all. */
static json_t *jobs_get(struct cli *cli, const char *wanted, size_t most)
{
    char limit[16];
    const char *user = cli_get(cli, "user");
    size_t page = most < LIMIT_PAGE ? most : LIMIT_PAGE;
    snprintf(limit, sizeof limit, "%zu", page);
    const char *path =
        client_path(cli->client, "/v1/jobs?limit=%s%r%s%r%s", limit,
                    *wanted != '\0' ? "&state=" : "", wanted,
                    user != NULL ? "&user=" : "", user != NULL ? user : "");
    return client_list(cli->client, path, "jobs", "cursor", most);
}

/* Those that have not ended, then the last few that have. */
static json_t *jobs_current(struct cli *cli)
{
    json_t *jobs = jobs_get(cli, "queued,running,paused", LIMIT_JOBS);
    json_t *ended = jobs_get(cli, "completed,failed,cancelled", ENDED_SHOWN);
    json_array_extend(jobs, ended);
    json_decref(ended);
    return jobs;
}

static void row_add(struct table *table, const struct term *term,
                    const json_t *job, int64_t now_ms)
{
    char text[HUMAN_SIZE];
    struct bar bar = job_bar(job);
    struct buf drawn;
    buf_init(&drawn, LIMIT_REASON);
    bool narrow = term->width > 0 && term->width < 100;
    bar_draw(&bar, term, narrow ? BAR_NARROW : BAR_WIDE, &drawn);
    table_state(table, term, doc_text(job, "state"));
    table_cell(table, PLAIN, "%s", job_label(job));
    table_cell(table, glyph_find(doc_text(job, "state"))->colour, "%s",
               buf_text(&drawn));
    table_cell(table, PLAIN, "%lld/%lld", (long long)bar.done,
               (long long)bar.total);
    table_count(table, RED, bar.failed);
    table_cell(table, PLAIN, "%s",
               doc_has(job, "ended_at")
                   ? human_ago(doc_time(job, "ended_at"), now_ms, text)
                   : human_left(job, text));
    table_cell(table, PLAIN, "%lld", (long long)doc_int(job, "priority"));
    table_cell(table, PLAIN, "%s", doc_text(job, "user"));
    table_cell(table, DIM, "%.8s", doc_text(job, "id"));
    buf_free(&drawn);
}

static void print_table(const struct cli *cli, const json_t *jobs)
{
    static const struct column columns[] = {
        {"state", 0, false, false},   {"job", 8, false, false},
        {"progress", 0, false, true}, {"done", 0, true, false},
        {"failed", 4, true, true},    {"eta", 6, false, true},
        {"prio", 0, true, true},      {"user", 4, false, true},
        {"id", 0, false, false},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    struct buf out;
    size_t i;
    json_t *job;
    buf_init(&out, LIMIT_ANSWER);
    json_array_foreach(jobs, i, job)
        row_add(table, &cli->term, job, clock_wall_ms());
    table_write(table, &cli->term, &out);
    cli_print(&out);
    buf_free(&out);
    table_free(&table);
}

static void print_jobs(const struct cli *cli, json_t *jobs)
{
    struct buf out;
    buf_init(&out, LIMIT_REASON);
    if (cli->json) {
        json_t *whole = json_pack("{s:O}", "jobs", jobs);
        cli_print_json(whole);
        json_decref(whole);
    } else if (json_array_size(jobs) > 0) {
        print_table(cli, jobs);
    } else if (cli_get(cli, "state") == NULL && cli_get(cli, "user") == NULL) {
        buf_print(&out, "No jobs yet: frameq submit shot.blend -f 1-10\n");
        cli_print(&out);
    } else {
        buf_print(&out, "No such jobs.\n");
        cli_print(&out);
    }
    buf_free(&out);
}

int verb_ls(int argc, char **argv)
{
    struct cli cli;
    cli_open(&cli, &program, argc, argv);
    const char *state = cli_get(&cli, "state");
    json_t *jobs = state != NULL || cli_on(&cli, "all")
                       ? jobs_get(&cli, state != NULL ? state : "", LIMIT_JOBS)
                       : jobs_current(&cli);
    print_jobs(&cli, jobs);
    json_decref(jobs);
    return cli_close(&cli, CLI_DONE);
}
