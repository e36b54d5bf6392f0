/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq movie: a job's frames as one file, made by the broker.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doc.h"
#include "cli/job.h"
#include "cli/place.h"
#include "cli/verbs.h"
#include "common/app/log.h"
#include "common/limits.h"

#define MB 1000000.0

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

static void show(void *ctx, int64_t got, int64_t all)
{
    const struct term *term = ctx;
    if (!term->live)
        return;
    if (all > 0)
        fprintf(stderr, "\r\033[K%.1f of %.1f MB", (double)got / MB,
                (double)all / MB);
    else
        fprintf(stderr, "\r\033[Kthe broker makes it");
}

static int64_t fetch_movie(const struct cli *cli, const char *path,
                           const char *file, int fd)
{
    struct term term;
    struct reply reply;
    term_look(&term, STDERR_FILENO);
    struct fetch fetch = {.path = path, .fd = fd, .step = show, .ctx = &term};
    bool whole = client_fetch(cli->client, &fetch, &reply);
    if (term.live)
        fprintf(stderr, "\r\033[K");
    if (!whole) {
        place_drop();
        if (fetch.error != 0)
            log_fatal(CLI_FAILED, "%s: %s", file, strerror(fetch.error));
        client_end(cli->client, &reply);
    }
    reply_done(&reply);
    return fetch.bytes;
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
    int fd = place_open(file);
    int64_t bytes = fetch_movie(&cli, path_of(&cli, job), file, fd);
    place_keep(fd);
    if (cli.json) {
        json_t *told =
            json_pack("{s:s,s:I}", "file", file, "bytes", (json_int_t)bytes);
        cli_print_json(told);
        json_decref(told);
    } else {
        printf("%s: %.1f MB\n", file, (double)bytes / MB);
    }
    json_decref(job);
    return cli_close(&cli, CLI_DONE);
}
