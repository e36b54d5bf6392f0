/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq fetch: a job's pictures into a folder here.
 */
#include <stdio.h>

#include "cli/bring/fetch.h"
#include "cli/doc.h"
#include "cli/job.h"
#include "cli/verbs/verbs.h"

static const struct setting settings[] = {SETTING_BROKER, SETTING_JSON};

static const struct conf_program program = {
    .name = "frameq fetch",
    .usage = "JOB [DIR]",
    .about = "Brings the pictures of a job's done frames into DIR (the job's "
             "id), under the names the nodes gave them. Needs a broker that "
             "keeps them (--results keep), or one that sees the nodes' folder. "
             "What is there already is not fetched again.",
    .epilog = "  frameq fetch shot_010 frames/\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 2,
};

static void tell(const struct cli *cli, const char *dir,
                 const struct fetched *fetched)
{
    json_t *told = json_pack("{s:s, s:I, s:I, s:I}", "dir", dir, "fetched",
                             (json_int_t)fetched->fetched, "there",
                             (json_int_t)fetched->there, "failed",
                             (json_int_t)fetched->failed);
    if (cli->json)
        cli_print_json(told);
    else
        fetch_tell(stdout, dir, fetched);
    json_decref(told);
}

int verb_fetch(int argc, char **argv)
{
    struct cli cli;
    struct fetched fetched = {0};
    const char *const *operands;
    cli_open(&cli, &program, argc, argv);
    json_t *job = job_find(&cli, cli_operand(&cli, 0, "JOB"));
    const char *id = doc_text(job, "id");
    const char *dir = conf_operands(cli.conf, &operands) > 1 ? operands[1] : id;
    fetch_job(&cli, id, dir, &fetched);
    tell(&cli, dir, &fetched);
    json_decref(job);
    return cli_close(&cli, fetched.failed == 0 ? CLI_DONE : CLI_FAILED);
}
