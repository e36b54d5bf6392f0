/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wanted waits in a queue. Its head reads the facts of its frames, a
 * few a turn, links each picture into the work folder, and, when no movie of
 * that digest is there, runs ffmpeg.
 */
#include "broker/files/movies.h"

#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "broker/files/movies_disk.h"
#include "broker/files/picture_file.h"
#include "common/app/conf.h"
#include "common/app/log.h"
#include "common/limits.h"
#include "common/mem.h"

#define FRAMES_AT_ONCE 64
#define NAMED          20 /* missing frames that are named */
#define DIGEST_BYTES   8
#define NAME_MAX_LEN   (LIMIT_ID + 64)
#define FPS_USUAL      24000

struct order {
    char job[LIMIT_ID + 1];
    struct movie_want want; /* its job is the one above */
    movies_done *done;      /* NULL: nobody waits */
    void *ctx;
    struct order *prev, *next;
};

struct movies {
    struct broker *broker;
    struct blobs *blobs;
    char dir[PATH_MAX];
    bool any; /* movies are there */
    struct order *orders;
    size_t n;

    /* Of the first order, while it is worked on. */
    bool working;
    int32_t next; /* ordinal to be read */
    crypto_hash_sha256_state digest;
    char suffix[8];
    char name[NAME_MAX_LEN];
    struct ffmpeg run;
    int64_t until_ms;

    /* The one shown last: players ask for it piece by piece. */
    struct {
        char job[LIMIT_ID + 1], path[PATH_MAX];
        uint64_t revision;
        int32_t fps_milli;
        const struct ffmpeg_codec *codec;
    } last;
};

static const struct job *job_of(const struct movies *movies, const char *id)
{
    return job_find(broker_core(movies->broker), id);
}

static bool job_lives(void *ctx, const char *id)
{
    return job_of(ctx, id) != NULL;
}

struct movies *movies_open(struct broker *broker, struct blobs *blobs)
{
    struct movies *movies = mem_new(sizeof *movies);
    movies->broker = broker;
    movies->blobs = blobs;
    snprintf(movies->dir, sizeof movies->dir, "%.2000s/movies",
             broker_facts(broker)->data_dir);
    movie_work_drop(movies->dir); /* of a broker that was killed */
    movies->any = movie_sweep(movies->dir, job_lives, movies);
    return movies;
}

static void order_free(struct movies *movies, struct order *order)
{
    DL_DELETE(movies->orders, order);
    movies->n--;
    mem_free(order);
}

static void stop_work(struct movies *movies)
{
    if (!movies->working)
        return;
    ffmpeg_kill(&movies->run);
    store_forget(broker_store(movies->broker), movies);
    movie_work_drop(movies->dir);
    movies->working = false;
}

void movies_close(struct movies **movies_ref)
{
    struct movies *movies = *movies_ref;
    if (movies == NULL)
        return;
    stop_work(movies);
    while (movies->orders != NULL)
        order_free(movies, movies->orders);
    mem_free(movies);
    *movies_ref = NULL;
}

int32_t movie_fps_milli(double fps)
{
    int32_t milli = (int32_t)lround(fps * 1000);
    return milli > 0 ? milli : 1;
}

bool movie_wanted(const struct job *job, struct movie_want *ret)
{
    json_t *doc = json_loads(job->doc, 0, NULL);
    const json_t *movie = json_object_get(doc, "movie");
    const json_t *fps = json_object_get(movie, "fps");
    const char *codec = json_string_value(json_object_get(movie, "codec"));
    *ret = (struct movie_want){.job = job->id, .fps_milli = FPS_USUAL};
    if (fps != NULL)
        ret->fps_milli = movie_fps_milli(json_number_value(fps));
    ret->codec = ffmpeg_codec_find(codec != NULL ? codec : "h264");
    json_decref(doc);
    return movie != NULL;
}

/* --- The end of an order. --- */

