/* SPDX-License-Identifier: Apache-2.0
 *
 * A broker that is away for a while is waited for; one that refuses is not.
 */
#include "cli/send/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/human.h"
#include "cli/send/hashes.h"
#include "common/app/cache_dir.h"
#include "common/app/clock.h"
#include "common/app/file_hash.h"
#include "common/app/log.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/transfer/transfer.h"

#define PIECE_LEAST 65536
#define GIVE_UP_MS  60000 /* without a byte taken */
#define PAUSE_MS    200
#define SHOW_MS     100
#define BAR_WIDTH   24

/* What is shown while it goes on. */
struct show {
    struct term term;
    const char *verb; /* "hashing" */
    uint64_t done, all;
    int64_t shown_ms;
};

static uint64_t size_of(const struct gathered *gathered)
{
    uint64_t size = 0;
    for (size_t i = 0; i < gathered->manifest.n; i++)
        size += gathered->manifest.files[i].size;
    return size;
}

static struct show show_begin(const char *verb, uint64_t all)
{
    struct show show = {.verb = verb, .all = all};
    term_look(&show.term, STDERR_FILENO);
    return show;
}

static void show_step(struct show *show, uint64_t more)
{
    struct buf line;
    int64_t now_ms = clock_now_ms();
    show->done += more;
    if (!show->term.live || now_ms - show->shown_ms < SHOW_MS)
        return;
    show->shown_ms = now_ms;
    struct bar bar = {.done = (int64_t)(show->done >> 10),
                      .total = (int64_t)(show->all >> 10) + 1};
    buf_init(&line, 1024);
    buf_print(&line, "\rframeq: %s ", show->verb);
    bar_draw(&bar, &show->term, BAR_WIDTH, &line);
    buf_print(&line, " %.1f of %.1f MB ", (double)show->done / 1e6,
              (double)show->all / 1e6);
    fputs(buf_text(&line), stderr);
    buf_free(&line);
}

static void show_end(const struct show *show)
{
    if (show->term.live && show->shown_ms > 0)
        fputs("\r\033[K", stderr);
}

static int open_source(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        log_fatal(CLI_FAILED, "%s: %s", path, strerror(errno));
    return fd;
}

/* --- Hashing. --- */

struct reading {
    struct show *show;
    uint64_t size;
};

static bool read_more(void *ctx, size_t n)
{
    struct reading *reading = ctx;
    reading->size += n;
    show_step(reading->show, n);
    return true;
}

static bool is_same(const struct stat *was, const struct stat *is)
{
    return was->st_size == is->st_size && was->st_ino == is->st_ino &&
           was->st_mtim.tv_sec == is->st_mtim.tv_sec &&
           was->st_mtim.tv_nsec == is->st_mtim.tv_nsec;
}

/* Reads the file, and has its hash kept where it has not changed meanwhile. */
static void read_file(struct hashes *hashes, struct show *show,
                      const char *path, struct manifest_file *file)
{
    struct reading reading = {.show = show};
    struct stat before, after;
    int fd = open_source(path);
    bool ok = fstat(fd, &before) == 0 &&
              file_hash(fd, read_more, &reading, file->name) &&
              fstat(fd, &after) == 0;
    if (!ok)
        log_fatal(CLI_FAILED, "%s: %s", path, strerror(errno));
    close(fd);
    file->size = reading.size;
    if (is_same(&before, &after))
        hashes_note(hashes, path, &after, file->name);
}

static void hash_file(struct hashes *hashes, struct show *show,
                      const char *path, struct manifest_file *file)
{
    struct stat facts;
    if (stat(path, &facts) != 0 ||
        !hashes_find(hashes, path, &facts, file->name)) {
        read_file(hashes, show, path, file);
        return;
    }
    file->size = (uint64_t)facts.st_size;
    show_step(show, file->size);
}

static struct hashes *open_hashes(void)
{
    char dir[PATH_MAX];
    bool keeps = cache_dir_open("", dir, sizeof dir);
    return hashes_open(keeps ? dir : NULL, clock_wall_ms());
}

