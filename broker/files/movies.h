/* SPDX-License-Identifier: Apache-2.0
 *
 * Movies of jobs, made by ffmpeg of the pictures as /image finds them, one at a
 * time, and kept under --data: made again when a frame was, dropped with the
 * job. A movie is named by a digest of what it was made of, so that one is
 * never taken for another. The loop does not wait for any of it.
 */
#ifndef FRAMEQ_BROKER_FILES_MOVIES_H
#define FRAMEQ_BROKER_FILES_MOVIES_H

#include "broker/broker.h"
#include "broker/core/state.h"
#include "broker/files/blobs.h"
#include "broker/files/ffmpeg.h"

struct movies;

/* movies_open takes what an earlier broker left of movies, but those of jobs
 * that are gone. Borrows both; blobs may be NULL. */
struct movies *movies_open(struct broker *broker, struct blobs *blobs);
void movies_close(struct movies **movies);

struct movie_want {
    const char *job;
    int32_t fps_milli; /* frames a second, thousandths, 1 to 1000000 */
    const struct ffmpeg_codec *codec;
};

/* movie_fps_milli turns frames a second, more than 0 and at most 1000, into
 * thousandths, of which there is at least one. */
int32_t movie_fps_milli(double fps);

/* movie_wanted fills ret with what a job's own field `movie` asks for, else 24
 * frames a second of h264. Returns whether it has that field. */
bool movie_wanted(const struct job *job, struct movie_want *ret);

/* movies_ready returns the path of a movie that needs no look at the job's
 * frames, NULL when it does. Borrowed until the next call. */
const char *movies_ready(const struct movies *movies,
                         const struct movie_want *want);

/* movies_ask makes the movie unless it is there, and calls done once, from
 * movies_run: with RC_OK and its path, or with why not. done NULL: only made.
 * Returns false when LIMIT_MOVIES wait. movies_forget: ctx is not to be called
 * any more. */
typedef void movies_done(void *ctx, enum rc rc, const char *text);
bool movies_ask(struct movies *movies, const struct movie_want *want,
                movies_done *done, void *ctx);
void movies_forget(struct movies *movies, const void *ctx);

/* movies_changed: the job id changed, or is gone. */
void movies_changed(struct movies *movies, const char *id);

/* movies_run goes on with what is being made; called every turn. */
void movies_run(struct movies *movies, int64_t now_ms);

#endif
