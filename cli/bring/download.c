/* SPDX-License-Identifier: Apache-2.0
 *
 * What `frameq backup` and `frameq movie` do once they know what to ask for.
 */
#include "cli/bring/download.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/bring/place.h"
#include "cli/cli.h"
#include "common/app/log.h"

#define MB 1000000.0

struct progress {
    struct term term;
    const char *waiting;
};

static void show(void *ctx, int64_t got, int64_t all)
{
    const struct progress *progress = ctx;
    if (!progress->term.live)
        return;
    if (all > 0)
        fprintf(stderr, "\r\033[K%.1f of %.1f MB", (double)got / MB,
                (double)all / MB);
    else if (progress->waiting)
        fprintf(stderr, "\r\033[K%s", progress->waiting);
}

static int64_t fetch_to(const struct cli *cli, const struct download *download,
                        int fd)
{
    struct progress progress = {.waiting = download->waiting};
    struct reply reply;
    term_look(&progress.term, STDERR_FILENO);
    struct fetch fetch = {.path = download->path,
                          .type = download->type,
                          .fd = fd,
                          .step = show,
                          .ctx = &progress};
    bool whole = client_fetch(cli->client, &fetch, &reply);
    if (progress.term.live)
        fprintf(stderr, "\r\033[K");
    if (!whole) {
        place_drop();
        if (fetch.error != 0)
            log_fatal(CLI_FAILED, "%s: %s", download->file,
                      strerror(fetch.error));
        client_end(cli->client, &reply);
    }
    reply_done(&reply);
    return fetch.bytes;
}

static void print_json(const char *file, int64_t bytes)
{
    json_t *told =
        json_pack("{s:s,s:I}", "file", file, "bytes", (json_int_t)bytes);
    cli_print_json(told);
    json_decref(told);
}

void download_to_file(const struct cli *cli, const struct download *download)
{
    int fd = place_open(download->file);
    int64_t bytes = fetch_to(cli, download, fd);
    place_keep(fd);
    if (cli->json)
        print_json(download->file, bytes);
    else
        printf("%s: %.1f MB\n", download->file, (double)bytes / MB);
}
