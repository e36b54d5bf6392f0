/* SPDX-License-Identifier: Apache-2.0
 *
 * An argument array, no shell, no input. ffmpeg ends a series at the first
 * picture that it cannot open, and leaves out what it cannot decode, and calls
 * both success: so the frames it counted are held against those it was given.
 */
#include "broker/files/ffmpeg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/limits.h"

#define NICE     10
#define WORD_MAX 64
#define ARGS_MAX 48

/* Even sides, as 4:2:0 wants them; colours as every player takes them. */
#define EVEN "-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2:out_color_matrix=bt709"

static const struct ffmpeg_codec codecs[] = {
    {"h264",
     "mp4",
     "video/mp4",
     {"libx264", EVEN, "-pix_fmt", "yuv420p", "-preset", "veryfast", "-crf",
      "18", NULL}},
    {"h265",
     "mp4",
     "video/mp4",
     {"libx265", EVEN, "-pix_fmt", "yuv420p", "-crf", "22", "-tag:v", "hvc1",
      NULL}},
    {"av1",
     "mp4",
     "video/mp4",
     {"libsvtav1", EVEN, "-pix_fmt", "yuv420p", "-crf", "30", NULL}},
    {"vp9",
     "mp4",
     "video/mp4",
     {"libvpx-vp9", EVEN, "-pix_fmt", "yuv420p", "-crf", "31", "-b:v", "0",
      NULL}},
    {"ffv1", "mkv", "video/x-matroska", {"ffv1", NULL}},
    {"prores",
     "mov",
     "video/quicktime",
     {"prores_ks", "-profile:v", "3", "-pix_fmt", "yuv422p10le", NULL}},
};

const struct ffmpeg_codec *ffmpeg_codec_find(const char *name)
{
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (strcmp(codecs[i].name, name) == 0)
            return &codecs[i];
    return NULL;
}

const char *ffmpeg_type_of(const char *suffix)
{
    size_t i = 0;
    while (strcmp(codecs[i].suffix, suffix) != 0)
        i++;
    return codecs[i].type;
}

struct args {
    const char *at[ARGS_MAX];
    size_t n;
    char fps[WORD_MAX], in[WORD_MAX], out[WORD_MAX];
};

static void add(struct args *args, const char *const *words)
{
    while (*words != NULL)
        args->at[args->n++] = *words++;
}

static void args_make(struct args *args, const struct ffmpeg_work *work)
{
    static const char *const first[] = {
        "ffmpeg",  "-nostdin", "-hide_banner", "-loglevel", "error",
        "-xerror", "-y",       "-progress",    "progress",  NULL};
    /* Linear light, as it would look by the view transform `Standard`. */
    static const char *const exr[] = {"-apply_trc", "iec61966_2_1", NULL};
    const char *in[] = {"-f", "image2", "-framerate", args->fps,
                        "-i", args->in, "-c:v",       NULL};
    const char *out[] = {"-movflags", "+faststart", args->out, NULL};
    snprintf(args->fps, sizeof args->fps, "%d/1000", work->fps_milli);
    snprintf(args->in, sizeof args->in, "%s%s", FFMPEG_PICTURE, work->suffix);
    snprintf(args->out, sizeof args->out, "movie.%s", work->codec->suffix);
    args->n = 0;
    add(args, first);
    if (strcasecmp(work->suffix, ".exr") == 0)
        add(args, exr);
    add(args, in);
    add(args, work->codec->words);
    add(args, strcmp(work->codec->suffix, "mkv") == 0 ? out + 2 : out);
    args->at[args->n] = NULL;
}

/* Set from here, as a spawned child has no say between fork and exec. */
static void bound(pid_t pid)
{
    const struct rlimit size = {LIMIT_MOVIE, LIMIT_MOVIE};
    const struct rlimit core = {0, 0};
    setpriority(PRIO_PROCESS, (id_t)pid, NICE);
    prlimit(pid, RLIMIT_FSIZE, &size, NULL);
    prlimit(pid, RLIMIT_CORE, &core, NULL);
}

/* The broker blocks its signals and ignores SIGPIPE; ffmpeg shall not. */
static void clear_signals(posix_spawnattr_t *how)
{
    sigset_t none, pipe;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawnattr_setsigmask(how, &none);
    posix_spawnattr_setsigdefault(how, &pipe);
    posix_spawnattr_setflags(how,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

int ffmpeg_start(struct ffmpeg *run, const struct ffmpeg_work *work)
{
    struct args args;
    posix_spawn_file_actions_t to;
    posix_spawnattr_t how;
    args_make(&args, work);
    posix_spawn_file_actions_init(&to);
    posix_spawnattr_init(&how);
    clear_signals(&how);
    posix_spawn_file_actions_addchdir_np(&to, work->dir);
    posix_spawn_file_actions_addopen(&to, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&to, 1, "log",
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&to, 1, 2);
    int error = posix_spawnp(&run->pid, "ffmpeg", &to, &how,
                             (char *const *)(uintptr_t)args.at, environ);
    posix_spawn_file_actions_destroy(&to);
    posix_spawnattr_destroy(&how);
    run->frames = work->frames;
    snprintf(run->dir, sizeof run->dir, "%s", work->dir);
    if (error != 0)
        run->pid = 0;
    else
        bound(run->pid);
    return error;
}

/* --- Its end. --- */

static FILE *open_in(const struct ffmpeg *run, const char *name)
{
    char path[sizeof run->dir + 16];
    snprintf(path, sizeof path, "%s/%s", run->dir, name);
    return fopen(path, "re");
}

/* What it said first; "" when nothing. */
static void read_words(const struct ffmpeg *run, char *ret, size_t size)
{
    FILE *log = open_in(run, "log");
    if (log == NULL || fgets(ret, (int)size, log) == NULL)
        *ret = '\0';
    ret[strcspn(ret, "\r\n")] = '\0';
    if (log != NULL)
        fclose(log);
}

/* How many frames it says to have written. */
static long frames_written(const struct ffmpeg *run)
{
    char line[256];
    long frames = 0;
    FILE *progress = open_in(run, "progress");
    while (progress != NULL && fgets(line, sizeof line, progress) != NULL)
        if (strncmp(line, "frame=", 6) == 0)
            frames = strtol(line + 6, NULL, 10);
    if (progress != NULL)
        fclose(progress);
    return frames;
}

static enum ffmpeg_state judge(const struct ffmpeg *run, int status, char *why,
                               size_t size)
{
    char words[256];
    long frames = frames_written(run);
    read_words(run, words, sizeof words);
    if (WIFSIGNALED(status))
        snprintf(why, size, "ffmpeg was ended by signal %d%s%s",
                 WTERMSIG(status), *words ? ": " : "", words);
    else if (status != 0)
        snprintf(why, size, "ffmpeg failed: %s", words);
    else if (frames != run->frames)
        snprintf(why, size, "ffmpeg took %ld of %d frames%s%s", frames,
                 run->frames, *words ? ": " : "", words);
    else
        return FFMPEG_MADE;
    return FFMPEG_FAILED;
}

enum ffmpeg_state ffmpeg_poll(struct ffmpeg *run, char *why, size_t size)
{
    int status = -1;
    pid_t ended = waitpid(run->pid, &status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR))
        return FFMPEG_RUNS;
    run->pid = 0;
    return judge(run, status, why, size);
}

void ffmpeg_kill(struct ffmpeg *run)
{
    if (run->pid == 0)
        return;
    kill(run->pid, SIGKILL);
    while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    run->pid = 0;
}