static void end(struct movies *movies, enum rc rc, const char *text)
{
    struct order *order = movies->orders;
    movies_done *done = order->done;
    void *ctx = order->ctx;
    if (rc != RC_OK && done == NULL)
        log_warn("movie_failed", "job=%s reason=%s", order->job,
                 log_quoted(text));
    stop_work(movies);
    order_free(movies, order);
    if (done != NULL)
        done(ctx, rc, text);
}

__attribute__((format(printf, 3, 4))) static void
refuse(struct movies *movies, enum rc rc, const char *format, ...)
{
    char why[LIMIT_REASON];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    end(movies, rc, why);
}

static void end_made(struct movies *movies)
{
    char path[PATH_MAX];
    const struct order *order = movies->orders;
    const struct job *job = job_of(movies, order->job);
    snprintf(path, sizeof path, "%.3000s/%.200s", movies->dir, movies->name);
    if (job != NULL) {
        movies->last.revision = job->revision;
        movies->last.fps_milli = order->want.fps_milli;
        movies->last.codec = order->want.codec;
        memcpy(movies->last.job, order->job, sizeof movies->last.job);
        memcpy(movies->last.path, path, sizeof path);
    }
    end(movies, RC_OK, path);
}

/* --- Making one. --- */

static void place(struct movies *movies)
{
    char from[PATH_MAX], to[PATH_MAX];
    const struct movie_want *want = &movies->orders->want;
    snprintf(from, sizeof from, "%.3000s/work/movie.%s", movies->dir,
             want->codec->suffix);
    snprintf(to, sizeof to, "%.3000s/%.200s", movies->dir, movies->name);
    if (rename(from, to) != 0) {
        refuse(movies, RC_INTERNAL, "%s: %s", to, strerror(errno));
        return;
    }
    snprintf(from, sizeof from, "%s.%d.%s.", movies->orders->job,
             want->fps_milli, want->codec->name);
    movies->any = movie_drop(movies->dir, from, movies->name);
    end_made(movies);
}

static void run_ffmpeg(struct movies *movies, int32_t frames)
{
    char work[PATH_MAX];
    snprintf(work, sizeof work, "%.3000s/work", movies->dir);
    const struct movie_want *want = &movies->orders->want;
    int error = ffmpeg_start(&movies->run,
                             &(struct ffmpeg_work){.dir = work,
                                                   .suffix = movies->suffix,
                                                   .fps_milli = want->fps_milli,
                                                   .frames = frames,
                                                   .codec = want->codec});
    movies->until_ms = broker_now(movies->broker) + LIMIT_MOVIE_MS;
    if (error == ENOENT)
        refuse(movies, RC_LACKING,
               "ffmpeg is not installed at the broker: install it there "
               "(apt-get install ffmpeg), then ask again");
    else if (error != 0)
        refuse(movies, RC_INTERNAL, "ffmpeg: %s", strerror(error));
}

static void name_movie(struct movies *movies)
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    char hex[2 * DIGEST_BYTES + 1];
    const struct order *order = movies->orders;
    crypto_hash_sha256_final(&movies->digest, sum);
    sodium_bin2hex(hex, sizeof hex, sum, DIGEST_BYTES);
    snprintf(movies->name, sizeof movies->name, "%s.%d.%s.%s.%s", order->job,
             order->want.fps_milli, order->want.codec->name, hex,
             order->want.codec->suffix);
}

static void all_linked(struct movies *movies, int32_t frames)
{
    char path[PATH_MAX];
    name_movie(movies);
    snprintf(path, sizeof path, "%.3000s/%.200s", movies->dir, movies->name);
    if (access(path, R_OK) == 0)
        end_made(movies);
    else if (!movie_has_room(movies->dir))
        refuse(movies, RC_NO_SPACE, "the broker's disk is full");
    else
        run_ffmpeg(movies, frames);
}

/* --- Its pictures. --- */

