/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq movie: a job's frames as one file, made by the broker.
 */
#include <stdio.h>
#include <string.h>

#include "cli/bring/download.h"
#include "cli/doc.h"
#include "cli/job.h"
#include "cli/verbs/verbs.h"
#include "common/limits.h"

static const char *is_codec(const char *value)
{
    static const char *const words[] = {"h264", "h265",   "av1", "vp9",
                                        "ffv1", "prores", NULL};
    return conf_choice(value, words);
}

static const struct setting settings[] = {
    SETTING_BROKER,
    SETTING_JSON,
    {.name = "output",
     .letter = 'o',
     .argument = "FILE",
     .help = "Where to write it; must not exist (the job's name, .mp4)."},
    {.name = "fps",
     .argument = "N",
     .check = conf_is_seconds,
     .help = "Frames a second, up to 1000 (what the job says, else 24)."},
    {.name = "codec",
     .argument = "CODEC",
     .check = is_codec,
     .help = "h264, h265, av1 or vp9 as .mp4, ffv1 as .mkv, prores as .mov "
             "(what the job says, else h264)."},
};

static const struct conf_program program = {
    .name = "frameq movie",
    .usage = "JOB",
    .about = "Makes a movie of a job's frames, of which none may be missing. "
             "The broker makes it, with ffmpeg, and keeps it until a frame is "
             "rendered again or the job is removed.",
    .epilog = "  frameq movie shot_010 -o shot_010.mp4 --fps 25\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 1,
};

/* The codec that the job or the flag names. */
static const char *codec_of(const struct cli *cli, const json_t *job)
{
    const char *flag = cli_get(cli, "codec");
    const char *own = doc_text(json_object_get(job, "movie"), "codec");
    return flag != NULL ? flag : own;
}

/* The job's name, as a file here may be called. */
static void file_of(const struct cli *cli, const json_t *job, char *ret,
                    size_t size)
{
    const char *name = doc_text(job, "name"), *codec = codec_of(cli, job);
    const char *suffix = strcmp(codec, "ffv1") == 0     ? "mkv"
                         : strcmp(codec, "prores") == 0 ? "mov"
                                                        : "mp4";
    if (*name == '\0' || *name == '.' || strchr(name, '/') != NULL)
        name = doc_text(job, "id");
    snprintf(ret, size, "%s.%s", name, suffix);
}

static const char *path_of(const struct cli *cli, const json_t *job)
{
    const char *fps = cli_get(cli, "fps"), *codec = cli_get(cli, "codec");
    const char *id = doc_text(job, "id");
    if (fps != NULL && codec != NULL)
        return client_path(cli->client, "/v1/jobs/%s/movie?fps=%s&codec=%s", id,
                           fps, codec);
    if (fps != NULL)
        return client_path(cli->client, "/v1/jobs/%s/movie?fps=%s", id, fps);
    if (codec != NULL)
        return client_path(cli->client, "/v1/jobs/%s/movie?codec=%s", id,
                           codec);
    return client_path(cli->client, "/v1/jobs/%s/movie", id);
}

int verb_movie(int argc, char **argv)
{
    struct cli cli;
    char named[LIMIT_NAME + 8];
    cli_open(&cli, &program, argc, argv);
    json_t *job = job_find(&cli, cli_operand(&cli, 0, "JOB"));
    const char *file = cli_get(&cli, "output");
    if (file == NULL) {
        file_of(&cli, job, named, sizeof named);
        file = named;
    }
    const struct download download = {.path = path_of(&cli, job),
                                      .file = file,
                                      .waiting = "the broker makes it"};
    download_to_file(&cli, &download);
    json_decref(job);
    return cli_close(&cli, CLI_DONE);
}
