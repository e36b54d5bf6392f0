/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq status: the farm in one screen, and what to do when nothing renders.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/agent.h"
#include "cli/doc.h"
#include "cli/human.h"
#include "cli/job.h"
#include "cli/table.h"
#include "cli/verbs/verbs.h"
#include "cli/verdict.h"
#include "common/app/clock.h"
#include "common/limits.h"

#define JOBS_SHOWN 10
#define HEAD_ROOM  75 /* columns below which the head takes two lines */
#define BAR_WIDE   24
#define BAR_NARROW 8
#define BAR_ROOM   70 /* columns below which it is the narrow one */

static const struct setting settings[] = {SETTING_BROKER, SETTING_JSON};

static const struct conf_program program = {
    .name = "frameq status",
    .about = "Shows the farm in one screen: what it does, its agents, the jobs "
             "that render.",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

static void tell_head(const struct cli *cli, const json_t *farm,
                      struct buf *out)
{
    char up[HUMAN_SIZE];
    const char *state = doc_text(farm, "state");
    const struct glyph *glyph = glyph_find(state);
    int64_t since_ms = clock_wall_ms() - doc_time(farm, "started_at");
    term_paint(&cli->term, glyph->colour, glyph_text(glyph, &cli->term), out);
    bool narrow = cli->term.width > 0 && cli->term.width < HEAD_ROOM;
    buf_print(out, " the farm is %s%s", state, narrow ? "\n" : "   ");
    buf_print(out, "%s, frameq %s, up %s\n", client_url(cli->client),
              doc_text(farm, "version"),
              human_seconds((double)since_ms / 1000, up));
}

/* Appends "label  12 up, 1 lost" for the counts of object that are not 0. */
static void tell_counts(const json_t *object, const char *label,
                        const char *const *words, struct buf *out)
{
    const char *comma = "";
    buf_print(out, "%-8s", label);
    for (; *words != NULL; words++) {
        int64_t n = doc_int(object, *words);
        if (n == 0)
            continue;
        buf_print(out, "%s%lld %s", comma, (long long)n, *words);
        comma = ", ";
    }
    buf_print(out, "%s\n", *comma == '\0' ? "none" : "");
}

/* They are among those that were counted. */
static void tell_drained(const json_t *agents, struct buf *out)
{
    int64_t n = doc_int(agents, "drained");
    if (n > 0)
        buf_print(out, "        %lld of them drained\n", (long long)n);
}

static void tell_farm(const struct cli *cli, const json_t *farm,
                      struct buf *out)
{
    static const char *const agents[] = {"up", "silent", "gone", "lost", NULL};
    static const char *const jobs[] = {"running",   "queued", "paused",
                                       "completed", "failed", "cancelled",
                                       NULL};
    static const char *const frames[] = {"pending", "leased",    "done",
                                         "failed",  "cancelled", NULL};
    char eta[HUMAN_SIZE];
    const json_t *slots = json_object_get(farm, "slots");
    const json_t *ledger = json_object_get(farm, "ledger");
    tell_head(cli, farm, out);
    tell_counts(json_object_get(farm, "agents"), "agents", agents, out);
    tell_drained(json_object_get(farm, "agents"), out);
    buf_print(out, "slots   %lld of %lld busy\n",
              (long long)doc_int(slots, "busy"),
              (long long)doc_int(slots, "total"));
    tell_counts(json_object_get(farm, "frames"), "frames", frames, out);
    tell_counts(json_object_get(farm, "jobs"), "jobs", jobs, out);
    human_eta(json_object_get(farm, "eta_seconds"), eta);
    if (*eta != '\0')
        buf_print(out, "left    %s\n", eta);
    if (doc_has(ledger, "state") && !doc_is(ledger, "state", "ok"))
        buf_print(out, "ledger  %s: %s\n", doc_text(ledger, "state"),
                  doc_text(ledger, "reason"));
}

static void row_add(struct table *table, const struct term *term,
                    const json_t *job)
{
    char eta[HUMAN_SIZE];
    struct buf drawn;
    struct bar bar = job_bar(job);
    const struct glyph *glyph = glyph_find(doc_text(job, "state"));
    bool narrow = term->width > 0 && term->width < BAR_ROOM;
    buf_init(&drawn, LIMIT_REASON);
    bar_draw(&bar, term, narrow ? BAR_NARROW : BAR_WIDE, &drawn);
    table_cell(table, glyph->colour, "%s", glyph_text(glyph, term));
    table_cell(table, PLAIN, "%s", job_label(job));
    table_cell(table, glyph->colour, "%s", buf_text(&drawn));
    table_cell(table, PLAIN, "%lld/%lld", (long long)bar.done,
               (long long)bar.total);
    table_count(table, RED, bar.failed);
    table_cell(table, PLAIN, "%s", human_left(job, eta));
    buf_free(&drawn);
}

static void tell_jobs(struct cli *cli, struct buf *out)
{
    static const struct column columns[] = {
        {"", 0, false, false},     {"job", 8, false, false},
        {"", 0, false, true},      {"done", 0, true, false},
        {"failed", 4, true, true}, {"left", 6, false, true},
    };
    size_t i;
    const json_t *job;
    json_t *jobs = client_list(cli->client, "/v1/jobs?limit=1000&state=running",
                               "jobs", "cursor", LIMIT_PAGE);
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    json_array_foreach(jobs, i, job) if (i < JOBS_SHOWN)
        row_add(table, &cli->term, job);
    if (json_array_size(jobs) > 0) {
        buf_print(out, "\n");
        table_write(table, &cli->term, out);
    }
    if (json_array_size(jobs) > JOBS_SHOWN)
        buf_print(out, "... and %zu more: frameq ls\n",
                  json_array_size(jobs) - JOBS_SHOWN);
    table_free(&table);
    json_decref(jobs);
}

/* What a person could do now. */
static void tell_next(struct cli *cli, const json_t *farm, struct buf *out)
{
    char why[LIMIT_REASON];
    json_t *answer = client_get_with(cli->client, "/v1/agents", "agents");
    const json_t *agents = json_object_get(answer, "agents");
    if (json_array_size(agents) == 0) {
        buf_print(out, "\n");
        agent_tell_none(client_url(cli->client), out);
    } else if (!verdict_agents(agents, NULL, why, sizeof why)) {
        buf_print(out, "\nNothing can render: %s.\n", why);
    } else if (doc_int(json_object_get(farm, "jobs"), "total") == 0) {
        buf_print(out, "\nNo jobs yet: frameq submit shot.blend -f 1-10\n");
    }
    json_decref(answer);
}

int verb_status(int argc, char **argv)
{
    struct cli cli;
    struct buf out;
    cli_open(&cli, &program, argc, argv);
    json_t *farm = client_get_with(cli.client, "/v1/farm", "state");
    if (cli.json) {
        cli_print_json(farm);
    } else {
        buf_init(&out, LIMIT_ANSWER);
        tell_farm(&cli, farm, &out);
        tell_jobs(&cli, &out);
        tell_next(&cli, farm, &out);
        cli_print(&out);
        buf_free(&out);
    }
    json_decref(farm);
    return cli_close(&cli, CLI_DONE);
}
