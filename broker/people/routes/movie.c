/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v1/jobs/{id}/movie: the job's frames as one movie, made when it is
 * first asked for, or at the job's end where it has the field `movie`. Pieces
 * of it, too, so that browsers can seek.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/files/movies.h"
#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"

#define FPS_MAX 1000

static void send_movie(struct call *call, const char *path)
{
    struct stat file;
    char tag[64];
    const char *dot = strrchr(path, '.');
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) != 0) {
        reply_problem(call, RC_INTERNAL, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return;
    }
    /* <job>.<fps>.<codec>.<digest>.<suffix> */
    snprintf(tag, sizeof tag, "\"%.16s\"", dot - 16);
    reply_ranged(call, ffmpeg_type_of(dot + 1), fd, (uint64_t)file.st_size,
                 tag);
}

static void movie_done(void *ctx, enum rc rc, const char *text)
{
    struct call *call = ctx;
    (void)call_unpark(call);
    if (rc == RC_OK)
        send_movie(call, text);
    else
        reply_problem(call, rc, "%s", text);
}

static void leave(struct call *call)
{
    movies_forget(call->http->movies, call);
}

/* What the parameters ask for, over what the job does; or answers, false. */
static bool read_want(struct call *call, struct movie_want *want)
{
    char *end;
    const char *fps = call_query(call, "fps");
    const char *codec = call_query(call, "codec");
    double number = fps ? strtod(fps, &end) : FPS_MAX;
    if (fps && (end == fps || *end || !(number > 0) || !(number <= FPS_MAX))) {
        reply_problem(call, RC_INVALID,
                      "parameter `fps`: must be a number more than 0 and at "
                      "most %d",
                      FPS_MAX);
        return false;
    }
    if (fps)
        want->fps_milli = movie_fps_milli(number);
    if (codec)
        want->codec = ffmpeg_codec_find(codec);
    if (!want->codec)
        reply_problem(call, RC_INVALID,
                      "parameter `codec`: must be h264, h265, av1, vp9, ffv1 "
                      "or prores");
    return want->codec != NULL;
}

static void get_movie(struct call *call)
{
    struct movie_want want;
    const struct job *job = call_job(call);
    struct movies *movies = call->http->movies;
    if (!job)
        return;
    (void)movie_wanted(job, &want);
    if (!read_want(call, &want))
        return;
    const char *path = movies_ready(movies, &want);
    if (path) {
        send_movie(call, path);
    } else if (job->frames.count > LIMIT_MOVIE_FRAMES) {
        reply_problem(call, RC_INVALID, "a movie has at most %d frames",
                      LIMIT_MOVIE_FRAMES);
    } else {
        call_park(call, NULL, leave, NULL);
        if (movies_ask(movies, &want, movie_done, call))
            return;
        (void)call_unpark(call);
        reply_problem(call, RC_BUSY, "%d movies wait to be made", LIMIT_MOVIES);
    }
}

const struct route routes_movie[] = {
    {"GET", "/v1/jobs/{}/movie", get_movie, TOKEN_READ},
    {0},
};