static int open_picture(const struct movies *movies,
                        const struct picture_file *file)
{
    uint64_t size;
    int fd = picture_file_open(file, &size);
    if (fd < 0 && movies->blobs != NULL && blob_is_name(file->sha256))
        fd = blobs_open_file(movies->blobs, file->sha256, &size);
    return fd;
}

/* Whether a picture has the suffix of those before it. */
static bool takes_suffix(struct movies *movies, const char *path)
{
    const char *suffix = strrchr(path, '.');
    if (*movies->suffix == '\0')
        snprintf(movies->suffix, sizeof movies->suffix, "%s", suffix);
    return strcmp(movies->suffix, suffix) == 0;
}

/* Links the first picture of a frame; false: the order has ended. */
static bool link_frame(struct movies *movies, const struct job *job,
                       const struct frame_fact *fact)
{
    struct picture_file file = {0};
    int32_t number = frames_number(&job->frames, fact->ordinal);
    json_t *files = json_loads(fact->files, 0, NULL);
    bool known = picture_file_read(json_array_get(files, 0), &file);
    bool alike = known && takes_suffix(movies, file.path);
    int fd = alike ? open_picture(movies, &file) : -1;
    bool linked =
        fd >= 0 && movie_link(movies->dir, fact->ordinal, movies->suffix, fd);
    if (fd >= 0)
        close(fd);
    if (linked) {
        char key[PATH_MAX + 128];
        int len = snprintf(key, sizeof key, "%s\n%s\n%lld\n", file.path,
                           file.sha256, (long long)fact->at_ms);
        crypto_hash_sha256_update(&movies->digest, (unsigned char *)key,
                                  (unsigned long long)len);
    } else if (!known) {
        refuse(movies, RC_CONFLICT, "no picture of frame %d is known", number);
    } else if (!alike) {
        refuse(movies, RC_CONFLICT,
               "frame %d is another kind of picture than the frames before "
               "it: retry those of one kind",
               number);
    } else if (movies->blobs != NULL && blobs_s3(movies->blobs) != NULL) {
        refuse(movies, RC_CONFLICT,
               "the picture of frame %d may lie in the store, and a broker "
               "makes movies of what its own machine sees: `frameq fetch` the "
               "frames, and have ffmpeg make one of them",
               number);
    } else {
        refuse(movies, RC_CONFLICT,
               "the broker cannot read the picture of frame %d at %s: start "
               "it with --results keep, or where it sees the nodes' folder",
               number, file.path);
    }
    json_decref(files);
    return linked;
}

static void read_more(struct movies *movies);

static void take_facts(void *ctx, const struct frame_fact *facts, size_t n)
{
    struct movies *movies = ctx;
    const struct job *job = job_of(movies, movies->orders->job);
    for (size_t i = 0; job != NULL && i < n; i++) {
        if (facts[i].ordinal != movies->next) {
            n = i; /* a fact is missing */
            break;
        }
        if (!link_frame(movies, job, &facts[i]))
            return;
        movies->next++;
    }
    if (job != NULL && n == 0)
        refuse(movies, RC_CONFLICT, "no picture of frame %d is known",
               frames_number(&job->frames, movies->next));
    else
        read_more(movies);
}

static bool is_whole(struct movies *movies, const struct job *job)
{
    struct ranges missing = {0};
    struct buf list;
    if (job->in[FRAME_DONE].count == job->frames.count)
        return true;
    ranges_add(&missing, 0, job->frames.count);
    ranges_remove_all(&missing, &job->in[FRAME_DONE]);
    buf_init(&list, LIMIT_REASON);
    frames_list(&job->frames, &missing, NAMED, &list);
    refuse(movies, RC_CONFLICT, "%d of %d frames are missing: %s",
           missing.count, job->frames.count, buf_text(&list));
    buf_free(&list);
    ranges_free(&missing);
    return false;
}

