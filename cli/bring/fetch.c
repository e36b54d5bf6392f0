/* SPDX-License-Identifier: Apache-2.0
 *
 * A file gets its name when all of it is in and has the hash that the broker
 * knows it by.
 */
#include "cli/bring/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doc.h"
#include "common/app/clock.h"
#include "common/app/file_hash.h"
#include "common/app/log.h"
#include "common/limits.h"

#define LOOK_MS  300
#define ASKED_MS 3000  /* after the last file that came: for those asked for */
#define ENDED_MS 60000 /* ... for those that agents send by themselves */

#define HERE  "here" /* set in a file of the list, once it is */
#define ASKED 503    /* the answer where an agent has been asked to send it */
#define GONE  410    /* ... and the agent has it no more */

struct picture {
    const char *job, *path, *sha256;
    long long frame;
    size_t index; /* of the frame's files */
};

/* Where in the job's folder the node put it: below OUTPUT/<job>/, or just its
 * name. NULL: it would lead elsewhere. */
static const char *name_of(const struct picture *picture)
{
    char folder[LIMIT_ID + 3];
    snprintf(folder, sizeof folder, "/%s/", picture->job);
    const char *at = strstr(picture->path, folder);
    const char *slash = strrchr(picture->path, '/');
    const char *name = at != NULL      ? at + strlen(folder)
                       : slash != NULL ? slash + 1
                                       : picture->path;
    bool safe = *name != '\0' && *name != '/' && *name != '.' &&
                strstr(name, "/.") == NULL;
    return safe ? name : NULL;
}

/* Whether the whole picture is at path, as far as the broker knows its hash. */
static bool is_whole(const char *path, const char *sha256)
{
    return *sha256 == '\0' || file_has_hash(path, sha256);
}

static void make_folder_of(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    if (!conf_make_dir(folder))
        log_fatal(CLI_FAILED, "%s: %s", folder, strerror(errno));
}

static void no_step(void *ctx, int64_t got, int64_t all)
{
    (void)ctx;
    (void)got;
    (void)all;
}

/* Fetches to part; says why not. */
static bool fetch_part(const struct cli *cli, const struct picture *picture,
                       const char *part, struct fetched *ret)
{
    char index[24];
    struct reply reply;
    snprintf(index, sizeof index, "%zu", picture->index);
    char frame[24];
    snprintf(frame, sizeof frame, "%lld", picture->frame);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        log_fatal(CLI_FAILED, "%s: %s", part, strerror(errno));
    struct fetch fetch = {
        .path = client_path(cli->client, "/v1/jobs/%s/frames/%s/image?file=%s",
                            picture->job, frame, index),
        .fd = fd,
        .step = no_step};
    bool whole = client_fetch(cli->client, &fetch, &reply);
    bool closed = close(fd) == 0;
    if (fetch.error != 0 || !closed)
        log_fatal(CLI_FAILED, "%s: %s", part,
                  strerror(fetch.error != 0 ? fetch.error : errno));
    if (!whole && reply.status != 404 && reply.status != ASKED &&
        reply.status != GONE)
        client_end(cli->client, &reply);
    ret->asked += !whole && reply.status == ASKED;
    ret->gone += !whole && reply.status == GONE;
    if (!whole && !ret->quiet)
        fprintf(stderr, "frameq: frame %lld: %s\n", picture->frame, reply.why);
    reply_done(&reply);
    ret->bytes += whole ? fetch.bytes : 0;
    return whole;
}

/* What came has other bytes than the broker noted: it drops a kept file that
 * its disk has lost, so that an agent is asked for it the next time. */
static void tell_damaged(const struct cli *cli, const struct picture *picture)
{
    struct reply reply;
    struct ask ask = {.method = "POST",
                      .path = client_path(cli->client, "/v1/blobs/%s:check",
                                          picture->sha256)};
    client_ask(cli->client, &ask, &reply);
    reply_done(&reply);
    fprintf(stderr, "frameq: frame %lld: it came damaged\n", picture->frame);
}

