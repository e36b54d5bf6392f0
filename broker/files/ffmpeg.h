/* SPDX-License-Identifier: Apache-2.0
 *
 * One run of ffmpeg that makes a movie of pictures, as a child at nice 10,
 * bounded in time and size. The pictures lie as 0000000.png, 0000001.png, ...
 * in a folder that is the run's own; the movie, ffmpeg's words and its progress
 * are written there too. Knows no job.
 */
#ifndef FRAMEQ_BROKER_FILES_FFMPEG_H
#define FRAMEQ_BROKER_FILES_FFMPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FFMPEG_PICTURE "%07d" /* name of the nth picture, from 0 */

/* A codec by the word of the API, and what it makes. */
struct ffmpeg_codec {
    const char *name, *suffix, *type; /* "h264", "mp4", "video/mp4" */
    const char *words[12];            /* for ffmpeg, NULL-terminated */
};

/* ffmpeg_codec_find returns the codec of that name, NULL when there is none. */
const struct ffmpeg_codec *ffmpeg_codec_find(const char *name);

/* ffmpeg_type_of returns the media type of a movie of that suffix. */
const char *ffmpeg_type_of(const char *suffix);

struct ffmpeg_work {
    const char *dir;
    const char *suffix; /* of the pictures, with its dot */
    int32_t fps_milli;  /* frames a second, thousandths */
    int32_t frames;     /* that the movie must have in the end */
    const struct ffmpeg_codec *codec;
};

struct ffmpeg {
    pid_t pid; /* 0: none runs */
    int32_t frames;
    char dir[4096];
};

enum ffmpeg_state { FFMPEG_RUNS, FFMPEG_MADE, FFMPEG_FAILED };

/* ffmpeg_start returns 0, or errno: ENOENT where ffmpeg is not installed. The
 * movie is dir/movie.<codec's suffix>. */
int ffmpeg_start(struct ffmpeg *run, const struct ffmpeg_work *work);

/* ffmpeg_poll never waits. FFMPEG_MADE: the movie has every frame;
 * FFMPEG_FAILED: why says what ffmpeg said. Both end the run. */
enum ffmpeg_state ffmpeg_poll(struct ffmpeg *run, char *why, size_t size);

/* ffmpeg_kill ends a run, if there is one, and waits for its end. */
void ffmpeg_kill(struct ffmpeg *run);

#endif