/* Goes on where it stands: the job may have changed meanwhile, or be gone. */
static void read_more(struct movies *movies)
{
    const struct job *job = job_of(movies, movies->orders->job);
    if (job == NULL) {
        refuse(movies, RC_NOT_FOUND, "there is no such job any more");
        return;
    }
    if (!is_whole(movies, job))
        return;
    int32_t lo = movies->next, rest = job->frames.count - lo;
    if (rest == 0) {
        all_linked(movies, job->frames.count);
        return;
    }
    const struct range ordinals = {
        lo, lo + (rest < FRAMES_AT_ONCE ? rest : FRAMES_AT_ONCE)};
    store_frames(broker_store(movies->broker), job->id, ordinals,
                 FRAMES_AT_ONCE, take_facts, movies);
}

static void begin(struct movies *movies)
{
    movies->working = true;
    movies->next = 0;
    movies->suffix[0] = '\0';
    crypto_hash_sha256_init(&movies->digest);
    if (movie_work_make(movies->dir))
        read_more(movies);
    else
        refuse(movies, RC_NO_SPACE, "%s: %s", movies->dir, strerror(errno));
}

static void end_all(struct movies *movies)
{
    while (movies->orders != NULL)
        refuse(movies, RC_BUSY, "the broker is shutting down");
}

void movies_run(struct movies *movies, int64_t now_ms)
{
    char why[LIMIT_REASON];
    if (movies->run.pid != 0) {
        enum ffmpeg_state state = ffmpeg_poll(&movies->run, why, sizeof why);
        if (state == FFMPEG_MADE)
            place(movies);
        else if (state == FFMPEG_FAILED)
            refuse(movies, RC_INTERNAL, "%s", why);
        else if (now_ms > movies->until_ms)
            refuse(movies, RC_INTERNAL, "ffmpeg took more than %d s",
                   LIMIT_MOVIE_MS / 1000);
        else if (!movie_has_room(movies->dir))
            refuse(movies, RC_NO_SPACE, "the broker's disk is full");
    }
    if (broker_draining(movies->broker))
        end_all(movies);
    else if (!movies->working && movies->orders != NULL)
        begin(movies);
}

/* --- Who wants one. --- */

const char *movies_ready(const struct movies *movies,
                         const struct movie_want *want)
{
    const struct job *job = job_of(movies, want->job);
    bool same = job != NULL && strcmp(job->id, movies->last.job) == 0 &&
                movies->last.revision == job->revision &&
                movies->last.fps_milli == want->fps_milli &&
                movies->last.codec == want->codec;
    return same && access(movies->last.path, R_OK) == 0 ? movies->last.path
                                                        : NULL;
}

bool movies_ask(struct movies *movies, const struct movie_want *want,
                movies_done *done, void *ctx)
{
    if (movies->n >= LIMIT_MOVIES)
        return false;
    struct order *order = mem_new(sizeof *order);
    snprintf(order->job, sizeof order->job, "%s", want->job);
    order->want = *want;
    order->want.job = order->job;
    order->done = done;
    order->ctx = ctx;
    DL_APPEND(movies->orders, order);
    movies->n++;
    return true;
}

void movies_forget(struct movies *movies, const void *ctx)
{
    struct order *order;
    DL_FOREACH (movies->orders, order)
        if (order->ctx == ctx)
            order->done = NULL; /* it is made all the same */
}

void movies_changed(struct movies *movies, const char *id)
{
    struct movie_want want;
    char prefix[LIMIT_ID + 2];
    const struct job *job = job_of(movies, id);
    if (job == NULL) {
        snprintf(prefix, sizeof prefix, "%s.", id);
        if (movies->any)
            movies->any = movie_drop(movies->dir, prefix, NULL);
        return;
    }
    if (job->in[FRAME_DONE].count == job->frames.count &&
        job->frames.count <= LIMIT_MOVIE_FRAMES &&
        strstr(job->doc, "\"movie\"") != NULL && movie_wanted(job, &want) &&
        !movies_ask(movies, &want, NULL, NULL))
        log_warn("movie_failed", "job=%s reason=%s", id,
                 log_quoted("too many wait; it is made when it is asked for"));
}