void upload_hash(struct gathered *gathered)
{
    struct hashes *hashes = open_hashes();
    struct show show = show_begin("hashing", size_of(gathered));
    for (size_t i = 0; i < gathered->manifest.n; i++)
        hash_file(hashes, &show, gathered->sources[i],
                  &gathered->manifest.files[i]);
    show_end(&show);
    hashes_close(&hashes);
}

void upload_hash_one(const char *path, char ret[BLOB_NAME + 1])
{
    struct stat facts;
    struct manifest_file file;
    struct hashes *hashes = open_hashes();
    struct show show = show_begin(
        "hashing", stat(path, &facts) == 0 ? (uint64_t)facts.st_size : 0);
    hash_file(hashes, &show, path, &file);
    show_end(&show);
    hashes_close(&hashes);
    memcpy(ret, file.name, sizeof file.name);
}

/* --- Sending. --- */

struct sending {
    struct client *client;
    struct show *show;
    const char *source;
    const struct manifest_file *file;
    int fd;
    uint64_t offset;
    size_t piece;     /* bytes sent at once */
    int64_t until_ms; /* when it is given up unless a byte is taken */
    int pause_ms;
    bool stored; /* it goes to a store */
};

/* Whether the same request may be answered otherwise a moment later. */
static bool may_change(const struct reply *reply)
{
    return reply->status == 0 || reply->status == 408 || reply->status == 500 ||
           (reply->status >= 502 && reply->status <= 504);
}

/* Waits before the next try; ends the program when there were enough. */
static void wait_more(struct sending *sending, const struct reply *reply)
{
    if (!may_change(reply) || clock_now_ms() >= sending->until_ms)
        client_end(sending->client, reply);
    if (sending->piece > PIECE_LEAST)
        sending->piece /= 2; /* a slow line, perhaps */
    poll(NULL, 0, sending->pause_ms);
    if (sending->pause_ms < 5000)
        sending->pause_ms *= 2;
}

static void got_on(struct sending *sending, uint64_t offset)
{
    if (offset > sending->offset)
        show_step(sending->show, offset - sending->offset);
    sending->offset = offset;
    sending->until_ms = clock_now_ms() + GIVE_UP_MS;
    sending->pause_ms = PAUSE_MS;
}

/* An answer to HEAD has no words: the same question by GET has. Goes on if that
 * is answered well. */
static void refused(struct sending *sending, const char *path)
{
    struct reply reply;
    struct ask ask = {.method = "GET", .path = path};
    client_ask(sending->client, &ask, &reply);
    if (reply.status == 0 || reply.status >= 400)
        client_end(sending->client, &reply);
    reply_done(&reply);
}

/* The broker's disk may have cut a file short: it drops such a one. */
static void have_checked(const struct sending *sending)
{
    struct reply reply;
    struct ask ask = {.method = "POST",
                      .path = client_path(sending->client, "/v1/blobs/%s:check",
                                          sending->file->name)};
    client_ask(sending->client, &ask, &reply);
    reply_done(&reply);
}

static void ask_head(struct sending *sending, struct reply *ret)
{
    for (;;) {
        const char *path =
            client_path(sending->client, "/v1/blobs/%s", sending->file->name);
        client_head(sending->client, path, ret);
        if (ret->status == 200 || (ret->status == 404 && ret->offset >= 0))
            break;
        if (!may_change(ret) || clock_now_ms() >= sending->until_ms)
            refused(sending, path);
        else
            wait_more(sending, ret);
    }
}

/* Asks how much of the file is there; true: all of it. */
static bool is_there(struct sending *sending)
{
    struct reply reply;
    ask_head(sending, &reply);
    if (reply.status == 200 && reply.length != (int64_t)sending->file->size) {
        have_checked(sending);
        ask_head(sending, &reply);
    }
    uint64_t offset = reply.offset < 0 ? 0 : (uint64_t)reply.offset;
    got_on(sending, offset <= sending->file->size ? offset : 0);
    sending->stored = reply.stored;
    return reply.status == 200;
}

/* Or a remembered hash was wrong, whyever: none of them is believed again. */
static void refuse_changed(const struct sending *sending)
{
    char dir[PATH_MAX];
    if (cache_dir_open("", dir, sizeof dir))
        hashes_forget(dir);
    log_fatal(CLI_FAILED, "%s changed while it was sent: submit again",
              sending->source);
}