/* Returns whether it is here now. */
static bool fetch_one(const struct cli *cli, const struct picture *picture,
                      const char *dir, struct fetched *ret)
{
    char path[PATH_MAX], part[PATH_MAX];
    const char *name = name_of(picture);
    if (name == NULL) {
        if (!ret->quiet)
            fprintf(stderr, "frameq: frame %lld: no name for %s here\n",
                    picture->frame, picture->path);
        return false;
    }
    snprintf(path, sizeof path, "%.2000s/%.1024s", dir, name);
    snprintf(part, sizeof part, "%.3500s.part", path);
    if (*picture->sha256 != '\0' && file_has_hash(path, picture->sha256)) {
        ret->there++;
        return true;
    }
    make_folder_of(path);
    bool whole = fetch_part(cli, picture, part, ret);
    if (whole && !is_whole(part, picture->sha256)) {
        tell_damaged(cli, picture);
        whole = false;
    }
    if (whole && rename(part, path) != 0)
        log_fatal(CLI_FAILED, "%s: %s", path, strerror(errno));
    if (!whole)
        unlink(part);
    ret->fetched += whole;
    return whole;
}

/* Goes once through the files of a frame that are not here yet. */
static void fetch_frame(const struct cli *cli, const char *job, json_t *frame,
                        const char *dir, struct fetched *ret)
{
    json_t *files = json_object_get(frame, "files"), *file;
    size_t i;
    json_array_foreach(files, i, file)
    {
        const struct picture picture = {.job = job,
                                        .path = doc_text(file, "path"),
                                        .sha256 = doc_text(file, "sha256"),
                                        .frame = doc_int(frame, "frame"),
                                        .index = i};
        if (json_is_true(json_object_get(file, HERE)))
            continue;
        if (fetch_one(cli, &picture, dir, ret))
            json_object_set_new(file, HERE, json_true());
        else
            ret->failed++;
    }
}

static void fetch_round(const struct cli *cli, const char *job, json_t *frames,
                        const char *dir, struct fetched *ret)
{
    size_t i;
    json_t *frame;
    ret->failed = ret->asked = ret->gone = 0;
    json_array_foreach(frames, i, frame) fetch_frame(cli, job, frame, dir, ret);
}

/* Goes round until nothing is waited for, or nothing has come for patience_ms;
 * what is missing then is said. */
static void fetch_all(const struct cli *cli, const char *job, const char *dir,
                      bool ended, struct fetched *ret)
{
    const int64_t patience_ms = ended ? ENDED_MS : ASKED_MS;
    const char *path = client_path(
        cli->client, "/v1/jobs/%s/frames?limit=1000&state=done", job);
    json_t *frames =
        client_list(cli->client, path, "frames", "from", LIMIT_FRAMES);
    int64_t until_ms = clock_now_ms() + patience_ms;
    *ret = (struct fetched){.quiet = true};
    while (ret->quiet) {
        size_t fetched = ret->fetched;
        fetch_round(cli, job, frames, dir, ret);
        if (ret->fetched > fetched)
            until_ms = clock_now_ms() + patience_ms;
        bool waits = ended ? ret->failed > ret->gone : ret->asked > 0;
        if (waits && clock_now_ms() < until_ms)
            poll(NULL, 0, LOOK_MS);
        else
            ret->quiet = false;
    }
    if (ret->failed > 0)
        fetch_round(cli, job, frames, dir, ret);
    json_decref(frames);
}

void fetch_job(const struct cli *cli, const char *job, const char *dir,
               struct fetched *ret)
{
    fetch_all(cli, job, dir, false, ret);
}

void fetch_ended(const struct cli *cli, const char *job, const char *dir,
                 struct fetched *ret)
{
    fetch_all(cli, job, dir, true, ret);
}

void fetch_tell(FILE *out, const char *dir, const struct fetched *fetched)
{
    fprintf(out,
            "%s: %zu fetched (%.1f MB), %zu were there, %zu not to be had\n",
            dir, fetched->fetched, (double)fetched->bytes / 1e6, fetched->there,
            fetched->failed);
}
