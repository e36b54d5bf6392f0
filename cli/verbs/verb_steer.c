/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs that change a job: cancel, retry, pause, resume, priority. Each
 * is one request; the broker alone decides whether it may be.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doc.h"
#include "cli/job.h"
#include "cli/verbs/verbs.h"
#include "common/app/log.h"

/* One verb at work: the job, and what is said when it is done. */
struct steer {
    struct cli cli;
    json_t *job;
};

static void check_priority(const char *text)
{
    if (conf_is_count0(text) != NULL)
        log_fatal(CLI_USAGE, "the priority %s", conf_is_count0(text));
}

static void steer_open(struct steer *steer, const struct conf_program *program,
                       int argc, char **argv)
{
    cli_open(&steer->cli, program, argc, argv);
    const char *named = cli_operand(&steer->cli, 0, "JOB");
    if (program->operands_max > 1)
        check_priority(cli_operand(&steer->cli, 1, "N"));
    steer->job = job_find(&steer->cli, named);
}

static const char *steer_path(struct steer *steer, const char *format)
{
    return client_path(steer->cli.client, format, doc_text(steer->job, "id"));
}

/* Sends the one request, says what it did and ends the verb. Takes body. */
static int steer_send(struct steer *steer, const char *method, const char *path,
                      json_t *body, const char *said)
{
    json_t *answer = client_send(steer->cli.client, method, path, body);
    const char *state = doc_text(answer, "state");
    if (steer->cli.json)
        cli_print_json(answer);
    else if (strcmp(method, "PATCH") == 0 && job_over(state))
        printf("%s (%.8s) is %s; frames rendered again will go by that\n",
               job_label(steer->job), doc_text(steer->job, "id"), state);
    else
        printf("%s (%.8s) %s\n", job_label(steer->job),
               doc_text(steer->job, "id"), said);
    json_decref(answer);
    json_decref(body);
    json_decref(steer->job);
    return cli_close(&steer->cli, CLI_DONE);
}

static void set_text(json_t *body, const char *key, const char *value)
{
    if (value != NULL)
        json_object_set_new(body, key, json_string(value));
}

#define SETTING_FRAMES(words)                                                  \
    {                                                                          \
        .name = "frames", .letter = 'f', .argument = "FRAMES", .help = (words) \
    }

int verb_cancel(int argc, char **argv)
{
    static const struct setting settings[] = {
        SETTING_BROKER,
        SETTING_JSON,
        SETTING_FRAMES("Only these frames, as 10-20,33."),
        {.name = "reason", .argument = "TEXT", .help = "Why; others see it."},
    };
    static const struct conf_program program = {
        .name = "frameq cancel",
        .usage = "JOB",
        .about = "Ends a job, or some of its frames. Pictures that are done "
                 "stay.",
        .settings = settings,
        .n = sizeof settings / sizeof *settings,
        .operands_max = 1,
    };
    struct steer steer;
    steer_open(&steer, &program, argc, argv);
    const char *frames = cli_get(&steer.cli, "frames");
    json_t *body = json_object();
    set_text(body, "frames", frames);
    set_text(body, "reason", cli_get(&steer.cli, "reason"));
    const char *path =
        steer_path(&steer, frames != NULL ? "/v1/jobs/%s/frames:cancel"
                                          : "/v1/jobs/%s:cancel");
    return steer_send(&steer, "POST", path, body,
                      frames != NULL ? "will not render those frames"
                                     : "is cancelled");
}

int verb_retry(int argc, char **argv)
{
    static const struct setting settings[] = {
        SETTING_BROKER,
        SETTING_JSON,
        {.name = "failed", .help = "The failed ones (this is the default)."},
        SETTING_FRAMES("These frames, done ones too: their pictures stay until "
                       "the new ones are whole."),
        {.name = "avoid", .argument = "AGENT", .help = "Not on that agent."},
    };
    static const struct conf_program program = {
        .name = "frameq retry",
        .usage = "JOB",
        .about = "Renders frames of a job again: the failed ones, or those "
                 "named with -f.",
        .epilog = "  frameq retry shot_010 --avoid node-3\n"
                  "  frameq retry shot_010 -f 61-72\n",
        .settings = settings,
        .n = sizeof settings / sizeof *settings,
        .operands_max = 1,
    };
    struct steer steer;
    steer_open(&steer, &program, argc, argv);
    const char *frames = cli_get(&steer.cli, "frames");
    if (frames != NULL && cli_on(&steer.cli, "failed"))
        log_fatal(CLI_USAGE, "--failed and -f exclude each other");
    json_t *body = json_object();
    set_text(body, "frames", frames);
    set_text(body, "state", frames == NULL ? "failed" : NULL);
    set_text(body, "avoid", cli_get(&steer.cli, "avoid"));
    return steer_send(&steer, "POST",
                      steer_path(&steer, "/v1/jobs/%s/frames:retry"), body,
                      frames == NULL ? "renders its failed frames again"
                                     : "renders those frames again");
}

static int patch_paused(int argc, char **argv,
                        const struct conf_program *program, bool paused)
{
    struct steer steer;
    steer_open(&steer, program, argc, argv);
    return steer_send(&steer, "PATCH", steer_path(&steer, "/v1/jobs/%s"),
                      json_pack("{s:b}", "paused", paused),
                      paused ? "is paused" : "goes on");
}

static const struct setting patch_settings[] = {SETTING_BROKER, SETTING_JSON};

int verb_pause(int argc, char **argv)
{
    static const struct conf_program program = {
        .name = "frameq pause",
        .usage = "JOB",
        .about = "Holds a job back: frames that render now go on, no others "
                 "start.",
        .settings = patch_settings,
        .n = sizeof patch_settings / sizeof *patch_settings,
        .operands_max = 1,
    };
    return patch_paused(argc, argv, &program, true);
}

int verb_resume(int argc, char **argv)
{
    static const struct conf_program program = {
        .name = "frameq resume",
        .usage = "JOB",
        .about = "Lets a paused job go on.",
        .settings = patch_settings,
        .n = sizeof patch_settings / sizeof *patch_settings,
        .operands_max = 1,
    };
    return patch_paused(argc, argv, &program, false);
}

int verb_priority(int argc, char **argv)
{
    static const struct conf_program program = {
        .name = "frameq priority",
        .usage = "JOB N",
        .about =
            "Sets a job's priority, 0 to 100; 100 goes first, 50 is usual.",
        .settings = patch_settings,
        .n = sizeof patch_settings / sizeof *patch_settings,
        .operands_max = 2,
    };
    struct steer steer;
    char said[64];
    steer_open(&steer, &program, argc, argv);
    json_int_t n = strtoll(cli_operand(&steer.cli, 1, "N"), NULL, 10);
    snprintf(said, sizeof said, "has priority %" JSON_INTEGER_FORMAT, n);
    return steer_send(&steer, "PATCH", steer_path(&steer, "/v1/jobs/%s"),
                      json_pack("{s:I}", "priority", n), said);
}
