/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq rm: has the broker forget ended jobs. Pictures stay where they are.
 */
#include <stdio.h>

#include "cli/doc.h"
#include "cli/human.h"
#include "cli/job.h"
#include "cli/verbs/verbs.h"
#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/limits.h"

static const char *is_span(const char *value)
{
    return clock_span(value) >= 0 ? NULL : "must be a span, as 30d or 12h";
}

static const struct setting settings[] = {
    SETTING_BROKER,
    SETTING_JSON,
    {.name = "older",
     .argument = "SPAN",
     .check = is_span,
     .help =
         "Those that ended longer ago than 30d, 12h, ...; without a JOB all "
         "of them."},
};

static const struct conf_program program = {
    .name = "frameq rm",
    .usage = "[JOB]...",
    .about = "Forgets ended jobs: they are gone from lists and from the "
             "ledger. Their pictures stay. A job that has not ended is refused "
             "(frameq cancel ends it).",
    .epilog = "  frameq rm shot_010 shot_020\n"
              "  frameq rm --older 30d\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = LIMIT_PAGE,
};

/* The jobs named, or all that have ended; each still to be held against
 * --older. Owned. */
static json_t *jobs_wanted(struct cli *cli)
{
    const char *const *operands;
    size_t n = conf_operands(cli->conf, &operands);
    json_t *jobs = json_array();
    if (n == 0 && cli_get(cli, "older") == NULL)
        log_fatal(CLI_USAGE, "JOB or --older is missing (see --help)");
    for (size_t i = 0; i < n; i++)
        json_array_append_new(jobs, job_find(cli, operands[i]));
    if (n > 0)
        return jobs;
    json_decref(jobs);
    return client_list(cli->client,
                       "/v1/jobs?limit=1000&state=completed,failed,cancelled",
                       "jobs", "cursor", LIMIT_JOBS);
}

static bool is_old(const struct cli *cli, const json_t *job)
{
    const char *older = cli_get(cli, "older");
    if (older == NULL)
        return true;
    int64_t ended_ms = doc_time(job, "ended_at");
    return ended_ms >= 0 && clock_wall_ms() - ended_ms > clock_span(older);
}

/* Forgets job; one that is gone by now will do. Returns false, having said
 * why, when the broker refuses. */
static bool forget(struct cli *cli, const json_t *job)
{
    struct ask ask = {
        .method = "DELETE",
        .path = client_path(cli->client, "/v1/jobs/%s", doc_text(job, "id"))};
    struct reply reply;
    client_ask(cli->client, &ask, &reply);
    if (reply.status == 0 || !client_is_broker(&reply))
        client_end(cli->client, &reply);
    bool gone = reply.status < 400 || reply.status == 404;
    if (!gone)
        fprintf(stderr, "frameq: %s (%.8s): %s\n", job_label(job),
                doc_text(job, "id"), reply.why);
    reply_done(&reply);
    return gone;
}

int verb_rm(int argc, char **argv)
{
    struct cli cli;
    size_t i;
    const json_t *job;
    int code = CLI_DONE;
    cli_open(&cli, &program, argc, argv);
    json_t *jobs = jobs_wanted(&cli), *gone = json_array();
    json_array_foreach(jobs, i, job)
    {
        if (!is_old(&cli, job))
            continue;
        if (forget(&cli, job))
            json_array_append_new(gone, json_string(doc_text(job, "id")));
        else
            code = CLI_REFUSED;
    }
    if (cli.json)
        cli_print_json(gone);
    else
        printf("%zu job%s forgotten\n", json_array_size(gone),
               json_array_size(gone) == 1 ? "" : "s");
    json_decref(gone);
    json_decref(jobs);
    return cli_close(&cli, code);
}