/* Sends the next piece; true: the file is there. */
static bool send_piece(struct sending *sending)
{
    static char bytes[LIMIT_BODY];
    struct reply reply;
    uint64_t left = sending->file->size - sending->offset;
    size_t n = left < sending->piece ? (size_t)left : sending->piece;
    if (pread(sending->fd, bytes, n, (off_t)sending->offset) != (ssize_t)n)
        refuse_changed(sending);
    struct piece piece = {.path = client_path(sending->client, "/v1/blobs/%s",
                                              sending->file->name),
                          .bytes = bytes,
                          .n = n,
                          .first = sending->offset,
                          .total = sending->file->size};
    client_put(sending->client, &piece, &reply);
    bool whole = reply.status == 201;
    if (whole)
        got_on(sending, sending->file->size);
    else if ((reply.status == 202 || reply.status == 409) && reply.offset >= 0)
        got_on(sending, (uint64_t)reply.offset);
    else if (reply.status == 400)
        refuse_changed(sending);
    else
        wait_more(sending, &reply);
    reply_done(&reply);
    return whole;
}

static int show_stored(void *ctx, curl_off_t down_all, curl_off_t down,
                       curl_off_t up_all, curl_off_t up)
{
    struct sending *sending = ctx;
    (void)down_all;
    (void)down;
    (void)up_all;
    if (up > 0 && (uint64_t)up > sending->offset)
        got_on(sending, (uint64_t)up);
    return 0;
}

static void wait_for_store(struct sending *sending, const struct reply *reply)
{
    if (reply->status == 400)
        refuse_changed(sending);
    if (!may_change(reply) || clock_now_ms() >= sending->until_ms)
        log_fatal(CLI_UNREACHABLE, "%s: set the store right, then submit again",
                  reply->why);
    wait_more(sending, reply);
}

/* Sends it to the store, all at once; true: it is there. */
static bool send_stored(struct sending *sending)
{
    struct reply reply;
    struct transfer transfer = {.fd = sending->fd,
                                .size = sending->file->size,
                                .name = sending->file->name,
                                .step = show_stored,
                                .ctx = sending};
    const char *path =
        client_path(sending->client, "/v1/blobs/%s", sending->file->name);
    bool put = client_put_stored(sending->client, path, &transfer, &reply);
    if (put)
        got_on(sending, sending->file->size);
    else if (reply.stored)
        wait_for_store(sending, &reply);
    else
        wait_more(sending, &reply);
    reply_done(&reply);
    if (put && !is_there(sending))
        log_fatal(CLI_FAILED,
                  "the store took %s and does not have it: look at its log",
                  sending->source);
    return put;
}

/* Returns the bytes the file had to be sent of; 0: it was there. */
static uint64_t send_file(const struct cli *cli, struct show *show,
                          const char *source, const struct manifest_file *file)
{
    struct sending sending = {.client = cli->client,
                              .show = show,
                              .source = source,
                              .file = file,
                              .piece = LIMIT_BODY,
                              .until_ms = clock_now_ms() + GIVE_UP_MS,
                              .pause_ms = PAUSE_MS};
    if (is_there(&sending)) {
        show->done += file->size;
        return 0;
    }
    uint64_t begun = sending.offset;
    sending.fd = open_source(source);
    while (!(sending.stored ? send_stored(&sending) : send_piece(&sending)))
        ;
    close(sending.fd);
    return file->size - begun;
}

void upload_send(const struct cli *cli, const struct gathered *gathered)
{
    struct show show = show_begin("sending", size_of(gathered));
    size_t sent = 0, n = gathered->manifest.n;
    uint64_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t more = send_file(cli, &show, gathered->sources[i],
                                  &gathered->manifest.files[i]);
        sent += more > 0;
        bytes += more;
    }
    show_end(&show);
    fprintf(stderr,
            "frameq: the scene has %zu file%s of %.1f MB; sent %zu, %.1f MB\n",
            n, n == 1 ? "" : "s", (double)size_of(gathered) / 1e6, sent,
            (double)bytes / 1e6);
}
