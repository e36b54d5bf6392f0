/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq fetch: a job's pictures into a folder here. A file gets its name when
 * all of it is in and has the hash that the broker knows it by; one that is
 * here already is not fetched again.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/doc.h"
#include "cli/job.h"
#include "cli/verbs.h"
#include "common/app/log.h"
#include "common/app/manifest.h"
#include "common/limits.h"

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

/* What became of the files. */
struct tally {
    size_t fetched, there, failed;
    int64_t bytes;
    int waits; /* in vain, since a picture last came */
};

#define WAITS    10
#define PAUSE_MS 300

struct fetched {
    int64_t bytes;
    bool asked; /* its agent has been asked to send it */
};

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

static bool has_hash(const char *path, const char *sha256)
{
    static unsigned char block[256 * 1024];
    unsigned char sum[crypto_hash_sha256_BYTES];
    char found[BLOB_NAME + 1];
    crypto_hash_sha256_state state;
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    crypto_hash_sha256_init(&state);
    while (fd >= 0 && (n = read(fd, block, sizeof block)) > 0)
        crypto_hash_sha256_update(&state, block, (unsigned long long)n);
    if (fd >= 0)
        close(fd);
    crypto_hash_sha256_final(&state, sum);
    blob_name(sum, found);
    return n == 0 && (*sha256 == '\0' || strcmp(found, sha256) == 0);
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

/* Fetches to part once; says why not. */
static bool try_part(const struct cli *cli, const struct picture *picture,
                     const char *part, bool last, struct fetched *ret)
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
    ret->asked = !whole && reply.status == 503;
    if (!whole && reply.status != 404 && !ret->asked)
        client_end(cli->client, &reply);
    if (!whole && (last || !ret->asked))
        fprintf(stderr, "frameq: frame %lld: %s\n", picture->frame, reply.why);
    reply_done(&reply);
    ret->bytes = fetch.bytes;
    return whole;
}

/* The broker has asked an agent for it where it says so: then it is waited for,
 * for as long as pictures keep coming. */
static bool fetch_part(const struct cli *cli, const struct picture *picture,
                       const char *part, struct tally *tally,
                       int64_t *ret_bytes)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    struct fetched fetched;
    bool whole = try_part(cli, picture, part, tally->waits == WAITS, &fetched);
    while (!whole && fetched.asked && tally->waits < WAITS) {
        nanosleep(&pause, NULL);
        tally->waits++;
        whole = try_part(cli, picture, part, tally->waits == WAITS, &fetched);
    }
    if (whole)
        tally->waits = 0;
    *ret_bytes = fetched.bytes;
    return whole;
}

static void fetch_one(const struct cli *cli, const struct picture *picture,
                      const char *dir, struct tally *tally)
{
    char path[PATH_MAX], part[PATH_MAX];
    int64_t bytes = 0;
    const char *name = name_of(picture);
    if (name == NULL) {
        fprintf(stderr, "frameq: frame %lld: no name for %s here\n",
                picture->frame, picture->path);
        tally->failed++;
        return;
    }
    snprintf(path, sizeof path, "%.2000s/%.1024s", dir, name);
    snprintf(part, sizeof part, "%.3500s.part", path);
    if (*picture->sha256 != '\0' && has_hash(path, picture->sha256)) {
        tally->there++;
        return;
    }
    make_folder_of(path);
    bool whole = fetch_part(cli, picture, part, tally, &bytes);
    if (whole && !has_hash(part, picture->sha256)) {
        fprintf(stderr, "frameq: frame %lld: it came damaged\n",
                picture->frame);
        whole = false;
    }
    if (whole && rename(part, path) != 0)
        log_fatal(CLI_FAILED, "%s: %s", path, strerror(errno));
    if (!whole)
        unlink(part);
    tally->fetched += whole;
    tally->failed += !whole;
    tally->bytes += whole ? bytes : 0;
}

static void fetch_frame(const struct cli *cli, const char *job,
                        const json_t *frame, const char *dir,
                        struct tally *tally)
{
    const json_t *files = json_object_get(frame, "files"), *file;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)files, i, file)
    {
        const struct picture picture = {.job = job,
                                        .path = doc_text(file, "path"),
                                        .sha256 = doc_text(file, "sha256"),
                                        .frame = doc_int(frame, "frame"),
                                        .index = i};
        fetch_one(cli, &picture, dir, tally);
    }
}

static void tell(const struct cli *cli, const char *dir,
                 const struct tally *tally)
{
    json_t *told =
        json_pack("{s:s, s:I, s:I, s:I}", "dir", dir, "fetched",
                  (json_int_t)tally->fetched, "there", (json_int_t)tally->there,
                  "failed", (json_int_t)tally->failed);
    if (cli->json)
        cli_print_json(told);
    else
        printf("%s: %zu fetched (%.1f MB), %zu were there, %zu not to be had\n",
               dir, tally->fetched, (double)tally->bytes / 1e6, tally->there,
               tally->failed);
    json_decref(told);
}

int verb_fetch(int argc, char **argv)
{
    struct cli cli;
    struct tally tally = {0};
    const char *const *operands;
    size_t i;
    const json_t *frame;
    cli_open(&cli, &program, argc, argv);
    json_t *job = job_find(&cli, cli_operand(&cli, 0, "JOB"));
    const char *id = doc_text(job, "id");
    const char *dir = conf_operands(cli.conf, &operands) > 1 ? operands[1] : id;
    const char *path =
        client_path(cli.client, "/v1/jobs/%s/frames?limit=1000&state=done", id);
    json_t *frames =
        client_list(cli.client, path, "frames", "from", LIMIT_FRAMES);
    json_array_foreach(frames, i, frame)
        fetch_frame(&cli, id, frame, dir, &tally);
    tell(&cli, dir, &tally);
    json_decref(frames);
    json_decref(job);
    return cli_close(&cli, tally.failed == 0 ? CLI_DONE : CLI_FAILED);
}
